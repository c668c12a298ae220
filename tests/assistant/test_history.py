"""Conversations are kept as they were given."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.api import Assistant
from assistant.config import Settings
from assistant.history import FILE, Context, History
from assistant.types import Answer, Turn
from corpus.errors import UnavailableError, UsageError
from embeddings.hashing import HashingEmbedder
from embeddings.types import Snapshot, Where

ROOT = Path(__file__).parents[2]

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


def answer_of(question: str = "Who?", number: int = 1, **others: Any) -> Answer:
    identity = f"{number:024x}"
    return replace(Answer(identity, question, question, (), None, (), (), "e", Snapshot(1, "e", "c", 1, 1)), **others)


VERSION_1 = """
PRAGMA journal_mode = WAL;
BEGIN IMMEDIATE;
CREATE TABLE answers (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    conversation TEXT NOT NULL,
    asked TEXT NOT NULL,
    question TEXT NOT NULL,
    answer TEXT NOT NULL
);
CREATE INDEX answers_by_conversation ON answers (conversation, number);
PRAGMA application_id = 1347636552;
PRAGMA user_version = 1;
COMMIT;
"""
"""What the first version of this program wrote."""


def of_version_1(path: Path) -> dict[str, Any]:
    kept = json.loads(json.dumps(answer_of("Who runs it?", 10).to_dict()))
    for later in ("confidence", "notes"):
        del kept[later]
    connection = sqlite3.connect(path)
    connection.executescript(VERSION_1)
    values = ("talk", "2025-03-01T09:00:00.000001+00:00", "Who runs it?", json.dumps(kept))
    with connection:
        connection.execute("INSERT INTO answers (conversation, asked, question, answer) VALUES (?, ?, ?, ?)", values)
    connection.close()
    return dict(kept)


def test_a_file_of_the_first_version_is_brought_up_to_date(tmp_path: Path) -> None:
    file = tmp_path / "old.sqlite3"
    kept = of_version_1(file)
    history = History(file)
    (record,) = history.records()
    assert (record.number, record.conversation, record.question) == (1, "talk", "Who runs it?")
    assert (record.answer, record.context) == (kept, None)
    assert record.asked.isoformat() == "2025-03-01T09:00:00.000001+00:00"
    history.add("talk", answer_of(number=11), Context((Turn("Before?"),)))
    assert history.record("0" * 22 + "0a") == record
    assert [r.number for r in history.records()] == [1, 2]
    history.close()
    with sqlite3.connect(file) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (2,)


def test_many_may_bring_a_file_up_to_date_at_once(tmp_path: Path) -> None:
    for round_ in range(5):
        file = tmp_path / f"{round_}.sqlite3"
        of_version_1(file)
        histories = [History(file) for _ in range(6)]
        with ThreadPoolExecutor(len(histories)) as threads:
            counts = list(threads.map(lambda history: len(history.records()), histories))
        assert counts == [1] * len(histories)
        for history in histories:
            history.close()


def test_a_migration_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "old.sqlite3"
    of_version_1(file)
    with sqlite3.connect(file) as connection:  # its last step will meet this
        connection.execute("CREATE INDEX answers_by_id ON answers (number)")
    with pytest.raises(UnavailableError, match="answers_by_id already exists"):
        History(file).records()
    with sqlite3.connect(file) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
        assert len(connection.execute("SELECT * FROM answers").fetchone()) == 5


def test_a_file_of_a_later_version_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "h.sqlite3"
    history = History(file)
    history.add("a", answer_of())
    history.close()
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA user_version = 3")
    with pytest.raises(UnavailableError, match=r"h\.sqlite3' was written by a later version .*3, 2 is known.*update"):
        History(file).records()


days = st.none() | st.dates()
turns = st.builds(Turn, st.text(), st.text())
wheres = st.builds(Where, st.lists(st.text()).map(tuple), st.lists(st.text()).map(tuple), date_from=days)


@given(st.builds(Context, st.lists(turns).map(tuple), st.none() | wheres, days, st.just(asdict(Settings()))))
def test_how_it_was_asked_comes_back_as_it_was(context: Context) -> None:
    assert Context.from_json(context.to_json()) == context


def test_an_address_is_kept_without_what_may_be_secret() -> None:
    settings = asdict(Settings(base_url="https://user:word@models.example:8080/v1?key=abc#x"))
    kept = Context.from_json(Context(settings=settings).to_json())
    assert kept.settings["base_url"] == "https://models.example:8080/v1"
    assert settings["base_url"].startswith("https://user:word@")


def test_a_record_is_found_by_its_id_or_the_beginning_of_it(tmp_path: Path) -> None:
    history = History(tmp_path / "h")
    with pytest.raises(UsageError, match="no answer '00'"):
        history.record("00")
    for number, question in ((0xA1, "First?"), (0xA2, "Second?"), (0xA1, "First, again?"), (0xFF, "Last?")):
        history.add("a", answer_of(question, number), Context(as_of=date(2024, 1, 31)))
    assert history.record("0" * 22 + "a1").question == "First, again?"
    assert history.record("0" * 22 + "F").question == "Last?"
    assert history.record("0" * 22 + "f").context == Context(as_of=date(2024, 1, 31))
    with pytest.raises(
        UsageError, match=r"several answers have an id that begins with '000': 0+a1, 0+a2, 0+ff; give more"
    ):
        history.record("000")
    for unknown in ("", " ", "b", "g", "%", "0_"):
        with pytest.raises(UsageError, match=r"no answer .* --verbose or --json"):
            history.record(unknown)


def test_records_since_a_moment(tmp_path: Path) -> None:
    history = History(tmp_path / "h")
    for number in range(3):
        history.add("a", answer_of(number=number))
    first, second, third = history.records()
    assert history.records(since=second.asked) == [second, third]
    assert history.records("b", since=first.asked) == []


def test_brief_records_are_without_passages(museum: Path, tmp_path: Path) -> None:
    with opened(museum, tmp_path / "h") as desk:
        given = [desk.ask(question).to_dict() for question in (LEEDS, COST)]
    for answer, record in zip(given, History(tmp_path / "h").records(brief=True), strict=True):
        for part in ("passages", "statements"):
            del answer[part]
        if answer["refusal"]:
            del answer["refusal"]["nearest"]
        assert record.answer == answer


def test_in_memory_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    history = History(Path(":memory:"))
    history.add("a", answer_of("Who?"))
    assert [r.question for r in history.records()] == ["Who?"]
    history.close()
    assert (history.records(), list(tmp_path.iterdir())) == ([], [])


def test_a_damaged_row_is_named(tmp_path: Path) -> None:
    history = History(tmp_path / "h")
    history.add("a", answer_of(), Context())
    with sqlite3.connect(tmp_path / "h") as connection:
        connection.execute("UPDATE answers SET context = '{'")
    with pytest.raises(UnavailableError, match=r"row 1 of the history .*/h' is damaged"):
        history.records()


ADDING = """
import os, resource, signal, sys
from pathlib import Path
from assistant.history import History
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
