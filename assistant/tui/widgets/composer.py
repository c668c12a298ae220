"""Where the question is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.events import Key
from textual.message import Message
from textual.widgets import TextArea
from textual.widgets.text_area import Edit, EditResult

from assistant.config import MOST_QUESTION_CHARACTERS
from corpus.sanitizing import sanitize

PROMPT = "Ask a question about these documents"
MOST_CHARACTERS = 8_000
"""That the composer holds, so that a paste of any size leaves it quick."""
_NEARLY = 0.9
"""Of what a question may have, from which its length is shown."""


class Composer(TextArea):
    """Grows with its lines; Enter asks. Typed and pasted text is cleaned before it enters."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "send", "Ask"),
        Binding("shift+enter,ctrl+j", "newline", "New line", show=False),
        Binding("up", "cursor_up", "Line above, or the question before", show=False),
        Binding("down", "cursor_down", "Line below, or the question after", show=False),
    ]

    @dataclass
    class Asked(Message):
        """The user sent a question."""

        question: str

    def __init__(self) -> None:
        super().__init__(placeholder=PROMPT, compact=True, highlight_cursor_line=False)
        self._asked: list[str] = []
        self._lines: list[str] = [""]
        """What Up and Down go through: the questions asked, as edited since, and last what is being written."""
        self._place = 0

    async def _on_key(self, event: Key) -> None:
        # Here and not through the bindings, which would overtake characters still queued for this widget.
        action = {
            "enter": self.action_send,
            "shift+enter": self.action_newline,
            "ctrl+j": self.action_newline,
            "up": self.action_cursor_up,
            "down": self.action_cursor_down,
        }
        if event.key in action:
            event.stop()
            event.prevent_default()
            action[event.key]()

    def edit(self, edit: Edit) -> EditResult:
        replaced = len(self.get_text_range(edit.top, edit.bottom))
        room = MOST_CHARACTERS - len(self.text) + replaced
        if len(edit.text) > room:
            cut = f"Only the first {max(room, 0):,} of {len(edit.text):,} characters were taken"
            self.notify(f"{cut}: there is room for {MOST_CHARACTERS:,}.", severity="warning", markup=False)
        edit.text = sanitize(edit.text[: max(room, 0)])
        return super().edit(edit)

    def load_text(self, text: str) -> None:
        super().load_text(sanitize(text[:MOST_CHARACTERS]))

    def on_text_area_changed(self) -> None:
        length = len(self.text)
        near = length > _NEARLY * MOST_QUESTION_CHARACTERS
        self.border_subtitle = f"{length:,} of {MOST_QUESTION_CHARACTERS:,} characters" if near else ""

    def remember(self, question: str) -> None:
        """Puts a question where Up finds it."""
        if question not in self._asked[-1:]:
            self._asked.append(question)
        self._lines, self._place = [*self._asked, self.text], len(self._asked)

    def action_cursor_up(self, select: bool = False) -> None:
        if select or not self.navigator.is_first_wrapped_line(self.cursor_location):
            super().action_cursor_up(select)
        elif self._recall(-1):
            self.move_cursor((0, len(self.document.get_line(0))))

    def action_cursor_down(self, select: bool = False) -> None:
        if select or not self.navigator.is_last_wrapped_line(self.cursor_location):
            super().action_cursor_down(select)
        elif self._recall(1):
            self.move_cursor(self.document.end)

    def _recall(self, by: int) -> bool:
        """Shows the question before or after; whether there is one."""
        place = self._place + by
        if not 0 <= place < len(self._lines):
            return False
        self._lines[self._place] = self.text
        self._place = place
        self.load_text(self._lines[place])
        return True

    def action_send(self) -> None:
        question = self.text.strip()
        if len(question) > MOST_QUESTION_CHARACTERS:
            said = f"The question has {len(question):,} characters, at most {MOST_QUESTION_CHARACTERS:,} are read"
            self.notify(f"{said}: shorten it.", severity="warning", markup=False)
        elif question:
            self.clear()
            self.post_message(self.Asked(question))

    def action_newline(self) -> None:
        self.insert("\n")
