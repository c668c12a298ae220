"""A checked sentence with its verdict and its sources."""

from __future__ import annotations

from collections.abc import Iterable

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.style import Style
from textual.widget import Widget
from textual.widgets import Static

from assistant.tui.plain import plain
from assistant.tui.widgets.citation import CitationChip

MARKS = {
    "quoted": "❝",
    "supported": "✓",
    "disagree": "≠",
    "nearest": "↳",
}
_CITATION = "citation"


class Finding(Widget):
    """Text with markers, and under it the verdict beside one line for each source."""

    def __init__(self, text: str, label: str, chips: Iterable[CitationChip], kind: str) -> None:
        super().__init__(classes=f"-{kind}")
        self._text = text
        self._label = label
        self._kind = kind
        self.chips = tuple(chips)

    def compose(self) -> ComposeResult:
        if self._text:
            yield Static(self._marked(), classes="finding--text", markup=False)
        if self.chips:
            with Horizontal(classes="finding--sources"):
                yield Static(plain(f"{MARKS[self._kind]} {self._label}"), classes="finding--verdict", markup=False)
                with Vertical(classes="finding--chips"):
                    yield from self.chips

    def _marked(self) -> Content:
        """The text followed by `[n]` for each source; a click on one opens it."""
        markers = [
            Content.styled(f"[{chip.citation.number}]", Style(bold=True) + Style.from_meta({_CITATION: place}))
            for place, chip in enumerate(self.chips)
        ]
        return Content(" ").join([plain(self._text), Content("").join(markers)])

    def on_click(self, event: events.Click) -> None:
        place = event.style.meta.get(_CITATION)
        if isinstance(place, int):
            self.post_message(CitationChip.Chosen(self.chips[place]))
