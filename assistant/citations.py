"""From a sentence and a passage number to the exact span of the passage that is cited."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from assistant.drafts import DraftParser, locate, parse_draft
from assistant.entailment import Entailment, LexicalEntailment, share_held
from assistant.gate import passes_gate
from assistant.types import Citation, Passage

__all__ = ["DraftParser", "bind", "locate", "parse_draft"]

MOST_SENTENCES = 3
"""Of a cited span that a passage doesn't hold word for word."""
_SHORTLIST = 8
"""Spans, best by words, that an entailment with a model is asked about."""
_LEAST_SHARE = 0.3
"""Of a claim's words that a span holds, from which the gate is asked about it."""


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
    given = _whole(within, passage) if within and chunk.start <= within[0] < within[1] <= chunk.end else None
    start, end = locate(sentence, passage) or given or _best_span(sentence, passage, entailment)
    return Citation(number, passage, start, end, text[start:end], passage.document.page_at(start))


def _whole(within: tuple[int, int], passage: Passage) -> tuple[int, int]:
    """The sentences that a span touches: what stands before it in its sentence may turn it round."""
    touched = [(a, b) for a, b in passage.chunk.sentences if a < within[1] and b > within[0]] or [within]
    return min(a for a, _ in touched), max(b for _, b in touched)


def _best_span(sentence: str, passage: Passage, entailment: Entailment) -> tuple[int, int]:
    """The best of the spans that the exact gate lets through, else the one that holds most of the words."""
    chunk, text = passage.chunk, passage.document.text
    singles = list(chunk.sentences) or [(chunk.start, chunk.end)]
    spans = [(a, b[1]) for n in range(MOST_SENTENCES) for (a, _), b in zip(singles, singles[n:], strict=False)]
    shares = {(a, b): round(share_held(text[a:b], sentence), 6) for a, b in spans}
    spans.sort(key=lambda span: (-shares[span], span[1] - span[0], span[0]))
    passing = (span for span in spans if shares[span] >= _LEAST_SHARE and passes_gate(text[slice(*span)], sentence))
    best = list(islice(passing, 1 if isinstance(entailment, LexicalEntailment) else _SHORTLIST)) or spans[:1]
    if len(best) == 1:
        return best[0]
    scores = entailment.scores([text[a:b] for a, b in best], [sentence] * len(best)).round(6).tolist()
    return max(zip(scores, range(0, -len(best), -1), best, strict=True))[2]
