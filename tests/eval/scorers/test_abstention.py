"""Refusals and confidence, by hand, against brute force, and over draws."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise, permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.scorers import scorer_named
from eval.scorers.abstention import calibration, risk_coverage
from eval.types import Case, Citation, Evidence, Response, Sentence

FACT = (("640",),)
YES = Case("1", "", "?", answerable=True, facts=FACT, references=("640 metres",))
NO = Case("2", "", "?", answerable=False)
UNKNOWN = Case("3", "", "?")
ANSWER, REFUSAL, CRASH = Response("1", "640"), Response("1", "no", refused=True), Response("1", error="it broke")


def score(name: str, case: Case, answer: Response) -> float | None:
    columns = scorer_named(name).measure(case, answer)
    return None if columns is None else columns[0]


def figure(name: str, pairs: Sequence[tuple[Case, Response]], weights: Sequence[float] | None = None) -> float:
    scorer = scorer_named(name)
    rows = [row for case, answer in pairs if (row := scorer.measure(case, answer)) is not None]
    return float(scorer.aggregate(np.array(rows), np.array([weights or np.ones(len(rows))]))[0])


@pytest.mark.parametrize(
    #        answerable: answered, refused, crashed;  unanswerable: answered, refused, crashed
    ("name", "expected"),
    [
        ("false_answers", [None, None, None, 1.0, 0.0, 1.0]),
        ("false_refusals", [0.0, 1.0, 1.0, None, None, None]),
        ("refusal_precision", [None, 0.0, 0.0, None, 1.0, None]),
        ("refusal_recall", [None, None, None, 0.0, 1.0, 0.0]),
        ("refusal_accuracy", [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]),
        ("refusal_f1", [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]),
        ("correct", [1.0, None, 0.0, 0.0, None, 0.0]),
        ("conditioned[facts]", [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]),
        ("conditioned[token_f1]", [pytest.approx(2 / 3), 0.0, 0.0, 0.0, 1.0, 0.0]),
    ],
)
def test_each_outcome(name: str, expected: list[float | None]) -> None:
    assert [score(name, case, answer) for case in (YES, NO) for answer in (ANSWER, REFUSAL, CRASH)] == expected
    assert [score(name, UNKNOWN, answer) for answer in (ANSWER, REFUSAL, CRASH)] == [None] * 3


def test_refusal_f1() -> None:
    # Refused: two of three unanswerable, one of four answerable; a crash on an answerable one is a refusal too.
    pairs = [(NO, REFUSAL)] * 2 + [(NO, ANSWER)] + [(YES, ANSWER)] * 2 + [(YES, REFUSAL), (YES, CRASH)]
    assert figure("refusal_precision", pairs) == 2 / 4
    assert figure("refusal_recall", pairs) == pytest.approx(2 / 3)
    assert figure("refusal_f1", pairs) == pytest.approx(2 * 2 / (4 + 3))
    assert np.isnan(figure("refusal_f1", [(YES, ANSWER)]))


def test_conditioning_needs_answerable_cases_that_the_inner_measure_applies_to() -> None:
    bare = Case("4", "", "?", answerable=True)
    assert [score("conditioned[token_f1]", bare, answer) for answer in (ANSWER, REFUSAL, CRASH)] == [None] * 3
    assert figure("conditioned[token_f1]", [(bare, ANSWER), (NO, REFUSAL)]) == 1.0  # of the unanswerable alone
    assert figure("conditioned[facts]", [(YES, ANSWER), (YES, REFUSAL), (NO, REFUSAL), (NO, ANSWER)]) == 0.5


def cite(document: str, quote: str) -> Response:
    return Response("1", "x", sentences=(Sentence("x", (Citation(1, document, quote),)),))


def test_correct_by_what_is_known() -> None:
    wrong = Case("1", "", "?", answerable=True, facts=FACT, wrong=("641",))
    assert score("correct", wrong, Response("1", "640")) == 1.0
    assert score("correct", wrong, Response("1", "640 or 641")) == 0.0
    judged = Case("1", "", "?", wrong=("641",))  # nothing else is known of it
    assert [score("correct", judged, Response("1", text)) for text in ("640 or 641", "640")] == [0.0, None]
    assert score("correct", judged, Response("1", "641", refused=True)) is None
    quotes = Case("1", "", "?", answerable=True, evidence=(Evidence("d", "the wall is long"), Evidence("e")))
    assert score("correct", quotes, cite("d", "so the wall is long")) == 1.0
    assert score("correct", quotes, cite("d", "it rains")) == 0.0
    assert score("correct", quotes, cite("e", "anything")) == 0.0
    names = Case("1", "", "?", answerable=True, evidence=(Evidence("d"), Evidence("e")))
    assert score("correct", names, cite("x/e", "anything")) == 1.0
    assert score("correct", names, ANSWER) == 0.0
    assert score("correct", Case("1", "", "?", answerable=True), ANSWER) is None


def sure(right: bool, confidence: float) -> tuple[Case, Response]:
    return YES, Response("1", "640" if right else "7", confidence=confidence)


# Confidence: .9 right; .8 right, wrong; .5 right; .1 wrong; a refusal has no part; a crash is wrong, and last.
CURVE = [
    sure(True, 0.9), sure(True, 0.8), sure(False, 0.8), sure(True, 0.5), sure(False, 0.1),
    (NO, Response("1", "no", refused=True, confidence=0.99)), (YES, CRASH),
]  # fmt: skip


def test_risk_and_coverage() -> None:
    cases, responses = zip(*CURVE, strict=True)
    points = [(1 / 6, 0, 0.9), (3 / 6, 1 / 3, 0.8), (4 / 6, 1 / 4, 0.5), (5 / 6, 2 / 5, 0.1), (1, 3 / 6, 0.0)]
    assert risk_coverage(cases, responses) == [pytest.approx(point) for point in points]
    # Prefixes have risk 0, then 0 + half an error of two, 1 of 3, 1 of 4, 2 of 5, 3 of 6.
    assert figure("aurc", CURVE) == pytest.approx((0 + 1 / 4 + 1 / 3 + 1 / 4 + 2 / 5 + 1 / 2) / 6)
    assert figure("selective_accuracy@80", CURVE) == 3 / 5
    assert figure("selective_accuracy@40", CURVE) == pytest.approx(2 / 3)
    assert figure("selective_accuracy@30", CURVE) == pytest.approx((1 + 1 / 2) / 2)
    assert figure("selective_accuracy@100", CURVE) == 3 / 6
    assert figure("selective_accuracy@1", CURVE) == 1.0  # at least one answer
    assert scorer_named("aurc").better == "lower"
    assert risk_coverage([UNKNOWN], [ANSWER]) == []


def test_calibration() -> None:
    cases, responses = zip(*CURVE, sure(True, 1.0), strict=True)
    assert calibration(cases, responses, 2) == [(pytest.approx(0.1), 0.0, 1), (pytest.approx(0.8), 0.8, 5)]
    assert [count for *_, count in calibration(cases, responses)] == [1, 1, 2, 2]
    assert calibration([], []) == []


def test_auroc() -> None:
    def asked(case: Case, confidence: float | None) -> tuple[Case, Response]:
        return case, Response("1", confidence=confidence, refused=True)

    # Answerable .9, .5, .5 against unanswerable .5, .1: 2 + (1/2 + 1) + (1/2 + 1) won of 6; the rest has no part.
    pairs = [asked(YES, 0.9), asked(NO, 0.5), asked(YES, 0.5), asked(YES, 0.5), asked(NO, 0.1)]
    assert figure("confidence_auroc", [*pairs, asked(YES, None), asked(UNKNOWN, 0.3), (YES, CRASH)]) == 5 / 6
    assert np.isnan(figure("confidence_auroc", pairs[:1]))


levels = st.integers(0, 4).map(lambda n: n / 4)


@given(st.lists(st.tuples(st.booleans(), levels), min_size=1, max_size=6))
def test_aurc_is_the_mean_over_all_orders_of_ties(plan: list[tuple[bool, float]]) -> None:
    areas, kept = [], []
    for order in permutations(plan):
        if all(a[1] >= b[1] for a, b in pairwise(order)):
            wrong = np.array([not right for right, _ in order], dtype=float)
            areas.append(np.mean(np.cumsum(wrong) / np.arange(1, len(plan) + 1)))
            kept.append(1 - wrong[: -(-len(plan) * 4 // 5)].mean())
    pairs = [sure(*one) for one in plan]
    assert figure("aurc", pairs) == pytest.approx(np.mean(areas))
    assert figure("selective_accuracy@80", pairs) == pytest.approx(np.mean(kept))


@given(st.lists(st.tuples(st.booleans(), levels), min_size=2, max_size=12))
def test_auroc_is_the_share_of_pairs_won(plan: list[tuple[bool, float]]) -> None:
    pairs = [(YES if yes else NO, Response("1", confidence=c)) for yes, c in plan]
    won = [(a > b) + (a == b) / 2 for yes, a in plan if yes for no, b in plan if not no]
    assert figure("confidence_auroc", pairs) == pytest.approx(np.mean(won) if won else np.nan, nan_ok=True)


AGGREGATES = ("confidence_auroc", "aurc", "selective_accuracy@80", "refusal_f1", "conditioned[facts]", "correct")
outcomes = st.tuples(st.booleans(), st.booleans(), st.booleans(), levels, st.integers(0, 3))


@given(st.lists(outcomes, min_size=1, max_size=12))
def test_weights_repeat_cases(plan: list[tuple[bool, bool, bool, float, int]]) -> None:
    pairs = [
        (YES if yes else NO, Response("1", "640" if right else "7", refused, confidence=sure))
        for yes, right, refused, sure, _ in plan
    ]
    for name in AGGREGATES:
        scorer = scorer_named(name)
        kept = [(row, one[4]) for pair, one in zip(pairs, plan, strict=True) if (row := scorer.measure(*pair))]
        repeated = np.array([row for row, count in kept for _ in range(count)])
        if not kept or not len(repeated):
            continue
        columns, weights = np.array([row for row, _ in kept]), np.array([[count for _, count in kept]], dtype=float)
        once = scorer.aggregate(repeated, np.ones((1, len(repeated))))
        assert scorer.aggregate(columns, weights) == pytest.approx(once, nan_ok=True), name
        assert scorer.aggregate(columns[::-1], weights[:, ::-1]) == pytest.approx(once, nan_ok=True), name
        assert np.isnan(once[0]) or -1e-12 <= once[0] <= 1 + 1e-12


def test_a_crash_makes_no_curve_of_its_own() -> None:
    silent = (YES, Response("1", "640"))
    for name in ("aurc", "selective_accuracy@80"):
        assert np.isnan(figure(name, [silent, (YES, CRASH)]))
    assert risk_coverage([YES, YES], [silent[1], CRASH]) == []
