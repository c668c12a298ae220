"""Staging: what the encoder is given, that nothing is lost on the way, and what is kept when it fails."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from corpus.types import Chunk, Document
from embeddings.hashing import HashingEmbedder
from embeddings.rows import passage_text
from embeddings.staging import BATCH, WINDOW, Staging
from embeddings.types import Embedder, Vectors
from embeddings.writer import IndexWriter

Made = tuple[Document, list[Chunk]]


class Recording(HashingEmbedder):
    """Keeps each batch; fails, as an interrupted one does, at the batch of this number."""

    def __init__(self, fails_at: int | None = None, error: BaseException | None = None) -> None:
        super().__init__(16)
        self.batches: list[list[str]] = []
        self._fails_at, self._error = fails_at, error

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        if self._error and len(self.batches) == self._fails_at:
            raise self._error
        self.batches.append(list(texts))
        return super().embed_passages(texts)


@pytest.fixture
def papers(document_of: Callable[..., Made]) -> list[Made]:
    """Two windows and some more, the last paper saying what the first does."""
    each = BATCH // 2
    texts = [[f"Word {'and word ' * (place % 7)}{number} {place}." for place in range(each)] for number in range(40)]
    return [document_of(f"{n}.txt", "", *said, identifier=str(n)) for n, said in enumerate([*texts, texts[0]])]


def stage(folder: Path, embedder: Embedder, papers: Sequence[Made]) -> Staging:
    with IndexWriter(folder, embedder, "by hand") as writer, Staging(writer, embedder, lambda: None) as staging:
        for document, chunks in papers:
            if writer.staged_key(document.id, document.path) is None:
                staging.add(document.id, document, chunks)
                staging.add(document.id, document, chunks)
        staging.finish()
    return staging


def test_every_text_is_encoded_once_in_batches_of_like_length(tmp_path: Path, papers: list[Made]) -> None:
    embedder = Recording()
    staging = stage(tmp_path, embedder, papers)
    texts = {passage_text(document.title, chunk) for document, chunks in papers for chunk in chunks}
    encoded = [text for batch in embedder.batches for text in batch]
    assert staging.embedded == len(encoded) == len(texts)
    assert set(encoded) == texts
    assert max(map(len, embedder.batches)) == BATCH
    assert all(batch == sorted(batch, key=len) for batch in embedder.batches)
    assert len(papers) * BATCH // 2 > 2 * WINDOW
    assert list(staging.keys) == [document.id for document, _ in papers]
    with IndexWriter(tmp_path, embedder, "by hand") as writer:
        assert [writer.document(key) for key in staging.keys.values()] == papers
        assert writer.without_vector(texts) == []


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ValueError("the encoder failed")])
def test_a_failure_loses_the_batch_it_happened_in(tmp_path: Path, papers: list[Made], error: BaseException) -> None:
    failing = Recording(fails_at=5, error=error)
    with pytest.raises(type(error)):
        stage(tmp_path, failing, papers)
    again = Recording()
    stage(tmp_path, again, papers)
    encoded = [text for batch in (*failing.batches, *again.batches) for text in batch]
    assert len(encoded) == len(set(encoded)) == 40 * BATCH // 2
