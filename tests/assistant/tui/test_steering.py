"""How answers are made, chosen while the application runs, and how it is left."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot

from assistant.api import Assistant
from assistant.config import ApplicationSettings
from assistant.tui.app import AssistantApp
from assistant.tui.launch import Launch
from assistant.tui.widgets.conversation import Conversation
from assistant.tui.widgets.source import SourcePane
from assistant.types import Prompt
from corpus.errors import UsageError

Make = Callable[..., AssistantApp]
Settled = Callable[[Pilot[None]], Awaitable[None]]
QUESTION = "When does Tarn Bridge close to traffic, and what do the repairs cost?"


async def test_a_generator_that_cannot_be_had_locks_nobody_out(make_app: Make, settled: Settled) -> None:
    launch = make_app("extractive").launch

    def unusable() -> Assistant:
        raise UsageError("no key for 'openai'")

    app = AssistantApp(replace(launch, open=unusable, spare=launch.open))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert app.chat.status.generator == "extractive" and not app.failure
        await app.chat.ask(QUESTION)
        await settled(pilot)
        assert app.chat.query_one(Conversation).latest


async def test_leaving_asks_once_while_a_question_has_no_answer(make_app: Make, settled: Settled) -> None:
    begun, ended = threading.Event(), threading.Event()

    def write(prompt: Prompt) -> Iterator[str]:
        begun.set()
        ended.wait()
        yield "It closes. "

    app = make_app(write)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.chat.ask(QUESTION)
        while not begun.is_set():
            await pilot.pause()
        await pilot.press("ctrl+q")
        assert app.is_running and not app._exit
        ended.set()
        await pilot.press("ctrl+q")
        assert app._exit


async def test_the_theme_that_is_chosen_is_kept(make_app: Make, settled: Settled, tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text("# mine\n", encoding="utf-8")
    app = AssistantApp(replace(make_app().launch, settings_file=file))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        app.action_choose_theme()
        await pilot.pause()
        await pilot.press("down", "enter")
        await settled(pilot)
        assert app.theme != "textual-dark" and ApplicationSettings.read(file).theme == app.theme
    assert file.read_text(encoding="utf-8").startswith("# mine\n")


async def test_pages_turn_while_the_question_is_written(make_app: Make, settled: Settled) -> None:
    app = make_app("extractive")
    async with app.run_test(size=(60, 14)) as pilot:
        for _ in range(3):
            await app.chat.ask(QUESTION)
            await settled(pilot)
        conversation = app.query_one(Conversation)
        before = conversation.scroll_y
        await pilot.press("pageup")
        assert conversation.scroll_y < before


async def test_a_source_that_changed_is_told_while_it_is_open(tmp_path: Path, settled: Settled) -> None:
    folder, index = tmp_path / "documents", tmp_path / "index"
    folder.mkdir()
    (folder / "pets.md").write_text("# Pets\n\nThe deposit is £77 for each dog.\n", encoding="utf-8")
    Assistant.build(folder, index=index, embedder="hashing")

    def opened() -> Assistant:
        return Assistant.open(index, embedder="hashing", reranker="none", history=":memory:")

    app = AssistantApp(Launch(opened, index, settings_file=tmp_path / "none.toml"))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await app.chat.ask("What is the deposit for each dog?")
        await settled(pilot)
        await pilot.press("ctrl+n", "enter")
        await settled(pilot)
        pane = app.query_one(SourcePane)
        assert pane.standing is not None and pane.standing.state == "intact"
        (folder / "pets.md").write_text("# Pets\n\nThe deposit is £66 for each dog.\n", encoding="utf-8")
        Assistant.build(folder, index=index, embedder="hashing")
        app.look(indexed=True)
        await settled(pilot)
        assert pane.standing is not None and pane.standing.state == "changed"


@pytest.mark.parametrize("command", ["Copy quote", "Close source"])
async def test_a_command_that_has_nothing_to_act_on_says_so(make_app: Make, settled: Settled, command: str) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await settled(pilot)
        (found,) = (c for c in app.get_system_commands(app.screen) if c.title == command)
        await found.callback()
        await pilot.pause()
        said = [str(toast.render()) for toast in app.screen.query("Toast")]
        assert any(f"“{command}” has nothing to act on now" in text for text in said)
