"""`assistant eval` and `python -m eval` as a shell sees them."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SENTENCE = "Hire of the hall at Skell costs £30 an hour."
Written = Callable[..., Path]


def evaluated(*arguments: object, module: str = "assistant") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", module, *(["eval"] if module == "assistant" else []), *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def asked(dataset: Path, hall: Path, *more: object, module: str = "assistant") -> subprocess.CompletedProcess[str]:
    return evaluated(dataset, "--index", hall, "--reranker", "none", *more, module=module)


@pytest.mark.parametrize("module", ["assistant", "eval"])
def test_a_data_set_is_asked_printed_and_kept(module: str, dataset: Written, hall: Path, tmp_path: Path) -> None:
    done = asked(dataset("1", "2"), hall, "--out", tmp_path / "run", module=module)
    assert done.returncode == 0, done.stderr
    lines = {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines()}
    assert lines["questions.jsonl:"] == ["2", "questions"]
    assert lines["facts"] == ["1.000", "95", "%", "0.342", "to", "1.000", "over", "2"]
    assert "false_answers" not in lines
    assert "report.html" in done.stderr
    assert {p.name for p in (tmp_path / "run").iterdir()} == {"results.jsonl", "report.json", "report.html"}
    assert not (hall / "history.sqlite3").exists()  # it wasn't a conversation


def test_a_missed_threshold_exits_with_1(dataset: Written, hall: Path, tmp_path: Path) -> None:
    bounds = tmp_path / "bounds.toml"
    bounds.write_text("[at_least]\nfacts = 1.0\n[at_most]\nwords = 3\n", encoding="utf-8")
    done = asked(dataset("1"), hall, "--thresholds", bounds, "--json")
    assert done.returncode == 1
    report = json.loads(done.stdout)
    assert [one["met"] for one in report["thresholds"]] == [True, False]
    assert "1 of 2 bounds" in done.stderr
    bounds.write_text("[at_least]\nfacts = 1.0\n", encoding="utf-8")
    assert asked(dataset("1"), hall, "--thresholds", bounds).returncode == 0


def test_saved_answers_are_scored_and_runs_compared(dataset: Written, tmp_path: Path) -> None:
    gold, answers = dataset("1", "2"), tmp_path / "answers.jsonl"
    for name, texts in {
        "a": ("It costs £30 [1].", "Who knows?"),
        "b": ("It costs £30 [1].", f"{SENTENCE} [1]"),
    }.items():
        passages = [{"document": "hall.txt", "text": SENTENCE}]
        rows = [{"id": str(n), "text": text, "passages": passages} for n, text in enumerate(texts, 1)]
        answers.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        done = evaluated("score", answers, "--gold", gold, "--out", tmp_path / name, "--scorers", "facts MRR words")
        assert done.returncode == 0, done.stderr
        assert [line.split()[0] for line in done.stdout.splitlines()] == ["questions.jsonl:", "facts", "words"]
    done = evaluated("compare", tmp_path / "a", tmp_path / "b")
    assert done.returncode == 0, done.stderr
    assert "1 of 2 questions changed" in done.stdout
    values = json.loads(evaluated("compare", tmp_path / "a", tmp_path / "b", "--json").stdout)
    assert values["changes"][0]["answers"] == ["Who knows?", f"{SENTENCE} [1]"]
    assert {one["name"]: one["difference"] for one in values["differences"]}["facts"] == 0.5


def test_a_judge_is_measured(tmp_path: Path) -> None:
    path = tmp_path / "labelled.jsonl"
    rows = [
        {"claim": SENTENCE, "premise": f"{SENTENCE} Bring a coat.", "label": True},
        {"claim": "The mayor sold the bridge to a duke.", "premise": SENTENCE, "label": False},
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    done = evaluated("judge", path, "--json")
    assert done.returncode == 0, done.stderr
    values: dict[str, Any] = json.loads(done.stdout)
    assert values["pairs"] == 2
    assert "1.000" in evaluated("judge", path).stdout


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["none.jsonl"], "can't be read"),
        (["README.md"], "README.md:1"),
        (["eval/datasets/samples.jsonl", "--scorers", "fact"], "there is no scorer 'fact'"),
        (["eval/datasets/samples.jsonl", "--judge", "oracle"], "'oracle'"),
        (["eval/datasets/samples.jsonl", "--judge", "lexical", "--scorers", "facts"], "leave out --judge"),
        (["eval/datasets/samples.jsonl", "--format", "xml"], "'xml'"),
        (["eval/datasets/samples.jsonl", "--thresholds", "none.toml"], "none.toml"),
        (["score", "none.jsonl", "--gold", "eval/datasets/samples.jsonl"], "none.jsonl"),
        (["compare", "docs", "docs"], "holds no finished run"),
        (["judge", "none.jsonl"], "none.jsonl"),
    ],
)
def test_what_is_wrong_is_one_line(arguments: list[str], reason: str) -> None:
    done = evaluated(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert reason in done.stderr


def test_help_names_the_commands_and_waits_for_no_model() -> None:
    done = evaluated("--help")
    assert done.returncode == 0
    for word in ("score", "compare", "judge", "DATASET"):
        assert word in done.stdout
    assert "eval" in subprocess.run(
        [sys.executable, "-m", "assistant", "--help"], cwd=ROOT, capture_output=True, text=True
    ).stdout  # fmt: skip


def test_a_terminal_sees_a_bar_with_the_time_left(dataset: Written, hall: Path) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "assistant", "eval", dataset(*"123"), "--index", hall, "--reranker", "none"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=theirs, text=True) as child:
        os.close(theirs)
        shown = b""
        while True:
            try:
                piece = os.read(ours, 4096)
            except OSError:
                break
            shown += piece
        assert child.wait() == 0
    os.close(ours)
    assert b"Asking" in shown and b"3/3" in shown and b"left:" in shown
