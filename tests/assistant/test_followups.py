"""Follow-up questions are made whole from the turns before them."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.followups import MOST_CHARACTERS, leans_only, standalone
from assistant.types import Turn

MUSEUM = "Who is the director of the Marram Museum?"
QUILL = Turn(MUSEUM, "The director of the Marram Museum is Ada Quill [1].")
PERMITS = "How do I get parking permits in Leeds?"
LISTED = Turn("Which museums are there?", "1. Marram Museum\n2. Skell Mill\n3. Tarn Hall")


@pytest.mark.parametrize(
    ("turns", "question", "whole"),
    [
        # pronouns: a person, a body, a thing, from questions and answers
        ([MUSEUM], "When does it open?", "When does the Marram Museum open?"),
        ([MUSEUM], "What is its budget?", "What is the Marram Museum’s budget?"),
        ([QUILL], "Where was she before?", "Where was Ada Quill before?"),
        ([QUILL], "What is her salary?", "What is Ada Quill’s salary?"),
        ([QUILL], "Does it open on Mondays?", "Does the Marram Museum open on Mondays?"),
        (["Who is the director?"], "When did she start?", "When did the director start?"),
        (["Who is the director?", "What about Tom Orrin?"], "When did he start?", "When did Tom Orrin start?"),
        ([Turn("Who met in May?", "The Planning Committee met on 3 May.")], "What did they decide?",
         "What did the Planning Committee decide?"),
        (["How much is a parking permit?"], "How long does it last?", "How long does the parking permit last?"),
        (["Who opposed the Skell Plan?"], "Who else voted against it?", "Who else voted against the Skell Plan?"),
        (["Where is the Marram Museum?"], "Is there parking there?", "Is there parking at the Marram Museum?"),
        (["What is there to do in Leeds?"], "Can I swim there?", "Can I swim in Leeds?"),
        (["What are the priorities of the housing plan?"], "can you list them?",
         "Can you list the priorities of the housing plan?"),
        (["How many homes were built in 2022?"], "how many of them were let?", "How many of the homes were let?"),
        (["What is the yearly charge for garden waste?"], "Do tenants pay that as well?",
         "Do tenants pay garden waste as well?"),
        (["What is the Bright Start programme?"], "And what is its cost?",
         "What is the Bright Start programme’s cost?"),
        (["What has the damp and mould taskforce done?"], "Who leads it?", "Who leads the damp and mould taskforce?"),
        # ellipsis, and the former question with something changed
        (["How much is a permit?"], "And for two cars?", "How much is a permit for two cars?"),
        (["How much was raised in 2017?"], "And in 2018?", "How much was raised in 2018?"),
        (["How much did the mill raise?"], "And in 2018?", "How much did the mill raise in 2018?"),
        (["How much is parking in York?"], "What about Leeds?", "How much is parking in Leeds?"),
        (["How much is a permit?"], "what about Leeds?", "How much is a permit for Leeds?"),
        (["When does the Marram Museum open?"], "What about Skell Mill?", "When does Skell Mill open?"),
        (["When does the library open?"], "And on Sundays?", "When does the library open on Sundays?"),
        (["When does the library open?"], "And the museum?", "When does the museum open?"),
        (["How much is entry for adults?"], "and children?", "How much is entry for children?"),
        (["How do I file a restraining order?"], "I am in Leeds.", "I am in Leeds. How do I file a restraining order?"),
        (["How do I get a motorcycle permit?"], "The regular one.", "How do I get the regular permit?"),
        (["Who chairs the Tarn Panel?"], "And the vice-chair?", "Who is the vice-chair of the Tarn Panel?"),
        (["How many homes were built in 2022?"], "and the year before?", "How many homes were built in 2021?"),
        # corrections
        (["How much was raised in 2017?"], "no, I meant 2019", "How much was raised in 2019?"),
        (["How much is parking in York?"], "I meant Leeds", "How much is parking in Leeds?"),
        (["When does the museum open?"], "No, the library", "When does the library open?"),
        (["When does the Marram Museum open?"], "sorry, I meant the Museum of Tarn",
         "When does the Museum of Tarn open?"),
        (["How much was raised in 2017?"], "not 2017, 2018", "How much was raised in 2018?"),
        # other question words, and more
        (["Who closed Tarn Bridge?"], "And why?", "Who closed Tarn Bridge, and why?"),
        (["Did the council close Tarn Bridge?"], "Why?", "Why did the council close Tarn Bridge?"),
        (["Did the council close Tarn Bridge?"], "Explain why", "Why did the council close Tarn Bridge?"),
        (["Is the library closed?"], "Since when?", "Since when is the library closed?"),
        (["Is there a fee for permits?"], "How much?", "Is there a fee for permits, and how much?"),
        (["Who sits on the panel?"], "Who else?", "Who else sits on the panel?"),
        (["What items should I keep?"], "What else?", "What other items should I keep?"),
        (["What does the plan include?"], "anything else?", "What else does the plan include?"),
        ([MUSEUM], "Tell me more", "Tell me more about the Marram Museum."),
        # the former question again
        ([MUSEUM], "Are you sure?", MUSEUM),
        ([MUSEUM], "Really?", MUSEUM),
        ([MUSEUM], "can you say that in other words", MUSEUM),
        ([MUSEUM], "Could you explain that again, please?", MUSEUM),
        # demonstratives with nouns
        ([Turn("What helps with bills?", "The Warm Homes Scheme pays £500.")], "Who can apply to that scheme?",
         "Who can apply to the Warm Homes Scheme?"),
        (["Where do I get a housing benefit form?"], "How do I fill in this form?",
         "How do I fill in the housing benefit form?"),
        (["How do I get a restraining order?"], "How do I file an order?", "How do I file a restraining order?"),
        ([LISTED], "What does the second one cost?", "What does Skell Mill cost?"),
        ([LISTED], "and the last one?", "Tell me more about Tarn Hall."),
        # no name and no pronoun, but nothing of its own
        ([PERMITS], "how much does it cost to apply?", "How much does it cost to apply (parking permits in Leeds)?"),
        ([MUSEUM], "Is there an age limit?", "Is there an age limit (the Marram Museum)?"),
        ([PERMITS], "How long does it take?", "How long does it take (parking permits in Leeds)?"),
        (["What does entry to the Marram Museum cost?"], "Does that include children?",
         "Does that include children (the Marram Museum)?"),
        # a subject that lasts
        (["Who is Ada Quill?", "When did she start?", "What is her salary?"], "When will she leave?",
         "When will Ada Quill leave?"),
        ([MUSEUM, "Thanks!", "ok great"], "When does it open?", "When does the Marram Museum open?"),
        ([MUSEUM, "Who runs Skell Mill?"], "When does it open?", "When does Skell Mill open?"),
        (["What is the Tarn Panel?"], "Thanks, and who chairs it?", "Who chairs the Tarn Panel?"),
    ],
)  # fmt: skip
def test_what_a_question_leans_on_is_put_in(turns: list[Turn | str], question: str, whole: str) -> None:
    assert standalone(question, turns) == whole


@pytest.mark.parametrize(
    "question",
    [
        "When does Skell Mill open?",
        "How do residents apply for a parking permit?",
        "What causes wildfires?",
        "If my bin is missed, who collects it?",
        "Do tenants have to pay for their own repairs?",
        "Is it true that Tarn Bridge is closed?",
        "parking permit renewal",
        "How long does it take to renew a library card?",
        "Which schools say that their pupils walk?",
        "How do I register to vote?",
        "Where did Deodato work early in his career?",
        "how did jessica jones get her powers",
        "the trail that indian tribes walked",
        "There is a hole in the pavement outside Skell Mill",
    ],
)
@pytest.mark.parametrize("turns", [[QUILL], [PERMITS], [LISTED, MUSEUM]])
def test_a_whole_question_stays_as_it_is(question: str, turns: list[Turn | str]) -> None:
    assert standalone(question, turns) == question


def test_without_turns_only_white_space_and_courtesy_go() -> None:
    assert standalone("  When does\n it open? ", []) == "When does it open?"
    assert standalone("Hi, when does it open?", []) == "when does it open?"
    assert standalone("Why?", []) == "Why?"
    assert standalone("Thank you!", [QUILL]) == "Thank you!"
    assert standalone("No.", [QUILL]) == "No."


@pytest.mark.parametrize("empty", ["", "   ", "?", "…", "\x00", "[1]", "\u202e"])
def test_empty_turns_are_passed_over(empty: str) -> None:
    assert standalone("When does it open?", [MUSEUM, "", Turn("", "")]) == "When does the Marram Museum open?"
    assert standalone("When does it open?", [Turn(empty, empty)])


_TEXT = st.one_of(
    st.text(max_size=60),
    st.sampled_from(
        [
            "And why?",
            "Who else?",
            "it",
            "the second one",
            "what about",
            "I meant",
            "no,",
            "that (",
            "tell me more",
            "What about (the) [Tarn] Hall?",
            "and in 2018",
            "are you sure?",
            "Is that scheme [/]?",
            "there",
            "their",
        ]
    ),
)


@given(_TEXT, st.lists(st.one_of(_TEXT, st.builds(Turn, _TEXT, _TEXT)), max_size=6))
def test_any_conversation_gives_one_bounded_line(question: str, turns: list[Turn | str]) -> None:
    whole = standalone(question, turns)
    assert whole == standalone(question, turns)
    assert "\n" not in whole
    assert len(whole) <= max(MOST_CHARACTERS, len(question))
    assert bool(whole.strip()) == bool(question.strip())


@given(st.sampled_from([MUSEUM, "When does Skell Mill open?", "What causes wildfires?"]), st.lists(_TEXT, max_size=6))
def test_nothing_is_put_into_a_whole_question(question: str, turns: list[Turn | str]) -> None:
    assert standalone(question, turns) == question


@pytest.mark.parametrize(
    "follow_up", ["Why is it so?", "And for two cars?", "And why?", "Who else?", "That one (there)?"]
)
def test_forty_turns_with_long_answers_are_no_burden(follow_up: str) -> None:
    answer = "The Tarn Panel meets (it says) in its own hall, that one. " * 2000
    started = time.process_time()
    whole = standalone(follow_up, [Turn("Who chairs the Tarn Panel?", answer), *[Turn(follow_up, answer)] * 3000])
    assert len(whole) <= MOST_CHARACTERS
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    ("question", "leans"),
    [
        ("Are you sure?", True),
        ("Tell me more.", True),
        ("Who else?", True),
        ("Who else was present?", False),
        ("Are you sure that the library opens?", False),
        ("Who chairs it?", False),
    ],
)
def test_what_says_nothing_by_itself_is_told(question: str, leans: bool) -> None:
    assert leans_only(question) is leans


def test_one_kind_takes_the_place_of_another() -> None:
    turns = [Turn("How much does a guided tour cost?")]
    assert standalone("And room hire?", turns) == "How much does room hire cost?"
