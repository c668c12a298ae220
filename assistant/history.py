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
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_SHOWN = "substr(CASE WHEN json_valid({0}.answer) THEN json_extract({0}.answer, '$.text') END, 1, 8000)"
"""What was shown of an answer, as far as it is searched."""
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
    (
        "CREATE TABLE conversations (id TEXT PRIMARY KEY, question TEXT NOT NULL, title TEXT, began TEXT NOT NULL,"
        " last TEXT NOT NULL, questions INTEGER NOT NULL, deleted TEXT)",
        "CREATE INDEX conversations_deleted ON conversations (id) WHERE deleted IS NOT NULL",
        "CREATE INDEX conversations_by_last ON conversations (last) WHERE deleted IS NULL",
        "CREATE TABLE feedback (answer TEXT NOT NULL, judgement TEXT NOT NULL, reason TEXT NOT NULL,"
        " cited INTEGER NOT NULL, start INTEGER NOT NULL, stop INTEGER NOT NULL, given TEXT NOT NULL,"
        " PRIMARY KEY (answer, cited, start, stop))",
        "CREATE VIRTUAL TABLE searched USING fts5"
        " (question, answer, title, tokenize = 'unicode61 remove_diacritics 2', prefix = '1 2 3')",
        "INSERT INTO conversations SELECT conversation, (SELECT question FROM answers AS of WHERE"
        " of.conversation = answers.conversation ORDER BY number LIMIT 1), NULL, min(asked), max(asked), count(*), NULL"
        " FROM answers GROUP BY conversation",
        f"INSERT INTO searched (rowid, question, answer) SELECT number, question, {_SHOWN.format('answers')}"
        " FROM answers",
        "CREATE TRIGGER answer_added AFTER INSERT ON answers BEGIN"
        " INSERT INTO conversations VALUES (new.conversation, new.question, NULL, new.asked, new.asked, 1, NULL)"
        " ON CONFLICT (id) DO UPDATE SET last = max(last, excluded.last), questions = questions + 1;"
        " INSERT INTO searched (rowid, question, answer)"
        f" VALUES (new.number, new.question, {_SHOWN.format('new')}); END",
        "CREATE TRIGGER conversation_renamed AFTER UPDATE OF title ON conversations BEGIN"
        " UPDATE searched SET title = new.title"
        " WHERE rowid = (SELECT min(number) FROM answers WHERE conversation = new.id); END",
        "CREATE TRIGGER conversation_erased AFTER DELETE ON conversations BEGIN"
        " DELETE FROM searched WHERE rowid IN (SELECT number FROM answers WHERE conversation = old.id);"
        " DELETE FROM answers WHERE conversation = old.id;"
        " DELETE FROM feedback WHERE NOT EXISTS (SELECT 1 FROM answers WHERE answers.id = feedback.answer); END",
    ),
)
"""The schema of each version from 1, as what makes it of the one before.

conversations: one row for each in `answers`, kept so by triggers; `title` is NULL until it is renamed, `deleted` the
moment of its deletion, after which it can be restored until it is erased.
searched: full text by number of the answer; the title stands at the first one of its conversation.
feedback: judgements by id of the answer, and by cited span or zeros for the whole answer.
"""
VISIBLE = "conversation NOT IN (SELECT id FROM conversations WHERE deleted IS NOT NULL)"
"""Condition of the answers that aren't deleted."""
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
    anyway: bool = False
    """Whether it was answered from the nearest passages, however low the confidence."""

    def to_json(self) -> str:
        settings = dict(self.settings)
        if settings.get("base_url"):
            settings["base_url"] = _CREDENTIALS.sub("", settings["base_url"])
        if settings.get("strictness") == "normal":  # written only where it isn't: ids of answers hash this text
            del settings["strictness"]
        values = {**asdict(self), "settings": settings}
        if not self.anyway:
            del values["anyway"]
        return json.dumps(values, default=date.isoformat)

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
        return cls(turns, where, _day(values["as_of"]), values["settings"], bool(values.get("anyway")))


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

    def __init__(self, path: Path, patience: float = 10.0) -> None:
        """`patience`: seconds to wait for another process that writes."""
        self._path = path
        self._patience = patience
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
        self,
        conversation: str | None = None,
        since: datetime | None = None,
        *,
        last: int | None = None,
        brief: bool = False,
    ) -> list[Record]:
        """What was asked, oldest first, in one conversation or in all, without what was deleted.

        Args:
            since: with its zone; None for all that is kept.
            last: only so many, the newest.
            brief: leave out passages and statements, which are most of an answer.
        """
        of = "?1 IS NULL" if conversation is None else "conversation = ?1"  # either can use an index
        newest_first = self._select(
            f"{of} AND {VISIBLE} AND (?2 IS NULL OR asked >= ?2) ORDER BY number DESC LIMIT ?3",
            (conversation, since and since.astimezone(UTC).isoformat(), -1 if last is None else last),
            f"CASE WHEN json_valid(answer) THEN json_remove(answer, {_LONG}) ELSE answer END" if brief else "answer",
        )
        return newest_first[::-1]

    def record(self, answer_id: str) -> Record:
        """The newest with this answer id, or the only id that begins so. Raises `UsageError` where there is none."""
        wanted = answer_id.strip().lower()
        among = f"FROM answers WHERE id BETWEEN ?1 AND ?1 || 'g' AND {VISIBLE}"  # ids are hexadecimal
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

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """What a statement that reads gives; nothing where there is no file yet."""
        with self._lock:
            return self._run(statement, values) if self._there() else []

    def change(self, statement: str, values: Sequence[Any] = (), after: str | None = None) -> int:
        """Carry out a statement, and another `after` it, both or neither. Returns how many rows the first changed."""
        with self._lock:
            if not self._there():
                return 0
            try:
                self._run("BEGIN IMMEDIATE")
                self._run(statement, values)
                ((changed,),) = self._run("SELECT changes()")
                if after is not None:
                    self._run(after)
                self._run("COMMIT")
            except BaseException:
                if self._connection is not None:
                    self._connection.rollback()
                raise
        return int(changed)

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _select(self, condition: str, values: Sequence[Any], answer: str = "answer") -> list[Record]:
        columns = f"number, conversation, asked, question, {answer}, context"
        return [self._record(*row) for row in self.rows(f"SELECT {columns} FROM answers WHERE {condition}", values)]

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

    def _there(self) -> bool:
        return self._connection is not None or self._path.exists()

    def _run(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        try:
            if self._connection is None:
                self._connection = self._open()
            return self._connection.execute(statement, values).fetchall()
        except UnicodeEncodeError as error:
            raise UsageError(f"{error.object!r} can't be kept: it holds half of a character; write it anew") from error
        except sqlite3.Error as error:
            busy = getattr(error, "sqlite_errorcode", 0) & 0xFF in _BUSY
            mend = (
                f"another process has been writing it for {self._patience:g} seconds; wait until it is done, or end it"
                if busy
                else "check its permissions and the free space, or name another file with history="
            )
            raise UnavailableError(f"the history {str(self._path)!r} can't be used ({error}): {mend}") from error

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, self._patience, check_same_thread=False, isolation_level=None)
        try:
            connection.execute("PRAGMA secure_delete = ON")  # also what a merge of the full text leaves behind
            connection.execute("PRAGMA cache_size = -8000")  # 8 MB, which ten thousand conversations fit into
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
