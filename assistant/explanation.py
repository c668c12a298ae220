"""What is indexed and how a search went, as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from assistant.render import place, wrapped
from assistant.retrieval import CANDIDATES, PASSAGES, Candidate, candidates, merged
from corpus.sanitizing import sanitize
from corpus.types import Chunk, ReadFailure
from embeddings.lexical import question_terms
from embeddings.types import Embedder, Reranker, Where
from embeddings.view import DocumentSummary, View

_MOST_TEXT = 160
"""Characters of a passage that a line shows."""


def render_search(found: Sequence[Candidate]) -> str:
    """A block for each hit: score, what each retriever gave, place and beginning of the text."""
    lines = []
    for rank, candidate in enumerate(found, 1):
        hit = candidate.hit
        lines.append(wrapped(f"{rank}. {place(candidate.document, hit.chunk.page)}", 0))
        parts = [f"score {candidate.score:.2f}", f"fused {hit.score:.2f}", f"meaning {hit.dense:.3f}"]
        parts.append(f"words {hit.lexical:.2f}" if hit.lexical else "words none")
        if candidate.reranked is not None:
            parts.append(f"reranker {candidate.reranked:.2f}")
        lines.append(wrapped(", ".join(parts), 3))
        lines.append(wrapped(_beginning(hit.chunk), 3))
        if hit.places:
            lines.append(wrapped(f"said in nearly the same words in {len(hit.places)} more places", 3))
    return "\n".join(lines) or "Nothing is indexed that the search may return."


def render_documents(documents: Sequence[DocumentSummary], failures: Sequence[ReadFailure]) -> str:
    """A line for each file: passages, date, path, title, tags, groups that may see it, and its problem."""
    held = {document.path for document in documents}
    rows = [(d.path, f"{d.chunks:>6,}  {d.date or '-'!s:<10}  {d.path}", _labelled(d), d.problem) for d in documents]
    rows += [(f.path, f"{'-':>6}  {'-':<10}  {f.path}", "", f.reason) for f in failures if f.path not in held]
    lines = [
        sanitize("  ".join(filter(None, (start, title, f"({problem})" if problem else ""))))
        for _, start, title, problem in sorted(rows)
    ]
    counted = sum(document.chunks for document in documents)
    summary = f"{len(documents)} documents, {counted:,} passages, {len(failures)} not read"
    return "\n".join([*lines, summary])


def _labelled(document: DocumentSummary) -> str:
    """Title, tags as hashtags, and groups after an at sign."""
    marks = [*(f"#{tag}" for tag in document.tags), *(f"@{group}" for group in document.audience)]
    return "  ".join(filter(None, (document.title, " ".join(marks))))


def explain(
    question: str,
    sought: str,
    view: View,
    embedder: Embedder,
    reranker: Reranker | None,
    where: Where | None = None,
) -> str:
    """Where a passage stood in each ranking, and at which step it was left behind.

    Args:
        sought: the path of an indexed document, or words that stand side by side in the passage.
    """
    return "\n".join(wrapped(line, 0) for line in _explained(question, sought, view, embedder, reranker, where))


def _explained(
    question: str, sought: str, view: View, embedder: Embedder, reranker: Reranker | None, where: Where | None
) -> Iterator[str]:
    rows = view.rows_of(sought)
    if not rows:
        failures = {failure.path: failure.reason for failure in view.failures()}
        reason = f"{sought} could not be read: {failures[sought]}" if sought in failures else None
        yield reason or f"No document has the path {sought!r}, and no passage has these words side by side."
        return
    count = view.snapshot().chunks
    ranking = view.ranking(question, embedder.embed_query(question), count, where)
    at = np.flatnonzero(np.isin(ranking.rows, rows))
    if not len(at):
        yield "The filter leaves its document out."
        return
    first = int(at[0])
    chunk = view.chunk_at(int(ranking.rows[first]))
    if len(rows) > 1:
        yield f"{len(rows)} passages fit; the best of them:"
    yield f"{place(view.document(chunk.document_id), chunk.page)}: {_beginning(chunk)}"
    by_meaning = 1 + int((ranking.dense > ranking.dense[first]).sum())
    by_words = 1 + int((ranking.lexical > ranking.lexical[first]).sum())
    terms = question_terms(question)
    held = [term for term in terms if int(ranking.rows[first]) in view.rows_of(term)]
    lacking = [term for term in terms if term not in held]
    yield f"By meaning: {by_meaning:,} of {len(ranking.rows):,} (cosine {ranking.dense[first]:.3f})."
    standing = f"{by_words:,}" if held else "nowhere"
    yield (
        f"By words: {standing} (BM25 {ranking.lexical[first]:.2f}); it holds {', '.join(held) or 'none'}"
        + (f", and lacks {', '.join(lacking)}." if lacking else ".")
    )
    yield f"Both together: {first + 1:,}."
    found = candidates(question, view, embedder, reranker, where)
    yield _outcome(chunk, found)


def _outcome(chunk: Chunk, found: Sequence[Candidate]) -> str:
    for rank, candidate in enumerate(found, 1):
        if chunk in candidate.hit.places:
            return f"Not returned: it says the same as hit {rank}, {candidate.document.path}, which stands for it."
    rank = next((rank for rank, candidate in enumerate(found, 1) if candidate.hit.chunk == chunk), 0)
    if not rank:
        return f"Not returned: {len(found)} better passages were taken; {CANDIDATES} are read."
    reranked = found[rank - 1].reranked
    read = "" if reranked is None else f" The reranker gave it {reranked:.2f}."
    offered = merged(found)[:PASSAGES]
    if any(c.document_id == chunk.document_id and c.start <= chunk.start < c.end for c, _, _ in offered):
        return f"Returned, as hit {rank}.{read}"
    return f"Hit {rank}, and not offered to the generator: {PASSAGES} passages stand before it.{read}"


def _beginning(chunk: Chunk) -> str:
    text = " ".join(chunk.text.split())
    return text if len(text) <= _MOST_TEXT else text[:_MOST_TEXT].rsplit(" ", 1)[0] + " …"
