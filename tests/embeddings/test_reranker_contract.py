"""Every reranker: values against brute force, order, independence of the other texts, odd input."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from corpus.errors import ModelUnavailable
from embeddings.rerank import CrossEncoderReranker, OnnxReranker, reranker_named
from embeddings.types import Reranker

QUESTION = "Why is the bridge closed?"
TEXTS = ["Library fees rise by 2 pounds.", "The bridge is closed for repairs. " * 3, "river", "", "bridge"]


@pytest.fixture(scope="module", params=["onnx", "folder"])
def reranker(request: pytest.FixtureRequest) -> Reranker:
    if request.param == "folder":
        return CrossEncoderReranker(request.getfixturevalue("cross_encoder_folder"))
    try:
        return OnnxReranker()
    except ModelUnavailable as error:
        pytest.skip(str(error))


def test_scores_are_float32_in_the_order_of_the_texts(reranker: Reranker) -> None:
    scores = reranker.scores(QUESTION, TEXTS)
    assert scores.dtype == np.float32
    assert scores.shape == (len(TEXTS),)
    assert reranker.scores(QUESTION, TEXTS[::-1])[::-1] == pytest.approx(scores, abs=1e-4)


def test_a_score_depends_on_its_pair_alone(reranker: Reranker) -> None:
    alone = [float(reranker.scores(QUESTION, [text])[0]) for text in TEXTS]
    assert reranker.scores(QUESTION, TEXTS) == pytest.approx(alone, abs=1e-4)


def test_odd_input_is_scored(reranker: Reranker) -> None:
    assert reranker.scores(QUESTION, []).shape == (0,)
    assert np.isfinite(reranker.scores("x " * 20_000, ["\0", "\ud800", "y " * 20_000])).all()


def test_the_default_puts_the_answer_first() -> None:
    reranker = reranker_named("auto")
    if reranker is None:
        pytest.skip("the extra `rerank` is not installed")
    assert int(reranker.scores(QUESTION, TEXTS[:3]).argmax()) == 1


def test_values_are_the_logits_of_the_pair(cross_encoder_folder: Path) -> None:
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(cross_encoder_folder)
    model = AutoModelForSequenceClassification.from_pretrained(cross_encoder_folder)
    with torch.no_grad():
        expected = model(**tokenizer("river", "bridge fees", return_tensors="pt")).logits[0, 0].item()
    scores = CrossEncoderReranker(cross_encoder_folder).scores("river", ["bridge fees"])
    assert float(scores[0]) == pytest.approx(expected, abs=1e-4)


def test_none_is_no_reranker() -> None:
    assert reranker_named("none") is None


def test_an_unknown_name_is_one_line() -> None:
    with pytest.raises(ModelUnavailable, match=r"'\./no-such-folder'") as caught:
        reranker_named("./no-such-folder")
    assert "\n" not in str(caught.value)
