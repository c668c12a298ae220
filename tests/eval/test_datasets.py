"""Datasets are read by line, and what is wrong is named with file and line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from corpus.errors import UsageError
from eval.datasets import load_cases
from eval.types import Case, Evidence

ROW = {
    "id": "a-1", "kind": "lookup", "question": "Who runs the mill?", "history": ["Where is the mill?"],
    "answerable": True,
    "answers": [["Pauline", "Orrin"]], "evidence": [{"document": "mill.md", "quote": "Pauline Orrin runs it."}],
}  # fmt: skip


def written(path: Path, *lines: str) -> Path:
    path.write_bytes("\n".join(lines).encode())
    return path


def test_a_line_becomes_a_case(tmp_path: Path) -> None:
    (case,) = load_cases(written(tmp_path / "d.jsonl", json.dumps(ROW), ""))
    assert case == Case(
        "a-1", "lookup", "Who runs the mill?", ("Where is the mill?",), True, (("Pauline", "Orrin"),),
        (Evidence("mill.md", "Pauline Orrin runs it."),),
    )  # fmt: skip


def test_lines_end_at_newlines_only(tmp_path: Path) -> None:
    quote = "one\u2028two\u2029three\x85four"
    row = json.dumps(ROW | {"evidence": [{"document": "d", "quote": quote}]}, ensure_ascii=False)
    cases = load_cases(written(tmp_path / "d.jsonl", "\ufeff" + row + "\r", "", row.replace("a-1", "a-2")))
    assert [case.id for case in cases] == ["a-1", "a-2"]
    assert {case.evidence[0].quote for case in cases} == {quote}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "not a question in this format"),
        ("[]", "not a question in this format"),
        ("null", "not a question in this format"),
        (json.dumps({k: v for k, v in ROW.items() if k != "question"}), "the field 'question' is missing"),
        (json.dumps({k: v for k, v in ROW.items() if k != "answerable"}), "the field 'answerable' is missing"),
        (json.dumps(ROW | {"evidence": [{"document": "d"}]}), "the field 'quote' is missing"),
        (json.dumps(ROW | {"answers": 7}), "not a question in this format"),
    ],
)
def test_a_broken_line_is_named(line: str, reason: str, tmp_path: Path) -> None:
    path = written(tmp_path / "d.jsonl", json.dumps(ROW), "", line)
    with pytest.raises(UsageError) as refused:
        load_cases(path)
    assert str(refused.value).startswith(f"{path}:3: {reason}")


def test_an_id_twice_an_empty_file_and_no_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"d\.jsonl' has an id twice: 'a-1'"):
        load_cases(written(tmp_path / "d.jsonl", json.dumps(ROW), json.dumps(ROW)))
    with pytest.raises(UsageError, match=r"e\.jsonl' holds no questions"):
        load_cases(written(tmp_path / "e.jsonl", "", " "))
    with pytest.raises(UsageError, match=r"f\.jsonl' can't be read: .*No such file"):
        load_cases(tmp_path / "f.jsonl")
    (tmp_path / "g.jsonl").write_bytes(b"\xff\xfe{}")
    with pytest.raises(UsageError, match=r"g\.jsonl' can't be read"):
        load_cases(tmp_path / "g.jsonl")


def test_the_sample_questions_load() -> None:
    cases = load_cases(Path(__file__).parents[2] / "eval" / "datasets" / "samples.jsonl")
    assert len(cases) == 40
    assert sum(not case.answerable for case in cases) == 10
