"""What was judged, and taking it back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Static

from assistant.tui.browsing import BrowsingScreen
from assistant.tui.dialog import Dialog
from assistant.tui.errors import told
from assistant.tui.plain import plain
from assistant.tui.widgets.rows import Column, Rows

if TYPE_CHECKING:
    from assistant.api import Assistant
    from assistant.records.feedback import Feedback

WORDS = {"right": "+ right", "wrong": "− wrong", "citation": "✗ citation"}
_EXPORT = "`assistant feedback export` makes cases of them"


class ReasonScreen(Dialog[None]):
    """One judgement in full."""

    READ_ONLY = True

    def __init__(self, given: Feedback) -> None:
        super().__init__(f"{_what(given)}, {given.given.astimezone():%d %b %Y %H:%M}", given.question)
        self._reason = given.reason

    def body(self) -> Iterable[Widget]:
        yield Static(plain(self._reason or "No reason was given."), markup=False)


class JudgementsScreen(BrowsingScreen[None]):
    """Judgements, the latest first."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "remove", "Take back"),
        Binding("u", "undo", "Undo"),
    ]
    PLACEHOLDER = "Words of a question or a reason"

    def __init__(self, desk: Assistant) -> None:
        columns = Column("Judgement", 16), Column("Question"), Column("Reason"), Column("Given", 11)
        super().__init__(Rows(*columns, empty="Nothing is judged: Ctrl+G judges the last answer."))
        self._log = desk.feedback
        self._listed: dict[str, Feedback] = {}
        self._taken: list[Feedback] = []
        """What was taken back on this screen, the last at the end."""

    def find(self, text: str) -> list[Feedback]:
        words = text.casefold().split()
        return [
            f
            for f in reversed(self._log.listed())
            if all(word in f"{f.question} {f.reason}".casefold() for word in words)
        ]

    def show(self, found: list[Feedback]) -> None:
        self._listed = {f"{given.number} {given.citation}": given for given in found}
        self.head(f"{len(found):,} judgement{'' if len(found) == 1 else 's'}", _EXPORT)
        cells = [(_what(f), f.question, f.reason, f"{f.given.astimezone():%d %b %Y}") for f in found]
        self.rows.set_rows(cells, list(self._listed))
        self.refresh_bindings()

    def detail(self) -> str:
        given = self._listed.get(self.rows.key)
        return " · ".join(part for part in (given.question, given.reason) if part) if given else ""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("remove", "undo"):
            return bool(self._listed if action == "remove" else self._taken)
        return super().check_action(action, parameters)

    @on(Rows.Opened)
    def _on_opened(self, message: Rows.Opened) -> None:
        self.app.push_screen(ReasonScreen(self._listed[message.key]))

    @work(group="remove", exit_on_error=False)
    async def action_remove(self) -> None:
        """Takes back the judgement of the row of the cursor."""
        if given := self._listed.get(self.rows.key):
            try:
                await asyncio.to_thread(self._log.remove, given.number, given.citation)
            except Exception as error:  # of the disk, or of a history that is locked: told, and it stays
                self.say(f"✗ {told(error)}")
                return
            self._taken.append(given)
            self.look()

    @work(group="remove", exit_on_error=False)
    async def action_undo(self) -> None:
        """Gives again what was taken back last."""
        if self._taken:
            given = self._taken.pop()
            try:
                await asyncio.to_thread(self._log.add, given.number, given.judgement, given.reason, given.citation)
            except Exception as error:  # as above
                self._taken.append(given)
                self.say(f"✗ {told(error)}")
                return
            self.look()


def _what(given: Feedback) -> str:
    number = f" [{given.citation[0]}]" if given.citation else ""
    return f"{WORDS[given.judgement]}{number}"
