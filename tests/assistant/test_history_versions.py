"""Files of earlier versions, and damaged ones, are brought up to date with all that they hold."""

from __future__ import annotations

import json
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from assistant.records.answers import answer_of as answer_of_kept
from assistant.records.conversations import Conversations
from assistant.records.feedback import FeedbackLog
from assistant.records.history import Context, History
from assistant.records.storage import _MIGRATIONS
from assistant.types import Turn
from corpus.errors import UnavailableError
from embeddings.types import Where
from tests.assistant.test_history import answer_of

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
        assert connection.execute("PRAGMA user_version").fetchone() == (4,)


VERSION_2 = """
CREATE TABLE answers (number INTEGER PRIMARY KEY AUTOINCREMENT, conversation TEXT NOT NULL, asked TEXT NOT NULL,
 question TEXT NOT NULL, answer TEXT NOT NULL, context TEXT,
 id TEXT GENERATED ALWAYS AS (CASE WHEN json_valid(answer) THEN json_extract(answer, '$.id') END) VIRTUAL);
INSERT INTO answers VALUES (1, 'one', '2026-01-02T12:00:02.848943+00:00', 'Who runs the mill?', '{"id":
 "000000000000000000000001", "question": "Who runs the mill?", "standalone_question": "Who runs the mill?", "text":
 "Pauline Orrin runs it.", "refused": false, "refusal": null, "statements": [{"text": "Pauline Orrin runs it.",
 "verdict": "quoted", "support": 1.0, "citations": [], "reason": null}], "conflicts": [], "passages": [], "generator":
 "extractive", "snapshot": {"generation": 1, "embedder": "e", "chunker": "c", "documents": 1, "chunks": 1}, "timings":
 {}, "confidence": null, "notes": []}', '{"history": [{"question": "Before?", "answer": ""}], "where": {"paths":
 ["mill.md"], "tags": [], "date_from": null, "date_to": null}, "as_of": "2024-01-31", "settings": {}}');
INSERT INTO answers VALUES (2, 'one', '2026-01-02T12:05:00.000001+00:00', 'And when?', '{', NULL);
INSERT INTO answers VALUES (4, 'two', '2026-01-03T09:00:00+00:00', 'Is it open?', '{"text": ["no", "text"]}', NULL);
CREATE INDEX answers_by_conversation ON answers (conversation, number);
CREATE INDEX answers_by_id ON answers (id, number);
PRAGMA application_id = 1347636552;
PRAGMA user_version = 2;
"""
"""What the second version wrote, and two rows that something else has damaged."""


def of_version_2(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.executescript(VERSION_2)
    connection.close()


def test_a_file_of_the_second_version_is_brought_up_to_date_with_all_that_it_holds(tmp_path: Path) -> None:
    file = tmp_path / "old.sqlite3"
    of_version_2(file)
    history = History(file)
    kept = Conversations(history)
    assert [(c.id, c.title, c.questions, c.began.isoformat(), c.last.isoformat()) for c in kept.listed()] == [
        ("two", "Is it open?", 1, "2026-01-03T09:00:00+00:00", "2026-01-03T09:00:00+00:00"),
        ("one", "Who runs the mill?", 2, "2026-01-02T12:00:02.848943+00:00", "2026-01-02T12:05:00.000001+00:00"),
    ]
    assert [(m.number, m.snippet) for m in kept.find("pauline")] == [(1, "Pauline Orrin runs it.")]
    assert [m.number for m in kept.find("when")] == [2]
    (found,) = [history.record("0" * 23 + "1")]
    assert found.context == Context((Turn("Before?"),), Where(paths=("mill.md",)), date(2024, 1, 31))
    assert answer_of_kept(found.answer).text == "Pauline Orrin runs it."
    for conversation, row in (("one", 2), ("two", 4)):
        with pytest.raises(UnavailableError, match=rf"row {row} of the history .*old\.sqlite3' is damaged"):
            kept.records(conversation)
    history.add("one", answer_of("Who keeps bees?", 5))
    assert [(c.id, c.questions) for c in kept.listed()] == [("one", 3), ("two", 1)]
    assert [m.number for m in kept.find("bees")] == [5]


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
        connection.execute("PRAGMA user_version = 5")
    with pytest.raises(UnavailableError, match=r"h\.sqlite3' was written by a later version .*5, 4 is known.*update"):
        History(file).records()


@pytest.mark.parametrize(
    "answer",
    ["{", "[" * 200_000, "[]", "{}", '"text"', "null", "5", b"\x80", '{"id": "a", "text": "", "passages": [1]}'],
)
def test_a_row_of_another_form_is_named_and_keeps_no_file_from_being_brought_up_to_date(
    answer: str | bytes, tmp_path: Path
) -> None:
    file = tmp_path / "old.sqlite3"
    kept = of_version_1(file)
    with sqlite3.connect(file) as connection:
        connection.execute(
            "INSERT INTO answers (conversation, asked, question, answer) VALUES ('other', '2025-03-01', '', ?)",
            (answer,),
        )
    history = History(file)
    assert [r.answer for r in history.records("talk")] == [kept]
    for brief in (False, True):
        with pytest.raises(UnavailableError, match=r"row 2 of the history .* is damaged \(.*: put the file back"):
            history.records(brief=brief)


def test_judgements_of_the_third_version_go_to_the_newest_answer_that_is_not_deleted(tmp_path: Path) -> None:
    file = tmp_path / "old.sqlite3"
    of_version_1(file)
    connection = sqlite3.connect(file)
    again = "SELECT 'talk ' || value, asked, question, answer FROM answers, json_each('[2, 3]')"
    connection.execute(f"INSERT INTO answers (conversation, asked, question, answer) {again}")
    for steps in _MIGRATIONS[1:3]:
        for step in steps:
            assert isinstance(step, str)
            connection.execute(step)
    (id,) = connection.execute("SELECT DISTINCT id FROM answers").fetchone()
    connection.execute("UPDATE conversations SET deleted = '2025-03-02' WHERE id = 'talk 3'")
    given = [(id, "right", "", 0, 0, 0), (id, "citation", "Not there.", 1, 0, 5), ("0" * 24, "wrong", "", 0, 0, 0)]
    connection.executemany("INSERT INTO feedback VALUES (?, ?, ?, ?, ?, ?, '2025-03-01T10:00:00+00:00')", given)
    connection.commit()
    connection.execute("PRAGMA user_version = 3")
    connection.close()
    history = History(file)
    expected = [(2, id, "right", None), (2, id, "citation", (1, 0, 5))]
    assert [(f.number, f.answer, f.judgement, f.citation) for f in FeedbackLog(history).listed()] == expected
    kept = Conversations(history)
    kept.erase()
    assert len(FeedbackLog(history).listed()) == 2
    kept.delete("talk 2")
    kept.erase()
    assert history.rows("SELECT * FROM feedback") == []
