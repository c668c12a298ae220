"""Floors under the quality of answers on the gold questions, with the default model and reranker.

The sample questions have theirs in `eval/datasets/samples.toml`, which `make gate` checks.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant.api import Assistant
from embeddings.rerank import reranker_named
from eval import run
from eval.thresholds import Threshold

FLOORS = {"facts": 0.96, "citation_recall[sentence]": 0.90, "citation_precision[sentence]": 0.90}
CEILINGS = {"words": 45.0, "false_refusals": 0.0, "false_answers": 0.1}


def test_the_gold_questions(shared: Path, tmp_path: Path) -> None:
    gold, seeds = shared / "gold" / "islington_dev.jsonl", shared / "seeds"
    if not (gold.exists() and seeds.is_dir()):
        pytest.skip(f"no gold questions: {str(gold)!r} or {str(seeds)!r} is missing")
    if reranker_named("auto") is None:
        pytest.skip("the extra `rerank` is not installed")
    bounds = [Threshold(name, least, True) for name, least in FLOORS.items()]
    bounds += [Threshold(name, most, False) for name, most in CEILINGS.items()]
    Assistant.build(seeds, index=tmp_path / "index")
    with Assistant.open(tmp_path / "index", history=tmp_path / "history") as desk:
        report = run(gold, desk, thresholds=bounds)
    assert [r.response.error for r in report.results if r.response.error] == []
    assert [one for one in report.thresholds if not one["met"]] == []
