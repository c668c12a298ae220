"""Why there is no answer, and what can be asked instead."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.message import Message
from textual.widget import Widget

from assistant.tui.marks import MARKS
from assistant.tui.widgets.citation import CitationChip
from assistant.tui.widgets.finding import Choice, Finding
from assistant.tui.widgets.offer import Offer

if TYPE_CHECKING:
    from assistant.types import Citation, Passage, Refusal, RefusalReason

REASONS: dict[RefusalReason, str] = {
    "nothing_found": "No answer: nothing found",
    "weak_evidence": "No answer: the evidence is too weak",
    "unsupported_draft": "No answer: the sources don't support the draft",
    "underspecified": "Which do you mean?",
}
_ANYWAY: tuple[RefusalReason, ...] = ("nothing_found", "weak_evidence")
"""Refusals before anything was written."""


def refused(refusal: Refusal, ask_anyway: Callable[[], Message]) -> list[Widget]:
    """Heading, explanation, choices, the nearest passages, and the offer to ask these anyway."""
    found: list[Widget] = []
    if heading := REASONS.get(refusal.reason):
        found.append(Finding(f"{MARKS['refused'].symbol} {heading}", "refused"))
    found.append(Finding(refusal.explanation, "explanation"))
    found += map(Choice, refusal.choices)
    if nearest := [CitationChip(whole(p), "nearest", snippet=True) for p in refusal.nearest]:
        found += [Finding("The nearest passages:", "nearest"), *nearest]
        if refusal.reason in _ANYWAY:
            found.append(Offer("Ask anyway about these passages", ask_anyway, "›"))
    return found


def whole(passage: Passage) -> Citation:
    """A passage as something to open."""
    from assistant.types import Citation  # brings NumPy, which the first screen does without

    chunk = passage.chunk
    return Citation(passage.number, passage, chunk.start, chunk.end, chunk.text, chunk.page)
