"""What a search sees of one generation: hits, documents, counts."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpus.errors import UsageError
from corpus.labels import Labels
from corpus.types import Chunk, Document, ReadFailure
from embeddings.fusion import FEEDBACK, Moments, collapsed, fuse, moments, moved
from embeddings.generation import Generation, Scope, vector_batches
from embeddings.rows import (
    CHECKED_CHUNK,
    DOCUMENT_COLUMNS,
    DamagedRow,
    chunk_from,
    document_from,
    verified,
)
from embeddings.types import Hit, Mask, Rows, Snapshot, Vectors, Where
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
    audience: tuple[str, ...] = ()
    """Groups that may see it; a restricted view names only those that it shares."""
    since: int = 0
    """Generation in which the path got this content, or these labels."""

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {**asdict(self), "date": self.date and self.date.isoformat()}


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
    """One generation, for as long as the `with` of `Index.view` lasts; belongs to one thread at a time.

    For its audience; whatever is outside of that influences nothing and is answered as if it didn't exist.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        about: Mapping[str, str],
        generation: Callable[[], Generation],
        audience: frozenset[str] | None = None,
    ) -> None:
        self._connection = connection
        self._about = about
        self._generation = generation
        self.audience = audience
        """Groups, one of which a document must be for; None: all documents."""

    def restricted(self, audience: frozenset[str]) -> View:
        """The same generation for those groups of this view's that are named."""
        shared = audience if self.audience is None else audience & self.audience
        return View(self._connection, self._about, self._generation, shared)

    def snapshot(self) -> Snapshot:
        about = self._about
        if self.audience is None:
            documents, passages = int(about["documents"]), int(about.get("passages", about["chunks"]))
        else:
            scope = self._scope()
            documents, passages = scope.documents, scope.passages
        return Snapshot(int(about["generation"]), about["embedder"], about["chunker"], documents, passages)

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
        generation, scope = self._generation(), self._scope(where)
        bm25 = generation.lexical.bm25(question, scope.allowed)
        matching = np.flatnonzero(bm25)
        cosine = cosines(scope.sample, vector)
        scale = Moments(moments(cosine), moments(bm25[matching], scope.passages))
        if scope.rows is not None:
            rows, dense = scope.rows, cosine
        else:
            rows, dense = self._candidates(vector, limit, scope, scale, bm25, matching)
        lexical = bm25[rows].astype(np.float64)
        score = fuse(scale, dense, lexical)
        leading = np.sort(generation.chunks[rows[np.lexsort((rows, -score))[:FEEDBACK]]])
        nearest = [vectors for _, vectors in vector_batches(self._connection, leading)]
        towards = moved(vector, np.concatenate(nearest) if nearest else vector[:0])
        near = cosines(scope.sample, towards)
        scale = Moments(moments(near), scale.lexical)
        score = fuse(scale, near if scope.rows is not None else generation.dense.scores(towards, rows), lexical)
        order = np.lexsort((rows, -score))
        return Ranking(rows[order], score[order], dense[order], lexical[order], towards, scale)

    def _candidates(
        self, vector: Vectors, limit: int, scope: Scope, scale: Moments, bm25: NDArray[np.float32], matching: Rows
    ) -> tuple[Rows, NDArray[np.float64]]:
        """Rows among which the `limit` best are, and their cosines."""
        index = self._generation().dense
        depth = max(limit, _DEPTH)
        while True:
            near, found = index.nearest(vector, depth, scope.allowed)
            best = matching
            if len(matching) > depth:
                best = matching[np.argpartition(-bm25[matching], depth - 1)[:depth]]
            others = np.setdiff1d(best, near)
            rows = np.concatenate([near, others])
            dense = np.concatenate([found, index.scores(vector, others)])
            score = fuse(scale, dense, bm25[rows].astype(np.float64))
            ceiling = fuse(scale, found.min(initial=1.0), bm25[best].min() if len(matching) > depth else 0.0)
            enough = len(rows) >= limit and np.sort(score)[-limit] >= ceiling
            if enough or len(near) < depth or len(near) >= scope.passages:
                return rows, dense
            depth *= 4

    def weights(self, question: str) -> dict[int, float]:
        """What each stem of the question is worth that a passage holds."""
        return self._generation().lexical.weights(question, self._scope().allowed)

    def _scope(self, where: Where | None = None) -> Scope:
        return self._generation().scope(self._connection, self.audience, where)

    def searched(self, where: Where) -> tuple[int, int]:
        """Documents that a search with this filter sees, and those that it misses only as they have no date."""
        return self._generation().listing.searched(self._visible(), where)

    def hides(self, document_id: str, path: str) -> bool:
        """Whether the index has this document, or anything at this path, and only for others than the audience."""
        listing, visible = self._generation().listing, self._visible()
        at = listing.at.get(path)
        if at is not None and not visible[at]:
            return True
        return listing.place(document_id, visible) is None and listing.place(document_id, ~visible) is not None

    def document(self, document_id: str) -> Document:
        """Under the first of its paths, with the labels of that."""
        listing = self._generation().listing
        place = listing.place(document_id, self._visible())
        row = None if place is None else self._row(int(listing.keys[place]))
        if place is None or row is None or row[3] != document_id:
            raise UsageError(f"no document {document_id!r} in the index")
        document, labels = document_from(listing.paths[place], row[3:]), self._labels(place)
        metadata = replace(document.metadata, tags=labels.tags, audience=labels.audience)
        return replace(document, metadata=metadata)

    def document_at(self, path: str) -> Document | None:
        """What lies at a path; None where nothing of it is indexed."""
        listing = self._generation().listing
        place = listing.at.get(path)
        if place is None or not listing.keys[place] or not self._visible()[place]:
            return None
        return self.document(self._row(int(listing.keys[place]))[3])

    def documents(self) -> list[DocumentSummary]:
        """By path; a document that stands under several paths has a line for each."""
        return self.since(0)

    def since(self, generation: int) -> list[DocumentSummary]:
        """Those that came, changed or got other labels after a generation."""
        listing = self._generation().listing
        keys, counts = np.unique(self._generation().lexical.documents, return_counts=True)
        chunks = dict(zip(keys.tolist(), counts.tolist(), strict=True))
        late = np.flatnonzero(self._visible() & (listing.keys > 0) & (listing.since > generation))
        return [self._summary(place, chunks) for place in late.tolist()]

    def _summary(self, place: int, chunks: Mapping[int, int]) -> DocumentSummary:
        """Pages and sections, which take longest to read, aren't."""
        listing, labels = self._generation().listing, self._labels(place)
        key, _, _, identifier, title, day, *_ = self._row(int(listing.keys[place]))
        return DocumentSummary(
            id=identifier,
            path=listing.paths[place],
            title=title,
            date=day and date.fromisoformat(day),
            chunks=chunks.get(key, 0),
            problem=listing.problems.get(place),
            tags=labels.tags,
            kind=kind_of(listing.paths[place]),
            audience=labels.audience,
            since=int(listing.since[place]),
        )

    def _row(self, key: int) -> Sequence[Any]:
        """Key, path, recipe and `DOCUMENT_COLUMNS` of a document."""
        row = self._connection.execute(
            f"SELECT document_key, path, recipe, {DOCUMENT_COLUMNS}, checksum FROM documents WHERE document_key = ?",
            (key,),
        ).fetchone()
        if row is None:
            raise DamagedRow(f"row {key} of documents is missing")
        return verified("documents", row)

    def _visible(self) -> Mask:
        return self._scope().visible

    def _labels(self, place: int) -> Labels:
        """Of a file, without the names of groups that the audience doesn't share."""
        listing = self._generation().listing
        labels = listing.labels[int(listing.kinds[place])]
        if self.audience is None:
            return labels
        return Labels(labels.tags, tuple(name for name in labels.audience if name in self.audience))

    def failures(self) -> list[ReadFailure]:
        """Files of which nothing, or only an older version, is indexed, by path."""
        listing, visible = self._generation().listing, self._visible()
        return [ReadFailure(listing.paths[at], reason) for at, reason in listing.problems.items() if visible[at]]

    def document_frequencies(self, terms: Iterable[str]) -> dict[str, int]:
        """For each word or phrase, how many documents hold it in text, title or headings, stemmed."""
        return self._generation().lexical.document_counts(terms, self._scope().allowed)

    def rows_of(self, sought: str) -> list[int]:
        """Rows of the document at this path, else of the passages with these words side by side."""
        lexical, listing, visible = self._generation().lexical, self._generation().listing, self._visible()
        place = listing.at.get(sought)
        if place is None or not visible[place]:
            return [int(row) for row in lexical.rows_with(sought, self._scope().allowed)]
        same = listing.contents == listing.contents[place]
        return [int(row) for row in np.flatnonzero(np.isin(lexical.documents, listing.documents(visible & same)))]

    def chunk_at(self, row: int) -> Chunk:
        """The chunk of a row of a `Ranking`."""
        allowed = self._scope().allowed
        if not 0 <= row < len(self._generation().chunks) or (allowed is not None and not allowed[row]):
            raise UsageError(f"no passage {row} in the index")
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
