"""Does the cited text say what the sentence says?

`LexicalEntailment` weighs the share of a sentence's content words that the cited text holds, behind an exact gate:
a number, date, amount, percentage or name of the sentence that the cited text lacks, or a turn from yes to no,
makes the score 0.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from assistant.questions import STOPWORDS, content_stems, stem, stems, words
from assistant.types import Citation, Statement, Verdict

SUPPORTED = 0.7
"""Share of content words from which a sentence that passes the gate counts as supported."""

_FIGURE = re.compile(
    r"[£$€]?\s?(?:(?<![\d.])[-–−](?=\d)|(?<![\w)])\.)?\d+(?:[.,:/]\d+)*(?:\s?(?:%|bn|[mk]\b|[ap]m\b|million|billion|thousand))?",
    re.I,
)
_UNITS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
    " seventeen eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_NUMBER_VALUES = {
    **{word: str(value) for value, word in enumerate(_UNITS)},
    **{word: str(10 * value) for value, word in enumerate(_TENS, 2)},
    "dozen": "12",
    "hundred": "100",
    "thousand": "1000",
    "million": "1000000",
    "billion": "1000000000",
}
_NEGATION = re.compile(
    r"\b(?:not|no|never|none|neither|nor|without|cannot|nobody|nothing|refus\w+|reject\w+|deni\w+)\b|n[’']t\b", re.I
)


class Entailment(Protocol):
    """Scores how far each premise supports the claim beside it."""

    def scores(self, premises: Sequence[str], claims: Sequence[str]) -> NDArray[np.float32]:
        """Shape (n,), float32 in [0, 1]; `premises` and `claims` have equal length."""
        ...


def figures(text: str) -> set[str]:
    """Numbers of a text in one spelling: digits without separators, words as digits, with their £, $, € or %."""
    found = {re.sub(r"[\s,]", "", f).rstrip(".:/") for f in _FIGURE.findall(text)}
    found = {f.removesuffix(".00") for f in found}
    if re.search(r"\bper ?cent\b", text, re.I):
        found |= {f"{n}%" for n in re.findall(r"(\d+(?:\.\d+)?)\s+per ?cent\b", text, re.I)}
    return found | {_NUMBER_VALUES[w] for w in re.split(r"[^a-z]+", text.lower()) if w in _NUMBER_VALUES}


def passes_gate(premise: str, claim: str) -> bool:
    """Whether every figure and name of the claim stands in the premise, and neither denies what the other says."""
    have = figures(premise)
    bare = {re.sub(r"[£$€%]", "", f) for f in have}
    for figure in figures(claim):
        if figure not in have and (figure[0] in "£$€" or figure[-1] == "%" or figure not in bare):
            return False
    held = stems(premise)
    named = [w for w in words(claim) if w[0].isupper()]  # "May", "Will" and "US" are names as well as stopwords
    names = [w for w in named if w.lower() not in STOPWORDS or w in ("May", "Will") or w[1:].isupper()]
    if any(stem(part) not in held for name in names for part in name.split("-") if part):
        return False
    return bool(_NEGATION.search(premise)) == bool(_NEGATION.search(claim))


class LexicalEntailment:
    """The entailment that needs no model."""

    def scores(self, premises: Sequence[str], claims: Sequence[str]) -> NDArray[np.float32]:
        return np.array([self._score(p, c) for p, c in zip(premises, claims, strict=True)], dtype=np.float32)

    def _score(self, premise: str, claim: str) -> float:
        wanted = content_stems(claim)
        if not wanted:
            return 0.0
        if not passes_gate(premise, claim):
            return 0.0
        held = stems(premise)
        return sum(w in held for w in wanted) / len(wanted)


def verify(text: str, citations: Sequence[Citation], entailment: Entailment) -> Statement:
    """Check one sentence against the spans it cites.

    `quoted`: a cited span is the sentence itself. `supported`: the spans together pass the gate and reach `SUPPORTED`.
    `uncited`: no citation names a passage that was offered.
    """
    real = [c for c in citations if c.passage is not None]
    if not real:
        return Statement(text, "uncited", 0.0, tuple(citations))
    if any(" ".join(c.quote.split()) == " ".join(text.split()) for c in real):
        return Statement(text, "quoted", 1.0, tuple(citations))
    support = float(entailment.scores(["\n".join(c.quote for c in real)], [text])[0])
    verdict: Verdict = "supported" if support >= SUPPORTED else "unsupported"
    return Statement(text, verdict, round(support, 4), tuple(citations))
