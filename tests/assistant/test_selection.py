"""Which sentences of the answering passage are quoted together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from assistant.evidence import Evidence, sentences_of
from assistant.generators.selection import (
    BEST,
    COEFFICIENTS,
    PRECISION_WEIGHT,
    chance,
    chosen,
    covered,
    features,
    neighbours,
    within,
)
from assistant.questions import analyse
from assistant.reading import Reading
from assistant.types import Passage
from corpus.types import Section
from embeddings.hashing import HashingEmbedder

TEXT = "A weir is a low wall across a river. It holds the water back. Anglers like it. It was built in 1890."


class WordReranker:
    """Scores a text by the words of the question that it has."""

    name = "words"

    def scores(self, question: str, texts: Sequence[str]) -> NDArray[np.float32]:
        asked = set(question.lower().strip("?").split())
        return np.array([3 * len(asked & set(t.lower().replace(".", "").split())) - 6 for t in texts], np.float32)


def reading_of(question: str, *passages: Passage, reranker: WordReranker | None = None) -> Reading:
    return Reading(analyse(question), passages, frozenset(), reranker, HashingEmbedder())


def quoted(reading: Reading, best: Evidence) -> list[str]:
    return [group[0].text for group in within(reading, reading.question, [[best]])]


@given(st.lists(st.floats(0, 1), max_size=7))
def test_no_other_set_has_a_larger_expected_value(chances: list[float]) -> None:
    def value(picked: Sequence[int]) -> float:
        right, count = BEST + sum(chances[i] for i in picked), 1 + len(picked)
        return 2 * right / (count + BEST + sum(chances)) + PRECISION_WEIGHT * right / count

    every = [p for size in range(len(chances) + 1) for p in combinations(range(len(chances)), size)]
    assert value(chosen(chances)) == pytest.approx(max(map(value, every)))


def test_certain_sentences_are_quoted_and_unlikely_ones_are_not() -> None:
    assert chosen([0.01, 0.99, 0.02, 0.95]) == [1, 3]
    assert chosen([0.05, 0.1]) == []
    assert chosen([]) == []


def test_a_chance_is_the_logistic_of_the_weighted_features() -> None:
    values = dict.fromkeys(COEFFICIENTS.keys() - {"intercept"}, 0.0)
    assert chance(values, {"intercept": 0.0, **values}) == 0.5
    weighted = {**dict.fromkeys(values, 0.0), "intercept": -1.0, "behind": -0.5}
    assert chance({**values, "behind": 2.0}, weighted) == pytest.approx(1 / (1 + np.exp(2)))


def test_every_coefficient_has_its_feature(passage_of: Callable[..., Passage]) -> None:
    reading = reading_of("What is a weir?", passage_of(TEXT), reranker=WordReranker())
    best, *near = sentences_of(reading.passages[0])
    first = features(reading, reading.question, best, near)[0]
    assert first.keys() == COEFFICIENTS.keys() - {"intercept"}
    assert (first["open"], first["figure"], first["first"]) == (1.0, 0.0, 0.0)
    assert first["position"] == pytest.approx(1 / 3)
    assert first["behind"] > 0


def test_sentences_that_answer_stand_in_the_order_of_the_document(passage_of: Callable[..., Passage]) -> None:
    text = "A weir is a wall. A weir is low. Anglers like rain. A weir is in a river."
    reading = reading_of("what is a weir", replace(passage_of(text), score=12.0), reranker=WordReranker())
    for best in sentences_of(reading.passages[0]):
        texts = quoted(reading, best)
        assert best.text in texts
        assert texts == sorted(set(texts), key=text.index)
    assert len(quoted(reading, sentences_of(reading.passages[0])[1])) > 1


def test_nothing_is_taken_from_another_paragraph(passage_of: Callable[..., Passage]) -> None:
    passage = passage_of("A weir is a wall.\n\nA weir is low.")
    sections = (Section("paragraph", 0, 0, 19), Section("paragraph", 0, 19, 33))
    passage = replace(passage, document=replace(passage.document, sections=sections), score=15.0)
    reading = reading_of("what is a weir", passage, reranker=WordReranker())
    best, _ = sentences_of(passage)
    assert neighbours(best) == []
    assert quoted(reading, best) == ["A weir is a wall."]


def test_a_sentence_that_is_quoted_already_is_not_quoted_again(passage_of: Callable[..., Passage]) -> None:
    text = "A weir is a wall. A weir is low. A weir is in a river."
    reading = reading_of("what is a weir", replace(passage_of(text), score=15.0), reranker=WordReranker())
    one, two, _ = sentences_of(reading.passages[0])
    groups = within(reading, reading.question, [[one], [two]])
    starts = [g[0].start for g in groups]
    assert len(starts) == len(set(starts))


def test_a_passage_that_only_mentions_it_gives_one_sentence(passage_of: Callable[..., Passage]) -> None:
    reading = reading_of("When was the weir built?", replace(passage_of(TEXT), score=1.0), reranker=WordReranker())
    best = sentences_of(reading.passages[0])[3]
    assert quoted(reading, best) == ["It was built in 1890."]


def test_covered_is_the_share_of_the_words_asked(passage_of: Callable[..., Passage]) -> None:
    first, second, *_ = sentences_of(passage_of(TEXT))
    question = analyse("Which low wall crosses a river?")
    assert covered(question, first) == pytest.approx(3 / 4)
    assert covered(question, second) == 0.0
