"""Follow-up questions are made whole from the ones before."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.followups import needs_context, standalone, topic_of

MUSEUM = "Who is the director of the Marram Museum?"


@pytest.mark.parametrize(
    ("question", "history", "whole"),
    [
        ("When does it open?", [MUSEUM], "When does Marram Museum open?"),
        ("What is its budget?", [MUSEUM], "What is Marram Museum’s budget?"),
        ("Where was she before?", ["Who is Ada Quill?"], "Where was Ada Quill before?"),
        ("And for two cars?", ["How much is a permit?"], "How much is a permit, for two cars?"),
        ("What about Skell Mill?", ["When does the Marram Museum open?"],
         "When does the Skell Mill open?"),
        ("And why?", ["Who closed Tarn Bridge?"], "why (Tarn Bridge)?"),
        ("When did he start?", ["Who is the director?", "What about Tom Orrin?"], "When did Tom Orrin start?"),
        ("Does that include children?", ["What does entry to the Marram Museum cost?"],
         "Does that include children (Marram Museum)?"),
    ],
)  # fmt: skip
def test_what_a_question_leans_on_is_put_in(question: str, history: list[str], whole: str) -> None:
    assert needs_context(question)
    assert standalone(question, history) == whole


@pytest.mark.parametrize("question", ["When does Skell Mill open?", "How do residents apply for a parking permit?"])
def test_a_whole_question_stays_as_it_is(question: str) -> None:
    assert standalone(question, [MUSEUM]) == question


def test_without_history_nothing_is_put_in() -> None:
    assert standalone("  When does\n it open? ", []) == "When does it open?"
    assert standalone("Why?", ["?"]) == "Why?"


def test_the_latest_question_is_the_one_leant_on() -> None:
    assert standalone("When does it open?", [MUSEUM, "Who runs Skell Mill?"]) == "When does Skell Mill open?"


def test_a_chain_of_follow_ups_keeps_its_subject() -> None:
    chain = ["Who is Ada Quill?", "When did she start?", "What is her salary?"]
    assert standalone("When will she leave?", chain) == "When will Ada Quill leave?"


def test_the_topic_is_the_longest_name_or_the_content_words() -> None:
    assert topic_of("When did Ada Quill join the Friends of Skell Mill?") == "Friends of Skell Mill"
    assert topic_of("how much is a parking permit?") == "parking permit"
    assert topic_of("why is it so?") == ""


@given(st.text(max_size=60), st.lists(st.text(max_size=60), max_size=5))
def test_any_history_is_accepted_and_gives_one_line(question: str, history: list[str]) -> None:
    whole = standalone(question, history)
    assert whole == standalone(question, history)
    assert "\n" not in whole
    if question.strip():
        assert whole.strip()


@pytest.mark.parametrize("follow_up", ["Why is it so?", "And for two cars?", "And why?"])
def test_a_long_conversation_is_no_burden(follow_up: str) -> None:
    whole = standalone(follow_up, ["Who chairs the Tarn Panel?", *[follow_up] * 3000])
    assert len(whole) < 2000
