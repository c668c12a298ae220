"""The screen that is open all day: questions, their answers, and what they are asked of."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from time import perf_counter
from typing import TYPE_CHECKING, ClassVar
from uuid import uuid4

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.widgets import Footer
from textual.worker import Worker, WorkerState

from assistant.tui.asking import Questions, Task
from assistant.tui.citing import CitingScreen
from assistant.tui.errors import told
from assistant.tui.messages import Arrived
from assistant.tui.widgets.answer import AnswerView
from assistant.tui.widgets.composer import Composer
from assistant.tui.widgets.conversation import Conversation, Exchange
from assistant.tui.widgets.finding import Choice
from assistant.tui.widgets.scope import ScopeChip
from assistant.tui.widgets.source import SourcePane
from assistant.tui.widgets.status import StatusLine
from assistant.tui.widgets.suggestions import Suggestion
from assistant.tui.widgets.text import SourceText
from corpus.sanitizing import sanitize

if TYPE_CHECKING:
    from assistant.records.conversations import Conversation as Kept
    from assistant.records.history import Record
    from assistant.tui.scope import Scope
    from assistant.types import Answer, Turn

_COLLECTED = 10
"""Answers between two collections of what is no longer used, made when somebody has something to read."""
_MOST_RESUMED = 200
"""Exchanges of a conversation that is gone on with; an export has all."""


class ChatScreen(CitingScreen):
    """Owns the conversation; what it does with the documents goes through the application's desk."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close_source", "Close source"),
        Binding("escape", "stop", "Stop"),
        Binding("escape", "write", "Write", show=False),
        Binding("ctrl+r", "lift", "Lift", tooltip="Ask all documents again", priority=True),
        Binding("ctrl+l", "new_conversation", "New", tooltip="Start a new conversation", show=False, priority=True),
        Binding("f2", "documents", "Documents", tooltip="Browse the documents; ask only some of them", priority=True),
        Binding("f3", "conversations", "History", tooltip="Find, resume, rename, delete, export", priority=True),
        Binding("f4", "folders", "Folders", tooltip="Add and watch folders", show=False, priority=True),
        Binding("f8", "app.settings", "Settings", tooltip="How answers are made", show=False, priority=True),
        Binding("pageup", "scroll(-1)", "Page up", show=False, priority=True),
        Binding("pagedown", "scroll(1)", "Page down", show=False, priority=True),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.questions = Questions(self)
        self.status = StatusLine()
        self.conversation = uuid4().hex
        self._turns: list[Turn] = []
        """What was asked and answered in this conversation, oldest first."""
        self._deleted: list[Kept] = []
        """Conversations that can be had back, the last deleted at the end."""

    def compose(self) -> ComposeResult:
        with Container(id="desk"):
            yield Conversation()
            yield SourcePane()
        yield ScopeChip()
        yield Composer()
        yield self.status
        yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        self.query_one(SourcePane).load = self._standing
        self.query_one(Composer).focus()

    # Questions and their answers.

    @on(Composer.Asked)
    @on(Suggestion.Chosen)
    @on(Choice.Chosen)
    async def _on_asked(self, message: Composer.Asked | Suggestion.Chosen | Choice.Chosen) -> None:
        await self.ask(message.question)

    @on(AnswerView.AskAnyway)
    async def _on_ask_anyway(self, message: AnswerView.AskAnyway) -> None:
        if message.view.given is not None:
            await self.ask(message.view.given.question, anyway=True)

    async def ask(self, question: str, *, anyway: bool = False) -> None:
        """Puts a question behind those that wait."""
        self.main.silence()
        self.query_one(Composer).remember(question)
        conversation = self.conversation
        exchange = await self.query_one(Conversation).add(question)
        if self.conversation != conversation:
            return  # another was begun meanwhile, and its place is gone
        if self.main.failure:
            exchange.answer.fail(self.main.failure)
            return
        self.questions.waiting.append(Task(exchange, anyway))
        self.next_question()

    def next_question(self) -> None:
        """Starts on the next waiting question, and tells the others that they wait."""
        desk, ready = self.main.desk, self.main.ready
        if desk is not None and ready:
            scope = self.scope
            where = scope.where if scope else None
            if begun := self.questions.start(desk, self.conversation, tuple(self._turns), where):
                begun.answer.progress("Searching…")
        reason = "the answer before" if ready else "the index" if desk is None else "the model to load"
        self.questions.tell(lambda exchange, place: exchange.wait(place, reason))
        self.main.tell_state()
        self.refresh_bindings()

    @on(Exchange.TakenBack)
    async def _on_taken_back(self, message: Exchange.TakenBack) -> None:
        if self.questions.withdraw(message.exchange):
            await self.query_one(Conversation).take_back(message.exchange, self.main.notice())
            self.action_write()
            self.next_question()

    @on(Arrived)
    def _on_arrived(self, message: Arrived) -> None:
        task = message.task
        if task is not self.questions.current:
            return  # an answer that was stopped
        from assistant.types import Finished, Retrieved, TextDelta, Verified

        view = task.exchange.answer
        match message.event:
            case Retrieved(standalone_question=whole, passages=passages):
                view.retrieved(whole if whole != task.exchange.question else "", len(passages))
            case TextDelta(text=text):
                view.write(text)
            case Verified(statement=statement):
                view.verified(statement)
            case Finished(answer=answer):
                seconds = perf_counter() - task.began
                view.finish(answer, seconds)
                self._turns.append(answer.turn)
                self.status.answered(answer, seconds)
                self.main.tell_unkept()
                if answer.snapshot != self.main.snapshot:  # another process has indexed meanwhile
                    self.main.look()
                self.questions.current = None  # whatever its thread still has to do
                self.next_question()
                if len(self._turns) % _COLLECTED == 0:
                    gc.collect()

    @on(Worker.StateChanged)
    def _on_worker(self, message: Worker.StateChanged) -> None:
        worker = message.worker
        if worker.name != "answer" or not worker.is_finished:
            return
        exchange = self.questions.ended(worker)
        if exchange is not None:
            if message.state is WorkerState.ERROR and worker.error is not None:
                exchange.answer.fail(told(worker.error))
            self.next_question()

    def action_stop(self) -> None:
        """Cuts the answer at once and stops the model."""
        if exchange := self.questions.stop():
            from assistant.types import Turn

            exchange.answer.cut()
            self._turns.append(Turn(exchange.question))
            self.next_question()

    def fail_waiting(self, reason: str) -> None:
        """Tells every question that waits why it won't be answered."""
        while self.questions.waiting:
            self.questions.waiting.popleft().exchange.answer.fail(reason)

    # Conversations and what they are restricted to.

    @property
    def scope(self) -> Scope | None:
        """What questions are restricted to from now on."""
        return self.query_one(ScopeChip).scope

    @scope.setter
    def scope(self, scope: Scope | None) -> None:
        self.query_one(ScopeChip).scope = scope
        self.refresh_bindings()

    @on(ScopeChip.Lifted)
    def action_lift(self) -> None:
        self.scope = None
        self.action_write()

    async def action_new_conversation(self) -> None:
        await self._begin(uuid4().hex, ())
        await self.query_one(Conversation).clear(self.main.notice())
        self.main.suggest()

    async def resume(self, conversation: str) -> None:
        """Goes on with a conversation that was kept."""
        desk = self.main.opened
        records: list[Record] = []
        with self.main.telling("Conversation"):
            records = await self.main.in_thread(lambda: desk.conversations.records(conversation, _MOST_RESUMED))
            past = await self.main.in_thread(lambda: _past(records))
            await self._begin(conversation, records)
            await self.query_one(Conversation).show(past)

    async def _begin(self, conversation: str, records: Sequence[Record]) -> None:
        from assistant.tui.scope import scope_of

        self.questions.waiting.clear()
        self.action_stop()
        self.conversation = conversation
        self._turns = [record.turn for record in records]
        self.query_one(SourcePane).close()
        last = records[-1].context if records else None
        self.scope = scope_of(last.where) if last is not None and last.where is not None else None
        self.action_write()

    # Screens beside this one.

    @work
    async def action_documents(self) -> None:
        from assistant.tui.documents import DocumentsScreen

        if self.main.desk is not None:
            chosen = await self.app.push_screen_wait(DocumentsScreen(self.main.desk, self.scope))
            if chosen is not None:
                self.scope = chosen

    @work
    async def action_conversations(self) -> None:
        from assistant.tui.conversations import ConversationsScreen

        if self.main.desk is not None:
            screen = ConversationsScreen(self.main.desk, self.conversation, self._deleted)
            chosen = await self.app.push_screen_wait(screen)
            if chosen is not None and chosen != self.conversation:
                await self.resume(chosen)

    def action_folders(self) -> None:
        from assistant.tui.folders import FoldersScreen

        self.app.push_screen(FoldersScreen(self.main.indexing))

    @work
    async def action_resume_last(self) -> None:
        """Goes on with the conversation before this one."""
        desk = self.main.opened
        with self.main.telling("Conversations"):
            listed = await self.main.in_thread(lambda: desk.conversations.listed(2))
            if last := next((c for c in listed if c.id != self.conversation), None):
                await self.resume(last.id)
            else:
                self.notify("There is no earlier conversation.", markup=False)

    @work
    async def action_export(self) -> None:
        """Writes this conversation to a file."""
        from assistant.tui.saving import SavingScreen

        desk, title = self.main.opened, self._turns[0].question
        if path := await self.app.push_screen_wait(SavingScreen(desk, self.conversation, title)):
            self.notify(sanitize(f"Written to {path}"), title="Export", markup=False)

    def action_judgements(self) -> None:
        from assistant.tui.judgements import JudgementsScreen

        self.app.push_screen(JudgementsScreen(self.main.opened))

    def action_problems(self) -> None:
        """Lists the files that could not be read."""
        self.notify(sanitize(self.main.notice() or "Every file could be read."), title="Files", markup=False)

    async def action_withdraw(self) -> None:
        """Takes back every question that waits."""
        while self.questions.waiting:
            await self.query_one(Conversation).take_back(self.questions.waiting.pop().exchange, self.main.notice())
        self.refresh_bindings()

    def action_scroll(self, pages: int) -> None:
        conversation = self.query_one(Conversation)
        conversation.scroll_relative(y=pages * max(conversation.size.height - 1, 1), animate=False)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if not self.is_mounted:
            return True
        match action:
            case "stop":
                return self.questions.current is not None
            case "scroll":  # a source that is being read scrolls by itself
                return not isinstance(self.focused, SourceText)
            case "lift":
                return self.scope is not None
            case "documents" | "conversations" | "resume_last" | "judgements":
                return self.main.desk is not None
            case "export":
                return bool(self._turns)
            case "withdraw":
                return bool(self.questions.waiting)
        return super().check_action(action, parameters)


def _past(records: Sequence[Record]) -> list[tuple[str, Answer]]:
    from assistant.records.answers import answer_of

    return [(record.question, answer_of(record.answer)) for record in records]
