"""Does the cited text say what the sentence says?

`LexicalEntailment` weighs the share of a sentence's content words that the cited text holds, behind an exact gate:
a number, date, amount, percentage or name of the sentence that the cited text lacks, or a turn from yes to no,
makes the score 0.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from assistant.questions import STOPWORDS, WORD, content_stems, stem, stems, words
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
_ORDINAL = re.compile(r"\b(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth)\b")
_MONTH = r"(?P<month>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_YEAR = r"(?:,?\s+(?P<year>\d{4}))?"
_DAY_FIRST = re.compile(rf"\b(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?:\s+of)?\s+{_MONTH}{_YEAR}\b", re.I)
_MONTH_FIRST = re.compile(rf"\b{_MONTH}\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\b(?!\d){_YEAR}", re.I)
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


def dates(text: str) -> set[tuple[str, str, str]]:
    """Days of a text as (day, month, year); the month by its first three letters, the year empty where none stands."""
    found = [(m["day"], m["month"], m["year"]) for m in _DAY_FIRST.finditer(text)]
    found += [(m["day"], m["month"], m["year"]) for m in _MONTH_FIRST.finditer(text)]
    return {(day.lstrip("0"), month[:3].lower(), year or "") for day, month, year in found}


def passes_gate(premise: str, claim: str) -> bool:
    """Whether every figure, date and name of the claim stands in the premise, and neither denies what the other says.

    The words of a date, and of a name, must stand together in the premise as they do in the claim.
    """
    have = figures(premise)
    bare = {re.sub(r"[£$€%]", "", f) for f in have}
    for figure in figures(claim):
        if figure not in have and (figure[0] in "£$€" or figure[-1] == "%" or figure not in bare):
            return False
    said = dates(premise)
    for day, month, year in dates(claim):
        if not any(d == day and m == month and (not year or y == year) for d, m, y in said):
            return False
    if not _ordinals(claim) <= _ordinals(premise) or not _names(claim) <= _runs(premise):
        return False
    return bool(_NEGATION.search(premise)) == bool(_NEGATION.search(claim))


def _ordinals(text: str) -> set[str]:
    return set(_ORDINAL.findall(text.lower()))


def _names(text: str) -> set[tuple[str, ...]]:
    """Stems of each capitalised word, and of each two that stand side by side."""
    found: set[tuple[str, ...]] = set()
    before: tuple[str, int] | None = None
    for match in WORD.finditer(text):
        word = match.group()
        # "May", "Will" and "US" are names as well as stopwords.
        plain = word.lower() in STOPWORDS and word not in ("May", "Will") and not word[1:].isupper()
        if not word[0].isupper() or plain:
            before = None
            continue
        found |= {(stem(part),) for part in word.split("-") if part}
        if before is not None and not text[before[1] : match.start()].strip():
            found.add((before[0], stem(word)))
        before = (stem(word), match.end())
    return found


def _runs(text: str) -> set[tuple[str, ...]]:
    """Every stem of a text, and every two in a row."""
    row = [stem(w) for w in words(text)]
    return {(s,) for s in stems(text)} | set(pairwise(row))


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
