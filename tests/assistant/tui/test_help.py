"""The help screen: every binding that says what it does, and every mark, at any size."""

from __future__ import annotations

import re

import pytest
from textual.widgets import Static

from assistant.tui.help import HelpScreen, bound, named, said
from assistant.tui.marks import MARKS
from tests.assistant.tui.pushing import SIZES, Pushing, settled


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        ("ctrl+n", "Ctrl+N"),
        ("escape", "Esc"),
        ("f1", "F1"),
        ("n", "n"),
        ("slash", "/"),
        ("plus", "+"),
        ("shift+enter", "Shift+Enter"),
        ("pagedown", "PgDn"),
    ],
)
def test_keys_are_named_as_they_stand_on_the_keyboard(key: str, shown: str) -> None:
    assert named(key) == shown


async def test_every_binding_that_says_what_it_does_and_every_mark_is_there() -> None:
    app = Pushing(HelpScreen())
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        page = re.sub(r"\n {20}", " ", str(app.screen.query_one("#help", Static).content))  # long rows made whole
    titles = [section.title for section in bound()]
    assert titles[:2] == ["Everywhere", "Conversation"] and len(titles) == len(set(titles))
    assert all(title in page.splitlines() for title in titles)
    sections = page.split("\n\n")
    for section in bound():
        (text,) = (part for part in sections if part.split("\n")[0] == section.title)
        for binding in section.bindings:
            rows = [line for line in text.splitlines() if said(binding) and said(binding) in line]
            assert not said(binding) or any(named(binding.key) in row.partition("  ")[0] for row in rows), binding
    assert all(f"{mark.symbol} " in page and mark.meaning in page for mark in MARKS.values())


@pytest.mark.parametrize("size", SIZES)
async def test_it_is_read_by_keys_and_left_with_escape(size: tuple[int, int]) -> None:
    app = Pushing(HelpScreen())
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        frame = app.screen.query_one(".dialog")
        assert app.screen.focused is frame and frame.max_scroll_y > 0
        frame.scroll_end(animate=False)
        await pilot.pause()
        assert frame.scroll_offset.y == frame.max_scroll_y
        await pilot.press("escape")
        await settled(pilot)
    assert app.given == [None]
