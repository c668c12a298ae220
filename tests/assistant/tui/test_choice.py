"""Small choices: what is meant is told by a mark, the theme is previewed, going back changes nothing."""

from __future__ import annotations

from typing import get_args

import pytest
from textual.app import App

from assistant.config import Strictness
from assistant.tui.choice import PROMISES, ChoiceScreen, Offers, strictness_screen, theme_screen
from tests.assistant.tui.pushing import SIZES, Pushing, settled

pytestmark = pytest.mark.asyncio


def drawn(app: App[None]) -> list[str]:
    """What stands in view of the list, line by line."""
    offers = app.screen.query_one(Offers)
    return [offers.render_line(y).text.rstrip() for y in range(offers.size.height)]


def marked(app: App[None]) -> list[str]:
    return [line for line in drawn(app) if line.startswith("▸")]


@pytest.mark.parametrize("size", SIZES)
async def test_strictness_says_what_it_promises_and_is_chosen_by_keys(size: tuple[int, int]) -> None:
    app = Pushing(strictness_screen("normal"))
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        assert marked(app) == ["▸ normal (now)"]
        if size[0] > 40:
            shown = " ".join(" ".join(drawn(app)).split())
            assert all(f"{promise}" in shown for promise in PROMISES.values()) and list(PROMISES) == [
                *get_args(Strictness)
            ]
        await pilot.press("down")
        await settled(pilot)
        assert marked(app) == ["▸ lenient"] and list(PROMISES) == [*get_args(Strictness)]
        await pilot.press("enter")
        await settled(pilot)
    assert app.given == ["lenient"]


async def test_a_click_chooses() -> None:
    app = Pushing(strictness_screen("normal"))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.click(Offers, offset=(5, 0))
        await settled(pilot)
    assert app.given == ["strict"]


@pytest.mark.parametrize(("key", "kept"), [("enter", True), ("escape", False)])
async def test_a_theme_is_seen_at_once_and_kept_only_where_it_is_chosen(key: str, kept: bool) -> None:
    app = Pushing(ChoiceScreen("", []))
    app._pushed = theme_screen(app.available_themes, "textual-dark", lambda name: setattr(app, "theme", name))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert app.theme == "textual-dark"
        await pilot.press("end")
        await settled(pilot)
        assert app.theme == "textual-light" and not app.current_theme.dark
        await pilot.press(key)
        await settled(pilot)
        assert app.theme == ("textual-light" if kept else "textual-dark")
    assert app.given == ["textual-light" if kept else None]


async def test_outside_text_is_no_markup_and_holds_no_control() -> None:
    app = Pushing(ChoiceScreen("[/]", [("[@click=app.quit]x[/]\x1b[2J", "two\nlines\u202e")]))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert drawn(app) == ["▸ [@click=app.quit]x[/]␛[2J", "  two lines\ufffd"]
        await pilot.press("enter")
        await settled(pilot)
    assert app.given == ["[@click=app.quit]x[/]\x1b[2J"]
