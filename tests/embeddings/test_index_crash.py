"""kill -9 at random moments: the index opens, holds exactly one published state, and the next run finishes the work."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from corpus.errors import IndexUnavailable
from corpus.types import Chunk, Document
from embeddings.build import build_index
from embeddings.hashing import HashingEmbedder
from embeddings.search import Index
from embeddings.writer import IndexWriter, passage_text

EMBEDDER = HashingEmbedder(32)
ROOT = Path(__file__).parents[2]
KILLS = 20
BUILD_KILLS = 6


def texts_of(version: int) -> dict[str, str]:
    """Paths and texts of a version: each adds a document, changes some and drops some."""
    return {
        f"{number}.txt": f"# Paper {number}\n\nPaper {number} is of version {version - version % (number + 2)}.\n"
        for number in range(version + 4)
        if (number + version) % 7
    }


def publish(writer: IndexWriter, version: int) -> None:
    wanted = texts_of(version)
    keep = {path: f"{path}:{text}" for path, text in wanted.items()}
    writer.delete([record.sha256 for record in writer.files().values() if record.path not in keep])
    added = []
    for path, text in wanted.items():
        document = Document(keep[path], path, path, None, None, text)
        chunk = Chunk(document.id, 0, len(text), text)
        added.append((document, [chunk], EMBEDDER.embed_passages([passage_text(path, chunk)])))
    writer.add(added)


def child_publishes(folder: Path) -> None:
    """Publishes version after version, a line after each, until it is killed."""
    with IndexWriter(folder, EMBEDDER, "by hand") as writer:
        first = int(writer.meta().get("generation", 0)) // 2
        for version in range(first, first + 100_000):
            publish(writer, version)
            print(version, flush=True)


def child_builds(source: Path, folder: Path) -> None:
    print("ready", flush=True)
    build_index([source], folder, EMBEDDER)


def killed(call: str, *arguments: Path, seconds: float) -> list[str]:
    """The lines that a child printed before it was killed, `seconds` after its first."""
    code = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); from pathlib import Path\n"
    code += f"import test_index_crash; test_index_crash.{call}(*map(Path, sys.argv[1:]))"
    child = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout
    first = child.stdout.readline()
    try:
        child.wait(seconds)
    except subprocess.TimeoutExpired:
        child.send_signal(signal.SIGKILL)
    lines = [first.strip(), *child.stdout.read().split()]
    child.stdout.close()
    child.wait()
    return lines


def state(folder: Path) -> dict[str, str]:
    """Texts by path, checked: every chunk is found once, and cut from its document."""
    with Index.open(folder, EMBEDDER.fingerprint) as index, index.view() as view:
        documents = {summary.path: view.document(summary.id) for summary in view.documents()}
        hits = view.search("paper version", EMBEDDER.embed_query("paper version"), 10_000)
        assert len(hits) == view.snapshot().chunks == sum(summary.chunks for summary in view.documents())
        assert len({hit.chunk.id for hit in hits}) == len(hits)
        by_id = {document.id: document for document in documents.values()}
        assert all(by_id[h.chunk.document_id].text[h.chunk.start : h.chunk.end] == h.chunk.text for h in hits)
        assert all(hit.lexical for hit in hits)
        return {path: document.text for path, document in documents.items()}


def allowed_after(published: int) -> list[dict[str, str]]:
    """A version is published in two steps: the next one's deletions may be in."""
    before, after = texts_of(published), texts_of(published + 1)
    return [before, {path: text for path, text in before.items() if path in after}, after]


def test_killed_while_publishing(tmp_path: Path) -> None:
    chance = random.Random(7)
    for _ in range(KILLS):
        lines = killed("child_publishes", tmp_path, seconds=chance.uniform(0.0, 0.25))
        assert state(tmp_path) in allowed_after(int(lines[-1]))
    with IndexWriter(tmp_path, EMBEDDER, "by hand") as writer:
        publish(writer, 3)
    assert state(tmp_path) == texts_of(3)
    assert len(list(tmp_path.glob("*vectors*"))) == 2


def test_killed_while_building(tmp_path: Path) -> None:
    source, folder, fresh = tmp_path / "source", tmp_path / "index", tmp_path / "fresh"
    source.mkdir()
    chance = random.Random(8)
    before: dict[str, str] = {}
    for version in range(BUILD_KILLS):
        for path in source.iterdir():
            path.unlink()
        for path, text in texts_of(version * 10).items():
            (source / path).write_text(text)
        killed("child_builds", source, folder, seconds=chance.uniform(0.0, 1.5))
        build_index([source], fresh, EMBEDDER)
        after = state(fresh)
        try:
            assert state(folder) in (before, after)
        except IndexUnavailable as error:
            assert before == {}
            assert "assistant index" in str(error)
        if version % 2:
            build_index([source], folder, EMBEDDER)
            assert state(folder) == after
            before = after
        elif (folder / "catalogue.sqlite3").exists():
            before = _state_or_nothing(folder)


def _state_or_nothing(folder: Path) -> dict[str, str]:
    try:
        return state(folder)
    except IndexUnavailable:
        return {}


if __name__ == "__main__":
    pytest.main([__file__])
