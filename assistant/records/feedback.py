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
from assistant.records.history import Context, History, Record
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

    answer: str
    """Id of the answer."""
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
            "answer": self.answer,
            "judgement": self.judgement,
            "reason": self.reason,
            "citation": self.citation and dict(zip(("number", "start", "end"), self.citation, strict=True)),
            "given": self.given.isoformat(),
            "question": self.question,
        }


class FeedbackLog:
    """What was said of the answers of one history, as long as they aren't deleted. Safe to use from many threads.

    Raises `UnavailableError` where the file can't be read or written.
    """

    def __init__(self, history: History) -> None:
        self._history = history

    def add(self, answer_id: str, judgement: Judgement, reason: str = "", citation: _Place | None = None) -> None:
        """Keep a judgement, in the place of an earlier one of the same answer, or of the same of its citations.

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
        place = citation if judgement == "citation" and citation else (0, 0, 0)
        kept = self._history.change(
            "INSERT OR REPLACE INTO feedback SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7"
            f" WHERE EXISTS (SELECT 1 FROM answers WHERE id = ?1 AND {self._history.shown})",
            (answer_id, judgement, said, *place, datetime.now(UTC).isoformat()),
        )
        if not kept:
            raise UsageError(
                f"the answer {answer_id!r} isn't kept, or was deleted: ask again, then judge the new answer"
            )

    def remove(self, answer_id: str, citation: _Place | None = None) -> None:
        """Take back what was said of an answer, or of one of its citations; nothing where nothing was."""
        self._history.change(
            "DELETE FROM feedback WHERE (answer, cited, start, stop) = (?1, ?2, ?3, ?4)"
            f" AND EXISTS (SELECT 1 FROM answers WHERE id = ?1 AND {self._history.shown})",
            (answer_id, *(citation or (0, 0, 0))),
        )

    def listed(self, since: datetime | None = None) -> list[Feedback]:
        """The latest judgements last.

        Args:
            since: with its zone; None for all.
        """
        found = self._history.rows(
            "SELECT f.answer, f.judgement, f.reason, f.cited, f.start, f.stop, f.given, a.question FROM feedback AS f"
            " JOIN answers AS a ON a.number ="
            f" (SELECT max(number) FROM answers WHERE id = f.answer AND {self._history.shown})"
            " WHERE ?1 IS NULL OR f.given >= ?1 ORDER BY f.given, f.answer, f.cited, f.start, f.stop",
            (since and since.astimezone(UTC).isoformat(),),
        )
        return [
            Feedback(
                id, judgement, sanitize(reason), tuple(place) if place[0] else None, moment(given), sanitize(asked)
            )
            for id, judgement, reason, *place, given, asked in found
        ]

    def cases(self, since: datetime | None = None) -> tuple[list[dict[str, Any]], list[str]]:
        """Lines of an evaluation set, one for each judged answer, and why others were left out.

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
        for id, said in judged.items():
            if since is not None and said[-1].given < since:
                continue
            record = self._history.record(id)
            try:
                cases.append(_case(record, said))
            except UsageError as error:
                left_out.append(f"{sanitize(record.question)!r} was left out: {error}")
        return cases, left_out


def _case(record: Record, said: Iterable[Feedback]) -> dict[str, Any]:
    """A line of an evaluation set. Raises `UsageError` where the question can't be put again as it was."""
    answer, context = answer_of(record.answer), record.context or Context()
    kinds = {one.judgement for one in said}
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
