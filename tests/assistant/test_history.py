"""Conversations are kept as they were given."""

from __future__ import annotations

import json
import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.api import Assistant
from assistant.config import Settings
from assistant.records.conversations import Conversations
from assistant.records.gaps import gaps
from assistant.records.history import FILE, Context, History
from assistant.types import Answer, Turn
from corpus.errors import DeadlineExceeded, UnavailableError, UsageError
from embeddings.hashing import HashingEmbedder
from embeddings.types import Snapshot, Where

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


def test_a_history_that_is_deleted_or_put_back_under_a_service_is_gone_on_with(museum: Path, tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    folder.mkdir()
    with opened(museum, folder / FILE) as desk:
        desk.ask(COST, conversation="a")
        folder.rename(tmp_path / "copy")
        assert desk.history() == []
        assert desk.ask(COST).link is None
        assert "can't be used (unable to open database file)" in desk.unkept
        folder.mkdir()
        assert desk.ask(COST, conversation="b").link is not None
        assert [record.conversation for record in desk.history()] == ["b"]
        shutil.rmtree(folder)
        (tmp_path / "copy").rename(folder)
        desk.ask(COST, conversation="c")
        assert [record.conversation for record in desk.history()] == ["a", "c"]
        assert desk._core.history.verify() == []


def test_no_answer_waits_for_another_process_longer_than_it_has_time(museum: Path, tmp_path: Path) -> None:
    file = tmp_path / "kept"
    with opened(museum, file) as desk, ThreadPoolExecutor(8) as threads:
        answer = desk.ask(COST)
        other = sqlite3.connect(file, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DeadlineExceeded):
            desk.ask(COST, timeout=0.5)
        impatient, began = History(file, patience=1), monotonic()
        for waiting in [threads.submit(impatient.add, "b", answer) for _ in range(8)]:
            with pytest.raises(UnavailableError, match=r"can't be used \((database is locked|it is busy)\): another"):
                waiting.result()
        assert monotonic() - began < 4  # together, not one after the other
        other.close()
        impatient.add("c", answer)
        impatient.close()
        assert [record.conversation for record in desk.history()][1:] == ["c"]


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


days = st.none() | st.dates()
turns = st.builds(Turn, st.text(), st.text())
wheres = st.builds(Where, st.lists(st.text()).map(tuple), st.lists(st.text()).map(tuple), date_from=days)


@given(
    st.builds(
        Context, st.lists(turns).map(tuple), st.none() | wheres, days, st.just(asdict(Settings(strictness="strict")))
    )
)
def test_how_it_was_asked_comes_back_as_it_was(context: Context) -> None:
    assert Context.from_json(context.to_json()) == context


def test_an_address_is_kept_without_what_may_be_secret() -> None:
    for address in ("https://us:wo/rd@h:bad/v1", "us:wo/rd@h:bad/v1", "https://us:w@rd?@h:bad/v1#x"):
        kept = Context.from_json(Context(settings=asdict(Settings(base_url=address))).to_json())
        assert kept.settings["base_url"].removeprefix("https://") == "h:bad/v1"
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


def test_only_the_last_of_many(tmp_path: Path) -> None:
    history = History(tmp_path / "h")
    for number in range(5):
        history.add("ab"[number % 2], answer_of(f"{number}?", number))
    assert [r.question for r in history.records(last=2)] == ["3?", "4?"]
    assert [r.question for r in history.records("a", last=2)] == ["2?", "4?"]
    assert history.records("a", last=0) == []


def test_what_was_deleted_is_in_no_record_and_no_gap(museum: Path, tmp_path: Path) -> None:
    with opened(museum, tmp_path / "h") as desk:
        desk.ask(LEEDS, conversation="a")
        refused = desk.ask(LEEDS, conversation="b")
        desk.conversations.delete("a")
        desk.ask(LEEDS, conversation="a")
        assert [r.conversation for r in desk.history()] == ["b"]
        assert [gap.count for gap in gaps(History(tmp_path / "h").records(brief=True))] == [1]
        desk.conversations.delete("b")
        assert (desk.history(), desk.history("b"), gaps(History(tmp_path / "h").records(brief=True))) == ([], [], [])
        with pytest.raises(UsageError, match="no answer"):
            History(tmp_path / "h").record(refused.id)
        desk.conversations.restore("a")
        assert [r.conversation for r in desk.history()] == ["a", "a"]


def test_a_writer_is_waited_for_and_then_named(tmp_path: Path) -> None:
    history = History(tmp_path / "h", patience=0.2)
    history.add("a", answer_of())
    other = sqlite3.connect(tmp_path / "h", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    for change in (lambda: history.add("a", answer_of()), lambda: Conversations(history).rename("a", "b")):
        with pytest.raises(UnavailableError, match=r"/h' can't be used \(database is locked\): another process"):
            change()
    assert len(history.records()) == 1
    other.execute("COMMIT")
    history.add("a", answer_of())
    assert len(history.records()) == 2
    with ThreadPoolExecutor(1) as beside:  # one that ends in time is only waited for
        other.execute("BEGIN IMMEDIATE")
        added = beside.submit(History(tmp_path / "h").add, "a", answer_of())
        other.execute("COMMIT")
        added.result()
    assert len(history.records()) == 3


def test_half_of_a_character_is_told(tmp_path: Path) -> None:
    history = History(tmp_path / "h")
    history.add("a", answer_of())
    for ask in (history.record, history.records, lambda half: history.add(half, answer_of())):
        with pytest.raises(UsageError, match="half of a character"):
            ask("\udcff")


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


def _without(answer: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in answer.items() if key != name}


def test_a_record_that_lacks_what_is_read_again_is_damaged(museum: Path, tmp_path: Path) -> None:
    file = tmp_path / "h"
    with opened(museum, file) as desk:
        given = json.loads(json.dumps(desk.ask(COST).to_dict()))
    (statement,), (cited,) = given["statements"], given["statements"][0]["citations"]
    damaged = [
        *(_without(given, name) for name in ("id", "generator", "snapshot", "refusal", "standalone_question")),
        {**given, "refusal": {"reason": "weak_evidence"}},
        {**given, "passages": []},
        {**given, "passages": [{**given["passages"][0], "headings": 3}]},
        {**given, "statements": [_without(statement, "citations")]},
        {**given, "statements": [{**statement, "citations": [_without(cited, "quote")]}]},
        {**given, "statements": [{**statement, "citations": [{**cited, "document": {}}]}]},
    ]
    for answer in damaged:
        with sqlite3.connect(file) as connection:
            connection.execute("UPDATE answers SET answer = ?", (json.dumps(answer),))
        with pytest.raises(UnavailableError, match=r"row 1 of the history .* is damaged"):
            History(file).records()
