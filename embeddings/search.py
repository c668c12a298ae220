"""An index as its readers see it: one generation for each call, also while a writer publishes the next."""

from __future__ import annotations

import base64
import contextlib
import functools
import json
import queue
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Self

import numpy as np

from corpus.errors import IndexUnavailable
from corpus.types import Document, ReadFailure
from embeddings.catalogue import (
    FILE,
    check_schema,
    open_reader,
    readable_errors,
    rebuild_command,
    transaction,
    unfinished,
    writable_errors,
)
from embeddings.generation import Generation, load
from embeddings.rows import meta
from embeddings.types import Embedder, Hit, Snapshot, Vectors, Where
from embeddings.view import DocumentSummary, View

LEAST_AGREEMENT = 0.999
"""Cosine of a question encoded when the index was made and now."""
_KEPT = 2
"""Generations held open: readers that began before a publication finish on the older one."""
_IDLE = 16
"""Connections kept for the next readers, each with two or three open files."""


class Index:
    """A published index, for any number of threads; each call or `view` sees one generation, the newest."""

    def __init__(self, folder: Path, embedder: str | None = None) -> None:
        self.folder = folder
        self._embedder = embedder
        self._idle: queue.LifoQueue[tuple[sqlite3.Connection, tuple[int, int]]] = queue.LifoQueue(_IDLE)
        """Connections, and which file each has open."""
        self._loading = threading.Lock()
        self._loaded: dict[frozenset[tuple[str, str]], Generation] = {}

    @classmethod
    def open(cls, folder: str | Path, embedder: str | None = None) -> Self:
        """Raises `IndexUnavailable` where there is no index, or one of another version or embedder.

        Args:
            embedder: the fingerprint of the embedder that questions will be encoded with; None: not checked.
        """
        index = cls(Path(folder), embedder)
        index.about()
        return index

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._loaded.clear()
        with contextlib.suppress(queue.Empty):
            while True:
                self._idle.get_nowait()[0].close()

    def about(self) -> dict[str, str]:
        """`embedder_name` finds the embedder again; `embedder`, `chunker`, `generation`, `folders` (JSON)."""
        with self._reading() as (_, about):
            return about

    @contextlib.contextmanager
    def view(self, audience: frozenset[str] | None = None) -> Iterator[View]:
        """One generation for several calls: what a search returned can be read, whatever a writer does.

        Args:
            audience: groups, for one of which at least a document must be; empty: sees nothing; None: everything.
        """
        with self._reading() as (connection, about):
            # Held once it is loaded: its files stay, however many generations are published meanwhile.
            generation = functools.cache(lambda: self._generation(connection, about))
            try:
                yield View(connection, about, generation, audience)
            finally:
                generation.cache_clear()

    def audiences(self) -> frozenset[str]:
        """All names of groups that documents or the folders' `corpus.toml` name."""
        about = self.about()
        return frozenset(json.loads(about.get("groups", "[]")) + json.loads(about.get("audiences", "[]")))

    def check(self, embedder: Embedder) -> None:
        """Raises `IndexUnavailable` where an embedder with the right fingerprint no longer gives the same vectors."""
        about = self.about()
        written = np.frombuffer(base64.b64decode(about["canary"]), "<f4")
        if float(embedder.embed_query(about["canary_text"])[0] @ written) < LEAST_AGREEMENT:
            raise IndexUnavailable(
                f"the embedder {embedder.fingerprint!r} no longer gives the vectors that the index "
                f"{str(self.folder)!r} was made with: index again with `{rebuild_command(self.folder, about)}`"
            )

    def snapshot(self) -> Snapshot:
        with self.view() as view:
            return view.snapshot()

    def search(self, question: str, vector: Vectors, limit: int, where: Where | None = None) -> list[Hit]:
        with self.view() as view:
            return view.search(question, vector, limit, where)

    def document(self, document_id: str) -> Document:
        with self.view() as view:
            return view.document(document_id)

    def document_at(self, path: str) -> Document | None:
        with self.view() as view:
            return view.document_at(path)

    def documents(self) -> list[DocumentSummary]:
        with self.view() as view:
            return view.documents()

    def failures(self) -> list[ReadFailure]:
        with self.view() as view:
            return view.failures()

    def document_frequencies(self, terms: Iterable[str]) -> dict[str, int]:
        with self.view() as view:
            return view.document_frequencies(terms)

    @contextlib.contextmanager
    def _reading(self) -> Iterator[tuple[sqlite3.Connection, dict[str, str]]]:
        """A connection inside one read transaction, and what `meta` says there."""
        with readable_errors(self.folder):
            connection, file = self._idle_connection()
            keep = connection is not None
            if connection is None:
                connection, keep = open_reader(self.folder)
            try:
                with transaction(connection, "DEFERRED"):
                    check_schema(connection, self.folder)
                    about = meta(connection)
                    if "generation" not in about:
                        raise unfinished(self.folder)
                    if self._embedder not in (None, about["embedder"]):
                        raise IndexUnavailable(
                            f"the index {str(self.folder)!r} was made with the embedder {about['embedder']!r}, not "
                            f"{self._embedder!r}: choose that embedder, or index again with "
                            f"`{rebuild_command(self.folder, about)}`"
                        )
                    yield connection, about
            except BaseException:
                keep = False
                raise
            finally:
                try:
                    if not keep:
                        raise queue.Full
                    self._idle.put_nowait((connection, file))
                except queue.Full:
                    connection.close()

    def _idle_connection(self) -> tuple[sqlite3.Connection | None, tuple[int, int]]:
        """One that has the catalogue open that lies here now: it may have been made again, or put back from a copy."""
        try:
            status = (self.folder / FILE).stat()
            now = (status.st_dev, status.st_ino)
        except OSError:
            now = (0, 0)
        with contextlib.suppress(queue.Empty):
            while True:
                connection, file = self._idle.get_nowait()
                if file == now:
                    return connection, now
                connection.close()
        return None, now

    def _generation(self, connection: sqlite3.Connection, about: Mapping[str, str]) -> Generation:
        key = frozenset(about.items())  # a catalogue restored from a backup has numbers a second time
        with self._loading, writable_errors(self.folder):
            generation = self._loaded.pop(key, None) or load(self.folder, connection, about)
            self._loaded[key] = generation
            for least_used in list(self._loaded)[:-_KEPT]:
                del self._loaded[least_used]
            return generation
