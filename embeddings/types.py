"""The values and protocols of retrieval. Arrays are float32; vectors are rows of unit length."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from corpus.errors import UsageError
from corpus.types import Chunk, Document

Vectors = NDArray[np.float32]
Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]
_ESCAPED = re.compile(r"\[([*?[])\]")
"""What `glob.escape` writes for a character that would be a wildcard."""
_WILDCARD = re.compile(r"[*?[]")
MOST_WILDCARDS = 1000
"""In the paths of a filter together: more take seconds to make ready."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A chunk that a search returned, and what each retriever contributed."""

    chunk: Chunk
    score: float
    """Fused score; comparable within one search only."""
    dense: float | None = None
    """Cosine of question and passage; None where the dense search didn't return it."""
    lexical: float | None = None
    """BM25, higher is better; None where no query term matched."""
    places: tuple[Chunk, ...] = ()
    """Other chunks that say the same in nearly the same words."""


@dataclass(frozen=True, slots=True)
class Where:
    """Which documents a search may return; the others influence nothing. An empty field asks nothing."""

    paths: tuple[str, ...] = ()
    """Shell patterns of paths in the index, such as `minutes/*`: any of them."""
    tags: tuple[str, ...] = ()
    """Any of them."""
    date_from: date | None = None
    date_to: date | None = None
    """Both inclusive; a document without a date is in no period."""

    def __post_init__(self) -> None:
        for name in ("paths", "tags"):
            given = getattr(self, name)
            values = tuple(given) if isinstance(given, Iterable) and not isinstance(given, str) else (None,)
            if not all(isinstance(value, str) for value in values):
                example = f"({given!r},)" if isinstance(given, str) else '("minutes/*",)'
                raise UsageError(f"{name} of a filter is {given!r}: give several texts, such as {example}")
            object.__setattr__(self, name, values)
        for name in ("date_from", "date_to"):
            day = getattr(self, name)
            if isinstance(day, datetime) or not isinstance(day, date | None):
                raise UsageError(f"{name} of a filter is {day!r}: give a `datetime.date`, or None")
        wildcards = sum(len(_WILDCARD.findall(_ESCAPED.sub("", path))) for path in self.paths)
        if wildcards > MOST_WILDCARDS:
            raise UsageError(f"the paths of a filter have {wildcards:,} wildcards: give at most {MOST_WILDCARDS:,}")
        if self.date_from and self.date_to and self.date_from > self.date_to:
            raise UsageError(f"no day lies between {self.date_from} and {self.date_to}: exchange them")

    def admits(self, path: str, day: date | None, tags: Sequence[str]) -> bool:
        return self.names(path) and self.shares(tags) and self.spans(day)

    def names(self, path: str) -> bool:
        """Whether a path is one of `paths`."""
        if not self.paths:
            return True
        names, patterns = _names_and_patterns(self.paths)
        return path in names or patterns.match(path) is not None

    def shares(self, tags: Sequence[str]) -> bool:
        """Whether one of the tags is asked for."""
        return not self.tags or not set(self.tags).isdisjoint(tags)

    def spans(self, day: date | None) -> bool:
        """Whether a day lies in the period."""
        if day is None:
            return self.date_from is None and self.date_to is None
        return (self.date_from or day) <= day <= (self.date_to or day)


@lru_cache(maxsize=8)
def _names_and_patterns(paths: tuple[str, ...]) -> tuple[frozenset[str], re.Pattern[str]]:
    """Paths without a wildcard, of which there may be thousands, to be looked up at once; and the others as one."""
    patterns = [path for path in paths if _WILDCARD.search(_ESCAPED.sub("", path))]
    joined = "|".join(map(fnmatch.translate, patterns)) or r"(?!)"
    return frozenset(_ESCAPED.sub(r"\1", path) for path in set(paths).difference(patterns)), re.compile(joined)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The index generation that a reader sees."""

    generation: int
    embedder: str
    """Fingerprint: name, digest of the weights, dimension, preparation of texts."""
    chunker: str
    """Fingerprint: version and settings."""
    documents: int
    chunks: int


class Embedder(Protocol):
    """Turns texts into vectors."""

    @property
    def name(self) -> str:
        """What `embedder_named` finds it by."""
        ...

    @property
    def fingerprint(self) -> str:
        """Identifies the vectors: two embedders with one fingerprint give the same ones. Loads no model."""
        ...

    @property
    def dimension(self) -> int: ...

    @property
    def max_tokens(self) -> int:
        """Tokens of a passage that the model reads; what comes after is ignored."""
        ...

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Shape (n, dimension), float32, rows of unit length, in the order of `texts`."""
        ...

    def embed_query(self, text: str) -> Vectors:
        """Shape (1, dimension), float32, unit length."""
        ...


class Reranker(Protocol):
    """Reads a question and a passage together."""

    @property
    def name(self) -> str:
        """What `reranker_named` finds it by."""
        ...

    def scores(self, question: str, texts: Sequence[str]) -> NDArray[np.float32]:
        """Shape (n,), float32, higher is better, in the order of `texts`. Unbounded logits."""
        ...


class PassageStore(Protocol):
    """Holds chunks and finds them again."""

    def add(self, documents: Iterable[tuple[Document, Sequence[Chunk], Vectors]]) -> None: ...

    def delete(self, document_ids: Iterable[str]) -> None: ...

    def search(self, question: str, vector: Vectors, limit: int, where: Where | None = None) -> list[Hit]:
        """The `limit` best chunks, best first, equal scores in order of chunk id; near-duplicates count once."""
        ...

    def snapshot(self) -> Snapshot: ...
