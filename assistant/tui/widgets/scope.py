"""The restriction of the conversation, always in view while there is one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from assistant.tui.scope import Scope
from assistant.tui.widgets.rows import fitted

_HINT = " · Ctrl+R lifts"


class ScopeChip(Widget, can_focus=True):
    """One line above the composer; hidden where every document is searched."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter,delete", "lift", "Lift restriction")]
    scope: reactive[Scope | None] = reactive(None, init=False)

    @dataclass
    class Lifted(Message):
        """The user wants every document searched again."""

    def on_mount(self) -> None:
        self.display = self.scope is not None

    def watch_scope(self) -> None:
        self.display = self.scope is not None

    def render(self) -> Content:
        if self.scope is None:
            return Content("")
        text, width = f"{'▸' if self.has_focus else ''}⊂ only {self.scope.label}", self.size.width
        hint = _HINT if width > 2 * len(_HINT) else ""
        return Content(fitted(text, width - len(hint)).rstrip() + hint)

    def action_lift(self) -> None:
        if self.scope is not None:
            self.post_message(self.Lifted())

    def on_click(self) -> None:
        self.action_lift()
