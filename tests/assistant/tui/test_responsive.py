"""Keys never wait: how long the event loop is held while everything goes on at once."""

from __future__ import annotations

import asyncio
import gc
import shutil
from collections.abc import Awaitable, Callable, Iterator
from itertools import cycle
from pathlib import Path
from threading import Event
from time import thread_time

import pytest
from textual.events import Key
from textual.pilot import Pilot
from textual.widgets import Static

from assistant.api import Assistant
from assistant.records.history import History
from assistant.tui.app import AssistantApp
from assistant.tui.document import DocumentScreen
from assistant.tui.launch import Launch
from assistant.tui.widgets.composer import Composer
from assistant.tui.widgets.conversation import Conversation
from assistant.tui.widgets.offer import Offer
from assistant.tui.widgets.text import SourceText
from assistant.types import Prompt
from tests.assistant.conftest import filled
from tests.assistant.tui.conftest import DOCUMENTS, Scripted

pytestmark = pytest.mark.asyncio
Settled = Callable[[Pilot[None]], Awaitable[None]]
MOST = 0.1
"""Seconds of processor time between two looks at the keyboard: the promised 0.05, and as much again for a machine whose
processor has other work too, which makes the same instructions take longer."""
TOKENS = 800
PACE = 1 / 200
"""Seconds a token."""
QUESTION = "When does Tarn Bridge close to traffic?"
REGISTER = "Which ferry at the fiftieth lock was repaired?"


class Held:
    """Processor time of each callback of the event loop, in the loop's thread alone."""

    def __init__(self) -> None:
        self.calls: list[tuple[float, str]] = []

    def run(self, handle: asyncio.Handle, run: Callable[[asyncio.Handle], None]) -> None:
        began = thread_time()
        run(handle)
        task = getattr(handle._callback, "__self__", None)
        name = task.get_name() if isinstance(task, asyncio.Task) else repr(handle)
        self.calls.append((thread_time() - began, name))

    @property
    def long(self) -> list[tuple[float, str]]:
        return sorted((call for call in self.calls if call[0] > MOST), reverse=True)


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[Held]:
    watch, run = Held(), asyncio.Handle._run
    monkeypatch.setattr(asyncio.Handle, "_run", lambda handle: watch.run(handle, run))
    threshold = gc.get_threshold()
    gc.collect()
    gc.freeze()  # what the tests before have left
    gc.set_threshold(1000, 10, 10_000)  # as `assistant chat` does
    yield watch
    gc.set_threshold(*threshold)
    gc.unfreeze()


@pytest.fixture(scope="module")
def locks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Index of a document of 5 MB and some small ones, with a conversation of 200 questions and one of 25."""
    root = tmp_path_factory.mktemp("locks")
    boats = (", ".join(f"{k} boats at lock {k % 50}" for k in range(n, n + 80)) for n in cycle(range(50)))
    entries = [f"Entry {n % 50}. The warden noted {next(boats)}." for n in range(3600)]
    entries[1800] = "The ferry Marigold was repaired at the fiftieth lock."
    register = "# Register of the locks\n\n" + "\n\n".join(entries)
    assert len(register) > 5_000_000
    folder = filled(root / "documents", {**DOCUMENTS, "register.md": register})
    Assistant.build(folder, index=root / "index", embedder="hashing")
    with opened(root / "index", Scripted(quoting)) as desk:
        answer = desk.ask(QUESTION, conversation="first")
    history = History(root / "index" / "history.sqlite3")
    for conversation, questions in (("long", 200), ("short", 25)):
        for _ in range(questions):
            history.add(conversation, answer)
    history.close()
    return root


def opened(index: Path, writer: Scripted) -> Assistant:
    return Assistant.open(index, generator=writer, embedder="hashing", reranker="none")


def quoting(prompt: Prompt) -> Iterator[str]:
    """Four sentences of the first passages."""
    for passage in prompt.passages[:4]:
        start, end = passage.chunk.sentences[0]
        yield f"{passage.document.text[start:end]} [{passage.number}]\n"


def app_on(root: Path, write: Callable[[Prompt], Iterator[str]], index: str = "index") -> AssistantApp:
    folder = root / index
    return AssistantApp(Launch(lambda: opened(folder, Scripted(write)), folder, settings_file=root / "settings.toml"))


async def ask(pilot: Pilot[None], question: str) -> None:
    pilot.app.query_one(Composer).insert(question)
    await pilot.press("enter")


async def rest(pilot: Pilot[None]) -> None:
    """Waits for every worker but those that wait for a screen to be left."""
    await pilot.pause()
    while running := [w for w in pilot.app.workers if not w.is_finished and not w.name.startswith("action_")]:
        await pilot.app.workers.wait_for_complete(running)
        await pilot.pause()
    await pilot.pause()


async def test_while_an_answer_streams_keys_are_typed_and_files_are_indexed(
    locks: Path, settled: Settled, held: Held
) -> None:
    shutil.copytree(locks / "index", locks / "copy")
    for n in range(300):
        (locks / "documents" / f"{n}.txt").write_text(f"Note {n}\n\nThe warden of lock {n} counted {n} swans.\n" * 20)
    ended = Event()

    def write(prompt: Prompt) -> Iterator[str]:
        words = [word for piece in quoting(prompt) for word in (*piece.split(" ")[:60], "\n")]
        for n, word in zip(range(TOKENS), cycle(words), strict=False):
            ended.wait(PACE)
            if n % 10 == 0:
                app.post_message(Key("a", "a"))
            yield word + " "

    app = app_on(locks, write, "copy")
    async with app.run_test(size=(160, 48)) as pilot:
        await settled(pilot)
        await app.chat.resume("short")
        await settled(pilot)
        app.indexing.start((locks / "documents",))
        held.calls.clear()
        await ask(pilot, QUESTION)
        await settled(pilot)
        assert app.query_one(Composer).text == "a" * (TOKENS // 10)
        assert len(app.query_one(Conversation).answers) == 26
        while app.indexing.running:
            await asyncio.to_thread(ended.wait, PACE)
        assert app.indexing.outcome is not None and app.indexing.outcome.added == 300
        await settled(pilot)
    assert not held.long


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_while_screens_are_opened(locks: Path, held: Held, size: tuple[int, int]) -> None:
    app = app_on(locks, quoting)
    async with app.run_test(size=size) as pilot:
        await rest(pilot)
        held.calls.clear()
        for keys in (("f2",), ("f3",), ("f1",), ("f4",), ("f8",), ("ctrl+o", "d", "o")):
            await pilot.press(*keys)
            await rest(pilot)
            await pilot.press("pagedown", "escape")
            await rest(pilot)
    assert not held.long


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_while_a_document_of_5_mb_is_read(locks: Path, held: Held, size: tuple[int, int]) -> None:
    app = app_on(locks, quoting)
    async with app.run_test(size=size) as pilot:
        await ask(pilot, REGISTER)
        await rest(pilot)
        held.calls.clear()
        chip = next(chip for chip in app.query_one(Conversation).chips if "Marigold" in chip.citation.quote)
        chip.focus()
        await pilot.press("enter")
        await rest(pilot)
        await pilot.press("w")
        await rest(pilot)
        screen = app.screen
        assert isinstance(screen, DocumentScreen)
        shown = [strip.text for y in range(size[1] // 2) for strip in [screen.query_one(SourceText).render_line(y)]]
        assert any("Marigold" in line for line in shown)
        await pilot.press("slash", *"boats at lock 7")
        await rest(pilot)
        assert "of 5," in str(screen.query_one(".document--count", Static).content)
        await pilot.press("enter", "n", "n", "end", "pageup", "home", "escape")
        await rest(pilot)
        assert app.screen is app.chat
    assert not held.long


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_while_a_conversation_of_200_questions_is_resumed(locks: Path, held: Held, size: tuple[int, int]) -> None:
    app = app_on(locks, quoting)
    async with app.run_test(size=size) as pilot:
        await rest(pilot)
        held.calls.clear()
        await app.chat.resume("long")
        await rest(pilot)
        conversation = app.query_one(Conversation)
        assert len(conversation.answers) == 200
        app.query(Offer).first().focus()
        await pilot.press("enter")
        await rest(pilot)
        assert len(conversation.exchanges) > 9
        await ask(pilot, QUESTION)
        await rest(pilot)
    assert not held.long
