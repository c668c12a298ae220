"""Every refusal names its reason in words, and shows what came nearest."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.abstention import NEAREST, refuse
from assistant.api import Assistant
from assistant.questions import analyse
from assistant.retrieval import Retrieval
from assistant.types import Passage, Prompt, Statement
from corpus.types import Chunk, Document
from embeddings.types import Snapshot


@pytest.mark.parametrize(
    ("question", "reason", "explanation"),
    [
        ("What is it?", "out_of_scope", "This isn’t a question that documents can answer."),
        ("Who is the mayor of Leeds?", "weak_evidence", "No document mentions “Leeds” (4 documents searched)."),
        ("When did the Louvre lend to Leeds?", "weak_evidence", "No document mentions “Louvre” or “Leeds”"),
        (
            "Did Pauline Orrin join the Fenland Trust?",
            "weak_evidence",
            "Passages mention “Pauline Orrin” and “Fenland Trust”, but none says anything of them together",
        ),
        (
            "Who is the treasurer of the Marram Museum?",
            "weak_evidence",
            "No document mentions “treasurer” (4 documents searched).",
        ),
        ("What is the telephone number of the museum?", "weak_evidence", "don’t give a telephone number for it"),
        ("What is the e-mail address of the museum?", "weak_evidence", "don’t give an e-mail address for it"),
        ("Why do whales sing?", "weak_evidence", "No document mentions “whales” or “sing”"),
    ],
)
def test_reason_and_explanation(question: str, reason: str, explanation: str, desk: Assistant) -> None:
    answer = desk.ask(question)
    assert answer.refusal is not None, answer.text
    assert answer.refusal.reason == reason
    assert explanation in answer.refusal.explanation
    assert answer.text == answer.refusal.explanation
    assert answer.shown == ()
    assert answer.refusal.searched == 4
    assert answer.refusal.nearest == (() if reason == "out_of_scope" else answer.passages[:NEAREST])


def test_an_index_of_unreadable_files_finds_nothing(tmp_path: Path, open_museum: Callable[..., Assistant]) -> None:
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "cut.pdf").write_bytes(b"%PDF-1.7\ncut")
    Assistant.build(tmp_path / "documents", index=tmp_path / "index", embedder="hashing")
    with open_museum(index=tmp_path / "index") as desk:
        refusal = desk.ask("Who runs the mill?").refusal
    assert refusal is not None
    assert (refusal.reason, refusal.nearest) == ("nothing_found", ())
    assert (refusal.explanation, refusal.searched) == ("The index holds no documents.", 0)


def test_a_draft_that_fails_verification_is_named_as_such(
    open_museum: Callable[..., Assistant], scripted: Callable[..., object]
) -> None:
    def invents(prompt: Prompt) -> list[str]:
        return ["Skell Mill burnt down in 1871. [1]"]

    with open_museum(scripted(invents)) as desk:
        refusal = desk.ask("Who runs the café at Skell Mill?").refusal
    assert refusal is not None
    assert refusal.reason == "unsupported_draft"
    assert refusal.explanation.startswith("1 sentence was written, but none that the documents support")
    assert "1871" not in refusal.explanation


MILL = "Skell Mill grinds flour. Pauline Orrin runs it with two helpers."


def found(*passages: Passage, **counts: int) -> Retrieval:
    return Retrieval(passages, counts, frozenset(), Snapshot(1, "e", "c", 40, 40))


@pytest.mark.parametrize(
    ("question", "missing"),
    [
        ("Who is the mayor of Leeds?", ("Leeds", "mayor")),
        ("Why do whales sing?", ("whales", "sing")),
        ("Who runs the café at Skell Mill?", ()),
        ("Who is the treasurer of the Marram Museum?", ("treasurer",)),
        ("Which Gallery of Skell Mill is open?", ("Gallery of Skell Mill",)),
    ],
)
def test_names_and_words_that_no_document_has(question: str, missing: tuple[str, ...], desk: Assistant) -> None:
    answer = desk.ask(question)
    assert (answer.refusal.missing if answer.refusal else ()) == missing


def test_names_known_but_apart_are_told_from_unknown_ones(passage_of: Callable[..., Passage]) -> None:
    mill, hall = passage_of(MILL), passage_of("The hall seats 200 people.", 2, "Hall")
    known = found(mill, hall, **{"Skell Mill": 1, "Ada Quill": 3})
    refusal = refuse(analyse("Did Ada Quill visit Skell Mill?"), known)
    assert refusal.explanation == (
        "Documents mention “Ada Quill”, but no passage near to this question does together with “Skell Mill” "
        "(40 documents searched)."
    )
    refusal = refuse(analyse("Did Ada Quill visit?"), known)
    assert refusal.explanation.startswith("Documents mention “Ada Quill”, but no passage near to this question does (")
    assert (refusal.reason, refusal.nearest, refusal.missing) == ("weak_evidence", (mill, hall), ())


def test_what_the_nearest_passage_does_not_cover_is_named(passage_of: Callable[..., Passage]) -> None:
    words = {"mill": 3, "grinds": 2, "wheat": 5, "flour": 1, "barley": 2}
    refusal = refuse(analyse("Why does the mill grind wheat and barley?"), found(passage_of(MILL), **words))
    assert refusal.explanation == (
        "What comes nearest, in “Note”, doesn’t mention “wheat” or “barley” (40 documents searched)."
    )
    refusal = refuse(analyse("Why does the mill grind flour?"), found(passage_of(MILL), **words))
    assert refusal.explanation == (
        "What comes nearest, in “Note”, is on this but doesn’t say what was asked (40 documents searched)."
    )


def test_a_filter_says_how_many_documents_it_left(passage_of: Callable[..., Passage]) -> None:
    question = analyse("Why do whales sing?")
    refusal = refuse(question, found(passage_of(MILL), whales=0, sing=0), searched=3)
    assert refusal.explanation == "No document mentions “whales” or “sing” (3 of 40 documents searched)."
    assert refusal.searched == 3
    refusal = refuse(question, found(), searched=0)
    assert (refusal.reason, refusal.explanation) == ("nothing_found", "The filter leaves none of 40 documents.")
    refusal = refuse(question, found(), searched=2)
    assert refusal.explanation == "Nothing in the documents matches this question (2 of 40 documents searched)."


def test_a_draft_without_support_says_how_much_was_written_and_not_what(passage_of: Callable[..., Passage]) -> None:
    written = [
        Statement("It opened in 1871.", "unsupported", 0.0, (), "the number 1871 isn't in the cited text"),
        Statement("It closed in 1902.", "unsupported", 0.0, (), "the number 1902 isn't in the cited text"),
        Statement("It is old.", "uncited", 0.0, (), "no passage is cited"),
        Statement(
            "It’s at http://x.example.", "unsupported", 0.0, (), "the cited text doesn't say 'http://x.example' of it"
        ),
        Statement("It is near.", "unsupported", 0.0, (), "it isn't what was asked " * 9),
    ]
    refusal = refuse(analyse("When did Skell Mill open?"), found(passage_of(MILL), **{"Skell Mill": 1}), written)
    assert refusal.reason == "unsupported_draft"
    assert refusal.explanation == (
        "5 sentences were written, but none that the documents support (2: the number isn't in the cited text; 1: no "
        "passage is cited; 1: the cited text doesn't say … of it; 1: the cited text doesn't say it) (40 documents "
        "searched)."
    )


def test_a_model_that_says_it_has_no_answer_wrote_none(passage_of: Callable[..., Passage]) -> None:
    declined = [Statement("The passages do not hold the answer.", "uncited", 0.0)]
    refusal = refuse(analyse("Why do whales sing?"), found(passage_of(MILL), whales=0, sing=0), declined)
    assert (refusal.reason, refusal.missing) == ("weak_evidence", ("whales", "sing"))


@given(st.text(min_size=1, max_size=1500), st.text(max_size=3000))
def test_what_is_repeated_is_short_and_harmless(asked: str, title: str) -> None:
    document = Document("id", "a.txt", title, None, None, MILL)
    passage = Passage(1, Chunk("id", 0, len(MILL), MILL), document, 0.0)
    question = analyse(asked)
    known = [*question.names, *asked.split()]
    for counts in ({}, dict.fromkeys(known, 0), dict.fromkeys(known, 1)):
        common = frozenset(n for n in question.names if len(n) % 2)
        refusal = refuse(question, Retrieval((passage,), counts, common, Snapshot(1, "e", "c", 4, 4)))
        assert len(refusal.explanation) < 500
        assert refusal.explanation.isprintable()
