"""The list of conversations: searched, resumed, renamed, deleted, brought back, exported."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from assistant.api import Assistant
from assistant.records.conversations import Conversation
from assistant.tui.conversations import ConversationsScreen
from assistant.tui.prompt import Line, PromptScreen
from assistant.tui.saving import SavingScreen, file_name
from assistant.tui.widgets.rows import Rows
from tests.assistant.tui.pushing import Pushing

NOTE = "Of the ferry\n\n6 May 2024\n\nThe ferry sails at noon. The fare for a bicycle is £3.\n"
ASKED = {
    "c1": ["When does the ferry sail?", "What is the fare for a bicycle?"],
    "c2": ["Who built the lighthouse?"],
    "c3": ["What is the fare for a \x1b]0;bicycle\x07 [/] today?"],
}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("conversations")
    (root / "files").mkdir()
    (root / "files" / "ferry.txt").write_text(NOTE, encoding="utf-8")
    Assistant.build(root / "files", index=root / "index", embedder="hashing")
    return root / "index"


@pytest.fixture
def open_desk(index: Path, tmp_path: Path) -> Iterator[Callable[[], Assistant]]:
    opened: list[Assistant] = []

    def opens() -> Assistant:
        desk = Assistant.open(index, embedder="hashing", reranker="none", history=tmp_path / "history.sqlite3")
        opened.append(desk)
        return desk

    yield opens
    for desk in opened:
        desk.close()


@pytest.fixture
def desk(open_desk: Callable[[], Assistant]) -> Assistant:
    asked = open_desk()
    for conversation, questions in ASKED.items():
        for question in questions:
            asked.ask(question, conversation=conversation)
    return asked


async def settled(pilot: Pilot[None]) -> list[str]:
    """What the list shows, once nothing runs any more but what waits for the user."""
    while running := [w for w in pilot.app.workers if not w.is_finished and w.name not in _WAITING]:
        await pilot.app.workers.wait_for_complete(running)
        await pilot.pause()
    await pilot.pause()
    await pilot.pause()
    rows = next(iter(pilot.app.screen.query(Rows)), None)
    lines = [rows.render_line(y).text.strip() for y in range(1, rows.size.height)] if rows else []
    return [line for line in lines if line]


_WAITING = ("action_rename", "action_export")
"""Workers that wait for a dialog."""


def said(pilot: Pilot[None], part: str = "said") -> str:
    shown = pilot.app.screen.query(f".browsing--{part}, .dialog--{part}").first(Static)
    return str(shown.content) if shown.display else ""


async def test_the_newest_stands_first_and_the_open_one_is_marked(desk: Assistant) -> None:
    app = Pushing(ConversationsScreen(desk, "c1"))
    async with app.run_test(size=(80, 24)) as pilot:
        lines = await settled(pilot)
        assert [line[:24] for line in lines] == [
            "▸ What is the fare for a",
            "Who built the lighthouse",
            "● When does the ferry sa",
        ]
        assert lines[2].split()[-1] == "2" and "\x1b" not in "".join(lines) and "[/]" in lines[0]
        assert said(pilot, "heading") == "Conversations (3)"
        await pilot.press("end")
        assert said(pilot, "detail") == "● open now: When does the ferry sail?"
        await pilot.press("up", "enter")
        assert app.given == ["c2"]


async def test_search_finds_words_of_questions_and_answers_once_for_each_conversation(desk: Assistant) -> None:
    app = Pushing(ConversationsScreen(desk, "c1"))
    async with app.run_test(size=(100, 24)) as pilot:
        await settled(pilot)
        await pilot.press("slash", *"fare bicy")
        lines = await settled(pilot)
        assert len(lines) == 2 and lines[1].startswith("● When does") and "fare for a bicycle" in lines[1]
        await pilot.press("enter", "down")
        assert "fare for a bicycle" in said(pilot, "detail")
        assert said(pilot, "heading") == "Conversations (2 found)"
        app.screen.query_one(Line).value = '"[/] OR (* NEAR'
        assert await settled(pilot) == ["Nothing was found."]
        app.screen.query_one(Line).value = ""
        assert len(await settled(pilot)) == 3
        await pilot.press("escape")
        assert app.given == [None]


async def test_delete_is_at_once_and_undone_in_turn(desk: Assistant) -> None:
    app = Pushing(ConversationsScreen(desk, "c9"))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("u")  # nothing to undo
        await pilot.press("down", "d")
        assert len(await settled(pilot)) == 2 and said(pilot) == "Deleted “Who built the lighthouse?”. u undoes"
        await pilot.press("d")
        assert len(await settled(pilot)) == 1 and [c.id for c in desk.conversations.listed()] == ["c3"]
        await pilot.press("u")
        await settled(pilot)
        await pilot.press("u")
        assert len(await settled(pilot)) == 3 and "is back" in said(pilot)
        assert [c.id for c in desk.conversations.listed()] == ["c3", "c2", "c1"]


async def test_what_was_deleted_can_be_had_back_when_the_list_is_opened_again(desk: Assistant) -> None:
    deleted: list[Conversation] = []
    for key in ("d", "u"):
        app = Pushing(ConversationsScreen(desk, "c9", deleted))
        async with app.run_test(size=(80, 24)) as pilot:
            await settled(pilot)
            await pilot.press(key)
            assert len(await settled(pilot)) == 3 - len(deleted) and len(deleted) == (key == "d")


async def test_the_open_conversation_is_not_deleted(desk: Assistant) -> None:
    app = Pushing(ConversationsScreen(desk, "c3"))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("d")
        assert len(await settled(pilot)) == 3 and said(pilot).startswith("✗ this conversation is open: begin another")


async def test_renamed_in_a_dialog_that_stays_while_the_title_is_refused(desk: Assistant) -> None:
    app = Pushing(ConversationsScreen(desk, "c1"))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("r")
        await settled(pilot)
        line = app.screen.query_one(Line)
        line.value = "  "
        await pilot.press("enter")
        await settled(pilot)
        assert isinstance(app.screen, PromptScreen) and "needs a title" in said(pilot)
        line.value = "x" * 300
        await pilot.press("enter")
        await settled(pilot)
        assert isinstance(app.screen, PromptScreen) and "300" in said(pilot)
        line.value = "Fares"
        await pilot.press("enter")
        await settled(pilot)
        assert (await settled(pilot))[0].startswith("▸ Fares ")
        assert desk.conversations.listed()[0].title == "Fares"


async def test_a_history_that_cannot_be_read_is_told(open_desk: Callable[[], Assistant], tmp_path: Path) -> None:
    (tmp_path / "history.sqlite3").write_bytes(b"no database, and long enough to be read as one" * 9)
    app = Pushing(ConversationsScreen(open_desk(), "c1"))
    async with app.run_test(size=(200, 24)) as pilot:
        await settled(pilot)
        assert said(pilot).startswith("✗ the history") and "can't be used" in said(pilot)
        await pilot.press("d", "r", "e", "u", "enter", "escape")
        assert app.given == [None]


async def test_an_empty_history(open_desk: Callable[[], Assistant]) -> None:
    app = Pushing(ConversationsScreen(open_desk(), "c1"))
    async with app.run_test(size=(80, 24)) as pilot:
        assert await settled(pilot) == ["Nothing was asked yet."]
        await pilot.press("d", "r", "e", "u", "enter")
        await settled(pilot)
        assert app.given == [] and isinstance(app.screen, ConversationsScreen)


@pytest.mark.parametrize("size", [(20, 5), (160, 48)])
async def test_the_screens_fit_any_terminal(desk: Assistant, size: tuple[int, int]) -> None:
    app = Pushing(ConversationsScreen(desk, "c1"))
    async with app.run_test(size=size) as pilot:
        assert (await settled(pilot))[0].startswith("▸ What is")
        for key in ("e", "r"):
            await pilot.press(key)
            await settled(pilot)
            await pilot.press("escape")
        await settled(pilot)
        assert isinstance(app.screen, ConversationsScreen)


async def test_ten_thousand_conversations_stay_quick(desk: Assistant, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "history.sqlite3") as connection:
        (answer,) = connection.execute("SELECT answer FROM answers LIMIT 1").fetchone()
        began = datetime(2024, 1, 1, tzinfo=UTC)
        rows = ((f"m{n}", (began + timedelta(minutes=n)).isoformat(), f"Of matter {n}?", answer) for n in range(10_000))
        connection.executemany("INSERT INTO answers (conversation, asked, question, answer) VALUES (?, ?, ?, ?)", rows)
    connection.close()
    app = Pushing(ConversationsScreen(desk, "c1"))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert said(pilot, "heading") == "Conversations (10,003)"
        await pilot.press("end", "d")
        await settled(pilot)
        await pilot.press("slash", *"matter 7777")
        assert [line.split("  ")[0] for line in await settled(pilot)] == ["▸ Of matter 7777?"]


# Export


async def saved(pilot: Pilot[None], name: str | Path) -> str:
    """Gives the dialog a file; what it says then."""
    pilot.app.screen.query_one(Line).value = str(name)
    await settled(pilot)
    pilot.app.screen.query_one(Line).focus()
    await pilot.press("enter")
    await settled(pilot)
    return said(pilot) if isinstance(pilot.app.screen, SavingScreen) else ""


async def test_export_names_the_file_by_title_and_format_and_tells_where_it_is(
    desk: Assistant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    app = Pushing(ConversationsScreen(desk, "c9"))
    async with app.run_test(size=(200, 24)) as pilot:
        await settled(pilot)
        await pilot.press("end", "e")
        await settled(pilot)
        assert app.screen.query_one(Line).value == "When-does-the-ferry-sail.md"
        await pilot.press("down", "down", "down")
        await settled(pilot)
        assert app.screen.query_one(Line).value == "When-does-the-ferry-sail.json"
        await pilot.press("enter")
        await settled(pilot)
        written = tmp_path / "When-does-the-ferry-sail.json"
        assert said(pilot) == f"Written to {written}"
        assert "When does the ferry sail?" in written.read_text(encoding="utf-8") and json.loads(written.read_bytes())


async def test_a_file_is_replaced_only_when_told_twice(desk: Assistant, tmp_path: Path) -> None:
    kept = tmp_path / "kept.md"
    kept.write_text("mine")
    app = Pushing(SavingScreen(desk, "c1", "Ferry"))
    async with app.run_test(size=(120, 24)) as pilot:
        assert "exists: press Enter again" in await saved(pilot, kept) and kept.read_text() == "mine"
        await pilot.press("end", "x", "backspace")  # another name, and back: told anew
        assert "exists: press Enter again" in await saved(pilot, kept) and kept.read_text() == "mine"
        await pilot.press("enter")
        await settled(pilot)
        assert app.given == [kept] and "The fare for a bicycle is £3" in kept.read_text(encoding="utf-8")


async def test_what_cannot_be_written_is_told_and_the_dialog_stays(desk: Assistant, tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    app = Pushing(SavingScreen(desk, "c1", "Ferry"))
    async with app.run_test(size=(200, 24)) as pilot:
        assert "is a folder" in await saved(pilot, tmp_path)
        assert "is a folder" in await saved(pilot, "")
        assert "there is no folder" in await saved(pilot, tmp_path / "none" / "a.md")
        assert "is no ordinary file" in await saved(pilot, "/dev/full")
        assert "✗" in await saved(pilot, tmp_path / ("x" * 300))
        if os.geteuid():
            assert "✗" in await saved(pilot, locked / "a.md")
        assert not list(locked.iterdir()) and app.given == []
        await pilot.press("escape")
        assert app.given == [None]


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("When does the ferry sail?", "When-does-the-ferry-sail.md"),
        ("../../etc/passwd", "etc-passwd.md"),
        ("\x1b[2J", "2J.md"),
        ("???", "conversation.md"),
        ("fähre " * 40, ("fähre-" * 10).strip("-") + ".md"),
        ("漢" * 200, "漢" * 60 + ".md"),
    ],
)
def test_file_names_are_made_of_titles(title: str, name: str) -> None:
    assert file_name(title, "markdown") == name and len(name.encode()) <= 255


async def test_a_file_can_be_written_where_the_current_folder_is_gone(
    desk: Assistant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    app = Pushing(SavingScreen(desk, "c2", "Lighthouse"))
    async with app.run_test(size=(80, 24)) as pilot:
        app.screen.query_one(Line).value = str(tmp_path / "out.md")
        await pilot.press("enter")
        await settled(pilot)
        assert app.given == [tmp_path / "out.md"] and "lighthouse" in (tmp_path / "out.md").read_text(encoding="utf-8")


async def test_a_conversation_of_which_nothing_is_kept_is_not_written(desk: Assistant, tmp_path: Path) -> None:
    app = Pushing(SavingScreen(desk, "c9", "Cut"))
    async with app.run_test(size=(80, 24)) as pilot:
        app.screen.query_one(Line).value = str(tmp_path / "out.md")
        await pilot.press("enter")
        await settled(pilot)
        assert said(pilot).startswith("✗ nothing of this conversation is kept") and not (tmp_path / "out.md").exists()
