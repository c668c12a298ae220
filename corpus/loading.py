"""From a folder to documents: what is in it, and reading that in worker processes with limits."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass
from operator import attrgetter
from pathlib import Path
from queue import SimpleQueue
from threading import Event, Timer

from corpus.chunking import ChunkSettings
from corpus.errors import UsageError
from corpus.interchange import from_json
from corpus.labels import SIDECAR
from corpus.readers import readers
from corpus.sanitizing import sanitize
from corpus.types import Chunk, Document, ReadFailure

MAX_FILE = 50_000_000
"""Bytes of a file."""
SECONDS = 30
"""Time for one file, the start of its worker included."""
AHEAD = 8
"""Files read ahead by each worker, so that a slow one holds nobody up."""
# What a worker needs of the environment; secrets stay with the parent.
_ENVIRONMENT = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "LD_LIBRARY_PATH",
    "SYSTEMROOT",
    "TZ",
    "PYTHONPATH",
    "VIRTUAL_ENV",
)


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A regular file of a known format, as it was when the folder was listed."""

    root: Path
    path: str
    """Relative to `root`, with `/` between its parts."""
    size: int
    """Bytes."""
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Loaded:
    """A file that was read."""

    document: Document
    chunks: tuple[Chunk, ...]


def scan(folder: Path, passed_over: Callable[[Path], bool] | None = None) -> tuple[list[SourceFile], list[ReadFailure]]:
    """The files under a folder that can be read, by path, and what can't be and why.

    Names that start with a dot are passed over, `corpus.toml` at the top, and folders inside for which `passed_over`
    is true. A link to a file or folder inside is passed over too: what it points to is listed under its own name.
    """
    try:
        root = folder.resolve(strict=True)
    except (OSError, RuntimeError) as error:
        raise UsageError(f"no folder {str(folder)!r}; give the path of a folder of documents") from error
    if not root.is_dir():
        raise UsageError(f"{str(folder)!r} isn't a folder; give the path of a folder of documents")
    suffixes = frozenset(readers())
    entries = sorted(_entries(root, root, suffixes, passed_over), key=attrgetter("path"))
    if not entries:
        raise UsageError(f"folder {str(folder)!r} holds no files; give one that holds documents")
    return (
        [entry for entry in entries if isinstance(entry, SourceFile)],
        [entry for entry in entries if isinstance(entry, ReadFailure)],
    )


def load_documents(
    files: Iterable[SourceFile],
    settings: ChunkSettings | None = None,
    workers: int | None = None,
    seconds: int = SECONDS,
) -> Generator[tuple[SourceFile, Loaded | ReadFailure], None, None]:
    """Reads files in worker processes, in the order given; a file that can't be read fails alone.

    Workers start when the first file is asked for and stop when the iterator is exhausted or closed.
    """
    count = workers or min(2, os.cpu_count() or 1)
    idle: SimpleQueue[_Worker] = SimpleQueue()
    team = [_Worker(settings or ChunkSettings(), seconds) for _ in range(count)]
    for worker in team:
        idle.put(worker)

    def load(file: SourceFile) -> Loaded | ReadFailure:
        worker = idle.get()
        try:
            return worker.load(file)
        finally:
            idle.put(worker)

    waiting: deque[tuple[SourceFile, Future[Loaded | ReadFailure]]] = deque()
    pool = ThreadPoolExecutor(count)
    try:
        for file in files:
            waiting.append((file, pool.submit(load, file)))
            if len(waiting) > AHEAD * count:
                first, future = waiting.popleft()
                yield first, future.result()
        while waiting:
            first, future = waiting.popleft()
            yield first, future.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        for worker in team:
            worker.stop()
        pool.shutdown()
        for worker in team:
            worker.end()


def _entries(
    root: Path, folder: Path, suffixes: frozenset[str], passed_over: Callable[[Path], bool] | None
) -> Iterator[SourceFile | ReadFailure]:
    try:
        with os.scandir(folder) as listing:
            found = list(listing)
    except OSError as error:
        yield ReadFailure(_shown(root, folder), f"can't be listed: {error.strerror}")
        return
    for entry in found:
        if entry.name.startswith(".") or (entry.name == SIDECAR and folder == root):
            continue
        path = folder / entry.name
        try:
            status = entry.stat(follow_symlinks=False)
            if stat.S_ISDIR(status.st_mode):
                if not (passed_over and passed_over(path)):
                    yield from _entries(root, path, suffixes, passed_over)
            elif found_entry := _entry(root, path, status, suffixes):
                yield found_entry
        except OSError as error:
            yield ReadFailure(_shown(root, path), f"can't be read: {error.strerror}")


def _entry(root: Path, path: Path, status: os.stat_result, suffixes: frozenset[str]) -> SourceFile | ReadFailure | None:
    if stat.S_ISLNK(status.st_mode):
        try:
            inside = path.resolve(strict=True).is_relative_to(root)
        except (OSError, RuntimeError):
            return ReadFailure(_shown(root, path), "is a link that leads nowhere or in a circle; links aren't followed")
        return None if inside else ReadFailure(_shown(root, path), "is a link out of the folder; not followed")
    if reason := _unlistable(path, status, suffixes):
        return ReadFailure(_shown(root, path), reason)
    return SourceFile(root, path.relative_to(root).as_posix(), status.st_size, status.st_mtime_ns)


def _unlistable(path: Path, status: os.stat_result, suffixes: frozenset[str]) -> str | None:
    """Why it isn't a file that could be read; None for one that is."""
    if not stat.S_ISREG(status.st_mode):
        return "isn't a regular file (a pipe, socket or device)"
    try:
        path.name.encode("utf-8")
    except UnicodeEncodeError:
        return "its name isn't UTF-8; rename it"
    if path.suffix.lower() not in suffixes:
        return f"unsupported format {sanitize(path.suffix)!r}; known are {' '.join(sorted(suffixes))}"
    if status.st_size > MAX_FILE:
        return f"is {status.st_size / 1e6:,.0f} MB, more than {MAX_FILE // 1_000_000} MB; split it"
    if status.st_size == 0:
        return "is empty"
    return None if os.access(path, os.R_OK) else "no permission to read it"


def _shown(root: Path, path: Path) -> str:
    """The relative path with whatever isn't UTF-8 as `\\xff`."""
    return os.fsencode(path.relative_to(root).as_posix()).decode("utf-8", "backslashreplace")


class _Worker:
    """One reading process at a time, started when needed and again after it had to be ended."""

    def __init__(self, settings: ChunkSettings, seconds: int) -> None:
        self._settings = asdict(settings)
        self._seconds = seconds
        self._process: subprocess.Popen[str] | None = None
        self._stopped = False

    def load(self, file: SourceFile) -> Loaded | ReadFailure:
        """The file's document, or why there is none."""
        request = {
            "root": str(file.root),
            "path": file.path,
            "size": file.size,
            "mtime_ns": file.mtime_ns,
            "settings": self._settings,
            "seconds": self._seconds + 5,
        }
        reply, timed_out = self._asked(json.dumps(request))
        if timed_out:
            return ReadFailure(file.path, f"took more than {self._seconds} seconds to read")
        if not reply:
            return ReadFailure(file.path, "ended the process that read it; the file may be damaged")
        values = json.loads(reply)
        if values.get("exhausted"):
            self.end()
        if reason := values.get("reason"):
            return ReadFailure(file.path, sanitize(" ".join(reason.split())), lasting=values["lasting"])
        return Loaded(*from_json(values))

    def stop(self) -> None:
        """Ends the process, also while another thread waits for it."""
        self._stopped = True
        if process := self._process:
            process.kill()

    def end(self) -> None:
        """Ends the process and waits until it is gone; the next file starts another."""
        process, self._process = self._process, None
        if process:
            process.kill()
            process.wait()
            for pipe in filter(None, (process.stdin, process.stdout)):
                # What was left to write can't be written any more.
                with suppress(BrokenPipeError):
                    pipe.close()

    def _asked(self, request: str) -> tuple[str, bool]:
        """The reply, empty when the process ended without one, and whether its time ran out."""
        process = self._process = self._process or self._started()
        if self._stopped:
            process.kill()
        assert process.stdin and process.stdout
        timed_out = Event()

        def end() -> None:
            timed_out.set()
            process.kill()

        timer = Timer(self._seconds, end)
        timer.daemon = True
        timer.start()
        try:
            process.stdin.write(request + "\n")
            process.stdin.flush()
            reply = process.stdout.readline()
        except BrokenPipeError:
            reply = ""
        finally:
            timer.cancel()
        if not reply.endswith("\n"):
            self.end()
            return "", timed_out.is_set()
        return reply, False

    def _started(self) -> subprocess.Popen[str]:
        """A process of its own session, so that Ctrl-C reaches the parent alone; the parent then stops it."""
        package_root = str(Path(__file__).resolve().parents[1])
        environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [package_root, environment.get("PYTHONPATH")]))
        # Without this tiktoken copies its vocabulary to a temporary folder, which a worker can't write to.
        environment["TIKTOKEN_CACHE_DIR"] = ""
        return subprocess.Popen(
            [sys.executable, "-B", "-P", "-m", "corpus.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
            env=environment,
            start_new_session=True,
        )
