"""The one process that changes an index: stages documents, then publishes a generation."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from corpus.errors import UsageError
from corpus.types import Chunk, Document
from embeddings import vectors
from embeddings.catalogue import (
    CHUNK_COLUMNS,
    DOCUMENT_COLUMNS,
    FileRecord,
    chunk_from,
    chunk_row,
    close_writer,
    document_from,
    document_row,
    meta,
    open_writer,
    transaction,
    writable_errors,
    writer_lock,
)
from embeddings.search import Index
from embeddings.types import Embedder, Hit, Snapshot, Vectors

KEPT_SNAPSHOTS = 2


def heading_text(title: str, headings: Sequence[str]) -> str:
    """Title and headings, each once, outermost first."""
    return "\n".join(dict.fromkeys(part for part in (title, *headings) if part))


def passage_text(title: str, chunk: Chunk) -> str:
    """What the encoder reads of a chunk: its title and headings say what it is about."""
    return f"{heading_text(title, chunk.headings)}\n{chunk.text}".lstrip("\n")


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
        columns = "path, document_key, size, mtime_ns, sha256, status, reason"
        with writable_errors(self.folder):
            return {row[0]: FileRecord(*row) for row in self._connection.execute(f"SELECT {columns} FROM files")}

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
            path, *row = self._connection.execute(
                f"SELECT path, {DOCUMENT_COLUMNS} FROM documents WHERE document_key = ?", (document_key,)
            ).fetchone()
            chunks = self._connection.execute(
                f"SELECT {CHUNK_COLUMNS} FROM chunks WHERE document_key = ? ORDER BY chunk_id",
                (document_key,),
            ).fetchall()
        document = document_from(path, row)
        return document, [chunk_from(document.id, chunk) for chunk in chunks]

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
        packed = [np.asarray(row, "<f4").tobytes() for row in rows]
        with writable_errors(self.folder), transaction(self._connection):
            self._connection.executemany(
                "INSERT OR IGNORE INTO vectors (digest, vector) VALUES (?, ?)",
                zip(map(self._digest, texts), packed, strict=True),
            )

    def stage(self, documents: Iterable[tuple[Document, Sequence[Chunk]]]) -> list[int]:
        """Stages documents in one transaction, after the vectors of their chunks; returns their keys."""
        columns = f"path, recipe, {DOCUMENT_COLUMNS}"
        keys = []
        with writable_errors(self.folder), transaction(self._connection):
            for document, chunks in documents:
                key = self._connection.execute(
                    f"INSERT INTO documents ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING document_key",
                    (document.path, self._recipe, *document_row(document)),
                ).fetchone()[0]
                self._connection.executemany(
                    f"INSERT INTO chunks (document_key, {CHUNK_COLUMNS}, vector_key) VALUES "
                    "(?, ?, ?, ?, ?, ?, ?, (SELECT vector_key FROM vectors WHERE digest = ?))",
                    [(key, *chunk_row(chunk), self._digest(passage_text(document.title, chunk))) for chunk in chunks],
                )
                keys.append(key)
        return keys

    def publish(self, files: Iterable[FileRecord], extra: Mapping[str, str] | None = None) -> int:
        """Makes exactly `files` and their documents visible, in one transaction; returns the generation.

        Args:
            files: every file of the index, with the key of its staged document.
            extra: kept in `meta`, beside what made the vectors.
        """
        connection = self._connection
        with writable_errors(self.folder):
            with transaction(connection):
                before = self._visible()
                connection.execute("DELETE FROM files")
                connection.executemany(
                    "INSERT INTO files VALUES (?, ?, ?, ?, ?, ?, ?)",
                    [(f.path, f.document_key, f.size, f.mtime_ns, f.sha256, f.status, f.reason) for f in files],
                )
                after = self._visible()
                self._lexical("INSERT INTO lexical (rowid, heading, body) VALUES (?, ?, ?)", after - before)
                self._lexical(
                    "INSERT INTO lexical (lexical, rowid, heading, body) VALUES ('delete', ?, ?, ?)",
                    before - after,
                )
                unseen = "document_key NOT IN (SELECT document_key FROM files WHERE document_key IS NOT NULL)"
                if connection.execute(f"DELETE FROM documents WHERE {unseen}").rowcount:
                    connection.execute("DELETE FROM vectors WHERE vector_key NOT IN (SELECT vector_key FROM chunks)")
                generation = int(meta(connection).get("generation", 0)) + 1
                dense = vectors.from_catalogue(connection, self._embedder.dimension)
                connection.execute(
                    "INSERT INTO snaps VALUES (?, ?, ?, ?, ?)",
                    (generation, *vectors.write(self.folder, generation, dense)),
                )
                connection.execute("DELETE FROM snaps WHERE generation <= ?", (generation - KEPT_SNAPSHOTS,))
                connection.executemany(
                    "INSERT OR REPLACE INTO meta VALUES (?, ?)",
                    {
                        "generation": str(generation),
                        "embedder": self._embedder.fingerprint,
                        "embedder_name": self._embedder.name,
                        "dimension": str(self._embedder.dimension),
                        "chunker": self._chunker,
                        "rebuilds": self._rebuilds,
                        **(extra or {}),
                    }.items(),
                )
            self.remove_leftovers()
        return generation

    def remove_leftovers(self) -> None:
        """Removes FAISS files that no kept generation names."""
        with writable_errors(self.folder):
            vectors.remove_old(self.folder, {row[0] for row in self._connection.execute("SELECT file FROM snaps")})

    def touch(self, files: Iterable[FileRecord]) -> None:
        """Records new times and sizes of files whose content is as published; no new generation."""
        with writable_errors(self.folder), transaction(self._connection):
            self._connection.executemany(
                "UPDATE files SET size = ?, mtime_ns = ?, sha256 = ? WHERE path = ?",
                [(f.size, f.mtime_ns, f.sha256, f.path) for f in files],
            )

    def add(self, documents: Iterable[tuple[Document, Sequence[Chunk], Vectors]]) -> None:
        """Adds documents with the vectors of their `passage_text`s, or replaces those of the same path."""
        files = self.files()
        for document, chunks, rows in documents:
            key = self.staged_key(document.id, document.path)
            if key is None:
                self.keep_vectors([passage_text(document.title, chunk) for chunk in chunks], rows)
                (key,) = self.stage([(document, chunks)])
            files[document.path] = FileRecord(document.path, key, len(document.text), -1, document.id, "ok")
        self.publish(files.values())

    def delete(self, document_ids: Iterable[str]) -> None:
        """Removes documents under all their paths; unknown ids are ignored."""
        find = "SELECT document_key FROM documents WHERE id IN (SELECT value FROM json_each(?))"
        with writable_errors(self.folder):
            gone = {row[0] for row in self._connection.execute(find, (json.dumps(list(document_ids)),))}
        self.publish(record for record in self.files().values() if record.document_key not in gone)

    def search(self, question: str, vector: Vectors, limit: int) -> list[Hit]:
        return self._index.search(question, vector, limit)

    def snapshot(self) -> Snapshot:
        return self._index.snapshot()

    def _visible(self) -> set[int]:
        rows = self._connection.execute("SELECT DISTINCT document_key FROM files WHERE document_key IS NOT NULL")
        return {row[0] for row in rows}

    def _lexical(self, statement: str, document_keys: set[int]) -> None:
        """FTS5 keeps no text of its own: a row is deleted by giving it again."""
        rows = self._connection.execute(
            "SELECT chunk_id, title, headings, chunks.text FROM chunks JOIN documents USING (document_key) "
            "WHERE document_key IN (SELECT value FROM json_each(?))",
            (json.dumps(list(document_keys)),),
        )
        self._connection.executemany(
            statement,
            ((chunk_id, heading_text(title, json.loads(headings)), text) for chunk_id, title, headings, text in rows),
        )

    def _digest(self, text: str) -> bytes:
        return hashlib.sha256(f"{self._embedder.fingerprint}\n{text}".encode(errors="surrogatepass")).digest()
