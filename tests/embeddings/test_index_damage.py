"""Damaged, foreign, newer, busy and read-only indexes: a clear line or the right answer."""

from __future__ import annotations

import logging
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import made_index
import pytest
from children import Children, Fault
from trials import hurt, read

from corpus.errors import IndexBusy, IndexUnavailable
from corpus.types import Chunk, Document
from embeddings.catalogue import FILE
from embeddings.hashing import HashingEmbedder
from embeddings.rows import passage_text
from embeddings.search import Index
from embeddings.types import Hit, Where
from embeddings.writer import IndexWriter

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
    (folder / ".assistant-part-killed").write_bytes(b"half")
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


def test_readers_see_one_generation_while_another_process_publishes(children: Children, tmp_path: Path) -> None:
    reading = read(children, tmp_path / "index", publications=30, searches=20)
    assert reading.problems == []
    assert reading.searches >= 600


def test_a_reader_finishes_on_a_generation_that_others_have_left(folder: Path) -> None:
    with Index.open(folder) as index, index.view() as oldest:
        for version in range(2, 5):
            write(folder, version)
            assert f"Version {version}" in index.search(QUESTION, EMBEDDER.embed_query(QUESTION), 1)[0].chunk.text
        assert "Version 1" in oldest.search(QUESTION, EMBEDDER.embed_query(QUESTION), 1)[0].chunk.text


FLIPS = 120


def test_bytes_changed_anywhere_never_change_an_answer(children: Children, tmp_path: Path) -> None:
    base = tmp_path / "base"
    for version in (1, 2):
        made_index.write(base, made_index.texts_of(version))
    expected = children.run("asks", base).lines
    names = sorted(path.name for path in base.iterdir() if path.stat().st_size)
    assert [name.split("-")[0] for name in names] == [FILE, "lexical", "lexical", "vectors", "vectors"]
    chosen = [FILE] * (FLIPS // 2) + names[1:] * (FLIPS // 8)
    damage = [hurt(children, base, tmp_path / "index", name, expected, seed) for seed, name in enumerate(chosen)]
    assert [(d.what, d.problems) for d in damage if d.problems] == []
    assert {d.outcome for d in damage if FILE not in d.what} == {"right"}
    assert {d.outcome for d in damage if FILE in d.what} == {"right", "partly", "refused"}


@pytest.mark.parametrize("side", ["-wal", "-shm"])
def test_what_a_killed_writer_left_is_damaged_too(children: Children, tmp_path: Path, side: str) -> None:
    """A damaged log ends before the damage, at a publication that was acknowledged; its index is made again."""
    if not children.faults:
        pytest.skip("no C compiler for faults.c")
    killed, folder, chance = tmp_path / "killed", tmp_path / "index", random.Random(3)
    made_index.write(killed, made_index.texts_of(1))
    reader = Index.open(killed)  # keeps the log from being folded into the catalogue
    ended = children.run("publishes", killed, 2, 9, 12, fault=Fault(str(killed), "rename", 7))
    assert ended.said("published") == ["2", "3", "4"]
    name = FILE + side
    content = (killed / name).read_bytes()
    assert len(content) > 10_000
    for number in range(12):
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(killed, folder)
        changed = made_index.damaged(content, chance)[1] if number else b""
        (folder / name).write_bytes(changed)
        seen = made_index.state(folder)
        assert seen in [made_index.texts_of(version) for version in ((1, 2, 3, 4) if side == "-wal" else (4,))]
        assert made_index.lost(folder, 1, 4, 12) == []
    reader.close()


def test_a_catalogue_from_a_backup(folder: Path, tmp_path: Path) -> None:
    """Derived files of later generations lie about, and the numbers are given a second time."""
    shutil.copy(folder / FILE, tmp_path / "backup")
    vector = EMBEDDER.embed_query(QUESTION)
    with Index.open(folder) as index:
        for version in (2, 3):
            write(folder, version)
        with index.view() as view:  # keeps the connection to the file that is replaced
            assert "Version 3" in view.search(QUESTION, vector, 1)[0].chunk.text
            (tmp_path / "backup").rename(folder / FILE)
            assert "Version 1" in ask(folder)[0].chunk.text
            for version in (7, 8):
                write(folder, version)
            assert index.about()["generation"] == "3"
            assert "Version 8" in index.search(QUESTION, vector, 1)[0].chunk.text
    write(folder, 9)
    assert sorted(path.name[:16] for path in folder.glob("*vectors*")) == ["vectors-00000003", "vectors-00000004"]


def test_an_empty_catalogue_is_unfinished_and_made_again(folder: Path) -> None:
    (folder / FILE).write_bytes(b"")
    with pytest.raises(IndexUnavailable, match="never finished: run `assistant index` again"):
        Index.open(folder)
    write(folder, 5)
    assert "Version 5" in ask(folder)[0].chunk.text
    assert len(list(folder.glob("*.faiss"))) == 1


@pytest.mark.parametrize("replaced", [False, True])
def test_derived_files_that_go_while_they_are_held(folder: Path, replaced: bool) -> None:
    expected = ask(folder)
    vector = EMBEDDER.embed_query(QUESTION)
    with Index.open(folder) as index:
        assert index.search(QUESTION, vector, 5) == expected
        for path in (*folder.glob("*.faiss"), *folder.glob("*.safetensors")):
            path.unlink()
            if replaced:
                path.write_bytes(b"another file")
        assert index.search(QUESTION, vector, 5) == expected
        assert ask(folder) == expected
        write(folder, 2)
        assert "Version 2" in index.search(QUESTION, vector, 1)[0].chunk.text
    assert "Version 2" in ask(folder)[0].chunk.text


def test_what_a_killed_run_left_of_a_derived_file_goes(folder: Path) -> None:
    (folder / "lexical-00000009-0123456789abcdef.safetensors").write_bytes(b"of a generation that was never published")
    write(folder, 2)
    assert len(list(folder.glob("lexical-*"))) == 2


def test_threads_that_filter_at_once_get_the_same(folder: Path) -> None:
    where = Where(paths=("1*.txt",))
    with Index.open(folder, EMBEDDER.fingerprint) as index, ThreadPoolExecutor(4) as pool:
        vector = EMBEDDER.embed_query(QUESTION)
        found = list(pool.map(lambda _: len(index.search(QUESTION, vector, 12, where)), range(16)))
    assert len(set(found)) == 1
    assert found[0] > 1
