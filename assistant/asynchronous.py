"""The same assistant for an event loop, which it never blocks: the work is done in a few threads of its own."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Set
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from contextvars import copy_context
from threading import Thread
from typing import TYPE_CHECKING, Any, Concatenate, Generic, NoReturn, ParamSpec, Self, TypeVar

from assistant.api import Assistant
from assistant.dialogue import Dialogue
from assistant.limits import REMOTE, Deadline, Place
from assistant.records.conversations import Conversations
from assistant.records.feedback import FeedbackLog
from assistant.streaming import Stream
from assistant.types import Answer, Event, Turn
from corpus.errors import Closed, UsageError

T = TypeVar("T")
P = ParamSpec("P")
R = TypeVar("R")
T_co = TypeVar("T_co", covariant=True)
Awaited = Coroutine[Any, Any, R]
_SPARE = 4
"""Threads beside those that answer."""
_LATE = 1.0
"""Seconds that an answer has to end by itself when its time is over."""


class _Beside(Generic[T_co]):
    """Something that blocks, and the threads that it may block."""

    def __init__(self, inner: T_co, threads: ThreadPoolExecutor) -> None:
        self._inner = inner
        self._threads = threads

    async def _run(self, call: Callable[[], R]) -> R:
        """What a call gives, made in one of the threads, in the task's context: its spans stand under the task's."""
        try:
            made = asyncio.get_running_loop().run_in_executor(self._threads, copy_context().run, call)
        except RuntimeError as error:  # the threads are gone
            raise Closed("the assistant is closed: open it again with `AsyncAssistant.open`") from error
        return await made

    @asynccontextmanager
    async def _streaming(self, begin: Callable[[], Stream]) -> AsyncGenerator[Stream]:
        """A stream whose turn it is; closed with the block, whatever its thread is doing."""
        stream = await self._run(begin)
        try:
            for place in stream.places:
                if not await _turn(place, stream.deadline):
                    break  # the stream itself says that it was in vain
            yield stream
        finally:
            stream.close()


async def _turn(place: Place, deadline: Deadline) -> bool:
    """Whether it came; waits without a thread."""
    loop, called = asyncio.get_running_loop(), asyncio.Event()

    def call() -> None:
        with suppress(RuntimeError):  # the loop is gone
            loop.call_soon_threadsafe(called.set)

    if not place.join(call):
        with suppress(TimeoutError):
            await asyncio.wait_for(called.wait(), place.patience(deadline))
    return place.held


def _awaited(method: Callable[Concatenate[T, P], R]) -> Callable[Concatenate[_Beside[T], P], Awaited[R]]:
    """The method, in a thread."""

    @functools.wraps(method)
    async def run(self: _Beside[T], /, *args: P.args, **kwargs: P.kwargs) -> R:
        return await self._run(functools.partial(method, self._inner, *args, **kwargs))

    return run


def _answered(
    ask: Callable[Concatenate[T, P], Answer], stream: Callable[Concatenate[T, P], Stream]
) -> Callable[Concatenate[_Beside[T], P], Awaited[Answer]]:
    """The method `ask`, by way of `stream`, so that cancelling the task ends the answer."""

    @functools.wraps(ask)
    async def run(self: _Beside[T], /, *args: P.args, **kwargs: P.kwargs) -> Answer:
        async with self._streaming(functools.partial(stream, self._inner, *args, **kwargs)) as events:
            try:
                return await asyncio.wait_for(self._run(events.answer), events.deadline.left + _LATE)
            except TimeoutError:  # a plug-in that can't be interrupted: its thread is left to it
                if events.deadline.left:
                    raise
                raise events.deadline.exceeded() from None

    return run


def _streamed(
    stream: Callable[Concatenate[T, P], Stream],
) -> Callable[Concatenate[_Beside[T], P], AsyncGenerator[Event]]:
    """The method `stream`, a thread for each step; `aclose()`, or cancelling the task, ends the answer."""

    @functools.wraps(stream)
    async def run(self: _Beside[T], /, *args: P.args, **kwargs: P.kwargs) -> AsyncGenerator[Event]:
        async with self._streaming(functools.partial(stream, self._inner, *args, **kwargs)) as events:
            while (event := await self._run(functools.partial(next, events, None))) is not None:
                yield event

    return run


def _opening(opened: Callable[P, Assistant]) -> Callable[P, Opening]:
    @functools.wraps(opened)
    def begin(*args: P.args, **kwargs: P.kwargs) -> Opening:
        return Opening(functools.partial(opened, *args, **kwargs))

    return begin


def _made(build: Callable[P, R]) -> Callable[P, Awaited[R]]:
    @functools.wraps(build)
    async def run(*args: P.args, **kwargs: P.kwargs) -> R:
        return await asyncio.to_thread(build, *args, **kwargs)

    return run


class _NotOpen(UsageError, AttributeError):
    """`hasattr` goes by the second."""


class Opening:
    """To be awaited, or entered with `async with`."""

    def __init__(self, opened: Callable[[], Assistant]) -> None:
        self._opened = opened
        self._desk: AsyncAssistant | None = None

    async def _open(self) -> AsyncAssistant:
        thread = ThreadPoolExecutor(1)
        opening = thread.submit(copy_context().run, self._opened)
        thread.shutdown(wait=False)
        try:
            return AsyncAssistant(await asyncio.wrap_future(opening))
        except BaseException:
            opening.add_done_callback(_abandoned)
            raise

    def __await__(self) -> Generator[Any, Any, AsyncAssistant]:
        return self._open().__await__()

    async def __aenter__(self) -> AsyncAssistant:
        self._desk = await self._open()
        return self._desk

    async def __aexit__(self, *_: object) -> None:
        if self._desk is not None:
            await self._desk.close()

    if not TYPE_CHECKING:  # a checker of types knows what it doesn't have

        def __getattr__(self, name: str) -> NoReturn:
            raise _NotOpen(
                f"the assistant isn't open yet, so that it has no {name!r}: write "
                "`desk = await AsyncAssistant.open(...)`, or `async with AsyncAssistant.open(...) as desk:`"
            )


def _abandoned(opening: Future[Assistant]) -> None:
    """Closes what was opened though its task was cancelled: nobody else could. In a thread, as the loop may call it."""
    if not opening.cancelled() and opening.exception() is None:
        Thread(target=opening.result().close).start()


class AsyncConversations(_Beside[Conversations]):
    """`Conversations` for an event loop."""

    listed = _awaited(Conversations.listed)
    find = _awaited(Conversations.find)
    named = _awaited(Conversations.named)
    records = _awaited(Conversations.records)
    rename = _awaited(Conversations.rename)
    delete = _awaited(Conversations.delete)
    restore = _awaited(Conversations.restore)
    erase = _awaited(Conversations.erase)


class AsyncFeedbackLog(_Beside[FeedbackLog]):
    """`FeedbackLog` for an event loop."""

    add = _awaited(FeedbackLog.add)
    remove = _awaited(FeedbackLog.remove)
    listed = _awaited(FeedbackLog.listed)
    cases = _awaited(FeedbackLog.cases)


class AsyncDialogue(_Beside[Dialogue]):
    """`Dialogue` for an event loop."""

    ask = _answered(Dialogue.ask, Dialogue.stream)
    stream = _streamed(Dialogue.stream)

    @property
    def id(self) -> str:
        """Under which its answers are kept."""
        return self._inner.id

    @property
    def turns(self) -> tuple[Turn, ...]:
        """What was asked and answered so far, oldest first; a refusal answered nothing."""
        return self._inner.turns


class AsyncAssistant(_Beside[Assistant]):
    """`Assistant` for an event loop: what blocks there is awaited here, in a few threads.

    Cancelling a task that waits for an answer ends the answer, frees its place, and keeps nothing.
    """

    def __init__(self, desk: Assistant, threads: ThreadPoolExecutor | None = None) -> None:
        """`threads`: None for its own."""
        most = desk.limits.concurrent or REMOTE
        super().__init__(desk, threads or ThreadPoolExecutor(most + _SPARE, "assistant"))
        self._owned = threads is None

    open = staticmethod(_opening(Assistant.open))
    build = staticmethod(_made(Assistant.build))
    ask = _answered(Assistant.ask, Assistant.stream)
    stream = _streamed(Assistant.stream)
    search = _awaited(Assistant.search)
    explain = _awaited(Assistant.explain)
    documents = _awaited(Assistant.documents)
    document = _awaited(Assistant.document)
    document_at = _awaited(Assistant.document_at)
    original = _awaited(Assistant.original)
    failures = _awaited(Assistant.failures)
    suggestions = _awaited(Assistant.suggestions)
    history = _awaited(Assistant.history)
    audit = _awaited(Assistant.audit)
    proof = _awaited(Assistant.proof)
    warm = _awaited(Assistant.warm)
    use = _awaited(Assistant.use)

    @property
    def desk(self) -> Assistant:
        """The assistant that does the work; its methods block."""
        return self._inner

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """As `Assistant.close`, any number of times; answers that are being written end."""
        if self._owned:
            try:
                with suppress(UsageError):  # it is closed already
                    await asyncio.shield(self._run(self._inner.close))  # also where the task is cancelled again
            finally:
                self._threads.shutdown(wait=False)

    async def seen_by(self, audience: Set[str] | None, *, conversations: str = "") -> AsyncAssistant:
        """As `Assistant.seen_by`, in the same threads."""
        seen = functools.partial(self._inner.seen_by, audience, conversations=conversations)
        return AsyncAssistant(await self._run(seen), self._threads)

    async def conversation(self, id: str | None = None, *, audience: Set[str] | None = None) -> AsyncDialogue:
        """As `Assistant.conversation`."""
        made = await self._run(functools.partial(self._inner.conversation, id, audience=audience))
        return AsyncDialogue(made, self._threads)

    @property
    def conversations(self) -> AsyncConversations:
        """What was asked and answered, by conversation."""
        return AsyncConversations(self._inner.conversations, self._threads)

    @property
    def feedback(self) -> AsyncFeedbackLog:
        """What was said of the answers."""
        return AsyncFeedbackLog(self._inner.feedback, self._threads)
