"""Rankings score as ir-measures' own command line does on the same files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from eval.scorers import scorer_named
from eval.scorers.ranking import trec_qrels, trec_run
from eval.types import Case, CaseResult, Response

MEASURES = ("nDCG@10", "R@5", "P@5", "RR", "RR@10", "AP", "AP@100", "P(rel=2)@10")


def results(cases: int, passages: int) -> list[CaseResult]:
    """Graded, unjudged and tied passages; every tenth ranking is empty."""
    random = np.random.default_rng(7)
    found = []
    for number in range(cases):
        ids = [f"p{i}" for i in random.permutation(2 * passages)]
        relevant = tuple((i, int(random.integers(0, 4))) for i in sorted(ids)[: passages // 2])
        scores = np.sort(random.integers(0, passages // 2, passages) / 7)[::-1]
        ranking = () if number % 10 == 9 else tuple(zip(ids, scores.tolist(), strict=False))
        case = Case(f"q{number}", "", "?", relevant=relevant)
        found.append(CaseResult(case, Response(case.id, ranking=ranking)))
    return found


def test_equals_the_command_line(tmp_path: Path) -> None:
    data = results(40, 60)
    (tmp_path / "qrels").write_text(trec_qrels(data), encoding="utf-8")
    (tmp_path / "run").write_text(trec_run(data), encoding="utf-8")
    command = [sys.executable, "-m", "ir_measures", "qrels", "run", *MEASURES, "-q", "-p", "15"]
    printed = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    theirs = {tuple(line.split("\t")[:-1]): float(line.split("\t")[-1]) for line in printed.splitlines()}
    for name in MEASURES:
        scorer = scorer_named(name)
        columns = np.array([scorer.measure(one.case, one.response) for one in data])
        for one, value in zip(data, columns[:, 0], strict=True):
            assert value == pytest.approx(theirs[one.case.id, name], abs=1e-9), (name, one.case.id)
        mean = scorer.aggregate(columns, np.ones((1, len(data))))[0]
        assert mean == pytest.approx(theirs["all", name], abs=1e-9), name
    assert len(theirs) == len(MEASURES) * 41


def test_by_hand() -> None:
    case = Case("1", "", "?", relevant=(("a", 2), ("b", 1), ("c", 0)))
    answer = Response("1", ranking=(("x", 3.0), ("b", 2.0), ("a", 1.0)))
    expected = {
        "RR": 1 / 2, "R@2": 1 / 2, "P@2": 1 / 2, "AP": (1 / 2 + 2 / 3) / 2,
        "nDCG@3": (1 / np.log2(3) + 2 / np.log2(4)) / (2 / np.log2(2) + 1 / np.log2(3)),
    }  # fmt: skip
    for name, value in expected.items():
        assert scorer_named(name).measure(case, answer) == pytest.approx((value,)), name


def test_empty_crashed_and_unjudged() -> None:
    scorer, case = scorer_named("nDCG@10"), Case("1", "", "?", relevant=(("a", 1),))
    assert scorer.measure(case, Response("1", ranking=())) == (0.0,)
    assert scorer.measure(case, Response("1")) is None  # it wasn't said what was retrieved
    assert scorer.measure(case, Response("1", error="it broke")) == (0.0,)
    assert scorer.measure(Case("1", "", "?"), Response("1", ranking=(("a", 1.0),))) is None


def test_ids_are_one_word_of_a_file_each_and_stay_apart() -> None:
    odd = ("a b", "a%20b", "a\u00a0b", "a\n", "a", "")
    relevant, ranking = tuple((one, 1) for one in odd), tuple((one, 1.0) for one in odd)
    result = CaseResult(Case("q 1", "", "?", relevant=relevant), Response("q 1", ranking=ranking))
    run = [line.split() for line in trec_run([result]).splitlines()]
    qrels = [line.split() for line in trec_qrels([result]).splitlines()]
    assert {len(line) for line in run} == {6}
    assert {len(line) for line in qrels} == {4}
    assert run[0][:3] == ["q%201", "Q0", "a%20b"]
    assert [line[2] for line in run] == [line[2] for line in qrels]
    assert len({line[2] for line in run}) == len(odd)
