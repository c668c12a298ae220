"""Running a data set: every case is asked with its history, failures are results, and interruptions lose nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from assistant.api import Assistant
from assistant.types import Prompt
from corpus.errors import ModelUnavailable, UsageError
from eval import run
from eval.adapters import file_name
from eval.corpora import index_documents
from eval.datasets import load
from eval.scoring import read_run
from eval.types import Case, Dataset, Report, Source

SENTENCE = "Hire of the hall at Skell costs £30 an hour."
Written = Callable[..., Path]
Made = Callable[..., dict[str, Any]]


def values(report: Report) -> dict[str, float | None]:
    return {one.name: one.value for one in report.scores}


class Counting:
    """Quotes the sentence, counts the questions, and fails or is interrupted where it is told to."""

    name = "counting"

    def __init__(self, fails: dict[int, BaseException] | None = None) -> None:
        self.asked = 0
        self._fails = fails or {}

    def generate(self, prompt: Prompt) -> Iterator[str]:
        self.asked += 1
        if self.asked in self._fails:
            raise self._fails[self.asked]
        yield f"{SENTENCE} [1]"

    def close(self) -> None:
        return


def test_every_case_is_a_result_in_order(desk: Assistant, dataset: Written, question: Made) -> None:
    seen: list[tuple[int, int]] = []
    rows = ["1", question("2", " ? " + "x" * 20_000), question("3", "How much is it?", history=["Who hires Skell?"])]
    report = run(dataset(*rows), desk, progress=lambda *done: seen.append(done))
    first, second, third = (r.response for r in report.results)
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert first.text == f"{SENTENCE} [1]"
    assert first.citations[0].passage is not None
    assert (first.refused, first.error, first.tokens) == (False, None, 14)
    assert second.error is not None and "at most" in second.error
    assert third.text == first.text
    assert values(report)["facts"] == pytest.approx(2 / 3)
    assert values(report)["citation_f1[character]"] == pytest.approx(2 / 3)
    assert values(report)["quote_exactness"] == 1.0
    assert report.system["generator"] == "extractive"
    assert all(r.response.seconds and r.response.seconds > 0 for r in report.results)


def test_a_generator_that_fails_once_loses_one_question(open_hall: Callable[..., Assistant], dataset: Written) -> None:
    fails = {2: ModelUnavailable("the model went away"), 3: ZeroDivisionError("division by zero")}
    with open_hall(Counting(fails)) as desk:
        report = run(dataset("1", "2", "3"), desk)
    errors = [r.response.error for r in report.results]
    told = "the generator 'counting' failed with ZeroDivisionError: division by zero"
    assert errors == [None, "the model went away", told]
    assert values(report)["false_refusals"] == pytest.approx(2 / 3)


def test_an_interrupted_run_goes_on_where_it_was(
    open_hall: Callable[..., Assistant], dataset: Written, tmp_path: Path
) -> None:
    path, folder = dataset(*"12345"), tmp_path / "run"
    broken = Counting({3: KeyboardInterrupt()})
    with open_hall(broken) as desk, pytest.raises(KeyboardInterrupt):
        run(path, desk, out=folder)
    assert {p.name for p in folder.iterdir()} == {"run.json", "answers.jsonl"}
    journal = folder / "answers.jsonl"
    journal.write_bytes(journal.read_bytes() + b'{"id": "3", "te')  # as a kill in the middle of a line leaves it
    again = Counting()
    with open_hall(again) as desk:
        report = run(path, desk, out=folder)
    assert again.asked == 3
    assert [r.response.id for r in report.results] == list("12345")
    assert {p.name for p in folder.iterdir()} == {"results.jsonl", "report.json", "report.html"}
    assert read_run(folder) == report


def test_an_unfinished_run_of_another_kind_is_refused(
    open_hall: Callable[..., Assistant], dataset: Written, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    with open_hall(Counting({2: KeyboardInterrupt()})) as desk, pytest.raises(KeyboardInterrupt):
        run(dataset("1", "2"), desk, out=folder)
    with open_hall() as desk:
        with pytest.raises(UsageError, match=r"unfinished run of another kind \(system differ"):
            run(dataset("1", "2"), desk, out=folder)
        with pytest.raises(UsageError, match=r"\(digest, cases, system differ"):
            run(dataset("1", "2", "3"), desk, out=folder)
    (folder / "run.json").write_text("{")
    with open_hall(Counting()) as desk, pytest.raises(UsageError, match=r"run\.json' is damaged"):
        run(dataset("1", "2"), desk, out=folder)


def test_a_damaged_journal_is_named(open_hall: Callable[..., Assistant], dataset: Written, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with open_hall(Counting({2: KeyboardInterrupt()})) as desk, pytest.raises(KeyboardInterrupt):
        run(dataset("1", "2"), desk, out=folder)
    for line, reason in (
        (b"not JSON", "not JSON"),
        (b"[1, 2]", "stands where a JSON object"),
        (b"{}", "'id' is missing"),
    ):
        (folder / "answers.jsonl").write_bytes(line + b"\n")
        with open_hall(Counting()) as desk, pytest.raises(UsageError, match=rf"answers\.jsonl:1: .*{reason}.*damaged"):
            run(dataset("1", "2"), desk, out=folder)


def test_gold_that_is_not_in_the_index_stops_the_run_before_it_begins(
    desk: Assistant, dataset: Written, question: Made
) -> None:
    strange = question("2", evidence=[{"document": "hall.txt", "quote": "The hall is on the moon."}])
    with pytest.raises(UsageError, match=r"questions\.jsonl:2: the gold quote .* isn't in the document 'hall\.txt'"):
        run(dataset("1", strange), desk)
    lost = question("2", evidence=[{"document": "mill.txt", "quote": "x"}])
    with pytest.raises(UsageError, match=r"questions\.jsonl:2: the document 'mill\.txt' isn't indexed"):
        run(dataset("1", lost), desk)


def test_the_scope_of_a_case_is_all_that_is_searched(tmp_path: Path, dataset: Written) -> None:
    sources = tuple(Source(f"hall[{n}]*", "", f"Hire of the hall at Skell costs £{n}0 an hour.") for n in (3, 4))
    cases = tuple(
        Case(str(n), "", "How much does hire of the hall cost?", answerable=True, scope=(file_name(sources[n].id),))
        for n in range(2)
    )
    made = Dataset("halls", "0", cases, sources)
    index = index_documents(made, tmp_path / "halls", "hashing")
    with Assistant.open(index, reranker=None) as desk:
        report = run(made, desk)
    assert ["£30" in r.response.text for r in report.results] == [True, False]
    assert ["£40" in r.response.text for r in report.results] == [False, True]
    assert [{p.id for p in r.response.passages} for r in report.results] == [{sources[0].id}, {sources[1].id}]


def test_questions_that_are_only_searched_get_rankings(desk: Assistant) -> None:
    cases = tuple(
        Case(str(n), "", "hire of the hall", relevant=((name, 1),)) for n, name in enumerate(["hall.txt", "x"])
    )
    report = run(Dataset("searched", "0", cases, task="search"), desk)
    assert [r.response.ranking for r in report.results] == [(("hall.txt", 1.0),)] * 2
    assert values(report)["nDCG@10"] == 0.5
    assert values(report)["facts"] is None


def test_a_copy_of_the_gold_document_is_as_good(tmp_path: Path, dataset: Written) -> None:
    text = f"About the hall\n\n{SENTENCE} Bring a coat.\n"
    (tmp_path / "d").mkdir()
    for name in ("hall.txt", "again.txt"):
        (tmp_path / "d" / name).write_text(text, encoding="utf-8")
    Assistant.build(tmp_path / "d", index=tmp_path / "i", embedder="hashing")
    with Assistant.open(tmp_path / "i", embedder="hashing", reranker=None) as desk:
        report = run(dataset("1"), desk)
    for level in ("document", "passage", "sentence", "character"):
        assert values(report)[f"citation_f1[{level}]"] > 0
    assert {name for name, _ in report.results[0].response.ranking or ()} == {"hall.txt", "again.txt"}


def test_patterns_in_the_path_of_a_scope_are_letters(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    for name, price in (("c[1].txt", 30), ("c1.txt", 40)):
        (tmp_path / "d" / name).write_text(f"Hire of the hall at Skell costs £{price} an hour.\n", encoding="utf-8")
    Assistant.build(tmp_path / "d", index=tmp_path / "i", embedder="hashing")
    case = Case("1", "", "How much does hire of the hall cost?", answerable=True, scope=("c[1].txt",))
    with Assistant.open(tmp_path / "i", embedder="hashing", reranker=None) as desk:
        report = run(Dataset("made", "0", (case,)), desk)
    assert {p.document for p in report.results[0].response.passages} == {"c[1].txt"}


def test_a_run_that_another_process_finished_meanwhile_is_not_asked_again(
    open_hall: Callable[..., Assistant], dataset: Written, tmp_path: Path
) -> None:
    path, folder = dataset("1"), tmp_path / "run"
    with open_hall() as desk:
        run(path, desk, out=folder)
    before = {p.name: p.read_bytes() for p in folder.iterdir()}
    again = Counting()
    with open_hall(again) as desk, pytest.raises(UsageError, match="holds a finished run"):
        run(path, desk, out=folder)
    assert again.asked == 0
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before


CHILD = """
import sys, time
from assistant.api import Assistant
from embeddings.hashing import HashingEmbedder
from eval import run

class Slow:
    name = "slow"
    def generate(self, prompt):
        time.sleep(0.05)
        yield "Hire of the hall at Skell costs £30 an hour. [1]"
    def close(self):
        pass

index, questions, out, history = sys.argv[1:]
with Assistant.open(index, generator=Slow(), embedder=HashingEmbedder(), reranker=None, history=history) as desk:
    run(questions, desk, out=out, scorers=["facts"])
"""


def test_a_killed_run_goes_on_and_two_at_once_do_not_mix(hall: Path, dataset: Written, tmp_path: Path) -> None:
    path, folder = dataset(*map(str, range(40))), tmp_path / "run"
    command = [sys.executable, "-c", CHILD, hall, path, folder, tmp_path / "history.sqlite3"]
    child = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    journal = folder / "answers.jsonl"
    deadline = time.monotonic() + 60
    while not (journal.exists() and journal.read_bytes().count(b"\n") >= 5):
        assert child.poll() is None and time.monotonic() < deadline, child.communicate()
    second = subprocess.run(command, capture_output=True, text=True)
    assert "another process is writing the run" in second.stderr
    os.kill(child.pid, signal.SIGKILL)
    child.communicate()
    kept = journal.read_bytes().count(b"\n")
    assert 5 <= kept < 40
    assert not (folder / "report.json").exists()
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in (folder / "results.jsonl").read_text(encoding="utf-8").split("\n") if line]
    assert [row["id"] for row in rows] == [str(n) for n in range(40)]
    assert read_run(folder).results[39].scores == {"facts": 1.0}
    assert load(path).digest == read_run(folder).dataset["digest"]
