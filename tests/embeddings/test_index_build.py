"""Indexing runs: what they read and encode, and that an updated index is what a fresh one would be."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from corpus.chunking import ChunkSettings
from corpus.errors import IndexUnavailable, UsageError
from embeddings.build import build_index
from embeddings.hashing import HashingEmbedder
from embeddings.search import Index
from embeddings.types import Embedder
from embeddings.view import kind_of

QUESTIONS = ("When does the bridge close?", "library fees", "Who chaired the panel in March?")
SMALL = ChunkSettings(max_tokens=24, min_tokens=8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "papers"
    (folder / "minutes").mkdir(parents=True)
    (folder / "bridge.txt").write_text(
        "# Bridge\n\nThe bridge closes in May for repairs to its deck and towers.\n\n"
        "A ferry runs every ten minutes while the bridge is closed to all traffic.\n\n"
        "The contractor expects to finish the work before the winter floods arrive.\n"
    )
    (folder / "fees.txt").write_text("# Fees\n\nLibrary fees rise by 2 pounds in April, the panel decided.\n")
    (folder / "minutes" / "march.txt").write_text("# Minutes\n\nAda Quill chaired the panel in March this year.\n")
    settle(folder)
    return folder


def settle(folder: Path) -> None:
    """Sets every time back, as of files that nobody changed lately."""
    for number, path in enumerate(sorted(folder.rglob("*.*"))):
        os.utime(path, ns=(1_600_000_000_000_000_000, 1_600_000_000_000_000_000 + number))


def contents(index: Path, embedder: Embedder) -> object:
    """Everything a reader can learn, without generation numbers."""
    with Index.open(index, embedder.fingerprint) as opened, opened.view() as view:
        found = [view.search(question, embedder.embed_query(question), 50) for question in QUESTIONS]
        documents = [view.document(summary.id) for summary in view.documents()]
        return [replace(one, since=0) for one in view.documents()], view.failures(), documents, found


def test_first_run_indexes_everything(folder: Path, tmp_path: Path, counting: Embedder) -> None:
    seen: list[tuple[int, int, int]] = []
    report = build_index([folder], tmp_path / "index", counting, SMALL, progress=lambda *now: seen.append(now))
    assert (report.added, report.changed, report.unchanged, report.removed) == (3, 0, 0, 0)
    assert report.failures == ()
    assert report.embedded == report.chunks == len(counting.passages)
    assert seen[0] == (0, 3, 0)
    assert seen[-1] == (3, 3, report.chunks)
    with Index.open(tmp_path / "index", counting.fingerprint) as index:
        hit = index.search(QUESTIONS[0], counting.embed_query(QUESTIONS[0]), 1)[0]
        document = index.document(hit.chunk.document_id)
        assert document.path == "bridge.txt"
        assert document.text[hit.chunk.start : hit.chunk.end] == hit.chunk.text
        assert [summary.path for summary in index.documents()] == ["bridge.txt", "fees.txt", "minutes/march.txt"]
        assert index.about()["embedder_name"] == "hashing"


def test_unchanged_costs_nothing(folder: Path, tmp_path: Path, counting: Embedder) -> None:
    first = build_index([folder], tmp_path / "index", counting, SMALL)
    before = list(counting.passages)
    os.utime(folder / "fees.txt")
    second = build_index([folder], tmp_path / "index", counting, SMALL)
    assert counting.passages == before
    assert (second.unchanged, second.embedded, second.generation) == (3, 0, first.generation)


def test_an_edit_costs_its_own_chunks(folder: Path, tmp_path: Path, counting: Embedder) -> None:
    build_index([folder], tmp_path / "index", counting, SMALL)
    counting.passages.clear()
    text = (folder / "bridge.txt").read_text()
    (folder / "bridge.txt").write_text(text.replace("every ten minutes", "twice an hour"))
    report = build_index([folder], tmp_path / "index", counting, SMALL)
    assert (report.changed, report.unchanged, report.embedded) == (1, 2, 1)
    assert ["twice an hour" in passage for passage in counting.passages] == [True]
    fresh = build_index([folder], tmp_path / "fresh", counting, SMALL)
    assert fresh.chunks == report.chunks
    assert contents(tmp_path / "index", counting) == contents(tmp_path / "fresh", counting)


def test_an_edit_of_the_same_size_and_time_is_seen_when_it_is_recent(folder: Path, tmp_path: Path) -> None:
    embedder = HashingEmbedder(64)
    path = folder / "fees.txt"
    path.write_text("# Fees\n\nLibrary fees rise by 3 pounds in April, the panel decided.\n")
    recent = path.stat().st_mtime_ns
    build_index([folder], tmp_path / "index", embedder)
    path.write_text("# Fees\n\nLibrary fees rise by 7 pounds in April, the panel decided.\n")
    os.utime(path, ns=(recent, recent))
    assert build_index([folder], tmp_path / "index", embedder).changed == 1


@pytest.mark.parametrize("hours", [-48, 48])
def test_an_edit_of_the_same_size_is_seen_after_the_clock_was_set(folder: Path, tmp_path: Path, hours: int) -> None:
    embedder = HashingEmbedder(64)
    path = folder / "fees.txt"
    build_index([folder], tmp_path / "index", embedder)
    path.write_text("# Fees\n\nLibrary fees rise by 7 pounds in April, the panel decided.\n")
    other = time.time() + hours * 3600
    os.utime(path, (other, other))
    assert build_index([folder], tmp_path / "index", embedder).changed == 1
    path.write_text("# Fees\n\nLibrary fees rise by 9 pounds in April, the panel decided.\n")
    os.utime(path, (other, other))
    # A time that lies ahead proves nothing; one long past is taken for the file's.
    assert build_index([folder], tmp_path / "index", embedder).changed == (hours > 0)


def test_a_file_that_cannot_be_read_is_not_tried_again_until_it_or_the_reading_changes(
    folder: Path, tmp_path: Path, counting: Embedder
) -> None:
    for path in (folder / "sheet.txt", folder / "fees.txt"):
        build_index([folder], tmp_path / "index", counting, SMALL)  # of `fees.txt` a good version is kept
        path.write_bytes(b"\0" * 40)
        os.utime(path, (1_600_000_000, 1_600_000_000))
    report = build_index([folder], tmp_path / "index", counting, SMALL)
    assert [failure.path for failure in report.failures] == ["fees.txt", "sheet.txt"]
    assert "zero bytes" in report.failures[0].reason
    for path in (folder / "sheet.txt", folder / "fees.txt"):
        path.write_text("The fees are forty pounds, they decided.")
        os.utime(path, (1_600_000_000, 1_600_000_000))
    again = build_index([folder], tmp_path / "index", counting, SMALL)
    assert (again.failures, again.generation) == (report.failures, report.generation)
    os.utime(folder / "sheet.txt")
    touched = build_index([folder], tmp_path / "index", counting, SMALL)
    assert (touched.added, [failure.path for failure in touched.failures]) == (1, ["fees.txt"])
    assert build_index([folder], tmp_path / "index", counting, rebuild=True).failures == ()


def test_a_failure_of_the_machine_is_tried_again(
    folder: Path, tmp_path: Path, counting: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site"
    info = site / "flaky-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: flaky\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[assistant.readers]\n.flaky = flaky:Flaky\n")
    (site / "flaky.py").write_text(
        "from corpus.types import Block, Extracted\n"
        "class Flaky:\n"
        "    def read(self, path):\n"
        "        return Extracted((Block('paragraph', open(path.with_suffix('')).read()),))\n"
    )
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setenv("PYTHONPATH", str(site))
    (folder / "paper.flaky").write_text("x")
    os.utime(folder / "paper.flaky", (1_600_000_000, 1_600_000_000))
    report = build_index([folder], tmp_path / "index", counting)
    assert "FileNotFoundError" in report.failures[0].reason
    (folder / "paper").write_text("The paper is there now.")
    report = build_index([folder], tmp_path / "index", counting)
    assert (report.added, [failure.path for failure in report.failures]) == (1, ["paper"])


def test_what_is_deleted_goes(folder: Path, tmp_path: Path, counting: Embedder) -> None:
    build_index([folder], tmp_path / "index", counting)
    (folder / "bridge.txt").unlink()
    report = build_index([folder], tmp_path / "index", counting)
    assert (report.removed, report.unchanged, report.embedded) == (1, 2, 0)
    build_index([folder], tmp_path / "fresh", counting)
    assert contents(tmp_path / "index", counting) == contents(tmp_path / "fresh", counting)


def test_copies_and_moves_cost_nothing(folder: Path, tmp_path: Path, counting: Embedder) -> None:
    build_index([folder], tmp_path / "index", counting)
    (folder / "copy of fees.txt").write_bytes((folder / "fees.txt").read_bytes())
    (folder / "bridge.txt").rename(folder / "minutes" / "bridge.txt")
    report = build_index([folder], tmp_path / "index", counting)
    assert (report.added, report.removed, report.embedded) == (2, 1, 0)
    with Index.open(tmp_path / "index") as index:
        assert index.snapshot().documents == 3
        assert len(index.documents()) == 4


def test_a_line_of_the_list_says_what_its_document_does(tmp_path: Path, counting: Embedder) -> None:
    made = tmp_path / "documents"
    made.mkdir()
    (made / "fees.md").write_text("---\ntitle: Fees\ndate: 2024-05-01\ntags: [money, halls]\n---\n\nA hall costs £4.\n")
    (made / "page.HTML").write_text("<html><title>Page</title><p>The hall opens at nine and shuts at five.</p></html>")
    (made / "rows.csv").write_text("Hall,Fee\nEast,£4\n")
    build_index([made], tmp_path / "index", counting)
    with Index.open(tmp_path / "index") as index, index.view() as view:
        listed = view.documents()
        documents = [view.document(one.id) for one in listed]
        assert [view.document_at(one.path) for one in listed] == documents
        assert view.document_at("page.html") is None
    assert [(one.path, one.kind, one.tags) for one in listed] == [
        ("fees.md", "Markdown", ("money", "halls")),
        ("page.HTML", "web page", ()),
        ("rows.csv", "table", ()),
    ]
    assert [kind_of(f"a.b/{name}") for name in ("X.PDF", "y.docx", "z.Odt", "README")] == ["PDF", "Word", "odt", "file"]
    assert [(d.id, d.path, d.title, d.date, d.metadata.tags) for d in documents] == [
        (one.id, one.path, one.title, one.date, one.tags) for one in listed
    ]


def test_a_file_that_fails_is_reported_and_its_last_version_kept(
    folder: Path, tmp_path: Path, counting: Embedder
) -> None:
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7 nothing")
    report = build_index([folder], tmp_path / "index", counting)
    assert [failure.path for failure in report.failures] == ["broken.pdf"]
    (folder / "fees.txt").write_bytes(b"")
    report = build_index([folder], tmp_path / "index", counting)
    assert [failure.path for failure in report.failures] == ["broken.pdf", "fees.txt"]
    assert report.removed == 0
    with Index.open(tmp_path / "index") as index:
        assert [failure.path for failure in index.failures()] == ["broken.pdf", "fees.txt"]
        assert {summary.path: summary.problem for summary in index.documents()} == {
            "bridge.txt": None,
            "fees.txt": "is empty",
            "minutes/march.txt": None,
        }
    (folder / "broken.pdf").unlink()
    (folder / "fees.txt").write_text("# Fees\n\nLibrary fees are unchanged.\n")
    report = build_index([folder], tmp_path / "index", counting)
    assert (report.changed, report.failures) == (1, ())


def test_other_chunk_settings_and_rebuild_read_again(folder: Path, tmp_path: Path, counting: Embedder) -> None:
    build_index([folder], tmp_path / "index", counting, SMALL)
    (folder / "fees.txt").write_bytes(b"")
    report = build_index([folder], tmp_path / "index", counting)
    assert report.embedded > 0
    other = HashingEmbedder(32)
    with pytest.raises(IndexUnavailable, match="--rebuild"):
        build_index([folder], tmp_path / "index", other)
    report = build_index([folder], tmp_path / "index", other, rebuild=True)
    assert report.embedded == report.chunks
    assert [failure.path for failure in report.failures] == ["fees.txt"]
    again = build_index([folder], tmp_path / "index", other, rebuild=True)
    assert (again.embedded, again.generation) == (0, report.generation + 1)
    with Index.open(tmp_path / "index", other.fingerprint) as index:
        assert index.snapshot().documents == 3


def test_folders_are_not_dropped_unasked(folder: Path, tmp_path: Path, counting: Embedder) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "bridge.txt").write_text("# Pier\n\nThe pier stays open.\n")
    build_index([folder], tmp_path / "index", counting)
    with pytest.raises(UsageError, match="--replace"):
        build_index([other], tmp_path / "index", counting)
    report = build_index([folder, other], tmp_path / "index", counting)
    assert report.embedded == 1
    with Index.open(tmp_path / "index") as index:
        assert [summary.path for summary in index.documents()] == [
            "other/bridge.txt",
            "papers/bridge.txt",
            "papers/fees.txt",
            "papers/minutes/march.txt",
        ]
    build_index([other], tmp_path / "index", counting, replace=True)
    with Index.open(tmp_path / "index") as index:
        assert [summary.path for summary in index.documents()] == ["bridge.txt"]


def test_the_index_itself_is_not_indexed(folder: Path, counting: Embedder) -> None:
    for _ in range(2):
        report = build_index([folder], folder / "index", counting)
    assert (report.unchanged, report.failures) == (3, ())


def test_another_index_inside_is_passed_over(folder: Path, tmp_path: Path, counting: Embedder) -> None:
    build_index([folder], folder / "old", counting)
    report = build_index([folder], tmp_path / "index", counting)
    assert (report.added, report.failures) == (3, ())


@pytest.mark.parametrize("inside", [".", "minutes"])
def test_an_index_on_top_of_the_documents_is_refused(folder: Path, counting: Embedder, inside: str) -> None:
    with pytest.raises(UsageError, match="on top of the documents"):
        build_index([folder / inside], folder, counting)
    assert not (folder / "catalogue.sqlite3").exists()


def test_bad_folders_are_one_line(folder: Path, tmp_path: Path, counting: Embedder) -> None:
    with pytest.raises(UsageError, match="no folder"):
        build_index([tmp_path / "missing"], tmp_path / "index", counting)
    with pytest.raises(UsageError, match="no folder"):
        build_index([], tmp_path / "index", counting)
    (tmp_path / "twin" / "papers").mkdir(parents=True)
    with pytest.raises(UsageError, match="same name"):
        build_index([folder, tmp_path / "twin" / "papers"], tmp_path / "index", counting)
    (tmp_path / "a file").write_text("x")
    with pytest.raises(IndexUnavailable, match="a file"):
        build_index([folder], tmp_path / "a file", counting)
