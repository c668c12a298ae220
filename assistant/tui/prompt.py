"""One line of input in a dialog."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Input

from assistant.tui.dialog import Dialog
from assistant.tui.errors import told
from corpus.sanitizing import sanitize

MOST_CHARACTERS = 4096
"""Of a line; more is refused with a bell, as Textual's input does."""
Check = Callable[[str], str]
"""Gives a complaint, "" where the value is fine. May take its time: it runs in a thread."""


class Line(Input):
    """One line of text, cleaned as it enters."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "submit", "OK")]

    def __init__(self, value: str = "", placeholder: str = "", limit: int = MOST_CHARACTERS) -> None:
        super().__init__(sanitize(value)[:limit], placeholder=sanitize(placeholder), max_length=limit)

    def validate_value(self, value: str) -> str:
        return sanitize(value).replace("\n", " ")


class PromptScreen(Dialog[str]):
    """Asks for a line; gives it without outer spaces, or None where the user goes back.

    A value that `check` complains of, or fails on, is told and the dialog stays. A check that is still running when
    the user goes back runs to its end unheard.
    """

    CHECKING = "checking…"

    def __init__(self, title: str, value: str = "", about: str = "", check: Check | None = None) -> None:
        super().__init__(title, about)
        self._value = value
        self._check = check

    def body(self) -> Iterable[Widget]:
        yield Line(self._value)

    @on(Input.Changed)
    def _on_changed(self) -> None:
        self.say()

    @on(Input.Submitted)
    def _on_submitted(self, message: Input.Submitted) -> None:
        self.accept(message.value.strip())

    @work(exclusive=True, group="check", exit_on_error=False)
    async def accept(self, value: str) -> None:
        """Leaves with the value, unless there is something to complain of."""
        complaint = ""
        if self._check is not None:
            self.say(self.CHECKING, complaint=False)
            line = self.query_one(Line)
            line.disabled = True
            try:
                complaint = await asyncio.to_thread(self._check, value)
            except Exception as error:  # of a check that calls a third party's code: told, and the dialog stays
                complaint = told(error)
            line.disabled = False
            line.focus()
        if complaint:
            self.say(complaint)
        else:
            self.dismiss(value)
