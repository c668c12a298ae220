"""Answers as text and as JSON: exactly what the contract says, and harmless whatever the documents hold."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from assistant.api import Assistant
from assistant.citations import bind
from assistant.render import render_answer
from assistant.types import Answer, Passage, Refusal
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
    assert render_answer(desk.ask("How much did the repairs to the roof cost?")) == (
        "The repairs to the roof cost £412,000 and took nine weeks. [1]\n"
        "\n"
        "Sources:\n"
        "[1] Repairs to the roof, repairs.txt, 2 February 2024\n"
        "    “The repairs to the roof cost £412,000 and took nine weeks.” (characters 38–96)"
    )


def test_a_refusal_has_the_nearest_passages_below(desk: Assistant) -> None:
    lines = render_answer(desk.ask("Who is the mayor of Leeds?")).splitlines()
    assert lines[:3] == ["No answer: No document mentions “Leeds” (4 documents searched).", "", "Nearest passages:"]
    assert [line[:4] for line in lines[3:] if line[0] != " "] == ["[1] ", "[2] ", "[3] "]


def test_a_follow_up_says_how_it_was_asked(desk: Assistant) -> None:
    answer = desk.ask("When does it open?", ["Who is the director of the Marram Museum?"])
    assert render_answer(answer).splitlines()[:2] == ["(asked as: When does Marram Museum open?)", ""]


def test_the_dictionary_has_the_keys_of_the_contract(desk: Assistant) -> None:
    answer = desk.ask("How much did the repairs to the roof cost?").to_dict()
    assert list(answer) == [
        "id", "question", "standalone_question", "text", "refused", "refusal", "statements", "conflicts", "passages",
        "generator", "snapshot", "timings", "confidence", "notes",
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


def answer_of(passage: Passage, refused: bool) -> Answer:
    text = passage.document.text
    statement = verify(text, [bind(text, 1, [passage], LexicalEntailment())], LexicalEntailment())
    refusal = Refusal("weak_evidence", text, (passage,)) if refused else None
    return Answer("1", text, text + "?", (statement,), refusal, (), (passage,), text, Snapshot(1, "e", "c", 1, 1))


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
            assert not FORBIDDEN.search(render_answer(answer_of(passage, refused)))


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
