"""Judging an answer or one of its citations, and taking a judgement back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from assistant.api import Assistant
from assistant.tui.app import AssistantApp
from assistant.tui.choice import Offers
from assistant.tui.judgements import JudgementsScreen, ReasonScreen
from assistant.tui.judging import Judged, JudgeScreen
from assistant.tui.prompt import Line
from assistant.types import Answer
from tests.assistant.tui.pushing import SIZES, Pushing, settled

QUESTION = "When does Tarn Bridge close to traffic?"


@pytest.fixture
def desk(index: Path, tmp_path: Path) -> Iterator[Assistant]:
    history = tmp_path / "history.sqlite3"
    with Assistant.open(index, embedder="hashing", reranker="none", history=history) as opened:
        yield opened


@pytest.fixture
def answer(desk: Assistant) -> Answer:
    return desk.ask(QUESTION)


def offers(app: Pushing) -> list[str]:
    """The first line of each."""
    return [str(option.prompt).split("\n")[0] for option in app.screen.query_one(Offers).options]


@pytest.mark.parametrize("size", SIZES)
async def test_enter_saves_what_is_meant_with_its_reason(answer: Answer, size: tuple[int, int]) -> None:
    app = Pushing(JudgeScreen(answer))
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        assert offers(app)[:2] == ["+ right", "− wrong"] and isinstance(app.screen.focused, Line)
        await pilot.press("down", *"no", "space", "p", "enter")
        await settled(pilot)
    assert app.given == [Judged("wrong", "no p", None)]


async def test_right_is_two_keys_away_and_escape_keeps_nothing(answer: Answer) -> None:
    for key, given in (("enter", Judged("right", "", None)), ("escape", None)):
        app = Pushing(JudgeScreen(answer))
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.press(key)
            await settled(pilot)
        assert app.given == [given]


async def test_a_citation_is_meant_where_one_is_given_and_a_click_means_another(answer: Answer) -> None:
    citation = answer.shown[0].citations[0]
    app = Pushing(JudgeScreen(answer, citation))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert f"citation [{citation.number}] is wrong" in offers(app)[app.screen.query_one(Offers).highlighted or 0]
        await pilot.press("enter")
        await settled(pilot)
    assert app.given == [Judged("citation", "", citation)]
    app = Pushing(JudgeScreen(answer, citation))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.click(Offers, offset=(4, 2))
        await settled(pilot)
        assert app.given == [] and isinstance(app.screen.focused, Line)
        await pilot.press("enter")
        await settled(pilot)
    assert app.given == [Judged("wrong", "", None)]


async def test_a_refusal_is_judged_too(desk: Assistant) -> None:
    refusal = desk.ask("Who painted the ceiling of the observatory on Mars?")
    assert refusal.refused
    app = Pushing(JudgeScreen(refusal, None, "wrong"))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert offers(app) == ["+ right", "− wrong"]
        await pilot.press("enter")
        await settled(pilot)
    assert app.given == [Judged("wrong", "", None)]


async def test_a_reason_is_cleaned_and_bounded(answer: Answer) -> None:
    app = Pushing(JudgeScreen(answer))
    async with app.run_test(size=(80, 24)) as pilot:
        line = app.screen.query_one(Line)
        line.insert_text_at_cursor("a\x1b[2J[/]\u202e")
        line.insert_text_at_cursor("x" * 2000)
        await pilot.press("enter")
        await settled(pilot)
    assert app.given == [Judged("right", "a␛[2J[/]\ufffd", None)]


@pytest.mark.parametrize("size", SIZES)
async def test_judgements_are_listed_read_taken_back_and_given_again(
    desk: Assistant, answer: Answer, size: tuple[int, int]
) -> None:
    citation = answer.shown[0].citations[0]
    desk.feedback.add(answer.id, "right", "as the minutes say [/]")
    desk.feedback.add(answer.id, "citation", "", (citation.number, citation.start, citation.end))
    app = Pushing(JudgementsScreen(desk))
    async with app.run_test(size=size) as pilot:
        screen = app.screen
        assert isinstance(screen, JudgementsScreen)
        await settled(pilot)
        heading = str(screen.query_one(".browsing--heading", Static).content)
        assert heading.startswith("2 judgements") and "assistant feedback export" in heading
        await pilot.press("down", "enter")
        await settled(pilot)
        assert isinstance(app.screen, ReasonScreen)
        assert "as the minutes say [/]" in [str(shown.content) for shown in app.screen.query(Static)]
        await pilot.press("escape", "d")
        await settled(pilot)
        assert [given.judgement for given in desk.feedback.listed()] == ["citation"]
        await pilot.press("u")
        await settled(pilot)
        assert {given.judgement: given.reason for given in desk.feedback.listed()} == {
            "right": "as the minutes say [/]",
            "citation": "",
        }
        await pilot.press("escape")
        await settled(pilot)
    assert app.given == [None]


async def test_judgements_are_found_by_words_of_question_or_reason(desk: Assistant, answer: Answer) -> None:
    other = desk.ask("What do the repairs cost?")
    desk.feedback.add(answer.id, "right", "as the minutes say")
    desk.feedback.add(other.id, "wrong")
    screen = JudgementsScreen(desk)
    assert [given.question for given in screen.find("")] == [other.question, QUESTION]
    assert [given.judgement for given in screen.find("MINUTES bridge")] == ["right"]
    assert [given.judgement for given in screen.find("cost")] == ["wrong"]


async def test_a_history_that_cannot_be_read_is_told(desk: Assistant, answer: Answer, tmp_path: Path) -> None:
    desk.feedback.add(answer.id, "right")
    app = Pushing(JudgementsScreen(desk))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        for file in tmp_path.iterdir():
            file.write_bytes(b"no database at all" * 1000)
        await pilot.press("d")
        await settled(pilot)
        assert str(app.screen.query_one(".browsing--said", Static).content).startswith("✗ ")


async def test_the_answer_of_the_conversation_that_is_read_is_judged(
    make_app: Callable[..., AssistantApp], settled: Callable[[Pilot[None]], Awaitable[None]]
) -> None:
    app = make_app("extractive")
    async with app.run_test(size=(100, 30)) as pilot:
        await settled(pilot)
        desk = app.opened
        for conversation in ("first", "second"):
            desk.ask(QUESTION, conversation=conversation)
        await app.chat.resume("first")
        app.chat.action_judge_right()
        await settled(pilot)
        assert [(given.number, given.judgement) for given in desk.feedback.listed()] == [(1, "right")]
