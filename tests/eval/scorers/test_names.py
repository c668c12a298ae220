"""Names parse to scorers, and scorers' names parse back."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from corpus.errors import UsageError
from eval.scorers import DEFAULT, default_names, known, scorer_named


class Named:
    full, partial = 0.8, 0.4

    def __init__(self, name: str) -> None:
        self.name = name

    def scores(self, premises: list[str], claims: list[str]) -> NDArray[np.float32]:
        raise AssertionError("naming a scorer asks nothing of its judge")


@pytest.mark.parametrize(
    "name",
    [
        *DEFAULT,
        "refusal_accuracy", "P@5", "RR@10", "AP@100", "P(rel=2)@5", "selective_accuracy@50",
        "citation_f1[trec,nli:models/some-model.v2]", "citation_recall[alce,llm:openai:gpt-x]",
        "conditioned[citation_f1[sentence]]", "conditioned[citation_recall[alce,nli:a/b]]",
    ],
)  # fmt: skip
def test_a_name_parses_back(name: str) -> None:
    assert scorer_named(name, Named).name == name


@pytest.mark.parametrize(
    ("alias", "name"), [("MRR", "RR"), ("MAP@10", "AP@10"), ("citation_f1[alce, lexical]", "citation_f1[alce,lexical]")]
)
def test_an_alias_parses_to_the_canonical_name(alias: str, name: str) -> None:
    assert scorer_named(alias, Named).name == name


@pytest.mark.parametrize(
    "name",
    [
        "", "fact", "facts@3", "words[x]", "nDCG@ten", "nDCG@0", "P", "P(rel=0)@5", "P(of=1)@5",
        "R@99999999999999999999", "NumRel", "ERR@20", "citation_f1", "citation_f1[word]",
        "citation_f1[alce]", "citation_f1[alce,]", "citation_f1@3[sentence]", "selective_accuracy",
        "selective_accuracy@0", "selective_accuracy@101", "conditioned[fact]",
    ],
)  # fmt: skip
def test_what_is_unknown_is_named_beside_what_is_known(name: str) -> None:
    with pytest.raises(UsageError) as raised:
        scorer_named(name, Named)
    assert repr("fact" if "conditioned" in name else name) in str(raised.value)
    assert all(one in str(raised.value) for one in (*known(), "sentence", "character"))


def test_only_means_of_scores_are_conditioned() -> None:
    for inner in ("words", "seconds", "aurc", "refusal_f1", "attack_success"):
        with pytest.raises(UsageError, match=inner):
            scorer_named(f"conditioned[{inner}]", Named)


def test_the_default_with_another_judge() -> None:
    names = default_names("nli:a/b")
    assert "citation_recall[alce,nli:a/b]" in names
    assert not [name for name in names if "lexical" in name]
    assert len(names) == len(DEFAULT) == len(set(DEFAULT))
