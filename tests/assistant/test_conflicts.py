"""Sources that give different values are told, and only those."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from assistant.conflicts import conflicts
from assistant.questions import analyse, content_stems
from assistant.reading import Reading
from assistant.types import Conflict, Passage, Statement
from corpus.sentences import split_sentences
from corpus.types import Chunk, Document
from embeddings.hashing import HashingEmbedder

COST = "How much does the Skell flood wall cost?"


class Overlap:
    """A reranker: ten times the share of the question's words that a text has, less two."""

    name = "overlap"

    def scores(self, question: str, texts: Sequence[str]) -> NDArray[np.float32]:
        asked = set(content_stems(question))
        held = [len(asked & set(content_stems(t))) / len(asked) if asked else 0.0 for t in texts]
        return np.array([10 * h - 2 for h in held], np.float32)


def passage(number: int, text: str, day: date | None = None, title: str = "Skell flood wall") -> Passage:
    document = Document(f"id-{number}", f"{number}.txt", title, day, None, text)
    chunk = Chunk(document.id, 0, len(text), text, sentences=tuple(split_sentences(text)))
    return Passage(number, chunk, document, 1.0)


def found(question: str, *passages: Passage, said: str | None = None) -> tuple[Conflict, ...]:
    reading = Reading(analyse(question), passages, frozenset(), Overlap(), HashingEmbedder())
    text = passages[0].chunk.text if said is None else said
    return conflicts(reading.question, [Statement(text, "quoted", 1.0)], reading)


def test_each_value_is_told_with_its_sources_newest_first() -> None:
    (conflict,) = found(
        COST,
        passage(1, "The flood wall will cost £3.9 million.", date(2023, 2, 2)),
        passage(2, "The cost of the wall is £4.2m.", date(2024, 3, 5)),
        passage(3, "They say the flood wall will cost £4.2 million.", date(2024, 1, 9)),
    )
    assert (
        conflict.explanation == "Sources differ: 5 March 2024 says £4.2m (newest), 2 February 2023 says £3.9 million."
    )
    assert [(v.date, v.newest, [c.number for c in v.citations]) for v in conflict.values] == [
        (date(2024, 3, 5), True, [2, 3]),
        (date(2023, 2, 2), False, [1]),
    ]
    assert all(c.passage and c.passage.document.text[c.start : c.end] == c.quote for c in conflict.citations)


def test_three_values_and_a_source_without_a_date() -> None:
    (conflict,) = found(
        COST,
        passage(1, "The flood wall will cost £3.9 million.", title="Skell flood wall leaflet"),
        passage(2, "The flood wall will cost £4.2 million.", date(2024, 3, 5)),
        passage(3, "The flood wall will cost £5 million.", date(2024, 3, 5)),
    )
    assert [(v.text, v.newest) for v in conflict.values] == [
        ("£4.2 million", True),
        ("£5 million", True),
        ("£3.9 million", False),
    ]
    assert conflict.explanation == (
        "Sources differ: 5 March 2024 says £4.2 million, 5 March 2024 says £5 million, "
        "“Skell flood wall leaflet” (undated) says £3.9 million."
    )


@pytest.mark.parametrize(
    ("question", "one", "other"),
    [
        (COST, "The flood wall will cost £4.2 million.", "The flood wall costs £4.2m."),
        (COST, "The flood wall will cost £4.2 million.", "The flood wall will cost money."),
        ("When was the Skell flood wall built?", "The flood wall was built in 1999.", "It was built on 5 May 1999."),
        ("How long is the Skell flood wall?", "The flood wall is 640 metres long.", "The flood wall took 22 years."),
        ("What did the 2021 flood wall cost?", "The 2021 wall cost £2m.", "The wall will cost £3m."),
        ("Why does the flood wall leak?", "The flood wall leaks at 4 joints.", "The flood wall leaks at 9 joints."),
    ],
)
def test_sources_that_agree_or_tell_of_something_else_dont_differ(question: str, one: str, other: str) -> None:
    assert found(question, passage(1, one), passage(2, other)) == ()


MAYOR, LIBRARY, REPLIES = (
    "Who is the mayor of Skell?",
    "What time does Skell library open?",
    "How many replies did the consultation on Skell square have?",
)
NOTICE, BINS = "How much notice must be given under section 10?", "What time are bins collected on Mondays?"
SWIM = "How much does swimming at Skell pool cost for adults?"


@pytest.mark.parametrize(
    ("question", "one", "other"),
    [
        (MAYOR, "The mayor of Skell is Ada Quill.", "The deputy mayor of Skell is Tom Orrin."),
        (MAYOR, "The mayor of Skell is Ada Quill.", "The mayor-elect of Skell is Tom Orrin."),
        (MAYOR, "The mayor of Skell is Ada Quill.", "The former mayor of Skell was Tom Orrin."),
        (MAYOR, "The mayor of Skell is Ada Quill.", "Tom Orrin is acting mayor of Skell."),
        (NOTICE, "Under section 10 we must give 28 days' notice.", "Notice given under section 21 is two months."),
        (NOTICE, "Under section 10 we must give 28 days' notice.", "The notice of section 10 is on page 14."),
        (BINS, "Bins are collected on Mondays at 7am.", "On bank holiday Mondays bins are collected at 9am."),
        (BINS, "Bins are collected on Mondays at 7am.", "On bank holidays bins are collected at 9am."),
        (SWIM, "Swimming at Skell pool costs £5 for adults.", "Swimming at Skell pool costs £40 for clubs."),
        (SWIM, "Swimming at Skell pool is £5 for adults.", "Swimming at Skell pool is £40 a term for adults."),
        (REPLIES, "The consultation on Skell square had 312 replies.", "The second consultation had 511 replies."),
        (REPLIES, "The consultation on Skell square had 312 replies.", "The consultation replies are in room 4."),
        (LIBRARY, "Skell library opens at 9am.", "Skell children's library opens at 10am."),
    ],
)
def test_a_value_of_another_thing_of_the_kind_doesnt_differ(question: str, one: str, other: str) -> None:
    asked = " ".join(content_stems(question))
    assert found(question, passage(1, one, title=asked), passage(2, other, title=asked)) == ()
    assert found(question, passage(1, other, title=asked), passage(2, one, title=asked)) == ()


def test_a_heading_tells_what_a_sentence_is_about() -> None:
    books = "How many books does Skell library have?"
    one, other = "It has 20,000 books.", "It has 4,000 books."
    assert (
        len(found(books, passage(1, one, title="Skell library"), passage(2, other, title="The library at Skell"))) == 1
    )
    assert (
        found(books, passage(1, one, title="Skell library"), passage(2, other, title="Skell children's library")) == ()
    )


@pytest.mark.parametrize(
    ("question", "one", "other"),
    [
        (MAYOR, "The mayor of Skell is Ada Quill.", "The new mayor of Skell is Tom Orrin."),
        (NOTICE, "Under section 10 we must give 28 days' notice.", "Under section 10 the notice is 14 days."),
        (BINS, "Bins are collected on Mondays at 7am.", "We collect bins on Mondays from 6am."),
        (SWIM, "Swimming at Skell pool costs £5 for adults.", "For adults, swimming at Skell pool is now £6."),
        (REPLIES, "The consultation on Skell square had 312 replies.", "There were 511 replies to the consultation."),
    ],
)
def test_values_of_the_same_thing_differ(question: str, one: str, other: str) -> None:
    asked = "The council of Skell: square, pool and bins"
    assert len(found(question, passage(1, one, title=asked), passage(2, other, title=asked))) == 1


def test_one_source_doesnt_differ_from_itself() -> None:
    assert found(COST, passage(1, "The flood wall will cost £4m. Others say the flood wall will cost £5m.")) == ()


def test_an_answer_that_gives_none_of_the_values_has_no_conflict() -> None:
    sources = (passage(1, "The flood wall will cost £4m."), passage(2, "The flood wall will cost £5m."))
    assert found(COST, *sources, said="The flood wall is by the mill.") == ()
    assert len(found(COST, *sources, said="It costs £5 million.")) == 1


def test_a_choice_that_the_question_offers_is_a_value() -> None:
    (conflict,) = found(
        "Is the Skell flood wall good or bad?",
        passage(1, "The Skell flood wall is good."),
        passage(2, "The Skell flood wall is bad."),
    )
    assert [v.text for v in conflict.values] == ["good", "bad"]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.text(max_size=80), min_size=1, max_size=3), st.sampled_from([COST, "When?", "Is it [b] or \x1b[2J?"])
)
def test_hostile_text_is_only_compared(texts: list[str], question: str) -> None:
    passages = [passage(n, f"The flood wall costs £{n}m. {text}") for n, text in enumerate(texts, 1)]
    for conflict in found(question, *passages):
        for citation in conflict.citations:
            assert citation.passage is not None
            assert citation.passage.document.text[citation.start : citation.end] == citation.quote
