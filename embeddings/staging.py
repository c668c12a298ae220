"""Documents on their way into the catalogue: encoded in one thread while another reads and writes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from corpus.types import Chunk, Document
from embeddings.rows import passage_text
from embeddings.types import Embedder, Vectors
from embeddings.writer import IndexWriter

BATCH = 256
"""Chunks encoded in one call and committed together: what a killed run encodes again."""
WINDOW = 8 * BATCH
"""Chunks sorted by length into batches. At most two windows are held: one being encoded, one being filled."""


@dataclass(frozen=True, slots=True)
class _Batch:
    """Texts with the encoder."""

    texts: Sequence[str]
    rows: Future[Vectors]
    completed: dict[Hashable, tuple[Document, Sequence[Chunk]]]
    """Documents, by key, all of whose vectors are there once these are."""


class Staging:
    """A context manager; on leaving it early, what is with the encoder is dropped, save the batch it works on.

    The encoder's thread always has a window to work on, so that it waits for nobody while documents come fast
    enough; the caller's thread reads the next window and writes what is encoded.
    """

    def __init__(self, writer: IndexWriter, embedder: Embedder, progress: Callable[[], None]) -> None:
        """`progress` is called after each batch."""
        self._writer = writer
        self._embedder = embedder
        self._progress = progress
        self._window: dict[Hashable, tuple[Document, Sequence[Chunk]]] = {}
        self._waiting = 0
        """Chunks in the window."""
        self._batches: deque[_Batch] = deque()
        self.keys: dict[Hashable, int] = {}
        """Of staged documents in the catalogue, by the key each was added under."""
        self.embedded = 0
        """Chunks."""
        self._added = 0
        """Documents."""
        self._chunks = 0
        """Of the documents that were added."""

    def __enter__(self) -> Self:
        self._encoder = ThreadPoolExecutor(1, "encoder")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._encoder.shutdown(cancel_futures=True)

    def add(self, key: Hashable, document: Document, chunks: Sequence[Chunk]) -> None:
        """Stages a document sooner or later; under a key that it has already, never again."""
        if key in self.keys or key in self._window or any(key in batch.completed for batch in self._batches):
            return
        self._window[key] = document, chunks
        self._waiting += len(chunks)
        self._added += 1
        self._chunks += len(chunks)
        while self._batches and self._batches[0].rows.done():
            self._store()
        if self._waiting >= WINDOW or (self._waiting >= BATCH and not self._batches):
            self._hand_over()

    @property
    def behind(self) -> int:
        """Documents that were added and aren't encoded yet, as many as their share of the chunks."""
        waiting = self._waiting + sum(len(batch.texts) for batch in self._batches)
        return round(waiting * self._added / self._chunks) if self._chunks else 0

    def finish(self) -> None:
        """Returns when all that was added is staged."""
        self._hand_over()
        while self._batches:
            self._store()

    def _hand_over(self) -> None:
        """Gives the window to the encoder, then stores all that was encoded before it."""
        texts = [passage_text(document.title, chunk) for document, chunks in self._window.values() for chunk in chunks]
        encoding = {text for batch in self._batches for text in batch.texts}
        missing = sorted((text for text in self._writer.without_vector(texts) if text not in encoding), key=len)
        before = len(self._batches)
        for first in range(0, len(missing) or 1, BATCH):
            batch = missing[first : first + BATCH]
            self._batches.append(_Batch(batch, self._encoder.submit(self._embedder.embed_passages, batch), {}))
        self._batches[-1].completed.update(self._window)
        self._window.clear()
        self._waiting = 0
        for _ in range(before):
            self._store()

    def _store(self) -> None:
        """Commits the next batch, and the documents that it completes."""
        batch = self._batches.popleft()
        self._writer.keep_vectors(batch.texts, batch.rows.result())
        self.keys.update(zip(batch.completed, self._writer.stage(batch.completed.values()), strict=True))
        self.embedded += len(batch.texts)
        self._progress()
