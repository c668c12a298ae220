"""A draft that is written in a thread of its own, so that whoever reads it can stop it at any moment."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Generator, MutableSet
from contextlib import closing
from typing import Self

from assistant.secrets import redact
from corpus.errors import AssistantError, UnavailableError
from corpus.sanitizing import sanitize

MOST_CHARACTERS = 20_000
"""Of one draft."""
MOST_SECONDS = 600.0
"""From the first word asked for to the last."""
STOPPED = "it was stopped before its end"
_WAITING = 64
"""Deltas written ahead of the reader."""


class Draft:
    """Iterates over what `produce` writes; an exception of `produce` is raised here, as one of ours.

    `produce(draft)` runs in a daemon thread. It is a generator function of deltas that may set `draft.on_close`, wait
    on `draft.closed`, and say in `draft.cut` or `draft.spans` what the text alone does not.
    """

    def __init__(
        self,
        name: str,
        produce: Callable[[Draft], Generator[str]],
        running: MutableSet[Draft],
        *,
        most_characters: int = MOST_CHARACTERS,
        most_seconds: float = MOST_SECONDS,
    ) -> None:
        """Starts writing.

        Args:
            name: of the generator, for what goes wrong.
            running: holds the draft until its thread ends, so that a generator can close it.
        """
        self.name = name
        self.closed = threading.Event()
        self.cut: str | None = None
        """Why the text that was read ends before the model was done; None where it doesn't."""
        self.spans: dict[tuple[str, int], tuple[int, int]] = {}
        """By sentence, single-spaced and without numbers, and passage number: start and end in the document of what the
        model itself names as its source."""
        self._produce = produce
        self._running = running
        self._left = most_characters
        self._deadline = time.monotonic() + most_seconds
        self._on_close: Callable[[], object] = bool
        self._changed = threading.Condition()
        self._deltas: deque[str] = deque()
        self._done = False
        self._error: BaseException | None = None
        running.add(self)
        self.thread = threading.Thread(target=self._write, name="draft", daemon=True)
        self.thread.start()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        with self._changed:
            in_time = self._changed.wait_for(
                lambda: self._deltas or self._done or self.closed.is_set(), self._deadline - time.monotonic()
            )
            if self._deltas and not self.closed.is_set():
                self._changed.notify_all()
                return self._deltas.popleft()
        if not in_time:
            self.cut = "the model took too long"
            self.close()
        error, self._error = self._error, None
        if error is None or self.closed.is_set():
            raise StopIteration
        if isinstance(error, AssistantError) or not isinstance(error, Exception):
            raise error
        said = " ".join(sanitize(redact(f"{type(error).__name__}: {error}")).split())[:200]
        raise UnavailableError(
            f"the generator {self.name!r} failed with {said}: ask again, or take another generator"
        ) from error

    def close(self) -> None:
        """End the iteration at once and stop the model; from any thread, any number of times."""
        with self._changed:
            if not self._done or self._deltas or self._error is not None:
                self.cut = self.cut or STOPPED
            self.closed.set()
            self._changed.notify_all()
            stop, self._on_close = self._on_close, bool
        stop()

    def on_close(self, stop: Callable[[], object]) -> None:
        """What stops the model, in place of what was named before; called at once where the draft is closed already."""
        with self._changed:
            if not self.closed.is_set():
                self._on_close = stop
                return
        stop()

    def _write(self) -> None:
        try:
            with closing(self._produce(self)) as deltas:
                for delta in deltas:
                    if not self._hand_over(delta):
                        break
        except BaseException as error:  # raised where the draft is read
            self._error = error
        with self._changed:
            self._done = True
            self._changed.notify_all()
        self._running.discard(self)

    def _hand_over(self, delta: str) -> bool:
        """Whether more is wanted."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._deltas) < _WAITING or self.closed.is_set())
            if delta:
                self._deltas.append(delta[: self._left])
                self._left -= len(delta)
                self._changed.notify_all()
            if self._left < 0:
                self.cut = "the model wrote without end"
        return self._left >= 0 and not self.closed.is_set()
