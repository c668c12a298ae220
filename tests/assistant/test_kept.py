"""An answer that was kept comes back as it was, but for the texts of its documents."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import date
from typing import Any

import pytest

from assistant.api import Assistant
from assistant.records.answers import answer_of
from assistant.types import (
    Answer,
    Citation,
    Conflict,
    ConflictingValue,
    Passage,
    Prompt,
    Refusal,
    Statement,
    TextGenerator,
    Tokens,
)
from corpus.errors import UnavailableError
from corpus.types import Chunk, Document
from embeddings.types import Snapshot

QUESTIONS = (
    "How much did the repairs to the roof cost?",
    "When does the Marram Museum open?",
    "Who is the mayor of Leeds?",
    "Hello",
    "When does it open?",
)


def through_json(answer: Answer) -> Any:
    return json.loads(json.dumps(answer.to_dict()))


@pytest.mark.parametrize("question", QUESTIONS)
def test_what_was_asked_comes_back(question: str, desk: Assistant) -> None:
    given = desk.ask(question, ["Who is the director of the Marram Museum?"])
    back = answer_of(through_json(given))
    assert back.to_dict() == given.to_dict()
    assert (back.text, back.shown == (), back.snapshot) == (given.text, given.shown == (), given.snapshot)
    for passage, before in zip(back.passages, given.passages, strict=True):
        assert passage.document == replace(
            before.document, text="", date_source=None, sections=(), pages=(), metadata=passage.document.metadata
        )
        assert passage.chunk.id == before.chunk.id
    for statement in back.statements:
        for citation in statement.citations:
            assert citation.passage in back.passages


def test_what_a_model_left_out_and_invented_comes_back(
    scripted: Callable[..., TextGenerator], open_museum: Callable[..., Assistant]
) -> None:
    def draft(prompt: Prompt) -> list[str]:
        return ["The museum opens on 6 May 2024 [1]. It costs £900 [1][77]. It is blue. "]

    with open_museum(scripted(draft)) as desk:
        given = desk.ask(QUESTIONS[1])
    back = answer_of(through_json(given))
    assert back.to_dict() == given.to_dict()
    assert [s.verdict for s in back.left_out] == [s.verdict for s in given.left_out] != []
    assert any(c.passage is None for s in back.statements for c in s.citations)


def full() -> Answer:
    """An answer with a value in every field."""
    document = Document("d" * 32, "minutes/a.pdf", "Minutes", date(2024, 3, 1), "text", "The fee is £4.")
    other = Document("e" * 32, "b.txt", "Note", None, None, "Now £5.")
    chunk = Chunk(document.id, 0, 14, document.text, ("Fees", "Adults"), 3)
    passage, second = Passage(1, chunk, document, 0.5), Passage(2, Chunk(other.id, 0, 7, other.text), other, 0.25)
    cited, differing = Citation(1, passage, 0, 14, document.text, 3), Citation(2, second, 4, 6, "£5", None)
    value = ConflictingValue("£4", (cited,), date(2024, 3, 1), True)
    later = ConflictingValue("£5", (differing,), None, False)
    return Answer(
        "0" * 24, "And the fee?", "What is the fee?",
        (Statement("It is £4.", "supported", 0.9, (cited, Citation(7, None)), None),
         Statement("It is blue.", "uncited", 0.0, (), "No source is named.")),
        None, (Conflict("They differ.", (cited, differing), (value, later)),),
        (passage, second), "openai:m", Snapshot(3, "e", "c", 2, 2), {"retrieve": 0.1}, 0.75, ("Only two were read.",),
        Tokens(900, 20),
    )  # fmt: skip


def test_every_field_comes_back() -> None:
    given = full()
    assert answer_of(through_json(given)).to_dict() == given.to_dict()
    refused = replace(given, statements=(), conflicts=(), refusal=Refusal(
        "weak_evidence", "No.", given.passages, ("fee",), 40, ("Which fee?",)
    ))  # fmt: skip
    assert answer_of(through_json(refused)).to_dict() == refused.to_dict()
    assert asdict(answer_of(through_json(refused)).refusal)["missing"] == ("fee",)  # type: ignore[call-overload]


def test_an_answer_of_the_first_version_comes_back() -> None:
    values = through_json(full())
    for later in ("confidence", "notes", "tokens", "newer"):
        del values[later]
    for statement in values["statements"]:
        del statement["reason"]
    back = answer_of(values)
    assert (back.confidence, back.notes, back.tokens) == (None, (), None)
    assert back.text == full().text


def test_a_citation_of_what_was_not_offered_keeps_its_own_place() -> None:
    values = through_json(full())
    values["conflicts"][0]["citations"][0] |= {"number": 9}
    values["conflicts"][0]["citations"][1]["document"] |= {"title": "Another"}
    first, second = answer_of(values).conflicts[0].citations
    assert first.passage is not None
    assert second.passage is not None
    assert (first.passage.number, first.passage.document.path, first.passage.chunk.text) == (
        9, "minutes/a.pdf", "The fee is £4.",
    )  # fmt: skip
    assert (second.passage.document.title, second.passage.chunk.start, second.quote) == ("Another", 4, "£5")


@pytest.mark.parametrize(
    "change",
    [
        {"passages": None}, {"passages": [{}]}, {"statements": 3}, {"snapshot": {"generation": 1}}, {"conflicts": [{}]},
        {"snapshot": None}, {"refusal": {"reason": "x"}}, {"tokens": {"read": 1}}, {"tokens": [1]}, {"notes": 5},
        {"statements": [{"text": "x"}]}, {"passages": [5]},
    ],
)  # fmt: skip
def test_a_damaged_answer_is_named(change: dict[str, Any]) -> None:
    with pytest.raises(UnavailableError, match=r"the kept answer '0{24}' is damaged \(.*: put the history back"):
        answer_of(through_json(full()) | change)


@pytest.mark.parametrize("values", [{}, {"id": "a"}, [], None])
def test_what_is_no_answer_is_refused(values: Any) -> None:
    with pytest.raises(UnavailableError, match="is damaged"):
        answer_of(values)
