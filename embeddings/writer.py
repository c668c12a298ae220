"""The one process that changes an index: stages documents, then publishes a generation."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from corpus.errors import UsageError
from corpus.types import Chunk, Document
from embeddings import derived, generation
from embeddings.catalogue import FileRecord, close_writer, open_writer, transaction, writable_errors, writer_lock
from embeddings.migrations import GROUPS
from embeddings.rows import (
    CHUNK_COLUMNS,
    DOCUMENT_COLUMNS,
    FILE_COLUMNS,
    DamagedRow,
    checksum,
    chunk_from,
    chunk_row,
    document_from,
    document_row,
    meta,
    passage_text,
    published_files,
    seal,
    vector_digest,
    verified,
)
from embeddings.search import Index
from embeddings.types import Embedder, Hit, Snapshot, Vectors, Where

KEPT_GENERATIONS = 2
_FIRST = """
    SELECT document_key FROM (
        SELECT document_key, min(path) FROM files WHERE document_key IS NOT NULL GROUP BY sha256
    )
"""
"""Of files with the same bytes the first by path: readers see its document alone."""
_SHOWN = {
    "documents": f"SELECT count(*) FROM ({_FIRST})",
    "passages": f"SELECT count(*) FROM chunks WHERE document_key IN ({_FIRST})",
}
_DOCUMENT = f"document_key, path, recipe, {DOCUMENT_COLUMNS}"
_CHUNK = f"chunk_id, document_key, {CHUNK_COLUMNS}, vector_key"
"""Columns that a row's checksum covers, in its order."""
_STRANGE = """
    SELECT files.path FROM files LEFT JOIN documents USING (document_key)
    WHERE document_key IS NOT NULL AND substr(sha256, 1, length(id)) IS NOT id
"""
CANARY = "The ferry leaves at nine on weekdays, and at ten on Sundays."
"""Encoded as a question when vectors are made and again when they are searched: both must agree."""


class IndexWriter:
    """A context manager that holds the folder's lock; changes are visible after `publish`, all at once.

    What is staged and not published survives, also a killed process, and is used by the next writer.
    """

    def __init__(self, folder: Path, embedder: Embedder, chunker: str, *, rebuild: bool = False) -> None:
        """`chunker`: fingerprint of what made the chunks; `rebuild`: make every document again."""
        self.folder = folder
        self._embedder = embedder
        self._chunker = chunker
        self._rebuild = rebuild

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            stack.enter_context(writer_lock(self.folder))
            with writable_errors(self.folder):
                self._connection = open_writer(self.folder)
            stack.callback(close_writer, self._connection)
            self.remove_leftovers()
            rebuilds = int(self.meta().get("rebuilds", 0)) + self._rebuild
            self._rebuilds = str(rebuilds)
            self._recipe = f"{self._chunker}|{self._embedder.fingerprint}|{rebuilds}"
            self._index = stack.enter_context(contextlib.closing(Index(self.folder)))
            self._exits = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._exits.close()

    def meta(self) -> dict[str, str]:
        """`embedder`, `embedder_name`, `chunker`, `dimension`, `generation`, and what `publish` was given."""
        with writable_errors(self.folder):
            return meta(self._connection)

    def files(self) -> dict[str, FileRecord]:
        """What is published, by path."""
        with writable_errors(self.folder):
            rows = published_files(self._connection, meta(self._connection))
            return {row[0]: FileRecord.from_row(row) for row in rows}

    def staged_key(self, document_id: str, path: str) -> int | None:
        """Key of a document made from these bytes under this path with the same chunker and embedder."""
        with writable_errors(self.folder):
            row = self._connection.execute(
                "SELECT document_key FROM documents WHERE id = ? AND path = ? AND recipe = ?",
                (document_id, path, self._recipe),
            ).fetchone()
        return row[0] if row else None

    def document(self, document_key: int) -> tuple[Document, list[Chunk]]:
        """A document by key, under the path it was read from."""
        with writable_errors(self.folder):
            row = self._connection.execute(
                f"SELECT {_DOCUMENT}, checksum FROM documents WHERE document_key = ?",
                (document_key,),
            ).fetchone()
            _, path, _, *columns = verified("documents", row)
            document = document_from(path, columns)
            rows = self._connection.execute(
                f"SELECT {_CHUNK}, ?, ?, checksum FROM chunks WHERE document_key = ? ORDER BY chunk_id",
                (document.id, document.title, document_key),
            )
            return document, [chunk_from(document.id, verified("chunks", row)[2:-3]) for row in rows]

    def without_vector(self, texts: Iterable[str]) -> list[str]:
        """The distinct texts whose vectors are not in the catalogue, in order."""
        find = "SELECT 1 FROM vectors WHERE digest = ?"
        with writable_errors(self.folder):
            return [
                text
                for text in dict.fromkeys(texts)
                if not self._connection.execute(find, (self._digest(text),)).fetchone()
            ]

    def keep_vectors(self, texts: Sequence[str], rows: Vectors) -> None:
        """Stages the vectors of `passage_text`s; `rows` has shape (len(texts), dimension), unit length."""
        if rows.shape != (len(texts), self._embedder.dimension):
            raise UsageError(f"vectors of shape {rows.shape!r} for {len(texts)} texts: one row each is needed")
        with writable_errors(self.folder), transaction(self._connection):
            made = zip(
                itertools.count(self._next("vectors")),
                map(self._digest, texts),
                (np.asarray(row, "<f4").tobytes() for row in rows),
                strict=False,
            )
            self._connection.executemany(
                "INSERT OR IGNORE INTO vectors VALUES (?, ?, ?, ?)", ((*row, checksum(*row)) for row in made)
            )

    def stage(self, documents: Iterable[tuple[Document, Sequence[Chunk]]]) -> list[int]:
        """Stages documents in one transaction, after the vectors of their chunks; returns their keys."""
        keys = []
        with writable_errors(self.folder), transaction(self._connection):
            next_key, next_chunk = itertools.count(self._next("documents")), itertools.count(self._next("chunks"))
            for document, chunks in documents:
                key = next(next_key)
                self._insert("documents", _DOCUMENT, (key, document.path, self._recipe, *document_row(document)))
                for chunk in chunks:
                    vector = self._connection.execute(
                        "SELECT vector_key FROM vectors WHERE digest = ?",
                        (self._digest(passage_text(document.title, chunk)),),
                    ).fetchone()
                    if vector is None:
                        raise DamagedRow("a vector that was kept is missing")
                    row = (next(next_chunk), key, *chunk_row(chunk), *vector)
                    self._insert("chunks", _CHUNK, row, document.id, document.title)
                keys.append(key)
        return keys

    def _next(self, table: str) -> int:
        """The next key of a table, never one that was used before."""
        row = self._connection.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,)).fetchone()
        return row[0] + 1 if row else 1

    def _insert(self, table: str, columns: str, row: tuple[str | int | None, ...], *parent: str) -> None:
        """`parent`: what of the row's parent its checksum covers too."""
        values = (*row, checksum(*row, *parent))
        places = ", ".join("?" * len(values))
        self._connection.execute(f"INSERT INTO {table} ({columns}, checksum) VALUES ({places})", values)

    def publish(
        self, files: Iterable[FileRecord], extra: Mapping[str, str] | None = None, *, afresh: bool = False
    ) -> int:
        """Makes exactly `files` and their documents visible, in one transaction; returns the generation.

        Args:
            files: every file of the index, with the key of its staged document.
            extra: kept in `meta`, beside what made the vectors.
            afresh: make the derived files from the catalogue alone, not from the last ones.
        """
        connection = self._connection
        with writable_errors(self.folder):
            with transaction(connection):
                about = meta(connection)
                before = {row[0]: FileRecord.from_row(row) for row in published_files(connection, about)}
                generation.check_visible(connection, about)
                number = int(about.get("generation", 0)) + 1
                connection.execute("DELETE FROM files")
                connection.executemany(
                    f"INSERT INTO files ({FILE_COLUMNS}) VALUES ({', '.join('?' * (FILE_COLUMNS.count(',') + 1))})",
                    [_dated(file, before.get(file.path), number).row() for file in files],
                )
                connection.execute("REINDEX files")  # what was deleted stays in an index that was damaged
                if strange := connection.execute(_STRANGE).fetchone():
                    raise DamagedRow(f"the document of {strange[0]!r} isn't the one that was made of it")
                unseen = "document_key NOT IN (SELECT document_key FROM files WHERE document_key IS NOT NULL)"
                connection.execute(f"DELETE FROM documents WHERE {unseen}")
                connection.execute("DELETE FROM vectors WHERE vector_key NOT IN (SELECT vector_key FROM chunks)")
                count = generation.publish(self.folder, connection, number, self._embedder.dimension, afresh=afresh)
                connection.execute("DELETE FROM derived WHERE generation <= ?", (number - KEPT_GENERATIONS,))
                made_by = {"embedder": self._embedder.fingerprint, "canary_text": CANARY}
                if made_by.items() - about.items():
                    row = np.asarray(self._embedder.embed_query(CANARY), "<f4")
                    made_by["canary"] = base64.b64encode(row.tobytes()).decode()
                made_now = {
                    "generation": str(number),
                    "embedder_name": self._embedder.name,
                    "dimension": str(self._embedder.dimension),
                    "chunker": self._chunker,
                    "rebuilds": self._rebuilds,
                    "chunks": str(count),
                    "groups": connection.execute(GROUPS).fetchone()[0],
                    **{name: str(connection.execute(count).fetchone()[0]) for name, count in _SHOWN.items()},
                }
                seal(connection, made_by | made_now | dict(extra or {}))
            self.remove_leftovers()
        return number

    def remove_leftovers(self) -> None:
        """Removes derived files that no kept generation names."""
        with writable_errors(self.folder):
            derived.remove_old(self.folder, {row[0] for row in self._connection.execute("SELECT file FROM derived")})

    def is_whole(self) -> bool:
        """Whether the published generation has all its derived files, as far as their names and sizes tell."""
        with writable_errors(self.folder):
            parts = derived.recorded(self._connection, int(self.meta().get("generation", 0)))
            return len(parts) == len(generation.PARTS) and all(
                (self.folder / part.file).is_file() and (self.folder / part.file).stat().st_size == part.bytes
                for part in parts.values()
            )

    def touch(self, files: Iterable[FileRecord]) -> None:
        """Records new times and sizes of files whose content is as published; no new generation."""
        with writable_errors(self.folder), transaction(self._connection):
            self._connection.executemany(
                "UPDATE files SET size = ?, mtime_ns = ?, sha256 = ? WHERE path = ?",
                [(f.size, f.mtime_ns, f.sha256, f.path) for f in files],
            )
            seal(self._connection)

    def add(self, documents: Iterable[tuple[Document, Sequence[Chunk], Vectors]]) -> None:
        """Adds documents with the vectors of their `passage_text`s, or replaces those of the same path."""
        files = self.files()
        for document, chunks, rows in documents:
            key = self.staged_key(document.id, document.path)
            if key is None:
                self.keep_vectors([passage_text(document.title, chunk) for chunk in chunks], rows)
                (key,) = self.stage([(document, chunks)])
            files[document.path] = FileRecord.of(document, key)
        self.publish(files.values())

    def delete(self, document_ids: Iterable[str]) -> None:
        """Removes documents under all their paths; unknown ids are ignored."""
        find = "SELECT document_key FROM documents WHERE id IN (SELECT value FROM json_each(?))"
        with writable_errors(self.folder):
            gone = {row[0] for row in self._connection.execute(find, (json.dumps(list(document_ids)),))}
        self.publish(record for record in self.files().values() if record.document_key not in gone)

    def search(self, question: str, vector: Vectors, limit: int, where: Where | None = None) -> list[Hit]:
        return self._index.search(question, vector, limit, where)

    def snapshot(self) -> Snapshot:
        return self._index.snapshot()

    def _digest(self, text: str) -> bytes:
        return vector_digest(self._embedder.fingerprint, text)


def _dated(file: FileRecord, before: FileRecord | None, generation: int) -> FileRecord:
    """The record with `since`: the generation being published, unless the path has what it had."""
    same = before is not None and (file.document_key, file.labels) == (before.document_key, before.labels)
    return dataclasses.replace(file, since=before.since if before and same else generation)
