"""Choosing what writes the answers."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from assistant.tui.plain import plain


class GeneratorScreen(ModalScreen[str | None]):
    """Asks for a generator's name; gives None where the user goes back."""

    BINDINGS = [("escape", "dismiss(None)", "Back")]  # noqa: RUF012 - declared by Textual

    def __init__(self, current: str, known: tuple[str, ...]) -> None:
        super().__init__()
        self._current = current
        self._known = known

    def compose(self) -> ComposeResult:
        with Vertical(id="generator"):
            yield Static("What writes the answers?", classes="generator--title", markup=False)
            yield Input(value=self._current, select_on_focus=True)
            yield Static(plain("Known: " + ", ".join(self._known)), classes="generator--known", markup=False)

    @on(Input.Submitted)
    def _on_submitted(self, message: Input.Submitted) -> None:
        self.dismiss(message.value.strip() or None)
