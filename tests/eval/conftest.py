"""An index of one invented document, without a model."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from assistant.api import Assistant
from assistant.types import TextGenerator
from embeddings.hashing import HashingEmbedder

SENTENCE = "Hire of the hall at Skell costs £30 an hour."


@pytest.fixture(scope="session")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("hall")
    (root / "documents").mkdir()
    (root / "documents" / "hall.txt").write_text(f"About the hall\n\n{SENTENCE} Bring a coat.\n", encoding="utf-8")
    Assistant.build(root / "documents", index=root / "index", embedder="hashing")
    return root / "index"


@pytest.fixture
def open_hall(hall: Path, tmp_path: Path) -> Callable[..., Assistant]:
    def opened(generator: str | TextGenerator = "extractive") -> Assistant:
        history = tmp_path / "history.sqlite3"
        return Assistant.open(hall, generator=generator, embedder=HashingEmbedder(), reranker=None, history=history)

    return opened


@pytest.fixture
def desk(open_hall: Callable[..., Assistant]) -> Iterator[Assistant]:
    with open_hall() as opened:
        yield opened


@pytest.fixture(scope="session")
def question() -> Callable[..., dict[str, Any]]:
    """Makes a line of a data set about the hall."""

    def made(identifier: str, text: str = "How much does hire of the hall cost?", **others: Any) -> dict[str, Any]:
        evidence = [{"document": "hall.txt", "quote": SENTENCE}]
        return {
            "id": identifier,
            "question": text,
            "answerable": True,
            "answers": [["£30"]],
            "evidence": evidence,
        } | others

    return made


@pytest.fixture
def dataset(tmp_path: Path, question: Callable[..., dict[str, Any]]) -> Callable[..., Path]:
    """Writes questions about the hall, each given by id or whole, into a file."""

    def written(*rows: str | dict[str, Any]) -> Path:
        path = tmp_path / "questions.jsonl"
        lines = [json.dumps(question(row) if isinstance(row, str) else row) for row in rows]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    return written
