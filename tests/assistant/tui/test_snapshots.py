"""What people see, as pictures: `pytest --snapshot-update` takes them anew after a change that is meant."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot

from assistant.api import Assistant
from assistant.records.history import History
from assistant.tui.app import AssistantApp
from assistant.tui.launch import Launch
from assistant.tui.widgets.composer import Composer
from tests.assistant.tui.conftest import Scripted, settle, two_statements

SIZES = ((80, 24), (160, 48))
ANSWERED = "When does Tarn Bridge close to traffic, and what do the repairs cost?"
REFUSED = "When does Blackfriars Bridge close to traffic?"
Compare = Callable[..., bool]
Steps = Callable[[AssistantApp, Pilot[None]], Awaitable[None]]


@pytest.fixture(scope="module")
def kept(index: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A history with two conversations, whose answers took the same time on every machine."""
    file = tmp_path_factory.mktemp("kept") / "history.sqlite3"
    with opened(index, ":memory:") as desk:
        answers = {"answered": desk.ask(ANSWERED), "refused": desk.ask(REFUSED)}
    history = History(file)
    for conversation, answer in answers.items():
        history.add(conversation, replace(answer, timings={"retrieve": 0.3, "generate": 0.9}))
    history.close()
    return file


def opened(index: Path, history: str | Path) -> Assistant:
    writer = Scripted(two_statements)
    return Assistant.open(index, generator=writer, embedder="hashing", reranker="none", history=history)


async def first(app: AssistantApp, pilot: Pilot[None]) -> None:
    """Nothing is done."""


async def answered(app: AssistantApp, pilot: Pilot[None]) -> None:
    await app.chat.resume("answered")
    await settle(pilot)
    await pilot.press("ctrl+n", "enter")


async def refused(app: AssistantApp, pilot: Pilot[None]) -> None:
    await app.chat.resume("refused")


async def documents(app: AssistantApp, pilot: Pilot[None]) -> None:
    from assistant.tui.documents import DocumentsScreen

    app.push_screen(DocumentsScreen(app.opened, None))


@pytest.mark.parametrize("size", SIZES, ids=("80x24", "160x48"))
@pytest.mark.parametrize("steps", [first, answered, refused, documents], ids=lambda steps: steps.__name__)
def test_picture(steps: Steps, size: tuple[int, int], index: Path, kept: Path, snap_compare: Compare) -> None:
    assert pictured(steps, "textual-dark", size, index, kept, snap_compare)


def test_picture_in_a_light_theme(index: Path, kept: Path, snap_compare: Compare) -> None:
    assert pictured(answered, "textual-light", (80, 24), index, kept, snap_compare)


def pictured(steps: Steps, theme: str, size: tuple[int, int], index: Path, kept: Path, snap_compare: Compare) -> bool:
    app = AssistantApp(Launch(lambda: opened(index, kept), index, settings_file=index.parent / "settings.toml"))

    async def run(pilot: Pilot[None]) -> None:
        await settle(pilot)
        app.theme = theme
        app.query_one(Composer).cursor_blink = False
        await steps(app, pilot)
        await settle(pilot)

    return snap_compare(app, terminal_size=size, run_before=run)
