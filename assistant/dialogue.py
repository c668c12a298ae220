"""A conversation: questions that go on from each other, one after the other."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from assistant.limits import Gate, Place
from assistant.permissions import Audience
from assistant.records.conversations import Conversations
from assistant.streaming import Stream, streamed
from assistant.types import Answer, Turn
from assistant.validation import validated
from embeddings.types import Where

if TYPE_CHECKING:
    from assistant.core import Core  # which `assistant.api` makes

MOST_TURNS = 200
"""Remembered; the history has all."""


@validated
class Dialogue:
    """Remembers what was asked and answered. Safe to use from many threads: a question waits for the one before it."""

    def __init__(self, core: Core, audience: Audience, id: str) -> None:
        self.id = id
        """Under which its answers are kept."""
        self._core = core
        self._audience = audience
        self._gate = Gate(replace(core.gate.limits, concurrent=1))
        core.may_continue(id, audience)
        past = Conversations(core.kept(audience)).records(id, MOST_TURNS)
        self._turns = tuple(record.turn for record in past)

    @property
    def turns(self) -> tuple[Turn, ...]:
        """What was asked and answered so far, oldest first; a refusal answered nothing."""
        return self._turns

    def ask(
        self,
        question: str,
        *,
        where: Where | None = None,
        as_of: date | None = None,
        anyway: bool = False,
        timeout: float | None = None,
    ) -> Answer:
        """As `Assistant.ask`, with what was said before."""
        return self.stream(question, where=where, as_of=as_of, anyway=anyway, timeout=timeout).answer()

    def stream(
        self,
        question: str,
        *,
        where: Where | None = None,
        as_of: date | None = None,
        anyway: bool = False,
        timeout: float | None = None,
    ) -> Stream:
        """As `Assistant.stream`. It begins when the question before has ended, or its stream was dropped."""
        turn = Place(self._gate, 1)
        return streamed(self._core, self._audience, question, self, where, as_of, self.id, anyway, timeout, turn)

    def add(self, answer: Answer) -> None:
        """Remember it as the last turn."""
        self._turns = (*self._turns, answer.turn)[-MOST_TURNS:]
