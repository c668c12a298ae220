"""The judge that needs no model: how much of a claim's wording, weighed by rarity, stands in the premise."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from assistant.figures import figures
from assistant.questions import STOPWORDS, dictionary, stem, words

FULL, PARTIAL = 0.6, 0.4
"""Thresholds, from the development halves of `docs/decisions/judges.md`."""
WINDOW = 100
"""Words of a premise read as one place; windows overlap by half."""
WINDOW_SHARE = 0.4
"""What the best window counts for beside the premise as a whole."""
MISSING_NUMBERS = 0.3
"""Taken off when every number of the claim is missing."""
_RAREST = 50
"""Count of the rarest words of the table: what an unknown word counts as."""
_KEPT = 1 << 14
"""Texts whose stems are remembered."""


class LexicalJudge:
    """Shares of a claim's stems, each weighed by its inverse frequency in English.

    With w(s) = -log p(s) over the claim's content stems: (1 - a) · share in the premise + a · share in its best window
    of `WINDOW` words - `MISSING_NUMBERS` · share of the claim's numbers that the premise lacks, not below 0;
    a = `WINDOW_SHARE`. Frequencies are those of a fixed table, so a score depends on its pair alone.
    """

    def scores(self, premises: Sequence[str], claims: Sequence[str]) -> NDArray[np.float32]:
        pairs = zip(premises, claims, strict=True)
        return np.fromiter((_score(premise, claim) for premise, claim in pairs), np.float32, len(claims))


def _score(premise: str, claim: str) -> float:
    weights, numbers = _wanted(claim)
    total = sum(weights.values())
    if not total:  # nothing but words like "yes": only the same words support it
        return float(" ".join(words(claim.lower())) in " ".join(words(premise.lower())) and bool(words(claim)))
    places, count = _places(premise)
    held = [(weight, places[s]) for s, weight in weights.items() if s in places]
    whole = best = sum(weight for weight, _ in held)
    if count > 1:
        best = max(sum(weight for weight, at in held if at >> window & 1) for window in range(count))
    missing = len(numbers - _numbers(premise)) / len(numbers) if numbers else 0.0
    share = ((1 - WINDOW_SHARE) * whole + WINDOW_SHARE * best) / total
    return max(share - MISSING_NUMBERS * missing, 0.0)


@lru_cache(_KEPT)
def _wanted(claim: str) -> tuple[dict[str, float], frozenset[str]]:
    """The claim's content stems with their weights, and its numbers."""
    content = [w for w in words(claim.lower()) if w not in STOPWORDS]
    return {s: _rarity(w) for w in content if (s := stem(w))}, _numbers(claim)


@lru_cache(_KEPT)
def _places(premise: str) -> tuple[dict[str, int], int]:
    """In which windows each stem of the premise stands, a bit for each, and how many windows there are.

    The parts of a hyphenated word stand beside it.
    """
    row: list[str] = []
    for word in words(premise.lower()):
        row.append(stem(word))
        if "-" in word:
            row += [stem(part) for part in word.split("-")]
    half = WINDOW // 2
    count = max(math.ceil(len(row) / half) - 1, 1)
    if count == 1:
        return dict.fromkeys(row, 1), 1
    places: dict[str, int] = {}
    for window in range(count):
        for s in set(row[window * half : (window + 2) * half]):
            places[s] = places.get(s, 0) | 1 << window
    return places, count


@lru_cache(_KEPT)
def _numbers(text: str) -> frozenset[str]:
    """Figures without their £, $, € or %."""
    return frozenset(re.sub(r"[£$€%]", "", figure) for figure in figures(text))


@lru_cache(50_000)
def _rarity(word: str) -> float:
    """-log of the word's share of running English."""
    table = dictionary().word_frequency
    return -math.log(max(table[word], _RAREST) / table.total_words)
