"""The list drawn by line."""

from __future__ import annotations

import time
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.app import App, ComposeResult
from textual.message import Message

from assistant.tui.widgets.rows import Column, Rows, fitted, laid_out

COLUMNS = (Column("Title", share=2), Column("Date", 10), Column("Tags"), Column("Passages", 8, right=True))


class Listing(App[None]):
    """A list and what it told."""

    def __init__(self, marks: bool = False, columns: Sequence[Column] = COLUMNS) -> None:
        super().__init__()
        self.rows = Rows(*columns, marks=marks, empty="Nothing is here.")
        self.told: list[Message] = []

    def compose(self) -> ComposeResult:
        yield self.rows

    def on_mount(self) -> None:
        self.rows.focus()

    def on_rows_opened(self, message: Rows.Opened) -> None:
        self.told.append(message)

    def on_rows_moved(self, message: Rows.Moved) -> None:
        self.told.append(message)

    def on_rows_marked(self, message: Rows.Marked) -> None:
        self.told.append(message)

    def on_rows_heading_chosen(self, message: Rows.HeadingChosen) -> None:
        self.told.append(message)


def filled(count: int) -> tuple[list[tuple[str, ...]], list[str]]:
    return [(f"Title {n}", "2024-05-06", "minutes", str(n)) for n in range(count)], [f"k{n}" for n in range(count)]


def screen(rows: Rows) -> list[str]:
    return [rows.render_line(y).text.rstrip() for y in range(rows.size.height)]


async def test_cells_stand_under_their_headings_and_the_cursor_has_a_symbol() -> None:
    app = Listing()
    async with app.run_test(size=(60, 6)) as pilot:
        app.rows.set_rows(*filled(3))
        await pilot.pause()
        lines = screen(app.rows)
        assert lines[0].split() == ["Title", "Date", "Tags", "Passages"]
        assert lines[1].startswith("▸ Title 0") and lines[2].startswith("  Title 1") and lines[4] == ""
        assert lines[0].index("Date") == lines[1].index("2024") and lines[0].index("Tags") == lines[1].index("minutes")
        assert len(lines[0]) == len(lines[1])  # numbers end where their heading ends


@pytest.mark.parametrize("size", [(160, 48), (80, 24), (20, 5), (8, 3), (1, 1)])
async def test_every_line_is_as_wide_as_the_list(size: tuple[int, int]) -> None:
    app = Listing(marks=True)
    async with app.run_test(size=size) as pilot:
        app.rows.set_rows([("漢字" * 90, "🙂" * 9, "e\u0301" * 9, "x\x1b[31m\ny")] * 9, [str(n) for n in range(9)])
        await pilot.pause()
        width = app.rows.scrollable_content_region.width
        assert {app.rows.render_line(y).cell_length for y in range(size[1])} == {width}
        assert not {"\x1b", "\n"} & set("".join(screen(app.rows)))


async def test_keys_move_the_cursor_and_keep_it_in_view() -> None:
    app = Listing()
    async with app.run_test(size=(60, 11)) as pilot:
        app.rows.set_rows(*filled(1000))
        for key, place, top in (
            ("up", 0, 0),
            ("down", 1, 0),
            ("pagedown", 10, 1),
            ("pageup", 1, 1),
            ("end", 999, 990),
            ("down", 999, 990),
            ("pageup", 990, 990),
            ("up", 989, 989),
            ("home", 0, 0),
        ):
            await pilot.press(key)
            await pilot.pause()
            assert (app.rows.cursor, app.rows.scroll_offset.y) == (place, top), key
            assert sum(line.startswith("▸") for line in screen(app.rows)) == 1
        await pilot.press("end", "enter")
        await pilot.resize_terminal(60, 5)
        await pilot.pause()
        assert "▸ Title 999" in screen(app.rows)[-1]
    assert app.told[-1] == Rows.Opened(app.rows, "k999") and Rows.Moved(app.rows, "k989") in app.told


async def test_clicks_choose_open_mark_and_name_a_heading() -> None:
    app = Listing(marks=True)
    async with app.run_test(size=(60, 10)) as pilot:
        app.rows.set_rows(*filled(5))
        await pilot.click(app.rows, offset=(10, 3))
        assert app.rows.key == "k2" and not any(isinstance(told, Rows.Opened) for told in app.told)
        await pilot.click(app.rows, offset=(10, 3), times=2)
        assert app.told[-1] == Rows.Opened(app.rows, "k2")
        await pilot.click(app.rows, offset=(2, 5))
        assert app.told[-1] == Rows.Marked(app.rows, frozenset({"k4"})) and screen(app.rows)[5].startswith(
            "▸ ☑ Title 4"
        )
        await pilot.click(app.rows, offset=(screen(app.rows)[0].index("Date"), 0))
        assert app.told[-1] == Rows.HeadingChosen(app.rows, 1)
        await pilot.click(app.rows, offset=(10, 8))  # below the last row
        assert app.rows.key == "k4"


async def test_space_marks_and_goes_on_and_marks_outlast_a_filter() -> None:
    app = Listing(marks=True)
    async with app.run_test(size=(60, 10)) as pilot:
        rows, keys = filled(5)
        app.rows.set_rows(rows, keys)
        await pilot.press("space", "space", "up", "space")
        assert app.rows.marked == {"k0"} and app.rows.key == "k2"
        app.rows.set_rows(rows[3:], keys[3:])
        assert app.rows.marked == {"k0"}
        app.rows.set_rows(rows, keys)
        assert screen(app.rows)[1].startswith("  ☑ Title 0")


async def test_without_marks_space_does_nothing_and_without_rows_nothing_opens() -> None:
    app = Listing()
    async with app.run_test(size=(60, 10)) as pilot:
        await pilot.press("enter", "space", "down", "end", "pagedown")
        assert app.told == [] and "  Nothing is here." in screen(app.rows)
        app.rows.set_rows(*filled(2))
        await pilot.press("space")
        assert app.rows.marked == set()
        app.rows.set_rows((), ())
        await pilot.pause()
        assert app.rows.key == "" and app.told[-1] == Rows.Moved(app.rows, "")


async def test_the_cursor_stays_on_its_row_in_another_order() -> None:
    app = Listing()
    async with app.run_test(size=(60, 10)) as pilot:
        rows, keys = filled(100)
        app.rows.set_rows(rows, keys)
        await pilot.press("end")
        app.rows.set_rows(rows[::-1], keys[::-1])
        assert (app.rows.cursor, app.rows.key) == (0, "k99")
        app.rows.set_rows(rows[:50], keys[:50])
        assert (app.rows.cursor, app.rows.key) == (0, "k0")


async def test_a_hundred_thousand_rows_cost_nothing_before_they_are_seen() -> None:
    app = Listing()
    asked: list[int] = []

    def cells(number: int) -> tuple[str, ...]:
        asked.append(number)
        return f"Title {number}", "2024-05-06", "", str(number)

    async with app.run_test(size=(80, 24)) as pilot:
        keys = [str(n) for n in range(100_000)]
        began = time.perf_counter()
        app.rows.set_rows(range(100_000), keys, cells)
        assert time.perf_counter() - began < 0.05 and asked == []
        await pilot.press("end")
        await pilot.pause()
        assert "Title 99999" in screen(app.rows)[-1] and len(set(asked)) <= 3 * 24


@given(text=st.text(max_size=60), width=st.integers(0, 40), right=st.booleans())
def test_fitted_text_is_exactly_as_wide_as_asked(text: str, width: int, right: bool) -> None:
    shown = fitted(text, width, right)
    assert cell_len(shown) == width and "\n" not in shown and "\x1b" not in shown


@given(
    columns=st.lists(st.builds(Column, st.just("c"), st.integers(0, 20), st.integers(1, 3)), min_size=1, max_size=6),
    room=st.integers(1, 200),
)
def test_columns_never_take_more_room_than_there_is(columns: list[Column], room: int) -> None:
    widths = laid_out(columns, room)
    assert len(widths) <= len(columns) and min(widths) >= 1
    assert sum(widths) + 2 * (len(widths) - 1) <= max(room, len(widths))


def test_the_last_columns_go_first_and_titles_share_the_rest() -> None:
    assert laid_out(COLUMNS, 76) == [35, 10, 17, 8]
    assert laid_out(COLUMNS, 40) == [18, 10, 8]
    assert laid_out(COLUMNS, 36) == [24, 10]
    assert laid_out(COLUMNS, 15) == [15]
