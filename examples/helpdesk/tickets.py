"""Tickets and the drafts of their replies, in one SQLite file that any number of workers share.

A ticket is `waiting`, `drafted`, `escalated` or `sent`; a draft `offered`, `withdrawn`, `sent` or `flagged` (sent, and
no longer right).
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

LEASE = 300.0
"""Seconds that a worker has for a ticket; then another takes it."""
ATTEMPTS = 5
"""Failures after which a person gets it."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS tickets (
    id INTEGER PRIMARY KEY AUTOINCREMENT, channel TEXT NOT NULL, question TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting', note TEXT NOT NULL DEFAULT '',
    failures INTEGER NOT NULL DEFAULT 0, due REAL NOT NULL DEFAULT 0, claim TEXT);
CREATE TABLE IF NOT EXISTS drafts (
    id INTEGER PRIMARY KEY AUTOINCREMENT, ticket INTEGER NOT NULL REFERENCES tickets (id), reply TEXT NOT NULL,
    answer TEXT NOT NULL, proof TEXT NOT NULL, state TEXT NOT NULL DEFAULT 'offered', note TEXT NOT NULL DEFAULT '');
CREATE TABLE IF NOT EXISTS stale (answer TEXT PRIMARY KEY, told REAL NOT NULL);
"""
_TICKET, _DRAFT = "id, channel, question, state, note, failures, claim", "id, reply, answer, proof, state, note"


@dataclass(frozen=True, slots=True)
class Ticket:
    """A question of a customer."""

    id: int
    channel: str
    question: str
    state: str
    note: str
    """Why it is in this state, for whoever reads it."""
    failures: int
    claim: str | None
    """Of the worker that has it; nobody without it can change what becomes of the ticket."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A reply, and what it rests on."""

    id: int
    reply: str
    answer: str
    """Id of the answer in the assistant's history."""
    proof: str
    """For `assistant verify-proof`."""
    state: str
    note: str


class Tickets:
    """Safe to use from many threads and processes: each change is one transaction."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._clock = clock
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript(f"PRAGMA journal_mode = WAL;{_SCHEMA}")

    def add(self, channel: str, question: str) -> int:
        with self._change() as change:
            row = change.execute("INSERT INTO tickets (channel, question) VALUES (?, ?)", (channel, question))
            return int(row.lastrowid or 0)

    def listed(self, number: int | None = None) -> list[Ticket]:
        """All, or the one with the number."""
        rows = f"SELECT {_TICKET} FROM tickets WHERE id = coalesce(?, id) ORDER BY id"
        with self._change() as change:
            return [Ticket(*row) for row in change.execute(rows, (number,))]

    def drafts(self, ticket: int) -> list[Draft]:
        """Oldest first."""
        rows = f"SELECT {_DRAFT} FROM drafts WHERE ticket = ? ORDER BY id"
        with self._change() as change:
            return [Draft(*row) for row in change.execute(rows, (ticket,))]

    def claim(self) -> Ticket | None:
        """The oldest ticket that waits and that nobody has, or whose worker took too long; None for none."""
        now = self._clock()
        first = "SELECT id FROM tickets WHERE state = 'waiting' AND due <= ? ORDER BY due > 0, id LIMIT 1"
        claimed = f"UPDATE tickets SET claim = ?, due = ? WHERE id = ({first}) RETURNING {_TICKET}"
        with self._change() as change:
            row = change.execute(claimed, (uuid4().hex, now + LEASE, now)).fetchone()
        return Ticket(*row) if row else None

    def draft(self, ticket: Ticket, reply: str, answer: str, proof: str) -> bool:
        """Offer a reply; not where another worker has the ticket now, or the answer went stale since it was claimed.

        What went stale before then may be right again: an index that was made anew gives equal answers equal ids.
        """
        stale = "SELECT 1 FROM stale JOIN tickets ON told >= due - ? WHERE answer = ? AND id = ?"
        with self._change() as change:
            if change.execute(stale, (LEASE, answer, ticket.id)).fetchone():
                self._settle(change, ticket, "waiting", "its sources changed while it was drafted")
                return False
            if not self._settle(change, ticket, "drafted", ""):
                return False
            row = ticket.id, reply, answer, proof
            change.execute("INSERT INTO drafts (ticket, reply, answer, proof) VALUES (?, ?, ?, ?)", row)
            return True

    def escalate(self, ticket: Ticket, note: str) -> bool:
        """Give it to a person."""
        with self._change() as change:
            return self._settle(change, ticket, "escalated", note)

    def retry(self, ticket: Ticket, note: str, seconds: float) -> bool:
        """Try it again later, or give it to a person after too many failures."""
        if ticket.failures + 1 >= ATTEMPTS:
            return self.escalate(ticket, f"failed {ATTEMPTS} times: {note}")
        with self._change() as change:
            return self._settle(change, ticket, "waiting", note, self._clock() + seconds, failed=1)

    def send(self, number: int) -> Draft | None:
        """Mark the offered draft of a ticket as sent; None where none is offered."""
        sent = f"UPDATE drafts SET state = 'sent' WHERE ticket = ? AND state = 'offered' RETURNING {_DRAFT}"
        with self._change() as change:
            if row := change.execute(sent, (number,)).fetchone():
                change.execute("UPDATE tickets SET state = 'sent' WHERE id = ?", (number,))
        return Draft(*row) if row else None

    def withdraw(self, answer: str, why: str) -> None:
        """Withdraw the drafts that rest on an answer, so that their tickets wait again; flag those that were sent.

        The answer is remembered: its draft may be on its way. Any number of times.
        """
        with self._change() as change:
            change.execute("INSERT OR REPLACE INTO stale VALUES (?, ?)", (answer, self._clock()))
            offered = "SELECT ticket FROM drafts WHERE answer = ? AND state = 'offered'"
            waiting = "state = 'waiting', note = ?, due = 0, failures = 0"
            change.execute(f"UPDATE tickets SET {waiting} WHERE state = 'drafted' AND id IN ({offered})", (why, answer))
            taken = "note = ?, state = CASE state WHEN 'offered' THEN 'withdrawn' ELSE 'flagged' END"
            change.execute(
                f"UPDATE drafts SET {taken} WHERE answer = ? AND state IN ('offered', 'sent')", (why, answer)
            )

    @contextmanager
    def _change(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._path, timeout=30, isolation_level=None)) as connection:
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("BEGIN IMMEDIATE")
            with connection:  # commits, or rolls back where the block raises
                yield connection

    def _settle(
        self, change: sqlite3.Connection, ticket: Ticket, state: str, note: str, due: float = 0.0, failed: int = 0
    ) -> bool:
        """What becomes of a claimed ticket; False where the claim is no longer this one's."""
        values = "state = ?, note = ?, due = ?, failures = failures + ?, claim = NULL"
        row = state, note, due, failed, ticket.id, ticket.claim
        return change.execute(f"UPDATE tickets SET {values} WHERE id = ? AND claim = ?", row).rowcount == 1
