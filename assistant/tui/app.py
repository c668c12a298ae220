"""The terminal application. Threads and a child process do the work; what they say arrives as messages."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, ClassVar, TypeVar

from textual import on, work
from textual.events import Event, Key, Paste
from textual.filter import LineFilter
from textual.worker import Worker, WorkerState, get_current_worker

from assistant.tui.asking import Threads
from assistant.tui.chat import ChatScreen
from assistant.tui.errors import told
from assistant.tui.filters import line_filters
from assistant.tui.indexing import Indexing, Outcome, Progress
from assistant.tui.launch import Launch
from assistant.tui.messages import Opened, Ready
from assistant.tui.steering import SteeredApp
from assistant.tui.widgets.conversation import Conversation
from corpus.errors import AssistantError, IndexUnavailable
from corpus.sanitizing import sanitize

if TYPE_CHECKING:
    from assistant.api import Assistant
    from corpus.types import ReadFailure
    from embeddings.types import Snapshot

_FAILURES_SHOWN = 3
_Result = TypeVar("_Result")


class AssistantApp(SteeredApp):
    """Owns the desk, the indexing run and the watch; the chat screen is there before any of them."""

    CSS_PATH: ClassVar[list[str | PurePath]] = [*sorted(Path(__file__).with_name("styles").glob("*.tcss"))]
    TITLE = "Ask your documents"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012 - declared by Textual
    VERTICAL_BREAKPOINTS = [(0, "-short"), (12, "-tall")]  # noqa: RUF012 - declared by Textual

    def __init__(self, launch: Launch) -> None:
        super().__init__()
        self.launch = launch
        self.desk: Assistant | None = None
        self.ready = False
        """Whether the models are loaded."""
        self.failure = ""
        """Why there is nothing to ask, once that is known."""
        self.indexing = Indexing(launch.index, launch.options)
        self._unread: Sequence[ReadFailure] = ()
        self.snapshot: Snapshot | None = None
        """Of the index, as it is told."""
        self._quiet = threading.Event()
        """Set when questions of the user's own come before suggestions."""
        self._unkept = ""
        """Why answers aren't kept, as it was told last."""

    def get_default_screen(self) -> ChatScreen:
        self.chat = ChatScreen()
        return self.chat

    def get_line_filters(self) -> Sequence[LineFilter]:
        return [*super().get_line_filters(), *line_filters()]

    async def on_event(self, event: Event) -> None:
        # Text that no binding in force claims is for the composer: before it goes anywhere, so that it stays in order.
        if isinstance(event, Key | Paste) and not event.is_forwarded and self.screen is self.chat:
            claimed = isinstance(event, Key) and event.key in self.chat.active_bindings
            if not claimed and (isinstance(event, Paste) or event.is_printable):
                self.chat.action_write()
        await super().on_event(event)

    @property
    def idle(self) -> bool:
        """Nothing is being answered, and no question waits."""
        return self.chat.questions.idle

    def on_mount(self) -> None:
        asyncio.get_running_loop().set_default_executor(Threads())
        self.indexing.observe(self._on_indexing)
        self.say("○ opening the index…")
        self.call_after_refresh(self._start)

    def _start(self) -> None:
        from assistant.config import ApplicationSettings

        with self.telling("Settings"):
            application = ApplicationSettings.read(self.launch.settings_file)
            self.wear(application.theme)
            if self.launch.watch or application.watch:
                self.indexing.watch(True)
        if self.launch.folders:
            self.indexing.start(self.launch.folders)
        self._prepare()

    async def on_unmount(self) -> None:
        self._quiet.set()
        await self.indexing.close()

    # The desk.

    @work(thread=True, name="prepare", exclusive=True, group="prepare", exit_on_error=False)
    def _prepare(self) -> None:
        try:
            desk = self.launch.open()
        except IndexUnavailable:
            raise
        except AssistantError as error:  # the generator, mostly: documents and history are there without it
            if self.launch.spare is None:
                raise
            desk = self.launch.spare()
            said = sanitize(f"{told(error)}. Until then extractive answers; Ctrl+O, Generator chooses another.")
            self.call_from_thread(self.notify, said, title="Generator", severity="error", timeout=30, markup=False)
        if get_current_worker().is_cancelled:
            desk.close()
            return
        self.post_message(Opened(desk))
        desk.warm()
        gc.freeze()  # what is loaded by now stays; each full collection would look through it, for .1 s
        self.post_message(Ready())

    @on(Opened)
    def _on_opened(self, message: Opened) -> None:
        former, self.desk = self.desk, message.desk
        if former is not None:  # an answer that it is writing ends there
            self.run_worker(former.close, thread=True, exit_on_error=False)
        self.failure = ""
        self.say("○ loading the model…")
        self.look()

    @on(Ready)
    def _on_ready(self) -> None:
        self.ready = True
        self.chat.next_question()
        self.suggest()

    @on(Worker.StateChanged)
    def _on_worker(self, message: Worker.StateChanged) -> None:
        worker = message.worker
        failed = worker.name == "prepare" and message.state is WorkerState.ERROR
        if failed and worker.error is not None and not self.indexing.running:  # else it is opened when there is one
            outcome = self.indexing.outcome
            unmade = " Or press F4 and add a folder." if isinstance(worker.error, IndexUnavailable) else ""
            self._fail((outcome and outcome.error) or told(worker.error) + unmade)

    def _fail(self, reason: str) -> None:
        """Says why there is nothing to ask."""
        self.failure = reason
        self.say(f"✗ {reason}")
        self.chat.query_one(Conversation).notice(self.notice())
        self.chat.fail_waiting(reason)

    @work(exclusive=True, group="look", exit_on_error=False)
    async def look(self, *, indexed: bool = False) -> None:
        """Tells what is indexed now; what was `indexed` for another embedder needs another desk."""
        desk = self.opened
        with self.telling("Index"):
            try:
                self.snapshot = snapshot = await self.in_thread(lambda: desk.snapshot)
            except IndexUnavailable:
                if not indexed:
                    raise
                self.ready = False
                self._prepare()
                return
            self._unread = await self.in_thread(desk.failures)
            self.chat.look_again()
            status, count = self.chat.status, snapshot.documents
            status.index = f"{count:,} document{'' if count == 1 else 's'}"
            status.failures = len(self._unread)
            self.tell_means()
            self.chat.query_one(Conversation).notice(self.notice())

    def suggest(self) -> None:
        """Offers questions on an empty screen, once there is time to find some."""
        if self.ready and self.idle and not self.chat.query_one(Conversation).answers:
            self.silence()
            self._quiet = threading.Event()
            self._suggest(self._quiet)

    @work(exclusive=True, group="suggest", exit_on_error=False)
    async def _suggest(self, quiet: threading.Event) -> None:
        desk = self.opened
        with self.telling("Suggestions"):
            found = await self.in_thread(lambda: desk.suggestions(4, quiet))
            if not quiet.is_set():
                await self.chat.query_one(Conversation).suggest(found)

    def silence(self) -> None:
        """Stops looking for suggestions: the user asks."""
        self._quiet.set()

    def _on_indexing(self, state: Progress | Outcome | None) -> None:
        if self.indexing.running and self.desk is None and self.failure:
            self.failure = ""  # there will be an index to ask
            self.chat.query_one(Conversation).notice("")
        self.tell_state()
        if state is None and self.indexing.trouble:
            self.notify(sanitize(self.indexing.trouble), title="Watching", severity="warning", markup=False)
        if self.indexing.running or not isinstance(state, Outcome):
            return
        opening = any(worker.name == "prepare" and not worker.is_finished for worker in self.workers)
        if state.error and self.desk is None and not opening:
            self._fail(state.error)
        elif state.error:
            self.notify(sanitize(state.error), title="Indexing", severity="warning", markup=False)
        elif self.desk is None or not (self.ready or opening):
            self._prepare()
        else:
            self.look(indexed=True)

    # What is said.

    def say(self, activity: str) -> None:
        self.chat.status.activity = activity

    def tell_state(self) -> None:
        """What is going on, in the status line."""
        progress = self.indexing.progress
        if self.ready:
            self.say("○ answering…" if self.chat.questions.current else "● ready")
        elif progress is not None and self.desk is None:
            self.say(f"○ indexing {progress.done:,} of {progress.total:,} files, {progress.passages:,} passages")
        beside = progress is not None and self.ready
        self.chat.status.indexing = f"indexing {progress.done:,}/{progress.total:,}" if beside and progress else ""

    def tell_unkept(self) -> None:
        """Says once why answers aren't kept."""
        reason = self.opened.unkept
        if reason and reason != self._unkept:
            self.notify(sanitize(reason), title="Not kept", severity="warning", markup=False, timeout=20)
        self._unkept = reason

    def notice(self) -> str:
        """What is amiss with the index; empty where nothing is."""
        if self.failure:
            return f"✗ {self.failure}"
        count = len(self._unread)
        lines = [f"⚠ {count} file{'' if count == 1 else 's'} could not be read:"] if count else []
        lines += [f"  {failure.path}: {failure.reason}" for failure in self._unread[:_FAILURES_SHOWN]]
        return "\n".join([*lines, f"  and {count - _FAILURES_SHOWN} more (F2)"] if count > _FAILURES_SHOWN else lines)
