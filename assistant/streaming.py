"""The events of one answer, which any thread may end."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import asdict, replace
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Protocol, Self

from assistant.answering import Answering, close
from assistant.limits import Deadline, Place
from assistant.permissions import Audience
from assistant.records.history import Context
from assistant.types import Answer, Event, Finished, Turn
from assistant.validation import checked, turn_of
from corpus.errors import AssistantError, UnavailableError, UsageError

if TYPE_CHECKING:
    from assistant.core import Core
    from embeddings.types import Where


class Stream:
    """The events of one answer, in order; the last is `Finished`.

    From its first event to its last it takes one of the places of `Limits`; it gives it back when it is dropped.
    """

    def __init__(
        self,
        answering: Answering,
        events: Iterator[Event],
        places: Sequence[Place],
        deadline: Deadline,
        release: Callable[[], object],
    ) -> None:
        """`release` is called when it has ended or is dropped, once or more; it must not hold the stream."""
        self.places = places
        """That it waits for, one after the other."""
        self.deadline = deadline
        deadline.cut = weakref.WeakMethod(self.close)
        self._answering = answering
        self._events = events
        self._step = threading.Lock()
        """Held by the thread that takes a step."""
        self._finished = False
        self._release = weakref.finalize(self, release)
        self._release.atexit = False

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Event:
        with self._step:
            try:
                event = next(self._events)
            except BaseException:
                self._end()
                if not self._finished:  # why it was closed says more than what came of it
                    self._answering.check()
                raise
            if isinstance(event, Finished):
                self._finished = True
                self._end()
            elif self._answering.error is not None:  # nobody may ask for another step
                close(self._events)
                self._end()
                raise self._answering.error
            return event

    def answer(self) -> Answer:
        """What is left of the events, up to the answer."""
        for event in self:
            if isinstance(event, Finished):
                return event.answer
        raise UsageError("this stream has ended: its answer was in `Finished`")

    def stop(self) -> None:
        """End the answer soon, from any thread: what was written is kept, and the answer says that it was stopped."""
        self._answering.stop()

    def close(self, error: AssistantError | None = None) -> None:
        """End it at once, from any thread, and keep nothing: the next step raises `error`, or that it was closed."""
        ended = error or UnavailableError("the answer was closed before its end: ask again")
        self._answering.error = self._answering.error or ended
        if self._step.acquire(blocking=False):
            try:
                close(self._events)
                self._end()
            finally:
                self._step.release()
            return
        self._answering.stop()  # the thread that takes a step ends it
        for place in self.places:
            place.call()

    def _end(self) -> None:
        for place in self.places:
            place.leave()
        self._release()


class Remembering(Protocol):
    """A conversation that goes on."""

    @property
    def turns(self) -> tuple[Turn, ...]: ...

    def add(self, answer: Answer) -> None: ...


def streamed(
    core: Core,
    audience: Audience,
    question: str,
    before: Remembering | Sequence[str | Turn],
    where: Where | None,
    as_of: date | None,
    conversation: str,
    anyway: bool,
    timeout: float | None,
    turn: Place | None = None,
) -> Stream:
    """As `Assistant.stream` says. Nothing is done before the first event.

    Args:
        before: where it is a conversation, its turns are read once it is the question's `turn` in it.
    """
    deadline = Deadline(timeout)
    asked = checked(question)
    turns = tuple(map(turn_of, before)) if isinstance(before, Sequence) else ()
    user, means = core.begin()
    made_with = asdict(means.settings) | {"reranker": core.reranker}  # by its own name, not `auto`
    del made_with["log_text"]  # changes no answer
    readers = None if audience is None else tuple(sorted(audience))
    answering = Answering(means, asked, Context(turns, where, as_of, made_with, anyway, readers))
    places = ([] if turn is None else [turn]) + [core.place(means.generator.name)]
    remembering = None if isinstance(before, Sequence) else before
    events = _events(core, answering, conversation, audience, places, deadline, remembering)
    followed = core.telemetry.follow(answering, events, conversation)
    return Stream(answering, followed, places, deadline, partial(core.end, user))


def _events(
    core: Core,
    answering: Answering,
    conversation: str,
    audience: Audience,
    places: Sequence[Place],
    deadline: Deadline,
    remembering: Remembering | None,
) -> Generator[Event]:
    """Waits for its places, answers, and keeps the answer."""
    try:
        for place in places:
            place.enter(deadline)
        core.check()
        core.may_continue(conversation, audience)
        if remembering is not None:
            answering.context = replace(answering.context, history=remembering.turns)
        with deadline.watched():
            core.warm()
            for event in answering.events(core.view(audience)):
                answering.check()
                if isinstance(event, Finished):
                    finished = event
                else:
                    yield event
        answering.check()
        places[-1].leave()  # keeping it needs none
        answer = core.keep(conversation, finished.answer, answering.context, deadline.left)
        if answer.link is None and not deadline.left:
            raise deadline.exceeded()
        if remembering is not None:
            remembering.add(answer)
    finally:
        for place in places:
            place.leave()
    yield Finished(answer)
