"""An answer as it is written, checked and finished."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widget import Widget
from textual.widgets import Static

from assistant.tui.plain import one_line, plain
from assistant.tui.widgets.citation import WHERE_SEPARATOR, CitationChip
from assistant.tui.widgets.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable

    from assistant.types import Answer, Citation, Conflict, Passage, Refusal, RefusalReason, Statement

REASONS: dict[RefusalReason, str] = {
    "nothing_found": "No answer: nothing found",
    "weak_evidence": "No answer: the evidence is too weak",
    "unsupported_draft": "No answer: the sources don't support the draft",
    "underspecified": "Which do you mean?",
}
_SHOWN = ("quoted", "supported")
_MARKERS = re.compile(r"^(?:\s*\[\d+\])+[\s.]*")


class AnswerView(Widget):
    """Grows event by event; what is final comes from the finished answer."""

    def __init__(self) -> None:
        super().__init__()
        self._statements: list[Statement] = []
        self._draft = ""

    def compose(self) -> ComposeResult:
        yield Static(classes="answer--searched", markup=False)
        yield Vertical(classes="answer--findings")
        yield Static(classes="answer--draft", markup=False)
        yield Static(classes="answer--progress", markup=False)

    @property
    def draft(self) -> str:
        """Text that is written but not checked yet."""
        return self._draft

    def progress(self, text: str) -> None:
        """Says what is happening, or how it ended, under the answer."""
        self.query_one(".answer--progress", Static).update(plain(text))

    def retrieved(self, rewritten: str, passages: int) -> None:
        """Shows how a follow-up was understood, and what is being read."""
        if rewritten:
            searched = self.query_one(".answer--searched", Static)
            searched.update(one_line(f"↪ {rewritten}"))
            searched.display = True
        self.progress(f"Reading {_count(passages, 'passage')}…")

    def write(self, delta: str) -> None:
        """Adds unchecked text; it is cleaned as a whole, so that no sequence hides between two deltas."""
        self._show_draft(self._draft + delta)

    def verified(self, statement: Statement) -> None:
        """Replaces a sentence of the draft with the checked one."""
        at = self._draft.find(statement.text)
        if at >= 0:
            self._show_draft(_MARKERS.sub("", self._draft[at + len(statement.text) :]))
        self._statements.append(statement)
        self._mount(_statement_findings([statement]))

    def finish(self, answer: Answer, seconds: float) -> None:
        """Shows the finished answer, whatever was shown before."""
        self._show_draft("")
        if answer.refusal is not None or tuple(self._statements) != answer.statements:
            self.query_one(".answer--findings").remove_children()
            self._mount(_statement_findings(answer.statements))
        for conflict in answer.conflicts:
            self._mount(_conflict(conflict))
        self._mount(Finding(note, "", (), kind="note") for note in answer.notes)
        if answer.left_out:
            said = "\n".join(f"– {s.text} ({s.reason})" for s in answer.left_out)
            self._mount([Finding(f"Left out:\n{said}", "", (), kind="left-out")])
        if answer.refusal is not None:
            self.add_class("-refused")
            self._mount(_refusal(answer.refusal))
        self.progress(_summary(answer, seconds))

    def cut(self) -> None:
        """Keeps what was checked and says that it is not whole."""
        self.add_class("-cut")
        unchecked = ", and what was not checked yet is taken away" if self._draft else ""
        self._show_draft("")
        self.progress(f"✂ Stopped: the answer is not complete{unchecked}")

    def fail(self, error: str) -> None:
        """Shows an error in one line; what arrived stays."""
        self.add_class("-failed")
        self.query_one(".answer--progress", Static).update(one_line(f"✗ {error}"))

    def _show_draft(self, text: str) -> None:
        self._draft = text
        draft = self.query_one(".answer--draft", Static)
        draft.update(plain(text))
        draft.display = bool(text)

    def _mount(self, findings: Iterable[Finding]) -> None:
        self.query_one(".answer--findings", Vertical).mount_all(findings)


def _chips(citations: Iterable[Citation], label: str) -> list[CitationChip]:
    return [CitationChip(citation, label) for citation in citations if citation.passage is not None]


def _statement_findings(statements: Iterable[Statement]) -> list[Finding]:
    return [
        Finding(s.text, s.verdict, _chips(s.citations, s.verdict), kind=s.verdict)
        for s in statements
        if s.verdict in _SHOWN
    ]


def _conflict(conflict: Conflict) -> list[Finding]:
    chips = () if conflict.values else _chips(conflict.citations, "disagree")
    head = Finding(conflict.explanation, "disagree", chips, kind="disagree")
    values = [
        Finding(value.text, "newest" if value.newest else "disagrees", _chips(value.citations, "disagree"), "disagree")
        for value in conflict.values
    ]
    return [head, *values]


def _refusal(refusal: Refusal) -> list[Finding]:
    nearest = [CitationChip(_whole(passage), "nearest", snippet=True) for passage in refusal.nearest]
    return [
        *([Finding(f"⊘ {REASONS[refusal.reason]}", "", (), kind="refused")] if refusal.reason in REASONS else []),
        Finding(refusal.explanation, "", (), kind="explanation"),
        *(Finding(f"• {choice}", "", (), kind="choice") for choice in refusal.choices),
        *([Finding("", "nearest", nearest, kind="nearest")] if nearest else []),
    ]


def _whole(passage: Passage) -> Citation:
    """A passage as something to open."""
    from assistant.types import Citation  # brings NumPy, which the first screen does without

    chunk = passage.chunk
    return Citation(passage.number, passage, chunk.start, chunk.end, chunk.text, chunk.page)


def _summary(answer: Answer, seconds: float) -> str:
    """The time, the confidence, the sources and what was left out of an answer."""
    from assistant.confidence import confidence_word  # brings NumPy, as above

    sources = len({c.passage.document.id for s in answer.shown for c in s.citations if c.passage})
    left_out = len(answer.left_out)
    sure = confidence_word(answer.confidence) if answer.confidence is not None and not answer.refused else ""
    invented = sum(c.passage is None for s in answer.statements for c in s.citations)
    parts = (
        f"{seconds:.1f} s",
        f"{sure} confidence" if sure else "",
        _count(sources, "source") if sources else "",
        f"left out: {_count(left_out, 'sentence')} that no source supports (Ctrl+T shows)" if left_out else "",
        f"{_count(invented, 'reference')} to no passage" if invented else "",
    )
    return WHERE_SEPARATOR.join(part for part in parts if part)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
