"""An embedder without a model: hashed words and character n-grams."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from corpus.errors import UsageError
from embeddings.types import Vectors

_WORD = re.compile(r"\w+")
_NGRAM = 4
_NGRAM_WEIGHT = 0.3
_VERSION = 1


class HashingEmbedder:
    """Signed feature hashing (Weinberger et al. 2009, arXiv:0902.2206): deterministic, knows no synonyms."""

    name = "hashing"
    max_tokens = 8192

    def __init__(self, dimension: int = 256) -> None:
        if dimension < 1:
            raise UsageError(f"the dimension of the hashing embedder is {dimension!r}: give 1 or more")
        self.dimension = dimension
        self.fingerprint = f"hashing-{_VERSION}:{dimension}:unit"

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        rows = np.zeros((len(texts), self.dimension), np.float32)
        for row, text in zip(rows, texts, strict=True):
            for feature, weight in Counter(_features(text)).items():
                number = int.from_bytes(hashlib.blake2b(feature.encode(), digest_size=8).digest())
                scale = 1.0 if feature[0] == "w" else _NGRAM_WEIGHT
                row[number // 2 % self.dimension] += (1 if number % 2 else -1) * scale * weight**0.5
            if not row.any():
                row[0] = 1.0
            row /= np.linalg.norm(row)
        return rows

    def embed_query(self, text: str) -> Vectors:
        return self.embed_passages([text])


def _features(text: str) -> Iterator[str]:
    """Words as `w…`, the n-grams of each word between its borders as `n…`; surrogates become `?`."""
    for word in _WORD.findall(text.casefold().encode(errors="replace").decode()):
        yield f"w{word}"
        bordered = f"<{word}>"
        yield from (f"n{bordered[i : i + _NGRAM]}" for i in range(len(bordered) - _NGRAM + 1))
