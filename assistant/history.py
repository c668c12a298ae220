"""Conversations on disk: what was asked and how, and every answer as it was given."""

from __future__ import annotations

import json
import re
import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from types import NoneType
from typing import Any, Self

from assistant.types import Answer, Turn
from corpus.errors import UnavailableError, UsageError
from embeddings.types import Where

FILE = "history.sqlite3"
_APPLICATION_ID = 0x50534D48
_MIGRATIONS = (
    (
        "CREATE TABLE answers (number INTEGER PRIMARY KEY AUTOINCREMENT, conversation TEXT NOT NULL,"
        " asked TEXT NOT NULL, question TEXT NOT NULL, answer TEXT NOT NULL)",
        "CREATE INDEX answers_by_conversation ON answers (conversation, number)",
    ),
    (
        "ALTER TABLE answers ADD COLUMN context TEXT",
        "ALTER TABLE answers ADD COLUMN id TEXT GENERATED ALWAYS AS"
        " (CASE WHEN json_valid(answer) THEN json_extract(answer, '$.id') END) VIRTUAL",
        "CREATE INDEX answers_by_id ON answers (id, number)",
    ),
)
"""The schema of each version from 1, as what makes it of the one before."""
_CREDENTIALS = re.compile(r"(?:(?<=://)|^(?!\w*://)).*@|[?#].*", re.S)
"""What may be a secret in an address: user and password, and what follows its path."""
_LONG = "'$.passages', '$.statements', '$.refusal.nearest'"
"""Most of an answer."""
_PLACE = {"number": int, "start": int, "end": int}
_CITED = _PLACE | {"document": {"id": str, "path": str}, "quote": str}
_CITED_NOWHERE = {"document": NoneType}
_PASSAGE = _PLACE | {"text": str, "headings": [str], "page": (int, NoneType), "score": (int, float)}
_ANSWER = {
    "id": str,
    "text": str,
    "standalone_question": str,
    "refused": bool,
    "refusal": (NoneType, {"reason": str, "explanation": str}),
    "generator": str,
    "snapshot": {"generation": int},
    "passages": (None, [_PASSAGE]),
    "statements": (None, [{"text": str, "verdict": str, "citations": [(_CITED, _CITED_NOWHERE)]}]),
}
"""What of `Answer.to_dict` is read again: a type, a list of one form, several forms, None for what may be left out."""


@dataclass(frozen=True, slots=True)
class Context:
    """All that an answer depends on beside the question and the index."""

    history: tuple[Turn, ...] = ()
    where: Where | None = None
    as_of: date | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    """`dataclasses.asdict` of the `Settings`."""

    def to_json(self) -> str:
        settings = dict(self.settings)
        if settings.get("base_url"):
            settings["base_url"] = _CREDENTIALS.sub("", settings["base_url"])
        return json.dumps({**asdict(self), "settings": settings}, default=date.isoformat)

    @classmethod
    def from_json(cls, text: str) -> Self:
        values = json.loads(text)
        where = values["where"] and Where(
            tuple(values["where"]["paths"]),
            tuple(values["where"]["tags"]),
            _day(values["where"]["date_from"]),
            _day(values["where"]["date_to"]),
        )
        turns = tuple(Turn(**turn) for turn in values["history"])
        if not isinstance(values["settings"], dict):
            raise TypeError("its settings are no table")
        return cls(turns, where, _day(values["as_of"]), values["settings"])


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
    context: Context | None = None
    """None where it wasn't kept, as in files of version 1."""


class History:
    """The file of a folder's conversations. Safe to use from many threads; a rebuild of the index keeps it.

    With the path `:memory:` they last until it is closed.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None

    def add(self, conversation: str, answer: Answer, context: Context | None = None) -> None:
        """Keep an answer, on the disk when this returns. Raises `UnavailableError` where the file can't be written."""
        kept = json.dumps(answer.to_dict()), context and context.to_json()
        with self._lock:
            self._run(
                "INSERT INTO answers (conversation, asked, question, answer, context) VALUES (?, ?, ?, ?, ?)",
                (conversation, datetime.now(UTC).isoformat(), answer.question, *kept),
            )

    def records(
        self, conversation: str | None = None, since: datetime | None = None, *, brief: bool = False
    ) -> list[Record]:
        """What was asked, oldest first, in one conversation or in all.

        Args:
            since: with its zone; None for all that is kept.
            brief: leave out passages and statements, which are most of an answer.
        """
        return self._select(
            "(?1 IS NULL OR conversation = ?1) AND (?2 IS NULL OR asked >= ?2) ORDER BY number",
            (conversation, since and since.astimezone(UTC).isoformat()),
            f"CASE WHEN json_valid(answer) THEN json_remove(answer, {_LONG}) ELSE answer END" if brief else "answer",
        )

    def record(self, answer_id: str) -> Record:
        """The newest with this answer id, or the only id that begins so. Raises `UsageError` where there is none."""
        wanted = answer_id.strip().lower()
        among = "FROM answers WHERE id BETWEEN ?1 AND ?1 || 'g'"  # ids are hexadecimal
        newest = f"SELECT max(number) {among} AND length(?1) GROUP BY id ORDER BY id LIMIT 4"
        found = self._select(f"number IN ({newest})", (wanted,))
        if not found:
            raise UsageError(
                f"no answer {answer_id!r} in the history {str(self._path)!r}: give the id, or its beginning, that "
                "`assistant ask` shows with --verbose or --json"
            )
        if len(found) > 1:
            ids = ", ".join(sorted(str(record.answer["id"]) for record in found[:3]))
            raise UsageError(f"several answers have an id that begins with {answer_id!r}: {ids}; give more of it")
        return found[0]

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _select(self, condition: str, values: Sequence[Any], answer: str = "answer") -> list[Record]:
        with self._lock:
            if self._connection is None and not self._path.exists():
                return []
            rows = self._run(
                f"SELECT number, conversation, asked, question, {answer}, context FROM answers WHERE {condition}",
                values,
            )
        return [self._record(*row) for row in rows]

    def _record(self, number: int, conversation: str, asked: str, question: str, answer: str, context: str) -> Record:
        try:
            kept = Context.from_json(context) if context else None
            given = json.loads(answer)
            if not (_fits(given, _ANSWER) and _cited(given) <= {p["number"] for p in given.get("passages", ())}):
                raise ValueError("its answer has another form")
            return Record(number, conversation, datetime.fromisoformat(asked), question, given, kept)
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
            raise UnavailableError(
                f"row {number} of the history {str(self._path)!r} is damaged ({error}): put the file back from a copy, "
                "or move it away and begin a new one"
            ) from error

    def _run(self, statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        try:
            if self._connection is None:
                self._connection = self._open()
            return self._connection.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise UnavailableError(
                f"the history {str(self._path)!r} can't be used ({error}): check its permissions and the free space, "
                "or name another file with history="
            ) from error

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=10, check_same_thread=False, isolation_level=None)
        try:
            if self._version(connection) < len(_MIGRATIONS):
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("BEGIN IMMEDIATE")  # another process may migrate it: the version is read again
                for statements in _MIGRATIONS[self._version(connection) :]:
                    for statement in statements:
                        connection.execute(statement)
                connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {len(_MIGRATIONS)}")
                connection.execute("COMMIT")
        except BaseException:
            connection.close()
            raise
        return connection

    def _version(self, connection: sqlite3.Connection) -> int:
        """0 for a new file. Raises where another program, or a later version of this one, made it."""
        (owner,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if owner == _APPLICATION_ID and version > len(_MIGRATIONS):
            raise UnavailableError(
                f"the history {str(self._path)!r} was written by a later version of this program (its schema is "
                f"{version}, {len(_MIGRATIONS)} is known): update passim-assistant, or name another file with history="
            )
        if owner != _APPLICATION_ID and (owner, version) != (0, 0):
            raise sqlite3.DatabaseError("another program made it")
        return int(version)


def _cited(answer: dict[str, Any]) -> set[int]:
    """Numbers of the passages that it cites."""
    citations = (c for statement in answer.get("statements", ()) for c in statement["citations"])
    return {c["number"] for c in citations if c["document"] is not None}


def _fits(value: Any, form: Any) -> bool:
    if isinstance(form, tuple):
        return any(one is not None and _fits(value, one) for one in form)
    if isinstance(form, list):
        return isinstance(value, list) and all(_fits(one, form[0]) for one in value)
    if isinstance(form, dict):
        return isinstance(value, dict) and all(
            _fits(value[name], one) if name in value else isinstance(one, tuple) and None in one
            for name, one in form.items()
        )
    return isinstance(value, form)


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
