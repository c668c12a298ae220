"""The doctor finds each kind of damage and mends it; what it can't mend it keeps aside, and saves its vectors."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from corpus.errors import IndexUnavailable
from corpus.types import Chunk, Document
from embeddings import lexical
from embeddings.build import build_index
from embeddings.catalogue import FILE
from embeddings.doctor import examine, repair
from embeddings.hashing import HashingEmbedder
from embeddings.rows import checksum, passage_text
from embeddings.search import Index
from embeddings.writer import IndexWriter

from .conftest import CountingEmbedder

EMBEDDER = HashingEmbedder()
QUESTION = "how often does the ferry cross"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / "ferry.txt").write_text("The ferry crosses the river five times a day.\n", encoding="utf-8")
    (folder / "fares.md").write_text("# Fares\n\nA single crossing costs £3.20.\n", encoding="utf-8")
    return folder


@pytest.fixture
def index(source: Path, tmp_path: Path) -> Path:
    build_index([source], tmp_path / "index", EMBEDDER)
    return tmp_path / "index"


def answers(folder: Path) -> list[str]:
    with Index.open(folder, EMBEDDER.fingerprint) as opened:
        return [hit.chunk.text for hit in opened.search(QUESTION, EMBEDDER.embed_query(QUESTION), 2)]


def change(folder: Path, statement: str) -> None:
    with sqlite3.connect(folder / FILE) as catalogue:
        catalogue.execute(statement)
    catalogue.close()


def test_a_sound_index_has_no_findings(index: Path) -> None:
    assert examine(index) == []
    with pytest.raises(IndexUnavailable, match="no index at"):
        examine(index / "elsewhere")


@pytest.mark.parametrize("part", ["vectors", "lexical"])
@pytest.mark.parametrize("damage", ["flip", "missing"])
def test_derived_files_are_made_again(index: Path, part: str, damage: str) -> None:
    expected = answers(index)
    (path,) = index.glob(f"{part}-*")
    if damage == "missing":
        path.unlink()
    else:
        content = bytearray(path.read_bytes())
        content[-3] ^= 4
        path.write_bytes(content)
    (finding,) = examine(index)
    assert finding.what.startswith(path.name)
    assert finding.mends == "repair"
    assert repair(index) == ["the derived files were made again"]
    assert examine(index) == []
    assert answers(index) == expected


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE documents SET text = replace(text, 'five', 'nine'), title = title WHERE path = 'ferry.txt'",
        "UPDATE chunks SET text = replace(text, 'five', 'nine') WHERE text LIKE '%five%'",
        "UPDATE chunks SET vector_key = (SELECT max(vector_key) + min(vector_key) FROM vectors) - vector_key",
        "UPDATE vectors SET vector = zeroblob(length(vector)) WHERE vector_key = 1",
    ],
)
def test_damaged_rows_are_dropped_and_read_again(index: Path, source: Path, statement: str) -> None:
    expected = answers(index)
    change(index, statement)
    assert {finding.mends for finding in examine(index)} == {"repair"}
    _, dropped = repair(index)
    assert f"assistant index {source} --index {index}" in dropped
    assert examine(index) == []
    assert set(answers(index)) < set(expected)
    build_index([source], index, EMBEDDER)
    assert answers(index) == expected
    assert examine(index) == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE meta SET value = '7' WHERE key = 'generation'",
        "UPDATE files SET sha256 = 'ab' || sha256 WHERE path = 'ferry.txt'",
        "DELETE FROM files WHERE path = 'ferry.txt'",
    ],
)
def test_a_catalogue_that_cannot_be_trusted_is_kept_aside_and_nothing_embedded_again(
    index: Path, source: Path, statement: str
) -> None:
    expected = answers(index)
    change(index, statement)
    with pytest.raises(IndexUnavailable, match="assistant doctor --repair"):
        answers(index)
    assert [finding.mends for finding in examine(index)] == ["repair"]
    (done,) = repair(index)
    assert "begun with 2 vectors" in done
    assert (index / f"{FILE}.damaged-1").is_file()
    counting = CountingEmbedder(EMBEDDER)
    build_index([source], index, counting)
    assert counting.passages == []
    assert answers(index) == expected
    assert examine(index) == []


def test_a_catalogue_cut_short_is_salvaged(index: Path, source: Path) -> None:
    expected = answers(index)
    path = index / FILE
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert [finding.mends for finding in examine(index)] == ["repair"]
    repair(index)
    build_index([source], index, EMBEDDER)
    assert answers(index) == expected


def test_leftovers_and_orphans_are_remarks(index: Path) -> None:
    (index / ".assistant-part-killed").write_bytes(b"half")
    change(index, "INSERT INTO vectors SELECT 99, x'00', vector, checksum FROM vectors LIMIT 1")
    mends = {finding.what.split()[0]: finding.mends for finding in examine(index)}
    assert mends == {"1": "index", "left": "index"}


def test_an_older_copy_of_the_catalogue_is_a_remark(index: Path, source: Path, tmp_path: Path) -> None:
    older = (index / FILE).read_bytes()
    (source / "new.txt").write_text("The ferry is painted green.\n", encoding="utf-8")
    build_index([source], index, EMBEDDER)
    (index / FILE).write_bytes(older)
    findings = {finding.what.split(":")[0]: finding.mends for finding in examine(index)}
    assert findings["files of a later generation than the catalogue's lie here"] == "index"
    build_index([source], index, EMBEDDER)
    assert examine(index) == []


def test_a_model_that_changed_is_found(index: Path) -> None:
    with Index.open(index) as opened, pytest.raises(IndexUnavailable, match="no longer gives the vectors"):
        opened.check(HashingEmbedderOfAnotherMind())


class HashingEmbedderOfAnotherMind(HashingEmbedder):
    """Keeps its fingerprint and changes its vectors."""

    def embed_query(self, text: str):  # type: ignore[no-untyped-def]
        return super().embed_query(text[::-1])


def test_an_index_that_was_never_finished_has_no_traceback(index: Path, source: Path) -> None:
    change(index, "UPDATE meta SET value = '7' WHERE key = 'generation'")
    repair(index)
    assert examine(index)[0].mends == "index"
    assert repair(index) == []
    build_index([source], index, EMBEDDER)
    assert examine(index) == []


def test_files_of_others_in_the_folder_are_left_alone(index: Path, source: Path) -> None:
    others = [".tmp-mine", "vectors-mine.faiss", "lexical-2.safetensors"]
    for name in others:
        (index / name).write_bytes(b"theirs")
    (index / ".assistant-part-folder").mkdir()
    (source / "new.txt").write_text("The ferry is painted green.\n", encoding="utf-8")
    build_index([source], index, EMBEDDER)
    assert all((index / name).read_bytes() == b"theirs" for name in others)


def test_a_wrong_derived_file_with_a_right_digest_is_made_afresh(index: Path) -> None:
    with sqlite3.connect(index / FILE) as catalogue:
        rows = catalogue.execute("SELECT * FROM derived WHERE part = 'lexical'").fetchall()
    catalogue.close()
    generation, part, name, *_ = rows[-1]
    with (index / name).open("w+b") as file:
        details = lexical.write(
            file, index, None, (), [lexical.Passage(1, 1, "", "other words"), lexical.Passage(2, 2, "", "")]
        )
    content = (index / name).read_bytes()
    made = (generation, part, name, hashlib.sha256(content).hexdigest(), len(content), json.dumps(details))
    with sqlite3.connect(index / FILE) as catalogue:
        catalogue.execute("INSERT OR REPLACE INTO derived VALUES (?, ?, ?, ?, ?, ?, ?)", (*made, checksum(*made)))
    catalogue.close()
    assert "doesn't hold the words" in examine(index)[0].what
    repair(index)
    assert examine(index) == []


def test_an_open_index_follows_a_catalogue_that_was_made_again(index: Path, source: Path) -> None:
    with Index.open(index, EMBEDDER.fingerprint) as opened:
        assert len(opened.documents()) == 2
        shutil.rmtree(index)
        (source / "fares.md").unlink()
        build_index([source], index, EMBEDDER)
        assert [document.path for document in opened.documents()] == ["ferry.txt"]


def test_what_an_unfinished_run_staged_is_not_damage(tmp_path: Path) -> None:
    text = "The ferry crosses the river five times a day."
    document = Document("id", "ferry.txt", "Ferries", None, None, text)
    chunk = Chunk(document.id, 0, len(text), text)
    with IndexWriter(tmp_path, EMBEDDER, "by hand") as writer:
        texts = [passage_text(document.title, chunk)]
        writer.keep_vectors(texts, EMBEDDER.embed_passages(texts))
        writer.stage([(document, [chunk])])
    assert {finding.mends for finding in examine(tmp_path)} == {"index"}
    assert repair(tmp_path) == []
    change(tmp_path, "UPDATE documents SET title = 'Trains'")
    assert "repair" in {finding.mends for finding in examine(tmp_path)}
    assert "begun with 1 vectors" in repair(tmp_path)[0]
