"""The chain of kept answers: each has a link over the one before, so that none is changed or taken out unnoticed.

    digest = SHA-256(salt, then the stored bytes of each column, every one preceded by its length)
    hash   = SHA-256(hash of the link before, number, origin and digest, a space between them)

An answer that is erased leaves its link. Its salt goes with it, without which the digest tells nothing of the content.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, field
from typing import Any, Literal

Origin = Literal["kept", "migrated"]
"""Linked when it was given, or with all others of a file of an earlier version when that was brought up to date."""
GENESIS = "0" * 64
"""In the place of the link before the first one."""
_COLUMNS = "conversation, asked, question, answer, context"
_BYTES = ", ".join(f"CAST({column} AS BLOB)" for column in _COLUMNS.split(", "))

_ADD = "INSERT INTO links (number, origin, previous, digest, hash, erased)"


@dataclass(frozen=True, slots=True)
class Row:
    """What is stored of an answer, text by text."""

    conversation: str
    asked: str
    question: str
    answer: str
    context: str | None

    def columns(self) -> list[bytes | None]:
        return [None if text is None else text.encode() for text in astuple(self)]


@dataclass(frozen=True, slots=True)
class Link:
    """The place of one kept answer in the chain of its history."""

    number: int
    """Of the `Record`."""
    previous: str
    """Hash of the link before; `GENESIS` for the first."""
    hash: str
    digest: str
    salt: str
    origin: Origin
    row: Row = field(repr=False)


def digest_of(salt: str, columns: Sequence[bytes | None]) -> str:
    made = hashlib.sha256(salt.encode())
    for column in columns:
        made.update(b"-" if column is None else b"%d:%b" % (len(column), column))
    return made.hexdigest()


def hash_of(previous: str, link: str) -> str:
    """`link`: its number, origin and digest, as `line` puts them."""
    return hashlib.sha256(f"{previous} {link}".encode()).hexdigest()


def line(number: int, origin: str, digest: str) -> str:
    return f"{number} {origin} {digest}"


def append(connection: sqlite3.Connection, row: Row) -> Link:
    """Add an answer and its link, within a transaction that writes."""
    columns = row.columns()
    statement = f"INSERT INTO answers ({_COLUMNS}) VALUES (?, ?, ?, ?, ?) RETURNING number"
    ((number,),) = connection.execute(statement, astuple(row)).fetchall()
    newest = connection.execute("SELECT hash FROM links ORDER BY number DESC LIMIT 1").fetchone()
    return Link(number, *_linked(connection, newest[0] if newest else GENESIS, "kept", number, columns), "kept", row)


def adopt(connection: sqlite3.Connection) -> None:
    """Link the answers of an earlier version, oldest first."""
    previous, number = GENESIS, 0
    for number, *columns in connection.execute(f"SELECT number, {_BYTES} FROM answers ORDER BY number"):
        previous = _linked(connection, previous, "migrated", number, columns)[1]
    if (counted := _counted(connection)) > number:  # erased before, and no digest of it is known
        values = counted, "migrated", previous, GENESIS, hash_of(previous, line(counted, "migrated", GENESIS))
        connection.execute(f"{_ADD} VALUES (?, ?, ?, ?, ?, 'before')", values)


def _counted(connection: sqlite3.Connection) -> int:
    """Answers that were ever kept."""
    return connection.execute("SELECT max(seq) FROM sqlite_sequence WHERE name = 'answers'").fetchone()[0] or 0


def _linked(
    connection: sqlite3.Connection, previous: str, origin: Origin, number: int, columns: Sequence[bytes | None]
) -> tuple[str, str, str, str]:
    """Previous, hash, digest and salt of the link that it adds."""
    salt = secrets.token_hex(32)
    digest = digest_of(salt, columns)
    made = hash_of(previous, line(number, origin, digest))
    connection.execute(f"{_ADD} VALUES (?, ?, ?, ?, ?, NULL)", (number, origin, previous, digest, made))
    connection.execute("INSERT INTO seen VALUES (?, ?, ?, ?)", (number, salt, *_scope(columns[3], columns[4])))
    return previous, made, digest, salt


def _scope(answer: bytes | None, context: bytes | None) -> tuple[str | None, str]:
    """JSON of the audience, and of id and path of every document that is named anywhere in an answer."""
    given, asked = _parsed(answer), _parsed(context)
    audience = asked.get("audience") if isinstance(asked, dict) else None
    named, waiting = set(), [given]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if isinstance(value.get("id"), str) and isinstance(value.get("path"), str):
                named.add((value["id"], value["path"]))
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
    return None if audience is None else json.dumps(audience), json.dumps(sorted(named))


def _parsed(text: bytes | None) -> Any:
    try:
        return json.loads(text or b"null")
    except (ValueError, RecursionError):  # damaged, which is told where it is read
        return None


def linked(connection: sqlite3.Connection, number: int) -> tuple[Link | None, list[str]]:
    """The link of an answer that is there, and number, origin and digest of each later one, as proofs have them."""
    found = connection.execute(
        f"SELECT previous, hash, digest, salt, origin, {_COLUMNS} FROM links JOIN seen USING (number)"
        " JOIN answers USING (number) WHERE number = ?",
        (number,),
    ).fetchone()
    after = connection.execute("SELECT number, origin, digest FROM links WHERE number > ? ORDER BY number", (number,))
    if found is None:
        return None, []
    previous, made, digest, salt, origin, *texts = found
    return Link(number, previous, made, digest, salt, origin, Row(*texts)), [line(*later) for later in after]


def problems(connection: sqlite3.Connection) -> Iterator[str]:
    """Each link and answer that isn't as it was written, in order."""
    previous, last = GENESIS, 0
    rows = connection.execute(
        f"SELECT l.number, l.origin, l.previous, l.digest, l.hash, l.erased, a.number, s.salt, s.audience, s.documents,"
        f" {_BYTES} FROM links AS l LEFT JOIN answers AS a USING (number) LEFT JOIN seen AS s USING (number)"
        " ORDER BY l.number"
    )
    for number, origin, before, digest, made, erased, there, salt, audience, documents, *columns in rows:
        if before != previous:
            yield f"link {number} does not follow link {last}: one was changed, or what stood between was taken out"
        if hash_of(before, line(number, origin, digest)) != made:
            yield f"link {number} was changed"
        if there is None and erased is None:
            yield f"answer {number} is missing, and was not erased with its conversation"
        elif there is not None and erased is not None:
            yield f"answer {number} was erased on {erased}, and something stands in its place"
        elif there is not None and (salt is None or digest_of(salt, columns) != digest):
            yield f"answer {number} was changed"
        elif there is not None and (audience, documents) != _scope(columns[3], columns[4]):
            yield f"answer {number}: what is kept of who may see it was changed"
        previous, last = made, number
    for (number,) in connection.execute("SELECT number FROM answers WHERE number NOT IN (SELECT number FROM links)"):
        yield f"answer {number} was inserted: it has no link"
    if (counted := _counted(connection)) > last:
        yield f"the newest links are missing: {counted} answers were kept, and the chain ends with {last}"
