"""Drafts with passage numbers become sentences with exact spans."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.citations import bind, locate, parse_draft
from assistant.types import Citation, Passage
from assistant.verification import LexicalEntailment, verify

TEXT = (
    "The hall opens at nine.  It closes \u00a0at six on Fridays. Hire costs £30 an hour. It closes at noon on Sundays."
)


@pytest.mark.parametrize(
    ("draft", "sentences"),
    [
        ("The hall opens. [1]", [("The hall opens.", (1,))]),
        ("The hall opens [1].", [("The hall opens.", (1,))]),
        ("The hall opens.[1] It closes. [2]", [("The hall opens.", (1,)), ("It closes.", (2,))]),
        ("The hall opens [1]. It closes [2][3].", [("The hall opens.", (1,)), ("It closes.", (2, 3))]),
        ("The hall opens. [1, 2]", [("The hall opens.", (1, 2))]),
        ("The hall opens. [1] [ 2 ,3 ]", [("The hall opens.", (1, 2, 3))]),
        ("The hall opens. [2][1][2]", [("The hall opens.", (2, 1))]),
        ("The hall opens! [1]", [("The hall opens!", (1,))]),
        ("Does it open? [1]", [("Does it open?", (1,))]),
        ("The hall opens. [123456]", [("The hall opens.", (123456,))]),
        ("The hall opens. It closes. [2]", [("The hall opens.", ()), ("It closes.", (2,))]),
        ("The hall opens.", [("The hall opens.", ())]),
        ("The hall opens\nand closes [2]", [("The hall opens", ()), ("and closes", (2,))]),
        ("The hall opens. [1]\n[2]", [("The hall opens.", (1, 2))]),
        ("The hall [main] opens. [1]", [("The hall [main] opens.", (1,))]),
        ("It opens [at nine][1].", [("It opens [at nine].", (1,))]),
        ("It opens [see 4.2]. [1]", [("It opens [see 4.2].", (1,))]),
        ("", []),
        (" \n\n . \n", []),
    ],
)
def test_numbers_belong_to_the_sentence_before_them(draft: str, sentences: list[tuple[str, tuple[int, ...]]]) -> None:
    assert parse_draft(draft) == sentences


def test_a_number_of_seven_digits_is_text() -> None:
    assert parse_draft("The hall opens. [1234567]")[-1][1] == ()


@pytest.mark.parametrize("draft", ["[7] The hall opens.", "[7]\nThe hall opens.", "[7] The hall opens. [1]"])
def test_a_number_before_every_sentence_is_not_lost(draft: str) -> None:
    assert 7 in [number for _, numbers in parse_draft(draft) for number in numbers]


sentences = st.from_regex(r"[A-Z][a-z]{2,8}( [a-z]{2,8}){1,5}\.", fullmatch=True)


@given(st.lists(st.tuples(sentences, st.lists(st.integers(0, 999_999), max_size=4)), max_size=6))
def test_what_was_written_is_parsed_back(written: list[tuple[str, list[int]]]) -> None:
    draft = "\n".join(text + " " + "".join(f"[{n}]" for n in numbers) for text, numbers in written)
    assert parse_draft(draft) == list(dict.fromkeys((text, tuple(dict.fromkeys(n))) for text, n in written))
    assert parse_draft(f"{draft}\n\n{draft}") == parse_draft(draft)


@given(st.text(st.sampled_from("ab .!?[]()\n0123456789,")))
def test_any_draft_keeps_its_letters_and_gains_none(draft: str) -> None:
    parsed = parse_draft(draft)
    letters = re.sub(r"[^ab]", "", draft)
    kept = re.sub(r"[^ab]", "", "".join(text for text, _ in parsed))
    assert kept == letters or (len(kept) < len(letters) and set(kept) == set(letters))  # said twice, kept once
    assert all("\n" not in text and text.strip() == text != "" for text, _ in parsed)


@pytest.mark.parametrize("repeated", [" ", "[", "[1", "[1]", "[1,", "[ ", "]", "1", "a. ", ". ", "\t[1] "])
def test_a_long_draft_takes_no_longer_than_its_length(repeated: str) -> None:
    started = time.process_time()
    parse_draft("a" + repeated * 20_000 + "b")
    assert time.process_time() - started < 1.5


def test_bind_finds_the_sentence_word_for_word_whatever_its_white_space(passage_of: Callable[..., Passage]) -> None:
    passage = passage_of(TEXT)
    start = TEXT.index("It closes \u00a0")
    quote = "It closes \u00a0at six on Fridays."
    assert locate("It closes at six on Fridays.", passage) == (start, start + len(quote))
    citation = bind("It closes at six  on Fridays.", 1, [passage], LexicalEntailment())
    assert citation == Citation(1, passage, start, start + len(quote), quote, None)


def test_locate_counts_characters_of_the_document_and_stays_within_the_passage(
    passage_of: Callable[..., Passage],
) -> None:
    from dataclasses import replace

    whole = passage_of(TEXT)
    start = TEXT.index("Hire costs")
    spans = tuple(span for span in whole.chunk.sentences if span[0] >= start)
    later = replace(whole, chunk=replace(whole.chunk, start=start, text=TEXT[start:], sentences=spans))
    assert locate("Hire costs £30 an hour.", later) == (start, start + 23)
    assert locate("The hall opens at nine.", later) is None
    assert locate("It closes", later) is None  # a part of a sentence
    assert locate("", later) is None
    assert locate(".*", later) is None


def test_bind_takes_the_sentence_that_supports_a_reworded_one(passage_of: Callable[..., Passage]) -> None:
    citation = bind("An hour of hire costs £30.", 2, [passage_of("Nothing."), passage_of(TEXT, 2)], LexicalEntailment())
    assert (citation.number, citation.quote) == (2, "Hire costs £30 an hour.")


def test_bind_takes_two_sentences_where_it_needs_both(passage_of: Callable[..., Passage]) -> None:
    citation = bind("Fridays close at six and hire costs £30.", 1, [passage_of(TEXT)], LexicalEntailment())
    assert citation.quote == "It closes \u00a0at six on Fridays. Hire costs £30 an hour."


@pytest.mark.parametrize("number", [0, 2, 11, 999_999])
def test_bind_repairs_no_number(number: int, passage_of: Callable[..., Passage]) -> None:
    assert bind("The hall opens at nine.", number, [passage_of(TEXT)], LexicalEntailment()) == Citation(number, None)


def test_bind_names_the_page(passage_of: Callable[..., Passage]) -> None:
    from dataclasses import replace

    from corpus.types import Page

    whole = passage_of(TEXT)
    cut = TEXT.index("Hire")
    paged = replace(whole, document=replace(whole.document, pages=(Page(4, 0, cut), Page(5, cut, len(TEXT)))))
    assert bind("The hall opens at nine.", 1, [paged], LexicalEntailment()).page == 4
    assert bind("Hire costs £30 an hour.", 1, [paged], LexicalEntailment()).page == 5


@pytest.mark.parametrize(
    "text",
    [
        "Question: Parking; Answer: Park behind the ward. A ticket costs £4.20. Ask at reception.",
        "The rule was set in Smith v Jones [2019] and stands.",
    ],
)
def test_a_line_that_a_passage_holds_is_one_quotation(text: str, passage_of: Callable[..., Passage]) -> None:
    passage = passage_of(f"Before. {text} After.", 3)
    assert parse_draft(f"{text} [3]\n", [passage]) == [(text, (3,))]


def test_a_line_that_no_cited_passage_holds_is_taken_apart(passage_of: Callable[..., Passage]) -> None:
    passage = passage_of("One thing is so. Another is not.", 3)
    assert parse_draft("One thing is so. Another is not. [2]", [passage]) == [
        ("One thing is so.", ()),
        ("Another is not.", (2,)),
    ]


@pytest.mark.parametrize(
    ("text", "clipping"),
    [
        ("Entry is £45 a year.", "Entry is £4"),
        ("It opens on 15 May 2024.", "5 May 2024."),
        ("No dogs are allowed in the park.", "dogs are allowed in the park."),
        ("It is not true that the council approved the plan.", "the council approved the plan."),
    ],
)
def test_a_clipping_of_a_sentence_is_no_quotation(text: str, clipping: str, passage_of: Callable[..., Passage]) -> None:
    passage = passage_of(text)
    assert locate(clipping, passage) is None
    start = text.index(clipping)
    for within in (None, (start, start + len(clipping))):
        citation = bind(clipping, 1, [passage], LexicalEntailment(), within)
        assert citation.quote == text
        assert verify(clipping, [citation], LexicalEntailment()).verdict == "unsupported"
