"""The SQLite file that holds everything: schema, connections, rows to values, the writer's lock."""

from __future__ import annotations

import contextlib
import datetime
import fcntl
import json
import os
import shlex
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from corpus.errors import IndexBusy, IndexUnavailable
from corpus.labels import Labels
from corpus.types import Document, Metadata
from embeddings.migrations import APPLICATION_ID, SCHEMA, migrate
from embeddings.rows import DamagedRow

FILE = "catalogue.sqlite3"
LOCK = "writer.lock"
_BUSY_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class FileRecord:
    """A file as it was when it was last looked at."""

    path: str
    document_key: int | None
    size: int
    mtime_ns: int
    """-1 where the file may have changed since without another time."""
    sha256: str
    """Empty where the bytes could not be read."""
    status: str
    """`ok`; `failed`; `stale`: it fails now, and its last good version is kept."""
    reason: str | None = None
    date: datetime.date | None = None
    """Of its document, as is `declared`; both are kept here so that filters needn't read documents."""
    declared: Metadata = field(default_factory=Metadata)
    labels: Labels = field(default_factory=Labels)
    """What holds of it: what it declares, what `corpus.toml` says, and what a callback has made of that."""
    since: int = 0
    """Generation in which the path got this document and these labels; `IndexWriter.publish` sees to it."""

    @classmethod
    def of(cls, document: Document, document_key: int) -> Self:
        """The record of a document that stands in no file, labelled as it declares."""
        path, declared = document.path, document.metadata
        labels = Labels.told(declared.tags, declared.audience)
        size = len(document.text)
        return cls(path, document_key, size, -1, document.id, "ok", None, document.date, declared, labels)

    @classmethod
    def from_row(cls, row: tuple[Any, ...]) -> Self:
        """From columns in the order of `FILE_COLUMNS`."""
        path, key, size, mtime_ns, sha256, status, reason, day, told, labels, since = row
        declared = Metadata.of(json.loads(told))
        day, labels = day and datetime.date.fromisoformat(day), Labels.told(**json.loads(labels))
        return cls(path, key, size, mtime_ns, sha256, status, reason, day, declared, labels, since)

    def row(self) -> tuple[str | int | None, ...]:
        """In the order of `FILE_COLUMNS`."""
        first = (self.path, self.document_key, self.size, self.mtime_ns, self.sha256, self.status, self.reason)
        day = self.date.isoformat() if self.date else None
        return (*first, day, json.dumps(asdict(self.declared)), json.dumps(asdict(self.labels)), self.since)


@contextlib.contextmanager
def readable_errors(folder: Path) -> Iterator[None]:
    """SQLite's errors, and rows that have changed, as one line that says what to do."""
    try:
        yield
    except DamagedRow as error:
        raise damaged(folder, str(error)) from error
    except UnicodeDecodeError as error:
        raise damaged(folder, "text that isn't UTF-8") from error
    except sqlite3.OperationalError as error:
        if "locked" in str(error) or "busy" in str(error):
            raise IndexBusy(f"the index {str(folder)!r} is being written by another process: try again") from error
        if is_damage(error):
            raise damaged(folder, str(error)) from error
        raise _unusable(folder, str(error)) from error
    except sqlite3.DatabaseError as error:
        raise damaged(folder, str(error)) from error


def is_damage(error: sqlite3.Error) -> bool:
    """Whether the file isn't what was written, and not just out of reach, locked or without room."""
    if not isinstance(error, sqlite3.OperationalError):
        return True
    # SQLITE_ERROR: the schema isn't what was written.
    return "decode" in str(error) or getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR


def _unusable(folder: Path, reason: str) -> IndexUnavailable:
    return IndexUnavailable(
        f"the index {str(folder)!r} cannot be used ({reason}): check the free space and the permissions "
        "of the folder, then run again; what was indexed is kept"
    )


def damaged(folder: Path, reason: str) -> IndexUnavailable:
    """What is said of an index that can't be trusted."""
    mend = shlex.join(["assistant", "doctor", "--repair", "--index", str(folder)])
    return IndexUnavailable(f"the index {str(folder)!r} is damaged ({reason}): mend it with `{mend}`")


@contextlib.contextmanager
def writable_errors(folder: Path) -> Iterator[None]:
    """`readable_errors`, and the system's."""
    try:
        with readable_errors(folder):
            yield
    except OSError as error:
        raise _unusable(folder, error.strerror or str(error)) from error


@contextlib.contextmanager
def writer_lock(folder: Path) -> Iterator[None]:
    """Holds the folder for one writer; the kernel frees it when the process dies."""
    with writable_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise IndexBusy(
                f"the index {str(folder)!r} is being written by another process: wait until it has finished"
            ) from error
        yield
    finally:
        os.close(descriptor)


def is_index(folder: Path) -> bool:
    """Whether the folder is one that `open_writer` has written to."""
    return (folder / FILE).is_file() and (folder / LOCK).is_file()


def unfinished(folder: Path) -> IndexUnavailable:
    """Why an index without a generation can't be read: it is being made, or was left half made."""
    with contextlib.suppress(OSError), (folder / LOCK).open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return IndexBusy(f"the index {str(folder)!r} is being made by another process: wait until it has finished")
    return IndexUnavailable(f"the index {str(folder)!r} was never finished: run `assistant index` again")


def open_writer(folder: Path) -> sqlite3.Connection:
    """The one connection that writes; makes the file or brings its schema up to date. Needs `writer_lock`."""
    connection = _connect((folder / FILE).absolute().as_uri() + "?mode=rwc")
    try:
        check_schema(connection, folder, writing=True)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        migrate(connection, folder)
    except BaseException:
        connection.close()
        raise
    return connection


def close_writer(connection: sqlite3.Connection) -> None:
    """Folds the write-ahead log into the file, so that a read-only copy of the folder is whole."""
    with contextlib.suppress(sqlite3.OperationalError):  # a reader holds the log: the next writer folds it
        connection.execute("PRAGMA busy_timeout = 200")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def open_reader(folder: Path) -> tuple[sqlite3.Connection, bool]:
    """A connection that only reads, and whether it may be kept.

    A folder that can't be written, or on a full disk, has no room for SQLite's shared memory. Without a write-ahead
    log its file is read as it is; such a connection doesn't see later changes and must not be kept.
    """
    path, logged = folder / FILE, False
    with writable_errors(folder):
        if not path.is_file():
            command = shlex.join(["assistant", "index", "FOLDER", "--index", str(folder)])
            raise IndexUnavailable(f"no index at {str(folder)!r}: make one with `{command}`")
        with contextlib.suppress(FileNotFoundError):
            logged = path.with_name(path.name + "-wal").stat().st_size > 0
    writable = os.access(folder, os.W_OK) and os.access(path, os.W_OK)
    if writable or logged:
        connection = _connect(f"{path.absolute().as_uri()}?mode={'rw' if writable else 'ro'}")
        try:
            connection.execute("PRAGMA query_only = ON")
            connection.execute("PRAGMA schema_version")  # makes the shared memory
            return connection, True
        except sqlite3.OperationalError as error:
            connection.close()
            if logged or error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL):
                raise
    return _connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1"), False


def _connect(uri: str) -> sqlite3.Connection:
    # Threads take turns with a connection, never share it; transactions are written out.
    return sqlite3.connect(uri, uri=True, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)


def check_schema(connection: sqlite3.Connection, folder: Path, *, writing: bool = False) -> None:
    """Raises `IndexUnavailable` unless the file is an index that this version knows; a writer may migrate it."""
    owner = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if (owner, version, tables) == (0, 0, 0):
        if writing:
            return
        raise unfinished(folder)
    if owner != APPLICATION_ID:
        raise IndexUnavailable(f"{str(folder / FILE)!r} is not an index of this program: choose another folder")
    if version > SCHEMA:
        raise IndexUnavailable(
            f"the index {str(folder)!r} was made by a newer version (schema {version}, known: {SCHEMA}): "
            "install that version, or index again into another folder"
        )
    if version < SCHEMA and not writing:
        command = update_command(folder, dict(connection.execute("SELECT key, value FROM meta")))
        raise IndexUnavailable(
            f"the index {str(folder)!r} was made by an older version (schema {version}, now: {SCHEMA}): "
            f"bring it up to date with `{command}`; nothing is embedded again"
        )


def update_command(folder: Path, about: Mapping[str, str]) -> str:
    """What a user types to bring the index up to date with its folders."""
    sources = json.loads(about.get("folders", "[]")) or ["FOLDER"]
    return shlex.join(["assistant", "index", *sources, "--index", str(folder)])


def rebuild_command(folder: Path, about: Mapping[str, str]) -> str:
    """What a user types to make the index again from the same folders."""
    return f"{update_command(folder, about)} --rebuild"


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection, kind: str = "IMMEDIATE") -> Iterator[None]:
    """All or nothing; `DEFERRED` gives a reader one unchanging view."""
    connection.execute(f"BEGIN {kind}")
    try:
        yield
    except BaseException:
        with contextlib.suppress(sqlite3.OperationalError):  # SQLite itself rolls back when the disk is full
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
