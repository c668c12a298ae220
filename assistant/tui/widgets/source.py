"""The document behind a citation, its cited span marked and in view."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widgets import Static

from assistant.tui.plain import one_line, plain
from assistant.tui.widgets.citation import WHERE_SEPARATOR, CitationChip, where
from assistant.tui.wrapping import line_spans

if TYPE_CHECKING:
    from corpus.types import Document

_GUTTER = 2
_LINES_ABOVE = 3
"""Lines of context above the cited span when it comes into view."""


class SourceText(ScrollView, can_focus=True):
    """A text of any length, drawn line by line; only the lines in view are cleaned and styled."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "source--text",
        "source--heading",
        "source--cited",
        "source--gutter",
    }

    def __init__(self) -> None:
        super().__init__()
        self._text = ""
        self._headings: list[tuple[int, int]] = []
        self._cited = (0, 0)
        self._lines: list[tuple[int, int]] = []

    def show(self, document: Document, start: int, end: int) -> None:
        """Marks characters `start` to `end` of the document and scrolls to them."""
        self._text = document.text
        self._headings = [(s.start, s.end) for s in document.sections if s.kind == "heading"]
        self._cited = (start, end)
        self._wrap()

    def on_resize(self) -> None:
        self._wrap()

    def _wrap(self) -> None:
        width = self.scrollable_content_region.width - _GUTTER
        if width < 1:
            return
        self._lines = line_spans(self._text, width)
        self.virtual_size = Size(width + _GUTTER, len(self._lines))
        first = bisect_right(self._lines, self._cited[0], key=lambda line: line[0]) - 1
        self.scroll_to(y=max(first - _LINES_ABOVE, 0), animate=False, force=True)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        base = self.get_component_rich_style("source--text")
        number = self.scroll_offset.y + y
        if number >= len(self._lines):
            return Strip.blank(width, base)
        start, end = self._lines[number]
        cited_from, cited_to = max(start, self._cited[0]), min(end, self._cited[1])
        style = self.get_component_rich_style("source--heading") if self._in_heading(start) else base
        if cited_from >= cited_to:
            segments = [Segment(" " * _GUTTER, base), self._segment(start, end, style)]
        else:
            gutter = Segment("▌".ljust(_GUTTER), self.get_component_rich_style("source--gutter"))
            cited = self._segment(cited_from, cited_to, self.get_component_rich_style("source--cited"))
            segments = [
                gutter,
                self._segment(start, cited_from, style),
                cited,
                self._segment(cited_to, end, style),
            ]
        return Strip(segments).adjust_cell_length(width, base)

    def _in_heading(self, offset: int) -> bool:
        place = bisect_right(self._headings, offset, key=lambda heading: heading[0]) - 1
        return place >= 0 and offset < self._headings[place][1]

    def _segment(self, start: int, end: int, style: object) -> Segment:
        # Stripping would lose the space between two pieces of a line, so white space is replaced one by one.
        text = plain(self._text[start:end]).plain.replace("\t", " ").replace("\n", " ")
        return Segment(text, style)  # type: ignore[arg-type]  # Rich's Style, named only by Textual's signature


class SourcePane(Vertical):
    """Title, place and text of the opened source; hidden while there is none."""

    chip: CitationChip | None = None
    """The citation that is shown."""

    def compose(self) -> ComposeResult:
        yield Static(classes="source--title", markup=False)
        yield Static(classes="source--place", markup=False)
        yield SourceText()

    def open(self, chip: CitationChip) -> None:
        """Shows the document of a citation."""
        self.close()
        self.chip = chip
        chip.opened(True)
        document, citation = chip.document, chip.citation
        self.query_one(".source--title", Static).update(one_line(document.title or document.path))
        parts = (f"[{citation.number}] {chip.label}", where(document, citation.page), document.path)
        self.query_one(".source--place", Static).update(one_line(WHERE_SEPARATOR.join(filter(None, parts))))
        self.display = True
        self.query_one(SourceText).show(document, citation.start, citation.end)

    def close(self) -> None:
        """Hides the pane."""
        if self.chip is not None:
            self.chip.opened(False)
        self.chip = None
        self.display = False
