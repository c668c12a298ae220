"""Choosing the generator: known names, any other, and what is told where one can't be used."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from textual.widgets import OptionList

from assistant.config import Settings
from assistant.generators import generator_named, names
from assistant.tui.choice import Offers
from assistant.tui.generator import GeneratorScreen
from assistant.tui.prompt import Line
from embeddings.hashing import HashingEmbedder
from tests.assistant.tui.pushing import SIZES, Pushing, said, settled

pytestmark = pytest.mark.asyncio


class Use:
    """Takes a generator into use as the desk does, and remembers its name."""

    def __init__(self) -> None:
        self.used: list[str] = []

    def __call__(self, name: str) -> None:
        self.used.append(generator_named(name, Settings(), None, HashingEmbedder()).name)


@pytest.mark.parametrize("size", SIZES)
async def test_a_wrong_name_is_told_and_the_dialog_stays(size: tuple[int, int]) -> None:
    use = Use()
    app = Pushing(GeneratorScreen("extractive", names(), use))
    async with app.run_test(size=size) as pilot:
        line = app.screen.query_one(Line)
        line.value = "gtp"
        await pilot.press("enter")
        await settled(pilot)
        assert said(app).startswith("✗ no generator 'gtp': known are anthropic:MODEL, extractive") and app.given == []
        line.value = ""
        await pilot.press("enter")
        await settled(pilot)
        assert said(app) == "✗ type a name, or choose one"
        line.value = " extractive "
        await pilot.press("enter")
        await settled(pilot)
    assert app.given == use.used == ["extractive"]


async def test_a_missing_model_is_told_with_its_file(tmp_path: Path) -> None:
    pytest.importorskip("xllamacpp")
    app = Pushing(GeneratorScreen("extractive", names(), Use()))
    async with app.run_test() as pilot:
        app.screen.query_one(Line).value = f"gguf:{tmp_path / 'no.gguf'}"
        await pilot.press("enter")
        await settled(pilot)
        assert "no.gguf" in said(app) and "give the path of a GGUF file" in said(app) and app.given == []


async def test_known_names_are_taken_into_the_line_by_keys_and_mouse() -> None:
    app = Pushing(GeneratorScreen("extractive", ("anthropic:MODEL", "extractive", "gguf:FILE", "own"), Use()))
    async with app.run_test(size=(80, 24)) as pilot:
        line, offers = app.screen.query_one(Line), app.screen.query_one(Offers)
        assert offers.highlighted == 1
        await pilot.press("down")
        assert (line.value, offers.highlighted) == ("gguf:", 2)
        await pilot.press("x", "down", "down")
        assert line.value == "own"
        await pilot.press("up", "up", "up", "up")
        assert line.value == "anthropic:"
        assert isinstance(offers, OptionList) and app.screen.focused is line
        await pilot.click(Offers, offset=(4, 2))
        await settled(pilot)
        assert line.value == "extractive" and app.screen.focused is line and app.given == []


async def test_loading_is_said_and_can_be_left() -> None:
    go = threading.Event()
    app = Pushing(GeneratorScreen("extractive", names(), lambda name: go.wait(30) and None))
    async with app.run_test() as pilot:
        await pilot.press("enter")
        await pilot.pause()
        assert said(app) == "○ loading, which can take some seconds…"
        await pilot.press("escape")
        await pilot.pause()
        assert app.given == [None]
        go.set()
