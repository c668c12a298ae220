"""Sources that say different things, as a small table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.widget import Widget

from assistant.tui.plain import one_line
from assistant.tui.widgets.citation import CitationChip, chips_of, day
from assistant.tui.widgets.finding import Finding

if TYPE_CHECKING:
    from assistant.types import Citation, Conflict

_MOST_VALUE = 28
_DATE = 13
_NEWEST = 6
"""Cells of the columns, their gap included; the source has the rest."""


class ValueChip(CitationChip):
    """A row: value, source, date, and whether no other value is newer."""

    def __init__(self, citation: Citation, value: str, width: int, newest: bool) -> None:
        super().__init__(citation, "disagrees")
        self._value = value
        self._width = width
        self._newest = newest

    def render(self) -> Content:
        width = min(self._width, max(self.size.width // 3, 4))
        value = one_line(self._value)
        value = value.truncate(min(width, value.cell_length), ellipsis=True)
        number = self.number()
        room = self.size.width - width - number.cell_length - _DATE - _NEWEST - 2
        title = self.title(room)
        parts = (
            (value, width + 1),
            (number, number.cell_length),
            (title, max(room, title.cell_length) + 1),
            (Content(day(self.document) or "undated"), _DATE),
            (Content("newest" if self._newest else ""), _NEWEST),
        )
        return Content("").join(part.pad_right(max(cells - part.cell_length, 0)) for part, cells in parts)


def table(conflict: Conflict) -> list[Widget]:
    """What disagrees, and a row for each source of each value, the newest value first."""
    width = min(max((one_line(v.text).cell_length for v in conflict.values), default=0), _MOST_VALUE)
    rows: list[CitationChip] = [
        ValueChip(citation, "" if place else value.text, width, value.newest and not place)
        for value in conflict.values
        for place, citation in enumerate(c for c in value.citations if c.passage is not None)
    ]
    rows = rows or chips_of(conflict.citations, "disagrees")
    return [Finding(conflict.explanation, "disagree", rows), *rows]
