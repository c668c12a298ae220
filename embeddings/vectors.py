"""The FAISS file of a generation: exact inner products; derived, checked, and rebuilt from the catalogue."""

from __future__ import annotations

import hashlib
import logging
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embeddings.types import Vectors

_LOG = logging.getLogger(__name__)
_ROWS_AT_ONCE = 4096
_TEMPORARY = ".tmp-vectors-"
_PATTERN = "vectors-*.faiss"

VISIBLE_CHUNKS = "chunks WHERE document_key IN (SELECT document_key FROM files)"


class DenseIndex:
    """Chunk ids and their vectors."""

    def __init__(self, index: Any) -> None:
        self._index = index

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def scores(self, query: Vectors) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Ids, ascending, and cosines of all chunks; `query` has shape (1, dimension), unit length."""
        if not len(self):
            return np.zeros(0, np.int64), np.zeros(0, np.float64)
        # A range wider than any cosine: exact scores of all rows, without keeping a heap of the best.
        _, scores, ids = self._index.range_search(np.ascontiguousarray(query, np.float32), -2.0)
        order = np.argsort(ids, kind="stable")
        return ids[order], scores[order].astype(np.float64)


def from_catalogue(connection: sqlite3.Connection, dimension: int) -> DenseIndex:
    """All visible chunks, in order of id, from the vectors in the catalogue."""
    import faiss  # deferred: .3 seconds, and the first screen must not wait for it

    index = faiss.IndexIDMap2(faiss.IndexFlatIP(dimension))
    for ids, rows in _batches(connection):
        index.add_with_ids(rows, ids)
    return DenseIndex(index)


def _batches(connection: sqlite3.Connection) -> Iterator[tuple[NDArray[np.int64], Vectors]]:
    cursor = connection.execute(
        "SELECT chunk_id, vector FROM (SELECT chunk_id, vector_key FROM "
        f"{VISIBLE_CHUNKS}) JOIN vectors USING (vector_key) ORDER BY chunk_id"
    )
    while batch := cursor.fetchmany(_ROWS_AT_ONCE):
        rows = np.frombuffer(b"".join(vector for _, vector in batch), "<f4").reshape(len(batch), -1)
        yield np.array([chunk_id for chunk_id, _ in batch], np.int64), rows


def write(folder: Path, generation: int, dense: DenseIndex) -> tuple[str, str, int, int]:
    """Publishes the file of a generation; returns its name, SHA-256, bytes and number of vectors."""
    import faiss  # deferred: as above

    content = faiss.serialize_index(dense._index).tobytes()
    digest = hashlib.sha256(content).hexdigest()
    name = f"vectors-{generation:08}-{digest[:16]}.faiss"
    descriptor, temporary = tempfile.mkstemp(prefix=_TEMPORARY, dir=folder)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(file.fileno(), 0o644)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    Path(temporary).rename(folder / name)
    directory = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
    return name, digest, len(content), len(dense)


def remove_old(folder: Path, keep: set[str]) -> None:
    """Removes FAISS files that no kept generation names, and what a killed writer left."""
    for path in (*folder.glob(_PATTERN), *folder.glob(f"{_TEMPORARY}*")):
        if path.name not in keep:
            path.unlink(missing_ok=True)


def load(folder: Path, connection: sqlite3.Connection, generation: int, dimension: int) -> DenseIndex:
    """The FAISS file of a generation, or where it is missing or changed, the same from the catalogue."""
    import faiss  # deferred: as above

    row = connection.execute("SELECT file, sha256, bytes FROM snaps WHERE generation = ?", (generation,)).fetchone()
    try:
        content = (folder / row[0]).read_bytes() if row else b""
    except OSError:
        content = b""
    if row and len(content) == row[2] and hashlib.sha256(content).hexdigest() == row[1]:
        return DenseIndex(faiss.deserialize_index(np.frombuffer(content, np.uint8)))
    _LOG.warning(
        "%s is missing or damaged; its vectors were read from the catalogue, and the next change of the "
        "index writes them again",
        folder / (row[0] if row else f"vectors-{generation:08}.faiss"),
    )
    return from_catalogue(connection, dimension)
