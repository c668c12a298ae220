"""One published state of an index, ready to be searched: made from the catalogue, kept in two derived files."""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np

from embeddings import derived, lexical, vectors
from embeddings.lexical import LexicalIndex, Passage
from embeddings.listing import Listing
from embeddings.rows import CHECKED_CHUNK, DamagedRow, chunk_from, heading_text, verified
from embeddings.types import Mask, Rows, Vectors, Where
from embeddings.vectors import Batches, DenseIndex

_LOG = logging.getLogger(__name__)
PARTS = {"vectors": ".faiss", "lexical": ".safetensors"}
"""Endings of the derived files."""
_ROWS_AT_ONCE = 4096
_SAMPLE = 4096
"""Passages, evenly spaced, whose cosines give the mean and spread of all; fewer are all taken, and all compared."""
_KEPT_SCOPES = 12
"""Audiences and filters whose passages are remembered: at most 6 MB each, and a byte a passage."""


@dataclass(frozen=True, slots=True)
class Generation:
    """What a search reads."""

    number: int
    lexical: LexicalIndex
    dense: DenseIndex
    listing: Listing
    scopes: Scopes = field(default_factory=lambda: Scopes())

    @property
    def chunks(self) -> Rows:
        """Chunk ids by row."""
        return self.lexical.chunks

    def scope(self, connection: sqlite3.Connection, audience: frozenset[str] | None, where: Where | None) -> Scope:
        """What a caller's search with this filter may return; made once, as long as it is kept."""
        return self.scopes.kept((audience, where), lambda: self._scope(connection, audience, where))

    def _scope(self, connection: sqlite3.Connection, audience: frozenset[str] | None, where: Where | None) -> Scope:
        visible = self.listing.visible(audience)
        keys = self.listing.documents(visible, None if where is None else self.listing.admitted(where))
        allowed = np.isin(self.lexical.documents, keys)
        rows = np.flatnonzero(allowed)
        chosen = rows[_evenly(len(rows), _SAMPLE)]
        is_whole = len(rows) == len(chosen)
        if self.dense.is_exact and not is_whole:
            sample = self.dense.vectors(chosen)  # in half precision, which is enough for means and spreads
        else:
            sample = _vectors(connection, self.chunks[chosen], self.dense.dimension)
        held = None if allowed.all() else allowed
        return Scope(visible, held, len(rows), len(keys), sample, rows if is_whole else None)


@dataclass(frozen=True, slots=True)
class Scope:
    """Passages that a search may return; the others influence nothing."""

    visible: Mask
    """Files that the caller may see, filter or not; by place in the listing."""
    allowed: Mask | None
    """By row; None for all."""
    passages: int
    documents: int
    sample: Vectors
    """Shape (n, dimension): vectors of evenly spaced ones."""
    rows: Rows | None
    """Theirs, ascending, where the sample holds all of them."""


class Scopes:
    """The last used, for any number of threads."""

    def __init__(self) -> None:
        self._lock, self._making = threading.Lock(), threading.Lock()
        self._held: dict[Hashable, Scope] = {}

    def kept(self, key: Hashable, make: Callable[[], Scope]) -> Scope:
        """The scope of a key, made where it isn't held: by one thread, though all may ask for it at once."""
        if scope := self._found(key):
            return scope
        with self._making:
            scope = self._found(key) or make()
            with self._lock:
                self._held[key] = scope
                for least_used in list(self._held)[:-_KEPT_SCOPES]:
                    del self._held[least_used]
        return scope

    def _found(self, key: Hashable) -> Scope | None:
        with self._lock:
            if scope := self._held.pop(key, None):
                self._held[key] = scope
            return scope


def load(folder: Path, connection: sqlite3.Connection, about: Mapping[str, str]) -> Generation:
    """The generation that the connection sees; a part that is missing or damaged is made again, in memory."""
    listing = Listing.read(connection, about)
    number, dimension = int(about["generation"]), int(about["dimension"])
    parts = derived.recorded(connection, number)
    words = _opened_lexical(folder, parts)
    if words is None:
        _warn(folder, "lexical", parts)
        check_visible(connection, about)
        words = all_words(folder, connection)
    held = derived.opened(folder, parts.get("vectors"))
    if held:
        dense = vectors.load(held, parts["vectors"].details, words.chunks)
    else:
        _warn(folder, "vectors", parts)
        dense = DenseIndex(_all_vectors(connection, dimension, words.chunks)[0], words.chunks)
    return Generation(number, words, dense, listing)


def publish(folder: Path, connection: sqlite3.Connection, number: int, dimension: int, *, afresh: bool = False) -> int:
    """Makes the files of what is visible now, inside the transaction that publishes it; returns how many chunks."""
    before = {} if afresh else derived.recorded(connection, number - 1)
    words = _opened_lexical(folder, before)
    now = np.array([row[0] for row in connection.execute(_VISIBLE)], np.int64)
    held = words.chunks if words is not None else np.zeros(0, np.int64)
    gone, added = np.setdiff1d(held, now), np.setdiff1d(now, held)

    def write_words(file: IO[bytes]) -> Mapping[str, Any]:
        return lexical.write(file, folder, words, gone.tolist(), _passages(connection, added))

    def write_vectors(file: IO[bytes]) -> Mapping[str, Any]:
        old = derived.opened(folder, before.get("vectors")) if words is not None else None
        changes = vector_batches(connection, added)
        made = vectors.carried(old, before["vectors"].details, len(now), gone, changes) if old else None
        index, details = made or _all_vectors(connection, dimension, now)
        vectors.write(file, index)
        return details

    for part, write in (("lexical", write_words), ("vectors", write_vectors)):
        derived.record(connection, derived.publish(folder, number, part, PARTS[part], write))
    return len(now)


def check_visible(connection: sqlite3.Connection, about: Mapping[str, str]) -> None:
    """Raises `DamagedRow` unless all chunks that were published are found by SQLite's indexes."""
    (count,) = connection.execute(f"SELECT count(*) FROM ({_VISIBLE})").fetchone()
    if count != int(about.get("chunks", count)):
        raise DamagedRow(f"{about['chunks']} chunks were published, and {count} are found")


_VISIBLE = """
    SELECT chunk_id FROM chunks WHERE document_key IN (SELECT document_key FROM files) ORDER BY chunk_id
"""


def _opened_lexical(folder: Path, parts: Mapping[str, derived.Derived]) -> LexicalIndex | None:
    held = derived.opened(folder, parts.get("lexical"))
    if held is None or parts["lexical"].details["version"] != lexical.VERSION:
        return None
    with held.path.open("rb") as file:
        return lexical.mapped(file, held)


def _warn(folder: Path, part: str, parts: Mapping[str, derived.Derived]) -> None:
    name = parts[part].file if part in parts else f"{part}{PARTS[part]}"
    _LOG.warning(
        "%s is missing or damaged; what it holds was read from the catalogue, and `assistant doctor --repair` "
        "writes it again",
        folder / name,
    )


def all_words(folder: Path, connection: sqlite3.Connection) -> LexicalIndex:
    return lexical.made(folder, _passages(connection, (row[0] for row in connection.execute(_VISIBLE).fetchall())))


def _all_vectors(connection: sqlite3.Connection, dimension: int, chunks: Rows) -> tuple[Any, dict[str, Any]]:
    batches = vector_batches(connection, chunks)
    if len(chunks) <= vectors.EXACT:
        return vectors.exact(dimension, batches)
    sample = _vectors(connection, chunks[_evenly(len(chunks), vectors.sample_size(len(chunks)))], dimension)
    return vectors.lists(dimension, len(chunks), sample, batches)


def _evenly(count: int, most: int) -> Rows:
    """Places of `most` of `count` things, evenly spaced; all where there are fewer."""
    return np.linspace(0, max(count - 1, 0), min(count, most)).astype(np.int64)


def _vectors(connection: sqlite3.Connection, chunks: Rows, dimension: int) -> Vectors:
    """Shape (len(chunks), dimension)."""
    rows = [vectors_ for _, vectors_ in vector_batches(connection, chunks)]
    return np.concatenate(rows) if rows else np.zeros((0, dimension), np.float32)


def vector_batches(connection: sqlite3.Connection, chunks: Rows) -> Batches:
    """Verified vectors of chunks given in ascending order of id."""
    for ids in _slices(chunks):
        rows = connection.execute(
            # The table and its index by vector must agree: neither is verified as a whole.
            "SELECT chunks.chunk_id, vectors.vector_key, digest, vector, vectors.checksum FROM chunks NOT INDEXED "
            "JOIN vectors USING (vector_key) JOIN chunks AS indexed INDEXED BY chunks_by_vector "
            "ON indexed.vector_key = vectors.vector_key AND indexed.chunk_id = chunks.chunk_id "
            "WHERE chunks.chunk_id IN (SELECT value FROM json_each(?)) ORDER BY chunks.chunk_id",
            (json.dumps(ids),),
        )
        found = [(chunk_id, verified("vectors", row)[2]) for chunk_id, *row in rows]
        _check_all(ids, [chunk_id for chunk_id, _ in found])
        stored = np.frombuffer(b"".join(vector for _, vector in found), "<f4").reshape(len(found), -1)
        yield np.array([chunk_id for chunk_id, _ in found], np.int64), stored


def _passages(connection: sqlite3.Connection, chunks: Iterable[int]) -> Iterator[Passage]:
    for ids in _slices(np.fromiter(chunks, np.int64)):
        rows = connection.execute(
            f"SELECT {CHECKED_CHUNK}, chunks.checksum FROM chunks JOIN documents USING (document_key) "
            "WHERE chunk_id IN (SELECT value FROM json_each(?)) ORDER BY chunk_id",
            (json.dumps(ids),),
        )
        found = []
        for row in rows:
            chunk_id, document_key, *columns, _, _, title = verified("chunks", row)
            chunk = chunk_from("", columns)
            found.append(chunk_id)
            yield Passage(chunk_id, document_key, heading_text(title, chunk.headings), chunk.text)
        _check_all(ids, found)


def _check_all(wanted: list[int], found: list[int]) -> None:
    """A join finds less where a page of the catalogue is damaged."""
    if found != wanted:
        raise DamagedRow(f"rows that chunk {min({*wanted} ^ {*found}, default=0)} needs are missing")


def _slices(chunks: Rows) -> Iterator[list[int]]:
    for first in range(0, len(chunks), _ROWS_AT_ONCE):
        yield chunks[first : first + _ROWS_AT_ONCE].tolist()
