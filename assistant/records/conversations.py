"""Kept conversations: listed, found by their words, renamed, deleted and brought back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from assistant.records.history import History, Record
from assistant.validation import validated
from corpus.errors import UsageError
from corpus.sanitizing import sanitize

MOST_TITLE_CHARACTERS = 200
_MOST_QUERY = 500
"""Characters of a query that are read, and words of it that are looked for."""
_MOST_WORDS = 24
_COLUMNS = "c.id, coalesce(c.title, c.question), c.began, c.last, c.questions"
_FIND = f"""SELECT s.rowid, s.question, CAST(snippet(searched, -1, '', '', '…', 20) AS BLOB), {_COLUMNS}
FROM searched AS s CROSS JOIN answers AS a ON a.number = s.rowid CROSS JOIN conversations AS c ON c.id = a.conversation
WHERE searched MATCH ? AND c.deleted IS NULL AND """
"""In this order of tables the newest are read first, and no more than are asked for. As bytes, because the JSON of an
answer can spell what UTF-8 can't hold."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """What was asked in a row."""

    id: str
    title: str
    """As renamed, else its first question; one line."""
    began: datetime
    """UTC."""
    last: datetime
    """Of its newest question; UTC."""
    questions: int

    def to_dict(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "title": self.title,
            "began": self.began.isoformat(),
            "last": self.last.isoformat(),
            "questions": self.questions,
        }


@dataclass(frozen=True, slots=True)
class Match:
    """A question or answer that holds the words that were looked for."""

    conversation: Conversation
    number: int
    """Of the `Record`."""
    question: str
    snippet: str
    """Words around the first match; one line of plain text."""

    def to_dict(self) -> dict[str, Any]:
        found = {"number": self.number, "question": self.question, "snippet": self.snippet}
        return found | {"conversation": self.conversation.to_dict()}


@validated
class Conversations:
    """Those of one history, without the deleted ones. Safe to use from many threads.

    Raises `UnavailableError` where the file can't be read or written.
    """

    def __init__(self, history: History) -> None:
        self._history = history
        self._visible = history.visible("c.id")

    def listed(self, limit: int | None = None) -> list[Conversation]:
        """The newest first."""
        found = self._history.rows(
            f"SELECT {_COLUMNS} FROM conversations AS c WHERE deleted IS NULL AND {self._visible}"
            " ORDER BY last DESC, rowid DESC LIMIT ?",
            (-1 if limit is None else limit,),
        )
        return [_conversation(*row) for row in found]

    def find(self, text: str, limit: int = 200) -> list[Match]:
        """Questions and their answers, the newest first, that hold every word of a text or a word that begins so.

        Case and accents count for nothing, nor does the order of the words. Any text will do: of a very long one the
        beginning is looked for, and without a word in it nothing is found.
        """
        words = dict.fromkeys(sanitize(text[:_MOST_QUERY]).replace('"', " ").split())
        query = " ".join(f'"{word}"*' for word in [*words][:_MOST_WORDS])
        newest = f"{_FIND}{self._visible} ORDER BY s.rowid DESC LIMIT ?"
        found = self._history.rows(newest, (query, limit)) if query else []
        return [
            Match(_conversation(*row), number, _line(question), _line(snippet.decode(errors="replace")))
            for number, question, snippet, *row in found
        ]

    def named(self, beginning: str) -> Conversation:
        """The only one whose id begins so. Raises `UsageError` where there is none, or several."""
        wanted = beginning.strip()
        found = self._history.rows(
            f"SELECT {_COLUMNS} FROM conversations AS c WHERE deleted IS NULL AND substr(id, 1, length(?1)) = ?1"
            f" AND ?1 <> '' AND {self._visible} ORDER BY id <> ?1, id LIMIT 4",
            (wanted,),
        )
        if not found:
            raise UsageError(f"no conversation {beginning!r}: `assistant conversations` lists them with their ids")
        if len(found) > 1 and found[0][0] != wanted:
            ids = ", ".join(row[0] for row in found[:3])
            raise UsageError(f"several conversations have an id that begins with {beginning!r}: {ids}; give more of it")
        return _conversation(*found[0])

    def records(self, id: str, last: int | None = None) -> list[Record]:
        """What was asked in it, oldest first; of a long one only the `last` so many."""
        return self._history.records(id, last=last)

    def rename(self, id: str, title: str) -> None:
        """Raises `UsageError` for an unknown id, and for a title that is empty or long."""
        line = _line(title)
        if not 0 < len(line) <= MOST_TITLE_CHARACTERS:
            raise UsageError(
                f"a title has 1 to {MOST_TITLE_CHARACTERS} characters, this one has {len(line):,} ({line[:40]!r}…): "
                "give another"
            )
        self._set("title = ?", "deleted IS NULL", id, line)

    def delete(self, id: str) -> None:
        """Out of sight, with what may still be added to it, until it is restored or erased."""
        self._set("deleted = ?", "deleted IS NULL", id, datetime.now(UTC).isoformat())

    def restore(self, id: str) -> None:
        """Take a deletion back. Raises `UsageError` where it has been erased, or wasn't deleted."""
        self._set("deleted = ?", "deleted IS NOT NULL", id, None)

    def erase(self) -> int:
        """Remove for good what was deleted, from the file too. Returns how many conversations."""
        gone = f"FROM conversations AS c WHERE deleted IS NOT NULL AND {self._visible}"
        if not self._history.rows(f"SELECT 1 {gone} LIMIT 1"):
            return 0
        merged = "INSERT INTO searched (searched) VALUES ('optimize')"  # else their words stay in the full text
        erased = self._history.change(f"DELETE {gone}", after=merged)
        self._history.rows("PRAGMA wal_checkpoint(TRUNCATE)")
        return erased

    def _set(self, change: str, condition: str, id: str, value: str | None) -> None:
        one = f"UPDATE conversations AS c SET {change} WHERE id = ? AND {condition} AND {self._visible}"
        if not self._history.change(one, (value, id)):
            raise UsageError(f"no such conversation {id!r}: it may have been deleted or erased; look at the list again")


def _conversation(id: str, title: str, began: str, last: str, questions: int) -> Conversation:
    return Conversation(id, _line(title), moment(began), moment(last), questions)


def moment(text: str) -> datetime:
    """A moment as it was kept, in UTC; the year 1970 where the file is damaged there."""
    try:
        found = datetime.fromisoformat(text)
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, TypeError):
        return datetime(1970, 1, 1, tzinfo=UTC)


def _line(text: str) -> str:
    return " ".join(sanitize(text).split())
