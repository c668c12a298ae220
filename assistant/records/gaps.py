"""What people asked that the documents couldn't answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from assistant.answering import STOPPED
from assistant.questions import content_stems
from assistant.records.history import Record
from assistant.render import wrapped

REASONS = {
    "nothing_found": "nothing matched",
    "weak_evidence": "no passage says it",
}
"""Refusals that are gaps: not small talk, what has to be asked more precisely, or a model's bad draft."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A question that was refused every time since it was last answered, in whatever words with the same content."""

    question: str
    """As it was searched the last time."""
    count: int
    last: datetime
    """UTC."""
    reason: str
    """Of the last refusal."""
    missing: tuple[str, ...]
    """Names and words that no passage held, at the last refusal."""

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "last": self.last.isoformat(), "missing": list(self.missing)}


def gaps(records: Iterable[Record]) -> list[Gap]:
    """The open gaps, most asked first, then the latest.

    An answer closes the gap of its question. Questions put to a part of the documents only, by a filter or a day, say
    nothing of the whole and don't count, nor do answers that were stopped.

    Args:
        records: oldest first.
    """
    found: dict[frozenset[str], Gap] = {}
    for record in records:
        question = record.answer["standalone_question"]
        key = frozenset(content_stems(question))
        if not key or (record.context and (record.context.where or record.context.as_of)):
            continue
        refusal = record.answer["refusal"]
        if refusal is None:
            found.pop(key, None)
        elif refusal["reason"] in REASONS and refusal["explanation"] != STOPPED:
            count = found[key].count + 1 if key in found else 1
            found[key] = Gap(question, count, record.asked, refusal["reason"], tuple(refusal.get("missing", ())))
    return sorted(found.values(), key=lambda gap: (-gap.count, -gap.last.timestamp(), gap.question))


def render_gaps(found: Sequence[Gap]) -> str:
    """A line for each gap, with what it lacked below."""
    return "\n".join(_lines(found)) or "Every question was answered, or none was asked."


def _lines(found: Sequence[Gap]) -> Iterator[str]:
    for gap in found:
        day = gap.last.astimezone().date()
        yield wrapped(f"{gap.count:>4} × {gap.question}", 0)
        said = f"no document mentions {', '.join(gap.missing)}" if gap.missing else REASONS[gap.reason]
        yield wrapped(f"last asked {day}: {said}", 7)
