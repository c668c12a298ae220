"""Questions are taken apart: kind, names, terms, focus, parts, slips of the pen."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.questions import (
    AnswerKind,
    analyse,
    correct,
    has_kind,
    holds,
    names_in,
    parts_of,
    recase,
    same_word,
    stem,
)


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("Who chairs the panel?", "name"),
        ("What is the name of the director?", "name"),
        ("When does it open?", "date"),
        ("What is the deadline for claims?", "date"),
        ("What time does it close?", "time"),
        ("How much does it cost?", "money"),
        ("What is the fee for a permit?", "money"),
        ("What is the drains and gutters budget?", "money"),
        ("What’s the price of a ticket?", "money"),
        ("What are the rules and charges?", "any"),
        ("What percentage voted?", "percentage"),
        ("How many members are there?", "number"),
        ("How old is the mill?", "number"),
        ("How long does it take?", "duration"),
        ("How far is it?", "duration"),
        ("What is the telephone number of the office?", "phone"),
        ("What is the email address?", "email"),
        ("Which website gives details?", "url"),
        ("Where is the mill?", "place"),
        ("Why is it closed?", "any"),
        ("What happens when it rains?", "any"),
        ("People who live here, what do they say?", "any"),
        ("", "any"),
    ],
)
def test_kind_of_answer(question: str, kind: AnswerKind) -> None:
    assert analyse(question).kind == kind


@pytest.mark.parametrize(
    ("kind", "text", "question", "there"),
    [
        ("money", "It costs £4.", "How much?", True),
        ("money", "It is free.", "How much?", True),
        ("money", "It has 4 rooms.", "How much?", False),
        ("percentage", "38% of it", "What share?", True),
        ("percentage", "a third of it", "What share?", True),
        ("percentage", "38 of them", "What share?", False),
        ("date", "in May 2024", "When?", True),
        ("date", "They may go.", "When?", False),
        ("date", "since 2019", "What happened in 2019?", False),
        ("time", "until 3pm", "What time?", True),
        ("time", "on 3 May", "What time?", False),
        ("duration", "nine weeks", "How long?", True),
        ("number", "two helpers", "How many?", True),
        ("number", "helpers", "How many?", False),
        ("phone", "020 7946 0123", "Phone number?", True),
        ("phone", "in 2024", "Phone number?", False),
        ("email", "write to a@b.org", "E-mail address?", True),
        ("name", "Pauline Orrin runs it.", "Who runs it?", True),
        ("name", "The mill is run well.", "Who runs it?", False),
        ("name", "Skell Mill opens.", "Who runs Skell Mill?", False),
        ("place", "It stands at the quay.", "Where is it?", True),
        ("any", "", "Why?", True),
    ],
)
def test_shape_of_an_answer(kind: AnswerKind, text: str, question: str, there: bool) -> None:
    assert has_kind(kind, text, analyse(question)) is there


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Who is Ada Quill of the Marram Museum?", ["Ada Quill of the Marram Museum"]),
        ("In 2019, who led the Friends of Skell Mill?", ["2019", "Friends of Skell Mill"]),
        ("What did Ada’s Fenland Trust do in room 101?", ["Ada", "Fenland Trust", "101"]),
        ("What does O'Brien say about Leeds/York?", ["O'Brien", "Leeds", "York"]),
        ("Repairs take how long?", []),
        ("who runs it?", []),
    ],
)
def test_names(text: str, found: list[str]) -> None:
    assert names_in(text) == found


def test_terms_and_focus_are_stems_of_content_words() -> None:
    question = analyse("Who is the head teacher of Skell School?")
    assert question.terms == ("head", "teacher", "skell", "school")
    assert question.focus == ("head", "teacher")
    assert question.names == ("Skell School",)
    assert analyse("What is Ada Quill’s salary?").focus == ("salari",)
    assert analyse("Why is it closed?").focus == ()


def test_parts_of_a_joined_question() -> None:
    assert parts_of("Who chairs the panel, and when does it meet?") == ["Who chairs the panel", "when does it meet?"]
    assert parts_of("Who chairs the panel and council?") == ["Who chairs the panel and council?"]


@given(st.text(max_size=200))
def test_any_text_is_taken_apart(text: str) -> None:
    question = analyse(text)
    assert question == analyse(text)
    assert question.text == text
    assert len(set(question.terms)) == len(question.terms)
    assert all(question.terms)
    assert set(question.focus) <= set(question.terms)


def test_slips_are_mended_from_the_vocabulary_and_names_left_alone() -> None:
    vocabulary, known = ["museum", "open", "visitors"], {"when", "does", "the", "for"}
    text = "When does the musuem opn for vistors?"
    assert correct(text, vocabulary, known.__contains__) == "When does the museum open for visitors?"
    assert correct("Does Musuem zzzz?", vocabulary, known.__contains__) == "Does Musuem zzzz?"
    assert correct("the hed of it", ["head", "held"], known.__contains__) == "the head of it"
    assert correct("the hed of it", ["held", "head"], known.__contains__) == "the held of it"
    assert correct("Is the musuem shut?", vocabulary, lambda _: True) == "Is the musuem shut?"


def test_words_are_the_same_but_for_a_slip() -> None:
    assert same_word(stem("library"), stem("libary"))
    assert not same_word("1998", "1999")
    assert not same_word("mill", "mall")
    assert holds("Libraries", {stem("library")})
    assert stem("Ada’s") == stem("Ada") == "ada"


@pytest.mark.parametrize(
    ("text", "recased"),
    [
        ("what did the skell trust say?", "what did the Skell Trust say?"),
        ("what is skell's budget?", "what is Skell's budget?"),
        ("What did the skell trust say about Leeds?", "What did the skell trust say about Leeds?"),
        ("what number has the mill?", "what number has the mill?"),
    ],
)
def test_names_typed_small_get_the_capitals_of_the_passages(text: str, recased: str) -> None:
    passages = ["Yesterday the Skell Trust met. Budget talks followed.", "Number of mills: 4; Mill: Upper Skell"]
    assert recase(text, passages) == recased


@pytest.mark.parametrize(
    "sentence",
    ["The clinic opens at 9am.", "Soup is served at noon.", "You hear within ten working days.", "It opens on 6 May."],
)
def test_when_is_answered_by_a_day_a_time_or_a_term(sentence: str) -> None:
    assert has_kind("date", sentence, analyse("When does it open?"))


def test_what_date_is_not_answered_by_a_time() -> None:
    assert not has_kind("date", "The clinic opens at 9am.", analyse("On what date does the clinic open?"))


def test_months_and_days_are_not_names() -> None:
    assert names_in("Are fires allowed in July or on Sundays at Skell Mill?") == ["Skell Mill"]


def test_stems_are_the_same_in_many_threads() -> None:
    words = [
        f"{beginning}{end}"
        for beginning in ("respons", "organ", "nat", "relat")
        for end in ("ibilities", "isations", "ionally", "iveness", "ing", "ed", "es")
    ] * 20
    alone, interval = [stem(word) for word in words], sys.getswitchinterval()
    stem.cache_clear()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as threads:
            assert list(threads.map(stem.__wrapped__, words)) == alone
    finally:
        sys.setswitchinterval(interval)
