"""A line that does something when it is chosen."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from assistant.tui.marks import MARKS
from assistant.tui.plain import one_line


class Offer(Widget, can_focus=True):
    """Enter or a click posts its message; the one with the focus is told by a mark as well as by colour."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "Choose"),
        Binding("down", "app.focus_next", "Next line", show=False),
        Binding("up", "app.focus_previous", "Previous line", show=False),
    ]

    def __init__(self, text: str, chosen: Callable[[], Message], mark: str = " ") -> None:
        super().__init__()
        self.text = text
        self._chosen = chosen
        self._mark = mark

    def render(self) -> Content:
        mark = MARKS["open"].symbol if self.has_focus else self._mark
        return Content(f"{mark} ") + one_line(self.text)

    def say(self, text: str) -> None:
        """Shows another text."""
        same = len(text) == len(self.text)  # a layout costs as much as all that is mounted
        self.text = text
        self.refresh(layout=not same)

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def action_choose(self) -> None:
        self.post_message(self._chosen())

    def on_click(self) -> None:
        self.action_choose()
