"""The verdict of a sentence on the spans that it cites, with the reason where it isn't shown."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.entailment import SUPPORTED, Entailment, LexicalEntailment
from assistant.figures import figures
from assistant.gate import mismatch, passes_gate
from assistant.types import Citation, Statement

__all__ = ["SUPPORTED", "Entailment", "LexicalEntailment", "figures", "mismatch", "passes_gate", "verify"]


def verify(text: str, citations: Sequence[Citation], entailment: Entailment) -> Statement:
    """Check one sentence against the spans it cites.

    `quoted`: a cited span is the sentence itself. `supported`: the spans together pass the exact gate, whatever the
    entailment, and reach `SUPPORTED`; a citation that adds nothing to that is dropped. `uncited`: no citation names a
    passage that was offered.
    """
    every = tuple(citations)
    real = [c for c in every if c.passage is not None]
    if not real:
        numbers = ", ".join(str(n) for n in dict.fromkeys(c.number for c in every))
        offered = f"it cites passage {numbers}, which wasn't offered" if every else "it cites no passage"
        return Statement(text, "uncited", 0.0, every, offered)
    if any(" ".join(c.quote.split()) == " ".join(text.split()) for c in real):
        return Statement(text, "quoted", 1.0, _needed(text, every, entailment))
    support, reason = _support(text, real, entailment)
    if reason is not None:
        return Statement(text, "unsupported", support, every, reason)
    return Statement(text, "supported", support, _needed(text, every, entailment))


def _support(text: str, cited: Sequence[Citation], entailment: Entailment) -> tuple[float, str | None]:
    """Score of the spans read together, and why they don't support the text."""
    premise = "\n".join(dict.fromkeys(c.quote for c in cited))
    if reason := mismatch(premise, text):
        return 0.0, reason
    support = round(float(entailment.scores([premise], [text])[0]), 4)
    return support, None if support >= SUPPORTED else "the cited text says too little of it"


def _needed(text: str, citations: tuple[Citation, ...], entailment: Entailment) -> tuple[Citation, ...]:
    """Without those that neither support the text by themselves nor are missed when they go; invented ones stay."""
    kept = list(citations)
    for citation in reversed(citations):
        others = [c for c in kept if c is not citation and c.passage is not None]
        if citation.passage is not None and others and _support(text, [citation], entailment)[1] is not None:
            whole = any(" ".join(c.quote.split()) == " ".join(text.split()) for c in others)
            if whole or _support(text, others, entailment)[1] is None:
                kept = [c for c in kept if c is not citation]
    return tuple(kept)
