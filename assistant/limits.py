"""How many questions are answered at once, how many wait, and for how long."""

from __future__ import annotations

import math
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, fields
from functools import partial
from queue import Empty, SimpleQueue

from corpus.errors import DeadlineExceeded, Overloaded, UsageError

_HERE = ("extractive", "gguf")
"""Generators that run in this process."""
REMOTE = 16
"""Questions at once where a generator waits for a server."""
_WEIGHT = 0.2
"""Of the newest answer in the running mean of how long one takes."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one opened assistant, whoever asks it."""

    concurrent: int | None = None
    """Answers made at once; None for two a processor where the generator runs in this process, else 16."""
    waiting: int = 64
    """Questions that may wait for their turn, in the order they came."""
    patience: float = 30.0
    """Seconds that one waits at most."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value, least = getattr(self, field.name), 1 if field.name == "concurrent" else 0
            kinds = (int, float) if field.name == "patience" else (int,)
            if value is None and field.name == "concurrent":
                continue
            if type(value) not in kinds or not least <= value < 1e9:
                raise UsageError(f"the limit {field.name} = {value!r} must be a number from {least}")

    def at_once(self, generator: str) -> int:
        """Answers that the generator of that name makes at the same time."""
        here = generator.partition(":")[0] in _HERE
        return self.concurrent or (2 * (os.cpu_count() or 1) if here else REMOTE)


class Deadline:
    """When the time that a question was given is over; never, where none was given."""

    def __init__(self, timeout: float | None) -> None:
        """Raises `UsageError` for what is no number of seconds above 0."""
        if timeout is not None and not (type(timeout) in (int, float) and 0 < timeout < math.inf):
            raise UsageError(f"timeout={timeout!r}: give a number of seconds above 0, or None")
        self.timeout = timeout
        self.cut: Callable[[], Callable[[DeadlineExceeded], object] | None] = lambda: None
        """Gives what ends the answer, as long as there is anybody who waits for it."""
        self._end = math.inf if timeout is None else time.monotonic() + timeout

    @property
    def left(self) -> float:
        """Seconds; infinite without a deadline."""
        return max(self._end - time.monotonic(), 0.0)

    def exceeded(self) -> DeadlineExceeded:
        return DeadlineExceeded(f"there was no answer in {self.timeout} seconds: ask again, or give more with timeout=")

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Calls `cut` from another thread if the time ends within the block."""
        if self.timeout is None:
            yield
            return
        timer = threading.Timer(min(self.left, threading.TIMEOUT_MAX), self._ended)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _ended(self) -> None:
        if (cut := self.cut()) is not None:
            cut(self.exceeded())


class Gate:
    """Lets so many in at a time, the others in the order they came. Sets and queues, as a collection of garbage may
    give a place back in the middle of anything."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._lock = threading.RLock()
        self._inside: set[Place] = set()
        self._queue: deque[Place] = deque()
        self._seconds = 1.0

    def join(self, place: Place) -> bool:
        """Whether it is let in at once; else it is called when it is. Raises `Overloaded` where too many wait."""
        with self._lock:
            if place in self._inside:
                return True
            if not self._queue and len(self._inside) < place.at_once:
                self._inside.add(place)
                return True
            if len(self._queue) >= self.limits.waiting:
                raise self.overloaded()
            self._queue.append(place)
            return False

    def holds(self, place: Place) -> bool:
        return place in self._inside

    def leave(self, place: Place, seconds: float | None) -> None:
        """From inside, after so many seconds, or from the queue."""
        called = []
        with self._lock:
            with suppress(ValueError):  # it isn't there
                self._queue.remove(place)
            if place in self._inside:
                self._inside.discard(place)
                self._seconds += 0.0 if seconds is None else _WEIGHT * (seconds - self._seconds)
            while self._queue and len(self._inside) < self._queue[0].at_once:
                called.append(self._queue.popleft())
                self._inside.add(called[-1])
        for one in called:
            one.call()

    def overloaded(self) -> Overloaded:
        inside, waiting = len(self._inside), len(self._queue)
        seconds = max(round(self._seconds * (waiting + 1) / max(inside, 1), 1), 0.1)
        return Overloaded(
            f"{inside:,} question{' is' if inside == 1 else 's are'} being answered and {waiting:,} wait: ask again in "
            f"{seconds:g} seconds",
            seconds,
        )


class Place:
    """Of one question, at the gate."""

    def __init__(self, gate: Gate, at_once: int) -> None:
        self._gate = gate
        self.at_once = at_once
        self.call: Callable[[], object] = bool
        self._joined = False
        self._refused: Overloaded | None = None
        self._since: float | None = None

    def join(self, call: Callable[[], object]) -> bool:
        """Whether there is nothing to wait for; else `call` is called, from any thread, when it is its turn."""
        self.call, self._joined = call, True
        try:
            return self._gate.join(self)
        except Overloaded as error:
            self._refused = error
            return True

    def patience(self, deadline: Deadline) -> float:
        """Seconds to wait for the call."""
        return min(self._gate.limits.patience, deadline.left)

    @property
    def held(self) -> bool:
        return self._gate.holds(self)

    def enter(self, deadline: Deadline) -> None:
        """Joins and waits unless that is done. Raises `Overloaded` or `DeadlineExceeded` where it isn't its turn."""
        called: SimpleQueue[object] = SimpleQueue()  # an event's lock could be held by the thread that must set it
        if not self._joined and not self.join(partial(called.put, None)):
            with suppress(Empty):
                called.get(timeout=min(self.patience(deadline), threading.TIMEOUT_MAX))
        if self._refused is not None:
            raise self._refused
        if not self.held:
            raise self._gate.overloaded() if deadline.left else deadline.exceeded()
        self._since = time.monotonic()

    def leave(self) -> None:
        """Any number of times."""
        self._gate.leave(self, None if self._since is None else time.monotonic() - self._since)
