"""From a standalone question to numbered passages, all of one generation of the index."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from assistant.questions import STOPWORDS, Question, analyse, correct, dictionary, name_words, recase, words
from assistant.telemetry import label, span
from assistant.types import Passage
from corpus.types import Chunk, Document
from embeddings.lexical import stems
from embeddings.types import Embedder, Hit, Reranker, Snapshot, Where
from embeddings.view import View

CANDIDATES = 20
"""Passages that a search looks at."""
RERANKED = 10
"""Of which so many are read by the reranker."""
RERANKER_WEIGHT = 0.4
"""Of its logit, added to the fused score."""
WINDOW = 110
"""Words of a passage that the reranker reads, in whole sentences."""
PASSAGES = 12
"""Of which so many are offered to a generator."""
MOST_MERGED = 1600
"""Characters of neighbours that are offered as one passage."""
_DECIMALS = 6
"""Of what a window is worth: nearer ones are equal, and the earlier is read."""
COMMON = 0.5
"""Share of the documents from which a name is the background of them all."""


@dataclass(frozen=True, slots=True)
class Retrieval:
    """What the index holds on a question."""

    passages: tuple[Passage, ...]
    """Best first, numbered from 1."""
    counts: dict[str, int]
    """In how many documents each name of the question, and each of its content words, occurs."""
    common: frozenset[str]
    """Names of which every word stands in at least `COMMON` of the documents."""
    snapshot: Snapshot
    candidates: tuple[Candidate, ...] = ()
    """What the passages were made of, with the score of each retriever."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A hit after reranking."""

    hit: Hit
    document: Document
    reranked: float | None
    """The reranker's logit; None without a reranker."""
    score: float
    """By which candidates are ordered; comparable within one search only."""

    def to_dict(self) -> dict[str, Any]:
        """What `assistant search --json` prints."""
        hit = self.hit
        return Passage(0, hit.chunk, self.document, self.score).to_dict() | {
            "fused": hit.score,
            "dense": hit.dense,
            "lexical": hit.lexical,
            "reranked": self.reranked,
            "places": [{"document": c.document_id, "start": c.start, "end": c.end} for c in hit.places],
        }


def candidates(
    question: str,
    view: View,
    embedder: Embedder,
    reranker: Reranker | None,
    where: Where | None = None,
    limit: int = CANDIDATES,
) -> list[Candidate]:
    """The hits nearest to the question, best first.

    With a reranker, a logit is added to the fused score; what it doesn't read counts as the worst that it read.
    """
    hits = view.search(question, embedder.embed_query(question), limit, where)
    documents = {hit.chunk.document_id: view.document(hit.chunk.document_id) for hit in hits}
    logits: list[float] = []
    if reranker is not None:
        weights = view.weights(question)
        read = [(documents[hit.chunk.document_id], hit.chunk) for hit in hits[:RERANKED]]
        texts = [with_title(document.title, window(document.text, chunk, weights)) for document, chunk in read]
        with span("rerank", reranker=label(reranker.name), passages=len(texts)):
            logits = reranker.scores(question, texts).tolist()
    found = [
        Candidate(
            hit,
            documents[hit.chunk.document_id],
            logit,
            hit.score + RERANKER_WEIGHT * (min(logits, default=0.0) if logit is None else logit),
        )
        for hit, logit in itertools.zip_longest(hits, logits)
    ]
    return sorted(found, key=lambda candidate: -candidate.score)


def window(text: str, chunk: Chunk, weights: Mapping[int, float]) -> str:
    """The run of the chunk's sentences, at most `WINDOW` words or one, that holds most of the question.

    Args:
        weights: of the question's stems, by `View.weights`.
    """
    spans = chunk.sentences or ((chunk.start, chunk.end),)
    sizes = [len(words(text[start:end])) for start, end in spans]
    held = [stems(text[start:end]) & weights.keys() for start, end in spans]
    best, most = (0, 1), -1.0
    for first in range(len(spans)):
        last, size, found = first, 0, set[int]()
        while last < len(spans) and (last == first or size + sizes[last] <= WINDOW):
            size, found, last = size + sizes[last], found | held[last], last + 1
        worth = round(sum(weights[stem] for stem in sorted(found)), _DECIMALS)
        if worth > most:
            best, most = (first, last), worth
        if last == len(spans):
            break
    return text[spans[best[0]][0] : spans[best[1] - 1][1]]


def with_title(title: str, text: str) -> str:
    """The title before a text that doesn't begin with it."""
    return text if text.startswith(title) else f"{title}\n{text}"


def merged(found: Sequence[Candidate]) -> list[tuple[Chunk, Document, float]]:
    """The candidates in order, neighbours under the same headings as one passage, at the better one's place."""
    groups: list[list[Candidate]] = []
    for candidate in found:
        group = next((g for g in groups if _continues(g, candidate)), None)
        if group is None:
            groups.append([candidate])
        else:
            group.append(candidate)
    return [(_joined(group), group[0].document, group[0].score) for group in groups]


def _continues(group: Sequence[Candidate], candidate: Candidate) -> bool:
    """Whether nothing but white space lies between them, and the whole isn't too long."""
    chunk, text = candidate.hit.chunk, candidate.document.text
    first = min(c.hit.chunk.start for c in group)
    last = max(c.hit.chunk.end for c in group)
    beside = text[last : chunk.start] if chunk.start >= last else text[chunk.end : first]
    return (
        group[0].document is candidate.document
        and group[0].hit.chunk.headings == chunk.headings
        and max(last, chunk.end) - min(first, chunk.start) <= MOST_MERGED
        and not beside.strip()
    )


def _joined(group: Sequence[Candidate]) -> Chunk:
    if len(group) == 1:
        return group[0].hit.chunk
    chunks = sorted((candidate.hit.chunk for candidate in group), key=lambda chunk: chunk.start)
    start, end = chunks[0].start, chunks[-1].end
    text = group[0].document.text[start:end]
    sentences = tuple(span for chunk in chunks for span in chunk.sentences)
    return replace(chunks[0], end=end, text=text, sentences=sentences)


def common_names(question: Question, view: View) -> frozenset[str]:
    """Names in the question that most documents mention, years apart."""
    parts = view.document_frequencies(w for n in question.names for w in name_words(n))
    often = {word for word, count in parts.items() if count >= COMMON * view.snapshot().documents}
    return frozenset(n for n in question.names if not n.isdigit() and all(w in often for w in name_words(n)))


def retrieve(
    question: Question, view: View, embedder: Embedder, reranker: Reranker | None, where: Where | None = None
) -> Retrieval:
    """The passages nearest to the question, and how much of it the index knows."""
    snapshot = view.snapshot()
    nearest = candidates(question.text, view, embedder, reranker, where)
    passages = tuple(Passage(number, *found) for number, found in enumerate(merged(nearest)[:PASSAGES], 1))
    content = [w for w in words(question.text) if w.lower() not in STOPWORDS]
    counts = view.document_frequencies([*question.names, *content])
    return Retrieval(passages, counts, common_names(question, view), snapshot, tuple(nearest))


def sought(
    whole: str, view: View, embedder: Embedder, reranker: Reranker | None, where: Where | None = None
) -> tuple[Question, Retrieval]:
    """What the index holds on a standalone question; where its slips of the pen can be mended, on the mended one."""
    question = analyse(whole)
    found = retrieve(question, view, embedder, reranker, where)
    if (mended := corrected(whole, found.passages, view)) != whole:
        question = analyse(mended)
        found = retrieve(question, view, embedder, reranker, where)
    return question, found


def corrected(question: str, passages: Sequence[Passage], view: View) -> str:
    """The question with slips of the pen mended, and names capitalised, as the passages have them that it found."""
    read = (w.lower() for p in passages for w in words(p.chunk.text))
    vocabulary = [w for w in dict.fromkeys(read) if w not in STOPWORDS]

    def known(word: str) -> bool:
        if view.document_frequencies([word])[word]:
            return True
        return bool(dictionary().known([word]))

    return recase(correct(question, vocabulary, known), [p.chunk.text for p in passages])
