"""An indexing run in a child process, which reports as it goes; the application stays free for questions."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from asyncio.subprocess import PIPE, Process
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

from assistant.tui.launch import command
from corpus.errors import UnavailableError
from corpus.sanitizing import sanitize
from corpus.types import ReadFailure

_NICE = 10
"""Added to the child's niceness: whoever asks comes first."""
_WINDOW = 5.0
"""Seconds that the rate is taken over."""
_PATIENCE = 3.0
"""Seconds to end after SIGTERM, before SIGKILL."""
_MOST_LINE = 1 << 25
"""Bytes of a line of the child, which may list some 100,000 files that can't be read."""
_MOST_WORDS = 1 << 14
"""Bytes of the child's stderr that are kept, from its end."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Where an indexing run stands."""

    done: int = 0
    total: int = 0
    """Files; 0 while they are being listed."""
    passages: int = 0
    """Read by the encoder so far."""
    rate: float | None = None
    """Passages a second, over the last seconds; None until it can be told."""
    seconds_left: float | None = None
    """By files; None until it can be told."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an indexing run did, in files, or why it failed."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    failures: tuple[ReadFailure, ...] = ()
    """Files that could not be read, with the reasons."""
    passages: int = 0
    """Of the whole index."""
    error: str = ""
    """Why there is nothing else; the index is then as it was before."""

    @property
    def summary(self) -> str:
        """In one line."""
        if self.error:
            return self.error
        done = [f"{n:,} {what}" for what in ("added", "changed", "removed") if (n := getattr(self, what))]
        unread = [f"{len(self.failures):,} not read"] if self.failures else []
        return ", ".join([*(done or ["nothing has changed"]), *unread]) + f"; {self.passages:,} passages"


class Indexer:
    """Runs `assistant index` in a child process of low priority."""

    def __init__(self, index: Path, program: Callable[..., Sequence[str]] = command) -> None:
        """`program` gives the command line that runs the assistant with some arguments."""
        self._index = index
        self._program = program
        self._child: Process | None = None
        self._cancelled = False

    async def run(
        self, folders: Sequence[Path], progress: Callable[[Progress], None], options: Sequence[str] = ()
    ) -> Outcome:
        """Brings the index of `folders` up to date, once.

        Args:
            options: more of `assistant index`.

        Raises:
            AssistantError: the child's last words, or that it was cancelled. The index is then as it was before.
        """
        try:
            named = [str(folder.absolute()) for folder in folders]  # absolute, so that none looks like an option
            where = "--index", str(self._index.absolute())
            line = self._program("index", *named, *where, "--json", "--while-stdin", *options)  # never outlives us
            # In a session of its own: Ctrl-C in the terminal is for the application, which ends its child itself.
            child = await asyncio.create_subprocess_exec(
                *line, stdin=PIPE, stdout=PIPE, stderr=PIPE, start_new_session=True, limit=_MOST_LINE
            )
        except OSError as error:
            raise UnavailableError(f"indexing can't be started: {error.strerror}") from error
        self._child = child
        try:
            with contextlib.suppress(OSError):  # it may have ended
                os.setpriority(os.PRIO_PGRP, child.pid, _NICE)
            if self._cancelled:
                _signal(child, signal.SIGTERM)
            outcome, words = await asyncio.gather(_outcome(child, progress), _last_words(child))
            code = await child.wait()
        finally:
            await _ended(child)
            self._child = None
        if self._cancelled:
            raise UnavailableError("indexing was cancelled; the index is as it was before")
        if code or outcome is None:
            raise UnavailableError(words or f"indexing ended with code {code} and said nothing: try again")
        return outcome

    def cancel(self) -> None:
        """Ends the child; `run` then raises."""
        self._cancelled = True
        if self._child is not None:
            _signal(self._child, signal.SIGTERM)
            asyncio.get_running_loop().call_later(_PATIENCE, self._kill)

    def _kill(self) -> None:
        if self._child is not None:
            _signal(self._child, signal.SIGKILL)


async def _outcome(child: Process, progress: Callable[[Progress], None]) -> Outcome | None:
    """Reads the child's lines to their end; what isn't as it should be is passed over."""
    assert child.stdout is not None
    outcome, pace = None, _Pace()
    while True:
        try:
            if not (line := await child.stdout.readline()):
                return outcome
            values = json.loads(line)
            if "report" in values:
                outcome = _read(values["report"])
            else:
                progress(pace.after(*(int(values[name]) for name in ("done", "total", "passages"))))
        except (ValueError, TypeError, KeyError, RecursionError):  # ValueError: JSON's, or a line without an end
            continue


def _read(report: dict[str, Any]) -> Outcome:
    added, changed, unchanged, removed, chunks = (
        int(report[name]) for name in ("added", "changed", "unchanged", "removed", "chunks")
    )
    failures = tuple(ReadFailure(str(failure["path"]), str(failure["reason"])) for failure in report["failures"])
    return Outcome(added, changed, unchanged, removed, failures, chunks)


class _Pace:
    """Rate and time left, from what was reported before."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._seen: deque[tuple[float, int]] = deque()
        """Time and passages, over the window."""
        self._first: tuple[float, int] | None = None
        """Time and files done, of the first report."""

    def after(self, done: int, total: int, passages: int) -> Progress:
        now = self._clock()
        began, before = self._first = self._first or (now, done)
        self._seen.append((now, passages))
        while len(self._seen) > 2 and self._seen[1][0] < now - _WINDOW:
            self._seen.popleft()
        since, had = self._seen[0]
        rate = (passages - had) / (now - since) if now - since > 0.5 else None
        known = done > before and now - began > 1
        left = (total - done) * (now - began) / (done - before) if known else None
        return Progress(done, total, passages, rate, left)


async def _last_words(child: Process) -> str:
    """The last line of the child's stderr, without the name that it begins with."""
    assert child.stderr is not None
    kept = b""
    while piece := await child.stderr.read(_MOST_WORDS):
        kept = (kept + piece)[-_MOST_WORDS:]
    lines = [line for line in kept.decode("utf-8", errors="replace").splitlines() if line.strip()]
    return sanitize(lines[-1].removeprefix("assistant: ")) if lines else ""


async def _ended(child: Process) -> None:
    """Returns when the child and what it started are no more."""
    if child.returncode is None:
        _signal(child, signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(child.wait(), _PATIENCE)
    _signal(child, signal.SIGKILL)
    await child.wait()


def _signal(child: Process, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):  # nothing is left of its session
        os.killpg(child.pid, number)
