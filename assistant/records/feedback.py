"""Judgements of answers, and the evaluation cases that they make."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, get_args

from assistant.dates import as_of_in
from assistant.records.answers import answer_of
from assistant.records.conversations import moment
from assistant.records.history import Context, History, Kept, Record, key_of
from assistant.validation import validated
from corpus.errors import UsageError
from corpus.sanitizing import sanitize
from embeddings.types import Where

Judgement = Literal["right", "wrong", "citation"]
"""Of an answer or a refusal, or that one of its citations is wrong."""
MOST_REASON_CHARACTERS = 2000
_LITERAL = re.compile(r"\[([*?\[])\]")
"""A sign of shell patterns that stands for itself, as `glob.escape` writes it."""
_Place = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Feedback:
    """One judgement."""

    number: int
    """Of the `Record`."""
    answer: str
    """Its id."""
    judgement: Judgement
    reason: str
    """May be empty."""
    citation: tuple[int, int, int] | None
    """Passage number, start and end of the wrong one; None for the other judgements."""
    given: datetime
    """UTC."""
    question: str

    def to_dict(self) -> dict[str, Any]:
        return {
            "number": self.number,
            "answer": self.answer,
            "judgement": self.judgement,
            "reason": self.reason,
            "citation": self.citation and dict(zip(("number", "start", "end"), self.citation, strict=True)),
            "given": self.given.isoformat(),
            "question": self.question,
        }


@validated
class FeedbackLog:
    """What was said of the answers of one history, as long as they aren't deleted. Safe to use from many threads.

    Raises `UnavailableError` where the file can't be read or written.
    """

    def __init__(self, history: History) -> None:
        self._history = history

    def add(self, answer: Kept, judgement: Judgement, reason: str = "", citation: _Place | None = None) -> None:
        """Keep a judgement, in the place of an earlier one of the same answer, or of the same of its citations.

        Args:
            answer: an id means the newest answer with it, of those that are seen here.

        Raises:
            UsageError: no such answer was kept, no such judgement, a wrong citation that isn't named, a long reason.
        """
        if judgement not in get_args(Judgement):
            raise UsageError(f"unknown judgement {judgement!r}; known are {', '.join(get_args(Judgement))}")
        if judgement == "citation" and citation is None:
            raise UsageError("it isn't said which citation is wrong: give its passage number, start and end")
        said = sanitize(reason).strip()
        if len(said) > MOST_REASON_CHARACTERS:
            raise UsageError(f"the reason has {len(said):,} characters, at most {MOST_REASON_CHARACTERS:,} are kept")
        column, named = key_of(answer)
        place = citation if judgement == "citation" and citation else (0, 0, 0)
        kept = self._history.change(
            f"INSERT OR REPLACE INTO feedback SELECT number, ?2, ?3, ?4, ?5, ?6, ?7 FROM {self._newest(column)}",
            (named, judgement, said, *place, datetime.now(UTC).isoformat()),
        )
        if not kept:
            raise UsageError(f"the answer {named!r} isn't kept, or was deleted: ask again, then judge the new answer")

    def remove(self, answer: Kept, citation: _Place | None = None) -> None:
        """Take back what was said of an answer, or of one of its citations; nothing where nothing was."""
        column, named = key_of(answer)
        self._history.change(
            "DELETE FROM feedback WHERE (cited, start, stop) = (?2, ?3, ?4)"
            f" AND number = (SELECT number FROM {self._newest(column)})",
            (named, *(citation or (0, 0, 0))),
        )

    def _newest(self, column: str) -> str:
        """In SQL, the one answer that is meant by a value of this column."""
        return f"answers WHERE {column} = ?1 AND {self._history.shown} ORDER BY number DESC LIMIT 1"

    def listed(self, since: datetime | None = None) -> list[Feedback]:
        """The latest judgements last.

        Args:
            since: with its zone; None for all.
        """
        found = self._history.rows(
            "SELECT number, id, judgement, reason, cited, start, stop, given, question FROM feedback"
            f" JOIN answers USING (number) WHERE id IS NOT NULL AND {self._history.shown}"
            " AND (?1 IS NULL OR given >= ?1) ORDER BY given, number, cited, start, stop",
            (since and since.astimezone(UTC).isoformat(),),
        )
        return [
            Feedback(
                number, id, said, sanitize(why), tuple(place) if place[0] else None, moment(given), sanitize(asked)
            )
            for number, id, said, why, *place, given, asked in found
        ]

    def cases(self, since: datetime | None = None) -> tuple[list[dict[str, Any]], list[str]]:
        """Lines of an evaluation set, one for each judged answer, however often it was given, and why others were left
        out.

        Of a right answer its citations are the evidence, without those that were judged wrong; a right refusal can't
        be answered. A wrong refusal could have been. A wrong answer must not be given again; whether there is another,
        or only a refusal is right, isn't known, as it isn't where no citation is left.

        Args:
            since: with its zone; leaves out answers of which nothing was said since then.
        """
        judged: dict[str, list[Feedback]] = {}
        for one in self.listed():
            judged.setdefault(one.answer, []).append(one)
        cases, left_out = [], []
        for said in judged.values():
            if since is not None and said[-1].given < since:
                continue
            record = self._history.record(said[-1].number)
            try:
                cases.append(_case(record, said))
            except UsageError as error:
                left_out.append(f"{sanitize(record.question)!r} was left out: {error}")
        return cases, left_out


def _case(record: Record, said: Iterable[Feedback]) -> dict[str, Any]:
    """A line of an evaluation set. Raises `UsageError` where the question can't be put again as it was."""
    answer, context = answer_of(record.answer), record.context or Context()
    kinds = {one.judgement for one in said}
    if {"right", "wrong"} <= kinds:
        raise UsageError("it was judged right and wrong: take one of both back")
    kind = "wrong" if "wrong" in kinds else "citation" if "citation" in kinds else "right"
    earlier = [turn.question for turn in context.history if turn.question.strip()]
    case = {"id": answer.id, "kind": kind, "question": record.question, "history": earlier}
    if scope := _scope(context, (record.question, *earlier)):
        case["scope"] = scope
    if answer.refused:
        return case | {"answerable": kind == "wrong"}
    if kind == "wrong":
        return case | {"answerable": None, "wrong": [" ".join(s.text for s in answer.shown)]}
    wrong = {one.citation for one in said}
    cited = [c for s in answer.shown for c in s.citations if (c.number, c.start, c.end) not in wrong]
    spans = {(c.passage.document.path, c.start, c.end): c.quote for c in cited if c.passage is not None}
    places = [{"document": d, "quote": quote, "start": s, "end": e} for (d, s, e), quote in spans.items()]
    return case | {"answerable": True if places else None, "evidence": places}


def _scope(context: Context, questions: Iterable[str]) -> list[str]:
    """Paths of the documents it was put to; empty for all. Raises `UsageError` where they were chosen otherwise."""
    if context.as_of is not None and context.as_of not in map(as_of_in, questions):
        raise UsageError(f"it was asked as of {context.as_of}, which an evaluation doesn't do")
    where = context.where or Where()
    chosen = where.tags or where.date_from or where.date_to
    if chosen or any(re.search(r"[*?\[]", _LITERAL.sub("", pattern)) for pattern in where.paths):
        raise UsageError("it was put to documents chosen by tag, date or pattern, which an evaluation doesn't do")
    return [_LITERAL.sub(r"\1", pattern) for pattern in where.paths]
