from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.sentences import MAX_CHARACTERS, MAX_WORDS, split_sentences


def sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in split_sentences(text)]


@pytest.mark.parametrize(
    "expected",
    [
        ["Cllr. Smith spoke.", "Cllrs. Brown and Green agreed.", "No. 5 is here.", "The Rev. J. Hall left."],
        ["The answer was no.", "The council agreed."],
        ["Children aged 6-12 came.", "It cost £3.5m."],
        ["See para. 4.2 and fig. 3.", "St. Mary's school, e.g. the hall, opened."],
        ["“I feel a lot,” he said.", "“There has been a lot.”", "He left."],
        ['"Is it?" she asked.', "‘They will.’", "Next one!"],
        ["We paid Jones Ltd.", "The firm left.", "Write to info@x.org.uk.", "Visit www.x.org.uk."],
        [
            "You may pay less council tax.",
            "Support isn't a benefit.",
            "It rose by 48 per cent.",
            "Ms Lee left the park.",
        ],
        ["1. The Committee noted the report.", "2. It was agreed."],
        ["(a) The fee is £5.", "(b) The fee is £6."],
        ["Approx. 40 people came.", "J. R. Smith won..."],
        ["It is at 5 King St.", "The shop closed."],
    ],
)
def test_sentences_of_ordinary_english(expected: list[str]) -> None:
    assert sentences(" ".join(expected)) == expected


def test_a_line_end_ends_a_sentence() -> None:
    assert sentences("Ann Lee\nTel: 020 7946 0000\n\nA whole one.  Another.") == [
        "Ann Lee",
        "Tel: 020 7946 0000",
        "A whole one.",
        "Another.",
    ]


def assert_sound(text: str) -> None:
    last = 0
    for start, end in split_sentences(text):
        assert last <= start < end <= len(text)
        assert not text[last:start].strip()
        assert text[start:end] == text[start:end].strip()
        assert "\n" not in text[start:end]
        assert end - start <= MAX_CHARACTERS and len(text[start:end].split()) <= MAX_WORDS
        last = end
    assert not text[last:].strip()


@given(st.text())
def test_spans_hold_all_text_in_order(text: str) -> None:
    assert_sound(text)


@given(
    st.lists(
        st.sampled_from(["No.", "Cllr.", "1.", "(a)", "The", "end.", "“Yes.”", "\n", "...", "x" * 400, "a;", "\xa0"])
    )
)
def test_spans_hold_all_text_of_awkward_words(words: list[str]) -> None:
    assert_sound(" ".join(words))


def test_a_sentence_without_end_is_cut_at_clauses() -> None:
    text = "the first clause of many, " * 200
    assert_sound(text)
    assert {sentence[-1] for sentence in sentences(text)} == {","}


@pytest.mark.parametrize("unit", ["word ", "x", "No. ", "Cllr. ", "! ", "(a) ", "“", ". "])
def test_time_grows_with_the_length_only(unit: str) -> None:
    def seconds(length: int) -> float:
        text = unit * (length // len(unit))
        started = time.process_time()
        split_sentences(text)
        return time.process_time() - started

    seconds(1_000)
    short = max(seconds(40_000), 0.005)
    assert min(seconds(400_000) for _ in range(3)) < 40 * short  # the best of three: others may use the machine
