"""An answer as it is written, checked and finished."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static

from assistant.tui.plain import one_line, plain
from assistant.tui.widgets.citation import WHERE_SEPARATOR, CitationChip
from assistant.tui.widgets.conflict import table
from assistant.tui.widgets.draft import Draft
from assistant.tui.widgets.finding import Finding, checked
from assistant.tui.widgets.offer import Offer
from assistant.tui.widgets.refusal import refused, whole
from assistant.tui.widgets.written import SHOWN, Written, counted, kept_summary, left_out_of, summary, without_text

if TYPE_CHECKING:
    from assistant.types import Answer, Passage, Statement

_PAGE = 30
"""Sentences of an answer that are shown at once: a model may write without end."""
_PAUSE = 0.15
"""Seconds between two looks of an answer that is being written."""
_FRAME = 4
"""Widgets around the parts of an answer."""


class AnswerView(Widget):
    """Grows event by event; what is final comes from the finished answer."""

    @dataclass
    class AskAnyway(Message):
        """The user wants an answer from the nearest passages."""

        view: AnswerView

    class More(Message):
        """The user wants to see more of a long answer."""

    def __init__(self, written: Written | None = None) -> None:
        super().__init__(classes=f"-{written.ended}" if written and written.ended else None)
        self.written = written or Written()
        self._light = False
        self._searched = Static(classes="answer--searched", markup=False)
        self._draft = Draft()
        self._progress = Static(classes="answer--progress", markup=False)
        self._waiting: Offer | None = None
        self._details: Vertical | None = None
        self._drawn = 0
        """Statements that are shown."""
        self._most = _PAGE
        """Of them."""
        self._more: Offer | None = None
        """Stands for those beyond."""
        self._parts: list[Widget] = []
        """Findings, citations and offers, in the order of the screen."""
        self._parts = self._made()
        self._doing = ""
        self._drawing = False

    def compose(self) -> ComposeResult:
        yield self._searched
        yield from self._parts
        if not self.written.ended:
            yield self._draft
        yield self._progress

    def on_mount(self) -> None:
        self._show_searched()
        self._say(self.written.line or (kept_summary(self.given) if self.given else ""))

    @property
    def given(self) -> Answer | None:
        """The finished answer."""
        return self.written.answer

    @property
    def draft(self) -> str:
        """Text that is written but not checked yet."""
        return self._draft.text

    @property
    def chips(self) -> list[CitationChip]:
        """Every citation that can be opened, in the order of the screen."""
        parts = [*self._parts, *(self._details.children if self._details else ())]
        return [part for part in parts if isinstance(part, CitationChip)]

    @property
    def parts(self) -> int:
        """Widgets that an exchange is made of, about."""
        return _FRAME + len(self._parts) + (len(self._details.children) if self._details else 0)

    # What happens to it.

    def wait(self, offer: Offer) -> None:
        """Shows that it waits, until something is said of it."""
        if self._waiting is None:
            self._waiting = offer
            self.mount(offer)
        else:
            self._waiting.say(offer.text)

    def progress(self, text: str) -> None:
        """Says what is happening under the answer."""
        if self._waiting is not None:
            self._waiting.remove()
            self._waiting = None
        self._doing = text
        self._say(text)

    def retrieved(self, rewritten: str, passages: int) -> None:
        """Shows how a follow-up was understood, and what is being read."""
        self.written.rewritten = rewritten
        self._show_searched()
        self.progress(f"Reading {counted(passages, 'passage')}…")

    def write(self, delta: str) -> None:
        """Adds unchecked text."""
        self._draft.add(delta)
        self._draw_soon()

    def verified(self, statement: Statement) -> None:
        """Replaces a sentence of the draft with the checked one, or counts it as left out."""
        self._draft.check(statement.text)
        self.written.statements.append(statement)
        self._draw_soon()

    def finish(self, answer: Answer, seconds: float) -> None:
        """Shows the finished answer, whatever was shown before."""
        written = self.written
        same = answer.refusal is None and tuple(written.statements) == answer.statements
        written.answer, written.statements, written.ended = answer, list(answer.statements), "finished"
        if same:
            self._draw_statements()
            self._add(_after(self, answer))
        else:
            for part in self._parts:
                part.remove()
            self._parts, self._drawn, self._more = [], 0, None
            self._add(self._made())
        self._end(summary(answer, seconds))

    def cut(self) -> None:
        """Keeps what was checked and says that it is not whole; the rest goes to the details."""
        self._draw_statements()
        self.written.unchecked, self.written.ended = self._draft.text.strip(), "cut"
        more = f"{WHERE_SEPARATOR}Ctrl+T shows what was not checked" if self.written.unchecked else ""
        left_out = left_out_of(self.written.statements)
        self._end(f"✂ Stopped: not complete{WHERE_SEPARATOR if left_out else ''}{left_out}{more}")

    def fail(self, error: str) -> None:
        """Shows an error in one line; what arrived stays."""
        self._draw_statements()
        self.written.unchecked, self.written.ended = self._draft.text.strip(), "failed"
        self._end(one_line(f"✗ {error}").plain)

    def lighten(self) -> None:
        """Forgets the texts of the documents, which are read from the index when a source is opened."""
        if self.written.ended and not self._light:
            self._light = True
            self.written.answer = without_text(self.written.answer)
            shown = self.written.answer
            self.written.statements = (
                list(shown.statements) if shown else [without_text(s) for s in self.written.statements]
            )
            for chip in self.chips:
                chip.citation = without_text(chip.citation)

    # Details.

    @property
    def has_details(self) -> bool:
        """Whether there is something that the answer doesn't show."""
        left_out = any(s.verdict not in SHOWN for s in self.written.statements)
        return bool(left_out or self.written.unchecked or (self.given and _unused(self.given)))

    async def toggle_details(self) -> None:
        """Shows or hides what was left out and why, what was not checked, and what was read and not used."""
        if self._details is not None:
            details, self._details = self._details, None
            await details.remove()
        elif self.has_details:
            self._details = Vertical(*self._detailed(), classes="answer--details")
            await self.mount(self._details)

    def _detailed(self) -> list[Widget]:
        written = self.written
        found: list[Widget] = []
        if left_out := [s for s in written.statements if s.verdict not in SHOWN]:
            said = "\n".join(f"{s.text}\n  – {s.reason or s.verdict}" for s in left_out)
            found.append(Finding(f"Left out, as no source supports it:\n{said}", "left-out"))
        if written.unchecked:
            found.append(Finding(f"Not checked:\n{written.unchecked}", "unchecked"))
        if written.answer and (unused := _unused(written.answer)):
            chips = [CitationChip(whole(p), "not used", snippet=True) for p in unused]
            found += [Finding("Read and not used:", "unused"), *chips]
        return found

    # How it is drawn.

    def _made(self) -> list[Widget]:
        """All that stands between question and summary."""
        answer = self.written.answer
        statements = [] if answer and answer.refused else self._new_statements()
        more = [self._more] if self._more else []
        return [*statements, *more, *(_after(self, answer) if answer else ())]

    def _new_statements(self) -> list[Widget]:
        """Those that are not shown yet, as far as there is room; what stands for the others says how many they are."""
        passed = [s for s in self.written.statements if s.verdict in SHOWN]
        new, self._drawn = passed[self._drawn : self._most], min(len(passed), self._most)
        if rest := len(passed) - self._drawn:
            self._more = self._more or Offer("", self.More, "↓")
            self._more.say(f"{rest:,} more sentences · Enter shows {min(rest, _PAGE)} of them")
        return [widget for statement in new for widget in checked(statement)]

    @on(More)
    async def _on_more(self) -> None:
        offer, self._more, self._most = self._more, None, self._most + _PAGE
        self._add(self._new_statements(), before=offer)
        if offer is not None:
            if self._more:
                self._add([self._more], before=offer)
            self._parts.remove(offer)
            await offer.remove()

    def _draw_soon(self) -> None:
        if not self._drawing:
            self._drawing = True
            self.set_timer(_PAUSE, self._draw)

    def _draw(self) -> None:
        self._drawing = False
        if not self.written.ended and self.is_attached:
            self._draw_statements()
            self._draft.draw()

    def _draw_statements(self) -> None:
        former = self._more
        self._add(self._new_statements(), before=former)
        if self._more is not former and self._more is not None:
            self._add([self._more])
        if left_out := left_out_of(self.written.statements):
            self._say(WHERE_SEPARATOR.join(filter(None, (self._doing, left_out))))

    def _add(self, widgets: list[Widget], before: Widget | None = None) -> None:
        if widgets:
            place = self._parts.index(before) if before else len(self._parts)
            self._parts[place:place] = widgets
            self.mount_all(widgets, before=before or (self._draft if self._draft.is_attached else self._progress))

    def _end(self, line: str) -> None:
        self.add_class(f"-{self.written.ended}")
        self._draft.text = ""
        self._draft.remove()
        self.progress("")
        self._say(line)

    def _say(self, line: str) -> None:
        self.written.line = line
        self._progress.update(plain(line))
        self._progress.display = bool(line)

    def _show_searched(self) -> None:
        self._searched.update(one_line(f"↪ {self.written.rewritten}"))
        self._searched.display = bool(self.written.rewritten)


def _after(view: AnswerView, answer: Answer) -> list[Widget]:
    """What follows the statements: conflicts, notes, a refusal."""
    found = [widget for conflict in answer.conflicts for widget in table(conflict)]
    if answer.notes:
        found.append(Finding("\n".join(answer.notes), "note"))
    return [*found, *(refused(answer.refusal, lambda: view.AskAnyway(view)) if answer.refusal else ())]


def _unused(answer: Answer) -> list[Passage]:
    """The passages that were read, and that neither the answer nor the refusal shows."""
    cited = (c for s in answer.shown for c in s.citations)
    disagreeing = (c for conflict in answer.conflicts for c in conflict.citations)
    shown = {c.number for c in (*cited, *disagreeing)}
    shown |= {p.number for p in answer.refusal.nearest} if answer.refusal else set()
    return [p for p in answer.passages if p.number not in shown]
