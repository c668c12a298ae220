"""What every dialog has: a frame that scrolls, a title, and one line that says what is amiss or going on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Footer, Static

from assistant.tui.plain import one_line, plain

Result = TypeVar("Result")


class Dialog(ModalScreen[Result | None]):
    """A modal screen that Escape leaves with None; `body` gives what stands between the title and the footer."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Back"),
        Binding("pageup", "scroll(-1)", "Scroll up", show=False),
        Binding("pagedown", "scroll(1)", "Scroll down", show=False),
    ]

    READ_ONLY = False
    """Whether there is text to read and nothing to choose or to write."""
    VERTICAL_BREAKPOINTS = [(0, "-low"), (12, "-high")]  # noqa: RUF012 - declared by Textual

    def __init__(self, title: str, about: str = "") -> None:
        super().__init__()
        self._title = title
        self._about = about

    def body(self) -> Iterable[Widget]:
        """The widgets of this dialog, in order."""
        return ()

    def compose(self) -> ComposeResult:
        # Only where nothing else has a use for them, the frame takes the keys that scroll.
        with VerticalScroll(classes="dialog") if self.READ_ONLY else Vertical(classes="dialog"):
            yield Static(plain(self._title), classes="dialog--title", markup=False)
            if self._about:
                yield Static(plain(self._about), classes="dialog--about", markup=False)
            yield from self.body()
            yield Static(classes="dialog--said", markup=False)
        yield Footer(compact=True, show_command_palette=False)

    def say(self, text: str = "", *, complaint: bool = True) -> None:
        """Shows one line under the widgets, in place of the last one; nothing takes it away."""
        line = self.query_one(".dialog--said", Static)
        line.update(one_line(f"{'✗' if complaint else '○'} {text}" if text else ""))
        line.set_class(complaint, "-complaint")
        line.display = bool(text)
        if text:
            self.call_after_refresh(line.scroll_visible, animate=False)

    def action_back(self) -> None:
        """Leaves with nothing chosen."""
        self.dismiss(None)

    def action_scroll(self, pages: int) -> None:
        """Moves what a small terminal can't show at once."""
        frame = self.query_one(".dialog")
        frame.scroll_relative(y=pages * max(frame.size.height - 1, 1), animate=False)
