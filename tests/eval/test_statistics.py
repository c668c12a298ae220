"""Intervals and tests against values worked out by hand, textbook formulas and brute force."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.statistics import DRAWS, clusters, difference, draws, estimate, mean, ratio, wilson
from eval.types import Case, Columns, Score, Scorer, Weights


def scorer(name: str = "m", aggregate: Any = mean, rate: bool = False) -> Scorer:
    return Scorer(name, lambda _c, _r: None, lambda _c: None, aggregate, rate=rate)


def cases(count: int, conversations: int = 0) -> list[Case]:
    return [Case(str(n), "", "?", conversation=str(n % conversations) if conversations else None) for n in range(count)]


def test_wilson_equals_the_published_examples() -> None:
    # Newcombe 1998, table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29, by the score method without continuity correction.
    for (successes, count), (low, high) in {
        (81, 263): (0.2553, 0.3662),
        (15, 148): (0.0624, 0.1605),
        (0, 20): (0.0, 0.1611),
        (1, 29): (0.0061, 0.1718),
    }.items():
        assert wilson(successes, count) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


def test_a_rate_has_wilsons_interval_and_a_mean_the_bootstraps() -> None:
    rows = [[(1.0,), (0.0,), (1.0,), None], [(0.5,)] * 3 + [(0.7,)]]
    rate, figure = estimate([scorer("a", rate=True), scorer("b")], cases(4), rows)
    assert (rate.value, rate.cases, rate.interval) == (pytest.approx(2 / 3), 3, "wilson")
    assert (rate.low, rate.high) == wilson(2, 3)
    assert (figure.value, figure.cases, figure.interval) == (pytest.approx(0.55), 4, "bootstrap")
    assert (figure.low, figure.high) == (pytest.approx(0.5), pytest.approx(0.65))  # 0 to 3 times the fourth of four


def test_what_never_varies_has_no_interval() -> None:
    (figure,) = estimate([scorer()], cases(4), [[(0.5,)] * 4])
    assert figure == Score("m", 0.5, None, None, 4)


def test_conversations_are_drawn_whole_also_for_rates() -> None:
    rows = [(1.0,) if n % 2 else (0.0,) for n in range(40)]
    (alone,) = estimate([scorer(rate=True)], cases(40), [rows])
    (together,) = estimate([scorer(rate=True)], cases(40, 2), [rows])  # two conversations, one all right, one all wrong
    assert alone.interval == "wilson"
    assert (together.interval, together.low, together.high) == ("bootstrap", 0.0, 1.0)
    assert clusters(cases(4, 2)).tolist() == [0, 1, 0, 1]


def test_a_case_named_as_a_conversation_is_another_cluster() -> None:
    assert clusters([Case("1", "", "?"), Case("2", "", "?", conversation="1")]).tolist() == [0, 1]


def test_the_bootstrap_interval_of_a_mean_is_near_the_exact_one() -> None:
    rows = [(0.0,), (0.5,), (1.0,)]
    (found,) = estimate([scorer()], cases(3), [rows])
    exact = sorted(sum(three) / 3 for three in itertools.product([0.0, 0.5, 1.0], repeat=3))
    # 27 equally likely samples: the 2.5 % quantile is the lowest or the second lowest, 0 or 1/6.
    assert exact[0] == 0.0
    assert found.low in (0.0, pytest.approx(1 / 6))
    assert found.high in (1.0, pytest.approx(5 / 6))


def test_what_applies_to_nothing_is_none_and_never_zero() -> None:
    nothing, undefined = estimate(
        [scorer("a"), scorer("b", lambda _columns, weights: np.full(len(weights), np.nan))],
        cases(2), [[None, None], [(1.0,), None]],
    )  # fmt: skip
    assert (nothing.value, nothing.low, nothing.cases, nothing.interval) == (None, None, 0, None)
    assert (undefined.value, undefined.cases) == (None, 1)


def test_draws_are_the_same_every_time_and_of_the_right_size() -> None:
    once, again = (np.concatenate(list(draws(clusters(cases(5))))) for _ in range(2))
    assert once.shape == (DRAWS, 5)
    assert (once == again).all()
    assert (once.sum(axis=1) == 5).all()


def test_the_figure_of_one_measure_does_not_depend_on_the_others() -> None:
    rows = [(n / 7,) for n in range(7)]
    (alone,) = estimate([scorer("x")], cases(7), [rows])
    both = estimate([scorer("y"), scorer("x")], cases(7), [[None, *rows[1:]], rows])
    assert both[1] == alone


def test_a_difference_is_paired_over_what_applies_to_both() -> None:
    one = [(0.0,), (0.2,), (0.4,), None]
    other = [(0.5,), (0.7,), (0.9,), (0.0,)]
    found = difference(scorer(), cases(4), one, other)
    assert (found.first, found.second, found.difference, found.cases) == pytest.approx((0.2, 0.7, 0.5, 3))
    assert (found.low, found.high) == (None, None)  # every question gained the same
    assert found.p == pytest.approx(0.25, abs=0.02)  # all three swapped alike: 2 of 8 ways are as far from zero


def test_the_p_value_is_that_of_the_exact_randomisation_test() -> None:
    gains = [0.3, -0.1, 0.4, 0.2, 0.25, -0.05, 0.1, 0.35]
    one, other = [(0.5,)] * 8, [(0.5 + g,) for g in gains]
    signs = itertools.product([1, -1], repeat=8)
    exact = sum(abs(sum(s * g for s, g in zip(some, gains, strict=True))) >= sum(gains) - 1e-9 for some in signs) / 2**8
    found = difference(scorer(), cases(8), one, other)
    assert found.p == pytest.approx(exact, abs=0.01)
    assert found.low is not None and found.high is not None and found.difference is not None
    assert found.low < found.difference < found.high


def test_equal_runs_do_not_differ() -> None:
    rows = [(n / 10,) for n in range(10)]
    found = difference(scorer(), cases(10), rows, rows)
    assert (found.difference, found.low, found.high, found.p) == (0.0, None, None, 1.0)


def test_conversations_are_swapped_whole() -> None:
    one, other = [(0.0,)] * 8, [(1.0,)] * 8
    assert difference(scorer(), cases(8), one, other).p == pytest.approx(2 / 2**8, abs=0.005)
    assert difference(scorer(), cases(8, 2), one, other).p == pytest.approx(2 / 2**2, abs=0.02)


def test_what_is_no_mean_is_compared_over_all_cases() -> None:
    def share(columns: Columns, weights: Weights) -> object:
        return ratio(weights @ columns[:, 0], weights @ columns[:, 1])

    one, other = [(1.0, 2.0), (1.0, 2.0), None], [(3.0, 3.0), None, (1.0, 1.0)]
    found = difference(scorer(aggregate=share), cases(3), one, other)
    assert (found.first, found.second, found.difference, found.cases) == pytest.approx((0.5, 1.0, 0.5, 3))
    assert found.p is not None


def test_nothing_in_common_cannot_be_compared() -> None:
    found = difference(scorer(), cases(2), [(1.0,), None], [None, (1.0,)])
    assert (found.difference, found.cases, found.p) == (None, 0, None)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_the_interval_holds_the_figure(values: list[float]) -> None:
    (found,) = estimate([scorer()], cases(len(values)), [[(v,) for v in values]])
    assert found.value == pytest.approx(math.fsum(values) / len(values))
    if found.low is None or found.high is None:
        assert len(set(values)) == 1 or found.interval is None
        return
    assert found.low - 1e-9 <= (found.value or 0.0) <= found.high + 1e-9
