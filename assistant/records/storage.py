"""The file of a history: its tables, how those of earlier versions are brought up to date, and who may use it when."""

from __future__ import annotations

import json
import math
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

from assistant.records.chain import adopt
from corpus.errors import Closed, UnavailableError, UsageError

_APPLICATION_ID = 0x50534D48
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_WAIT = "another process has been writing it for too long; wait until it is done, or end it"
_SHOWN = "substr(CASE WHEN json_valid({0}.answer) THEN json_extract({0}.answer, '$.text') END, 1, 8000)"
"""What was shown of an answer, as far as it is searched."""
_MIGRATIONS: tuple[tuple[str | Callable[[sqlite3.Connection], None], ...], ...] = (
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
    (
        "CREATE TABLE links (number INTEGER PRIMARY KEY, origin TEXT NOT NULL, previous TEXT NOT NULL,"
        " digest TEXT NOT NULL, hash TEXT NOT NULL, erased TEXT)",
        "CREATE TABLE seen (number INTEGER PRIMARY KEY, salt TEXT NOT NULL, audience TEXT, documents TEXT NOT NULL)",
        "CREATE TABLE told (number INTEGER NOT NULL, audience TEXT NOT NULL, state TEXT NOT NULL,"
        " PRIMARY KEY (number, audience))",
        "DROP TRIGGER conversation_erased",
        "ALTER TABLE feedback RENAME TO judged",
        "CREATE TABLE feedback (number INTEGER NOT NULL, judgement TEXT NOT NULL, reason TEXT NOT NULL,"
        " cited INTEGER NOT NULL, start INTEGER NOT NULL, stop INTEGER NOT NULL, given TEXT NOT NULL,"
        " PRIMARY KEY (number, cited, start, stop))",
        "INSERT INTO feedback SELECT (SELECT number FROM answers JOIN conversations AS c ON c.id = conversation"
        " WHERE answers.id = judged.answer ORDER BY deleted IS NOT NULL, number DESC LIMIT 1) AS newest,"
        " judgement, reason, cited, start, stop, given FROM judged WHERE newest IS NOT NULL",
        "DROP TABLE judged",
        "CREATE TRIGGER conversation_erased AFTER DELETE ON conversations BEGIN"
        " DELETE FROM searched WHERE rowid IN (SELECT number FROM answers WHERE conversation = old.id);"
        " DELETE FROM seen WHERE number IN (SELECT number FROM answers WHERE conversation = old.id);"
        " DELETE FROM feedback WHERE number IN (SELECT number FROM answers WHERE conversation = old.id);"
        " DELETE FROM told WHERE number IN (SELECT number FROM answers WHERE conversation = old.id);"
        " UPDATE links SET erased = strftime('%Y-%m-%dT%H:%M:%fZ')"
        " WHERE number IN (SELECT number FROM answers WHERE conversation = old.id);"
        " DELETE FROM answers WHERE conversation = old.id; END",
        adopt,
    ),
)
"""The schema of each version from 1, as what makes it of the one before.

conversations: one row for each in `answers`, kept so by triggers; `title` is NULL until it is renamed, `deleted` the
moment of its deletion, after which it can be restored until it is erased.
searched: full text by number of the answer; the title stands at the first one of its conversation.
feedback: judgements by number of the answer, and by cited span or zeros for the whole answer.
links: the chain, see `records.chain`; `erased` is the moment when the answer was, which leaves its link.
seen: what decides who may see an answer, in a table of its own so that none of its long text is read for it.
told: in which state a stale answer was told to the application, by number, and for each audience of one.
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """What decides who may see an answer."""

    audience: frozenset[str] | None
    """That it was asked with; None for an unrestricted caller, and where it isn't known."""
    named: str
    """JSON of `documents`, read only when it is asked for."""

    @property
    def documents(self) -> frozenset[tuple[str, str]]:
        """Id and path of each that it names anywhere: cited, offered, nearest, in conflict."""
        return frozenset((id, path) for id, path in json.loads(self.named))


Predicate = Callable[[Seen], bool]
Permit = Callable[[], AbstractContextManager[Predicate]]
"""Opens what decides for as long as one statement runs, such as a view of the index."""


class HistoryFile:
    """One connection, made when it is first needed, that threads use one after the other."""

    def __init__(self, path: Path, patience: float) -> None:
        """`patience`: seconds to wait for another process that writes."""
        self.path = path
        self._patience = patience
        self._lock = threading.RLock()  # the garbage that its holder collects may close this
        self._connection: sqlite3.Connection | None = None
        self._opened: tuple[int, int] | None = None
        """Which file that is; None for one in memory."""
        self._closed = False
        self._decided: Callable[[str | None, str | None], bool] = partial(_decided, None)
        """Whether an answer may be seen, remembered for one caller and statement: the next may find it otherwise."""
        self._failed: BaseException | None = None

    def exists(self) -> bool:
        return self.path.exists() or (self._connection is not None and self._opened is None)

    @contextmanager
    def use(self, permit: Permit | None = None, patience: float = math.inf) -> Iterator[sqlite3.Connection]:
        """The connection for one caller, who is shown what `permit` allows by `permitted(...)` in SQL.

        Args:
            patience: seconds to wait, if they are fewer than the file's: for its turn, and for another process.
        """
        until = time.monotonic() + min(patience, self._patience)
        # What the permit opens may close this.
        with nullcontext() if permit is None else permit() as predicate, self._turn(until):
            if self._closed:
                raise Closed(f"the history {str(self.path)!r} is closed: open it again")
            try:
                if self._connection is not None and self._opened != self._lies_there():
                    self._connection.close()  # what it would write now is lost: the file was deleted, or replaced
                    self._connection = None
                if self._connection is None:
                    self._connection = self._open()
                    self._opened = self._lies_there()
                left = max(until - time.monotonic(), 0)
                self._connection.execute(f"PRAGMA busy_timeout = {1000 * left:.0f}")
                self._decided, self._failed = lru_cache(1 << 16)(partial(_decided, predicate)), None
                yield self._connection
            except UnicodeEncodeError as error:
                half = f"{error.object!r} can't be kept: it holds half of a character; write it anew"
                raise UsageError(half) from error
            except sqlite3.Error as error:
                if self._failed is not None:
                    raise self._failed from error
                busy = getattr(error, "sqlite_errorcode", 0) & 0xFF in _BUSY
                mend = _WAIT if busy else "check its permissions and the free space, or name another file with history="
                raise UnavailableError(f"the history {str(self.path)!r} can't be used ({error}): {mend}") from error

    @contextmanager
    def _turn(self, until: float) -> Iterator[None]:
        """Of one thread. All that wait for another process wait at the same time."""
        if not self._lock.acquire(timeout=max(until - time.monotonic(), 0)):
            raise UnavailableError(f"the history {str(self.path)!r} can't be used (it is busy): {_WAIT}")
        try:
            yield
        finally:
            self._lock.release()

    @contextmanager
    def change(self, permit: Permit | None = None, patience: float = math.inf) -> Iterator[sqlite3.Connection]:
        """The same within a transaction: all that is done is done, or nothing."""
        with self.use(permit, patience) as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                connection.rollback()
                raise

    def close(self) -> None:
        with self._lock:
            self._closed = True
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _lies_there(self) -> tuple[int, int] | None:
        with suppress(OSError):
            status = self.path.stat()
            return status.st_dev, status.st_ino
        return None

    def _permitted(self, audience: str | None, documents: str | None) -> bool:
        try:
            return self._decided(audience, documents)
        except BaseException as error:  # SQLite would only say that something was raised
            self._failed = error
            raise

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, self._patience, check_same_thread=False, isolation_level=None)
        try:
            connection.create_function("permitted", 2, self._permitted)
            connection.execute("PRAGMA secure_delete = ON")  # also what a merge of the full text leaves behind
            connection.execute("PRAGMA cache_size = -8000")  # 8 MB, which ten thousand conversations fit into
            if self._version(connection) < len(_MIGRATIONS):
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("BEGIN IMMEDIATE")  # another process may migrate it: the version is read again
                for steps in _MIGRATIONS[self._version(connection) :]:
                    for step in steps:
                        connection.execute(step) if isinstance(step, str) else step(connection)
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
                f"the history {str(self.path)!r} was written by a later version of this program (its schema is "
                f"{version}, {len(_MIGRATIONS)} is known): update passim-assistant, or name another file with history="
            )
        if owner != _APPLICATION_ID and (owner, version) != (0, 0):
            raise sqlite3.DatabaseError("another program made it")
        return int(version)


def _decided(predicate: Predicate | None, audience: str | None, documents: str | None) -> bool:
    if predicate is None or documents is None:  # its row was taken out: nobody knows who may see it
        return predicate is None
    return predicate(Seen(None if audience is None else frozenset(json.loads(audience)), documents))
