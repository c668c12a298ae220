"""Two runs over the same questions, question by question."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from corpus.errors import UsageError
from eval.judges import Judge
from eval.scorers import scorer_named
from eval.scoring import read_run
from eval.statistics import Difference, Measured, difference, mean
from eval.types import Case, CaseResult, Report, Scorer


@dataclass(frozen=True, slots=True)
class Change:
    """A question whose scores differ between the runs."""

    first: CaseResult
    second: CaseResult
    scores: tuple[str, ...]
    """Names of the measures that differ."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a second run changed."""

    first: Report
    second: Report
    differences: tuple[Difference, ...]
    changes: tuple[Change, ...]
    """In the order of the data set."""


def compare(first: str | Path | Report, second: str | Path | Report) -> Comparison:
    """Compare two runs, given as reports or folders; one may have asked our assistant, the other have scored a file.

    Raises:
        UsageError: a folder holds no finished run, the runs are of different questions, or share no measure.
    """
    one, other = (run if isinstance(run, Report) else read_run(run) for run in (first, second))
    if (strange := _first_other(one, other)) is not None:
        raise UsageError(
            f"the runs are of different questions: {strange!r} isn't the same in {one.dataset['name']!r} of "
            f"{len(one.results)} and {other.dataset['name']!r} of {len(other.results)}; compare runs of one data set"
        )
    theirs = {score.name for score in other.scores}
    names = [score.name for score in one.scores if score.name in theirs]
    if not names:
        raise UsageError("the runs have no measure in common: score their answers again with the same ones")
    scorers = [scorer_named(name, lambda judge: Judge(judge, _Unasked(), 1.0, 0.5)) for name in names]
    cases = [result.case for result in one.results]
    found = [difference(s, cases, _measured(s, one.results), _measured(s, other.results)) for s in scorers]
    differences = tuple(d for d in found if d.difference is not None)
    return Comparison(one, other, differences, _changes(one.results, other.results, names))


class _Unasked:
    """In the place of a judge: what it said of each case was kept."""

    def scores(self, premises: Sequence[str], claims: Sequence[str]) -> NDArray[np.float32]:
        raise AssertionError(f"measures by a judge are means, whose scores are kept: {premises!r}, {claims!r}")


def _first_other(one: Report, other: Report) -> str | None:
    """The id of the first question that isn't in both runs at one place; gold evidence may be located in one only."""
    for before, after in itertools.zip_longest(one.results, other.results):
        if before is None or after is None or _asked(before.case) != _asked(after.case):
            return str((before or after).case.id)
    return None


def _asked(case: Case) -> tuple[object, ...]:
    return case.id, case.question, case.history, case.answerable, case.facts, [e.quote for e in case.evidence]


def _measured(scorer: Scorer, results: Sequence[CaseResult]) -> Measured:
    """Its columns by case, as they were kept where a case's own score is all it needs: no judge is asked again."""
    if scorer.aggregate is mean:
        kept = [result.scores.get(scorer.name) for result in results]
        return [None if value is None else (value,) for value in kept]
    return [scorer.measure(result.case, result.response) for result in results]


_INCIDENTAL = frozenset(("seconds", "tokens", "words"))


def _changes(one: Sequence[CaseResult], other: Sequence[CaseResult], names: Sequence[str]) -> tuple[Change, ...]:
    found = []
    for before, after in zip(one, other, strict=True):
        changed = tuple(n for n in names if n not in _INCIDENTAL and before.scores.get(n) != after.scores.get(n))
        if changed or before.response.text != after.response.text:
            found.append(Change(before, after, changed))
    return tuple(found)
