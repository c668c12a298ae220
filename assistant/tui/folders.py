"""The folders of the index: which there are, one more, and how far indexing has come."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.suggester import Suggester
from textual.widget import Widget
from textual.widgets import Input, ProgressBar, Static

from assistant.tui.dialog import Dialog
from assistant.tui.errors import told
from assistant.tui.indexing import Indexing, Outcome, Progress
from assistant.tui.plain import plain
from assistant.tui.prompt import Line
from corpus.errors import AssistantError, UsageError
from corpus.sanitizing import sanitize

_FAILURES_SHOWN = 200


class FoldersScreen(Dialog[None]):
    """Shows what `indexing` does; leaving the screen stops nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f5", "index", "Index now", tooltip="Bring the index up to date"),
        Binding("f6", "watch", "Watch", tooltip="Bring the index up to date whenever a folder changes, or no longer"),
        Binding("f7", "failures", "Not read", tooltip="Show the files that could not be read, or hide them"),
        Binding("f9", "cancel", "Cancel", tooltip="End indexing; the index stays as it was"),
    ]

    def __init__(self, indexing: Indexing) -> None:
        super().__init__("Folders", "A folder's documents, and those in the folders inside it, can be asked about.")
        self._indexing = indexing
        self._ignore: Callable[[], None] | None = None

    def body(self) -> Iterable[Widget]:
        yield Static(classes="folders--held", markup=False)
        yield FolderInput()
        yield ProgressBar(show_eta=False)
        yield Static(classes="folders--run", markup=False)
        yield Static(classes="folders--watch", markup=False)
        yield Static(classes="folders--failures", markup=False)

    def on_mount(self) -> None:
        self._ignore = self._indexing.observe(self._show)
        self._show(self._indexing.progress)
        self.query_one(FolderInput).focus()
        self.run_worker(self._indexing.look(), exit_on_error=False)

    def on_unmount(self) -> None:
        if self._ignore is not None:
            self._ignore()

    def _show(self, _: Progress | Outcome | None) -> None:
        """Says what is so now."""
        indexing = self._indexing
        held = "\n".join(f"• {sanitize(str(folder))}" for folder in indexing.folders)
        self.query_one(".folders--held", Static).update(plain(held or "No folder is indexed yet."))
        bar, progress = self.query_one(ProgressBar), indexing.progress
        bar.display = progress is not None
        bar.update(total=(progress and progress.total) or None, progress=progress.done if progress else 0)
        said = progress_line(progress) if progress else indexing.outcome.summary if indexing.outcome else ""
        sign = "✗ " if not progress and indexing.outcome and indexing.outcome.error else ""
        self.query_one(".folders--run", Static).update(plain(sign + said))
        watched = "● Watched: what changes is indexed." if indexing.watching else "○ Not watched."
        self.query_one(".folders--watch", Static).update(
            plain(f"⚠ {indexing.trouble}" if indexing.trouble else watched)
        )
        self.refresh_bindings()

    @on(Input.Submitted)
    @work(exclusive=True, exit_on_error=False)
    async def _add(self, message: Input.Submitted) -> None:
        try:
            folder = await asyncio.to_thread(checked, message.value, self._indexing.folders, self._indexing.index)
        except AssistantError as error:
            self.say(told(error))
            return
        self.say()
        message.input.clear()
        self._indexing.start((*self._indexing.folders, folder))

    def action_index(self) -> None:
        self._indexing.start()

    def action_watch(self) -> None:
        self._indexing.watch(not self._indexing.watching)

    def action_cancel(self) -> None:
        self._indexing.cancel()

    def action_failures(self) -> None:
        shown = self.query_one(".folders--failures", Static)
        shown.display = not shown.display
        failures = self._indexing.outcome.failures if self._indexing.outcome else ()
        lines = [f"{failure.path}: {failure.reason}" for failure in failures[:_FAILURES_SHOWN]]
        more = [f"and {len(failures) - len(lines):,} more"] if len(failures) > len(lines) else []
        shown.update(plain("\n".join([*lines, *more])))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002 - as Textual calls it
        running, outcome = self._indexing.running, self._indexing.outcome
        return {
            "index": bool(self._indexing.folders) and not running,
            "watch": bool(self._indexing.folders),
            "failures": outcome is not None and bool(outcome.failures),
            "cancel": running,
        }.get(action, True)


class FolderInput(Line):
    """A path, which Tab completes as in a shell."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("tab", "complete", "Complete", show=False)]

    def __init__(self) -> None:
        super().__init__(placeholder="Add a folder: ~/Documents")
        self.suggester = FolderSuggester()

    def action_complete(self) -> None:
        before = self.value
        self.action_cursor_right()
        if self.value == before:
            self.screen.focus_next()


class FolderSuggester(Suggester):
    """The first folder, by name, that a path may go on to."""

    def __init__(self) -> None:
        super().__init__(use_cache=False, case_sensitive=True)

    async def get_suggestion(self, value: str) -> str | None:
        return await asyncio.to_thread(completed, value)


def completed(value: str) -> str | None:
    """The path with the name of its last folder made whole, and `/`; None where there is no such folder."""
    if value == "~":
        return "~/"
    parent, slash, begun = value.rpartition("/")
    try:
        with os.scandir(Path(parent + slash or ".").expanduser()) as entries:
            names = [e.name for e in entries if e.name.startswith(begun) and e.is_dir() and e.name == sanitize(e.name)]
    except (OSError, RuntimeError, ValueError):  # no such folder, no such user, no such path
        return None
    shown = [name for name in names if begun or not name.startswith(".")]
    return f"{parent}{slash}{min(shown)}/" if shown and value else None


def checked(named: str, held: Sequence[Path], index: Path) -> Path:
    """The folder of that name, resolved. Raises `UsageError` where the index can't take it in beside those it holds."""
    try:
        folder = Path(named.strip()).expanduser().resolve(strict=True)
    except (OSError, RuntimeError, ValueError) as error:
        raise UsageError(f"there is no folder {named.strip()!r}: give the path of one that holds documents") from error
    if not named.strip() or not folder.is_dir():
        raise UsageError(f"{named.strip()!r} isn't a folder: give the path of one that holds documents")
    if folder.is_relative_to(index.resolve()):
        raise UsageError(f"{str(folder)!r} is the index itself: give a folder of documents")
    for other in (other.resolve() for other in held):
        if folder.is_relative_to(other):
            raise UsageError(f"{str(folder)!r} is indexed already, with {str(other)!r}: F5 brings it up to date")
        if folder.name == other.name:
            raise UsageError(f"{str(other)!r} has the same name: rename one of the two")
    return folder


def progress_line(progress: Progress) -> str:
    """Files, passages, rate and time left, as far as they are known."""
    if not progress.total:
        return "Looking through the folders…"
    parts = [f"{progress.done:,} of {progress.total:,} files", f"{progress.passages:,} passages"]
    if progress.rate is not None:
        parts.append(f"{progress.rate:,.0f} passages/s")
    if progress.seconds_left is not None:
        parts.append(f"about {_duration(progress.seconds_left)} left")
    return " · ".join(parts)


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{max(seconds, 1):.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
