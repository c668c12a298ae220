"""From a sentence and a passage number to the exact span of the passage that is cited."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.drafts import DraftParser, locate, parse_draft
from assistant.entailment import Entailment, LexicalEntailment
from assistant.types import Citation, Passage

__all__ = ["DraftParser", "bind", "locate", "parse_draft"]

MOST_SENTENCES = 3
"""Of a cited span that a passage doesn't hold word for word."""
_SHORTLIST = 8
"""Spans, best by words, that an entailment with a model is asked about."""


def bind(
    sentence: str,
    number: int,
    passages: Sequence[Passage],
    entailment: Entailment,
    within: tuple[int, int] | None = None,
) -> Citation:
    """The exact span of passage `number` that carries `sentence`.

    The sentence itself where the passage holds it word for word, else the sentence of the passage, or two or three in
    a row, that support it best; the shortest of equals.

    Args:
        within: start and end in characters of the document, where a generator says what it cites; used if it lies in
            the passage.
    """
    passage = next((p for p in passages if p.number == number), None)
    if passage is None:
        return Citation(number, None)
    chunk, text = passage.chunk, passage.document.text
    given = within if within and chunk.start <= within[0] < within[1] <= chunk.end else None
    start, end = locate(sentence, passage) or given or _best_span(sentence, passage, entailment)
    return Citation(number, passage, start, end, text[start:end], passage.document.page_at(start))


def _best_span(sentence: str, passage: Passage, entailment: Entailment) -> tuple[int, int]:
    chunk, text = passage.chunk, passage.document.text
    singles = list(chunk.sentences) or [(chunk.start, chunk.end)]
    spans = [(a, b[1]) for n in range(MOST_SENTENCES) for (a, _), b in zip(singles, singles[n:], strict=False)]
    for scorer in (LexicalEntailment(), entailment)[isinstance(entailment, LexicalEntailment) :]:
        scores = scorer.scores([text[a:b] for a, b in spans], [sentence] * len(spans)).tolist()
        order = sorted(range(len(spans)), key=lambda i: (-round(scores[i], 6), spans[i][1] - spans[i][0], i))
        spans = [spans[i] for i in order[:_SHORTLIST]]
    return spans[0]
