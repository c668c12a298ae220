"""What came to the index since an answer was given and says otherwise.

A contradiction that is none makes somebody withdraw a good reply: only a sentence about the same thing, with another
value of the same kind, from a document that isn't older, counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from assistant.audit.citations import Standing, cited_of
from assistant.audit.newcomers import Newcomers
from assistant.audit.revisions import corresponding, differs, revised
from assistant.conflicts import SOURCES, comparable, conflicts
from assistant.editions import superseded_by
from assistant.evidence import Evidence, answers_kind, of_another_year, sentences_of
from assistant.questions import Question, analyse, name_words, names_in, parts_of, stem, stems
from assistant.reading import Reading
from assistant.records.answers import document_of
from assistant.records.history import Record
from assistant.retrieval import common_names
from assistant.types import Passage, Statement
from assistant.values import Value, values_in
from corpus.chunking import chunk_document
from corpus.types import Chunk, Document
from embeddings.types import Where
from embeddings.view import View

if TYPE_CHECKING:
    from assistant.answering import Means

NAMED = 0.75
"""Share of the question's words that a newer sentence, with headings and title, must have."""

Kept = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A newer sentence that gives another value: `document.text[start:end] == quote`."""

    document: str
    """Its id."""
    path: str
    title: str
    date: date | None
    start: int
    end: int
    quote: str

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "date": self.date and self.date.isoformat()}


class Contradictions:
    """Finds them for the answers of one audit."""

    def __init__(self, view: View, means: Means, news: Newcomers) -> None:
        self._view = view
        self._means = means
        self._news = news
        self._sentences: dict[int, list[tuple[Evidence, set[str]]]] = {}
        self._names: dict[tuple[str, ...], frozenset[str]] = {}
        self._editions: dict[tuple[str, int], list[Document]] = {}

    def of(
        self, record: Record, shown: Sequence[Kept], found: Sequence[Sequence[Standing]]
    ) -> list[Contradiction | None]:
        """For each shown statement what contradicts it.

        Args:
            found: for each, where its citations stand now.
        """
        since = self._news.since(int(record.answer["snapshot"]["generation"]))
        read = {p["document"]["id"] for p in record.answer["passages"]}
        news = since.keys() - read
        if record.context is not None and (record.context.where or record.context.as_of):
            news = {i for i in news if _admitted(record, since[i].path, since[i].date, since[i].tags)}
        against: list[Contradiction | None] = [None] * len(shown)
        if not news and all(at.state != "changed" for standings in found for at in standings):
            return against
        whole = record.answer["standalone_question"]
        parts = [analyse(p) for p in parts_of(whole)]
        parts = parts if len(parts) > 1 else [analyse(whole)]
        for number, (statement, standings) in enumerate(zip(shown, found, strict=True)):
            against[number] = next(self._revised(record, parts[0], statement, standings, news), None)
        for part in parts if news else ():
            for number, newer in self._differing(record, part, shown, found, news):
                against[number] = against[number] or newer
        return against

    def _revised(
        self, record: Record, question: Question, statement: Kept, found: Sequence[Standing], news: Set[str]
    ) -> Iterator[Contradiction]:
        """What stands in the place of a cited sentence: in the file that it was in, or in a newer edition."""
        offered = {p["number"]: p["text"] for p in record.answer["passages"]}
        generation = int(record.answer["snapshot"]["generation"])
        for cited, at in zip(cited_of(statement), found, strict=True):
            quote, old = cited["quote"], cited["document"]
            there = at.document if at.state == "changed" else self._news.at(old["path"], generation)
            successors = [(d, corresponding(quote, d)) for d in self._newer_editions(old, generation) if d.id in news]
            if there is not None and _admitted(record, there.path, there.date, there.metadata.tags):
                successors.insert(0, (there, revised(quote, offered[cited["number"]], there)))
            for document, spans in successors:
                for (start, end), before in spans:
                    now = document.text[start:end]
                    if differs(before, now, statement["text"]) and not _of_another_year(question, document, start, end):
                        yield _contradiction(document, start, end)

    def _newer_editions(self, old: Kept, generation: int) -> list[Document]:
        if (old["id"], generation) not in self._editions:
            was = document_of(old)
            self._editions[old["id"], generation] = [
                new
                for new in self._news.editions(old["title"], generation)
                if superseded_by((was, new)).get(was.id) == new.id
            ]
        return self._editions[old["id"], generation]

    def _differing(
        self,
        record: Record,
        part: Question,
        shown: Sequence[Kept],
        found: Sequence[Sequence[Standing]],
        news: Set[str],
    ) -> Iterator[tuple[int, Contradiction]]:
        """What a new answer would show as a conflict between a document that is cited and one that came since."""
        new: dict[str, Passage] = {}
        generation, common = int(record.answer["snapshot"]["generation"]), self._common(part)
        needed = {stem(w) for n in part.names if n not in common and not n.isdigit() for w in name_words(n)}
        near = [p for p in self._news.found(part.terms, generation, NAMED, needed) if p.document.id in news]
        said = {n: v for n, s in enumerate(shown) if (v := values_in(part, s["text"]))} if near else {}
        standing = [at for n in said for at in found[n] if at.document is not None and at.state != "changed"]
        if not standing:
            return
        old = {at.document.id: at.document for at in standing if at.document is not None}
        for passage in near:
            document = passage.document
            if (
                document.id not in old
                and document.id not in new
                and all(_not_older(document.date, d.date) for d in old.values())
                and self._may_differ(part, passage, said.values())
                and not superseded_by((document, *old.values())).get(document.id)
            ):
                new[document.id] = passage
                if len(new) == SOURCES:
                    break
        if not new:
            return
        passages = [
            replace(passage, number=number)
            for number, passage in enumerate((*map(_passage, standing[:SOURCES]), *new.values()), 1)
        ]
        reading = Reading(part, passages, common, self._means.reranker, self._means.embedder)
        statements = [Statement(s["text"], s["verdict"], s["support"]) for s in shown]
        for conflict in conflicts(part, statements, reading):
            for value in conflict.values:
                sources = {c.passage.document.id: c for c in value.citations if c.passage is not None}
                newer = next((c for i, c in sources.items() if i in new), None)
                if newer is None or newer.passage is None or sources.keys() & old.keys():
                    continue
                given = values_in(part, newer.quote)
                if part.kind != "name" and _of_another_name(newer.quote, part, old.values()):
                    continue
                for number, mine in said.items():
                    others = [
                        v
                        for v in conflict.values
                        if v is not value and _agree(mine, [w for c in v.citations for w in values_in(part, c.quote)])
                    ]
                    if others and not _agree(mine, given) and all(_not_older(value.date, v.date) for v in others):
                        yield number, _contradiction(newer.passage.document, newer.start, newer.end)

    def _common(self, part: Question) -> frozenset[str]:
        if part.names not in self._names:
            self._names[part.names] = common_names(part, self._view)
        return self._names[part.names]

    def _may_differ(self, part: Question, passage: Passage, said: Iterable[Sequence[Value]]) -> bool:
        """Whether a sentence of it is about the asked, by its words alone, and gives another value."""
        if passage.number not in self._sentences:
            self._sentences[passage.number] = [(e, stems(f"{e.text} {e.heading}")) for e in sentences_of(passage)]
        terms = set(part.terms)
        return any(
            len(terms & held) >= NAMED * len(terms)
            and (given := values_in(part, e.text))
            and not any(_agree(mine, given) for mine in said)
            and answers_kind(part, e)
            and comparable(part, e)
            for e, held in self._sentences[passage.number]
        )


def _of_another_name(text: str, question: Question, known: Iterable[Document]) -> bool:
    """Whether a sentence names what neither the question nor a document that was cited does."""
    named = {stem(w) for n in names_in(text) if not n[0].isdigit() for w in name_words(n)}
    return not named <= stems(" ".join((question.text, *(d.text for d in known))))


def _agree(ours: Sequence[Value], theirs: Sequence[Value]) -> bool:
    return any(a.agrees(b) for a in ours for b in theirs)


def _not_older(one: date | None, other: date | None) -> bool:
    return one is None or other is None or one >= other


def _admitted(record: Record, path: str, day: date | None, tags: Sequence[str]) -> bool:
    """Whether the question was about such documents, and about their day."""
    context = record.context
    if context is None:
        return True
    until = context.as_of
    return (context.where or Where()).admits(path, day, tags) and (until is None or (day is not None and day <= until))


def _passage(at: Standing) -> Passage:
    """The passage that a citation stands in now."""
    document = at.document
    assert document is not None
    alone = Chunk(document.id, at.start, at.end, document.text[at.start : at.end])
    around = (c for c in chunk_document(document) if c.start <= at.start and at.end <= c.end)
    return Passage(0, next(around, alone), document, 0.0)


def _of_another_year(question: Question, document: Document, start: int, end: int) -> bool:
    text = document.text[start:end]
    passage = Passage(0, Chunk(document.id, start, end, text), document, 0.0)
    return of_another_year(question, Evidence(passage, start, end, text, "", "", ""))


def _contradiction(document: Document, start: int, end: int) -> Contradiction:
    return Contradiction(
        document.id, document.path, document.title, document.date, start, end, document.text[start:end]
    )
