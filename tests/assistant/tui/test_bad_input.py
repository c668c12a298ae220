"""What goes wrong while the application is open: it says so, loses nothing, and goes on."""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from time import monotonic

import pytest
from textual.events import Key
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Input, Static

from assistant.api import Assistant
from assistant.records.history import History
from assistant.tui.app import AssistantApp
from assistant.tui.launch import Launch, command
from assistant.tui.widgets.answer import AnswerView
from assistant.tui.widgets.composer import Composer
from assistant.tui.widgets.conversation import Conversation
from assistant.types import Prompt
from tests.assistant.conftest import filled
from tests.assistant.tui.conftest import DOCUMENTS, Scripted, settle, two_statements
from tests.assistant.tui.test_terminal import Terminal

pytestmark = pytest.mark.asyncio
Make = Callable[..., AssistantApp]
QUESTION = "When does Tarn Bridge close to traffic, and what do the repairs cost?"
SECONDS = 60


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Folder of an index of its own, of `documents` beside it."""
    filled(tmp_path / "documents", DOCUMENTS)
    build(tmp_path)
    return tmp_path


def build(place: Path) -> None:
    Assistant.build(place / "documents", index=place / "index", embedder="hashing")


def app_on(place: Path, write: Callable[[Prompt], Iterator[str]] = two_statements) -> AssistantApp:
    folder = place / "index"
    opener = partial(Assistant.open, folder, generator=Scripted(write), reranker="none")
    return AssistantApp(
        Launch(opener, folder, options=("--embedder", "hashing"), settings_file=place / "settings.toml")
    )


async def ask(pilot: Pilot[None], question: str = QUESTION) -> AnswerView:
    pilot.app.query_one(Composer).insert(question)
    await pilot.press("enter")
    await settle(pilot)
    return list(pilot.app.query(AnswerView))[-1]


def under(view: AnswerView) -> str:
    """What stands under an answer."""
    return str(view.query_one(".answer--progress", Static).content)


def told(app: AssistantApp) -> list[str]:
    """Notifications that are shown."""
    return [" ".join(filter(None, (note.title, note.message))) for note in app._notifications]


async def until(pilot: Pilot[None], true: Callable[[], bool]) -> None:
    async with asyncio.timeout(SECONDS):
        while not true():
            await pilot.pause()


async def opened(pilot: Pilot[None], key: str) -> Screen[object]:
    """The screen that a key opens, filled."""
    await pilot.press(key)
    await until(pilot, lambda: pilot.app.screen is not pilot.app.screen_stack[0])
    await until(pilot, lambda: all(w.is_finished or w.name.startswith("action_") for w in pilot.app.workers))
    await pilot.pause()
    return pilot.app.screen


async def test_resized_down_to_20_by_5_while_an_answer_streams(make_app: Make) -> None:
    going, ended = threading.Event(), threading.Event()

    def write(prompt: Prompt) -> Iterator[str]:
        yield from two_statements(prompt)
        while not ended.wait(0.005):
            going.set()
            yield "and so on "

    app = make_app(write)
    try:
        async with app.run_test(size=(80, 24)) as pilot:
            composer = app.query_one(Composer)
            composer.insert(QUESTION)
            await pilot.press("enter")
            await until(pilot, going.is_set)
            for size in ((20, 5), (160, 48), (1, 1), (300, 100), (5, 20), (20, 5)):
                await pilot.resize_terminal(*size)
            for character in "harbour":
                app.post_message(Key(character, character))
            await until(pilot, lambda: composer.text == "harbour")
            assert app.screen.region.contains_region(composer.region)
            shown = "".join(composer.render_line(y).text for y in range(composer.size.height))
            assert "harbour" in shown
            await pilot.press("escape")
            ended.set()
            await settle(pilot)
            assert app.query_one(AnswerView).has_class("-cut")
    finally:
        ended.set()


async def test_a_generator_that_hangs_is_stopped_and_another_takes_its_place(make_app: Make) -> None:
    asked, ended = threading.Event(), threading.Event()

    def write(prompt: Prompt) -> Iterator[str]:
        asked.set()
        ended.wait()
        yield ""

    app = make_app(write)
    try:
        async with app.run_test(size=(80, 24)) as pilot:
            app.query_one(Composer).insert(QUESTION)
            await pilot.press("enter")
            await until(pilot, asked.is_set)
            await pilot.press("escape")
            assert under(app.query_one(AnswerView)).startswith("✂ Stopped")
            app.action_choose_generator()
            await until(pilot, lambda: bool(app.screen.query(Input)))
            app.screen.query_one(Input).value = "extractive"
            await pilot.press("enter")
            await until(pilot, lambda: app.screen is app.chat)
            app.query_one(Composer).insert(QUESTION)
            await pilot.press("enter")
            await until(pilot, lambda: len(app.query_one(Conversation).answers) == 1)
            assert "£412,000" in app.query_one(Conversation).answers[0].text
    finally:
        ended.set()


@pytest.fixture
def chat(place: Path) -> Iterator[Callable[..., Terminal]]:
    """Runs the real program on `place`."""
    running: list[Terminal] = []

    def run(*options: str, before: tuple[str, ...] = (), **environment: str) -> Terminal:
        line = command("chat", "--index", str(place / "index"), "--reranker", "none", *options)
        running.append(Terminal([*before, *line], environment))
        return running[-1]

    yield run
    for terminal in running:
        terminal.close()


async def test_quitting_ends_the_process_though_its_generator_hangs(chat: Callable[..., Terminal]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # connects, and never says a word
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/v1"
        terminal = chat("--generator", "openai:mute", "--base-url", address, OPENAI_API_KEY="none")
        terminal.until("ready")
        terminal.type(QUESTION.encode() + b"\r")
        silent.accept()
        terminal.until("answering")
        began = monotonic()
        terminal.type(b"\x11\x11")
        assert terminal.ended() == 0 and monotonic() - began < 10


async def test_a_paste_of_escape_sequences_is_text(chat: Callable[..., Terminal]) -> None:
    terminal = chat()
    terminal.until("ready")
    hostile = b"zebra\x11\x1b[17~\x1bOP\x1b]52;c;eA==\x07\x1b[200~\x03\rgiraffe\x1b[24~\x1b[Bquit\x1b"
    terminal.type(b"\x1b[200~" + hostile + b"\x1b[201~")
    terminal.until("quit")
    terminal.type(b"\r")
    terminal.until("No answer")
    terminal.type(b"\x11\x11")
    assert terminal.ended() == 0
    assert b"\x1b]52" not in terminal.written and "␛]52".encode() in terminal.written
    assert terminal.written.count(b"No answer:") == 1 and b"Keys, marks" not in terminal.written


async def test_a_read_only_index_answers_and_says_that_nothing_is_kept(
    place: Path, chat: Callable[..., Terminal]
) -> None:
    before: tuple[str, ...] = ()
    if os.geteuid() == 0:  # root may write everywhere, unless it gives that up
        if (program := shutil.which("setpriv")) is None:
            pytest.skip("root can't be kept from writing: `setpriv` is missing")
        before = (program, "--bounding-set=-dac_override")
    index = place / "index"
    for path in index.iterdir():
        path.chmod(0o444)
    index.chmod(0o555)
    try:
        terminal = chat(before=before)
        terminal.until("ready")
        terminal.type(QUESTION.encode() + b"\r")
        terminal.until("£412,000")
        terminal.until("Not kept")
        terminal.type(b"\x11\x11")
        assert terminal.ended() == 0 and b"Traceback" not in terminal.written
    finally:
        index.chmod(0o755)


async def test_an_index_that_is_deleted_and_made_again(place: Path) -> None:
    app = app_on(place)
    async with app.run_test(size=(80, 24)) as pilot:
        assert not (await ask(pilot)).given.refused
        shutil.rmtree(place / "index")
        view = await ask(pilot)
        assert under(view).startswith("✗") and "assistant index" in under(view)
        (place / "documents" / "pier.txt").write_text("The pier at Skell opens on 3 June 2024.\n", encoding="utf-8")
        build(place)
        assert (await ask(pilot)).given.text.startswith("Tarn Bridge closes")
        await settle(pilot)
        assert app.chat.status.index == "3 documents"


async def test_an_index_that_another_build_replaces(place: Path, tmp_path: Path) -> None:
    app = app_on(place)
    async with app.run_test(size=(80, 24)) as pilot:
        await ask(pilot)
        (place / "documents" / "harbour.txt").unlink()
        shutil.rmtree(place / "index")
        build(place)
        assert (await ask(pilot)).given.text.startswith("Tarn Bridge closes")
        await settle(pilot)
        assert app.chat.status.index == "1 document"


async def test_no_index_at_all_until_a_folder_is_added(place: Path) -> None:
    shutil.rmtree(place / "index")
    app = app_on(place)
    async with app.run_test(size=(80, 24)) as pilot:
        assert "assistant index" in under(await ask(pilot))
        folders = await opened(pilot, "f4")
        folders.query_one(Input).value = str(place / "documents")
        await pilot.press("enter")
        await until(pilot, lambda: app.ready)
        await pilot.press("escape")
        await settle(pilot)
        assert app.chat.status.activity == "● ready" and app.chat.status.index == "2 documents"
        assert (await ask(pilot)).given.text.startswith("Tarn Bridge closes")


@contextmanager
def full_disk() -> Iterator[None]:
    """No file of this process grows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_a_full_disk(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place)
    (place / "settings.toml").write_text("strictness = 'strict'\n")
    app = app_on(place)
    async with app.run_test(size=(120, 40)) as pilot:
        await ask(pilot)
        with full_disk():
            assert (await ask(pilot)).given.text.startswith("Tarn Bridge closes")
            assert any(note.startswith("Not kept") and "free space" in note for note in told(app))
            app.chat.action_export()
            await until(pilot, lambda: bool(app.screen.query(Input)))
            app.screen.query_one(Input).value = "talk.md"
            await pilot.press("enter")
            said = app.screen.query_one(".dialog--said", Static)
            await until(pilot, lambda: "free space" in str(said.content))
            await pilot.press("escape")
            settings = await opened(pilot, "f8")
            settings.query(Input).first().value = "extractive"
            await pilot.press("ctrl+s")
            said = settings.query_one(".dialog--said", Static)
            await until(pilot, lambda: "free space" in str(said.content))
        assert not (place / "talk.md").exists()
        assert (place / "settings.toml").read_text() == "strictness = 'strict'\n"
        await pilot.press("ctrl+s")
        await until(pilot, lambda: app.screen is app.chat)
        await ask(pilot)
        assert app.opened.unkept == "" and len(app.opened.conversations.records(app.chat.conversation)) == 2


async def test_a_settings_file_that_is_broken(place: Path) -> None:
    (place / "settings.toml").write_text("theme = [[\n")
    app = app_on(place)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        assert any("settings.toml" in note and "not TOML" in note and "mend it" in note for note in told(app))
        app.clear_notifications()
        await pilot.press("f8")
        await settle(pilot)
        assert app.screen is app.chat and any("not TOML" in note for note in told(app))
        assert not (await ask(pilot)).given.refused
    assert (place / "settings.toml").read_text() == "theme = [[\n"


@pytest.mark.parametrize("damage", [b"no database" * 500, b"", None], ids=["noise", "empty", "pages"])
async def test_a_history_that_is_damaged(place: Path, damage: bytes | None) -> None:
    file = place / "index" / "history.sqlite3"
    with Assistant.open(place / "index", generator="extractive", reranker="none") as desk:
        answer = desk.ask(QUESTION)
    history = History(file)
    for _ in range(30):
        history.add("talk", answer)
    history.close()
    whole = file.read_bytes()
    file.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096) if damage is None else damage)
    app = app_on(place)
    async with app.run_test(size=(120, 40)) as pilot:
        assert (await ask(pilot)).given.text.startswith("Tarn Bridge closes")
        history = await opened(pilot, "f3")
        said = str(history.query_one(".browsing--said", Static).content)
        if damage == b"":
            assert not said and not told(app)  # one without tables is begun anew
        else:
            assert said.startswith("✗ the history") and any(note.startswith("Not kept") for note in told(app))
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is app.chat)
        assert not (await ask(pilot)).given.refused


async def test_a_watched_folder_that_is_removed(place: Path) -> None:
    app = app_on(place)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        app.indexing.watch(True)
        await until(pilot, lambda: bool(app.indexing.folders))
        shutil.rmtree(place / "documents")
        await until(pilot, lambda: not app.indexing.watching)
        assert any(note.startswith("Watching the folder") and "is gone" in note for note in told(app))
        assert not (await ask(pilot)).given.refused
