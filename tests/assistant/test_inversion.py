"""Sentences turned round: plain English, or nothing."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.inversion import MOST_CHARACTERS, question_in, question_of


@pytest.mark.parametrize(
    ("sentence", "question"),
    [
        ("The east wing will be closed on 4 May 2025.", "When will the east wing be closed?"),
        ("Harrow Mill was sold to the county in 1998.", "When was Harrow Mill sold to the county?"),
        ("The annual regatta takes place by night.", None),
        ("The Skell Museum opens at 10am.", "When does the Skell Museum open?"),
        ("The first tenants moved into Quay Yard on 6 May.", "When did the first tenants move into Quay Yard?"),
        ("The garden pass costs £52 a year.", "How much does the garden pass cost?"),
        ("The fee for a market stall is £18 a day.", "How much is the fee for a market stall?"),
        ("The scheme was £3 million short.", None),
        ("There are 14 public mirrors in the network.", "How many public mirrors are there in the network?"),
        ("Forty-two vulnerabilities were reported in 2024.", "How many vulnerabilities were reported in 2024?"),
        ("Ms Trist said that thirty bays would be kept open.", "How many bays would be kept open?"),
        ("About 38% of crashes came from the image cache.", "What percentage of crashes came from the image cache?"),
        ("About 38% of crashes came from the cache, but few hurt.", "What percentage of crashes came from the cache?"),
        ("About 38% of shops have begun to send still-fresh, unsold food away.", None),
        ("The director of the Skell Museum is Ada Quill.", "Who is the director of the Skell Museum?"),
        ("The capital of the county is Great Skell.", None),
        ("The team won the Lantern Prize in Leeds.", "Who won the Lantern Prize in Leeds?"),
        ("Dana Okafor, lead maintainer of the relay, spoke.", "Who is Dana Okafor?"),
        ("Skell Bridge, an old crossing of the river, fell.", None),
        ("The Lantern Project, which pairs young people, grew.", "What is the Lantern Project?"),
        ("They began Keep the Quay Open, which collects money.", None),
        ("To reset your sync password, open the account page.", "How do I reset my sync password?"),
        ("To mark the anniversary, the mayor planted a tree.", None),
        ("Penetration tests are carried out every year.", "How often are penetration tests carried out?"),
        ("The ferry will pass the quay about every ten minutes.", "How often will the ferry pass the quay?"),
        ("The old indexer will be removed because it is slow.", "Why will the old indexer be removed?"),
        ("The signing keys are kept in a bank vault.", "Where are the signing keys kept?"),
        ("The main office of the charity is based in Skell.", "Where is the main office of the charity based?"),
        ("The fine for late returns is based on the base rate.", None),
        ("Repairs to the footbridge will take nine weeks.", "How long will repairs to the footbridge take?"),
    ],
)
def test_what_a_sentence_is_turned_into(sentence: str, question: str | None) -> None:
    assert question_of(sentence, "penetration crashes tests repairs, and the rest") == question


@pytest.mark.parametrize(
    "sentence",
    [
        "It was sold in 1998.",  # who was?
        "This bridge was closed on 3 May.",
        "The bridge, built in 1931, was closed on 3 May.",
        "In February the council was told of it on 3 May.",
        "Officers said the bridge was closed on 3 May.",
        "Staff who live there were told on 3 May.",
        "The bridge was not closed on 3 May.",
        "The board met in May.",  # too little to ask for
        "A collection will be made on 3 May at Skell.",  # which one?
        "“The east wing will be closed on 4 May 2025.”",
        "THE EAST WING WILL BE CLOSED ON 4 MAY 2025.",
        "The east wing will be closed on 4 May 2025",
        "A report published in May by Ofsted found gaps in training.",
        "See www.skell.example for when the wing is closed on 4 May.",
        "[b]The east wing[/b] will be closed on 4 May 2025.",
    ],
)
def test_what_leans_on_its_context_or_is_no_plain_sentence_is_left_alone(sentence: str) -> None:
    assert question_of(sentence, sentence) is None


def test_a_word_that_opens_a_sentence_is_a_name_unless_the_text_has_it_in_small_letters() -> None:
    sentence = "Entry to the museum costs £4 for adults."
    assert question_of(sentence, f"{sentence} Book your entry online.") == "How much does entry to the museum cost?"
    assert question_of(sentence, sentence) is None


@pytest.mark.parametrize(
    ("heading", "question"),
    [
        ("What is Council Tax Support?", "What is Council Tax Support?"),
        ("How to rename a shared folder", "How do I rename a shared folder?"),
        ("How to reset your password", "How do I reset my password?"),
        ("Who can claim?", None),
        ("How does it work with this version?", None),
        ("WHAT DOES A MARKET STALL COST?", None),
        ("How to rename [@click=app.quit]a shared folder[/]", None),
        ("Opening hours", None),
        ("Really?", None),
    ],
)
def test_headings_that_are_questions(heading: str, question: str | None) -> None:
    assert question_in(heading) == question


PIECES = "The Ab cd was costs £3 is will be open on 4 May 2025 in % of , . ? [ “ to which that".split()


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=14))
def test_any_text_gives_a_question_of_one_line_or_nothing(pieces: list[str]) -> None:
    text = " ".join(pieces)
    for asked in (question_of(text + ".", text), question_in(text + "?")):
        assert asked is None or (len(asked) <= MOST_CHARACTERS and re.fullmatch(r"[A-Z][^\n\[\]“]*\?", asked))


@pytest.mark.parametrize("text", ["The " + "a" * 50_000, "a " * 25_000, "The Ab" + " Cd" * 9_000, "1 " + "as " * 9_000])
def test_a_long_text_takes_no_long_time(text: str) -> None:
    assert question_of(text + ".", text) is None
