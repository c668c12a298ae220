"""Conversations on disk: what was asked and how, and every answer as it was given."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from types import NoneType
from typing import Any, Self

from assistant.records.answers import day_of
from assistant.records.chain import Link, Row, append, linked, problems
from assistant.records.storage import HistoryFile, Permit
from assistant.types import Answer, Turn
from corpus.errors import UnavailableError, UsageError
from embeddings.types import Where

FILE = "history.sqlite3"
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
    audience: tuple[str, ...] | None = None
    """Groups of readers that it was asked for, in order; None for an unrestricted caller."""

    def to_json(self) -> str:
        settings = dict(self.settings)
        if settings.get("base_url"):
            settings["base_url"] = _CREDENTIALS.sub("", settings["base_url"])
        if settings.get("strictness") == "normal":  # written only where it isn't: ids of answers hash this text
            del settings["strictness"]
        values = {**asdict(self), "settings": settings}
        if not self.anyway:
            del values["anyway"]
        if self.audience is None:
            del values["audience"]
        return json.dumps(values, default=date.isoformat)

    @classmethod
    def from_json(cls, text: str) -> Self:
        values = json.loads(text)
        where = values["where"] and Where(
            tuple(values["where"]["paths"]),
            tuple(values["where"]["tags"]),
            day_of(values["where"]["date_from"]),
            day_of(values["where"]["date_to"]),
        )
        turns = tuple(Turn(**turn) for turn in values["history"])
        if not isinstance(values["settings"], dict):
            raise TypeError("its settings are no table")
        audience = values.get("audience")
        if audience is not None and not fits(audience, [str]):
            raise TypeError("its audience is no list of names")
        as_of, anyway = day_of(values["as_of"]), bool(values.get("anyway"))
        return cls(turns, where, as_of, values["settings"], anyway, None if audience is None else (*audience,))


Kept = str | int | Answer
"""An answer of the past: exactly the one that was given, or that has this number; of an id the newest with it."""


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

    @property
    def turn(self) -> Turn:
        """As `Answer.turn`."""
        return Turn(self.question, "" if self.answer["refused"] else self.answer["text"])


class History:
    """The file of a folder's conversations. Safe to use from many threads; a rebuild of the index keeps it.

    With the path `:memory:` they last until it is closed.
    """

    def __init__(self, path: Path, patience: float = 10.0) -> None:
        """`patience`: seconds to wait for another process that writes."""
        self._file = HistoryFile(path, patience)
        self._permit: Permit | None = None
        self._beginning = ""

    def within(self, beginning: str) -> Self:
        """The same file for a caller who may see only conversations whose ids begin so; the others don't exist."""
        scoped = copy(self)
        scoped._beginning = beginning
        return scoped

    def permitted(self, permit: Permit) -> Self:
        """The same file for a caller who may see only what `permit` allows, which is opened for each look into it.

        What can't be seen is as if it did not exist: a conversation of which any answer can't be, altogether.
        """
        scoped = copy(self)
        scoped._permit = permit
        return scoped

    def visible(self, conversation: str) -> str:
        """Condition, in SQL, that the conversation of this column may be seen; also where it was deleted."""
        beginning = self._beginning.replace("'", "''")
        within = f"substr({conversation}, 1, {len(self._beginning)}) = '{beginning}'" if beginning else "TRUE"
        if self._permit is None:
            return within
        return (
            f"({within} AND NOT EXISTS (SELECT 1 FROM answers AS part LEFT JOIN seen ON seen.number = part.number"
            f" WHERE part.conversation = {conversation} AND NOT permitted(seen.audience, seen.documents)))"
        )

    @property
    def shown(self) -> str:
        """Condition, in SQL, of the answers that may be seen and aren't deleted."""
        deleted = "conversation IN (SELECT id FROM conversations WHERE deleted IS NOT NULL)"
        return f"NOT {deleted} AND {self.visible('answers.conversation')}"

    def add(
        self, conversation: str, answer: Answer, context: Context | None = None, patience: float = math.inf
    ) -> Link:
        """Keep an answer, on the disk when this returns. Raises `UnavailableError` where the file can't be written.

        Args:
            patience: seconds to wait for others that write, if they are fewer than the history's.
        """
        kept = json.dumps(answer.to_dict()), context.to_json() if context else None
        with self._file.change(patience=patience) as connection:
            return append(connection, Row(conversation, datetime.now(UTC).isoformat(), answer.question, *kept))

    def proof(self, answer: Kept) -> str:
        """Of an answer of the past, with the links after it, so that it can be compared with a later head.

        Raises:
            UsageError: there is none, or none to be seen.
            UnavailableError: it is damaged, or was put into the file by something else.
        """
        from assistant.records.proof import (
            proof_of,  # deferred: only who asks for a proof needs it, and it reads answers
        )

        number = self.record(answer).number
        with self._file.use() as connection:
            link, after = linked(connection, number)
        if link is None:
            raise UnavailableError(
                f"answer {number} of the history {str(self._file.path)!r} has no link: something else put it there"
            )
        return proof_of(link, after)

    def head(self) -> str | None:
        """Hash of the newest link, to be noted elsewhere; None without any."""
        found = self.rows("SELECT hash FROM links ORDER BY number DESC LIMIT 1")
        return found[0][0] if found else None

    def verify(self) -> list[str]:
        """What of the chain isn't as it was written, row by row; of erased answers the link is all there is."""
        if not self._file.exists():
            return []
        with self._file.use() as connection:
            connection.execute("BEGIN")  # all of it as of one moment, while others write
            try:
                return list(problems(connection))
            finally:
                connection.execute("COMMIT")

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
            f"{of} AND {self.shown} AND (?2 IS NULL OR asked >= ?2) ORDER BY number DESC LIMIT ?3",
            (conversation, since and since.astimezone(UTC).isoformat(), -1 if last is None else last),
            f"CASE WHEN json_valid(answer) THEN json_remove(answer, {_LONG}) ELSE answer END" if brief else "answer",
        )
        return newest_first[::-1]

    def pages(self, since: datetime | None = None, size: int = 100) -> Iterator[list[Record]]:
        """As `records`, so many at a time: thousands of answers needn't fit into memory."""
        number, moment = 0, since and since.astimezone(UTC).isoformat()
        condition = f"number > ?1 AND {self.shown} AND (?2 IS NULL OR asked >= ?2) ORDER BY number LIMIT ?3"
        while page := self._select(condition, (number, moment, size)):
            yield page
            number = page[-1].number

    def record(self, answer: Kept) -> Record:
        """The one that is meant, also by the beginning of an id that no other has. Raises `UsageError` without one."""
        column, named = key_of(answer)
        wanted = named.strip().lower()
        among = f"FROM answers WHERE id BETWEEN ?1 AND ?1 || 'g' AND {self.shown}"  # ids are hexadecimal
        newest = f"SELECT max(number) {among} AND length(?1) GROUP BY id ORDER BY id LIMIT 4"
        condition = f"number = ?1 AND {self.shown}" if column == "number" else f"number IN ({newest})"
        found = self._select(condition, (wanted,))
        if not found:
            raise UsageError(
                f"no answer {named!r} in the history {str(self._file.path)!r}: give the id, or its beginning, that "
                "`assistant ask` shows with --verbose or --json"
            )
        if len(found) > 1:
            ids = ", ".join(sorted(str(record.answer["id"]) for record in found[:3]))
            raise UsageError(f"several answers have an id that begins with {named!r}: {ids}; give more of it")
        return found[0]

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """What a statement that reads gives; nothing where there is no file yet."""
        if not self._file.exists():
            return []
        with self._file.use(self._permit) as connection:
            return connection.execute(statement, values).fetchall()

    def change(self, statement: str, values: Sequence[Any] = (), after: str | None = None) -> int:
        """Carry out a statement, and another `after` it, both or neither. Returns how many rows the first changed."""
        if not self._file.exists():
            return 0
        with self._file.change(self._permit) as connection:
            connection.execute(statement, values)
            ((changed,),) = connection.execute("SELECT changes()").fetchall()
            if after is not None:
                connection.execute(after)
        return int(changed)

    def close(self) -> None:
        self._file.close()

    def _select(self, condition: str, values: Sequence[Any], answer: str = "answer") -> list[Record]:
        columns = f"number, conversation, asked, question, {answer}, context"
        return [self._record(*row) for row in self.rows(f"SELECT {columns} FROM answers WHERE {condition}", values)]

    def _record(self, number: int, conversation: str, asked: str, question: str, answer: str, context: str) -> Record:
        try:
            kept = Context.from_json(context) if context else None
            given = json.loads(answer)
            if not (fits(given, _ANSWER) and _cited(given) <= {p["number"] for p in given.get("passages", ())}):
                raise ValueError("its answer has another form")
            return Record(number, conversation, datetime.fromisoformat(asked), question, given, kept)
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
            raise UnavailableError(
                f"row {number} of the history {str(self._file.path)!r} is damaged ({error}): put the file back from a "
                "copy, or move it away and begin a new one"
            ) from error


def key_of(answer: Kept) -> tuple[str, str]:
    """Column of `answers` by which it is found, and what stands there. Raises `UsageError` where it wasn't kept."""
    if not isinstance(answer, Answer):
        return "number" if isinstance(answer, int) else "id", str(answer)
    if answer.link is None:
        raise UsageError(f"the answer {answer.id!r} wasn't kept: `Assistant.unkept` says why; ask again")
    return "number", str(answer.link.number)


def _cited(answer: dict[str, Any]) -> set[int]:
    """Numbers of the passages that it cites."""
    citations = (c for statement in answer.get("statements", ()) for c in statement["citations"])
    return {c["number"] for c in citations if c["document"] is not None}


def fits(value: Any, form: Any) -> bool:
    if isinstance(form, tuple):
        return any(one is not None and fits(value, one) for one in form)
    if isinstance(form, list):
        return isinstance(value, list) and all(fits(one, form[0]) for one in value)
    if isinstance(form, dict):
        return isinstance(value, dict) and all(
            fits(value[name], one) if name in value else isinstance(one, tuple) and None in one
            for name, one in form.items()
        )
    return isinstance(value, form)
