"""A file that is cut off, foreign or not writable: what was kept stays, and questions are answered."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from assistant.records.history import History
from corpus.errors import UnavailableError
from tests.assistant.test_history import COST, answer_of, opened

ROOT = Path(__file__).parents[2]
ADDING = """
import os, resource, signal, sys
from pathlib import Path
from assistant.records.history import History
from corpus.errors import UnavailableError
from tests.assistant.test_history import COST, answer_of, opened
from assistant.types import Answer
from corpus.errors import UnavailableError
from embeddings.types import Snapshot
file, how = sys.argv[1:]
history = History(Path(file))
if how == "full":
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
try:
    for number in range(40):
        answer = Answer(str(number), "Who? " * 4000, "", (), None, (), (), "e", Snapshot(1, "e", "c", 1, 1))
        history.add("a", answer)
        print(number, flush=True)
        if how == "killed" and number == 5:
            os.kill(os.getpid(), signal.SIGKILL)
except UnavailableError as error:
    print(error, file=sys.stderr)
"""


@pytest.mark.parametrize(
    ("how", "code", "said"), [("killed", -signal.SIGKILL, ""), ("full", 0, "check its permissions")]
)
def test_what_was_added_outlives_a_kill_and_a_full_disk(how: str, code: int, said: str, tmp_path: Path) -> None:
    file = tmp_path / "h.sqlite3"
    child = subprocess.run([sys.executable, "-c", ADDING, file, how], cwd=ROOT, capture_output=True, text=True)
    assert child.returncode == code, child.stderr
    assert said in child.stderr
    added = child.stdout.split()
    assert 0 < len(added) < 40
    history = History(file)
    assert [r.answer["id"] for r in history.records()] == added
    history.add("a", answer_of("And now?"))
    assert history.records()[-1].question == "And now?"


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
