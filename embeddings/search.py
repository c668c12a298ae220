"""An index as its readers see it: dense and lexical search, fused."""

from __future__ import annotations

import contextlib
import json
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from corpus.errors import IndexUnavailable, UsageError
from corpus.types import Chunk, Document, ReadFailure
from embeddings import lexical, vectors
from embeddings.catalogue import (
    CHUNK_COLUMNS,
    DOCUMENT_COLUMNS,
    check_schema,
    chunk_from,
    document_from,
    meta,
    open_reader,
    readable_errors,
    rebuild_command,
    transaction,
    unfinished,
)
from embeddings.types import Hit, Snapshot, Vectors

DENSE_WEIGHT, LEXICAL_WEIGHT = 0.6, 0.4
"""Of z-scores over all passages; `bench/retrieval.py` compares with other ways."""
_LEAST_SPREAD = 1e-4
"""A standard deviation below this says nothing, and is not stretched to 1."""
_DECIMALS = 6
"""Scores closer than this are equal, so that rounding in a processor doesn't decide an order."""


@dataclass(frozen=True, slots=True)
class DocumentSummary:
    """A line of the list of documents."""

    id: str
    path: str
    title: str
    date: date | None
    chunks: int
    problem: str | None
    """Why the file's newest version could not be read; the last good one is indexed."""


class View:
    """One generation, for as long as the `with` of `Index.view` lasts; belongs to one thread at a time."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        about: Mapping[str, str],
        dense: Callable[[], vectors.DenseIndex],
    ) -> None:
        self._connection = connection
        self._about = about
        self._dense = dense

    def snapshot(self) -> Snapshot:
        about = self._about
        generation = int(about["generation"])
        documents, chunks = self._connection.execute(
            "SELECT count(DISTINCT document_key), (SELECT count FROM snaps WHERE generation = ?) FROM files",
            (generation,),
        ).fetchone()
        return Snapshot(generation, about["embedder"], about["chunker"], documents, chunks)

    def search(self, question: str, vector: Vectors, limit: int) -> list[Hit]:
        """The `limit` best chunks, best first, equal scores in order of `Chunk.id`; every chunk is scored.

        Args:
            vector: shape (1, dimension), float32, unit length.
        """
        dimension = int(self._about["dimension"])
        if limit < 1 or vector.shape != (1, dimension):
            raise UsageError(
                f"a search for {limit!r} chunks with a vector of shape {vector.shape!r}: give 1 or more, "
                f"and shape (1, {dimension})"
            )
        ids, dense = self._dense().scores(vector)
        if not len(ids):
            return []
        found, bm25 = lexical.bm25_scores(self._connection, question)
        matched = np.zeros(len(ids))
        matched[np.searchsorted(ids, found)] = bm25
        fused = fuse(dense, matched)
        worst = -np.partition(-fused, limit - 1)[limit - 1] if limit < len(fused) else -np.inf
        best = np.flatnonzero(fused >= worst)
        chunks = self._chunks(ids[best].tolist())
        hits = [
            Hit(chunks[int(ids[row])], float(fused[row]), float(dense[row]), float(matched[row]) or None)
            for row in best
        ]
        return sorted(hits, key=lambda hit: (-hit.score, hit.chunk.id))[:limit]

    def document(self, document_id: str) -> Document:
        """Under the first of its paths."""
        row = self._connection.execute(
            f"SELECT min(files.path), {DOCUMENT_COLUMNS} FROM documents JOIN files USING (document_key) "
            "WHERE id = ? GROUP BY document_key",
            (document_id,),
        ).fetchone()
        if row is None:
            raise UsageError(f"no document {document_id!r} in the index")
        return document_from(row[0], row[1:])

    def documents(self) -> list[DocumentSummary]:
        """By path; a document that stands under several paths has a line for each."""
        rows = self._connection.execute(
            "SELECT id, files.path, title, date, reason, "
            "(SELECT count(*) FROM chunks WHERE chunks.document_key = documents.document_key) "
            "FROM files JOIN documents USING (document_key) ORDER BY files.path"
        )
        return [
            DocumentSummary(id_, path, title, date.fromisoformat(day) if day else None, chunks, problem)
            for id_, path, title, day, problem, chunks in rows
        ]

    def failures(self) -> list[ReadFailure]:
        """Files of which nothing, or only an older version, is indexed, by path."""
        rows = self._connection.execute("SELECT path, reason FROM files WHERE status <> 'ok' ORDER BY path")
        return [ReadFailure(path, reason) for path, reason in rows]

    def document_frequencies(self, terms: Iterable[str]) -> dict[str, int]:
        """For each word or phrase, how many documents hold it in text, title or headings, stemmed."""
        return lexical.document_counts(self._connection, terms)

    def vectors_of(self, chunks: Sequence[Chunk]) -> Vectors:
        """Shape (n, dimension), float32, unit length, in the order of `chunks`."""
        find = (
            "SELECT vector FROM documents JOIN chunks USING (document_key) JOIN vectors USING (vector_key) "
            'WHERE id = ? AND start = ? AND "end" = ? AND document_key IN (SELECT document_key FROM files)'
        )
        spans = [(chunk.document_id, chunk.start, chunk.end) for chunk in chunks]
        rows = [self._connection.execute(find, span).fetchone() for span in spans]
        if None in rows:
            raise UsageError(f"no chunk {chunks[rows.index(None)].id!r} in the index")
        return np.frombuffer(b"".join(row[0] for row in rows), "<f4").reshape(len(rows), int(self._about["dimension"]))

    def _chunks(self, chunk_ids: list[int]) -> dict[int, Chunk]:
        rows = self._connection.execute(
            f"SELECT chunk_id, id, {', '.join('chunks.' + c for c in CHUNK_COLUMNS.split(', '))} "
            "FROM chunks JOIN documents USING (document_key) "
            "WHERE chunk_id IN (SELECT value FROM json_each(?))",
            (json.dumps(chunk_ids),),
        )
        return {chunk_id: chunk_from(document_id, row) for chunk_id, document_id, *row in rows}


class Index:
    """A published index, for any number of threads; each call or `view` sees one generation, the newest."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._idle: queue.LifoQueue[sqlite3.Connection] = queue.LifoQueue()
        self._loading = threading.Lock()
        self._loaded: tuple[int, vectors.DenseIndex] | None = None

    @classmethod
    def open(cls, folder: str | Path, embedder: str | None = None) -> Self:
        """Raises `IndexUnavailable` where there is no index, or one of another version or embedder.

        Args:
            embedder: the fingerprint of the embedder that questions will be encoded with; None: not checked.
        """
        index = cls(Path(folder))
        about = index.about()
        if embedder not in (None, about["embedder"]):
            raise IndexUnavailable(
                f"the index {str(folder)!r} was made with the embedder {about['embedder']!r}, not "
                f"{embedder!r}: choose that embedder, or index again with "
                f"`{rebuild_command(index.folder, about)}`"
            )
        return index

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                self._idle.get_nowait().close()

    def about(self) -> dict[str, str]:
        """`embedder_name` finds the embedder again; `embedder`, `chunker`, `generation`, `folders` (JSON)."""
        with self._reading() as (_, about):
            return about

    @contextlib.contextmanager
    def view(self) -> Iterator[View]:
        """One generation for several calls: what a search returned can be read, whatever a writer does."""
        with self._reading() as (connection, about):
            yield View(connection, about, lambda: self._dense(connection, about))

    def snapshot(self) -> Snapshot:
        with self.view() as view:
            return view.snapshot()

    def search(self, question: str, vector: Vectors, limit: int) -> list[Hit]:
        with self.view() as view:
            return view.search(question, vector, limit)

    def document(self, document_id: str) -> Document:
        with self.view() as view:
            return view.document(document_id)

    def documents(self) -> list[DocumentSummary]:
        with self.view() as view:
            return view.documents()

    def failures(self) -> list[ReadFailure]:
        with self.view() as view:
            return view.failures()

    def document_frequencies(self, terms: Iterable[str]) -> dict[str, int]:
        with self.view() as view:
            return view.document_frequencies(terms)

    def vectors_of(self, chunks: Sequence[Chunk]) -> Vectors:
        with self.view() as view:
            return view.vectors_of(chunks)

    @contextlib.contextmanager
    def _reading(self) -> Iterator[tuple[sqlite3.Connection, dict[str, str]]]:
        """A connection inside one read transaction, and what `meta` says there."""
        with readable_errors(self.folder):
            try:
                connection, keep = self._idle.get_nowait(), True
            except queue.Empty:
                connection, keep = open_reader(self.folder)
            try:
                with transaction(connection, "DEFERRED"):
                    check_schema(connection, self.folder)
                    about = meta(connection)
                    if "generation" not in about:
                        raise unfinished(self.folder)
                    yield connection, about
            except BaseException:
                keep = False
                raise
            finally:
                if keep:
                    self._idle.put(connection)
                else:
                    connection.close()

    def _dense(self, connection: sqlite3.Connection, about: Mapping[str, str]) -> vectors.DenseIndex:
        generation = int(about["generation"])
        with self._loading:
            if self._loaded is not None and self._loaded[0] == generation:
                return self._loaded[1]
            dense = vectors.load(self.folder, connection, generation, int(about["dimension"]))
            if self._loaded is None or self._loaded[0] < generation:
                self._loaded = generation, dense
            return dense


def fuse(dense: NDArray[np.float64], bm25: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weighted sum of z-scores over all passages; a passage without a word of the question has BM25 0."""
    return np.round(DENSE_WEIGHT * _z_scores(dense) + LEXICAL_WEIGHT * _z_scores(bm25), _DECIMALS)


def _z_scores(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    rounded = np.round(scores, _DECIMALS)
    return np.asarray((rounded - rounded.mean()) / max(float(rounded.std()), _LEAST_SPREAD))
