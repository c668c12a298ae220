"""The screen of folders, on an index of its own."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import ClassVar

import pytest
from textual.app import App
from textual.events import Paste
from textual.pilot import Pilot
from textual.widgets import ProgressBar, Static

import assistant.tui
from assistant.tui.folders import FolderInput, FoldersScreen, checked, completed, progress_line
from assistant.tui.indexing import Indexing, Outcome, Progress
from corpus.errors import UsageError
from corpus.types import ReadFailure

STYLES = Path(assistant.tui.__file__).parent / "styles"
pytestmark = pytest.mark.asyncio


class FoldersApp(App[None]):
    """The screen alone."""

    CSS_PATH: ClassVar = [STYLES / "steer.tcss", STYLES / "terminal.tcss"]

    def __init__(self, indexing: Indexing) -> None:
        super().__init__()
        self.indexing = indexing

    def on_mount(self) -> None:
        self.push_screen(FoldersScreen(self.indexing))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "pier.txt").write_text("The pier at Skell opens on 6 May 2024.\n", encoding="utf-8")
    (folder / "broken.pdf").write_bytes(b"%PDF-1.4 no more")
    return folder


def said(app: App[None], name: str) -> str:
    return str(app.screen.query_one(f".{name}", Static).render())


async def ended(pilot: Pilot[None], indexing: Indexing) -> None:
    done = asyncio.Event()
    forget = indexing.observe(lambda _: None if indexing.running else done.set())
    if indexing.running:
        await asyncio.wait_for(done.wait(), 60)
    forget()
    await pilot.pause()


async def enter(pilot: Pilot[None], text: str) -> None:
    pilot.app.screen.query_one(FolderInput).value = text
    await pilot.press("enter")
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()


async def test_a_folder_is_added_and_its_failures_are_counted(folder: Path, tmp_path: Path) -> None:
    indexing = Indexing(tmp_path / "index", ("--embedder", "hashing"))
    app = FoldersApp(indexing)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert said(app, "folders--held") == "No folder is indexed yet."
        assert "f7" not in app.screen.active_bindings and "f9" not in app.screen.active_bindings
        await enter(pilot, str(folder))
        assert indexing.running and app.screen.query_one(ProgressBar).display
        assert app.screen.active_bindings["f9"].binding.description == "Cancel"
        await ended(pilot, indexing)
        assert said(app, "folders--held") == f"• {folder}"
        assert said(app, "folders--run") == "1 added, 1 not read; 1 passages"
        assert not app.screen.query_one(ProgressBar).display
        await pilot.press("f7")
        assert said(app, "folders--failures").startswith("broken.pdf: ")
        await pilot.press("f6")
        assert indexing.watching and said(app, "folders--watch").startswith("● Watched")
        await pilot.press("f6")
        assert not indexing.watching and said(app, "folders--watch").startswith("○ Not watched")
        await pilot.press("escape")
        assert not isinstance(app.screen, FoldersScreen)
    await indexing.close()


async def test_a_paste_of_any_size_is_no_path(tmp_path: Path) -> None:
    app = FoldersApp(Indexing(tmp_path / "index"))
    async with app.run_test(size=(80, 24)) as pilot:
        app.post_message(Paste("x" * 5_000_000))
        await pilot.press("a")
        assert app.screen.query_one(FolderInput).value == "a"


async def test_leaving_the_screen_stops_nothing_and_cancelling_does(folder: Path, tmp_path: Path) -> None:
    indexing = Indexing(tmp_path / "index", ("--embedder", "hashing"))
    app = FoldersApp(indexing)
    async with app.run_test(size=(80, 24)) as pilot:
        await enter(pilot, str(folder))
        await pilot.press("escape")
        assert indexing.running
        app.push_screen(FoldersScreen(indexing))
        await pilot.pause()
        assert app.screen.query_one(ProgressBar).display
        await pilot.press("f9")
        await ended(pilot, indexing)
        assert said(app, "folders--run").startswith("✗ indexing was cancelled")


async def test_what_is_no_folder_is_told_there(folder: Path, tmp_path: Path) -> None:
    app = FoldersApp(Indexing(tmp_path / "index"))
    async with app.run_test(size=(80, 24)) as pilot:
        await enter(pilot, str(folder / "pier.txt"))
        assert "isn't a folder" in said(app, "dialog--said")
        assert app.screen.query_one(FolderInput).value == str(folder / "pier.txt")


@pytest.mark.parametrize("named", ["", "  ", "missing", "~nobody-of-this-name/x", "a\0b", "x" * 5000, "/dev/null"])
async def test_no_folder_is_refused(named: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="give the path of one"):
        checked(named and str(tmp_path / named) if named == "missing" else named, (), tmp_path / "index")


async def test_a_folder_that_clashes_is_refused(folder: Path, tmp_path: Path) -> None:
    index, inside, same = tmp_path / "index", folder / "inside", tmp_path / "other" / "notes"
    for made in (index, inside, same):
        made.mkdir(parents=True)
    for named, why in ((index, "is the index itself"), (inside, "is indexed already"), (same, "has the same name")):
        with pytest.raises(UsageError, match=why):
            checked(str(named), (folder,), index)
    assert checked(f" {tmp_path / 'other'}/ ", (folder,), index) == tmp_path / "other"


async def test_paths_are_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("Documents", "Downloads", ".config", "evil\x1b[2J"):
        (tmp_path / name).mkdir()
    (tmp_path / "Desktop.txt").touch()
    assert [completed(value) for value in ("~", "~/D", "~/Dow", "~/De", "~/", "~/.", "~/evil", "", "~x/", "/no/")] == [
        "~/", "~/Documents/", "~/Downloads/", None, "~/Documents/", "~/.config/", None, None, None, None
    ]  # fmt: skip
    app = FoldersApp(Indexing(tmp_path / "index"))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*"~/Dow")
        await app.workers.wait_for_complete()
        await pilot.pause()
        await pilot.press("tab")
        assert app.screen.query_one(FolderInput).value == "~/Downloads/"
        assert isinstance(app.focused, FolderInput)


@pytest.mark.parametrize("size", [(20, 5), (80, 24), (160, 48)])
async def test_any_size_shows_the_screen(folder: Path, tmp_path: Path, size: tuple[int, int]) -> None:
    indexing = Indexing(tmp_path / "index")
    indexing.outcome = Outcome(failures=tuple(ReadFailure(f"\x1b[2J[/]{n}.pdf", "[@click=x]no") for n in range(900)))
    app = FoldersApp(indexing)
    async with app.run_test(size=size) as pilot:
        await pilot.press("f7", "pagedown", "tab", "tab")
        await pilot.resize_terminal(40, 10)
        assert said(app, "folders--failures").splitlines()[-1] == "and 700 more"


async def test_progress_is_said_as_far_as_it_is_known() -> None:
    assert progress_line(Progress()) == "Looking through the folders…"
    assert progress_line(Progress(1, 2, 30)) == "1 of 2 files · 30 passages"
    whole = Progress(120, 4000, 3200, 309.7, 5400)
    assert progress_line(whole) == "120 of 4,000 files · 3,200 passages · 310 passages/s · about 1 h 30 min left"
    left = [progress_line(Progress(1, 2, 3, 1.0, seconds)).rpartition("about ")[2] for seconds in (0.2, 59.4, 130)]
    assert left == ["1 s left", "59 s left", "2 min left"]
