"""When a sentence is about the names asked about, and when about something else of the same kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest

from assistant.evidence import (
    Evidence,
    answers_kind,
    missing_focus,
    missing_names,
    of_another_year,
    sentences_of,
    states_another_role,
)
from assistant.questions import analyse
from assistant.types import Passage
from corpus.types import Section

FILLER = "The weather stayed dry for the whole of that week in the valley below. " * 8
QUESTION = analyse("When does Skell Mill open?")


def last_of(passage: Passage) -> Evidence:
    return sentences_of(passage)[-1]


def test_another_place_is_missed(passage_of: Callable[..., Passage]) -> None:
    assert missing_names(QUESTION, last_of(passage_of("Tarn Mill opens on 6 May."))) == ["Skell Mill"]
    assert missing_names(QUESTION, last_of(passage_of("Skell Mill opens on 6 May."))) == []


def test_a_name_in_title_or_heading_counts(passage_of: Callable[..., Passage]) -> None:
    text = FILLER + "The mill opens on 6 May."
    assert missing_names(QUESTION, last_of(passage_of(text))) == ["Skell Mill"]
    assert missing_names(QUESTION, last_of(passage_of(text, headings=["Skell Mill"]))) == []
    assert missing_names(QUESTION, last_of(passage_of(text, title="News of Skell Mill"))) == []


def with_paragraphs(passage: Passage, *texts: str) -> Passage:
    """The passage with a section for each of its paragraphs."""
    starts = [passage.document.text.index(text) for text in texts]
    sections = tuple(Section("paragraph", 0, a, a + len(t)) for a, t in zip(starts, texts, strict=True))
    return replace(passage, document=replace(passage.document, sections=sections))


def test_the_opening_of_a_document_says_what_it_is_about(passage_of: Callable[..., Passage]) -> None:
    near = (f"We write about Skell Mill. {FILLER}".strip(), "The mill opens on 6 May.")
    far = (f"{FILLER}We write about Skell Mill.", "The mill opens on 6 May.")
    assert missing_names(QUESTION, last_of(with_paragraphs(passage_of("\n\n".join(near)), *near))) == []
    assert missing_names(QUESTION, last_of(with_paragraphs(passage_of("\n\n".join(far)), *far))) == ["Skell Mill"]


def test_a_sentence_that_refers_back_takes_names_from_before(passage_of: Callable[..., Passage]) -> None:
    back = (f"{FILLER}We write about Skell Mill.", "It opens on 6 May.")
    assert missing_names(QUESTION, last_of(with_paragraphs(passage_of("\n\n".join(back)), *back))) == []


def test_a_name_that_most_documents_mention_need_not_stand_there(passage_of: Callable[..., Passage]) -> None:
    evidence = last_of(passage_of("It opens on 6 May."))
    assert missing_names(QUESTION, evidence, frozenset(("Skell Mill",))) == []
    assert missing_names(QUESTION, evidence, frozenset(("Skell",))) == ["Skell Mill"]


def test_another_year_is_missed_unless_the_document_is_of_that_year(passage_of: Callable[..., Passage]) -> None:
    question = analyse("What did the mill cost in 2019?")
    passage = passage_of("The mill cost £5.")
    assert missing_names(question, last_of(passage)) == ["2019"]
    dated = replace(passage, document=replace(passage.document, date=date(2019, 3, 1)))
    assert missing_names(question, last_of(dated)) == []
    later = replace(passage, document=replace(passage.document, date=date(2020, 3, 1)))
    assert missing_names(question, last_of(later)) == ["2019"]


def test_a_role_must_be_mentioned(passage_of: Callable[..., Passage]) -> None:
    question = analyse("Who is the head teacher of Skell School?")
    assert missing_focus(question, last_of(passage_of("Ada Quill is head teacher of Skell School."))) == 0.0
    assert missing_focus(question, last_of(passage_of("Ada Quill is head of Skell School."))) == 0.5
    assert missing_focus(question, last_of(passage_of("Ada Quill visited Skell School."))) == 1.0
    assert not answers_kind(question, last_of(passage_of("Ada Quill visited Skell School.")))
    assert answers_kind(question, last_of(passage_of("Ada Quill is head teacher of Skell School.")))
    assert missing_focus(analyse("Who visited Skell School?"), last_of(passage_of("Nobody."))) == 0.0


def test_sentences_carry_their_place_and_skip_headings(passage_of: Callable[..., Passage]) -> None:
    text = "Opening\n\nThe mill opens. It is old."
    passage = passage_of(text, title="Skell Mill", headings=["Opening"])
    sections = (Section("heading", 1, 0, 7), Section("paragraph", 0, 9, len(text)))
    passage = replace(passage, document=replace(passage.document, sections=sections))
    first, second = sentences_of(passage)
    assert (first.text, second.text) == ("The mill opens.", "It is old.")
    assert text[second.start : second.end] == second.text
    assert (second.paragraph, second.before) == ("The mill opens. It is old.", "Opening\n\nThe mill opens. ")
    assert second.heading == "Skell Mill\nOpening"


def test_an_item_of_a_list_is_read_with_the_line_above_the_list(passage_of: Callable[..., Passage]) -> None:
    text = "At Skell Mill we serve:\nsoup\nbread"
    passage = passage_of(text)
    spans = [(0, 23), (24, 28), (29, 34)]
    kinds = ("paragraph", "item", "item")
    sections = tuple(Section(k, 0, a, b) for k, (a, b) in zip(kinds, spans, strict=True))  # type: ignore[arg-type]
    passage = replace(
        passage,
        chunk=replace(passage.chunk, sentences=tuple(spans)),
        document=replace(passage.document, sections=sections),
    )
    assert last_of(passage).paragraph == "At Skell Mill we serve:\nbread"
    assert missing_names(QUESTION, last_of(passage)) == []


@pytest.mark.parametrize(
    ("question", "text", "other"),
    [
        ("Who is the treasurer of the museum?", "The director of the museum is Ada Quill.", True),
        ("Who founded the museum?", "The director of the museum is Ada Quill.", True),
        ("Who is the director of the museum?", "The director of the museum is Ada Quill.", False),
        ("Who runs the museum?", "The director of the museum is Ada Quill.", False),
        ("Who chaired the commission?", "The chair of the commission was Ada Quill.", False),
        ("When did the director join?", "The director of the museum is Ada Quill.", False),
    ],
)
def test_a_sentence_on_another_role_answers_no_question_about_who(question: str, text: str, other: bool) -> None:
    assert states_another_role(analyse(question), text) is other


@pytest.mark.parametrize(
    ("question", "text", "title", "other"),
    [
        ("How many visitors came in 2022?", "Visitor numbers in 2021 were 52,700.", "Report", True),
        ("How many visitors came in 2022?", "Visitor numbers in 2021/22 were 52,700.", "Report", False),
        ("How many visitors came in 2022?", "From 2020 to 2023 some 52,700 came.", "Report", False),
        ("How many visitors came in 2022?", "Some 52,700 visitors came.", "Report 2021", True),
        ("How many visitors came in 2022?", "Some 52,700 visitors came.", "Report", False),
        ("How have numbers changed since 2019?", "Numbers rose in 2021.", "Report", False),
        ("How many visitors came?", "Visitor numbers in 2021 were 52,700.", "Report", False),
    ],
)
def test_a_sentence_of_another_year_is_told(
    question: str, text: str, title: str, other: bool, passage_of: Callable[..., Passage]
) -> None:
    (evidence,) = sentences_of(passage_of(text, title=title))
    assert of_another_year(analyse(question), evidence) is other
