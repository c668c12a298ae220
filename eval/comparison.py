"""Two runs over the same questions, question by question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from corpus.errors import UsageError
from eval.scorers import scorer_named
from eval.scoring import read_run
from eval.statistics import Measured, difference, mean
from eval.types import CaseResult, Report, Score, Scorer


@dataclass(frozen=True, slots=True)
class Difference:
    """One measure in both runs."""

    name: str
    first: float | None
    """Over all questions of the first run to which it applies."""
    second: float | None
    paired: Score
    """Second less first over the questions to which it applies in both, with its 95 % interval."""
    p: float | None
    """Two-sided, of the randomisation test; None where nothing can be compared. Not corrected for many measures."""


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
    """Compare two runs, given as reports or folders.

    Raises:
        UsageError: a folder holds no finished run, the runs are of different questions, or share no measure.
    """
    one, other = (run if isinstance(run, Report) else read_run(run) for run in (first, second))
    cases = [result.case for result in one.results]
    if cases != [result.case for result in other.results]:
        raise UsageError(
            f"the runs are of different questions ({one.dataset['name']!r}, {one.dataset['digest']} and "
            f"{other.dataset['name']!r}, {other.dataset['digest']}): compare runs of one data set"
        )
    theirs = {score.name: score.value for score in other.scores}
    mine = {score.name: score.value for score in one.scores if score.name in theirs}
    if not mine:
        raise UsageError("the runs have no measure in common: score their answers again with the same ones")
    scorers = [scorer_named(name) for name in mine]
    differences = []
    for scorer in scorers:
        before, after = (_measured(scorer, run.results) for run in (one, other))
        if mine[scorer.name] is not None or theirs[scorer.name] is not None:
            paired, p = difference(scorer, cases, before, after)
            differences.append(Difference(scorer.name, mine[scorer.name], theirs[scorer.name], paired, p))
    return Comparison(one, other, tuple(differences), _changes(one.results, other.results, list(mine)))


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
