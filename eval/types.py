"""The values of an evaluation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Evidence:
    """A verbatim quote that supports the answer."""

    document: str
    """File name."""
    quote: str


@dataclass(frozen=True, slots=True)
class Case:
    """One question with what is known of its answer."""

    id: str
    kind: str
    question: str
    history: tuple[str, ...]
    """Earlier questions, oldest first."""
    answerable: bool
    facts: tuple[tuple[str, ...], ...]
    """Each inner tuple is one fact; any of its strings will do."""
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What the assistant did with a case."""

    case: Case
    answer: dict[str, Any] | None
    """As `Answer.to_dict`; None where it failed."""
    error: str | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Score:
    """The mean of one measure over the cases to which it applies."""

    name: str
    value: float | None
    """None where it applies to no case."""
    low: float | None
    """Lower end of the 95 % interval."""
    high: float | None
    cases: int
