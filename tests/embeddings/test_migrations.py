"""An index made by every earlier version opens after migration and answers, or says what to do; nothing is embedded."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from corpus.errors import IndexUnavailable
from embeddings.build import build_index
from embeddings.catalogue import FILE, LOCK
from embeddings.hashing import HashingEmbedder
from embeddings.migrations import SCHEMA
from embeddings.search import Index

EMBEDDER = HashingEmbedder(32)
FIXTURES = Path(__file__).parent / "fixtures"
TEXT = """# Ferry timetable

The ferry crosses the river five times a day from April to October.
In winter the ferry crosses twice a day.

# Fares

A single crossing costs £3.20 for an adult and £1.60 for a child.
"""


@pytest.fixture(params=range(1, SCHEMA))
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    folder = tmp_path / "index"
    folder.mkdir()
    shutil.copy(FIXTURES / f"catalogue-schema-{request.param}.sqlite3", folder / FILE)
    (folder / LOCK).touch()
    return folder


def test_a_reader_says_how_to_migrate(old: Path) -> None:
    with pytest.raises(IndexUnavailable, match=f"older version .* `assistant index documents --index {old}`"):
        Index.open(old)


def test_the_next_run_migrates_and_embeds_only_what_changed(old: Path, tmp_path: Path) -> None:
    source = tmp_path / "documents"
    source.mkdir()
    (source / "ferries.txt").write_text(TEXT, encoding="utf-8")
    report = build_index([source], old, EMBEDDER, replace=True)
    assert (report.embedded, report.unchanged, report.removed) == (0, 1, 1)
    with Index.open(old, EMBEDDER.fingerprint) as index:
        hits = index.search("fares for a child", EMBEDDER.embed_query("fares for a child"), 3)
        assert "£1.60" in hits[0].chunk.text
        assert index.document(hits[0].chunk.document_id).title == "# Ferry timetable"
    with sqlite3.connect(old / FILE) as catalogue:
        assert catalogue.execute("PRAGMA user_version").fetchone() == (SCHEMA,)
        assert catalogue.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert catalogue.execute("SELECT count(*) FROM vectors WHERE checksum = x''").fetchone() == (0,)
    catalogue.close()
    assert sorted(path.name[:9] for path in old.iterdir()) == ["catalogue", "lexical-0", "vectors-0", "writer.lo"]
