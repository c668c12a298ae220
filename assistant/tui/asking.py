"""Questions of a conversation, answered one after another in threads."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

from textual.widget import Widget
from textual.worker import Worker, get_current_worker

from assistant.tui.messages import Arrived

if TYPE_CHECKING:
    from assistant.api import Assistant
    from assistant.streaming import Stream
    from assistant.tui.widgets.conversation import Exchange
    from assistant.types import Turn
    from embeddings.types import Where


class Threads(ThreadPoolExecutor):
    """Threads that leaving the application doesn't wait for: a model that hangs must not keep it open."""

    def __init__(self) -> None:
        super().__init__(64, "desk")  # one that hangs takes none from the others

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002 - as asyncio calls it
        super().shutdown(wait=False, cancel_futures=True)


@dataclass(slots=True)
class Task:
    """A question on its way to its answer."""

    exchange: Exchange
    anyway: bool = False
    """Whether it is answered from the nearest passages however unsure that is."""
    began: float = 0.0
    stream: Stream | None = None
    worker: Worker[None] | None = None


class Questions:
    """At most one question is being answered; the others wait in the order they were asked."""

    def __init__(self, owner: Widget) -> None:
        self._owner = owner
        self.waiting: deque[Task] = deque()
        self.current: Task | None = None

    @property
    def idle(self) -> bool:
        return self.current is None and not self.waiting

    def start(
        self, desk: Assistant, conversation: str, turns: tuple[Turn, ...], where: Where | None
    ) -> Exchange | None:
        """Begins to answer the next question, if none is being answered; its events arrive at the owner."""
        if self.current is not None or not self.waiting:
            return None
        self.current = task = self.waiting.popleft()
        task.began = perf_counter()
        task.worker = self._owner.run_worker(
            lambda: self._answer(task, desk, conversation, turns, where), "answer", thread=True, exit_on_error=False
        )
        return task.exchange

    def stop(self) -> Exchange | None:
        """Ends the answer being written, and stops its model; what its thread still says is nobody's."""
        task, self.current = self.current, None
        if task is None:
            return None
        if task.worker is not None:
            task.worker.cancel()
        if task.stream is not None:
            task.stream.stop()
        return task.exchange

    def ended(self, worker: Worker[None]) -> Exchange | None:
        """The exchange that was being answered by a worker that has ended, which no longer is."""
        if self.current is None or self.current.worker is not worker:
            return None
        task, self.current = self.current, None
        return task.exchange

    def withdraw(self, exchange: Exchange) -> bool:
        """Takes back a question that waits."""
        kept = deque(task for task in self.waiting if task.exchange is not exchange)
        withdrawn, self.waiting = len(kept) < len(self.waiting), kept
        return withdrawn

    def tell(self, say: Callable[[Exchange, int], None]) -> None:
        """Calls `say` with each that waits, and its place from 1."""
        for place, task in enumerate(self.waiting, 1):
            say(task.exchange, place)

    def _answer(
        self, task: Task, desk: Assistant, conversation: str, turns: tuple[Turn, ...], where: Where | None
    ) -> None:
        task.stream = stream = desk.stream(
            task.exchange.question, turns, where=where, conversation=conversation, anyway=task.anyway
        )
        if get_current_worker().is_cancelled:
            stream.stop()
        for event in stream:
            self._owner.post_message(Arrived(task, event))
