"""ALCE and TREC support on one answer, sentence by sentence, with a judge that counts words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from eval.scorers import scorer_named
from eval.types import Case, Citation, Offered, Response, Sentence


class Counting:
    """The share of the claim's words that stand in the premise; all are full support, half of them partial."""

    full, partial = 1.0, 0.5

    def __init__(self, name: str = "counting") -> None:
        self.name = name

    def scores(self, premises: Sequence[str], claims: Sequence[str]) -> NDArray[np.float32]:
        pairs = [(set(p.split()), c.split()) for p, c in zip(premises, claims, strict=True)]
        return np.array([sum(w in p for w in c) / len(c) for p, c in pairs], dtype=np.float32)


CASE = Case("1", "", "?")
NOWHERE = None
#     claim, what it cites              ALCE: recall, counted   TREC: labels, best
TABLE = [
    ("a b", ["a b"], 1, 1, [1], 1),
    ("a b", [], 0, 0, [], 0),  # uncited
    ("a b", ["a", "b"], 1, 2, [0.5, 0.5], 0.5),  # only together
    ("a b", ["a b", "x"], 1, 1, [1, 0], 1),  # x is irrelevant
    ("a b", ["a b", "a b c"], 1, 2, [1, 1], 1),  # each alone
    ("a b", ["a"], 0, 0, [0.5], 0.5),  # half of it
    ("a b", ["a b", NOWHERE], 0, 0, [1, 0], 1),  # an invented number
    ("a b", [NOWHERE, NOWHERE], 0, 0, [0, 0], 0),  # all invented
    ("a b", ["a", "b", "x"], 1, 2, [0.5, 0.5, 0], 0.5),  # two together, x irrelevant
    ("a b", ["a b", "a", "a"], 1, 1, [1, 0.5, 0.5], 1),  # the others do without either a
    ("a b c d", ["a"], 0, 0, [0], 0),  # a quarter is nothing
]  # fmt: skip


def sentence(claim: str, cited: Sequence[str | None], verdict: str | None = None) -> Sentence:
    return Sentence(claim, tuple(Citation(n, text and "d", text or "") for n, text in enumerate(cited, 1)), verdict)


def score(name: str, answer: Response) -> float | None:
    columns = scorer_named(name, Counting).measure(CASE, answer)
    return None if columns is None else columns[0]


def scores(method: str, *sentences: Sentence) -> list[float | None]:
    answer = Response("1", "x", sentences=sentences)
    return [score(f"citation_{name}[{method},counting]", answer) for name in ("precision", "recall", "f1")]


@pytest.mark.parametrize("row", TABLE)
def test_each_sentence(row: tuple[str, list[str | None], int, int, list[float], float]) -> None:
    claim, cited, recall, counted, labels, best = row
    one = sentence(claim, cited)
    assert scores("alce", one)[:2] == [counted / len(cited) if cited else 0.0, recall]
    assert scores("trec", one)[:2] == [sum(labels) / len(cited) if cited else 0.0, best]


def test_the_whole_answer() -> None:
    answer = [sentence(claim, cited) for claim, cited, *_ in TABLE]
    # Citations: 1+0+2+2+2+1+2+2+3+3+1 = 19. ALCE counts 1+0+2+1+2+0+0+0+2+1+0 = 9 and recalls 6 of 11 sentences.
    assert scores("alce", *answer) == pytest.approx([9 / 19, 6 / 11, 2 * 9 / 19 * 6 / 11 / (9 / 19 + 6 / 11)])
    # TREC: labels 1+0+1+1+2+.5+1+0+1+2+0 = 9.5, best labels 1+0+.5+1+1+.5+1+0+.5+1+0 = 6.5.
    assert scores("trec", *answer) == pytest.approx([9.5 / 19, 6.5 / 11, 2 * 0.5 * 6.5 / 11 / (0.5 + 6.5 / 11)])


@pytest.mark.parametrize("method", ["alce", "trec"])
def test_what_is_judged(method: str) -> None:
    good, bad = sentence("a", ["a"]), sentence("b", ["x"])
    assert scores(method, good) == [1.0, 1.0, 1.0]
    assert scores(method, good, sentence("b", ["x"], "unsupported")) == [1.0, 1.0, 1.0]  # it wasn't shown
    assert scores(method, good, bad) == [0.5, 0.5, 0.5]
    assert scores(method, sentence("a", [])) == [0.0, 0.0, 0.0]
    assert scores(method) == [None, None, None]
    name = f"citation_recall[{method},counting]"
    assert score(name, Response("1", "no", refused=True, sentences=(good,))) is None
    assert score(name, Response("1", error="it broke")) == 0.0


def test_a_passage_is_judged_under_its_title() -> None:
    passage = Offered(1, "d", "long", title="wall")
    one = Sentence("wall long", (Citation(1, "d", passage=passage),))
    assert scores("alce", one) == [1.0, 1.0, 1.0]
