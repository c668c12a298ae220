"""Confidence: features by hand, the model against the formula, files that aren't a calibration."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.confidence import (
    HIGH,
    LENIENT,
    MEDIUM,
    MOST_LOGIT,
    WITH,
    WITHOUT,
    Calibration,
    Fitted,
    confidence_word,
    features,
)
from assistant.questions import Question
from assistant.reading import Reading
from assistant.retrieval import Retrieval, sought
from corpus.errors import UsageError
from embeddings.hashing import HashingEmbedder
from embeddings.search import Index
from embeddings.types import Reranker

MODEL = Fitted("none", ("cosine", "covered"), (0.5, 0.25), (0.1, 0.5), (2.0, -1.0), 0.3, 0.4, "at most so many", (), {})


class Counting:
    """A reranker whose logit is the number of words that the texts share, less three."""

    name = "counting"

    def scores(self, question: str, texts: Any) -> Any:
        asked = set(question.lower().rstrip("?").split())
        return np.array([len(asked & set(t.lower().rstrip(".").split())) - 3 for t in texts], np.float32)


@pytest.fixture(scope="module")
def look(museum: Path) -> Callable[..., tuple[Question, Retrieval, Reading]]:
    """What the pipeline hands over for a question."""

    def looked(text: str, reranker: Reranker | None = None) -> tuple[Question, Retrieval, Reading]:
        embedder = HashingEmbedder()
        with Index.open(museum) as index, index.view() as view:
            question, found = sought(text, view, embedder, reranker)
        return question, found, Reading(question, found.passages, found.common, reranker, embedder)

    return looked


def test_features_without_a_reranker(look: Callable[..., tuple[Question, Retrieval, Reading]]) -> None:
    question, found, reading = look("How much did the repairs to the roof cost?")
    values = features(question, found, reading)
    assert set(values) == set(WITHOUT)
    dense = sorted((c.hit.dense for c in found.candidates if c.hit.dense is not None), reverse=True)
    assert values["dense"] == dense[0]
    assert values["dense_gap"] == pytest.approx(dense[0] - sum(dense[1:4]) / len(dense[1:4]))
    embedder = HashingEmbedder()
    best = reading.scored()[0].evidence.text
    assert best == "The repairs to the roof cost £412,000 and took nine weeks."
    cosine = float(embedder.embed_passages([best])[0] @ embedder.embed_query(question.text)[0])
    assert values["cosine"] == pytest.approx(cosine)
    assert (values["covered"], values["words"], values["sentence"], values["gate_of_sentence"]) == (1, 3, 1, 0)


def test_words_count_by_inverse_document_frequency(look: Callable[..., tuple[Question, Retrieval, Reading]]) -> None:
    question, found, reading = look("Which lynxes cost anything?")
    counts = {"lynxes": 0, "cost": 1, "anything": 0}
    found = replace(found, counts=counts, snapshot=replace(found.snapshot, documents=4))
    rare, seen = math.log(1 + 4.5 / 0.5), math.log(1 + 3.5 / 1.5)
    held = {"cost"} & set(reading.scored()[0].evidence.text.split())
    expected = seen / (2 * rare + seen) if held else 0.0
    assert features(question, found, reading)["covered"] == pytest.approx(expected)


def test_features_with_a_reranker(look: Callable[..., tuple[Question, Retrieval, Reading]]) -> None:
    ranker = Counting()
    question, found, reading = look("How much did the repairs to the roof cost?", ranker)
    values = features(question, found, reading)
    assert set(values) == {*WITH, *WITHOUT}
    best = reading.scored()[0].evidence
    passages = sorted((c.reranked for c in found.candidates if c.reranked is not None), reverse=True)
    assert (values["passage"], values["passage_of_fragment"]) == (passages[0], 0.0)
    fragment = features(*look("the repairs to the roof", ranker))
    assert fragment["passage_of_fragment"] == fragment["passage"] != 0
    assert values["passage_gap"] == pytest.approx(passages[0] - sum(passages[1:4]) / len(passages[1:4]))
    assert values["turned"] == ranker.scores(best.text, [question.text])[0]
    text, spans = best.passage.document.text, best.passage.chunk.sentences
    place = spans.index((best.start, best.end))
    around = text[spans[max(place - 1, 0)][0] : spans[min(place + 1, len(spans) - 1)][1]]
    assert values["window"] == ranker.scores(question.text, [around])[0]


def test_a_name_that_is_nowhere_closes_the_gate_of_a_sentence(
    look: Callable[..., tuple[Question, Retrieval, Reading]],
) -> None:
    assert features(*look("How much did the repairs to Gormenghast Castle cost?"))["gate_of_sentence"] == 6.0
    assert features(*look("how much did the repairs to Gormenghast Castle cost"))["gate_of_sentence"] == 0.0


def test_nothing_found_is_no_confidence(look: Callable[..., tuple[Question, Retrieval, Reading]]) -> None:
    question, found, reading = look("How much did the repairs cost?")
    nothing = Reading(question, (), frozenset(), None, HashingEmbedder())
    assert Calibration((MODEL,)).confidence(question, replace(found, passages=(), candidates=()), nothing) == 0.0
    assert features(question, replace(found, passages=(), candidates=()), nothing)["gate_of_sentence"] == 6.0
    assert 0.0 < Calibration((MODEL,)).confidence(question, found, reading) < 1.0


@given(st.floats(-5, 5), st.floats(-5, 5))
def test_the_chance_is_the_logistic_of_the_standardised_features(cosine: float, covered: float) -> None:
    logit = 0.3 + 2.0 * (cosine - 0.5) / 0.1 - (covered - 0.25) / 0.5
    expected = 1 / (1 + math.exp(-max(-MOST_LOGIT, min(MOST_LOGIT, logit))))
    assert MODEL.probability({"cosine": cosine, "covered": covered, "dense": 7.0}) == pytest.approx(expected)


@given(st.floats(0, 1), st.floats(0, 1))
def test_more_of_what_speaks_for_an_answer_is_never_less_sure(one: float, other: float) -> None:
    low, high = sorted((one, other))
    held = {"cosine": 0.4, "covered": 0.0}
    assert MODEL.probability(held | {"cosine": low}) <= MODEL.probability(held | {"cosine": high})
    assert MODEL.probability(held | {"covered": low}) >= MODEL.probability(held | {"covered": high})


@pytest.mark.parametrize(
    ("chance", "word"),
    [(1.0, "high"), (HIGH, "high"), (HIGH - 1e-9, "medium"), (MEDIUM, "medium"), (MEDIUM - 1e-9, "low"), (0, "low")],
)
def test_words_of_confidence(chance: float, word: str) -> None:
    assert confidence_word(chance) == word


def test_each_reranker_has_its_model_and_another_the_one_that_needs_none() -> None:
    other = replace(MODEL, reranker="counting", threshold=0.7, bound="at most so few")
    both = Calibration((MODEL, other))
    assert [both.model(name).reranker for name in ("counting", "none", None, "some/cross-encoder")] == [
        "counting", "none", "none", "none",
    ]  # fmt: skip
    assert (both.threshold("counting"), both.threshold(None)) == (0.7, 0.4)
    assert (both.bound("counting"), both.bound(None)) == ("at most so few", "at most so many")


@pytest.mark.parametrize("calibrated", [0.1, 0.4, 0.9])
def test_a_strict_threshold_is_never_below_the_calibrated_one_and_a_lenient_one_never_above(calibrated: float) -> None:
    made = Calibration((replace(MODEL, threshold=calibrated),))
    strict, normal, lenient = (made.threshold(None, level) for level in ("strict", "normal", "lenient"))
    assert (strict, normal, lenient) == (max(HIGH, calibrated), calibrated, min(LENIENT, calibrated))


def test_the_bound_is_kept_by_a_strict_threshold_and_not_promised_of_a_lenient_one() -> None:
    made = Calibration((MODEL,))
    assert made.bound(None, "normal") == made.bound(None) == "at most so many"
    assert made.bound(None, "strict").startswith("at most so many; strict answers begin at a confidence of 0.80")
    assert made.bound(None, "lenient") == (
        "no bound is promised, as lenient answers begin at a confidence of 0.30, and one holds from 0.40 on"
    )


def test_a_calibration_reads_back_as_it_was_written(tmp_path: Path) -> None:
    file = tmp_path / "calibration.json"
    made = Calibration((replace(MODEL, data=({"name": "d", "questions": 3},), auroc={"d": (0.9, 0.8, 1.0)}),))
    file.write_text(made.to_json(), encoding="utf-8")
    assert Calibration.read(str(file)).to_json() == made.to_json()
    assert Calibration.read(file).models[0].coefficients == MODEL.coefficients


def test_the_shipped_calibration_has_a_model_for_either_case() -> None:
    shipped = Calibration.read()
    assert {m.reranker: m.features for m in shipped.models} == {"none": WITHOUT, "onnx": WITH}
    for model in shipped.models:
        assert 0 < model.threshold < 1
        assert model.bound.startswith("at most 20% of unanswerable questions are answered, with 95% confidence")
        assert all(len(d["digest"]) == 16 and d["unanswerable"] > 0 for d in model.data)


def _changed(**values: Any) -> str:
    content = json.loads(Calibration((MODEL,)).to_json())
    content["models"][0] |= values
    return json.dumps(content)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "Expecting value"),
        ("[]", "list indices"),
        ('{"format": 2, "models": []}', "format 2, known is 1"),
        ('{"models": []}', "'format' is missing"),
        ('{"format": 1, "models": []}', "no model for the reranker 'none'"),
        (_changed(means=[1.0]), "a feature without its mean, scale or coefficient"),
        (_changed(intercept=float("nan")), "a number beyond 1,000,000"),
        (_changed(coefficients=[1e308, -1e308]), "a number beyond 1,000,000"),
        (_changed(means=[0, 10**400]), "a number beyond 1,000,000"),
        (_changed(scales=[1e-300, 1.0]), "a scale or threshold out of range"),
        (_changed(threshold=True), "a feature without its mean, scale or coefficient"),
        (_changed(features=["cosine", "window"]), "unknown features window for the reranker 'none'"),
        (_changed(bound=3), "a reranker or bound that is no text"),
        (_changed(scales=[0.0, 1.0]), "a scale or threshold out of range"),
        (_changed(threshold=2.0), "a scale or threshold out of range"),
        (_changed(features=["cosine", "weather"]), "unknown features weather"),
        (_changed(means="ab"), "a feature without its mean, scale or coefficient"),
        (_changed(surprise=1), "unexpected keyword argument 'surprise'"),
    ],
)
def test_what_is_no_calibration_is_refused(tmp_path: Path, content: str, reason: str) -> None:
    file = tmp_path / "wrong.json"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        Calibration.read(file)
    assert repr(str(file)) in str(caught.value)
    assert reason in str(caught.value)
    assert "assistant calibrate" in str(caught.value)


def test_a_calibration_that_isnt_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.json' can't be read: No such file or directory; name another"):
        Calibration.read(tmp_path / "none.json")
