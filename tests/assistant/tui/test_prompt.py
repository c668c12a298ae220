"""Dialogs with one line: cleaned input, complaints that keep them open, any size of terminal."""

from __future__ import annotations

import threading

import pytest

from assistant.tui.prompt import MOST_CHARACTERS, Line, PromptScreen
from corpus.errors import UsageError
from tests.assistant.tui.pushing import SIZES, Pushing, said, settled

pytestmark = pytest.mark.asyncio


@pytest.mark.parametrize("size", SIZES)
async def test_a_line_is_given_without_outer_spaces(size: tuple[int, int]) -> None:
    app = Pushing(PromptScreen("Title of the conversation", "Old", "Shown in the list. " * 20))
    async with app.run_test(size=size) as pilot:
        line = app.screen.query_one(Line)
        assert line.value == "Old" and app.screen.focused is line
        line.value = "  New title "
        await pilot.press("enter")
        await settled(pilot)
    assert app.given == ["New title"]


async def test_escape_gives_nothing() -> None:
    app = Pushing(PromptScreen("Title", "Old"))
    async with app.run_test() as pilot:
        await pilot.press("escape")
        await pilot.pause()
    assert app.given == [None]


async def test_a_complaint_keeps_the_dialog_and_goes_when_something_is_typed() -> None:
    app = Pushing(
        PromptScreen("Name", "bad", check=lambda value: "" if value == "good" else f"no {value!r} [/]\x1b[2J")
    )
    async with app.run_test() as pilot:
        await pilot.press("enter")
        await settled(pilot)
        assert said(app) == "✗ no 'bad' [/]␛[2J" and app.given == []
        assert isinstance(app.screen.focused, Line)
        app.screen.query_one(Line).value = "good"
        await pilot.pause()
        assert said(app) == ""
        await pilot.press("enter")
        await settled(pilot)
    assert app.given == ["good"]


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (UsageError("no generator 'x': known are y"), "✗ no generator 'x': known are y"),
        (
            PermissionError(13, "Permission denied", "/x"),
            "✗ unexpected PermissionError: [Errno 13] Permission denied: '/x'",
        ),
        (RuntimeError("sk-abcdefgh12345678 is [/] bad"), "✗ unexpected RuntimeError: [key] is [/] bad"),
    ],
)
async def test_a_check_that_fails_is_told(error: Exception, shown: str) -> None:
    def check(value: str) -> str:
        raise error

    app = Pushing(PromptScreen("Name", "x", check=check))
    async with app.run_test() as pilot:
        await pilot.press("enter")
        await settled(pilot)
        assert said(app) == shown and app.given == []


async def test_a_check_that_never_ends_is_said_and_can_be_left() -> None:
    go = threading.Event()
    app = Pushing(PromptScreen("Name", "x", check=lambda _: str(go.wait(30) or "")))
    async with app.run_test() as pilot:
        await pilot.press("enter")
        await pilot.pause()
        assert said(app) == "○ checking…"
        await pilot.press("escape")
        await pilot.pause()
        assert app.given == [None]
        go.set()


async def test_what_enters_is_cleaned_and_bounded() -> None:
    app = Pushing(PromptScreen("Name \x1b[2J[/]", "a\x1b[2J\nb\u202e"))
    async with app.run_test():
        line = app.screen.query_one(Line)
        assert line.value == "a␛[2J b\ufffd"
        line.value = ""
        line.insert_text_at_cursor("\x9b2J[@click=app.quit]x")
        assert line.value == "\ufffd2J[@click=app.quit]x"
        line.insert_text_at_cursor("x" * MOST_CHARACTERS)
        assert len(line.value) < MOST_CHARACTERS


@pytest.mark.parametrize("keys", [["pagedown"], ["pagedown", "pageup"]])
async def test_a_dialog_scrolls_where_it_does_not_fit(keys: list[str]) -> None:
    app = Pushing(PromptScreen("Name", "x", "Long about this. " * 30))
    async with app.run_test(size=(20, 5)) as pilot:
        frame = app.screen.query_one(".dialog")
        frame.scroll_home(animate=False)
        await pilot.pause()
        await pilot.press(*keys)
        await pilot.pause()
        assert (frame.scroll_offset.y > 0) is (keys == ["pagedown"])
