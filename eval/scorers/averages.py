"""The measures whose figure is a mean over cases."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from eval.statistics import mean
from eval.types import Case, Response, Scorer


def averaged(
    name: str,
    measure: Callable[[Case, Response], float | None],
    applies: Callable[[Case], bool],
    crash: float | None = 0.0,
    better: Literal["higher", "lower", "neither"] = "higher",
    *,
    rate: bool = False,
) -> Scorer:
    """A scorer of one column; `crash` is what a crash scores, None where the measure has no meaning for one."""

    def columns(case: Case, response: Response) -> tuple[float, ...] | None:
        value = measure(case, response) if applies(case) else None
        return None if value is None else (float(value),)

    def failed(case: Case) -> tuple[float, ...] | None:
        return (crash,) if crash is not None and applies(case) else None

    return Scorer(name, columns, failed, mean, better, applies, rate)


def harmonic(precision: float, recall: float) -> float:
    """F1; 0 where both are."""
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def always(_: Case) -> bool:
    return True


def answerable(case: Case) -> bool:
    return case.answerable is True


def unanswerable(case: Case) -> bool:
    return case.answerable is False


def known(case: Case) -> bool:
    """Whether it is known to be the one or the other."""
    return case.answerable is not None
