"""Whether answers of the past still hold in the documents of today: what has become of each citation and statement."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from assistant.audit.citations import STATES, Standing, State, cited_of, reverified, standing
from assistant.audit.contradictions import Contradiction, Contradictions
from assistant.audit.newcomers import Newcomers
from assistant.phrases import occurrences
from assistant.questions import content_stems
from assistant.records.history import History, Record
from assistant.render import wrapped
from assistant.types import SHOWN
from corpus.dating import in_words
from corpus.errors import UsageError
from corpus.types import Document
from embeddings.view import View

if TYPE_CHECKING:
    from assistant.answering import Means

Finding = Literal["supported", "unsupported", "contradicted"]
_FINDINGS = {"supported": "holds", "unsupported": "no longer supported", "contradicted": "contradicted"}
_HELD = 1 << 25
"""Characters of documents that are kept, so that one that is cited again needn't be read again."""
_SHARE = 0.7
"""Of a quote's words that a passage holds in which the quote, or its beginning, is looked for."""
_LEAST_WORDS = 4
"""Content words of a quote that are looked for in documents of another path: fewer stand anywhere."""


@dataclass(frozen=True, slots=True)
class AuditedCitation:
    """What has become of a citation."""

    number: int
    path: str
    """Of the document that it is found in now; of the cited one where it is gone."""
    quote: str
    """As it was cited."""
    state: State
    start: int
    end: int
    """Its words now, in characters of that document; an empty span where it no longer has them."""


@dataclass(frozen=True, slots=True)
class AuditedStatement:
    """A shown statement, and whether it holds."""

    text: str
    finding: Finding
    citations: tuple[AuditedCitation, ...]
    contradiction: Contradiction | None = None
    """The newer sentence, where there is one."""

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "contradiction": self.contradiction and self.contradiction.to_dict()}


@dataclass(frozen=True, slots=True)
class AuditedAnswer:
    """A kept answer, looked at again."""

    id: str
    number: int
    """Of the `Record`."""
    conversation: str
    question: str
    asked: datetime
    """UTC."""
    statements: tuple[AuditedStatement, ...]
    withheld: bool = False
    """Whether it is stale and what it says may no longer be seen: it has neither question nor statements."""

    @property
    def stale(self) -> bool:
        """Whether a statement of it is no longer supported, or contradicted by something newer."""
        return self.withheld or any(s.finding != "supported" for s in self.statements)

    @property
    def affected(self) -> bool:
        """Whether it is stale, or anything that it cites no longer stands as it was cited."""
        return self.stale or any(c.state != "intact" for s in self.statements for c in s.citations)

    def to_dict(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "number": self.number,
            "conversation": self.conversation,
            "question": self.question,
            "asked": self.asked.isoformat(),
            "stale": self.stale,
            "withheld": self.withheld,
            "statements": [s.to_dict() for s in self.statements],
        }


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What an audit found."""

    generation: int
    """Of the index that the answers were held against."""
    answers: int
    """Looked at; refusals and what was deleted aren't."""
    citations: dict[State, int]
    statements: dict[Finding, int]
    affected: tuple[AuditedAnswer, ...]
    """Oldest first; the others are as they were."""

    @property
    def stale(self) -> tuple[AuditedAnswer, ...]:
        """The answers that no longer hold."""
        return tuple(answer for answer in self.affected if answer.stale)

    def to_dict(self) -> dict[str, Any]:
        """What `assistant audit --json` prints."""
        counts = {"citations": self.citations, "statements": self.statements, "stale": len(self.stale)}
        shown = [answer.to_dict() for answer in self.affected]
        return {"generation": self.generation, "answers": self.answers, **counts, "affected": shown}


def audit(view: View, means: Means, history: History, asked: History, since: datetime | None = None) -> AuditReport:
    """Hold every kept answer, or those given since a moment, against one generation.

    Args:
        view: of the audience that the audit is for; what it hides is gone.
        means: entailment, and what reads documents that may contradict.
        history: whose answers that audience may see.
        asked: the same with all that was asked for that audience. What of it may no longer be seen is read, and only
            whether it is stale is told.
    """
    citations: Counter[State] = Counter(dict.fromkeys(("intact", "moved", "changed", "gone"), 0))
    statements: Counter[Finding] = Counter(dict.fromkeys(("supported", "unsupported", "contradicted"), 0))
    affected, answers = [], 0
    for answer in audited(view, means, history, asked, since):
        answers += 1
        statements.update(s.finding for s in answer.statements)
        citations.update(c.state for s in answer.statements for c in s.citations)
        if answer.affected:
            affected.append(answer)
    return AuditReport(view.snapshot().generation, answers, dict(citations), dict(statements), tuple(affected))


def audited(
    view: View, means: Means, history: History, asked: History, since: datetime | None = None
) -> Iterator[AuditedAnswer]:
    """One answer after the other, each as it is read."""
    auditor = Auditor(view, means)
    between = f"SELECT number FROM answers WHERE number BETWEEN ? AND ? AND {history.shown}"
    for page in asked.pages(since):
        shown = history.rows(between, (page[0].number, page[-1].number))
        for record in page:
            if record.answer["refusal"] is None and (answer := auditor.answer(record)).statements:
                if (record.number,) in shown:
                    yield answer
                elif answer.stale:
                    yield replace(answer, question="", statements=(), withheld=True)


class Auditor:
    """Holds answers against one view."""

    def __init__(self, view: View, means: Means) -> None:
        self._view = view
        self._hides: dict[tuple[str, ...], Callable[[str, str], bool]] = {}
        """By the audience of an answer."""
        self._documents = _Documents(view)
        self._entailment = means.entailment
        self._news = Newcomers(view, self._documents.document)
        self._contradictions = Contradictions(view, means, self._news)

    def answer(self, record: Record) -> AuditedAnswer:
        """The statements that were shown."""
        answer = record.answer
        generation = int(answer["snapshot"]["generation"])
        offered = {passage["number"]: passage for passage in answer["passages"]}
        shown = [s for s in answer["statements"] if s["verdict"] in SHOWN]
        hidden = Standing("gone", None)
        found = [
            [hidden if self._hidden(record, c) else self._standing(c, generation) for c in cited_of(s)] for s in shown
        ]
        newer = self._contradictions.of(record, shown, found)
        statements = tuple(
            AuditedStatement(
                statement["text"],
                self._finding(statement, at, offered, against),
                tuple(_citation(c, here) for c, here in zip(cited_of(statement), at, strict=True)),
                against,
            )
            for statement, at, against in zip(shown, found, newer, strict=True)
        )
        asked = record.number, record.conversation, record.question, record.asked
        return AuditedAnswer(answer["id"], *asked, statements)

    def _finding(
        self,
        statement: Mapping[str, Any],
        found: Sequence[Standing],
        offered: Mapping[int, Mapping[str, Any]],
        against: Contradiction | None,
    ) -> Finding:
        if against is not None:
            return "contradicted"
        if all(at.state == "intact" for at in found):  # nothing has changed of what it was verified with
            return "supported"
        now = reverified(statement, found, offered, self._entailment)
        return "supported" if now.verdict in SHOWN else "unsupported"

    def _hidden(self, record: Record, cited: Mapping[str, Any]) -> bool:
        """Whether those whom an answer was for may no longer see what it cites."""
        readers = record.context.audience if record.context else None
        if readers is None:
            return False
        if readers not in self._hides:
            self._hides[readers] = cache(self._view.restricted(frozenset(readers)).hides)
        return self._hides[readers](cited["document"]["id"], cited["document"]["path"])

    def _standing(self, cited: Mapping[str, Any], generation: int) -> Standing:
        """In its document, else in one that came since and has the words, as when a file was renamed and changed."""
        found = standing(self._documents, cited)
        terms = content_stems(cited["quote"]) if found.state in ("changed", "gone") else ()
        if len(terms) >= _LEAST_WORDS:
            for document in dict.fromkeys(p.document.id for p in self._news.found(terms, generation, _SHARE)):
                there = self._documents.document(document)
                if span := next(occurrences(there.text, cited["quote"]), None):
                    return Standing("moved", there, *span)
        return found


def _citation(cited: Mapping[str, Any], at: Standing) -> AuditedCitation:
    path = cited["document"]["path"] if at.document is None else at.document.path
    return AuditedCitation(cited["number"], path, cited["quote"], at.state, at.start, at.end)


class _Documents:
    """The documents of a view, each looked up once, as long as they don't take too much room."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._known: OrderedDict[tuple[str, str], Document | None] = OrderedDict()
        self._held = 0

    def document(self, document_id: str) -> Document:
        """Raises `UsageError` for an id that isn't indexed."""
        if (found := self._look("id", document_id)) is None:
            raise UsageError(f"no document {document_id!r} in the index")
        return found

    def document_at(self, path: str) -> Document | None:
        return self._look("path", path)

    def _look(self, by: str, key: str) -> Document | None:
        if (by, key) in self._known:
            self._known.move_to_end((by, key))
            return self._known[by, key]
        try:
            found = self._view.document(key) if by == "id" else self._view.document_at(key)
        except UsageError:
            found = None
        self._known[by, key] = found
        self._held += len(found.text) if found else 0
        while self._held > _HELD and len(self._known) > 1:
            _, gone = self._known.popitem(last=False)
            self._held -= len(gone.text) if gone else 0
        return found


def render_audit(report: AuditReport) -> str:
    """The counts, and every stale answer with why; plain text, no trailing newline."""
    return "\n".join(wrapped(line, indent) for line, indent in _lines(report))


def _lines(report: AuditReport) -> Iterator[tuple[str, int]]:
    yield f"Answers: {report.answers:,}, {len(report.stale):,} stale; held against generation {report.generation}.", 0
    if report.answers:
        yield f"Citations: {', '.join(f'{n:,} {state}' for state, n in report.citations.items())}.", 0
        yield f"Statements: {', '.join(f'{n:,} {finding}' for finding, n in report.statements.items())}.", 0
    for answer in report.stale:
        yield "", 0
        yield from _stale(answer)


def _stale(answer: AuditedAnswer) -> Iterator[tuple[str, int]]:
    asked = answer.asked.astimezone()
    about = "what it says may no longer be seen" if answer.withheld else f"“{answer.question}”"
    yield f"{answer.id}: {about}, asked on {in_words(asked)} at {asked:%H:%M}", 0
    for statement in answer.statements:
        yield f"{_FINDINGS[statement.finding]}: {statement.text}", 4
        if (newer := statement.contradiction) is not None:
            day = f" ({in_words(newer.date)})" if newer.date else ""
            yield f"{newer.path}{day} says: “{newer.quote}”", 8
        for citation in statement.citations:
            if citation.state != "intact":
                yield f"[{citation.number}] {citation.path}: {STATES[citation.state]}", 8
