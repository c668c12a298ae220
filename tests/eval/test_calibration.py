"""`assistant calibrate`: the fit against brute force, the bound against its definition, the command from end to end."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.confidence import WITHOUT, Calibration
from corpus.errors import UsageError
from eval.calibration import PENALTY, Example, _fit, _weights, clopper_pearson, least_threshold, main
from eval.types import Case


@given(st.integers(0, 30), st.integers(1, 30), st.sampled_from([0.9, 0.95]))
def test_clopper_pearson_is_where_so_few_successes_become_unlikely(k: int, n: int, confidence: float) -> None:
    upper = clopper_pearson(min(k, n), n, confidence)
    if k >= n:
        assert upper == 1.0
        return
    chance = sum(math.comb(n, i) * upper**i * (1 - upper) ** (n - i) for i in range(k + 1))
    assert chance == pytest.approx(1 - confidence, abs=1e-9)


def test_clopper_pearson_of_none_is_the_rule_of_three() -> None:
    assert clopper_pearson(0, 100, 0.95) == pytest.approx(1 - 0.05 ** (1 / 100))


@given(st.lists(st.integers(0, 999), min_size=14, max_size=60))
def test_the_threshold_is_the_lowest_that_keeps_the_bound(thousandths: list[int]) -> None:
    chances = np.array(thousandths) / 1000
    threshold, answered, upper = least_threshold(chances, 0.2, 0.95)
    assert answered == sum(chances >= threshold)
    assert upper == clopper_pearson(answered, len(chances), 0.95) <= 0.2
    looser = chances >= threshold - 2e-6
    assert threshold == 0.0 or clopper_pearson(int(looser.sum()), len(chances), 0.95) > 0.2


def test_too_few_questions_can_promise_nothing() -> None:
    with pytest.raises(UsageError, match=r"13 unanswerable questions can promise .* give at least 14"):
        least_threshold(np.zeros(13), 0.2, 0.95)


def test_the_fit_is_the_minimum_of_the_penalised_likelihood() -> None:
    random = np.random.default_rng(5)
    columns = random.normal(size=(80, 2)) * [2.0, 0.3] + [1.0, 5.0]
    answerable = columns[:, 0] + random.normal(size=80) > 1
    weights = random.uniform(0.2, 1.0, size=80)
    means, scales, found = _fit(columns, answerable, weights)
    assert means == pytest.approx(weights @ columns / weights.sum())
    assert scales == pytest.approx(np.sqrt(weights @ (columns - means) ** 2 / weights.sum()))
    standard = np.c_[(columns - means) / scales, np.ones(80)]

    def loss(coefficients: Any) -> float:
        logits = standard @ coefficients
        likelihood = weights @ np.log1p(np.exp(np.where(answerable, -logits, logits)))
        return float(likelihood + PENALTY / 2 * (coefficients[:-1] ** 2).sum())

    for step in np.r_[np.eye(3), -np.eye(3)] * 1e-3:
        assert loss(found) < loss(found + step)


def test_answerable_questions_weigh_three_times_the_others_of_their_set_at_most() -> None:
    sets = ["many"] * 10 + ["few"] * 4 + ["all"] * 2
    answerable = np.array([False] + [True] * 9 + [False] * 2 + [True] * 2 + [True] * 2)
    found = [Example(name, Case(str(number), "", ""), {}) for number, name in enumerate(sets)]
    assert _weights(found, answerable) == pytest.approx([1] + [1 / 3] * 9 + [1] * 6)


@pytest.fixture
def answerable_and_not(tmp_path: Path, question: Callable[..., dict[str, Any]]) -> Path:
    """Questions about the hall, and about things that nobody wrote of."""
    asked = [question(f"yes-{n}", f"How much does hire of the hall at Skell cost in week {n}?") for n in range(20)]
    unknown = [
        {"id": f"no-{n}", "question": f"Which wizard guards the tower of Quorl number {n}?", "answerable": False}
        for n in range(20)
    ]
    file = tmp_path / "questions.jsonl"
    file.write_text("".join(json.dumps(one) + "\n" for one in asked + unknown), encoding="utf-8")
    return file


def test_the_command_fits_prints_and_writes(
    hall: Path, answerable_and_not: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "calibration.json"
    arguments = [str(answerable_and_not), "--index", str(hall), "--reranker", "none", "--out"]
    assert main([*arguments, str(out)]) == 0
    printed = capsys.readouterr()
    (model,) = Calibration.read(out).models
    assert (model.reranker, model.features) == ("none", WITHOUT)
    assert f"answers from confidence {model.threshold:.3f} on; at most 20% of unanswerable" in printed.out
    assert "AUROC by cross-validation on questions.jsonl: 1.000" in printed.out
    assert str(out) in printed.err
    assert model.data[0]["questions"] == 40
    assert model.data[0]["unanswerable"] == 20
    assert main([*arguments, str(tmp_path / "again.json")]) == 0
    assert (tmp_path / "again.json").read_bytes() == out.read_bytes()


@pytest.mark.parametrize(
    ("kept", "message"),
    [
        (slice(0, 20), r"20 answerable and 0 unanswerable questions are too few"),
        (slice(20, 40), r"0 answerable and 20 unanswerable questions are too few"),
        (slice(0, 30), r"10 unanswerable questions can promise no less than 26% false answers"),
    ],
)
def test_too_few_questions_are_refused(hall: Path, answerable_and_not: Path, kept: slice, message: str) -> None:
    lines = answerable_and_not.read_text(encoding="utf-8").splitlines(keepends=True)
    answerable_and_not.write_text("".join(lines[kept]), encoding="utf-8")
    with pytest.raises(UsageError, match=message):
        main([str(answerable_and_not), "--index", str(hall), "--reranker", "none"])


def test_a_bound_that_is_no_share_is_refused(answerable_and_not: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([str(answerable_and_not), "--bound", "20"])
    assert caught.value.code == 2
    assert "'20' is no share: give a number between 0 and 1" in capsys.readouterr().err
