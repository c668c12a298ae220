"""An answer as far as it has got, apart from how it is shown."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from assistant.tui.widgets.citation import WHERE_SEPARATOR
from assistant.tui.widgets.status import spent, sureness
from corpus.types import Document

if TYPE_CHECKING:
    from collections.abc import Iterable

    from assistant.types import Answer, Statement

SHOWN = ("quoted", "supported")
_Value = TypeVar("_Value")


@dataclass(slots=True)
class Written:
    """What a view is drawn from, and can be drawn from again."""

    rewritten: str = ""
    """The question as it was searched, where that differs."""
    statements: list[Statement] = field(default_factory=list)
    unchecked: str = ""
    """What was written last when the answer was cut."""
    answer: Answer | None = None
    line: str = ""
    """What stands under the answer."""
    ended: str = ""
    """How: "finished", "cut", "failed"; empty while it goes on."""


def past(answer: Answer) -> Written:
    """An answer that was kept, as it is drawn."""
    whole = answer.standalone_question
    return Written(
        rewritten=whole if whole != answer.question else "",
        statements=list(answer.statements),
        answer=answer,
        ended="finished",
    )


def without_text(value: _Value) -> _Value:
    """The same value, in which documents have no text."""
    if isinstance(value, Document):
        return replace(value, text="", sections=(), pages=())
    if isinstance(value, tuple):
        return tuple(map(without_text, value))  # type: ignore[return-value]  # as it came
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{f.name: without_text(getattr(value, f.name)) for f in fields(value)})
    return value


def left_out_of(statements: Iterable[Statement]) -> str:
    """How many; empty where there is none."""
    count = sum(s.verdict not in SHOWN for s in statements)
    return f"{count} left out" if count else ""


def summary(answer: Answer, seconds: float) -> str:
    """The time, the confidence, the sources, the tokens and what was left out of an answer."""
    sources = len({c.passage.document.id for s in answer.shown for c in s.citations if c.passage})
    invented = sum(c.passage is None for s in answer.statements for c in s.citations)
    left_out = left_out_of(answer.statements)
    parts = (
        f"{seconds:.1f} s",
        sureness(answer),
        counted(sources, "source") if sources and not answer.refused else "",
        spent(answer),
        f"{counted(invented, 'reference')} to no passage" if invented else "",
        f"{left_out} (Ctrl+T shows why)" if left_out else "",
    )
    return WHERE_SEPARATOR.join(part for part in parts if part)


def kept_summary(answer: Answer) -> str:
    """As `summary`, of an answer that was kept with its timings."""
    return summary(answer, sum(answer.timings.values()))


def counted(number: int, noun: str) -> str:
    """ "1 source", "2 sources"."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
