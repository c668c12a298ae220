"""Answers as text and as JSON: exactly what the contract says, and harmless whatever the documents hold."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from assistant.api import Assistant
from assistant.citations import bind
from assistant.confidence import confidence_word
from assistant.render import render_answer
from assistant.types import Answer, Conflict, ConflictingValue, Passage, Refusal, Statement
from assistant.verification import LexicalEntailment, verify
from embeddings.types import Snapshot

HOSTILE = Path(__file__).parents[2].parent / "shared" / "data" / "hostile"
FORBIDDEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


def strings_in(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return [string for child in children for string in strings_in(child)]


def test_an_answer_has_its_sources_below(desk: Assistant) -> None:
    answer = desk.ask("How much did the repairs to the roof cost?")
    assert answer.confidence is not None
    assert render_answer(answer) == (
        "The repairs to the roof cost £412,000 and took nine weeks. [1]\n"
        "\n"
        "Sources:\n"
        "[1] Repairs to the roof, repairs.txt, 2 February 2024\n"
        "    “The repairs to the roof cost £412,000 and took nine weeks.” (characters 38–96)\n"
        "\n"
        f"Confidence: {confidence_word(answer.confidence)}"
    )


def test_a_refusal_has_the_nearest_passages_below(desk: Assistant) -> None:
    lines = render_answer(desk.ask("Who is the mayor of Leeds?")).splitlines()
    assert lines[:3] == ["No answer: No document mentions “Leeds” (4 documents searched).", "", "Nearest passages:"]
    assert [line[:4] for line in lines[3:] if line[0] != " "] == ["[1] ", "[2] ", "[3] "]


def test_a_follow_up_says_how_it_was_asked(desk: Assistant) -> None:
    answer = desk.ask("When does it open?", ["Who is the director of the Marram Museum?"])
    assert render_answer(answer).splitlines()[:2] == ["(asked as: When does the Marram Museum open?)", ""]


def test_the_dictionary_has_the_keys_of_the_contract(desk: Assistant) -> None:
    answer = desk.ask("How much did the repairs to the roof cost?").to_dict()
    assert list(answer) == [
        "id", "question", "standalone_question", "text", "refused", "refusal", "statements", "conflicts", "passages",
        "generator", "snapshot", "timings", "confidence", "notes", "tokens", "newer",
    ]  # fmt: skip
    (statement,) = answer["statements"]
    assert list(statement) == ["text", "verdict", "support", "citations", "reason"]
    (citation,) = statement["citations"]
    assert list(citation) == ["number", "document", "start", "end", "quote", "page"]
    assert list(citation["document"]) == ["id", "path", "title", "date"]
    assert citation["document"]["path"] == "repairs.txt"
    assert citation["document"]["date"] == "2024-02-02"
    assert (answer["refused"], answer["refusal"], answer["conflicts"]) == (False, None, [])
    refused = desk.ask("Who is the mayor of Leeds?").to_dict()
    assert list(refused["refusal"]) == ["reason", "explanation", "nearest", "missing", "searched", "choices"]
    assert (refused["refused"], refused["statements"]) == (True, [])
    assert refused["refusal"]["nearest"] == refused["passages"][:3]


def made(passage: Passage, **others: Any) -> Answer:
    """An answer that quotes a whole document of one sentence."""
    text = passage.document.text
    statement = verify(text, [bind(text, 1, [passage], LexicalEntailment())], LexicalEntailment())
    snapshot = Snapshot(7, "e", "c", 1, 1)
    values: dict[str, Any] = {"question": "Why?", "standalone_question": "Why?", **others}
    return replace(Answer("a1", "", "", (statement,), None, (), (passage,), "model", snapshot), **values)


def test_confidence_is_a_word_and_on_request_a_number(passage_of: Callable[..., Passage]) -> None:
    word = confidence_word(0.97)
    answer = made(passage_of("The hall is open."), confidence=0.973)
    assert render_answer(answer).endswith(f"\n\nConfidence: {word}")
    assert render_answer(answer, verbose=True).endswith(
        f"\n\nConfidence: {word} (0.97)\nMade by model from generation 7 of the index; id a1"
    )
    refused = replace(answer, refusal=Refusal("weak_evidence", "No document mentions it."), confidence=0.02)
    assert render_answer(refused) == "No answer: No document mentions it."
    assert f"Confidence: {confidence_word(0.02)} (0.02)" in render_answer(refused, verbose=True)


def test_notes_stand_below_the_sources(passage_of: Callable[..., Passage]) -> None:
    answer = made(passage_of("The hall is open."), notes=("3 passages were left out.", "The second \x1b[31mnote."))
    assert render_answer(answer).splitlines()[-3:] == [
        "",
        "Note: 3 passages were left out.",
        "Note: The second ␛[31mnote.",
    ]


def test_sources_that_differ_are_given_with_source_and_date_the_newest_named(
    passage_of: Callable[..., Passage],
) -> None:
    old, new, undated = (
        passage_of(f"The roof cost £{cost}.", number, title)
        for number, (cost, title) in enumerate([(4, "Minutes"), (5, "Update"), (6, "Leaflet")], 1)
    )
    cited = [bind(p.chunk.text, p.number, [old, new, undated], LexicalEntailment()) for p in (old, new, undated)]
    conflict = Conflict(
        "Sources differ on what the roof cost:",
        (),
        (
            ConflictingValue("£5", (cited[1],), date(2024, 3, 5), True),
            ConflictingValue("£4", (cited[0],), date(2023, 1, 31), False),
            ConflictingValue("£6", (cited[2],), None, False),
        ),
    )
    lines = render_answer(made(old, conflicts=(conflict,))).splitlines()
    assert lines[:7] == [
        "The roof cost £4. [1]",
        "",
        "Sources differ on what the roof cost:",
        "  - £5: Update [2], 5 March 2024 (newest)",
        "  - £4: Minutes [1], 31 January 2023",
        "  - £6: Leaflet [3], no date",
        "",
    ]
    assert [line[:3] for line in lines if line.startswith("[")] == ["[1]", "[2]", "[3]"]


def test_a_question_that_may_mean_several_things_gets_choices(passage_of: Callable[..., Passage]) -> None:
    choices = ("When does the library open?", "When does the \x1b]8;;http://x\x07hall open?")
    asked = Refusal("underspecified", "Several things open.", (), choices=choices)
    assert render_answer(made(passage_of("The hall is open."), refusal=asked)).splitlines() == [
        "Several things open.",
        "Which do you mean?",
        "  1. When does the library open?",
        "  2. When does the ␛]8;;http://x␇hall open?",
    ]
    asked = replace(asked, explanation="Which one do you mean?")
    assert "Which do you mean?" not in render_answer(made(passage_of("The hall is open."), refusal=asked))


def test_what_was_left_out_is_shown_on_request_with_its_reason(passage_of: Callable[..., Passage]) -> None:
    answer = made(passage_of("The hall is open."))
    invented = Statement("It cost £9 [click](http://x.example).", "unsupported", 0.0, (), "£9 isn’t in the cited text")
    answer = replace(answer, statements=(*answer.statements, invented))
    assert "£9" not in render_answer(answer)
    assert render_answer(answer, left_out=True).splitlines()[-4:] == [
        "",
        "Left out:",
        "  - It cost £9 [click](http://x.example).",  # as plain text: nothing to click
        "    £9 isn’t in the cited text",
    ]
    assert render_answer(made(passage_of("Open.")), left_out=True).endswith("\n\nNothing was left out.")


def answer_of(passage: Passage, refused: bool) -> Answer:
    text = passage.document.text
    statement = verify(text, [bind(text, 1, [passage], LexicalEntailment())], LexicalEntailment())
    refusal = Refusal("weak_evidence", text, (passage,)) if refused else None
    if refusal is not None:
        refusal = replace(refusal, missing=(text,), choices=(text,))
    value = ConflictingValue(text, statement.citations, date(2024, 1, 1), True)
    left_out = Statement(text, "unsupported", 0.0, (), text)
    answer = Answer(
        "1", text, text + "?", (statement, left_out), refusal, (), (passage,), text, Snapshot(1, "e", "c", 1, 1)
    )
    return replace(answer, conflicts=(Conflict(text, (), (value,)),), notes=(text,), confidence=0.5)


@pytest.mark.parametrize("source", ["terminal_payloads.json", "blns/blns.json"])
def test_hostile_text_leaves_without_control_characters(source: str, passage_of: Callable[..., Passage]) -> None:
    if not HOSTILE.is_dir():
        pytest.skip(f"no hostile text: {str(HOSTILE)!r} is missing")
    payloads = strings_in(json.loads((HOSTILE / source).read_text(encoding="utf-8")))
    assert len(payloads) > 50
    for payload in payloads:
        passage = passage_of(f"Wall {payload} end.", title=payload, headings=[payload])
        passage = replace(passage, document=replace(passage.document, path=payload))
        for refused in (False, True):
            answer = answer_of(passage, refused)
            assert not FORBIDDEN.search(render_answer(answer, left_out=True, verbose=True))


def test_hostile_documents_reach_an_answer_harmless(tmp_path: Path, open_museum: Callable[..., Assistant]) -> None:
    if not HOSTILE.is_dir():
        pytest.skip(f"no hostile text: {str(HOSTILE)!r} is missing")
    payloads = strings_in(json.loads((HOSTILE / "terminal_payloads.json").read_text(encoding="utf-8")))
    folder = tmp_path / "documents"
    folder.mkdir()
    lines = [
        f"Locker {n} holds the payload {p} of the harbour master." for n, p in enumerate(payloads, 100) if "\0" not in p
    ]
    assert len(lines) > 50
    (folder / "a\x1b[31m\u202eb.txt").write_bytes("\n\n".join(lines).encode(errors="surrogatepass"))
    Assistant.build(folder, index=tmp_path / "index", embedder="hashing")
    with open_museum(index=tmp_path / "index") as desk:
        answers = [desk.ask(f"What does locker {n} of the harbour master hold?") for n in range(100, 180, 20)]
        (summary,) = desk.documents()
    assert not any(a.refused for a in answers)
    for answer in answers:
        assert not FORBIDDEN.search(render_answer(answer))
        assert not FORBIDDEN.search(answer.text)
    assert summary.chunks > 0
