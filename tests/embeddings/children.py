"""Children that publish, build and ask until they have finished, are refused or are killed.

Run as a program, this is the server that forks them: everything is imported there already.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import select
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import faiss  # noqa: F401  (the children need it at once)
from made_index import EMBEDDER, Texts, answers, state, texts_in, texts_of, write

from corpus.errors import AssistantError, IndexUnavailable
from embeddings.build import build_index
from embeddings.search import Index

ROOT = Path(__file__).parents[2]


# What the children do. Each line they print is a word and what belongs to it.


def publishes(folder: str, first: int, last: int, count: int) -> None:
    """Publishes version after version; where one is refused, the index must answer all the same."""
    before, known = texts_of(first - 1, count) if first > 1 else {}, Index(Path(folder))
    if before:
        known.about()  # a service that was there before
    arm()
    for version in range(first, last):
        wanted = texts_of(version, count)
        try:
            write(Path(folder), wanted)
            say("published", version)
            before = wanted
        except AssistantError as error:
            say("refused", error)
            if before:
                before = _service(known, before, wanted, folder)
    if before:
        _service(known, before, before, folder)


def _service(known: Index, before: Texts, wanted: Texts, folder: str) -> Texts:
    """Asks an index that was open before, and one opened now; returns the version that is visible."""
    with known.view() as view:
        seen = texts_in(view)
    say("answered" if seen in (before, wanted) else "wrong", "open")
    try:
        say("answered" if state(Path(folder)) == seen else "wrong", "fresh")
    except AssistantError as error:
        say("closed", error)
    return seen


def builds(source: str, folder: str) -> None:
    report = build_index([source], folder, EMBEDDER)
    say("published", report.generation)


def asks(folder: str) -> None:
    arm()
    for answer in answers(Path(folder)):
        say(*answer.split(" ", 1))


def publishes_over(folder: str, version: int, count: int) -> None:
    """Publishes over an index that may be damaged."""
    try:
        write(Path(folder), texts_of(version, count))
        say("answered" if state(Path(folder)) == texts_of(version, count) else "wrong", "after")
    except IndexUnavailable as error:
        say("refused", error)


def refuses(folder: str, version: int, limit: int, count: int) -> None:
    """Writes with a limit on the size of files."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    publishes(folder, version, version + 1, count)


def unprivileged(job: str, folder: str, *arguments: object) -> None:
    """Does a job as a user who owns nothing."""
    if not os.getuid():
        os.setuid(65534)
    say("may" if os.access(folder, os.W_OK) else "may-not", "write")
    globals()[job](folder, *arguments)


def say(word: str, value: object) -> None:
    os.write(1, f"{word} {value}\n".encode())


# The children, and the process that forks them.


@dataclass(frozen=True, slots=True)
class Fault:
    """Which call on a file of a folder fails; see faults.c."""

    folder: str
    operation: str
    at: int
    """From 1; 0: none, they are only counted."""
    error: int = 0
    """An errno; 0 kills the process."""
    lasting: bool = False


WORDS = {"published", "answered", "refused", "closed", "may", "may-not"}
"""What a child may say; not: `wrong`, `traceback`, or the second line of an error."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a child ended."""

    lines: tuple[str, ...]
    status: int
    """Exit status; of a child that was killed, the signal, negative."""
    counted: int
    """Calls that a `Fault` could have met, of a child that ended by itself."""

    @property
    def problems(self) -> list[str]:
        """What no child may say, and how none may end."""
        ended = [f"ended by signal {-self.status}"] if self.status < 0 and self.status != -signal.SIGKILL else []
        return [line for line in self.lines if line.split(" ")[0] not in WORDS] + ended

    def said(self, word: str) -> list[str]:
        return [line.removeprefix(word).strip() for line in self.lines if line.split(" ")[0] == word]


class Children:
    """A context manager: runs functions of this module in processes that start in milliseconds."""

    def __init__(self, folder: Path) -> None:
        """`folder`: for the shared library of faults.c; where there is no compiler, `faults` is False."""
        library = folder / "faults.so"
        source = Path(__file__).with_name("faults.c")
        compiler = shutil.which("cc")
        self.faults = sys.platform == "linux" and compiler is not None
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        if self.faults and compiler:
            subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
            environment["LD_PRELOAD"] = str(library)
        self._server = subprocess.Popen(
            [sys.executable, __file__], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.communicate()

    def run(self, job: str, *arguments: object, fault: Fault | None = None, seconds: float = 120.0) -> Outcome:
        """Waits for the end, or kills the child after `seconds`."""
        order = {"job": job, "arguments": [str(a) if isinstance(a, Path) else a for a in arguments]}
        order |= {"fault": fault and asdict(fault), "seconds": seconds}
        assert self._server.stdin and self._server.stdout
        self._server.stdin.write(json.dumps(order) + "\n")
        self._server.stdin.flush()
        ended = json.loads(self._server.stdout.readline())
        *lines, last = ended["output"].splitlines() or [""]
        counted = int(last.split()[1]) if last.startswith("counted ") else -1
        return Outcome((*lines, *([last] if counted < 0 and last else [])), ended["status"], counted)


def _serve() -> None:
    for line in sys.stdin:
        order = json.loads(line)
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            os.dup2(writing, 1)
            _obey(order)
        os.close(writing)
        output = b"".join(_until(reading, child, time.monotonic() + order["seconds"]))
        os.close(reading)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        print(json.dumps({"output": output.decode(), "status": status}), flush=True)


def _until(descriptor: int, child: int, end: float) -> Iterator[bytes]:
    """What the child prints; it is killed at `end`."""
    while select.select([descriptor], [], [], max(0.0, end - time.monotonic()))[0]:
        if not (content := os.read(descriptor, 1 << 16)):
            return
        yield content
    os.kill(child, signal.SIGKILL)
    while content := os.read(descriptor, 1 << 16):
        yield content


_fault: dict[str, Any] = {}
"""Of this child, as in `Fault`."""


def arm() -> None:
    """From here on calls fail, where the child was given a fault."""
    if _fault:
        names = (_fault[name].encode() for name in ("folder", "operation"))
        ctypes.CDLL(None).arm(*names, *(ctypes.c_long(_fault[name]) for name in ("at", "error", "lasting")))


def _obey(order: dict[str, Any]) -> None:
    status = 0
    _fault.update(order["fault"] or {})
    try:
        globals()[order["job"]](*order["arguments"])
        if _fault:
            say("counted", ctypes.CDLL(None).counted())
    except BaseException:  # what a user would see as a traceback
        status = 1
        say("traceback", " / ".join(traceback.format_exc().splitlines()))
    os._exit(status)


if __name__ == "__main__":
    _serve()
