"""Keys as a fast typist or a paste sends them: one after the other, none waiting for the last to be handled."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from textual.events import Key, Paste
from textual.keys import _character_to_key
from textual.pilot import Pilot
from textual.widgets import Static

from assistant.api import Assistant
from assistant.tui.app import AssistantApp
from assistant.tui.launch import Launch
from assistant.tui.widgets.citation import CitationChip
from assistant.tui.widgets.composer import Composer
from assistant.tui.widgets.conversation import Conversation, Exchange, Welcome
from assistant.tui.widgets.source import SourcePane
from assistant.tui.widgets.text import SourceText
from corpus.errors import IndexUnavailable

pytestmark = pytest.mark.asyncio
Settled = Callable[[Pilot[None]], Awaitable[None]]
Make = Callable[..., AssistantApp]
QUESTION = "When does Tarn Bridge close to traffic, and what do the repairs cost?"


def send(app: AssistantApp, text: str) -> None:
    """Queues a key for each character, "\\r" being Enter and "\\n" Ctrl+J."""
    special = {"\r": "enter", "\n": "ctrl+j"}
    for character in text:
        app.post_message(Key(special.get(character) or _character_to_key(character), character))


def questions(app: AssistantApp) -> list[str]:
    return [exchange.question for exchange in app.query(Exchange)]


async def answered(app: AssistantApp, pilot: Pilot[None], settled: Settled) -> list[CitationChip]:
    send(app, f"{QUESTION}\r")
    await pilot.pause()
    await settled(pilot)
    return app.query_one(Conversation).chips


async def test_enter_waits_for_the_characters_before_it(make_app: Make, settled: Settled) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        send(app, f"{QUESTION}\rAnd the\nharbour?\rnot sent")
        await pilot.pause()
        await settled(pilot)
        assert questions(app) == [QUESTION, "And the\nharbour?"]
        assert app.query_one(Composer).text == "not sent"


async def test_shift_enter_is_a_new_line(make_app: Make) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("a", "shift+enter", "b", "ctrl+j", "c")
        assert app.query_one(Composer).text == "a\nb\nc" and not questions(app)


async def test_enter_in_the_footer_asks(make_app: Make) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)):
        assert app.screen.active_bindings["enter"].binding.description == "Ask"


@pytest.mark.parametrize("opened", [False, True])
async def test_text_typed_on_a_citation_or_source_is_written(make_app: Make, settled: Settled, opened: bool) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        chips = await answered(app, pilot, settled)
        await pilot.press("ctrl+n", "ctrl+n", *(["enter"] if opened else []))
        await pilot.pause()
        assert isinstance(app.focused, SourceText) if opened else app.focused is chips[1]
        text = "What of no pier, please?" if opened else "what of no pier, please?"  # w is a key of the source
        send(app, text)
        await pilot.pause()
        assert app.query_one(Composer).text == text
        assert isinstance(app.focused, Composer) and app.query_one(SourcePane).display is opened


async def test_a_paste_on_a_citation_is_written(make_app: Make, settled: Settled) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await answered(app, pilot, settled)
        await pilot.press("ctrl+n")
        app.post_message(Paste("no pier"))
        await pilot.pause()
        assert app.query_one(Composer).text == "no pier"


async def test_escape_in_the_source_goes_back_to_writing(make_app: Make, settled: Settled) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await answered(app, pilot, settled)
        await pilot.press("ctrl+n", "enter")
        await pilot.pause()
        assert app.query_one(SourcePane).display
        await pilot.press("escape")
        send(app, "now\r")
        await pilot.pause()
        await settled(pilot)
        assert not app.query_one(SourcePane).display and questions(app) == [QUESTION, "now"]


async def test_the_palette_keeps_what_is_typed_in_it(make_app: Make) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("ctrl+o")
        await pilot.pause()
        send(app, "new")
        await pilot.pause()
        assert type(app.screen).__name__ == "CommandPalette"
        await pilot.press("escape")
        assert app.query_one(Composer).text == ""


@pytest.mark.parametrize("size", [(80, 24), (40, 24)])
async def test_why_nothing_opened_is_said_in_full(settled: Settled, size: tuple[int, int]) -> None:
    reason = (
        "the index in '/srv/answers/index' was made of '/srv/minutes' and '/srv/reports', not of '/srv/letters': "
        "give another --index, or --replace to make this one anew"
    )

    def opener() -> Assistant:
        raise IndexUnavailable(reason)

    app = AssistantApp(Launch(opener, Path("index")))
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        for _ in range(2):
            notice = app.query_one(Welcome).query_one(".welcome--notice", Static)
            shown = "".join(strip.text for strip in notice.render_lines(notice.size.region))
            assert shown.replace(" ", "") == f"✗{reason} Or press F4 and add a folder.".replace(" ", "")
            assert notice.region.bottom <= app.query_one(Conversation).region.bottom
            await pilot.press("ctrl+l")
            await pilot.pause()
