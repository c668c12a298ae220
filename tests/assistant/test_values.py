"""Equal values compare equal, whatever a text looks like."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.questions import analyse
from assistant.values import values_in

QUESTIONS = [
    "How much does the wall cost?",
    "When was the mill built?",
    "How many people replied?",
    "What percentage was let?",
    "Who chairs the panel?",
    "How long does it take?",
    "What time does it open?",
    "What is the phone number?",
    "What is the email address?",
    "Is the service rated good or outstanding?",
    "Where is the mill?",
    "Why is it shut?",
]


@pytest.mark.parametrize(
    ("question", "text", "found"),
    [
        ("How much does the wall cost?", "The £3.1 million wall, with 40p a brick.", ["£3.1 million", "40p"]),
        ("When was the mill built?", "Built in 1866, it burnt on 5 May 1901.", ["1866", "5 May 1901"]),
        ("How many people replied?", "In 2024, 1,126 people and two dogs replied.", ["1,126", "two"]),
        ("How many people replied?", "See section 21, form 6, Part 3, Route 4 and 12 High Street: 40 did.", ["40"]),
        ("How many people replied?", "Each year 312 people reply; by Monday 40 had.", ["312", "40"]),
        ("How many people live there?", "Skell is at (30.108371, -93.773892).", []),
        ("What percentage was let?", "About 40% of 12 rooms.", ["40%"]),
        ("Who chairs the panel?", "The panel is chaired by Ada Quill.", ["Ada Quill"]),
        ("Who followed Ada Quill?", "Ada Quill was followed by Tom Orrin.", ["Tom Orrin"]),
        ("How long does it take?", "We decide within 15 working days.", ["15 working days"]),
        ("What time does it open?", "It opens at 9am.", ["9am"]),
        ("What is the email address?", "Write to desk@skell.example.", ["desk@skell.example"]),
        ("Is the service rated good or outstanding?", "It was rated ‘Outstanding’, not good.", ["Outstanding"]),
        ("Why is it shut?", "It is shut for repairs until 5 May 2024.", []),
        ("How many of the 80 chairs are red?", "Of 80 chairs 12 are red.", ["12"]),
    ],
)
def test_values_are_of_the_asked_kind_and_new(question: str, text: str, found: list[str]) -> None:
    assert [v.text for v in values_in(analyse(question), text)] == found


@pytest.mark.parametrize(
    ("question", "one", "other", "same"),
    [
        ("How much does the wall cost?", "£4.2m", "£4.2 million", True),
        ("How much does the wall cost?", "£4.2m", "£4.3 million", False),
        ("How much does a copy cost?", "40p", "£0.40", True),
        ("How much does a copy cost?", "40p", "£40", False),
        ("How much does the wall cost?", "£40", "$40", False),
        ("When was the mill built?", "8 February 1900", "February 8, 1900", True),
        ("When was the mill built?", "8 February 1900", "in 1900", True),
        ("When was the mill built?", "8 February 1900", "in 1905", False),
        ("How many people replied?", "1,126", "1126", True),
        ("How long does it take?", "15 working days", "20 working days", False),
        ("How long does it take?", "a year", "one year", True),
        ("What time does it open?", "9am", "9.00 a.m.", True),
        ("What time does it open?", "9am", "9pm", False),
        ("Who chairs the panel?", "by Councillor Ada Quill", "by Ada Quill", True),
        ("Who chairs the panel?", "by Ada Quill", "by Tom Orrin", False),
    ],
)
def test_equal_values_agree(question: str, one: str, other: str, same: bool) -> None:
    asked = analyse(question)
    (a,), (b,) = values_in(asked, one), values_in(asked, other)
    assert a.agrees(b) is b.agrees(a) is same


@given(question=st.sampled_from(QUESTIONS), text=st.text())
def test_any_text_is_read(question: str, text: str) -> None:
    asked = analyse(question)
    found = values_in(asked, text)
    assert all(v.key and v.agrees(v) for v in found)
    assert len({v.key for v in found}) == len(found)


@given(
    question=st.sampled_from(QUESTIONS[:4]),
    amount=st.integers(3, 999),
    shape=st.sampled_from(["£{}", "{} March 1987", "{} houses", "{}%", "£{} million", "{}p"]),
)
def test_a_value_read_again_is_the_same(question: str, amount: int, shape: str) -> None:
    asked = analyse(question)
    for value in values_in(asked, f"It was {shape.format(amount)} then."):
        again = values_in(asked, value.text)
        assert [v.key for v in again] == [value.key]
