"""Small talk is answered, and never swallows a question."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.smalltalk import REPLIES, small_talk, without_courtesy


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("hello", "greeting"),
        ("Hi there!", "greeting"),
        ("Good morning", "greeting"),
        ("How are you today?", "greeting"),
        ("Thanks!", "thanks"),
        ("Thank you so much for your help.", "thanks"),
        ("ok thanks bye", "thanks"),
        ("cheers", "thanks"),
        ("no thanks", "thanks"),
        ("That’s very helpful, thank you", "thanks"),
        ("ok great", "praise"),
        ("I see.", "praise"),
        ("Oh, I see. Makes sense!", "praise"),
        ("bye", "bye"),
        ("That's all for now", "bye"),
        ("have a nice day", "bye"),
        ("Who are you?", "about"),
        ("what can you do?", "about"),
        ("Hello! What can I ask you?", "about"),
        ("help", "about"),
        ("are you a robot?", "about"),
        ("👍 ok", "praise"),
    ],
)
def test_small_talk_gets_its_reply(said: str, kind: str) -> None:
    assert small_talk(said) == REPLIES[kind]  # type: ignore[index]  # a literal of the table above
    assert without_courtesy(said) == said


@pytest.mark.parametrize(
    ("asked", "question"),
    [
        ("Thanks, and who chairs it?", "who chairs it?"),
        ("Hi, when is the library open?", "when is the library open?"),
        ("Hi when is the library open?", "when is the library open?"),
        ("Good morning! Is the pool open?", "Is the pool open?"),
        ("Oh I see, so why?", "why?"),
        ("Okay, but what about the tax?", "what about the tax?"),
        ("Thanks for that. What about Leeds?", "What about Leeds?"),
        ("Great, thank you. And in 2018?", "in 2018?"),
    ],
)
def test_a_question_loses_only_its_courtesy(asked: str, question: str) -> None:
    assert small_talk(asked) is None
    assert without_courtesy(asked) == question


@pytest.mark.parametrize(
    "question",
    [
        "Great Yarmouth market",
        "Right to buy",
        "Cool Street parking",
        "Sure Start centres",
        "fine for littering",
        "Thanksgiving opening hours",
        "help with council tax",
        "Who are you going to appoint?",
        "Are you sure?",
        "Really?",
        "Right?",
        "How are you funded?",
        "What can you do about noise?",
        "Bye-laws of the park",
        "Good Friday opening",
        "Hello Kitty exhibition",
        "OK Corral",
        "What is this?",
        "This is useful for whom?",
        "Nice-to-have list",
        "who are you and what is the fee?",
        '"thanks" in Welsh',
        "",
        "?",
        "£",
    ],
)
def test_a_question_is_no_small_talk(question: str) -> None:
    assert small_talk(question) is None
    assert without_courtesy(question) == question


_TEXT = st.one_of(
    st.text(max_size=80), st.lists(st.sampled_from(["bye", "ok", "thanks", "hi", ",", "?", "and", "x"])).map(" ".join)
)


@given(_TEXT)
def test_any_text_is_accepted(text: str) -> None:
    rest = without_courtesy(text)
    assert text.endswith(rest)
    assert bool(rest) == bool(text)
    if small_talk(text) is not None:
        assert rest == text


def test_repeated_courtesies_take_linear_time() -> None:
    assert small_talk("bye " * 20_000) == REPLIES["bye"]
    assert small_talk("thanks for the very " * 5_000 + "museum") is None
