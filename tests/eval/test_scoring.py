"""Scoring answers from a file, and the folder of a run."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from corpus.errors import UnavailableError, UsageError
from eval import score
from eval.datasets import load
from eval.scoring import read_run
from eval.thresholds import Threshold

WALL, COST = "The wall is 640 metres long.", "Each camera costs £18,000."
GOLD: list[dict[str, Any]] = [
    {"id": "1", "kind": "lookup", "question": "How long is it?", "answerable": True, "answers": [["640"]],
     "evidence": [{"document": "wall.txt", "quote": WALL}]},
    {"id": "2", "kind": "lookup", "question": "What does it cost?", "answerable": True, "answers": [["£18,000"]],
     "evidence": [{"document": "cost.txt", "quote": COST}], "relevant": {"cost.txt": 1}},
    {"id": "3", "kind": "silent", "question": "Who is the mayor?", "answerable": False},
    {"id": "4", "kind": "silent", "question": "What is the moon?", "answerable": False},
]  # fmt: skip
PASSAGES = [{"document": "wall.txt", "text": WALL}, {"document": "cost.txt", "text": COST, "title": "Cameras"}]
ANSWERS: list[dict[str, Any]] = [
    {"id": "1", "text": f"{WALL} [1]", "passages": PASSAGES, "confidence": 0.9, "seconds": 0.5},
    {"id": "2", "text": f"{WALL} [1][7]", "passages": PASSAGES, "confidence": 0.8, "ranking": ["wall.txt", "cost.txt"]},
    {"id": "3", "text": "The documents don't say.", "refused": True, "confidence": 0.1},
    {"id": "4", "error": "timed out after 30 s"},
]


def written(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def gold(tmp_path: Path) -> Path:
    return written(tmp_path / "gold.jsonl", GOLD)


@pytest.fixture
def answers(tmp_path: Path) -> Path:
    return written(tmp_path / "answers.jsonl", ANSWERS)


def test_answers_of_any_system_are_scored(gold: Path, answers: Path) -> None:
    report = score(answers, gold)
    values = {one.name: one.value for one in report.scores}
    assert values["facts"] == 0.5
    assert values["citation_precision[sentence]"] == 0.5  # 1 of 1, then 0 of 2
    assert values["citation_resolution"] == pytest.approx(0.75)  # 1 of 1, then 1 of 2
    assert values["false_answers"] == 0.5  # the crash counts as one
    assert values["refusal_recall"] == 0.5
    assert values["RR"] == 0.5
    assert values["attack_success"] is None
    assert {kind: [s.value for s in scores if s.name == "facts"] for kind, scores in report.kinds.items()} == {
        "lookup": [0.5], "silent": [None],
    }  # fmt: skip
    assert [r.scores["facts"] for r in report.results] == [1.0, 0.0, None, None]
    assert report.dataset["cases"] == 4
    assert report.system == {"answers": "answers.jsonl"}


def test_the_same_answers_give_the_same_bytes(gold: Path, answers: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        score(answers, gold, out=tmp_path / name)
    a, b = ({p.name: p.read_bytes() for p in (tmp_path / name).iterdir()} for name in ("a", "b"))
    assert a == b
    assert a.keys() == {"results.jsonl", "report.json", "report.html", "ranking.trec", "qrels.trec"}


def test_a_run_reads_back_and_its_results_are_answers(gold: Path, answers: Path, tmp_path: Path) -> None:
    report = score(answers, gold, out=tmp_path / "run", thresholds=[Threshold("facts", 0.9, True)])
    assert read_run(tmp_path / "run") == report
    assert report.thresholds[0]["met"] is False
    again = score(tmp_path / "run" / "results.jsonl", gold)
    assert again.scores == report.scores


def test_only_the_named_scorers(gold: Path, answers: Path) -> None:
    report = score(answers, gold, scorers=["MRR", "citation_f1[alce,lexical]"])
    assert [one.name for one in report.scores] == ["RR", "citation_f1[alce,lexical]"]
    with pytest.raises(UsageError, match="there is no scorer 'fact'"):
        score(answers, gold, scorers=["fact"])


def test_missing_and_strange_answers_are_named_with_file_and_line(gold: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"gold\.jsonl:4: 'a\.jsonl' has no answer to the question '4'"):
        score(written(tmp_path / "a.jsonl", ANSWERS[:3]), gold)
    strange = [*ANSWERS, {"id": "zebra", "text": ""}]
    with pytest.raises(UsageError, match=r"a\.jsonl:5: the data set 'gold\.jsonl' has no question 'zebra'"):
        score(written(tmp_path / "a.jsonl", strange), gold)


def test_nothing_is_written_over(gold: Path, answers: Path, tmp_path: Path) -> None:
    score(answers, gold, out=tmp_path / "run")
    with pytest.raises(UsageError, match="holds a finished run"):
        score(answers, gold, out=tmp_path / "run")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    with pytest.raises(UsageError, match=r"holds 'letter\.txt', which is no part of a run"):
        score(answers, gold, out=tmp_path / "mine")
    (tmp_path / "file").write_text("")
    with pytest.raises(UnavailableError, match="can't be made"):
        score(answers, gold, out=tmp_path / "file")


def test_a_half_written_folder_is_no_run_and_is_written_again(gold: Path, answers: Path, tmp_path: Path) -> None:
    whole = score(answers, gold, out=tmp_path / "run")
    (tmp_path / "run" / "report.json").unlink()
    with pytest.raises(UsageError, match=r"holds no finished run: there is no report\.json"):
        read_run(tmp_path / "run")
    score(answers, gold, out=tmp_path / "run")
    assert read_run(tmp_path / "run") == whole


@pytest.mark.parametrize(
    ("name", "change", "reason"),
    [
        ("report.json", lambda text: text.replace('"format": 1', '"format": 99'), "is of format 99, not 1"),
        ("report.json", lambda text: text[:-20], "is no report of a run"),
        ("report.json", lambda text: "[]", "is no report of a run"),
        ("report.json", lambda text: text.replace('"scores"', '"marks"'), "is no report of a run"),
        ("results.jsonl", lambda text: text[: text.rindex("{")], "results.jsonl"),
        (
            "results.jsonl",
            lambda text: text.replace('"case"', '"matter"', 1),
            "results.jsonl' isn't what the run wrote",
        ),
        (
            "results.jsonl",
            lambda text: "".join(text.splitlines(keepends=True)[:2]),
            "results.jsonl' isn't what the run wrote",
        ),
    ],
)
def test_a_damaged_run_is_named(gold: Path, answers: Path, tmp_path: Path, name: str, change: Any, reason: str) -> None:
    score(answers, gold, out=tmp_path / "run")
    path = tmp_path / "run" / name
    path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(UsageError, match=reason):
        read_run(tmp_path / "run")


def test_responses_can_be_given_as_they_are(gold: Path, answers: Path) -> None:
    from_file = score(answers, gold)
    dataset = load(gold)
    given = {r.response.id: replace(r.response, place="") for r in from_file.results}
    assert score(given, dataset).scores == from_file.scores


def test_the_folder_of_an_unfinished_run_is_left_alone(gold: Path, answers: Path, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.json").write_text("{}")
    with pytest.raises(UsageError, match="holds an unfinished run: go on with it"):
        score(answers, gold, out=tmp_path / "run")
    assert {p.name for p in (tmp_path / "run").iterdir()} == {"run.json"}


def test_what_an_earlier_scoring_left_behind_is_no_part_of_the_run(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "qrels.trec").write_text("of something else")
    bare = written(tmp_path / "bare.jsonl", [{k: v for k, v in row.items() if k != "relevant"} for row in GOLD])
    score(written(tmp_path / "a.jsonl", ANSWERS), bare, out=tmp_path / "run")
    assert {p.name for p in (tmp_path / "run").iterdir()} == {"results.jsonl", "report.json", "report.html"}


def test_the_page_says_what_the_judge_thinks_of_each_statement(gold: Path, answers: Path, tmp_path: Path) -> None:
    score(answers, gold, out=tmp_path / "run")
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert page.count("lexical: fully supported") == 1
    assert page.count("lexical: invented citation: not supported") == 1
    score(answers, gold, out=tmp_path / "plain", scorers=["facts"])
    assert "lexical:" not in (tmp_path / "plain" / "report.html").read_text(encoding="utf-8")
