"""One answer from its first word to its details."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from assistant.tui.widgets.answer import AnswerView
from assistant.tui.widgets.citation import CitationChip
from assistant.tui.widgets.conversation import Conversation, Exchange
from assistant.tui.widgets.draft import Draft
from assistant.tui.widgets.finding import Choice, Finding
from assistant.tui.widgets.offer import Offer
from assistant.tui.widgets.written import without_text
from assistant.types import Conflict, ConflictingValue, Refusal, Tokens
from corpus.sanitizing import sanitize
from tests.assistant.tui.answers import LEFT_OUT, Alone, answer, cited, passages, refused, statement

pytestmark = pytest.mark.asyncio
NEAREST = Refusal("weak_evidence", "No document says it.", passages()[:2])


@asynccontextmanager
async def asked(size: tuple[int, int] = (80, 40)) -> AsyncIterator[tuple[Pilot[None], Exchange]]:
    app = Alone()
    async with app.run_test(size=size) as pilot:
        yield pilot, await app.query_one(Conversation).add("What was agreed?")


async def drawn(pilot: Pilot[None], view: AnswerView) -> None:
    """Until what was written is on the screen."""
    while view._drawing:
        await pilot.pause()
    await pilot.pause()


def lines(widget: Widget) -> list[str]:
    return [strip.text.rstrip() for strip in widget.render_lines(widget.size.region)]


def under(view: AnswerView) -> str:
    return str(view.query_one(".answer--progress", Static).content)


async def test_each_sentence_gets_its_mark_when_it_is_checked() -> None:
    async with asked() as (pilot, exchange):
        view = exchange.answer
        view.retrieved("", 4)
        for checked in (statement(1), LEFT_OUT, statement(2)):
            view.write(f"{checked.text} [1]\n")
            view.verified(checked)
        view.write("And then")
        await drawn(pilot, view)
        assert [lines(finding)[0] for finding in view.query(Finding)] == [
            "❝ Item 1 was agreed. [1]",
            "✓ Item 2 was agreed. [2]",
        ]
        assert [lines(chip)[0] for chip in view.chips] == [
            " [1] Minutes 1 · 1 Mar 2024 · page 1 · word for word",
            " [2] Minutes 2 · 2 Mar 2024 · page 2 · 82% support",
        ]
        assert under(view) == "Reading 4 passages… · 1 left out"
        assert str(view.query_one(Draft).content) == "And then"


async def test_a_finished_answer_is_the_one_that_was_written_or_made_anew() -> None:
    async with asked() as (pilot, exchange):
        view = exchange.answer
        view.verified(statement(1))
        view.verified(statement(2))
        await drawn(pilot, view)
        before = list(view.query(Finding))
        view.finish(replace(answer(), statements=(statement(1), statement(2)), tokens=Tokens(900, 100)), 1.23)
        await pilot.pause()
        assert list(view.query(Finding)) == before and not view.query(Draft)
        assert under(view) == "1.2 s · high confidence · 2 sources · 1,000 tokens"
        other = await pilot.app.query_one(Conversation).add("And?")
        other.answer.verified(statement(4))
        other.answer.finish(answer(), 1.23)
        await pilot.pause()
        assert [chip.citation.number for chip in other.answer.chips] == [1, 2]
        assert under(other.answer) == "1.2 s · high confidence · 2 sources · 1 left out (Ctrl+T shows why)"


async def test_a_cut_answer_keeps_what_was_checked_and_says_that_it_is_not_complete() -> None:
    async with asked() as (pilot, exchange):
        view = exchange.answer
        view.write("Item 1 was agreed. [1]\nItem 2")
        view.verified(statement(1))
        view.cut()
        assert view.draft == "" and len(view.chips) == 1 and view.given is None
        assert under(view) == "✂ Stopped: not complete · Ctrl+T shows what was not checked"
        await view.toggle_details()
        await pilot.pause()
        assert lines(view.query_one("Finding.-unchecked"))[:2] == ["  Not checked:", "  Item 2"]


async def test_details_are_mounted_only_while_they_are_shown() -> None:
    async with asked() as (pilot, exchange):
        view = exchange.answer
        view.finish(answer(), 0.1)
        await pilot.pause()
        assert view.has_details and len(view.chips) == 2 and not view.query(".answer--details")
        await view.toggle_details()
        await pilot.pause()
        assert lines(view.query_one("Finding.-left-out"))[1:] == [
            "  The mayor wept.",
            "    – the cited text doesn't say it",
        ]
        assert [(c.citation.number, c.label) for c in view.chips[2:]] == [(3, "not used"), (4, "not used")]
        await view.toggle_details()
        assert len(view.chips) == 2 and not view.query(".answer--details")


async def test_a_conflict_is_a_table_of_value_source_and_date() -> None:
    one, two, three, _ = map(cited, passages())
    values = (
        ConflictingValue("£4.2 million", (two, three), date(2024, 3, 3), True),
        ConflictingValue("£3 million", (one,), date(2024, 3, 1), False),
    )
    async with asked() as (pilot, exchange):
        conflict = Conflict("The sources differ.", (two, three, one), values)
        exchange.answer.finish(replace(answer(shown=0), conflicts=(conflict,)), 0.1)
        await pilot.pause()
        table = [" ".join(lines(chip)[0].split()) for chip in exchange.answer.chips]
        assert table == [
            "£4.2 million [2] Minutes 2 2 Mar 2024 newest",
            "[3] Minutes 3 3 Mar 2024",
            "£3 million [1] Minutes 1 1 Mar 2024",
        ]
        assert len({lines(chip)[0].index("[") for chip in exchange.answer.chips}) == 1


async def test_a_refusal_offers_the_nearest_passages_and_to_ask_anyway() -> None:
    async with asked() as (pilot, exchange):
        view = exchange.answer
        view.finish(refused(NEAREST), 0.1)
        await pilot.pause()
        said = [lines(finding)[0] for finding in view.query(Finding)]
        assert said == ["⊘ No answer: the evidence is too weak", "  No document says it.", "↳ The nearest passages:"]
        assert [chip.label for chip in view.chips] == ["nearest", "nearest"]
        assert lines(view.chips[0])[1].strip() == "Item 1 was agreed."
        view.query_one(Offer).focus()
        await pilot.press("enter")
        assert pilot.app.told == [AnswerView.AskAnyway(view)]


async def test_an_unclear_question_offers_what_it_may_mean() -> None:
    async with asked() as (pilot, exchange):
        unclear = replace(NEAREST, reason="underspecified", choices=("The cost of the bridge?", "The cost of a bin?"))
        exchange.answer.finish(refused(unclear), 0.1)
        await pilot.pause()
        first, second = exchange.query(Choice)
        first.focus()
        await pilot.press("down")
        assert pilot.app.focused is second and lines(second) == ["▸ The cost of a bin?"]
        await pilot.press("enter")
        await pilot.click(first)
        assert [message.question for message in pilot.app.told] == ["The cost of a bin?", "The cost of the bridge?"]


async def test_a_click_on_a_marker_opens_its_source() -> None:
    async with asked() as (pilot, exchange):
        exchange.answer.finish(answer(), 0.1)
        await pilot.pause()
        finding = exchange.query(Finding).first()
        await pilot.click(finding, offset=(lines(finding)[0].index("[") + 1, 0))
        await pilot.click(finding, offset=(3, 0))
        assert pilot.app.told == [CitationChip.Chosen(exchange.answer.chips[0])]


async def test_the_keys_of_a_citation_are_actions_of_the_screen() -> None:
    class Noting(Screen[None]):
        asked: ClassVar[list[str]] = []

        def __getattr__(self, name: str) -> Callable[[], None]:
            if not name.startswith("action_"):
                raise AttributeError(name)
            return lambda: self.asked.append(name.removeprefix("action_"))

    class Keys(Alone):
        def get_default_screen(self) -> Noting:
            return Noting()

    app = Keys()
    async with app.run_test(size=(80, 24)) as pilot:
        exchange = await app.query_one(Conversation).add("What was agreed?")
        exchange.answer.finish(answer(), 0.1)
        await pilot.pause()
        exchange.answer.chips[0].focus()
        await pilot.press("down", "up", "enter", "n", "w")  # letters are for the question
    assert Noting.asked == ["next_citation", "previous_citation"]
    assert app.told == [CitationChip.Chosen(exchange.answer.chips[0])]


async def test_a_model_that_writes_without_end_fills_no_screen() -> None:
    async with asked() as (pilot, exchange):
        view = exchange.answer
        for number in range(1, 101):
            view.verified(statement(number))
        await drawn(pilot, view)
        assert len(view.chips) == 30
        view.finish(replace(answer(), statements=tuple(map(statement, range(1, 101)))), 0.1)
        await pilot.pause()
        for shown in (60, 90, 100):
            offer = view.query_one(Offer)
            assert offer.text.startswith(f"{130 - shown if shown < 100 else 10} more sentences")
            offer.action_choose()
            await pilot.pause()
            assert [c.citation.number for c in view.chips] == [c % 4 + 1 for c in range(shown)]
        assert not view.query(Offer)


async def test_light_answers_keep_all_but_the_text_of_documents() -> None:
    async with asked() as (_, exchange):
        view, full = exchange.answer, answer()
        view.finish(full, 0.1)
        view.lighten()
        assert view.given is not None and view.given.to_dict() == full.to_dict()
        held = [*(p.document for p in view.given.passages), *(chip.document for chip in view.chips)]
        assert {document.text for document in held} == {""}
        assert without_text(full.statements) == view.given.statements


@given(st.text(max_size=60), st.text(max_size=60))
async def test_a_draft_without_its_first_sentence_is_what_came_after(first: str, rest: str) -> None:
    draft = Draft()
    words = sanitize(first).replace("[", "").split()
    draft.add(f"**{' '.join(words)}** [1][2]\n")
    draft.check(" ".join(words))
    draft.add(rest)
    if any(character.isalnum() for character in "".join(words)):
        assert draft.text.endswith(rest) and len(draft.text) - len(rest) <= sum(not c.isalnum() for c in first) + 11
