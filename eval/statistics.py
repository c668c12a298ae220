"""Figures over cases, their intervals, and paired tests.

Every figure is a function of the cases' columns and of how often each case counts, so that one set of draws gives the
intervals of all measures. Draws are of questions, or of whole conversations where cases belong to some.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from eval.types import Case, Columns, Score, Scorer, Weights

DRAWS = 10_000
"""Of each bootstrap and each test."""
_SEED = 20_240_501
_BLOCK = 1_000
"""Draws that are held in memory at once."""
_EQUAL = 1e-9
"""Figures that are nearer are equal but for rounding."""
_Z = 1.959963984540054
"""Of a 95 % interval."""


def mean(columns: Columns, weights: Weights) -> NDArray[np.float64]:
    """Mean of the first column, for each draw."""
    above: NDArray[np.float64] = weights @ columns[:, 0]
    return ratio(above, weights.sum(axis=1))


def ratio(above: NDArray[np.float64], below: NDArray[np.float64]) -> NDArray[np.float64]:
    """`above / below`, NaN where nothing is below."""
    found: NDArray[np.float64] = np.divide(above, below, out=np.full(len(below), np.nan), where=below > 0)
    return found


def clusters(cases: Sequence[Case]) -> NDArray[np.int64]:
    """The number of each case's cluster, from 0: its conversation, or itself."""
    names = [("conversation", c.conversation) if c.conversation else ("case", c.id) for c in cases]
    numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
    return np.array([numbers[name] for name in names], dtype=np.int64)


def draws(cluster: NDArray[np.int64]) -> Iterator[Weights]:
    """`DRAWS` bootstrap samples of clusters with replacement, in blocks of weights."""
    random = np.random.default_rng(_SEED)
    count = int(cluster.max()) + 1
    rows = np.arange(_BLOCK)[:, None] * count
    for _ in range(0, DRAWS, _BLOCK):
        drawn = (random.integers(0, count, (_BLOCK, count)) + rows).ravel()
        times = np.bincount(drawn, minlength=_BLOCK * count).reshape(_BLOCK, count).astype(np.float64)
        yield times if np.array_equal(cluster, np.arange(count)) else times[:, cluster]


def wilson(successes: float, cases: int) -> tuple[float, float]:
    """95 % interval of a rate (Wilson 1927), within [0, 1]."""
    rate, spread = successes / cases, _Z * _Z / cases
    centre = (rate + spread / 2) / (1 + spread)
    half = _Z / (1 + spread) * np.sqrt(rate * (1 - rate) / cases + spread / (4 * cases))
    return max(float(centre - half), 0.0), min(float(centre + half), 1.0)


Measured = Sequence[tuple[float, ...] | None]
"""The columns of one scorer by case; None where it doesn't apply."""


def estimate(scorers: Sequence[Scorer], cases: Sequence[Case], measured: Sequence[Measured]) -> list[Score]:
    """Each measure over the cases to which it applies, with its 95 % interval.

    A rate over independent cases has Wilson's interval; anything else has the percentile bootstrap's (Efron 1979), with
    whole conversations drawn where there are some. Where no draw differs from another, as with a single case, the
    bootstrap tells nothing, and there is no interval.
    """
    cluster = clusters(cases)
    scores: list[Score] = []
    drawn: dict[bytes, list[int]] = {}
    """Numbers of the measures that need draws, by the cases to which they apply."""
    columns_of: dict[int, Columns] = {}
    for number, (scorer, rows) in enumerate(zip(scorers, measured, strict=True)):
        columns = np.array([row for row in rows if row is not None], dtype=np.float64)
        count = len(columns)
        value = float(scorer.aggregate(columns, np.ones((1, count)))[0]) if count else float("nan")
        if np.isnan(value):
            scores.append(Score(scorer.name, None, None, None, count))
        elif scorer.rate and len(set(cluster[[row is not None for row in rows]].tolist())) == count:
            scores.append(Score(scorer.name, value, *wilson(columns[:, 0].sum(), count), count, "wilson"))
        else:
            scores.append(Score(scorer.name, value, None, None, count))
            columns_of[number] = columns
            drawn.setdefault(np.array([row is not None for row in rows]).tobytes(), []).append(number)
    values: dict[int, list[NDArray[np.float64]]] = {number: [] for number in columns_of}
    for weights in draws(cluster) if drawn else ():
        for applies, numbers in drawn.items():
            chosen = weights[:, np.frombuffer(applies, dtype=bool)]
            for number in numbers:
                values[number].append(scorers[number].aggregate(columns_of[number], chosen))
    for number, by_draw in values.items():
        if (interval := _percentiles(np.concatenate(by_draw))) is not None:
            scores[number] = replace(scores[number], low=interval[0], high=interval[1], interval="bootstrap")
    return scores


def _percentiles(drawn: NDArray[np.float64]) -> tuple[float, float] | None:
    """The 2.5th and the 97.5th; None where all draws are alike, but for rounding."""
    low, high = np.nanpercentile(drawn, [2.5, 97.5]).tolist()
    return (low, high) if high - low > _EQUAL else None


@dataclass(frozen=True, slots=True)
class Difference:
    """One measure in two runs, over the same cases."""

    name: str
    cases: int
    """That are compared."""
    first: float | None = None
    second: float | None = None
    difference: float | None = None
    """Second less first."""
    low: float | None = None
    """Lower end of its 95 % interval; None where the cases tell nothing of it."""
    high: float | None = None
    p: float | None = None
    """Two-sided, not corrected for many measures."""


def difference(scorer: Scorer, cases: Sequence[Case], one: Measured, other: Measured) -> Difference:
    """The paired difference of two runs, its 95 % interval, and its p-value.

    A mean is compared over the cases to which it applies in both runs, anything else over all cases. The interval is
    the paired bootstrap's. The p-value is two-sided, from a randomisation test that swaps the runs' results by question
    or whole conversation (Smucker, Allan and Carterette 2007).
    """
    cluster = clusters(cases)
    both = [a is not None and b is not None for a, b in zip(one, other, strict=True)]
    if scorer.aggregate is mean:
        one = [row if kept else None for row, kept in zip(one, both, strict=True)]
        other = [row if kept else None for row, kept in zip(other, both, strict=True)]
    rows = [row for row in (*one, *other) if row is not None]
    places = np.array([i % len(cases) for i, row in enumerate((*one, *other)) if row is not None], dtype=np.int64)
    is_one = np.arange(len(rows)) < sum(row is not None for row in one)
    if is_one.all() or not is_one.any():
        return Difference(scorer.name, 0)
    columns = np.array(rows, dtype=np.float64)

    def differences(weights: Weights, first: NDArray[np.bool_]) -> NDArray[np.float64]:
        """For each draw; `first` tells which results stand for the first run, shape (draws, results) or (results,)."""
        return scorer.aggregate(columns, weights * ~first) - scorer.aggregate(columns, weights * first)

    first, second = (
        float(scorer.aggregate(columns, which[None, :].astype(np.float64))[0]) for which in (is_one, ~is_one)
    )
    count, found = len(set(places.tolist())), second - first
    if np.isnan(found):
        return Difference(scorer.name, count)
    found = 0.0 if abs(found) < _EQUAL else found
    low, high = _percentiles(
        np.concatenate([differences(weights[:, places], is_one) for weights in draws(cluster)])
    ) or (None, None)
    random = np.random.default_rng(_SEED)
    swaps = (random.random((_BLOCK, int(cluster.max()) + 1)) < 0.5 for _ in range(0, DRAWS, _BLOCK))
    ones = np.ones((_BLOCK, len(rows)))
    permuted = np.concatenate([differences(ones, is_one ^ swapped[:, cluster[places]]) for swapped in swaps])
    extreme = np.count_nonzero(np.abs(permuted) >= abs(found) - _EQUAL)  # NaN compares as false
    p = (extreme + 1) / (np.count_nonzero(~np.isnan(permuted)) + 1)
    return Difference(scorer.name, count, first, second, found, low, high, float(p))
