"""Conversations are kept as they were given."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from assistant.api import Assistant
from assistant.history import FILE, History
from corpus.errors import UnavailableError
from embeddings.hashing import HashingEmbedder

COST = "How much did the repairs to the roof cost?"
LEEDS = "Who is the mayor of Leeds?"


def opened(museum: Path, history: Path | None = None) -> Assistant:
    return Assistant.open(museum, embedder=HashingEmbedder(), reranker=None, history=history)


def test_answers_are_kept_in_order_by_conversation_and_for_good(museum: Path, tmp_path: Path) -> None:
    file = tmp_path / "kept.sqlite3"
    with opened(museum, file) as desk:
        assert desk.history() == []
        assert not file.exists()
        given = [desk.ask(COST, conversation="a"), desk.ask(LEEDS, conversation="b"), desk.ask(LEEDS, conversation="a")]
    with opened(museum, file) as desk:
        records = desk.history()
        assert [r.answer for r in records] == [a.to_dict() for a in given]
        assert [(r.conversation, r.question) for r in records] == [("a", COST), ("b", LEEDS), ("a", LEEDS)]
        assert [r.question for r in desk.history("a")] == [COST, LEEDS]
        assert desk.history("c") == []
        assert [r.number for r in records] == sorted({r.number for r in records})
        assert [r.asked for r in records] == sorted(r.asked for r in records)
        assert records[0].asked.utcoffset() is not None
        assert records[0].answer["snapshot"]["generation"] == desk.snapshot.generation


def test_a_question_without_conversation_has_one_of_its_own(museum: Path, tmp_path: Path) -> None:
    with opened(museum, tmp_path / "h") as desk:
        desk.ask(COST)
        desk.ask(COST)
        assert len({r.conversation for r in desk.history()}) == 2


def test_history_lies_in_the_index_folder_and_outlives_a_rebuild(tmp_path: Path) -> None:
    folder, index = tmp_path / "documents", tmp_path / "index"
    folder.mkdir()
    (folder / "note.txt").write_text("The hall opens at nine.\n", encoding="utf-8")
    Assistant.build(folder, index=index, embedder="hashing")
    with opened(index) as desk:
        desk.ask("When does the hall open?")
    assert (index / FILE).is_file()
    Assistant.build(folder, index=index, embedder="hashing", rebuild=True)
    with opened(index) as desk:
        assert [r.question for r in desk.history()] == ["When does the hall open?"]


def foreign(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA application_id = 7")
        connection.execute("CREATE TABLE theirs (x)")


def no_database(path: Path) -> None:
    path.write_text("Dear diary, this is no database. " * 200, encoding="utf-8")


@pytest.mark.parametrize("made", [foreign, no_database])
def test_a_file_of_another_program_is_refused_untouched_and_questions_are_answered(
    made: Callable[[Path], None], museum: Path, tmp_path: Path
) -> None:
    file = tmp_path / "theirs.sqlite3"
    made(file)
    before = file.read_bytes()
    with opened(museum, file) as desk:
        assert "£412,000" in desk.ask(COST).text
        with pytest.raises(UnavailableError, match=r"theirs\.sqlite3.*can't be used.*history="):
            desk.history()
    assert file.read_bytes() == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_still_answers(museum: Path, tmp_path: Path) -> None:
    index = shutil.copytree(museum, tmp_path / "index")
    for path in (*index.iterdir(), index):
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        with opened(index) as desk:
            assert "£412,000" in desk.ask(COST).text
    finally:
        index.chmod(0o755)


def test_a_file_that_cannot_be_made_still_answers(museum: Path, tmp_path: Path) -> None:
    with opened(museum, tmp_path / "no" / "such" / "folder" / "h.sqlite3") as desk:
        assert "£412,000" in desk.ask(COST).text
        assert desk.history() == []


def test_closing_twice_does_no_harm(tmp_path: Path) -> None:
    history = History(tmp_path / "h.sqlite3")
    assert history.records() == []
    history.close()
    history.close()
