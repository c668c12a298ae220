"""Questions that the documents answer: made from their own sentences by rules, and tried before they are offered."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace

from assistant.answering import Answering, Means
from assistant.confidence import MEDIUM
from assistant.generators.extractive import ExtractiveGenerator
from assistant.inversion import question_in, question_of
from assistant.questions import content_stems, stems
from assistant.records.history import Context
from assistant.types import Answer, Finished
from corpus.sanitizing import sanitize
from corpus.types import Chunk
from embeddings.view import DocumentSummary, View

DOCUMENTS = 40
"""Looked at, evenly spaced among all by path, so that every folder has its share."""
CHUNKS = 12
"""Of each, from its beginning."""
TRIES = 2
"""Questions asked for each that is wanted."""
_NEAR = 2
"""Hits of a search without a reranker, one of which must be the source: a question asked of more is too vague."""
_HEADING = 0.5
"""Put back: a heading is answered by something below it more seldom than a sentence by itself."""


@dataclass(frozen=True, slots=True)
class _Made:
    """A question and the stretch of a document that must be quoted for it."""

    question: str
    document: DocumentSummary
    start: int
    end: int
    """Characters of `Document.text`."""
    from_heading: bool = False

    @property
    def about(self) -> set[str]:
        """Stems."""
        return stems(self.document.title) | set(content_stems(self.question))

    def holds(self, document_id: str, start: int, end: int) -> bool:
        return document_id == self.document.id and self.start <= start and end <= self.end


def suggestions(view: View, means: Means, limit: int, stop: threading.Event) -> list[str]:
    """At most `limit` questions, each from a document of its own, that `extractive` answers with what it was made from.

    Args:
        stop: ends the search between two questions.
    """
    means = replace(means, generator=ExtractiveGenerator(means.reranker, means.embedder), fallback=None)
    waiting = list(_made(view, means, stop))
    found: list[_Made] = []
    for _ in range(TRIES * limit):
        if stop.is_set() or not waiting or len(found) >= limit:
            break
        made = min(waiting, key=lambda one: _put_back(one, found))
        events = Answering(means, made.question, Context()).events(nullcontext(view))
        answer = next(event.answer for event in events if isinstance(event, Finished))
        quoted = next((one for one in waiting if one.question == made.question and _quotes(answer, one)), None)
        found += [] if quoted is None else [quoted]
        used = quoted and quoted.document.id
        waiting = [one for one in waiting if one.question != made.question and one.document.id != used]
    return [made.question for made in found]


def _quotes(answer: Answer, made: _Made) -> bool:
    """Whether an answer is sure enough and begins with the stretch, or something of it."""
    cited = [c for s in answer.shown[:1] for c in s.citations]
    return (answer.confidence or 0.0) >= MEDIUM and any(
        made.holds(c.passage.document.id, c.start, c.end) for c in cited if c.passage is not None
    )


def _put_back(made: _Made, found: Sequence[_Made]) -> float:
    """The least is asked first: unlike those found in its first word, and in the words of it and its title."""
    shared = max((len(made.about & one.about) / len(made.about) for one in found), default=0.0)
    alike = sum(one.question.split()[0] == made.question.split()[0] for one in found)
    return shared + alike + _HEADING * made.from_heading


def _made(view: View, means: Means, stop: threading.Event) -> Iterator[_Made]:
    """Those of which a quick search finds the source among the first, in the order of documents."""
    listed = list({document.id: document for document in view.documents()}.values())
    step = max(len(listed) / DOCUMENTS, 1.0)
    for place in range(min(len(listed), DOCUMENTS)):
        document = listed[int(place * step)]
        for row in view.rows_of(document.path)[:CHUNKS]:
            for made in _of_chunk(document, view.chunk_at(row)):
                if stop.is_set():
                    return
                hits = view.search(made.question, means.embedder.embed_query(made.question), _NEAR)
                if any(h.chunk.document_id == document.id and h.chunk.start <= made.start < h.chunk.end for h in hits):
                    yield made


def _of_chunk(document: DocumentSummary, chunk: Chunk) -> Iterator[_Made]:
    for heading in chunk.headings[-1:] or (document.title,):
        if asked := question_in(sanitize(heading)):
            yield _Made(asked, document, chunk.start, chunk.end, from_heading=True)
    for start, end in chunk.sentences:
        if asked := question_of(sanitize(chunk.text[start - chunk.start : end - chunk.start]), chunk.text):
            yield _Made(asked, document, start, end)
