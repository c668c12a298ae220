"""Questions as they come in, made fit to be read."""

from __future__ import annotations

from assistant.config import MOST_QUESTION_CHARACTERS
from assistant.types import Turn
from corpus.errors import UsageError
from corpus.sanitizing import sanitize


def turn_of(earlier: str | Turn) -> Turn:
    """An earlier question, cut to the length of one. Raises `UsageError` for anything else."""
    turn = Turn(earlier) if isinstance(earlier, str) else earlier
    if not isinstance(turn, Turn):
        raise UsageError(f"the history holds {earlier!r}: give earlier questions as texts, or `Turn(question, answer)`")
    question, answer = (" ".join(sanitize(t[:MOST_QUESTION_CHARACTERS]).split()) for t in (turn.question, turn.answer))
    return Turn(question, answer)


def checked(question: str) -> str:
    """The question in one line. Raises `UsageError` for an empty or long one."""
    if not isinstance(question, str):
        raise UsageError(f"the question {question!r} is no text: ask in words")
    long = len(question) > 10 * MOST_QUESTION_CHARACTERS  # too much to clean, and too much to read
    text = question if long else " ".join(sanitize(question).split())
    if not text:
        raise UsageError("the question is empty: type what you want to know")
    if len(text) > MOST_QUESTION_CHARACTERS:
        raise UsageError(
            f"the question has {len(text):,} characters, at most {MOST_QUESTION_CHARACTERS:,} are read: "
            f"ask for one thing at a time ({sanitize(text[:40])!r}…)"
        )
    return text
