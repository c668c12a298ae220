"""One assistant for an event loop: never blocked, never more threads than a few, and cancelled means ended."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from assistant import AsyncAssistant, Finished, Limits
from assistant.api import Assistant
from assistant.types import Prompt, Retrieved, TextDelta
from corpus.errors import DeadlineExceeded, IndexUnavailable, Overloaded, UnknownAudience, UsageError
from tests.assistant.test_limits import COST, LINE, Held, hanging

__all__ = ["hanging"]  # the fixture
Opened = Callable[..., Assistant]


async def test_what_one_does_the_other_does(museum: Path, tmp_path: Path) -> None:
    options: dict[str, Any] = {"reranker": None, "history": tmp_path / "history"}
    async with AsyncAssistant.open(museum, **options) as desk:
        answer = await desk.ask(COST, conversation="c")
        events = [event async for event in desk.stream(COST)]
        assert isinstance(events[0], Retrieved)
        assert isinstance(events[-1], Finished)
        assert events[-1].answer.text == answer.text == LINE.strip()
        assert [d.path for d in await desk.documents()] == ["mill.md", "news.txt", "opening.md", "repairs.txt"]
        found = await desk.search(COST, 1)
        assert found[0].document.path == "repairs.txt"
        await desk.feedback.add(answer.id, "right")
        assert [f.answer for f in await desk.feedback.listed()] == [answer.id]
        assert {r.conversation for r in await desk.history("c")} == {"c"}
        assert len(await desk.conversations.listed()) == 2
        await desk.use(strictness="strict")
        assert desk.desk.settings.strictness == "strict"
        nobody = await desk.seen_by(set())
        assert await nobody.documents() == []
        assert (await nobody.ask(COST)).refused
        await nobody.close()
        with pytest.raises(UnknownAudience, match="'ghosts'"):
            await desk.ask(COST, audience={"ghosts"})
    with pytest.raises(UsageError, match="the assistant is closed"):
        await desk.documents()
    await desk.close()


async def test_opening_can_be_awaited_and_fails_as_it_does_elsewhere(museum: Path, tmp_path: Path) -> None:
    desk = await AsyncAssistant.open(museum, reranker=None, history=":memory:")
    await desk.warm()
    await desk.close()
    with pytest.raises(IndexUnavailable, match="nowhere"):
        await AsyncAssistant.open(tmp_path / "nowhere")


def test_whatever_the_other_offers_is_offered_here() -> None:
    """But for what doesn't block, which is at `desk`."""
    plain = {name for name in dir(Assistant) if not name.startswith("_")}
    here = {name for name in dir(AsyncAssistant) if not name.startswith("_")}
    assert plain - here == {
        "audience", "bound", "folders", "generator", "limits", "ready", "reranker", "settings", "snapshot", "unkept",
    }  # fmt: skip
    assert here - plain == {"desk"}
    for name in ("ask", "stream", "search", "documents", "audit"):
        given, same = inspect.signature(getattr(AsyncAssistant, name)), inspect.signature(getattr(Assistant, name))
        assert [*given.parameters] == [*same.parameters]


async def test_the_loop_turns_while_an_answer_is_made(open_museum: Opened) -> None:
    writer = Held()
    async with AsyncAssistant(open_museum(writer)) as desk:
        task = asyncio.create_task(desk.ask(COST))
        await asyncio.to_thread(writer.begun.acquire)  # the loop is free to wait for it
        assert not task.done()
        assert len(await desk.documents()) == 4
        writer.released.set()
        assert (await task).text == LINE.strip()


async def test_cancelling_ends_the_answer_and_frees_its_place(open_museum: Opened, hanging: Any) -> None:
    server, writer = hanging
    async with AsyncAssistant(open_museum(writer, limits=Limits(concurrent=1, waiting=1))) as desk:
        task = asyncio.create_task(desk.ask(COST))
        await asyncio.to_thread(server.hanging.wait, 20)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.to_thread(server.left.wait, 20)
        async with aclosing(desk.stream(COST, timeout=60)) as events:
            while not isinstance(await anext(events), TextDelta):
                pass
        await desk.use("extractive")
        assert not (await desk.ask(COST)).refused
        assert len(await desk.history()) == 1


async def test_a_task_that_is_cancelled_between_two_events_is_cancelled_and_nothing_else(open_museum: Opened) -> None:
    async with AsyncAssistant(open_museum(limits=Limits(concurrent=1, waiting=0))) as desk:
        events = desk.stream(COST)
        await anext(events)
        with pytest.raises(asyncio.CancelledError):
            await events.athrow(asyncio.CancelledError())
        assert not (await desk.ask(COST)).refused


async def test_what_is_opened_for_a_cancelled_task_is_closed(museum: Path) -> None:
    class Slow(Held):
        @property
        def name(self) -> str:  # type: ignore[override]
            self.begun.release()
            self.released.wait(20)
            return "slow"

    writer = Slow()
    opening = asyncio.ensure_future(AsyncAssistant.open(museum, generator=writer, reranker=None, history=":memory:"))
    await asyncio.to_thread(writer.begun.acquire)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    assert not writer.closed.is_set()
    writer.released.set()
    assert await asyncio.to_thread(writer.closed.wait, 20)


async def test_closing_that_is_cancelled_closes(open_museum: Opened) -> None:
    busy, writer = threading.Event(), Held()
    desk = AsyncAssistant(open_museum(writer, limits=Limits(concurrent=1)))
    others = [asyncio.ensure_future(desk._run(busy.wait)) for _ in range(5)]  # all threads
    closing = asyncio.ensure_future(desk.close())
    await asyncio.sleep(0)
    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing
    busy.set()
    await asyncio.gather(*others)
    assert await asyncio.to_thread(writer.closed.wait, 20)


async def test_who_waited_for_his_turn_in_vain_waits_for_nothing_more(open_museum: Opened) -> None:
    writer = Held()
    async with AsyncAssistant(open_museum(writer, limits=Limits(concurrent=1, patience=0.5))) as desk:
        talk = await desk.conversation()
        first = asyncio.create_task(talk.ask(COST))
        await asyncio.to_thread(writer.begun.acquire)
        async with talk._streaming(lambda: talk._inner.stream(COST)) as stream:
            assert not desk.desk._core.gate._queue
            with pytest.raises(Overloaded):
                next(stream)
        writer.released.set()
        await first


async def test_a_thousand_at_once_are_answered_or_told_to_come_again(open_museum: Opened) -> None:
    desk = AsyncAssistant(open_museum(limits=Limits(concurrent=2, waiting=20)))
    async with desk:
        before = threading.active_count()
        asked = [asyncio.create_task(desk.ask(COST)) for _ in range(1000)]
        most = 0
        while not all(task.done() for task in asked):
            most = max(most, threading.active_count() - before)
            await asyncio.wait(asked, timeout=0.05)
        ended = [task.exception() or task.result() for task in asked]
        told = [e for e in ended if isinstance(e, Overloaded)]
        assert all(e.retry_after > 0 for e in told)
        answers = [e for e in ended if not isinstance(e, BaseException)]
        assert len(told) + len(answers) == 1000
        assert len(answers) >= 22
        assert {answer.text for answer in answers} == {LINE.strip()}
        assert most <= 12  # and those of the models
        assert not (await desk.ask(COST)).refused


async def test_deadlines_hold_here_too(open_museum: Opened) -> None:
    writer = Held()
    async with AsyncAssistant(open_museum(writer, limits=Limits(concurrent=1))) as desk:
        first = asyncio.create_task(desk.ask(COST))
        await asyncio.to_thread(writer.begun.acquire)
        with pytest.raises(DeadlineExceeded):
            await desk.ask(COST, timeout=0.05)
        writer.released.set()
        await first


async def test_a_plug_in_that_hangs_does_not_keep_the_task_beyond_its_deadline(open_museum: Opened) -> None:
    writer = Held()
    async with AsyncAssistant(open_museum(writer)) as desk:
        with pytest.raises(DeadlineExceeded, match=r"no answer in 0\.2 seconds"):
            await desk.ask(COST, timeout=0.2)
        assert not writer.released.is_set()
        writer.released.set()
        await desk.ask(COST)
        assert len(await desk.history()) == 1


async def test_a_conversation_goes_on(open_museum: Opened, scripted: Callable[..., Any]) -> None:
    def draft(prompt: Prompt) -> list[str]:
        return [LINE]

    async with AsyncAssistant(open_museum(scripted(draft))) as desk:
        talk = await desk.conversation("ticket 17")
        await asyncio.gather(talk.ask(COST), talk.ask("And how long did they take?"))
        assert [turn.question for turn in talk.turns] == [COST, "And how long did they take?"]
        assert [r.context and len(r.context.history) for r in await desk.history("ticket 17")] == [0, 1]
        again = await desk.conversation("ticket 17")
        assert (again.id, again.turns) == ("ticket 17", talk.turns)
        events = [event async for event in again.stream("Where did the slates come from?")]
        assert isinstance(events[-1], Finished)
        assert len(again.turns) == 3
