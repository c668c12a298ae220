"""Scores of two retrievers as one, and passages that say the same as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpus.types import Chunk
from embeddings.lexical import words
from embeddings.types import Hit, Vectors

DENSE_WEIGHT, LEXICAL_WEIGHT = 0.7, 0.3
"""Of z-scores over all passages; `bench/retrieval.py` compares with other ways."""
FEEDBACK, FEEDBACK_WEIGHT = 3, 0.2
"""Passages that the question moves towards, and how far."""
SAME_COSINE, SAME_SHINGLES = 0.98, 0.8
"""From which two passages are one that stands in two places."""
_LEAST_SPREAD = 1e-4
"""A standard deviation below this says nothing, and is not stretched to 1."""
_DECIMALS = 6
"""Scores closer than this are equal, so that rounding in a processor doesn't decide an order."""


@dataclass(frozen=True, slots=True)
class Moments:
    """Means and standard deviations that bring scores to a common scale."""

    dense: tuple[float, float]
    lexical: tuple[float, float]


def moments(scores: NDArray[Any], count: int | None = None) -> tuple[float, float]:
    """Mean and standard deviation of `count` scores, of which those not given are 0."""
    rounded = np.round(scores.astype(np.float64), _DECIMALS)
    count = len(rounded) if count is None else count
    if not count:
        return 0.0, 1.0
    mean = float(rounded.sum()) / count
    variance = (float(((rounded - mean) ** 2).sum()) + (count - len(rounded)) * mean**2) / count
    return mean, max(variance**0.5, _LEAST_SPREAD)


def fuse(scale: Moments, dense: Any, lexical: Any) -> Any:
    """Weighted sum of z-scores, of numbers or arrays."""
    (mean, spread), (lexical_mean, lexical_spread) = scale.dense, scale.lexical
    scores = DENSE_WEIGHT * (dense - mean) / spread + LEXICAL_WEIGHT * (lexical - lexical_mean) / lexical_spread
    return np.round(scores, _DECIMALS)


def moved(vector: Vectors, nearest: Vectors) -> Vectors:
    """The question's vector with feedback from its best passages (Rocchio 1971; dense: Li et al. 2021), unit length."""
    if not len(nearest):
        return vector
    towards = vector + np.float32(FEEDBACK_WEIGHT) * nearest.mean(axis=0)
    return np.asarray(towards / np.linalg.norm(towards), np.float32)


def collapsed(hits: Sequence[tuple[Hit, NDArray[np.float32]]], limit: int) -> list[Hit]:
    """The first `limit` hits that aren't near-duplicates of a better one, which gets their chunks as `places`."""
    kept: list[tuple[Hit, NDArray[np.float32]]] = []
    places: dict[str, list[Chunk]] = {}
    for hit, vector in hits:
        twin = next((k for k, v in kept if v @ vector >= SAME_COSINE and same_words(k.chunk, hit.chunk)), None)
        if twin is not None:
            places[twin.chunk.id].append(hit.chunk)
        elif len(kept) < limit:
            kept.append((hit, vector))
            places[hit.chunk.id] = []
    return [replace(hit, places=tuple(places[hit.chunk.id])) for hit, _ in kept]


def same_words(a: Chunk, b: Chunk) -> bool:
    """Whether two texts have the same figures, in order, and nearly the same runs of three words (Broder 1997)."""
    first, second = words(a.text), words(b.text)
    if [w for w in first if any(map(str.isdigit, w))] != [w for w in second if any(map(str.isdigit, w))]:
        return False
    one, two = ({tuple(found[i : i + 3]) for i in range(max(1, len(found) - 2))} for found in (first, second))
    return len(one & two) >= SAME_SHINGLES * len(one | two)
