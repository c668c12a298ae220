"""The SQLite file that holds everything: schema, connections, rows to values, the writer's lock."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shlex
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any, cast

from corpus.errors import IndexBusy, IndexUnavailable
from corpus.types import Chunk, DateSource, Document, Metadata, Page, Section

FILE = "catalogue.sqlite3"
LOCK = "writer.lock"
APPLICATION_ID = 0x50534D41
_BUSY_SECONDS = 30.0
_MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE documents (
        document_key INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL, path TEXT NOT NULL, recipe TEXT NOT NULL,
        title TEXT NOT NULL, date TEXT, date_source TEXT, text TEXT NOT NULL,
        sections TEXT NOT NULL, pages TEXT NOT NULL, metadata TEXT NOT NULL,
        UNIQUE (id, path, recipe)
    );
    CREATE TABLE vectors (
        vector_key INTEGER PRIMARY KEY AUTOINCREMENT, digest BLOB NOT NULL UNIQUE, vector BLOB NOT NULL
    );
    CREATE TABLE chunks (
        chunk_id INTEGER PRIMARY KEY AUTOINCREMENT,
        document_key INTEGER NOT NULL REFERENCES documents ON DELETE CASCADE,
        start INTEGER NOT NULL, "end" INTEGER NOT NULL, text TEXT NOT NULL,
        headings TEXT NOT NULL, page INTEGER, sentences TEXT NOT NULL,
        vector_key INTEGER NOT NULL REFERENCES vectors,
        UNIQUE (document_key, start, "end")
    );
    CREATE INDEX chunks_by_vector ON chunks (vector_key);
    CREATE TABLE files (
        path TEXT PRIMARY KEY, document_key INTEGER REFERENCES documents,
        size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, sha256 TEXT NOT NULL,
        status TEXT NOT NULL CHECK (status IN ('ok', 'stale', 'failed')), reason TEXT
    ) WITHOUT ROWID;
    CREATE INDEX files_by_document ON files (document_key);
    CREATE TABLE snaps (
        generation INTEGER PRIMARY KEY, file TEXT NOT NULL, sha256 TEXT NOT NULL,
        bytes INTEGER NOT NULL, count INTEGER NOT NULL
    );
    CREATE VIRTUAL TABLE lexical USING fts5(
        heading, body, content='', tokenize='porter unicode61 remove_diacritics 2'
    );
    """,
)
"""What raises `user_version` from n to n + 1.

documents, chunks and vectors are immutable rows, which a long build commits before they are visible. Visible
is what `files` refers to; `files`, `lexical`, `snaps` and `meta` change together, in the transaction that
publishes a generation. AUTOINCREMENT: an id is never used again, so no old FAISS file points at another text.
"""
SCHEMA = len(_MIGRATIONS)


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


@contextlib.contextmanager
def readable_errors(folder: Path) -> Iterator[None]:
    """SQLite's errors as one line that says what to do."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if "locked" in str(error) or "busy" in str(error):
            raise IndexBusy(f"the index {str(folder)!r} is being written by another process: try again") from error
        raise IndexUnavailable(
            f"the index {str(folder)!r} cannot be used ({error}): check the free space and the permissions "
            "of the folder, then run again; what was indexed is kept"
        ) from error
    except sqlite3.DatabaseError as error:
        raise IndexUnavailable(
            f"the index {str(folder)!r} is damaged ({error}): remove its {FILE} and index again"
        ) from error


@contextlib.contextmanager
def writable_errors(folder: Path) -> Iterator[None]:
    """`readable_errors`, and the system's where files are written."""
    try:
        with readable_errors(folder):
            yield
    except OSError as error:
        raise IndexUnavailable(
            f"cannot write the index {str(folder)!r} ({error.strerror or error}): check the free space and "
            "the permissions of the folder, then run again; what was indexed is kept"
        ) from error


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
        check_schema(connection, folder, new_allowed=True)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        for version in range(connection.execute("PRAGMA user_version").fetchone()[0], SCHEMA):
            connection.executescript(
                f"BEGIN IMMEDIATE; {_MIGRATIONS[version]} PRAGMA application_id = {APPLICATION_ID}; "
                f"PRAGMA user_version = {version + 1}; COMMIT;"
            )
    except BaseException:
        connection.close()
        raise
    return connection


def close_writer(connection: sqlite3.Connection) -> None:
    """Folds the write-ahead log into the file, so that a read-only copy of the folder is whole."""
    with contextlib.suppress(sqlite3.OperationalError):  # a reader holds the log: the next writer folds it
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def open_reader(folder: Path) -> tuple[sqlite3.Connection, bool]:
    """A connection that only reads, and whether it may be kept.

    A folder that can't be written has no room for SQLite's shared memory. Without a write-ahead log its file
    is read as it is; such a connection doesn't see later changes and must not be kept.
    """
    path = folder / FILE
    if not path.is_file():
        raise IndexUnavailable(
            f"no index at {str(folder)!r}: make one with `assistant index FOLDER --index {shlex.quote(str(folder))}`"
        )
    log = path.with_name(path.name + "-wal")
    keep = os.access(folder, os.W_OK) and os.access(path, os.W_OK)
    frozen = not keep and not (log.exists() and log.stat().st_size)
    mode = "mode=rw" if keep else "mode=ro&immutable=1" if frozen else "mode=ro"
    connection = _connect(f"{path.absolute().as_uri()}?{mode}")
    connection.execute("PRAGMA query_only = ON")
    return connection, not frozen


def _connect(uri: str) -> sqlite3.Connection:
    # Threads take turns with a connection, never share it; transactions are written out.
    return sqlite3.connect(uri, uri=True, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)


def check_schema(connection: sqlite3.Connection, folder: Path, *, new_allowed: bool = False) -> None:
    """Raises `IndexUnavailable` unless the file is an index that this version knows."""
    owner = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if (owner, version, tables) == (0, 0, 0):
        if new_allowed:
            return
        raise unfinished(folder)
    if owner != APPLICATION_ID:
        raise IndexUnavailable(f"{str(folder / FILE)!r} is not an index of this program: choose another folder")
    if version > SCHEMA:
        raise IndexUnavailable(
            f"the index {str(folder)!r} was made by a newer version (schema {version}, known: {SCHEMA}): "
            "install that version, or index again into another folder"
        )


def rebuild_command(folder: Path, about: Mapping[str, str]) -> str:
    """What a user types to make the index again from the same folders."""
    sources = json.loads(about.get("folders", "[]")) or ["FOLDER"]
    return shlex.join(["assistant", "index", *sources, "--index", str(folder), "--rebuild"])


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


def meta(connection: sqlite3.Connection) -> dict[str, str]:
    return dict(connection.execute("SELECT key, value FROM meta"))


DOCUMENT_COLUMNS = "id, title, date, date_source, text, sections, pages, metadata"
CHUNK_COLUMNS = 'start, "end", text, headings, page, sentences'


def document_row(document: Document) -> tuple[str | None, ...]:
    """In the order of `DOCUMENT_COLUMNS`."""
    return (
        document.id,
        document.title,
        document.date.isoformat() if document.date else None,
        document.date_source,
        document.text,
        json.dumps([(s.kind, s.level, s.start, s.end) for s in document.sections]),
        json.dumps([(p.number, p.start, p.end) for p in document.pages]),
        json.dumps(asdict(document.metadata)),
    )


def document_from(path: str, row: Sequence[Any]) -> Document:
    """From columns in the order of `DOCUMENT_COLUMNS`."""
    identifier, title, day, date_source, text, sections, pages, metadata = row
    declared = json.loads(metadata)
    return Document(
        id=identifier,
        path=path,
        title=title,
        date=date.fromisoformat(day) if day else None,
        date_source=cast("DateSource | None", date_source),
        text=text,
        sections=tuple(Section(*section) for section in json.loads(sections)),
        pages=tuple(Page(*page) for page in json.loads(pages)),
        metadata=Metadata(tuple(declared["tags"]), tuple(declared["audience"]), declared["url"]),
    )


def chunk_row(chunk: Chunk) -> tuple[int | str | None, ...]:
    """In the order of `CHUNK_COLUMNS`."""
    headings, sentences = json.dumps(chunk.headings), json.dumps(chunk.sentences)
    return (chunk.start, chunk.end, chunk.text, headings, chunk.page, sentences)


def chunk_from(document_id: str, row: Sequence[Any]) -> Chunk:
    """From columns in the order of `CHUNK_COLUMNS`."""
    start, end, text, headings, page, sentences = row
    spans = tuple((first, last) for first, last in json.loads(sentences))
    return Chunk(document_id, start, end, text, tuple(json.loads(headings)), page, spans)
