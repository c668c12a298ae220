"""A text of any length with marked stretches, drawn line by line."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import on, work
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.worker import get_current_worker

from assistant.tui.plain import plain
from assistant.tui.wrapping import Lines

if TYPE_CHECKING:
    from corpus.types import Section

Place = tuple[int, int]
"""Start and end in characters of a text."""
_LINES_ABOVE = 3
"""Lines of context above a place that comes into view."""
_AROUND = 1 << 13
"""Characters either side of a place that are wrapped at once; those further off are wrapped in a thread."""
_GUTTERS = {"current": "▌ ", "cited": "│ ", "match": "  ", "": "  "}
_GUTTER = 2


class Matches:
    """Places that don't overlap, in the order of the text; eight bytes each."""

    def __init__(self) -> None:
        self.starts = array("I")
        self.ends = array("I")

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, number: int) -> Place:
        return self.starts[number], self.ends[number]

    def add(self, place: Place) -> None:
        self.starts.append(place[0])
        self.ends.append(place[1])

    def within(self, start: int, end: int) -> Iterator[Place]:
        """Those that share a character with `start` to `end`."""
        return (self[n] for n in range(bisect_right(self.ends, start), bisect_left(self.starts, end)))


class SourceText(ScrollView, can_focus=True):
    """Only the lines in view are cleaned and styled; a long text is wrapped in a thread, its part in view at once."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "source--text",
        "source--heading",
        "source--current",
        "source--cited",
        "source--match",
        "source--gutter",
    }

    class Wrapped(Message, bubble=False):
        """The whole text has been wrapped."""

        def __init__(self, lines: Lines) -> None:
            super().__init__()
            self.lines = lines

    @dataclass
    class Moved(Message):
        """Another line is the first in view."""

        offset: int

    def __init__(self) -> None:
        super().__init__()
        self._text = ""
        self._sections: Sequence[Section] = ()
        self._current: Place = (0, 0)
        self._cited: Sequence[Place] = ()
        self._matches = Matches()
        self._lines: Lines | None = None
        """Of the whole text, or of the part around what is in view; None until the widget has a size."""
        self._height = 0
        """At the time that they were placed."""

    def show(
        self, text: str, current: Place = (0, 0), cited: Sequence[Place] = (), sections: Sequence[Section] = ()
    ) -> None:
        """Shows a text from a little above its current place.

        Args:
            cited: further places to mark.
            sections: of the text, in order; its headings are set off.
        """
        self._text, self._current, self._cited, self._sections = text, current, cited, sections
        self._matches, self._lines = Matches(), None
        self._wrap()

    def mark(self, matches: Matches) -> None:
        """Marks what a search found."""
        self._matches = matches
        self.refresh()

    def go(self, place: Place) -> None:
        """Makes a place the current one and brings it into view."""
        self._current = place
        if self._lines is not None:
            near = self._lines.start <= place[0] < self._lines.end
            self._place(self._lines if near else self._around(place[0], self._lines.width), place[0], _LINES_ABOVE)

    @property
    def offset_in_view(self) -> int:
        """The first character in view."""
        return self._lines[self.scroll_offset.y][0] if self._lines and self.scroll_offset.y < len(self._lines) else 0

    def on_resize(self) -> None:
        self._wrap()

    def _wrap(self) -> None:
        width = self.scrollable_content_region.width - _GUTTER
        if width < 1:
            return
        offset, row = self._held()
        if self._lines is not None and self._lines.width == width:
            self._place(self._lines, offset, row)
            return
        self._place(self._around(offset, width), offset, row)
        if not self._whole(self._lines):
            self._wrap_whole(width)

    def _around(self, offset: int, width: int) -> Lines:
        """The lines about a place, from the beginning of a paragraph if one begins there."""
        reach = max(_AROUND, width * self.size.height)
        first = max(offset - reach, 0)
        first = self._text.find("\n", first, offset) + 1 or first if first else 0
        return Lines(self._text, width, first, min(offset + reach, len(self._text)))

    def _whole(self, lines: Lines | None) -> bool:
        return lines is not None and (lines.start, lines.end) == (0, len(self._text))

    @work(thread=True, exclusive=True, group="wrap", exit_on_error=False)
    def _wrap_whole(self, width: int) -> None:
        worker = get_current_worker()
        lines = Lines(self._text, width, stop=lambda: worker.is_cancelled)
        if not worker.is_cancelled:
            self.post_message(self.Wrapped(lines))

    @on(Wrapped)
    def _on_wrapped(self, message: Wrapped) -> None:
        lines = message.lines
        if self._lines is not None and lines.text is self._text and lines.width == self._lines.width:
            self._place(lines, *self._held())

    def _held(self) -> tuple[int, int]:
        """What stays where it is when lines change: a character, and the line of the view that it is on."""
        if self._lines is None:
            return self._current[0], _LINES_ABOVE
        top = self.scroll_offset.y
        row = self._lines.at(self._current[0]) - top
        if self._current[0] < self._current[1] and 0 <= row < max(self._height, self.size.height):
            return self._current[0], row
        return self.offset_in_view, 0

    def _place(self, lines: Lines, offset: int, row: int) -> None:
        """Draws lines with a character's on a line of the view, if there are enough above."""
        self._lines = lines
        self._height = self.size.height
        self.virtual_size = Size(lines.width + _GUTTER, len(lines))
        line = lines.at(offset) - (row if row < self._height else self._height // 3)
        self.scroll_to(y=max(line, 0), animate=False, force=True)
        self.refresh()
        self.post_message(self.Moved(self.offset_in_view))

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value):
            self.post_message(self.Moved(self.offset_in_view))

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        base = self.get_component_rich_style("source--text")
        number = self.scroll_offset.y + y
        if self._lines is None or number >= len(self._lines):
            return Strip.blank(width, base)
        start, end = self._lines[number]
        plainly = self.get_component_rich_style("source--heading") if self._in_heading(start) else base
        pieces = list(self._pieces(start, end))
        kind = next((kind for kind in ("current", "cited") if any(kind == piece[2] for piece in pieces)), "")
        segments = [Segment(_GUTTERS[kind], self.get_component_rich_style("source--gutter"))]
        for first, last, mark in pieces:
            style = self.get_component_rich_style(f"source--{mark}") if mark else plainly
            segments.append(self._segment(first, last, style))
        return Strip(segments).adjust_cell_length(width, base)

    def _pieces(self, start: int, end: int) -> Iterator[tuple[int, int, str]]:
        """Stretches of a line, each with the mark that is uppermost there."""
        marks = [("current", self._current), *(("match", place) for place in self._matches.within(start, end))]
        marks += [("cited", place) for place in self._cited if place[0] < end and place[1] > start]
        edges = sorted({start, end, *(min(max(edge, start), end) for _, place in marks for edge in place)})
        for first, last in pairwise(edges):
            yield first, last, next((mark for mark, (a, b) in marks if a <= first and last <= b), "")

    def _in_heading(self, offset: int) -> bool:
        place = bisect_right(self._sections, offset, key=lambda section: section.start) - 1
        return place >= 0 and self._sections[place].kind == "heading" and offset < self._sections[place].end

    def _segment(self, start: int, end: int, style: Style) -> Segment:
        # Stripping would lose the space between two pieces of a line, so white space is replaced one by one.
        text = plain(self._text[start:end]).plain.replace("\t", " ").replace("\n", " ")
        return Segment(text, style)
