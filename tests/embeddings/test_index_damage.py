"""Damaged, foreign, newer, busy and read-only indexes: a clear line or the right answer."""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from corpus.errors import IndexBusy, IndexUnavailable
from corpus.types import Chunk, Document
from embeddings.catalogue import FILE
from embeddings.hashing import HashingEmbedder
from embeddings.search import Index
from embeddings.types import Hit
from embeddings.writer import IndexWriter, passage_text

EMBEDDER = HashingEmbedder(32)
QUESTION = "the ferry on the river"


def write(folder: Path, version: int, documents: int = 12) -> None:
    """One generation in which every text names its version."""
    made = []
    for number in range(documents):
        text = f"Version {version} says that ferry {number} crosses the river {number % 5} times a day."
        document = Document(f"{version}-{number}", f"{number}.txt", "Ferries", None, None, text)
        chunk = Chunk(document.id, 0, len(text), text)
        made.append((document, [chunk], EMBEDDER.embed_passages([passage_text(document.title, chunk)])))
    with IndexWriter(folder, EMBEDDER, "by hand") as writer:
        writer.add(made)


def ask(folder: Path) -> list[Hit]:
    with Index.open(folder, EMBEDDER.fingerprint) as index:
        return index.search(QUESTION, EMBEDDER.embed_query(QUESTION), 5)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path / "index", 1)
    return tmp_path / "index"


@pytest.mark.parametrize("damage", ["flip", "cut", "missing"])
def test_a_damaged_vector_file_changes_no_answer(folder: Path, damage: str, caplog: pytest.LogCaptureFixture) -> None:
    expected = ask(folder)
    (path,) = folder.glob("*.faiss")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(content if damage == "flip" else content[:-9])
    with caplog.at_level(logging.WARNING), Index.open(folder) as index:
        for _ in range(2):
            assert index.search(QUESTION, EMBEDDER.embed_query(QUESTION), 5) == expected
    assert [record.message for record in caplog.records if path.name in record.message] != []
    assert len(caplog.records) == 1
    write(folder, 1)
    assert len(list(folder.glob("*.faiss"))) <= 2
    caplog.clear()
    assert [hit.chunk for hit in ask(folder)] == [hit.chunk for hit in expected]
    assert caplog.records == []


def test_old_vector_files_and_leftovers_go(folder: Path) -> None:
    (folder / ".tmp-vectors-killed").write_bytes(b"half")
    for version in range(2, 6):
        write(folder, version)
    assert sorted(path.name[:16] for path in folder.glob("*vectors*")) == ["vectors-00000004", "vectors-00000005"]


def test_no_index_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(IndexUnavailable, match="assistant index FOLDER --index"):
        Index.open(tmp_path)
    with pytest.raises(IndexUnavailable):
        Index.open(tmp_path / "missing")


def test_a_foreign_database_is_refused_and_kept(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / FILE) as other:
        other.execute("CREATE TABLE theirs (x)")
    other.close()
    before = (tmp_path / FILE).read_bytes()
    with pytest.raises(IndexUnavailable, match="not an index of this program"):
        Index.open(tmp_path)
    with pytest.raises(IndexUnavailable, match="not an index of this program"):
        write(tmp_path, 1)
    assert (tmp_path / FILE).read_bytes() == before


@pytest.mark.parametrize("content", [b"not a database at all" * 100, b"SQLite format 3\0" + b"\xff" * 4096])
def test_a_damaged_catalogue_is_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(IndexUnavailable, match="damaged") as caught:
        Index.open(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_truncated_catalogue_is_one_line(folder: Path) -> None:
    path = folder / FILE
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])
    with pytest.raises(IndexUnavailable):
        ask(folder)


def test_a_newer_schema_is_refused(folder: Path) -> None:
    with sqlite3.connect(folder / FILE) as other:
        other.execute("PRAGMA user_version = 99")
    other.close()
    with pytest.raises(IndexUnavailable, match="newer version"):
        Index.open(folder)
    with pytest.raises(IndexUnavailable, match="newer version"):
        write(folder, 2)


def test_another_embedder_is_refused_with_the_command(folder: Path) -> None:
    with pytest.raises(IndexUnavailable, match=r"assistant index FOLDER --index .* --rebuild"):
        Index.open(folder, HashingEmbedder(16).fingerprint)


def test_a_second_writer_is_refused_at_once(folder: Path) -> None:
    with IndexWriter(folder, EMBEDDER, "by hand"), pytest.raises(IndexBusy, match="another process"):
        write(folder, 2)
    write(folder, 2)
    assert "Version 2" in ask(folder)[0].chunk.text


def test_a_first_index_in_the_making_is_busy_and_a_half_made_one_unfinished(tmp_path: Path) -> None:
    with IndexWriter(tmp_path, EMBEDDER, "by hand"), pytest.raises(IndexBusy, match="wait until it has finished"):
        Index.open(tmp_path)
    with pytest.raises(IndexUnavailable, match="never finished") as caught:
        Index.open(tmp_path)
    assert not isinstance(caught.value, IndexBusy)


@pytest.fixture
def world_readable() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def test_a_read_only_folder_is_read(folder: Path, world_readable: Path) -> None:
    copy = world_readable / "index"
    shutil.copytree(folder, copy)
    for path in copy.iterdir():
        path.chmod(0o444)
    copy.chmod(0o555)
    code = (
        "import os, sys, faiss\n"
        "from embeddings.search import Index; from embeddings.hashing import HashingEmbedder\n"
        "os.getuid() or os.setuid(65534)\n"
        "assert not os.access(sys.argv[1], os.W_OK)\n"
        "index = Index.open(sys.argv[1]); e = HashingEmbedder(32)\n"
        "print([hit.chunk.id for hit in index.search(sys.argv[2], e.embed_query(sys.argv[2]), 5)])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(copy), QUESTION],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    copy.chmod(0o755)
    if "AssertionError" in done.stderr:
        pytest.skip("no user without the right to write can be had here")
    assert done.stdout == f"{[hit.chunk.id for hit in ask(folder)]}\n", done.stderr


def test_readers_see_one_generation_while_a_writer_publishes(folder: Path) -> None:
    finished = threading.Event()
    problems: list[str] = []
    searches = [0, 0]

    def read(reader: int, index: Index) -> None:
        while not finished.is_set():
            with index.view() as view:
                hits = view.search(QUESTION, EMBEDDER.embed_query(QUESTION), 12)
                versions = {hit.chunk.text.split()[1] for hit in hits}
                whole = all(view.document(hit.chunk.document_id).text == hit.chunk.text for hit in hits)
                if len(hits) != 12 or len(versions) != 1 or not whole or view.snapshot().chunks != 12:
                    problems.append(f"{len(hits)} hits of versions {versions}")
            searches[reader] += 1

    with Index.open(folder, EMBEDDER.fingerprint) as index:
        readers = [threading.Thread(target=read, args=(reader, index)) for reader in range(2)]
        for reader in readers:
            reader.start()
        for version in range(2, 32):
            write(folder, version)
        finished.set()
        for reader in readers:
            reader.join()
        assert problems == []
        assert min(searches) > 10
        last = index.search(QUESTION, EMBEDDER.embed_query(QUESTION), 12)
        assert {hit.chunk.text.split()[1] for hit in last} == {"31"}


def test_a_full_disk_loses_nothing(folder: Path) -> None:
    """A limit on the size of files stands for the disk: the writer gets EFBIG in the middle."""
    expected = ask(folder)
    code = (
        "import resource, signal, sys; from pathlib import Path\n"
        "sys.path.insert(0, sys.argv[2]); import test_index_damage as here\n"
        "from corpus.errors import IndexUnavailable\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), int(sys.argv[3])))\n"
        "try: here.write(Path(sys.argv[1]), 2, 400)\n"
        "except IndexUnavailable as error: print(error)"
    )
    for limit in (40_000, 120_000, 300_000):
        done = subprocess.run(
            [sys.executable, "-c", code, str(folder), str(Path(__file__).parent), str(limit)],
            cwd=Path(__file__).parents[2],
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
            capture_output=True,
            text=True,
            check=True,
        )
        assert "free space" in done.stdout
        assert done.stdout.count("\n") == 1
        assert ask(folder) == expected
    write(folder, 2, 400)
    assert "Version 2" in ask(folder)[0].chunk.text
