"""What several tests of retrieval need: made documents, tiny models, an embedder that counts."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from children import Children
from made_index import texts_of, write

from corpus.types import Chunk, Document
from embeddings.hashing import HashingEmbedder
from embeddings.types import Embedder, Vectors

os.environ["HF_HUB_OFFLINE"] = "1"

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "query", "passage", ":", "bridge", "river", "library", "fees"]


class CountingEmbedder:
    """Passes everything on and keeps the passages it was given."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self.name, self.fingerprint = embedder.name, embedder.fingerprint
        self.dimension, self.max_tokens = embedder.dimension, embedder.max_tokens
        self.passages: list[str] = []

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        self.passages.extend(texts)
        return self._embedder.embed_passages(texts)

    def embed_query(self, text: str) -> Vectors:
        return self._embedder.embed_query(text)


@pytest.fixture
def counting() -> CountingEmbedder:
    return CountingEmbedder(HashingEmbedder(64))


@pytest.fixture(scope="session")
def children(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Children]:
    with Children(tmp_path_factory.mktemp("children")) as running:
        yield running


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Version 1 of the made index; to be copied, never changed."""
    folder = tmp_path_factory.mktemp("base")
    write(folder, texts_of(1))
    return folder


@pytest.fixture
def document_of() -> Callable[..., tuple[Document, list[Chunk]]]:
    """Makes a document of a path, a title and chunk texts."""

    def made(path: str, title: str, *texts: str, identifier: str = "") -> tuple[Document, list[Chunk]]:
        document = Document(identifier or f"id-of-{path}", path, title, None, None, "\n\n".join(texts))
        starts = [sum(len(text) + 2 for text in texts[:place]) for place in range(len(texts))]
        spans = zip(starts, texts, strict=True)
        return document, [Chunk(document.id, at, at + len(text), text) for at, text in spans]

    return made


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A two-layer BERT with random weights, mean pooling, and prompts of its own, as sentence-transformers saves it."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.models import Pooling, Transformer

    folder = tmp_path_factory.mktemp("model")
    torch.manual_seed(1)
    save_bert(folder / "bert", classes=None)
    bert = Transformer(str(folder / "bert"), max_seq_length=32)
    model = SentenceTransformer(
        modules=[bert, Pooling(16)], prompts={"query": "query: ", "document": "passage: "}, device="cpu"
    )
    model.save(str(folder / "tiny"))
    return folder / "tiny"


@pytest.fixture(scope="session")
def cross_encoder_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A two-layer BERT with random weights and one output."""
    import torch

    torch.manual_seed(2)
    folder = tmp_path_factory.mktemp("reranker") / "tiny"
    save_bert(folder, classes=1)
    return folder


def save_bert(folder: Path, classes: int | None) -> None:
    from transformers import BertConfig, BertForSequenceClassification, BertModel, BertTokenizerFast

    config = BertConfig(
        vocab_size=len(WORDS),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=64,
        initializer_range=0.5,
        num_labels=classes or 2,
    )
    model = BertModel(config) if classes is None else BertForSequenceClassification(config)
    model.save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(WORDS), encoding="utf-8")
    BertTokenizerFast(vocab={word: number for number, word in enumerate(WORDS)}).save_pretrained(folder)
