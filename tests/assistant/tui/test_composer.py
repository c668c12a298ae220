"""Where questions are written: lines, recall, limits."""

from __future__ import annotations

import pytest
from textual.events import Paste
from textual.pilot import Pilot

from assistant.config import MOST_QUESTION_CHARACTERS
from assistant.tui.widgets.composer import MOST_CHARACTERS, Composer
from assistant.tui.widgets.conversation import Conversation
from tests.assistant.tui.answers import Alone

pytestmark = pytest.mark.asyncio


async def composer(pilot: Pilot[None], *asked: str) -> Composer:
    box = pilot.app.query_one(Composer)
    box.focus()
    for question in asked:
        box.remember(question)
    await pilot.pause()
    return box


async def test_up_and_down_recall_questions_and_keep_what_is_being_written() -> None:
    async with Alone().run_test() as pilot:
        box = await composer(pilot, "first", "second\nof two lines", "second\nof two lines")
        await pilot.press("n", "e", "w", "up")
        assert box.text == "second\nof two lines" and box.cursor_location == (0, 6)
        await pilot.press("up", "!")
        assert box.text == "first!"
        await pilot.press("up", "down", "up", "up")
        assert box.text == "first!"
        await pilot.press("down", "down", "down")
        assert box.text == "new"
        await pilot.press("down", "up", "up", "enter")
        assert [message.question for message in pilot.app.told] == ["first!"] and box.text == ""


async def test_up_moves_through_the_lines_of_what_is_written_first() -> None:
    async with Alone().run_test() as pilot:
        box = await composer(pilot, "before")
        await pilot.press("a", "ctrl+j", "b", "up")
        assert box.text == "a\nb" and box.cursor_location == (0, 1)
        await pilot.press("up")
        assert box.text == "before"


async def test_a_question_that_is_too_long_stays_and_is_told() -> None:
    async with Alone().run_test(notifications=True) as pilot:
        box = await composer(pilot)
        box.insert("w" * (MOST_QUESTION_CHARACTERS + 1))
        await pilot.press("enter")
        assert not pilot.app.told and len(box.text) == 2001
        assert box.border_subtitle == "2,001 of 2,000 characters"
        (notice,) = pilot.app._notifications
        assert notice.message == "The question has 2,001 characters, at most 2,000 are read: shorten it."
        await pilot.press("backspace", "enter")
        assert len(pilot.app.told) == 1 and not box.border_subtitle


@pytest.mark.parametrize("text", ["word " * 2_000_000, "\x1b[31m" * 100_000, "\n" * 1_000_000, "x" * 1_000_000])
async def test_a_paste_of_any_size_is_cut_cleaned_and_told(text: str) -> None:
    async with Alone().run_test(notifications=True) as pilot:
        box = await composer(pilot)
        pilot.app.post_message(Paste(text))
        await pilot.pause()
        assert len(box.text) == MOST_CHARACTERS and "\x1b" not in box.text
        (notice,) = pilot.app._notifications
        told = f"Only the first {MOST_CHARACTERS:,} of {len(text):,} characters were taken"
        assert notice.message == f"{told}: there is room for {MOST_CHARACTERS:,}."
        box.select_all()
        pilot.app.post_message(Paste("instead"))
        await pilot.pause()
        assert box.text == "instead"


@pytest.mark.parametrize(("size", "most"), [((20, 5), 2), ((80, 24), 8), ((160, 48), 15)])
async def test_the_rest_of_the_screen_keeps_its_room(size: tuple[int, int], most: int) -> None:
    async with Alone().run_test(size=size) as pilot:
        box = await composer(pilot)
        box.insert("line\n" * 100)
        await pilot.pause()
        assert box.region.height <= most and pilot.app.query_one(Conversation).region.height >= 2
