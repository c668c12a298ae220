"""Every entailment: shape, type, range, the extremes, and each pair by itself."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.entailment import SUPPORTED, Entailment, LexicalEntailment, NliEntailment, entailment_named
from assistant.gate import passes_gate
from assistant.questions import STOPWORDS, stem
from corpus.errors import UsageError

PREMISES = [
    "The repairs to the roof cost £412,000 and took nine weeks.",
    "The café at Skell Mill serves soup from noon until 3pm.",
    "It was not damaged in the flood of 1998.",
    "",
]
CLAIMS = [
    "The repairs cost £412,000.",
    "Soup is served at the café until 3pm.",
    "It was damaged in the flood of 1998.",
    "The repairs to the old roof of the mill took nine weeks.",
    "",
]
ENTAILMENTS = [LexicalEntailment()]
every = pytest.mark.parametrize("entailment", ENTAILMENTS, ids=lambda e: type(e).__name__)


@every
def test_scores_are_float32_in_zero_to_one_in_order(entailment: Entailment) -> None:
    pairs = [(p, c) for p in PREMISES for c in CLAIMS]
    scores = entailment.scores([p for p, _ in pairs], [c for _, c in pairs])
    assert (scores.shape, scores.dtype) == ((len(pairs),), np.float32)
    assert scores.min() >= 0
    assert scores.max() <= 1
    alone = [float(entailment.scores([p], [c])[0]) for p, c in pairs]
    assert scores.tolist() == pytest.approx(alone, abs=1e-4)


@every
def test_no_pairs_have_no_scores(entailment: Entailment) -> None:
    assert entailment.scores([], []).shape == (0,)


@every
def test_unequal_lengths_are_refused(entailment: Entailment) -> None:
    with pytest.raises(ValueError, match=r"zip|length|shorter"):
        entailment.scores(["a", "b"], ["a"])


@every
def test_a_sentence_entails_itself_and_another_subject_does_not(entailment: Entailment) -> None:
    itself = entailment.scores(PREMISES[:3], PREMISES[:3])
    other = entailment.scores(PREMISES[:3], ["Bees dance to tell each other where flowers are."] * 3)
    assert itself.tolist() == pytest.approx([1.0] * 3, abs=0.05)
    assert other.max() < 0.3


@every
def test_a_changed_figure_is_never_entailed(entailment: Entailment) -> None:
    claims = [
        PREMISES[0].replace("412", "413"),
        PREMISES[0].replace("nine", "ten"),
        PREMISES[2].replace("1998", "1999"),
    ]
    assert entailment.scores([PREMISES[0], PREMISES[0], PREMISES[2]], claims).tolist() == [0.0] * 3


texts = st.lists(st.sampled_from(re.findall(r"\S+", " ".join(PREMISES))), max_size=12).map(" ".join)


@given(premise=texts, claim=texts)
def test_a_claim_with_a_word_of_its_own_is_not_supported(premise: str, claim: str) -> None:
    def stemmed(text: str) -> set[str]:
        return {stem(w) for w in re.findall(r"[^\W_]+", text) if w.lower() not in STOPWORDS}

    score = LexicalEntailment().scores([premise], [claim])[0]
    if not passes_gate(premise, claim):
        assert score == 0.0
    if score >= SUPPORTED:
        assert stemmed(claim) <= {stem(w) for w in re.findall(r"[^\W_]+", premise)}


def test_entailments_have_names() -> None:
    assert isinstance(entailment_named("lexical"), LexicalEntailment)
    assert isinstance(entailment_named("nli:some-model"), NliEntailment)  # loaded with the first question only
    for name in ("nli:", "nli", "words", ""):
        with pytest.raises(UsageError, match="known are lexical, nli:NAME_OR_FOLDER"):
            entailment_named(name)
