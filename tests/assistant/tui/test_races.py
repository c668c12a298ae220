"""What happens at the same time: keys, answers, models that load, an index that is made anew."""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot

from assistant.api import Assistant
from assistant.tui.app import AssistantApp
from assistant.tui.conversations import ConversationsScreen
from assistant.tui.indexing import Outcome, Progress
from assistant.tui.launch import Launch
from assistant.tui.messages import Arrived
from assistant.tui.widgets.composer import Composer
from assistant.tui.widgets.conversation import Conversation
from assistant.types import Finished, Prompt
from corpus.errors import IndexUnavailable
from embeddings.hashing import HashingEmbedder
from embeddings.types import Vectors

pytestmark = pytest.mark.asyncio
Settled = Callable[[Pilot[None]], Awaitable[None]]
Make = Callable[..., AssistantApp]
QUESTION = "When does Tarn Bridge close to traffic?"


@pytest.fixture
def held() -> Iterator[threading.Event]:
    """What the second answer waits for."""
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def second_waits(held: threading.Event, two_statements: Callable[[Prompt], Iterator[str]]) -> Callable[..., object]:
    asked: list[Prompt] = []

    def write(prompt: Prompt) -> Iterator[str]:
        asked.append(prompt)
        yield from two_statements(prompt)
        if len(asked) == 2:
            yield "And then"
            held.wait(60)

    return write


async def begun(app: AssistantApp, pilot: Pilot[None]) -> None:
    """Returns when the answer that is being written has something to show."""
    while not app.chat.query_one(Conversation).exchanges[-1].answer.draft:
        await pilot.pause()


@pytest.mark.parametrize("steps", range(7))
async def test_a_new_conversation_takes_a_question_along_that_is_just_being_asked(
    make_app: Make, settled: Settled, steps: int
) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        app.chat.post_message(Composer.Asked(QUESTION))
        for _ in range(steps):
            await asyncio.sleep(0)  # the screen's task comes so far
        await pilot.press("ctrl+l")
        await settled(pilot)
        shown = [exchange.question for exchange in app.chat.query_one(Conversation).exchanges]
        kept = app.opened.conversations.records(app.chat.conversation)
        assert shown == [record.question for record in kept]


async def test_only_one_search_for_suggestions_goes_on(make_app: Make, settled: Settled) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        first = app._quiet
        await pilot.press("ctrl+l")
        assert first.is_set() and not app._quiet.is_set()


async def test_escape_after_the_last_event_leaves_a_finished_answer(
    make_app: Make, settled: Settled, second_waits: Callable[..., object]
) -> None:
    app = make_app(second_waits)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await app.chat.ask(QUESTION)
        await settled(pilot)
        (answer,) = app.chat.query_one(Conversation).answers
        await app.chat.ask(QUESTION)
        await begun(app, pilot)
        task = app.chat.questions.current
        assert task is not None
        app.chat.post_message(Arrived(task, Finished(answer)))
        await pilot.press("escape")
        assert task.exchange.answer.written.ended == "finished" and app.idle


async def test_going_back_to_the_open_conversation_leaves_its_answer(
    make_app: Make, settled: Settled, second_waits: Callable[..., object]
) -> None:
    app = make_app(second_waits)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await app.chat.ask(QUESTION)
        await settled(pilot)
        await app.chat.ask(QUESTION)
        await begun(app, pilot)
        await pilot.press("f3")
        while not isinstance(app.screen, ConversationsScreen) or not app.screen.rows.key:
            await pilot.pause()
        await pilot.press("enter")
        assert len(app.screen_stack) == 1 and app.chat.questions.current is not None


async def test_the_citations_of_a_cut_answer_are_not_judged(
    make_app: Make, settled: Settled, second_waits: Callable[..., object]
) -> None:
    app = make_app(second_waits)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await app.chat.ask(QUESTION)
        await settled(pilot)
        await pilot.press("ctrl+n")
        assert app.chat.check_action("citation_wrong", ())
        await app.chat.ask(QUESTION)
        await begun(app, pilot)
        await pilot.press("escape")
        app.chat.query_one(Conversation).latest[0].focus()
        await pilot.pause()
        assert not app.chat.check_action("citation_wrong", ())


class Broken(HashingEmbedder):
    """Says that it is the embedder of the index, and isn't."""

    def embed_query(self, text: str) -> Vectors:
        return -super().embed_query(text)


def launched(index: Path, *embedders: HashingEmbedder) -> Launch:
    """Opens the index with one embedder after the other, the last one again and again."""
    left = list(embedders)

    def opened() -> Assistant:
        embedder = left.pop(0) if len(left) > 1 else left[0]
        return Assistant.open(index, generator="extractive", embedder=embedder, reranker="none", history=":memory:")

    return Launch(opened, index, settings_file=index.parent / "settings.toml")


@pytest.fixture
def copied(index: Path, tmp_path: Path) -> Path:
    shutil.copytree(index.parent, tmp_path / "copy")
    return tmp_path / "copy" / "index"


async def test_a_model_that_fails_while_the_index_is_made_is_loaded_again_after_it(
    copied: Path, settled: Settled
) -> None:
    app = AssistantApp(launched(copied, Broken(), HashingEmbedder()))
    async with app.run_test(size=(80, 24)) as pilot:
        app.indexing.progress = Progress()
        await settled(pilot)
        assert app.desk is not None and not app.ready and not app.failure
        app.indexing.progress = None
        app._on_indexing(Outcome(changed=1))
        await app.chat.ask(QUESTION)
        await settled(pilot)
        assert app.ready and app.chat.status.activity == "● ready"
        assert len(app.chat.query_one(Conversation).answers) == 1


async def test_an_index_made_with_another_embedder_is_opened_again(copied: Path, settled: Settled) -> None:
    app = AssistantApp(launched(copied, HashingEmbedder(), HashingEmbedder(128)))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        former = app.opened
        folder = copied.parent / "documents"
        await asyncio.to_thread(
            lambda: Assistant.build(folder, index=copied, embedder=HashingEmbedder(128), replace=True, rebuild=True)
        )
        app._on_indexing(Outcome(changed=2))
        await app.chat.ask(QUESTION)
        await settled(pilot)
        (answer,) = app.chat.query_one(Conversation).answers
        assert app.opened is not former and not answer.refused


async def test_why_indexing_failed_is_told_while_and_where_nothing_opens(copied: Path, settled: Settled) -> None:
    held, why = threading.Event(), "there is no folder 'x': give one that exists"
    launch = launched(copied, HashingEmbedder())

    def opened() -> Assistant:
        held.wait(60)
        if failing:
            raise IndexUnavailable("there is no index: index a folder")
        return launch.open()

    for failing in (False, True):
        held.clear()
        app = AssistantApp(replace(launch, open=opened))
        async with app.run_test(size=(80, 24)) as pilot:
            while not list(app.workers):
                await pilot.pause()
            await app.chat.ask(QUESTION)
            app.indexing.outcome = Outcome(error=why)
            app._on_indexing(app.indexing.outcome)
            await pilot.pause()
            assert not app.failure and [n.message for n in app._notifications] == [why]
            held.set()
            while not (app.failure or app.ready):
                await pilot.pause()
            assert app.failure == (why if failing else "")
