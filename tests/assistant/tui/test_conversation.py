"""Many questions and answers on one screen."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from textual.widgets import Static

from assistant.tui.widgets.conversation import MOST_MOUNTED, MOST_PARTS, Conversation, Exchange, Welcome
from assistant.tui.widgets.offer import Offer
from assistant.tui.widgets.status import StatusLine
from assistant.tui.widgets.suggestions import Suggestion
from tests.assistant.tui.answers import Alone, answer

pytestmark = pytest.mark.asyncio


@contextmanager
def timed() -> Iterator[list[float]]:
    """Seconds of processor time of every callback of the event loop, without those of the garbage collector."""
    took: list[float] = []
    run = asyncio.Handle._run

    def watched(handle: asyncio.Handle) -> None:
        began = time.thread_time()
        run(handle)
        took.append(time.thread_time() - began)

    gc.disable()
    asyncio.Handle._run = watched  # type: ignore[method-assign]  # asyncio's own, as its debug mode does
    try:
        yield took
    finally:
        asyncio.Handle._run = run  # type: ignore[method-assign]
        gc.enable()


async def test_a_resumed_conversation_of_200_shows_its_end_and_earlier_ones_when_asked() -> None:
    app = Alone()
    past = [(f"Question {n}?", answer(f"Question {n}?")) for n in range(200)]
    async with app.run_test(size=(80, 24)) as pilot:
        conversation = app.query_one(Conversation)
        with timed() as took:
            await conversation.show(past)
            await pilot.pause()
        assert max(took) < 0.25  # 0.05 on an idle machine
        shown = [exchange.question for exchange in conversation.exchanges]
        assert shown == [f"Question {n}?" for n in range(200 - len(shown), 200)] and 3 < len(shown) <= MOST_MOUNTED
        assert conversation.scroll_y == conversation.max_scroll_y > 0
        assert len(conversation.answers) == 200 and not app.query(Welcome)
        assert [chip.citation.number for chip in conversation.latest] == [1, 2]

        earlier = conversation.query(Offer).first()
        assert earlier.text == f"{200 - len(shown)} earlier · Enter shows 5 of them"
        earlier.focus()
        await pilot.press("enter")
        await pilot.pause()
        assert [e.question for e in conversation.exchanges] == [f"Question {n}?" for n in range(195 - len(shown), 200)]


async def test_only_the_last_exchanges_are_mounted_and_only_the_very_last_keeps_documents() -> None:
    app = Alone()
    async with app.run_test(size=(80, 24)) as pilot:
        conversation = app.query_one(Conversation)
        for n in range(40):
            exchange = await conversation.add(f"Question {n}?")
            exchange.answer.finish(answer(f"Question {n}?", shown=1), 0.1)
        await pilot.pause()
        mounted = conversation.exchanges
        assert mounted[-1].question == "Question 39?" and len(mounted) <= MOST_MOUNTED
        assert sum(exchange.answer.parts for exchange in mounted) <= MOST_PARTS + mounted[-1].answer.parts
        assert [given.question for given in conversation.answers] == [f"Question {n}?" for n in range(40)]
        texts = [any(p.document.text for p in given.passages) for given in conversation.answers]
        assert texts == [False] * 39 + [True]


async def test_a_question_that_waits_says_so_and_can_be_taken_back() -> None:
    app = Alone()
    async with app.run_test(size=(80, 24)) as pilot:
        conversation = app.query_one(Conversation)
        exchange = await conversation.add("And the harbour?")
        exchange.wait(2, "the answer before")
        await pilot.pause()
        offer = exchange.query_one(Offer)
        assert offer.render().plain == "⧗ Waiting for the answer before, number 2 in line · Enter takes it back"
        exchange.wait(1, "the answer before")
        assert offer.text == "Waiting for the answer before · Enter takes it back"
        offer.focus()
        await pilot.press("enter")
        assert app.told == [Exchange.TakenBack(exchange)]
        await conversation.take_back(exchange, "")
        assert app.query(Welcome) and not conversation.exchanges
        begun = await conversation.add("And the pier?")
        begun.wait(1, "the model to load")
        begun.answer.progress("Searching…")
        await pilot.pause()
        assert not begun.query(Offer)


async def test_taking_back_the_only_question_shows_what_was_there_before() -> None:
    app = Alone()
    async with app.run_test(size=(80, 24)) as pilot:
        conversation = app.query_one(Conversation)
        await conversation.take_back(await conversation.add("And the pier?"), "⚠ 1 file could not be read")
        await pilot.pause()
        assert str(app.query_one(".welcome--notice", Static).content) == "⚠ 1 file could not be read"
        await conversation.show([("What was agreed?", answer())])
        conversation._past = [(e.question, e.answer.written) for e in conversation.exchanges]
        for exchange in conversation.exchanges:
            await exchange.remove()
        await conversation.take_back(await conversation.add("And the pier?"), "")
        assert [e.question for e in conversation.exchanges] == ["What was agreed?"]


async def test_an_answer_stays_while_its_source_is_read() -> None:
    app = Alone()
    async with app.run_test(size=(80, 24)) as pilot:
        conversation = app.query_one(Conversation)
        for number in range(2 * MOST_MOUNTED):
            exchange = await conversation.add(f"Question {number}")
            exchange.answer.finish(answer(), 0.1)
            await pilot.pause()
            if number == 0:
                exchange.answer.chips[0].opened(True)
        assert conversation.exchanges[0].question == "Question 0"


async def test_suggestions_stand_on_the_empty_screen_now_and_later() -> None:
    app = Alone()
    async with app.run_test(size=(80, 24)) as pilot:
        conversation = app.query_one(Conversation)
        await conversation.suggest(["When does it close?", "What does it cost?"])
        await pilot.pause()
        first, second = app.query(Suggestion)
        first.focus()
        await pilot.press("down", "enter")
        assert app.told == [Suggestion.Chosen("What does it cost?")]
        await conversation.add("What does it cost?")
        assert not app.query(Suggestion)
        await conversation.clear("")
        assert [suggestion.text for suggestion in app.query(Suggestion)] == [first.text, second.text]


@pytest.mark.parametrize("size", [(20, 5), (40, 12), (160, 48)])
async def test_every_size_shows_question_answer_and_composer(size: tuple[int, int]) -> None:
    app = Alone()
    async with app.run_test(size=size) as pilot:
        conversation = app.query_one(Conversation)
        exchange = await conversation.add("What was agreed?")
        exchange.answer.finish(answer(), 0.1)
        await exchange.answer.toggle_details()
        await pilot.pause()
        assert conversation.size.height >= 2
        for size in ((160, 48), (20, 5), (3, 2), (80, 24)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
        assert exchange.answer.chips[0].region.width > 40


async def test_the_status_line_tells_the_last_answer_in_words() -> None:
    app = Alone()
    async with app.run_test(size=(80, 24)):
        status = app.query_one(StatusLine)
        status.activity, status.index, status.strictness, status.failures = "● ready", "4 documents", "strict", 2
        status.answered(answer(), 1.23)
        assert status.render().plain == "● ready · 4 documents · ⚠ 2 not read · strict · 1.2 s · high confidence"
