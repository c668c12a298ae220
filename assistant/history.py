"""Conversations on disk: what was asked, and every answer as it was given."""

from __future__ import annotations

import json
import sqlite3
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from assistant.types import Answer
from corpus.errors import UnavailableError

FILE = "history.sqlite3"
_APPLICATION_ID = 0x50534D48
_SCHEMA = """
CREATE TABLE answers (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    conversation TEXT NOT NULL,
    asked TEXT NOT NULL,
    question TEXT NOT NULL,
    answer TEXT NOT NULL
);
CREATE INDEX answers_by_conversation ON answers (conversation, number);
"""


@dataclass(frozen=True, slots=True)
class Record:
    """One question and its answer, as kept."""

    number: int
    conversation: str
    asked: datetime
    """UTC."""
    question: str
    answer: dict[str, Any]
    """As `Answer.to_dict` gave it."""


class History:
    """The file of a folder's conversations. Safe to use from many threads; a rebuild of the index keeps it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None

    def add(self, conversation: str, answer: Answer) -> None:
        """Keep an answer. Raises `UnavailableError` where the file can't be written."""
        with self._lock:
            self._run(
                "INSERT INTO answers (conversation, asked, question, answer) VALUES (?, ?, ?, ?)",
                (conversation, datetime.now(UTC).isoformat(), answer.question, json.dumps(answer.to_dict())),
            )

    def records(self, conversation: str | None = None) -> list[Record]:
        """What was asked, oldest first, in one conversation or in all."""
        with self._lock:
            if self._connection is None and not self._path.exists():
                return []
            rows = self._run(
                "SELECT number, conversation, asked, question, answer FROM answers"
                " WHERE ?1 IS NULL OR conversation = ?1 ORDER BY number",
                (conversation,),
            )
        return [Record(n, c, datetime.fromisoformat(at), q, json.loads(a)) for n, c, at, q, a in rows]

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _run(self, statement: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        try:
            if self._connection is None:
                self._connection = self._open()
            with self._connection:
                return self._connection.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise UnavailableError(
                f"the history {str(self._path)!r} can't be used ({error}): check its permissions and the free space, "
                "or name another file with history="
            ) from error

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=10, check_same_thread=False)
        try:
            owner = connection.execute("PRAGMA application_id").fetchone()[0]
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if (owner, version) == (0, 0):
                connection.execute("PRAGMA journal_mode = WAL")
                connection.executescript(
                    f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA application_id = {_APPLICATION_ID}; "
                    "PRAGMA user_version = 1; COMMIT;"
                )
            elif owner != _APPLICATION_ID or version > 1:
                raise sqlite3.DatabaseError("it isn't a history of this version")
        except BaseException:
            connection.close()
            raise
        return connection
