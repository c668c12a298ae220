"""A day is taken from a question only where it says as of when."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.dates import as_of_in, without_as_of


@pytest.mark.parametrize(
    ("question", "day"),
    [
        ("Who led the council as of March 2019?", date(2019, 3, 31)),
        ("As of 5 March 2019, who led the council?", date(2019, 3, 5)),
        ("as at 31/03/2020 how many homes were let", date(2020, 3, 31)),
        ("What was known as of 2020-02-29?", date(2020, 2, 29)),
        ("As of 2019, who chairs it?", date(2019, 12, 31)),
        ("As of the start of 2018 who chaired it?", date(2018, 1, 1)),
        ("As of the end of February 2020, what was the fee?", date(2020, 2, 29)),
        ("At the end of 2020, what was the fee?", date(2020, 12, 31)),
        ("Before May 2021, what was the fee?", date(2021, 4, 30)),
        ("Before the end of May 2021, what was the fee?", date(2021, 5, 31)),
        ("Before 1 January 2020, who was mayor?", date(2019, 12, 31)),
        ("AS OF\nMarch 5th, 2019: who?", date(2019, 3, 5)),
    ],
)
def test_the_last_day_is_read(question: str, day: date) -> None:
    assert as_of_in(question) == day


@pytest.mark.parametrize(
    "question",
    [
        "Who was mayor before May 2021?",
        "What was agreed at the end of 2020?",
        "What will bins cost as of 1 April 2025?",
        "Which fees are payable as of May 2025?",
        "What is open as of today?",
        "As of the 2010 census, how many lived there?",
        "As of 31 February 2020, who?",
        "As of 99 March 2019, who?",
        "Why are 2,019 homes empty as of 3500 lettings?",
        "What happened in 2019?",
        "",
    ],
)
def test_other_questions_have_none(question: str) -> None:
    assert as_of_in(question) is None


@given(st.text() | st.from_regex(r"\Aas of [\w ,./-]{0,30}\Z"))
def test_any_text_is_read(text: str) -> None:
    found = as_of_in(text)
    assert found is None or 1899 <= found.year <= 2100


@pytest.mark.parametrize(
    ("question", "rest"),
    [
        ("As of 1 January 2020, how many days of leave do staff get?", "How many days of leave do staff get?"),
        ("Who was the treasurer as of 2021-12-31?", "Who was the treasurer?"),
        ("Who chairs it?", "Who chairs it?"),
        ("as of 2019", "as of 2019"),
    ],
)
def test_the_day_is_no_word_to_search_for(question: str, rest: str) -> None:
    assert without_as_of(question) == rest
