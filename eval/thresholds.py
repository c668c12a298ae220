"""Bounds on scores, from a TOML file, so that an evaluation can gate a build.

[at_least]
facts = 0.8
"citation_precision[sentence]" = 0.85
[at_most]
false_answers = 0.05
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpus.errors import UsageError
from eval.jsonl import read_bytes
from eval.rows import MOST
from eval.scorers import scorer_named
from eval.types import Score

_TABLES = ("at_least", "at_most")


@dataclass(frozen=True, slots=True)
class Threshold:
    """A bound that a score must keep."""

    name: str
    """Of the scorer."""
    bound: float
    least: bool
    """Whether the score must be at least the bound, not at most."""


def read_thresholds(path: str | Path) -> tuple[Threshold, ...]:
    """The bounds of a file. Raises `UsageError` naming the file and the key that is wrong."""
    try:
        tables = tomllib.loads(read_bytes(path).decode())
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{str(path)!r} is not TOML in UTF-8: {error}") from error
    found = []
    for table, bounds in tables.items():
        if table not in _TABLES or not isinstance(bounds, dict):
            raise UsageError(f"{str(path)!r}: {table!r} is not a table of bounds: write [at_least] or [at_most]")
        for name, bound in bounds.items():
            if isinstance(bound, bool) or not isinstance(bound, int | float) or not abs(bound) <= MOST:
                raise UsageError(f"{str(path)!r}: the bound of {name!r} is {str(bound)[:40]!r}, not a number to be met")
            try:
                found.append(Threshold(scorer_named(name).name, float(bound), table == "at_least"))
            except UsageError as error:
                raise UsageError(f"{str(path)!r}: {error}") from error
    if not found:
        raise UsageError(f"{str(path)!r} holds no bound: name scores under [at_least] or [at_most]")
    return tuple(found)


def checked(thresholds: Sequence[Threshold], scores: Sequence[Score]) -> tuple[dict[str, Any], ...]:
    """Each bound with the score and whether it is `met`; a score that applies to no question meets none."""
    values = {one.name: one.value for one in scores}
    found = []
    for one in thresholds:
        value = values[one.name]
        met = value is not None and (value >= one.bound if one.least else value <= one.bound)
        kind = "at_least" if one.least else "at_most"
        found.append({"name": one.name, kind: one.bound, "value": value, "met": met})
    return tuple(found)
