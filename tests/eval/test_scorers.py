"""Scores against values worked out by hand, and against the public scorer of the gold file."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.run import write_answers
from eval.scorers import SCORERS, match, score
from eval.types import Case, CaseResult, Evidence

WALL = "The wall is 640 metres long and shelters 312 homes."
COST = "Each camera costs £18,000."


def case(identifier: str, *quotes: str, facts: Sequence[Sequence[str]] = (("640", "six hundred"), ("312",))) -> Case:
    evidence = tuple(Evidence("minutes.pdf", quote) for quote in quotes)
    return Case(identifier, "lookup", "How long?", (), bool(quotes), tuple(map(tuple, facts)), evidence)


def answer(
    text: str, *quotes: str, refused: bool = False, verdict: str = "quoted", path: str = "a/minutes.pdf"
) -> dict[str, Any]:
    citations = [{"number": 1, "document": {"path": path}, "quote": quote} for quote in quotes]
    statements = [{"text": text, "verdict": verdict, "support": 1.0, "citations": citations}]
    return {"text": text, "refused": refused, "statements": statements}


def scores(one: Case, given_answer: dict[str, Any]) -> dict[str, float | None]:
    return {name: scorer(one, given_answer) for name, scorer in SCORERS.items()}


def test_a_perfect_answer() -> None:
    assert scores(case("1", WALL), answer(WALL, WALL)) == {
        "facts": 1.0, "evidence": 1.0, "precision": 1.0, "words": 10.0, "false_refusals": 0.0, "false_answers": None,
    }  # fmt: skip


def test_half_of_the_evidence_and_a_third_of_the_citations() -> None:
    found = scores(case("1", WALL, COST), answer("It is 640 metres.", WALL, "It rained.", "Bees dance in the sun."))
    assert found["facts"] == 0.0
    assert found["evidence"] == 0.5
    assert found["precision"] == pytest.approx(1 / 3)
    assert found["words"] == 4.0


def test_a_quote_of_another_document_counts_for_nothing() -> None:
    found = scores(case("1", WALL), answer(WALL, WALL, path="b/other.pdf"))
    assert (found["facts"], found["evidence"], found["precision"]) == (1.0, 0.0, 0.0)


def test_a_refusal_of_an_answerable_question() -> None:
    assert scores(case("1", WALL), answer(WALL, WALL, refused=True)) == {
        "facts": 0.0, "evidence": 0.0, "precision": None, "words": 10.0, "false_refusals": 1.0, "false_answers": None,
    }  # fmt: skip


def test_an_unanswerable_question() -> None:
    nothing = {"facts": None, "evidence": None, "precision": None, "words": None, "false_refusals": None}
    assert scores(case("1"), answer("No.", refused=True)) == nothing | {"false_answers": 0.0}
    assert scores(case("1"), answer(WALL, WALL)) == nothing | {"false_answers": 1.0}


def test_what_is_not_shown_and_what_was_invented_are_not_scored() -> None:
    assert scores(case("1", WALL), answer("x", WALL, verdict="unsupported"))["evidence"] == 0.0
    invented = answer(WALL, WALL)
    invented["statements"][0]["citations"].append({"number": 9, "document": None, "quote": ""})
    assert scores(case("1", WALL), invented)["precision"] == 1.0


def test_any_spelling_of_a_fact_will_do_and_apostrophes_are_alike() -> None:
    one = case("1", WALL, facts=(("don't",),))
    assert scores(one, answer("They DON’T know."))["facts"] == 1.0


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (WALL, WALL, True),
        ("the wall is long", "It says the wall is 640 metres.", True),  # "the wall is": 3 of 4 words
        ("the wall costs money", "the wall is long", True),  # 2 of 4
        ("the wall costs much money", "the wall is very long", False),  # 2 of 5
        ("wall the is long", "long is the wall", False),  # no run of two in order
        ("wall", "wall", False),  # one word is no run
        ("", "", False),
    ],
)
def test_two_texts_match_by_runs_of_words(one: str, other: str, same: bool) -> None:
    assert match(one, other) is same


def test_means_and_intervals() -> None:
    good, bad = answer(WALL, WALL), answer("No.", refused=True)
    results = [CaseResult(case(str(n), WALL), good if n < 3 else bad, None, 0.1) for n in range(4)]
    results.append(CaseResult(case("9", WALL), None, "it broke", 0.1))
    by_name = {one.name: one for one in score(results)}
    assert list(by_name) == list(SCORERS)
    facts, refusals, answers = (by_name[n] for n in ("facts", "false_refusals", "false_answers"))
    assert (facts.value, facts.cases) == (0.6, 5)
    assert facts.low is not None
    assert facts.high is not None
    assert 0.0 <= facts.low < 0.6 < facts.high <= 1.0
    assert refusals.value == 0.4
    assert (answers.value, answers.low, answers.high, answers.cases) == (None, None, None, 0)
    assert score(results) == score(results)
    assert by_name["precision"].cases == 3


words = st.lists(st.sampled_from((WALL + " " + COST + " It rained on the wall.").split()), max_size=14).map(" ".join)
rows = st.tuples(words, st.lists(words, max_size=3), st.booleans(), st.booleans())


@given(plan=st.lists(rows, min_size=1, max_size=5))
def test_scores_agree_with_the_public_scorer(plan: list[tuple[str, list[str], bool, bool]], shared: Path) -> None:
    tool = shared / "tools" / "score_gold.py"
    if not tool.exists():
        pytest.skip(f"no public scorer: {str(tool)!r} is missing")
    spec = importlib.util.spec_from_file_location("score_gold", tool)
    assert spec and spec.loader
    public = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(public)

    results, gold, answers = [], [], {}
    for number, (text, quotes, refused, answerable) in enumerate(plan):
        one = case(str(number), *((WALL, COST) if answerable else ()))
        given_answer = answer(text, *([] if refused else quotes), refused=refused)
        results.append(CaseResult(one, given_answer, None, 0.1))
        gold.append({
            "id": one.id, "answerable": answerable, "question": "", "answers": one.facts,
            "evidence": [{"document": e.document, "quote": e.quote} for e in one.evidence],
        })  # fmt: skip
        answers[one.id] = {
            "id": one.id, "text": text, "refused": refused,
            "citations": [] if refused else [{"document": "a/minutes.pdf", "quote": q} for q in quotes],
        }  # fmt: skip
    expected, _ = public.score(gold, answers)
    ours = {one.name: one.value for one in score(results)}
    assert ours.keys() == expected.keys()
    for name, value in expected.items():
        if value is None:
            assert ours[name] is None
        else:
            assert ours[name] == pytest.approx(value, abs=6e-4), name


def test_answers_are_written_as_the_public_scorer_reads_them(tmp_path: Path) -> None:
    given_answer = answer(WALL, WALL) | {"statements": [
        *answer(WALL, WALL)["statements"],
        {"text": "x", "verdict": "unsupported", "citations": [{"document": {"path": "b"}, "quote": "q"}]},
        {"text": "y", "verdict": "quoted", "citations": [{"document": None, "quote": ""}]},
    ]}  # fmt: skip
    broken = CaseResult(case("2", WALL), None, "it broke", 0.1)
    write_answers([CaseResult(case("1", WALL), given_answer, None, 0.1), broken], tmp_path / "answers.jsonl")
    first, second = map(json.loads, (tmp_path / "answers.jsonl").read_text(encoding="utf-8").splitlines())
    assert (first["id"], first["text"], first["refused"]) == ("1", WALL, False)
    assert first["citations"] == [{"document": "a/minutes.pdf", "quote": WALL}]
    assert (second["id"], second["text"], second["refused"], second["citations"]) == ("2", "", True, [])
    assert second["error"] == "it broke"
