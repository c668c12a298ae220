"""Choosing one of a few."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar, get_args

from rich.segment import Segment
from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.strip import Strip
from textual.theme import Theme
from textual.widget import Widget
from textual.widgets import OptionList

from assistant.config import Strictness
from assistant.tui.dialog import Dialog
from assistant.tui.marks import MARKS
from assistant.tui.plain import one_line

Offer = tuple[str, str]
"""What is chosen, and a line about it."""
PROMISES: dict[Strictness, str] = {
    "strict": "answers only where confidence is high, and refuses the rest",
    "normal": "answers where confidence is high enough for the promised share of right answers",
    "lenient": "answers also where confidence is low, and promises no share of right answers",
}
"""What each strictness holds to; every sentence is checked under each."""


class Offers(OptionList):
    """What can be chosen; the one that is meant is told by a mark as well as by colour."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter,space", "select", "Choose")]

    def __init__(self, offers: Sequence[Offer], meant: int = 0) -> None:
        super().__init__(*(_drawn(*offer) for offer in offers), markup=False)
        self.highlighted = meant if offers else None

    @on(OptionList.OptionHighlighted)
    def _show(self) -> None:
        self.scroll_visible(animate=False)

    def render_line(self, y: int) -> Strip:
        strip = super().render_line(y)
        if _option(strip) != self.highlighted or (y and _option(super().render_line(y - 1)) == self.highlighted):
            return strip
        mark = Segment(MARKS["open"].symbol, next(iter(strip)).style)
        return Strip.join((Strip([mark]), strip.crop(1)))


def _drawn(name: str, about: str) -> Content:
    lines = (one_line(name), one_line(about).stylize("dim"))
    return Content("\n").join(line for line in lines if line)


def _option(strip: Strip) -> int | None:
    """The place of the option that a line belongs to, as Textual notes it for the mouse."""
    return next((segment.style.meta.get("option") for segment in strip if segment.style), None)


class ChoiceScreen(Dialog[str]):
    """Gives what was chosen, or None where the user goes back.

    Args:
        preview: is told what is meant whenever that changes, and `current` again when the user goes back.
    """

    def __init__(
        self,
        title: str,
        offers: Sequence[Offer],
        current: str = "",
        about: str = "",
        preview: Callable[[str], None] | None = None,
    ) -> None:
        super().__init__(title, about)
        self._names = [name for name, _ in offers]
        self._offers = [(f"{name} (now)" if name == current else name, line) for name, line in offers]
        self._current = current
        self._preview = preview

    def body(self) -> Iterable[Widget]:
        yield Offers(self._offers, self._names.index(self._current) if self._current in self._names else 0)

    @on(OptionList.OptionHighlighted)
    def _on_highlighted(self, message: OptionList.OptionHighlighted) -> None:
        if self._preview is not None:
            self._preview(self._names[message.option_index])

    @on(OptionList.OptionSelected)
    def _on_selected(self, message: OptionList.OptionSelected) -> None:
        self.dismiss(self._names[message.option_index])

    def action_back(self) -> None:
        if self._preview is not None:
            self._preview(self._current)
        super().action_back()


def strictness_screen(current: str) -> ChoiceScreen:
    """Asks how sure is sure enough, from now on."""
    offers = [(name, PROMISES[name]) for name in get_args(Strictness)]
    return ChoiceScreen("How sure is sure enough?", offers, current, "Every sentence is checked under each.")


def theme_screen(themes: dict[str, Theme], current: str, preview: Callable[[str], None]) -> ChoiceScreen:
    """Asks for the colours, and shows each at once."""
    offers = [(name, "") for name in sorted(themes, key=lambda name: (not themes[name].dark, name))]
    return ChoiceScreen("Colours", offers, current, "Dark ones first, then light ones.", preview)
