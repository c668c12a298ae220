"""Where the question is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.events import Key
from textual.message import Message
from textual.widgets import TextArea
from textual.widgets.text_area import Edit, EditResult

from corpus.sanitizing import sanitize

PROMPT = "Ask a question about these documents"


class Composer(TextArea):
    """Grows with its lines; Enter asks. Typed and pasted text is cleaned before it enters."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "send", "Ask"),
        Binding("shift+enter,ctrl+j", "newline", "New line", show=False),
    ]

    @dataclass
    class Asked(Message):
        """The user sent a question."""

        question: str

    def __init__(self) -> None:
        super().__init__(placeholder=PROMPT, compact=True, highlight_cursor_line=False)

    async def _on_key(self, event: Key) -> None:
        # Here and not through the bindings, which would overtake characters still queued for this widget.
        action = {"enter": self.action_send, "shift+enter": self.action_newline, "ctrl+j": self.action_newline}
        if event.key in action:
            event.stop()
            event.prevent_default()
            action[event.key]()

    def edit(self, edit: Edit) -> EditResult:
        edit.text = sanitize(edit.text)
        return super().edit(edit)

    def load_text(self, text: str) -> None:
        super().load_text(sanitize(text))

    def action_send(self) -> None:
        if question := self.text.strip():
            self.clear()
            self.post_message(self.Asked(question))

    def action_newline(self) -> None:
        self.insert("\n")
