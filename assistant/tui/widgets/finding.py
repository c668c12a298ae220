"""Something said under a question, with its mark and its sources: a checked sentence, a refusal, a note."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.content import Content
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.style import Style
from textual.widget import Widget
from textual.widgets import Static

from assistant.tui.marks import MARKS
from assistant.tui.plain import plain
from assistant.tui.widgets.citation import CitationChip, chips_of
from assistant.tui.widgets.offer import Offer

if TYPE_CHECKING:
    from assistant.types import Statement

_CITATION = "citation"
_NO_MARKERS = ("disagree", "nearest", "unused")
"""Kinds whose sources stand right under a heading."""


class Finding(Static):
    """Text with markers, and in its margin a mark; its sources stand in lines of their own under it."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"finding--mark"}

    def __init__(self, text: str, kind: str, chips: Sequence[CitationChip] = ()) -> None:
        super().__init__(_marked(text, () if kind in _NO_MARKERS else chips), classes=f"-{kind}", markup=False)
        self.chips = tuple(chips)
        self.mark = MARKS[kind].symbol if kind in MARKS else ""

    def render_lines(self, crop: Region) -> list[Strip]:
        lines = super().render_lines(crop)
        if lines and self.mark and crop.y == 0 and crop.x == 0:
            mark = Strip([Segment(self.mark, self.get_visual_style("finding--mark").rich_style)])
            for line_filter in self.get_line_filters():  # the lines have been through them
                mark = mark.apply_filter(line_filter, self.background_colors[1])
            lines[0] = Strip.join([mark, lines[0].crop(cell_len(self.mark))])
        return lines

    def on_click(self, event: events.Click) -> None:
        place = event.style.meta.get(_CITATION)
        if isinstance(place, int):
            self.post_message(CitationChip.Chosen(self.chips[place]))


def _marked(text: str, chips: Sequence[CitationChip]) -> Content:
    """The text followed by `[n]` for each source; a click on one opens it."""
    markers = [
        Content.styled(f"[{chip.citation.number}]", Style(bold=True) + Style.from_meta({_CITATION: place}))
        for place, chip in enumerate(chips)
    ]
    return Content(" ").join([plain(text), Content("").join(markers)]) if markers else plain(text)


class Choice(Offer):
    """What an unclear question may mean, asked when it is chosen."""

    @dataclass
    class Chosen(Message):
        question: str

    def __init__(self, question: str) -> None:
        super().__init__(question, lambda: self.Chosen(question), "•")


def checked(statement: Statement) -> list[Widget]:
    """A statement that passed, and a line for each source with how strongly it supports."""
    strength = "word for word" if statement.verdict == "quoted" else f"{statement.support:.0%} support"
    chips = chips_of(statement.citations, statement.verdict, strength)
    return [Finding(statement.text, statement.verdict, chips), *chips]
