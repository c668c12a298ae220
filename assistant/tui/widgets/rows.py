"""A list of any length, drawn by line: nothing is done for a row before it is in view."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from assistant.tui.plain import one_line

_GAP = 2
"""Cells between two columns."""
_LEAST = 12
"""Cells that a column without a width of its own is given, as long as others can go instead."""
_READ = 1_000
"""Characters of a cell that are looked at."""


@dataclass(frozen=True, slots=True)
class Column:
    """What stands above the cells, and how much room they get."""

    title: str
    width: int = 0
    """Cells; 0 for a share of what is left."""
    share: int = 1
    right: bool = False


def fitted(text: str, width: int, right: bool = False) -> str:
    """Outside text on one line of exactly `width` cells, cut with an ellipsis where it is longer."""
    shown = one_line(text[:_READ]).plain
    if cell_len(shown) > width:
        shown = set_cell_size(shown, width - 1) + "…" if width > 0 else ""
    pad = " " * (width - cell_len(shown))
    return pad + shown if right else shown + pad


def laid_out(columns: Sequence[Column], room: int) -> list[int]:
    """Widths of the columns that fit into `room` cells; the last ones go where there is too little."""
    kept = list(columns)
    while True:
        shares = [column.share for column in kept if not column.width]
        left = room - sum(column.width for column in kept) - _GAP * (len(kept) - 1)
        if len(kept) <= 1 or left >= _LEAST * len(shares):
            break
        kept.pop()
    widths = [min(c.width, room) or max(left * c.share // sum(shares), 1) for c in kept]
    for place in [n for n, column in enumerate(kept) if not column.width][:1]:
        widths[place] += max(room - sum(widths) - _GAP * (len(kept) - 1), 0)
    return widths


class Rows(ScrollView, can_focus=True):
    """Rows of cells under a line of headings, with a cursor and, with `marks`, a box to tick for each."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"rows--row", "rows--header", "rows--cursor", "rows--empty"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Open"),
        Binding("space", "mark", "Mark"),
        Binding("up", "move(-1)", show=False),
        Binding("down", "move(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("home", "first", show=False),
        Binding("end", "last", show=False),
    ]
    cursor: reactive[int] = reactive(0)
    """Place of the row that keys work on, from 0."""
    columns: reactive[tuple[Column, ...]] = reactive(())
    marks: reactive[bool] = reactive(False, bindings=True)
    opens: reactive[bool] = reactive(True, bindings=True)
    """Whether there is something to open behind a row."""
    empty: reactive[str] = reactive("")
    """What is said where there are no rows."""

    @dataclass
    class _Told(Message):
        rows: Rows

        @property
        def control(self) -> Rows:
            return self.rows

    @dataclass
    class Opened(_Told):
        """Enter, or a click on the row of the cursor."""

        key: str

    @dataclass
    class Moved(_Told):
        """The cursor stands on another row; the key is empty where there are none."""

        key: str

    @dataclass
    class Marked(_Told):
        """Other rows are marked; also such as are not shown at present."""

        keys: frozenset[str]

    @dataclass
    class HeadingChosen(_Told):
        """A click on the heading of a column."""

        column: int

    def __init__(self, *columns: Column, marks: bool = False, empty: str = "", id: str | None = None) -> None:
        super().__init__(id=id)
        self._rows: Sequence[Any] = ()
        self._keys: Sequence[str] = ()
        self._cells: Callable[[Any], Sequence[str]] = tuple
        self._told = ""
        self.marked: set[str] = set()
        """Keys of the marked rows, shown or not."""
        self.set_reactive(Rows.columns, columns)
        self.set_reactive(Rows.marks, marks)
        self.set_reactive(Rows.empty, empty)

    def set_rows(self, rows: Sequence[Any], keys: Sequence[str], cells: Callable[[Any], Sequence[str]] = tuple) -> None:
        """Shows other rows; the cursor stays on its key, or as near to it as it can.

        Args:
            keys: one for each row, all different.
            cells: gives what a row shows, a text for each column; called for rows in view only.
        """
        here = self.key
        self._rows, self._keys, self._cells = rows, keys, cells
        try:
            cursor = keys.index(here) if here else 0
        except ValueError:
            cursor = self.cursor
        self.virtual_size = Size(self.size.width, len(rows) + 1)
        self.cursor = min(cursor, max(len(rows) - 1, 0))
        self._follow()
        self.refresh_bindings()

    def mark(self, keys: Iterable[str]) -> None:
        """Marks these rows and no others."""
        self.marked = set(keys)
        self.refresh()
        self.post_message(self.Marked(self, frozenset(self.marked)))

    @property
    def key(self) -> str:
        """Key of the row of the cursor; empty where there are no rows."""
        return self._keys[self.cursor] if self.cursor < len(self._keys) else ""

    def validate_cursor(self, cursor: int) -> int:
        return min(max(cursor, 0), max(len(self._rows) - 1, 0))

    def watch_cursor(self) -> None:
        self._follow()

    def on_resize(self) -> None:
        self.virtual_size = Size(self.size.width, len(self._rows) + 1)
        self._follow()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002 - as Textual calls it
        if action == "open":
            return self.opens and bool(self._rows)
        return action != "mark" or (self.marks and bool(self._rows))

    def action_move(self, rows: int) -> None:
        self.cursor += rows

    def action_page(self, pages: int) -> None:
        self.cursor += pages * max(self._page - 1, 1)

    def action_first(self) -> None:
        self.cursor = 0

    def action_last(self) -> None:
        self.cursor = len(self._rows) - 1

    def action_open(self) -> None:
        if self.opens and self.key:
            self.post_message(self.Opened(self, self.key))

    def action_mark(self) -> None:
        """Marks the row of the cursor or takes its mark away, and goes to the next."""
        if self.marks and self.key:
            self.mark(self.marked ^ {self.key})
            self.cursor += 1

    def on_click(self, event: events.Click) -> None:
        place = event.get_content_offset(self)
        if place is None:
            return
        row = self.scroll_offset.y + place.y - 1
        if place.y == 0:
            self._choose_heading(place.x)
        elif row < len(self._rows):
            was, self.cursor = self.cursor, row
            if self.marks and place.x < self._gutter:
                self.mark(self.marked ^ {self.key})
            elif was == row and event.chain > 1:
                self.action_open()

    def _choose_heading(self, x: int) -> None:
        end = self._gutter
        for column, width in enumerate(self._widths):
            end += width + _GAP
            if x < end:
                self.post_message(self.HeadingChosen(self, column))
                return

    @property
    def _gutter(self) -> int:
        return 4 if self.marks else 2

    @property
    def _page(self) -> int:
        return max(self.size.height - 1, 1)

    @property
    def _widths(self) -> list[int]:
        return laid_out(self.columns, max(self.scrollable_content_region.width - self._gutter - 1, 1))

    def _follow(self) -> None:
        """Brings the row of the cursor into view, and tells where it is."""
        top = self.scroll_offset.y
        top = min(max(top, self.cursor - self._page + 1), self.cursor)
        self.scroll_to(y=top, animate=False, force=True)
        self.refresh()
        if self.key != self._told:
            self._told = self.key
            self.post_message(self.Moved(self, self.key))

    def render_line(self, y: int) -> Strip:
        if y == 0:
            return self._line("", [column.title for column in self.columns], "header")
        row = self.scroll_offset.y + y - 1
        if not self._rows:
            lines = textwrap.wrap(self.empty, max(self.size.width - self._gutter, 1))
            text = lines[y - 2] if 0 <= y - 2 < len(lines) else ""
            return self._strip(" " * self._gutter + text, "empty")
        if row >= len(self._rows):
            return self._strip("", "row")
        here = row == self.cursor
        box = ("☑ " if self._keys[row] in self.marked else "☐ ") if self.marks else ""
        return self._line(("▸ " if here else "  ") + box, self._cells(self._rows[row]), "cursor" if here else "row")

    def _line(self, gutter: str, cells: Sequence[str], kind: str) -> Strip:
        places = zip(cells, self._widths, self.columns, strict=False)
        shown = [fitted(cell, width, column.right) for cell, width, column in places]
        return self._strip(gutter.ljust(self._gutter) + (" " * _GAP).join(shown), kind)

    def _strip(self, text: str, kind: str) -> Strip:
        style = self.get_component_rich_style(f"rows--{kind}")
        return Strip([Segment(text, style)]).adjust_cell_length(self.scrollable_content_region.width, style)
