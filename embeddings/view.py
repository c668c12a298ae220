"""What a search sees of one generation: hits, documents, counts."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpus.errors import UsageError
from corpus.types import Chunk, Document, ReadFailure
from embeddings.fusion import FEEDBACK, Moments, collapsed, fuse, moments, moved
from embeddings.generation import Generation, sample_of, vector_batches
from embeddings.lexical import Mask, Rows
from embeddings.rows import (
    CHECKED_CHUNK,
    DOCUMENT_COLUMNS,
    DamagedRow,
    chunk_from,
    document_from,
    verified,
    verify_files,
)
from embeddings.types import Hit, Snapshot, Vectors, Where
from embeddings.vectors import cosines

_DEPTH = 256
"""Candidates from each index, at first."""
_SPARE = 8
"""Hits fetched beyond the limit, for near-duplicates and for what exact vectors put in another order."""


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
    tags: tuple[str, ...] = ()
    kind: str = "file"
    """As `kind_of` gives it."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """Passages in order of their scores, as arrays of one length."""

    rows: Rows
    """Places among all passages, best first."""
    score: NDArray[np.float64]
    dense: NDArray[np.float64]
    """Cosines with the question's own vector, as precise as the dense index keeps them."""
    lexical: NDArray[np.float64]
    """BM25; 0 where no term of the question occurs."""
    moved: Vectors
    """The question's vector as it was ranked by, shape (1, dimension)."""
    scale: Moments


class View:
    """One generation, for as long as the `with` of `Index.view` lasts; belongs to one thread at a time."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        about: Mapping[str, str],
        generation: Callable[[], Generation],
    ) -> None:
        self._connection = connection
        self._about = about
        self._generation = generation

    def snapshot(self) -> Snapshot:
        about = self._about
        documents, chunks = int(about["documents"]), int(about["chunks"])
        return Snapshot(int(about["generation"]), about["embedder"], about["chunker"], documents, chunks)

    def search(self, question: str, vector: Vectors, limit: int, where: Where | None = None) -> list[Hit]:
        """The `limit` best chunks, best first, equal scores in order of `Chunk.id`; near-duplicates count once.

        Args:
            vector: shape (1, dimension), float32, unit length.
            where: documents that may be returned; the others influence nothing.
        """
        dimension = int(self._about["dimension"])
        if limit < 1 or vector.shape != (1, dimension):
            raise UsageError(
                f"a search for {limit!r} chunks with a vector of shape {vector.shape!r}: give 1 or more, "
                f"and shape (1, {dimension})"
            )
        wanted = limit + _SPARE
        ranking = self.ranking(question, vector, wanted, where)
        ids = self._generation().chunks[ranking.rows[:wanted]].tolist()
        chunks = self._chunks(ids)
        hits = []
        for chunk_id, bm25 in zip(ids, ranking.lexical.tolist(), strict=False):
            chunk, stored = chunks[chunk_id]
            exact = stored.astype(np.float64)
            score = float(fuse(ranking.scale, exact @ ranking.moved[0], bm25))
            hits.append((Hit(chunk, score, float(exact @ vector[0]), bm25 or None), stored))
        hits.sort(key=lambda hit: (-hit[0].score, hit[0].chunk.id))
        return collapsed(hits, limit)

    def ranking(self, question: str, vector: Vectors, limit: int, where: Where | None = None) -> Ranking:
        """At least the `limit` best passages, near-duplicates too; `chunk_at` gives the chunk of a row.

        Candidates come from both indexes, more until no other passage can be among the best (Fagin et al. 2001); they
        are then ranked again, the question's vector moved towards the best of them.
        """
        generation = self._generation()
        allowed, sample = self._allowed(where)
        bm25 = generation.lexical.bm25(question, allowed)
        matching = np.flatnonzero(bm25)
        count = len(bm25) if allowed is None else int(allowed.sum())
        scale = Moments(moments(cosines(sample, vector)), moments(bm25[matching], count))
        depth = max(limit, _DEPTH)
        while True:
            near, found = generation.dense.nearest(vector, depth, allowed)
            best = matching
            if len(matching) > depth:
                best = matching[np.argpartition(-bm25[matching], depth - 1)[:depth]]
            others = np.setdiff1d(best, near)
            rows = np.concatenate([near, others])
            dense = np.concatenate([found, generation.dense.scores(vector, others)])
            lexical = bm25[rows].astype(np.float64)
            score = fuse(scale, dense, lexical)
            ceiling = fuse(scale, found.min(initial=1.0), bm25[best].min() if len(matching) > depth else 0.0)
            if len(near) < depth or len(near) >= count or (len(rows) >= limit and np.sort(score)[-limit] >= ceiling):
                break
            depth *= 4
        leading = np.sort(generation.chunks[rows[np.lexsort((rows, -score))[:FEEDBACK]]])
        nearest = [vectors for _, vectors in vector_batches(self._connection, leading)]
        towards = moved(vector, np.concatenate(nearest) if nearest else vector[:0])
        scale = Moments(moments(cosines(sample, towards)), scale.lexical)
        score = fuse(scale, generation.dense.scores(towards, rows), lexical)
        order = np.lexsort((rows, -score))
        return Ranking(rows[order], score[order], dense[order], lexical[order], towards, scale)

    def weights(self, question: str) -> dict[int, float]:
        """What each stem of the question is worth that a passage holds."""
        return self._generation().lexical.weights(question)

    def _allowed(self, where: Where | None) -> tuple[Mask | None, Vectors]:
        """Rows that may be returned, None for all, and the sample of their vectors."""
        generation = self._generation()
        if where is None:
            return None, generation.sample
        keys = [key for key, path, day, tags in self._labels() if where.admits(path, day, tags)]
        allowed = np.isin(generation.lexical.documents, np.array(keys, np.int64))
        return allowed, sample_of(self._connection, generation.chunks[allowed], int(self._about["dimension"]))

    def searched(self, where: Where) -> tuple[int, int]:
        """Documents that a search with this filter sees, and those that it misses only as they have no date."""
        timeless = replace(where, date_from=None, date_to=None)
        seen = {key for key, path, day, tags in self._labels() if where.admits(path, day, tags)}
        undated = {key for key, path, day, tags in self._labels() if day is None and timeless.admits(path, day, tags)}
        return len(seen), len(undated - seen)

    def _labels(self) -> list[tuple[int, str, date | None, tuple[str, ...]]]:
        """Key, path, date and tags of every file."""
        generation = self._generation()
        if not generation.labels:
            files = self._connection.execute(_LISTED)
            labels = [
                (row[0], document.path, document.date, document.metadata.tags)
                for path, _, *row in files
                if (document := _verified(path, row))
            ]
            generation.labels[:] = labels  # at once: other threads read it
        return generation.labels

    def document(self, document_id: str) -> Document:
        """Under the first of its paths."""
        for hint in ("", _TABLE):
            row = self._connection.execute(
                f"SELECT min(files.path), document_key, documents.path, recipe, {DOCUMENT_COLUMNS}, checksum "
                f"FROM files {hint} JOIN documents USING (document_key) WHERE id = ? AND EXISTS "
                "(SELECT 1 FROM files AS stored WHERE stored.path = files.path AND +stored.document_key = "
                "files.document_key) GROUP BY document_key",
                (document_id,),
            ).fetchone()
            if row:
                return _verified(row[0], row[1:])
        raise UsageError(f"no document {document_id!r} in the index")

    def document_at(self, path: str) -> Document | None:
        """What lies at a path; None where nothing of it is indexed."""
        row = self._connection.execute(
            "SELECT id FROM files JOIN documents USING (document_key) WHERE files.path = ?", (path,)
        ).fetchone()
        return self.document(row[0]) if row else None

    def documents(self) -> list[DocumentSummary]:
        """By path; a document that stands under several paths has a line for each."""
        keys, counts = np.unique(self._generation().lexical.documents, return_counts=True)
        chunks = dict(zip(keys.tolist(), counts.tolist(), strict=True))
        return [
            _summary(path, problem, verified("documents", row), chunks.get(row[0], 0))
            for path, problem, *row in self._connection.execute(_LISTED)
        ]

    def failures(self) -> list[ReadFailure]:
        """Files of which nothing, or only an older version, is indexed, by path."""
        verify_files(self._connection, self._about)
        rows = self._connection.execute("SELECT path, reason FROM files WHERE status <> 'ok' ORDER BY path")
        return [ReadFailure(path, reason) for path, reason in rows]

    def document_frequencies(self, terms: Iterable[str]) -> dict[str, int]:
        """For each word or phrase, how many documents hold it in text, title or headings, stemmed."""
        return self._generation().lexical.document_counts(terms)

    def rows_of(self, sought: str) -> list[int]:
        """Rows of the document at this path, else of the passages with these words side by side."""
        lexical = self._generation().lexical
        keys = self._connection.execute("SELECT document_key FROM files WHERE path = ?", (sought,)).fetchall()
        held = np.isin(lexical.documents, keys) if keys else lexical.rows_with(sought)
        return (np.flatnonzero(held) if keys else held).tolist()

    def chunk_at(self, row: int) -> Chunk:
        """The chunk of a row of a `Ranking`."""
        chunk_id = int(self._generation().chunks[row])
        return self._chunks([chunk_id])[chunk_id][0]

    def _chunks(self, chunk_ids: list[int]) -> dict[int, tuple[Chunk, NDArray[np.float32]]]:
        """Chunks and their vectors, verified."""
        rows = self._connection.execute(
            f"SELECT vectors.vector_key, digest, vector, vectors.checksum, {CHECKED_CHUNK}, chunks.checksum "
            "FROM chunks JOIN documents USING (document_key) JOIN vectors USING (vector_key) "
            "WHERE chunk_id IN (SELECT value FROM json_each(?))",
            (json.dumps(chunk_ids),),
        )
        found = {}
        for row in rows:
            _, _, vector = verified("vectors", row[:4])
            chunk_id, _, *columns, _, document_id, _ = verified("chunks", row[4:])
            found[chunk_id] = chunk_from(document_id, columns), np.frombuffer(vector, "<f4")
        if missing := set(chunk_ids) - found.keys():
            raise DamagedRow(f"row {min(missing)} of chunks is missing")
        return found


def _summary(path: str, problem: str | None, row: Sequence[Any], chunks: int) -> DocumentSummary:
    """Of a verified row of `documents`; pages and sections, which take longest to read, aren't."""
    _, _, _, identifier, title, day, *_, metadata = row
    tags = tuple(json.loads(metadata)["tags"])
    day = day and date.fromisoformat(day)
    return DocumentSummary(identifier, path, title, day, chunks, problem, tags, kind_of(path))


def kind_of(path: str) -> str:
    """What sort of file it is, by its name's ending: "PDF", "web page"; the ending itself for a plug-in's."""
    suffix = PurePosixPath(path).suffix.lower()
    return _KINDS.get(suffix, suffix.removeprefix(".") or "file")


_KINDS = {
    **dict.fromkeys((".html", ".htm", ".xhtml"), "web page"),
    **dict.fromkeys((".md", ".markdown"), "Markdown"),
    **dict.fromkeys((".csv", ".tsv"), "table"),
    **dict.fromkeys((".txt", ".text"), "text"),
    ".docx": "Word",
    ".pdf": "PDF",
}
_TABLE = "INDEXED BY sqlite_autoindex_files_1"
"""Reads the table `files`, which `verify_files` covers, and not its index, which may differ where it is damaged."""
_LISTED = f"""
    SELECT files.path, reason, document_key, documents.path, recipe, {DOCUMENT_COLUMNS}, checksum
    FROM files {_TABLE} LEFT JOIN documents USING (document_key) WHERE document_key IS NOT NULL ORDER BY files.path
"""


def _verified(path: str, row: Sequence[Any]) -> Document:
    """The document in a row of `documents`, under one of its paths."""
    _, _, _, *columns = verified("documents", row)
    return document_from(path, columns)
