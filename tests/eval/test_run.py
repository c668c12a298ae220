"""Running a dataset: every case is asked with its history, and a failing one is a result."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.api import Assistant
from assistant.types import Prompt
from corpus.errors import ModelUnavailable, UnavailableError
from embeddings.hashing import HashingEmbedder
from eval.run import run, write_answers
from eval.scorers import score
from eval.types import Case, CaseResult, Evidence

ROOT = Path(__file__).parents[2]
SENTENCE = "Hire of the hall at Skell costs £30 an hour."


def case(identifier: str, question: str, *history: str) -> Case:
    return Case(identifier, "lookup", question, history, True, (("£30",),), (Evidence("hall.txt", SENTENCE),))


CASES = [
    case("1", "How much does hire of the hall cost?"),
    case("2", ""),
    case("3", "How much does it cost?", "Who hires Skell?"),
]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("run")
    (root / "documents").mkdir()
    (root / "documents" / "hall.txt").write_text(f"About the hall\n\n{SENTENCE} Bring a coat.\n", encoding="utf-8")
    Assistant.build(root / "documents", index=root / "index", embedder="hashing")
    return root / "index"


def test_every_case_is_a_result_in_order(index: Path) -> None:
    seen: list[CaseResult] = []
    with Assistant.open(index, embedder=HashingEmbedder(), reranker=None) as desk:
        results = run(desk, CASES, seen.append)
    assert seen == results
    assert [r.case.id for r in results] == ["1", "2", "3"]
    assert [r.error is None for r in results] == [True, False, True]
    assert results[0].answer is not None
    assert results[0].answer["text"] == f"{SENTENCE} [1]"
    assert results[1].answer is None
    assert "the question is empty" in (results[1].error or "")
    assert results[2].answer is not None
    assert results[2].answer["standalone_question"].endswith("Skell cost?")
    assert all(r.seconds > 0 for r in results)
    facts = next(s for s in score(results) if s.name == "facts")
    assert (facts.value, facts.cases) == (pytest.approx(2 / 3), 3)


class Flaky:
    """Fails at its second question."""

    name = "flaky"
    asked = 0

    def generate(self, prompt: Prompt) -> Iterator[str]:
        self.asked += 1
        if self.asked == 2:
            raise ModelUnavailable("the model went away")
        yield f"{SENTENCE} [1]"

    def close(self) -> None:
        return


def test_a_generator_that_fails_once_loses_one_question(index: Path) -> None:
    with Assistant.open(index, generator=Flaky(), embedder=HashingEmbedder(), reranker=None) as desk:
        results = run(desk, [case(str(n), "How much does hire of the hall cost?") for n in range(3)])
    assert [r.error for r in results] == [None, "the model went away", None]
    assert [s.value for s in score(results) if s.name == "false_refusals"] == [pytest.approx(1 / 3)]


def test_a_folder_that_is_missing_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match=r"can't be written to .*No such file"):
        write_answers([], tmp_path / "no" / "answers.jsonl")


def test_the_command_prints_scores_and_writes_answers(index: Path, tmp_path: Path) -> None:
    dataset = tmp_path / "d.jsonl"
    row = {"id": "1", "question": CASES[0].question, "answerable": True, "answers": [["£30"]],
           "evidence": [{"document": "hall.txt", "quote": SENTENCE}]}  # fmt: skip
    dataset.write_text(json.dumps(row) + "\n", encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "eval",
        dataset,
        "--index",
        index,
        "--reranker",
        "none",
        "--out",
        tmp_path / "a.jsonl",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lines = {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines()}
    assert lines["facts"] == ["1.000", "95", "%", "1.000", "to", "1.000", "over", "1"]
    assert "false_answers" not in lines
    assert json.loads((tmp_path / "a.jsonl").read_text(encoding="utf-8"))["text"] == f"{SENTENCE} [1]"
    wrong = subprocess.run([*command[:3], tmp_path / "none.jsonl"], cwd=ROOT, capture_output=True, text=True)
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert wrong.stderr.count("\n") == 1
