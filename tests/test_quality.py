"""Floors under the quality of answers, with the default model and reranker."""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant.api import Assistant
from embeddings.rerank import reranker_named
from eval.datasets import load_cases
from eval.run import run
from eval.scorers import score

ROOT = Path(__file__).parents[1]


def measured(index: Path, dataset: Path, history: Path) -> dict[str, float]:
    if reranker_named("auto") is None:
        pytest.skip("the extra `rerank` is not installed")
    with Assistant.open(index, history=history) as desk:
        results = run(desk, load_cases(dataset))
    assert [r.error for r in results if r.error] == []
    return {one.name: one.value for one in score(results) if one.value is not None}


def test_the_sample_questions(samples_index: Path, tmp_path: Path) -> None:
    found = measured(samples_index, ROOT / "eval" / "datasets" / "samples.jsonl", tmp_path / "h")
    assert found["facts"] >= 0.8, found
    assert found["false_answers"] <= 0.1, found


def test_the_gold_questions(shared: Path, tmp_path: Path) -> None:
    gold, seeds = shared / "gold" / "islington_dev.jsonl", shared / "seeds"
    if not (gold.exists() and seeds.is_dir()):
        pytest.skip(f"no gold questions: {str(gold)!r} or {str(seeds)!r} is missing")
    Assistant.build(seeds, index=tmp_path / "index")
    found = measured(tmp_path / "index", gold, tmp_path / "h")
    assert found["facts"] >= 0.96, found
    assert found["evidence"] >= 0.90, found
    assert found["precision"] >= 0.90, found
    assert found["words"] <= 45, found
    assert found["false_refusals"] == 0, found
    assert found["false_answers"] <= 0.1, found
