"""Judgements are kept, listed, taken back, and make evaluation cases."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from assistant.api import Assistant
from assistant.cli import main
from assistant.records.conversations import Conversations
from assistant.records.feedback import MOST_REASON_CHARACTERS, FeedbackLog
from assistant.records.history import History
from corpus.errors import UsageError
from embeddings.hashing import HashingEmbedder
from embeddings.types import Where
from eval import run
from eval.datasets import load

COST = "How much did the repairs to the roof cost?"
OPENING = "When does the Marram Museum open?"
LEEDS = "Who is the mayor of Leeds?"
Opened = Callable[..., Assistant]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "h.sqlite3"


@pytest.fixture
def desk(museum: Path, file: Path) -> Any:
    with Assistant.open(museum, embedder=HashingEmbedder(), reranker=None, history=file) as opened:
        yield opened


def place(answer: Any, number: int = 0) -> tuple[int, int, int]:
    cited = [c for statement in answer.shown for c in statement.citations][number]
    return cited.number, cited.start, cited.end


def test_judgements_are_listed_in_order_and_a_later_one_replaces_the_earlier(desk: Assistant) -> None:
    cost, leeds = desk.ask(COST), desk.ask(LEEDS)
    log = desk.feedback
    assert log.listed() == []
    log.add(cost.id, "wrong", "It is too high.")
    log.add(leeds.id, "right")
    log.add(cost.id, "citation", " Not there. \x1b[2J", place(cost))
    log.add(cost.id, "right", "I was wrong.")
    log.add(cost.id, "citation", "Nor there.", place(cost))
    given = log.listed()
    assert [(f.answer, f.judgement, f.reason, f.citation, f.question) for f in given] == [
        (leeds.id, "right", "", None, LEEDS),
        (cost.id, "right", "I was wrong.", None, COST),
        (cost.id, "citation", "Nor there.", place(cost), COST),
    ]
    assert [f.given for f in given] == sorted(f.given for f in given)
    assert log.listed(since=given[1].given) == given[1:]
    assert log.listed(since=datetime.now(UTC) + timedelta(1)) == []
    log.remove(cost.id, place(cost))
    log.remove(leeds.id)
    log.remove("unknown")
    assert log.listed() == given[1:2]
    log.add(cost.id, "wrong", "A\x1b[2J \u202ereason")
    assert log.listed()[0].reason == "A␛[2J \ufffdreason"


def test_what_cannot_be_judged_is_told(desk: Assistant) -> None:
    cost = desk.ask(COST)
    for id, judgement, reason, said in (
        ("0" * 24, "right", "", "the answer '0+' isn't kept, or was deleted: ask again"),
        (cost.id[:8], "right", "", "isn't kept"),
        (cost.id, "perhaps", "", "unknown judgement 'perhaps'; known are right, wrong, citation"),
        (cost.id, "citation", "", "it isn't said which citation is wrong"),
        (cost.id, "wrong", "x" * (MOST_REASON_CHARACTERS + 1), "the reason has 2,001 characters"),
        ("\ud800", "right", "", "half of a character"),
    ):
        with pytest.raises(UsageError, match=said):
            desk.feedback.add(id, judgement, reason)  # type: ignore[arg-type]
    assert desk.feedback.listed() == []


def test_judgements_go_and_come_with_their_conversation(desk: Assistant, file: Path) -> None:
    cost = desk.ask(COST, conversation="a")
    desk.feedback.add(cost.id, "right")
    desk.conversations.delete("a")
    assert (desk.feedback.listed(), desk.feedback.cases()) == ([], ([], []))
    with pytest.raises(UsageError, match="was deleted"):
        desk.feedback.add(cost.id, "wrong")
    desk.conversations.restore("a")
    assert [f.judgement for f in desk.feedback.listed()] == ["right"]
    assert desk.ask(COST, conversation="b").id == cost.id  # the same answer, in two conversations
    desk.conversations.delete("a")
    assert desk.conversations.erase() == 1
    assert FeedbackLog(History(file)).listed() == []
    desk.feedback.add(cost.id, "wrong")
    assert [f.judgement for f in FeedbackLog(History(file)).listed()] == ["wrong"]
    desk.conversations.delete("b")
    desk.conversations.erase()
    desk.ask(COST, conversation="c")
    assert desk.feedback.listed() == []


def test_the_same_answer_is_judged_by_each_who_got_it(desk: Assistant) -> None:
    first, second = desk.ask(COST, conversation="a: 1"), desk.ask(COST, conversation="b: 1")
    assert first.id == second.id and first.link and second.link
    desk.feedback.add(first, "right")
    desk.feedback.add(first.id, "wrong", "It was £400,000.")
    desk.feedback.add(first, "citation", "", place(first))
    given = [(1, "right"), (2, "wrong"), (1, "citation")]
    assert [(f.number, f.judgement) for f in desk.feedback.listed()] == given
    ours, theirs = (desk.seen_by(None, conversations=f"{one}: ").feedback for one in "ab")
    assert [(f.number, f.judgement) for f in ours.listed()] == [given[0], given[2]]
    ours.add(first.id, "wrong")  # the newest that is seen here
    ours.remove(first, place(first))
    with pytest.raises(UsageError, match="the answer '2' isn't kept"):
        ours.add(second, "right")
    ours.remove(second)
    assert [(f.number, f.reason) for f in desk.feedback.listed()] == [(2, "It was £400,000."), (1, "")]
    with pytest.raises(UsageError, match="wasn't kept"):
        ours.add(replace(first, link=None), "right")
    assert [json.loads(desk.proof(one))["link"]["number"] for one in (first, 1, second, 2, first.id)] == [1, 1, 2, 2, 2]
    with pytest.raises(UsageError, match="no answer '3'"):
        desk.proof(3)
    desk.conversations.delete("a: 1")
    assert [f.number for f in desk.feedback.listed()] == [2]
    desk.conversations.erase()
    assert ([f.number for f in theirs.listed()], ours.listed()) == ([2], [])


def test_of_an_answer_that_many_judged_one_case_is_made_unless_they_disagree(desk: Assistant) -> None:
    one, other = desk.ask(COST), desk.ask(COST)
    desk.feedback.add(one, "right")
    desk.feedback.add(other, "right")
    (case,), left_out = desk.feedback.cases()
    assert (case["id"], case["kind"], left_out) == (one.id, "right", [])
    desk.feedback.add(other, "wrong")
    cases, (reason,) = desk.feedback.cases()
    assert (cases, reason) == ([], f"{COST!r} was left out: it was judged right and wrong: take one of both back")


def test_judgements_become_cases_that_the_harness_loads_and_runs(desk: Assistant, tmp_path: Path) -> None:
    cost, opening, leeds = desk.ask(COST), desk.ask(OPENING), desk.ask(LEEDS)
    other = desk.ask("When is the museum closed?", [OPENING], where=Where(paths=("opening.md",)))
    for answer, judgement in ((cost, "right"), (leeds, "right"), (other, "wrong")):
        desk.feedback.add(answer.id, judgement, "Because.")
    desk.feedback.add(opening.id, "citation", "It isn't.", place(opening))
    cases, left_out = desk.feedback.cases()
    assert left_out == []
    by_id = {case["id"]: case for case in cases}
    _, start, end = place(cost)
    quote = cost.shown[0].citations[0].quote
    assert by_id[cost.id] == {
        "id": cost.id, "kind": "right", "question": COST, "history": [], "answerable": True,
        "evidence": [{"document": "repairs.txt", "quote": quote, "start": start, "end": end}],
    }  # fmt: skip
    assert (by_id[leeds.id]["answerable"], "evidence" in by_id[leeds.id]) == (False, False)
    cited = {(c.number, c.start, c.end) for s in opening.shown for c in s.citations}
    assert by_id[opening.id]["kind"] == "citation"
    assert len(by_id[opening.id]["evidence"]) == len(cited) - 1
    assert by_id[other.id] == {
        "id": other.id, "kind": "wrong", "question": "When is the museum closed?", "history": [OPENING],
        "answerable": None, "scope": ["opening.md"], "wrong": [" ".join(s.text for s in other.shown)],
    }  # fmt: skip
    path = tmp_path / "cases.jsonl"
    path.write_text("".join(json.dumps(case) + "\n" for case in cases), encoding="utf-8")
    assert [case.id for case in load(path).cases] == [case["id"] for case in cases]
    report = run(path, desk, scorers=["false_answers", "strict_match", "citation_recall[sentence]", "correct"])
    scores = {result.case.id: result.scores for result in report.results}
    assert [result.response.error for result in report.results] == [None] * 4
    assert scores[cost.id]["citation_recall[sentence]"] == 1.0
    assert scores[leeds.id]["false_answers"] == 0.0
    assert (scores[cost.id]["correct"], scores[other.id]["correct"]) == (1.0, 0.0)  # the wrong one is given again


def test_a_wrong_refusal_could_be_answered_and_a_wrong_citation_is_no_evidence_of_a_right_answer(
    desk: Assistant,
) -> None:
    leeds, cost = desk.ask(LEEDS), desk.ask(COST)
    desk.feedback.add(leeds.id, "wrong")
    desk.feedback.add(cost.id, "right")
    desk.feedback.add(cost.id, "citation", "", place(cost))
    (first, second), left_out = desk.feedback.cases()
    assert (first["answerable"], first["kind"], "wrong" in first) == (True, "wrong", False)
    assert (second["answerable"], second["kind"], second["evidence"], left_out) == (None, "citation", [], [])
    later = desk.feedback.listed()[-1].given
    assert desk.feedback.cases(later) == ([second], [])  # with what was said of the same answer before
    assert desk.feedback.cases(later + timedelta(1)) == ([], [])
    desk.feedback.add(cost.id, "wrong")
    assert "evidence" not in desk.feedback.cases()[0][1]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"as_of": date(2024, 12, 31)}, "it was asked as of 2024-12-31"),
        ({"where": Where(tags=("roof",))}, "chosen by tag, date or pattern"),
        ({"where": Where(date_from=date(2020, 1, 1))}, "chosen by tag, date or pattern"),
        ({"where": Where(paths=("*.txt",))}, "chosen by tag, date or pattern"),
    ],
)
def test_what_an_evaluation_cannot_ask_again_is_left_out_with_the_reason(
    asked: dict[str, Any], said: str, desk: Assistant
) -> None:
    answer = desk.ask(COST, **asked)
    desk.feedback.add(answer.id, "right")
    cases, (reason,) = desk.feedback.cases()
    assert cases == []
    assert reason.startswith(f"{COST!r} was left out: ")
    assert said in reason


def test_a_name_with_signs_of_patterns_is_a_name_and_a_day_in_the_question_is_asked_again(desk: Assistant) -> None:
    named = desk.ask(COST, where=Where(paths=("repairs.txt", "odd[[]1].txt")))
    desk.feedback.add(named.id, "right")
    dated = desk.ask("As of December 2024, how much did the repairs to the roof cost?")
    desk.feedback.add(dated.id, "right")
    (first, second), left_out = desk.feedback.cases()
    assert first["scope"] == ["repairs.txt", "odd[1].txt"]
    assert ("scope" in second, left_out) == (False, [])


def test_the_command_lists_and_exports(museum: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    index = shutil.copytree(museum, tmp_path / "index")
    command = ["feedback", "--index", str(index)]
    assert main(command) == 0
    assert capsys.readouterr().out == "Nothing was judged yet.\n"
    with Assistant.open(index, embedder=HashingEmbedder(), reranker=None) as desk:
        cost, leeds = desk.ask(COST), desk.ask(LEEDS, as_of=date(2020, 1, 1))
        desk.feedback.add(cost.id, "citation", "Not\nthere.", place(cost))
        desk.feedback.add(leeds.id, "right")
    assert main(command) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0].startswith(cost.id)
    assert out[0].endswith(f"citation [1] wrong: {COST}")
    assert (out[1], out[2].rpartition("  ")[2]) == ("    Not there.", f"right: {LEEDS}")
    assert main([*command, "--json"]) == 0
    first, second = json.loads(capsys.readouterr().out)
    assert (first["citation"]["number"], first["reason"], second["citation"]) == (1, "Not\nthere.", None)
    assert main([*command, "--since", "2999-01-01"]) == 0
    assert capsys.readouterr().out == "Nothing was judged yet.\n"
    path = tmp_path / "cases.jsonl"
    assert main([*command, "export", "--out", str(path)]) == 0
    out, err = capsys.readouterr()
    assert (out, [case.id for case in load(path).cases]) == ("", [cost.id])
    assert f"{LEEDS!r} was left out: it was asked as of 2020-01-01" in err
    assert err.endswith("1 cases, 1 left out\n")
    assert main(["feedback", "export", "--index", str(index)]) == 0
    assert capsys.readouterr().out == path.read_text(encoding="utf-8")
    assert main([*command, "export", "--out", str(tmp_path / "cases.jsonl" / "x")]) == 3
    assert "can't be written" in capsys.readouterr().err


def test_nothing_is_made_where_nothing_was_asked(tmp_path: Path) -> None:
    log = FeedbackLog(History(tmp_path / "h"))
    assert log.listed() == []
    log.remove("a")
    with pytest.raises(UsageError, match="isn't kept"):
        log.add("a", "right")
    assert Conversations(History(tmp_path / "h")).erase() == 0
    assert list(tmp_path.iterdir()) == []
