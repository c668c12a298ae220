"""From a standalone question to numbered passages, all of one generation of the index."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from assistant.questions import STOPWORDS, Question, correct, name_words, recase, words
from assistant.types import Passage
from embeddings.search import View
from embeddings.types import Embedder, Reranker, Snapshot

if TYPE_CHECKING:
    from spellchecker import SpellChecker

PASSAGES = 12
"""Passages offered to a generator."""
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


def retrieve(question: Question, view: View, embedder: Embedder, reranker: Reranker | None) -> Retrieval:
    """The passages nearest to the question.

    With a reranker, the order is by the sum of fused and reranked scores, each brought to [0, 1].
    """
    snapshot = view.snapshot()
    hits = view.search(question.text, embedder.embed_query(question.text), PASSAGES)
    scores = np.array([h.score for h in hits], dtype=np.float32)
    if reranker is not None and len(hits) > 1:
        scores = _unit(scores) + _unit(reranker.scores(question.text, [h.chunk.text for h in hits]))
    passages = tuple(
        Passage(number, hits[i].chunk, view.document(hits[i].chunk.document_id), float(scores[i]))
        for number, i in enumerate(np.argsort(-scores, kind="stable"), 1)
    )
    content = [w for w in words(question.text) if w.lower() not in STOPWORDS]
    counts = view.document_frequencies([*question.names, *content])
    parts = view.document_frequencies(w for n in question.names for w in name_words(n))
    often = {word for word, count in parts.items() if count >= COMMON * snapshot.documents}
    common = frozenset(n for n in question.names if not n.isdigit() and all(w in often for w in name_words(n)))
    return Retrieval(passages, counts, common, snapshot)


def corrected(question: str, passages: Sequence[Passage], view: View) -> str:
    """The question with slips of the pen mended, and names capitalised, as the passages have them that it found."""
    vocabulary = {w.lower() for p in passages for w in words(p.chunk.text)} - STOPWORDS

    def known(word: str) -> bool:
        if view.document_frequencies([word])[word]:
            return True
        return bool(_dictionary().known([word]))

    return recase(correct(question, vocabulary, known), [p.chunk.text for p in passages])


@cache
def _dictionary() -> SpellChecker:
    from spellchecker import SpellChecker  # deferred: .3 s for its dictionary, seldom needed

    return SpellChecker(distance=1)


def _unit(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    low, high = float(scores.min()), float(scores.max())
    return (scores - low) / (high - low) if high > low else np.zeros_like(scores)
