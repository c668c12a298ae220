"""Agreement with human labels: forms that are read, figures worked by hand, bad input."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from corpus.errors import UsageError
from eval.agreement import agreement, best_threshold, labelled, render
from eval.judges import Judge, judge_named
from eval.ranks import auroc, macro_f1


class Stated:
    """Takes the premise for the score."""

    def scores(self, premises: Sequence[str], claims: Sequence[str]) -> NDArray[np.float32]:
        return np.array([float(p) for p in premises], dtype=np.float32)


JUDGE = Judge("stated", Stated(), 0.5, 0.25)
NUMBERS = count()


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def write(*rows: Any, name: str = "labels.jsonl") -> Path:
        text = "\n".join(row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows)
        path = tmp_path / name
        path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
        return path

    return write


def row(score: float, label: object, **more: object) -> dict[str, object]:
    return {"claim": f"claim {next(NUMBERS)}", "premise": str(score), "label": label, **more}


def test_figures_worked_by_hand(write: Callable[..., Path]) -> None:
    path = write(
        row(0.9, True), row(0.8, "partially_supported"), row(0.4, "supported"), row(0.1, False), row(0.1, False)
    )
    found = agreement(path, JUDGE)
    assert (found.file, found.judge, found.threshold) == ("labels.jsonl", "stated", 0.5)
    assert (found.pairs, found.supported) == (5, 2)
    # said yes: .9 and .8, of which .9 rightly; .4 is missed. F1 of yes 2·1/(2+2), of no 2·2/(3+3).
    assert found.macro_f1.value == pytest.approx((1 / 2 + 2 / 3) / 2)
    assert found.accuracy.value == pytest.approx(3 / 5)
    # .9 beats three of three, .4 beats two of three.
    assert found.auroc.value == pytest.approx(5 / 6)
    assert found.accuracy.interval == "wilson"
    assert found.macro_f1.low is not None
    assert found.macro_f1.low <= found.macro_f1.value <= (found.macro_f1.high or 0)
    assert found.subsets == {}
    assert agreement(path, JUDGE) == found


def test_pairs_with_the_same_claim_are_drawn_together(write: Callable[..., Path]) -> None:
    rows = [row(0.9, True), row(0.1, True), row(0.2, False), row(0.8, False)]
    apart = agreement(write(*rows), JUDGE)
    rows = [{**one, "claim": f"c{number // 2}"} for number, one in enumerate(rows)]
    together = agreement(write(*rows), JUDGE)
    assert apart.accuracy.value == together.accuracy.value == 0.5
    assert together.accuracy.interval is None  # each claim has one of two right: no draw differs
    assert apart.accuracy.interval == "wilson"


def test_one_class_has_no_auroc(write: Callable[..., Path]) -> None:
    found = agreement(write(row(0.9, True), row(0.2, True)), JUDGE)
    assert (found.auroc.value, found.accuracy.value) == (None, 0.5)
    assert found.macro_f1.value == pytest.approx((2 / 3 + 0) / 2)
    assert "  -" in render(found)


def test_the_table(write: Callable[..., Path]) -> None:
    rows = [row(0.9, True, src_dataset="HAGRID"), row(0.1, False, src_dataset="\x1b[31mBEGIN"), row(0.7, True)]
    found = agreement(write(*rows), JUDGE)
    assert sorted(found.subsets) == ["\x1b[31mBEGIN", "HAGRID"]
    assert found.subsets["HAGRID"][1].value == 1
    lines = render(found).split("\n")
    assert lines[0] == (
        "stated against people: labels.jsonl, 3 pairs, threshold 0.5; 2 are supported, partly supported counts as not"
    )
    assert lines[1].split() == ["pairs", "macro-F1", "AUROC", "accuracy"]
    assert lines[2].split()[:3] == ["all", "3", "1.000"]
    assert len(lines) == 5
    assert "\x1b" not in render(found)


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_public_forms_are_read(write: Callable[..., Path], name: str) -> None:
    attribution = {"claim": "c\u2028d", "references": ["a", "b"], "src_dataset": "HAGRID", "id": "7"}
    path = write(
        {"id": "1", "claim": "c", "premise": ["a", "b"], "label": "not_supported"},
        {**attribution, "attribution_label": "attributable"},
        {**attribution, "references": [], "documents": ["d"], "attribution_label": "not attributable"},
        "",
        {"claim": "c", "evidence": ["e", "f"], "label": "partially_supported", "meta": {"id": "dev1"}},
        {"query": "q?", "answer": "a", "reference": "r", "label": "Attributable"},
        {"query": "", "answer": "a", "reference": "r", "label": "Extrapolatory"},
        {"claim": "k", "reference": "r", "label": "Contradictory"},
        {"claim": "nothing cited", "references": [], "label": False},
        name=name,
    )
    assert [(x.claim, x.premise, x.label, x.subset) for x in labelled(path)] == [
        ("c", "a\nb", 0, ""),
        ("c\u2028d", "a\nb", 2, "HAGRID"),
        ("c\u2028d", "d", 0, "HAGRID"),
        ("c", "e\nf", 1, ""),
        ("q? a", "r", 2, ""),
        ("a", "r", 0, ""),
        ("k", "r", 0, ""),
        ("nothing cited", "", 0, ""),
    ]


def test_rows_of_one_id_are_one_claim(write: Callable[..., Path]) -> None:
    def chunk(score: float, label: str, number: int) -> dict[str, object]:
        return {"claim": "c", "evidence": [str(score)], "label": label, "meta": {"id": number}}

    rows = [
        chunk(0.9, "not_supported", 1), chunk(0.1, "supported", 1), chunk(0.3, "not_supported", 1),
        chunk(0.8, "partially_supported", 2), chunk(0.2, "not_supported", 3), chunk(0.4, "not_supported", 3),
    ]  # fmt: skip
    found = agreement(write(*rows), JUDGE)
    assert (found.pairs, found.supported) == (3, 1)
    assert found.auroc.value == 1
    assert found.accuracy.value == pytest.approx(2 / 3)


def test_claims_of_scifact_are_read_beside_their_corpus(write: Callable[..., Path]) -> None:
    text = "One. Two. Three."
    document = {"_id": "5", "title": "t", "text": text, "sent_ends": [4, 9, 16]}
    write(document, {**document, "_id": "6"}, name="corpus.jsonl.gz")
    evidence = [{"doc_id": "5", "label": label, "sentences": [1]} for label in ("SUPPORT", "CONTRADICT")]
    claims = [
        {"id": "1", "claim": "a", "evidence": evidence[:1], "cited_doc_ids": [5]},
        {"id": "2", "claim": "b", "evidence": evidence[1:], "cited_doc_ids": [5, 6]},
    ]
    assert [(x.claim, x.premise, x.label) for x in labelled(write(*claims, name="claims_train.jsonl"))] == [
        ("a", "Two.", 2),
        ("a", "One.\nThree.", 0),
        ("b", "Two.", 0),
        ("b", "One.\nThree.", 0),
        ("b", "One.\nTwo.\nThree.", 0),
    ]
    claims[1]["cited_doc_ids"] = [7]
    with pytest.raises(UsageError, match=r"claims_train\.jsonl:2: not a claim of SciFact about .*KeyError: '7'"):
        labelled(write(*claims, name="claims_train.jsonl"))


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ("{", r"labels\.jsonl:2: not JSON"),
        ("[1]", r"labels\.jsonl:2: "),
        ({"premise": "p", "label": True}, r"labels\.jsonl:2: the field 'claim' is null"),
        ({"claim": " ", "premise": "p", "label": True}, "the field 'claim'"),
        ({"claim": "c", "label": True}, r"labels\.jsonl:2: what is cited is null"),
        ({"claim": "c", "premise": ["p", 1], "label": True}, "a list of texts is wanted in 'premise'"),
        ({"claim": "c", "premise": {"p": 1}, "label": True}, "what is cited is"),
        ({"claim": "c", "premise": "p", "label": "perhaps"}, r"labels\.jsonl:2: the label is \"perhaps\""),
        ({"claim": "c", "premise": "p", "label": 1}, "the label is 1"),
        ({"claim": "c", "premise": "p", "label": ["x"]}, "the label is"),
        ({"claim": "c", "premise": "p"}, "the label is null"),
    ],
)
def test_bad_lines_are_named(write: Callable[..., Path], bad: object, message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        labelled(write(row(0.5, True), bad))
    assert "\n" not in str(caught.value)


def test_files_that_hold_nothing(write: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no labelled claims"):
        labelled(write(""))
    with pytest.raises(UsageError, match="can't be read"):
        labelled(tmp_path / "none.jsonl")


def test_a_drawn_figure_is_the_figure_of_the_repeated_cases() -> None:
    random = np.random.default_rng(4)
    columns = np.c_[random.integers(0, 4, 30) / 4, random.integers(0, 2, 30)]
    weights = random.multinomial(30, np.full(30, 1 / 30), 5).astype(np.float64)
    repeated = [np.repeat(columns, row.astype(int), axis=0) for row in weights]
    assert auroc(columns, weights) == pytest.approx([brute_auroc(r) for r in repeated])
    said = np.c_[columns[:, 0] >= 0.5, columns[:, 1]].astype(np.float64)
    one = [macro_f1(np.repeat(said, row.astype(int), axis=0), np.ones((1, 30)))[0] for row in weights]
    assert macro_f1(said, weights) == pytest.approx(one)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 1)), min_size=1, max_size=20))
def test_auroc_counts_pairs(rows: list[tuple[int, int]]) -> None:
    columns = np.array(rows, dtype=np.float64)
    found = auroc(columns, np.ones((1, len(rows))))
    assert found == pytest.approx([brute_auroc(columns)], nan_ok=True)


def brute_auroc(columns: NDArray[np.float64]) -> float:
    ones, others = (columns[columns[:, 1] == label, 0] for label in (1, 0))
    won = [(a > b) + (a == b) / 2 for a in ones for b in others]
    return float(np.mean(won)) if won else float("nan")


def test_the_lexical_judge_on_development_claims(shared: Path) -> None:
    """Far from what a reader does: abstracts in experts' words, and half of the refused claims are contradicted."""
    found = agreement(shared / "data" / "scifact" / "claims_train.jsonl", judge_named("lexical"))
    assert (found.pairs, found.supported) == (1483, 370)
    assert found.accuracy.value == pytest.approx(0.63, abs=0.02)


def test_rows_of_one_id_claim_and_label_are_one_claim(write: Callable[..., Path]) -> None:
    def row(identifier: str, claim: str, score: float, label: bool) -> dict[str, object]:
        return {"id": identifier, "claim": claim, "premise": str(score), "label": label}

    rows = [row("1", "c", 0.1, True), row("1", "c", 0.9, True), row("1", "d", 0.2, True), row("1", "c", 0.3, False)]
    found = agreement(write(*rows), JUDGE)
    assert (found.pairs, found.supported) == (3, 2)


def test_a_threshold_is_taken_from_another_file(write: Callable[..., Path]) -> None:
    labels = [(0.1, False), (0.15, False), (0.2, True), (0.3, True), (0.7, True)]
    rows = [{"claim": "c", "premise": str(score), "label": label} for score, label in labels]
    least = best_threshold(write(*rows), JUDGE)
    assert 0.15 < least <= 0.2
    again = agreement(write(*rows), JUDGE, least)
    assert (again.threshold, again.macro_f1.value) == (least, 1.0)
    assert (agreement(write(*rows), JUDGE).macro_f1.value or 0.0) < 1.0


def test_a_judge_that_is_always_right_has_a_table_too(write: Callable[..., Path]) -> None:
    found = agreement(write(row(0.9, True), row(0.1, False)), JUDGE)
    assert (found.macro_f1.value, found.macro_f1.interval) == (1.0, None)
    assert "1.000" in render(found)
