"""The terminal application. Threads do the work and post messages; the handlers here own the widgets."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, ClassVar
from uuid import uuid4

from textual import on, work
from textual.app import App, ComposeResult, SystemCommand
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.events import Event, Key, Paste
from textual.screen import Screen
from textual.widgets import Footer
from textual.worker import NoActiveWorker, Worker, WorkerState, get_current_worker

from assistant.secrets import redact
from assistant.tui.generator import GeneratorScreen
from assistant.tui.messages import Arrived, Indexing, Opened, Ready
from assistant.tui.widgets.citation import CitationChip
from assistant.tui.widgets.composer import Composer
from assistant.tui.widgets.conversation import Conversation, Exchange
from assistant.tui.widgets.source import SourcePane, SourceText
from assistant.tui.widgets.status import StatusLine
from corpus.errors import AssistantError
from corpus.sanitizing import sanitize

if TYPE_CHECKING:
    from assistant.answering import Stream
    from assistant.api import Assistant
    from assistant.types import Turn
    from corpus.types import ReadFailure

Progress = Callable[[int, int, int], None]
"""Told files done, files in all and passages embedded, while a folder is indexed."""
Opener = Callable[[Progress], "Assistant"]
"""Opens an assistant, indexing first if it must; runs in a thread of its own."""
_FAILURES_SHOWN = 3


class AssistantApp(App[None]):
    """Conversation, source, composer and status on one screen, there before any model is."""

    CSS_PATH = Path(__file__).with_name("app.tcss")
    TITLE = "Ask your documents"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012 - declared by Textual
    COMMAND_PALETTE_BINDING = "ctrl+o"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close_source", "Close source"),
        Binding("escape", "stop", "Stop"),
        Binding("escape", "write", "Write", show=False),
        Binding("ctrl+n", "next_citation", "Next", priority=True),
        Binding("ctrl+p", "previous_citation", "Previous", priority=True),
        Binding("n", "next_citation", show=False),
        Binding("p", "previous_citation", show=False),
        Binding("pageup", "scroll(-1)", show=False),
        Binding("pagedown", "scroll(1)", show=False),
        Binding("ctrl+t", "toggle_left_out", "Left out", tooltip="Show what was left out, and why", priority=True),
        Binding("ctrl+l", "new_conversation", "New", tooltip="Start a new conversation", priority=True),
        Binding("ctrl+q", "quit", "Quit", priority=True),
    ]

    def __init__(self, opener: Opener) -> None:
        super().__init__()
        self._opener = opener
        self.desk: Assistant | None = None
        self._warm = False
        self._failure = ""
        """Why there is nothing to ask, once that is known."""
        self._unread: Sequence[ReadFailure] = ()
        self._waiting: deque[Exchange] = deque()
        self._current: Exchange | None = None
        self._writing: Worker[None] | None = None
        """The thread that answers `_current`."""
        self._began = 0.0
        self._conversation = uuid4().hex
        self._stream: Stream | None = None
        self._turns: list[Turn] = []
        """What was asked and answered in this conversation, oldest first."""

    @property
    def idle(self) -> bool:
        """Nothing is being answered, and no question waits."""
        return self._current is None and not self._waiting

    def compose(self) -> ComposeResult:
        with Container(id="desk"):
            yield Conversation()
            yield SourcePane()
        yield Composer()
        yield StatusLine()
        yield Footer(compact=True)

    def on_mount(self) -> None:
        self._say("○ opening the index…")
        self.query_one(Composer).focus()
        self.call_after_refresh(self._prepare)

    async def on_event(self, event: Event) -> None:
        # Text that no binding in force claims is for the composer: before it goes anywhere, so that it stays in order.
        if isinstance(event, Key | Paste) and not event.is_forwarded and not isinstance(self.focused, Composer):
            claimed = isinstance(event, Key) and event.key in self.screen.active_bindings
            if not claimed and (isinstance(event, Paste) or event.is_printable):
                self.action_write()
        await super().on_event(event)

    # In threads: nothing here touches a widget.

    @work(thread=True, name="prepare", exit_on_error=False)
    def _prepare(self) -> None:
        worker = get_current_worker()

        def progress(done: int, total: int, chunks: int) -> None:
            if worker.is_cancelled:
                raise NoActiveWorker("the application was closed")
            self.post_message(Indexing(done, total, chunks))

        desk = self._opener(progress)
        self.post_message(Opened(desk))
        desk.warm()
        self.post_message(Ready())

    @work(thread=True, name="answer", exit_on_error=False)
    def _answer(self, desk: Assistant, exchange: Exchange, turns: tuple[Turn, ...]) -> None:
        self._stream = stream = desk.stream(exchange.question, turns, conversation=self._conversation)
        if get_current_worker().is_cancelled:
            stream.stop()
        for event in stream:
            self.post_message(Arrived(exchange, event))

    # What the threads say.

    @on(Indexing)
    def _on_indexing(self, message: Indexing) -> None:
        self._say(f"○ indexing {message.done} of {message.total} files, {message.chunks} passages")

    @on(Opened)
    def _on_opened(self, message: Opened) -> None:
        self.desk = message.desk
        status = self.query_one(StatusLine)
        count = message.desk.snapshot.documents
        status.index = f"{count:,} document{'' if count == 1 else 's'}"
        status.generator = message.desk.generator
        self._say("○ loading the model…")
        self._unread = message.desk.failures()
        status.failures = len(self._unread)
        self.query_one(Conversation).notice(self._notice())

    @on(Ready)
    def _on_ready(self) -> None:
        self._warm = True
        self._next()

    @on(Arrived)
    def _on_arrived(self, message: Arrived) -> None:
        exchange = message.exchange
        if exchange is not self._current:
            return  # an answer that was stopped
        from assistant.types import Finished, Retrieved, TextDelta, Turn, Verified  # brings NumPy, see AnswerView

        match message.event:
            case Retrieved(standalone_question=whole, passages=passages):
                exchange.answer.retrieved(whole if whole != exchange.question else "", len(passages))
            case TextDelta(text=text):
                exchange.answer.write(text)
            case Verified(statement=statement):
                exchange.answer.verified(statement)
            case Finished(answer=answer):
                seconds = perf_counter() - self._began
                exchange.answer.finish(answer, seconds)
                self._turns.append(Turn(exchange.question, "" if answer.refused else answer.text))
                self.query_one(StatusLine).seconds = seconds
        self.refresh_bindings()

    @on(Worker.StateChanged)
    def _on_worker(self, message: Worker.StateChanged) -> None:
        worker = message.worker
        if worker.name not in ("prepare", "answer") or not worker.is_finished:
            return
        error = worker.error if message.state is WorkerState.ERROR else None
        if worker.name == "answer" and worker is self._writing:
            exchange, self._current = self._current, None
            if error is not None and exchange is not None:
                exchange.answer.fail(_line(error))
            self._next()
            self.refresh_bindings()
        elif worker.name == "prepare" and error is not None:
            self._failure = _line(error)
            self._say(f"✗ {self._failure}")
            self.query_one(Conversation).notice(self._notice())
            while self._waiting:
                self._waiting.popleft().answer.fail(self._failure)

    # What the user does.

    @on(Composer.Asked)
    async def _on_asked(self, message: Composer.Asked) -> None:
        exchange = await self.query_one(Conversation).add(message.question)
        if self._failure:
            exchange.answer.fail(self._failure)
            return
        self._waiting.append(exchange)
        self._next()
        self.refresh_bindings()

    @on(CitationChip.Chosen)
    def _on_chosen(self, message: CitationChip.Chosen) -> None:
        self._open(message.chip)
        self.query_one(SourceText).focus()

    def action_next_citation(self) -> None:
        self._step(1)

    def action_previous_citation(self) -> None:
        self._step(-1)

    def action_close_source(self) -> None:
        self.query_one(SourcePane).close()
        self.action_write()
        self.refresh_bindings()

    def action_stop(self) -> None:
        """Cuts the answer at once and stops the model; what its thread still says is ignored."""
        if self._current is not None and self._writing is not None:
            self._current.answer.cut()
            self._current = None
            self._writing.cancel()
            if self._stream is not None:
                self._stream.stop()

    def action_toggle_left_out(self) -> None:
        """Shows or hides the sentences that were left out, each with its reason."""
        self.query_one(Conversation).toggle_class("-all")

    def action_write(self) -> None:
        for composer in self.screen.query(Composer):  # none in the palette
            self.screen.set_focus(composer)

    def action_scroll(self, pages: int) -> None:
        conversation = self.query_one(Conversation)
        conversation.scroll_relative(y=pages * (conversation.size.height - 1), animate=False)

    async def action_new_conversation(self) -> None:
        self._waiting.clear()
        self.action_stop()
        self._conversation = uuid4().hex
        self._turns.clear()
        self.query_one(SourcePane).close()
        await self.query_one(Conversation).clear(self._notice())
        self.action_write()
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002 - as Textual calls it
        if action == "close_source":
            return any(pane.chip is not None for pane in self.query(SourcePane))
        if action == "stop":
            return self._current is not None
        if action == "toggle_left_out":
            return bool(self.query("Finding.-left-out"))
        if action in ("next_citation", "previous_citation"):
            return bool(self.query(CitationChip))
        return True

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        yield from super().get_system_commands(screen)
        yield SystemCommand("New conversation", "Forget the questions so far", self.action_new_conversation)
        yield SystemCommand("Generator", "Choose what writes the answers", self.action_choose_generator)
        yield SystemCommand("Files not read", "List the files that could not be read", self.action_list_unread)
        yield SystemCommand("Next citation", "Go to the next citation", self.action_next_citation)
        yield SystemCommand("Previous citation", "Go to the previous citation", self.action_previous_citation)

    @work
    async def action_choose_generator(self) -> None:
        """Asks what is to write the answers from now on; what doesn't work is told, and nothing changes."""
        if self.desk is None:
            return
        from assistant.generators import names  # brings NumPy, as above

        name = await self.push_screen_wait(GeneratorScreen(self.desk.generator, names()))
        if name is not None:
            try:
                self.desk.use(name)
            except Exception as error:  # a third party's too: nothing that a generator does may end the application
                self.notify(sanitize(redact(_line(error))), title="Generator", severity="error", markup=False)
            self.query_one(StatusLine).generator = self.desk.generator

    def action_list_unread(self) -> None:
        """Shows the files that could not be read, as a notification."""
        notice = self._notice() or "Every file could be read."
        self.notify(sanitize(notice), title="Files", markup=False)

    def _next(self) -> None:
        """Starts on the next waiting question, and tells the others that they wait."""
        if self._waiting and self.desk is not None and self._warm and self._current is None:
            self._current = self._waiting.popleft()
            self._current.answer.progress("Searching…")
            self._began = perf_counter()
            self._writing = self._answer(self.desk, self._current, tuple(self._turns))
        for exchange in self._waiting:
            reason = "the answer before" if self._warm else "the model to load"
            exchange.answer.progress(f"⧗ Waiting for {reason}…")
        self._say_state()

    def _say_state(self) -> None:
        if self._warm:
            self._say("○ answering…" if self._current else "● ready")

    def _notice(self) -> str:
        if self._failure:
            return f"✗ {self._failure}"
        count = len(self._unread)
        lines = [f"⚠ {count} file{'' if count == 1 else 's'} could not be read:"] if count else []
        lines += [f"  {failure.path}: {failure.reason}" for failure in self._unread[:_FAILURES_SHOWN]]
        return "\n".join([*lines, f"  and {count - _FAILURES_SHOWN} more"] if count > _FAILURES_SHOWN else lines)

    def _say(self, activity: str) -> None:
        self.query_one(StatusLine).activity = activity

    def _step(self, by: int) -> None:
        """Moves `by` citations from the one that is open or focused, or into the last answer."""
        conversation, pane = self.query_one(Conversation), self.query_one(SourcePane)
        chips = conversation.chips
        here = pane.chip or self.focused
        if here in chips:
            chip = chips[min(max(chips.index(here) + by, 0), len(chips) - 1)]
        elif latest := conversation.latest:
            chip = latest[0 if by > 0 else -1]
        else:
            return
        if pane.chip is not None:
            self._open(chip)
        else:
            chip.focus()

    def _open(self, chip: CitationChip) -> None:
        self.query_one(SourcePane).open(chip)
        self.call_after_refresh(self.query_one(Conversation).scroll_to_center, chip, animate=False)
        self.refresh_bindings()


def _line(error: BaseException) -> str:
    """What the user is told: an error meant for them as it is, any other with its kind."""
    return str(error) if isinstance(error, AssistantError) else f"unexpected {type(error).__name__}: {error}"
