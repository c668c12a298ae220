"""Every refusal names its reason in words, and shows what came nearest."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from assistant.abstention import NEAREST
from assistant.api import Assistant
from assistant.types import Prompt


@pytest.mark.parametrize(
    ("question", "reason", "explanation"),
    [
        ("What is it?", "out_of_scope", "This isn’t a question that documents can answer."),
        ("Who is the mayor of Leeds?", "weak_evidence", "No document mentions “Leeds” (4 documents searched)."),
        ("When did the Louvre lend to Leeds?", "weak_evidence", "No document mentions “Louvre” and “Leeds”"),
        (
            "Did Pauline Orrin join the Fenland Trust?",
            "weak_evidence",
            "mention “Pauline Orrin” and “Fenland Trust”, but not",
        ),
        (
            "Who is the treasurer of the Marram Museum?",
            "weak_evidence",
            "No document mentions “treasurer” (4 documents searched).",
        ),
        ("What is the telephone number of the museum?", "weak_evidence", "don’t give a telephone number for it"),
        ("What is the e-mail address of the museum?", "weak_evidence", "don’t give an e-mail address for it"),
        ("Why do whales sing?", "weak_evidence", "No document mentions “whales” and “sing”"),
    ],
)
def test_reason_and_explanation(question: str, reason: str, explanation: str, desk: Assistant) -> None:
    answer = desk.ask(question)
    assert answer.refusal is not None, answer.text
    assert answer.refusal.reason == reason
    assert explanation in answer.refusal.explanation
    assert answer.text == answer.refusal.explanation
    assert answer.shown == ()
    assert answer.refusal.nearest == (() if reason == "out_of_scope" else answer.passages[:NEAREST])


def test_an_index_of_unreadable_files_finds_nothing(tmp_path: Path, open_museum: Callable[..., Assistant]) -> None:
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "cut.pdf").write_bytes(b"%PDF-1.7\ncut")
    Assistant.build(tmp_path / "documents", index=tmp_path / "index", embedder="hashing")
    with open_museum(index=tmp_path / "index") as desk:
        refusal = desk.ask("Who runs the mill?").refusal
    assert refusal is not None
    assert (refusal.reason, refusal.nearest) == ("nothing_found", ())
    assert refusal.explanation == "Nothing in the documents matches this question (0 documents searched)."


def test_a_draft_that_fails_verification_is_named_as_such(
    open_museum: Callable[..., Assistant], scripted: Callable[..., object]
) -> None:
    def invents(prompt: Prompt) -> list[str]:
        return ["Skell Mill burnt down in 1871. [1]"]

    with open_museum(scripted(invents)) as desk:
        refusal = desk.ask("When did Skell Mill burn down?").refusal
    assert refusal is not None
    assert refusal.reason == "unsupported_draft"
    assert refusal.explanation.startswith("An answer was drafted, but the documents don’t say what it says")
    assert "1871" not in refusal.explanation
