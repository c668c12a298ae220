"""Two runs over the same questions."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from assistant.api import Assistant
from corpus.errors import UsageError
from eval import compare, run, score
from eval.tables import render_comparison, render_scores
from eval.types import Report

GOLD: list[dict[str, Any]] = [
    {"id": str(n), "question": f"How many, {n}?", "answerable": n < 6, "answers": [["640"]] if n < 6 else []}
    for n in range(8)
]


def scored(folder: Path, name: str, *texts: str, **others: Any) -> Report:
    """A run in `folder/name` of answers with those texts; an empty one refuses."""
    gold, answers = folder / "gold.jsonl", folder / f"{name}.jsonl"
    gold.write_text("".join(json.dumps(row) + "\n" for row in GOLD), encoding="utf-8")
    rows = [{"id": str(n), "text": text, "refused": not text, "confidence": 0.5} for n, text in enumerate(texts)]
    answers.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return score(answers, gold, out=folder / name, **others)


def test_paired_differences_and_changed_questions(tmp_path: Path) -> None:
    first = scored(tmp_path, "a", *["640 metres."] * 2, *["Long."] * 4, "", "640")
    second = scored(tmp_path, "b", *["640 metres."] * 5, "Long.", "", "")
    found = compare(tmp_path / "a", tmp_path / "b")
    by_name = {one.name: one for one in found.differences}
    facts = by_name["facts"]
    assert (facts.first, facts.second, facts.difference) == pytest.approx((2 / 6, 5 / 6, 0.5))
    assert facts.cases == 6
    assert facts.p == pytest.approx(0.25, abs=0.02)  # three questions changed, all for the better: 2 of 8
    assert by_name["refusal_f1"].difference == pytest.approx(1.0 - 2 / 3)
    assert by_name["false_answers"].difference == pytest.approx(-0.5)
    assert [c.first.case.id for c in found.changes] == ["2", "3", "4", "7"]
    assert "facts" in found.changes[0].scores
    assert compare(first, second).differences == found.differences


def test_a_run_equals_itself(tmp_path: Path) -> None:
    run = scored(tmp_path, "a", *["640"] * 8)
    found = compare(run, run)
    assert found.changes == ()
    assert {one.difference for one in found.differences} == {0.0}
    assert {one.p for one in found.differences} == {1.0}


def test_runs_of_other_questions_or_measures_are_refused(tmp_path: Path) -> None:
    run = scored(tmp_path, "a", *["640"] * 8, scorers=["facts"])
    other = scored(tmp_path, "b", *["640"] * 8, scorers=["words"])
    with pytest.raises(UsageError, match="no measure in common"):
        compare(run, other)
    GOLD[0]["question"] = "Something else?"
    try:
        strange = scored(tmp_path, "c", *["640"] * 8)
    finally:
        GOLD[0]["question"] = "How many, 0?"
    with pytest.raises(UsageError, match="the runs are of different questions"):
        compare(run, strange)
    with pytest.raises(UsageError, match="holds no finished run"):
        compare(run, tmp_path)


def test_what_is_printed(tmp_path: Path) -> None:
    first = scored(tmp_path, "a", "Wet \x1b[31mpaint\x1b[0m [link=x]y[/link]", *["640"] * 7)
    second = scored(tmp_path, "b", *["640"] * 8)
    shown = render_comparison(compare(first, second), 10)
    assert "1 of 8 questions changed" in shown
    assert "\x1b" not in shown
    assert "[link=x]y[/link]" in shown
    assert "facts 0.000 → 1.000" in " ".join(shown.split())
    line = next(line for line in shown.splitlines() if line.startswith("facts"))
    assert line.split()[:4] == ["facts", "0.833", "1.000", "+0.167"]
    assert "gold.jsonl: 8 questions" in render_scores(first)
    assert next(line for line in render_scores(first).splitlines() if line.startswith("facts")).endswith("over 6")
    assert "attack_success" not in render_scores(first)


def test_a_run_of_ours_is_compared_with_scored_answers(
    desk: Assistant, dataset: Callable[..., Path], tmp_path: Path
) -> None:
    questions = dataset("1", "2", "3")
    run(questions, desk, out=tmp_path / "ours")
    answers = tmp_path / "theirs.jsonl"
    rows = [{"id": str(n), "text": "It costs £30 an hour." if n < 3 else "Who knows?"} for n in (1, 2, 3)]
    answers.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    score(answers, questions, out=tmp_path / "theirs")
    found = compare(tmp_path / "ours", tmp_path / "theirs")
    facts = next(one for one in found.differences if one.name == "facts")
    assert (facts.first, facts.second, facts.difference) == pytest.approx((1.0, 2 / 3, -1 / 3))
    again = score(tmp_path / "ours" / "results.jsonl", questions)
    assert {one.difference for one in compare(tmp_path / "ours", again).differences} == {0.0}


def test_every_figure_compared_is_that_of_the_report(tmp_path: Path) -> None:
    names = ["citation_recall[alce,lexical]", "conditioned[citation_recall[alce,lexical]]", "refusal_f1", "facts"]
    first = scored(tmp_path, "a", *["640 metres [1]."] * 4, *["Long."] * 2, "", "640", scorers=names)
    second = scored(tmp_path, "b", *["640 metres."] * 5, "Long.", "", "", scorers=names)
    values = [{s.name: s.value for s in run.scores} for run in (first, second)]
    whole = [one for one in compare(tmp_path / "a", tmp_path / "b").differences if one.cases == 8]
    assert {one.name for one in whole} >= {"conditioned[citation_recall[alce,lexical]]", "refusal_f1"}
    for one in whole:
        assert (one.first, one.second) == pytest.approx((values[0][one.name], values[1][one.name])), one.name
