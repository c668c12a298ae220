"""Every screen of the application with given text wherever outside text can stand; no net is under `plain` here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args
from urllib.parse import urlsplit

from textual.screen import Screen
from textual.widgets import Static

from assistant.audit.citations import Standing, State
from assistant.config import ApplicationSettings, Settings
from assistant.records.conversations import Conversation as Kept
from assistant.records.conversations import Match
from assistant.records.feedback import Feedback
from assistant.tui.choice import ChoiceScreen
from assistant.tui.conversations import ConversationsScreen
from assistant.tui.document import CitedSpan, DocumentScreen
from assistant.tui.documents import DocumentsScreen
from assistant.tui.folders import FoldersScreen
from assistant.tui.generator import GeneratorScreen
from assistant.tui.help import HelpScreen
from assistant.tui.indexing import Indexing, Outcome
from assistant.tui.judgements import JudgementsScreen, ReasonScreen
from assistant.tui.judging import JudgeScreen
from assistant.tui.launch import Launch
from assistant.tui.link import LinkScreen, address
from assistant.tui.prompt import Line, PromptScreen
from assistant.tui.saving import SavingScreen
from assistant.tui.scope import Scope
from assistant.tui.settings import SettingsScreen
from assistant.tui.widgets.composer import Composer
from assistant.tui.widgets.conflict import ValueChip
from assistant.tui.widgets.conversation import Conversation
from assistant.tui.widgets.offer import Offer
from assistant.tui.widgets.rows import Rows
from assistant.tui.widgets.scope import ScopeChip
from assistant.tui.widgets.source import SourcePane
from assistant.tui.widgets.status import StatusLine
from assistant.tui.widgets.text import SourceText
from corpus.errors import UnavailableError, UsageError
from corpus.types import ReadFailure
from embeddings.types import Where
from embeddings.view import DocumentSummary
from tests.assistant.tui.hostile import Bare, answer_of, batches, check, document_of
from tests.assistant.tui.pushing import Pushing, settled

Showing = Callable[[list[str], Launch], AsyncIterator[Screen[Any]]]
NOW = datetime.now(UTC)
BATCH = 360
"""Strings at once, a line each, where lines are shown."""
STATUS = ("activity", "indexing", "index", "generator", "strictness", "confidence", "tokens")


def stretched(widgets: Any) -> list[Static]:
    """The widgets, high enough for whatever they are told, so that nothing need be laid out to be looked at."""
    for widget in widgets:
        widget.styles.height = widget.styles.max_height = 4
    return list(widgets)


async def chat(texts: list[str], launch: Launch) -> AsyncIterator[Screen[Any]]:
    """Questions and answers in all their states, what is beside them, and notifications."""
    app = Bare(launch)
    async with app.run_test(size=(120, 60), notifications=True) as pilot:
        await settled(pilot)
        conversation, status = app.chat.query_one(Conversation), app.chat.query_one(StatusLine)
        for batch in batches(texts, BATCH):
            few, joined = [batch[0], "\n".join(batch), batch[-1]], "\n".join(batch)
            await conversation.clear(joined)
            await conversation.suggest(few)
            await pilot.pause()
            for text in batch:
                app.chat.query_one(Composer).load_text(text)
                app.chat.query_one(ScopeChip).scope = Scope(Where(), text)
                for part in STATUS:
                    setattr(status, part, text)
                check((status, *app.chat.query("Composer, ScopeChip").results()))
            yield app.chat
            for refused in (False, True):
                exchange = await conversation.add(joined)
                exchange.wait(1, few[0])
                await pilot.pause()
                check(exchange.query("*"))
                view = exchange.answer
                view.retrieved(batch[0], 3)
                for text in batch:
                    view.write(text)
                view.verified(answer_of(few[:1]).statements[0])
                view._draw()
                await pilot.pause()
                yield app.chat
                view.finish(answer_of(few, refused), 0.1)
                await view.toggle_details()
                await pilot.pause()
                yield app.chat
                one = answer_of(batch).statements[::2]
                kinds = {(type(chip), chip.snippet): chip for chip in view.chips}
                for chip in kinds.values():
                    for statement in one:
                        chip.citation = statement.citations[0]
                        if isinstance(chip, ValueChip):
                            chip._value = statement.text
                        chip.refresh()
                        check([chip])
                for offer in exchange.query(Offer).results():
                    for text in batch:
                        offer.say(text)
                        check([offer])
            stopped = await conversation.add(joined)
            stopped.answer.write(joined)
            stopped.answer.cut()
            await stopped.answer.toggle_details()
            failed = await conversation.add(few[0])
            failed.answer.fail(joined)
            app._unread = [ReadFailure(joined, joined)]
            app.chat.action_problems()
            with app.telling("Reading"):
                raise UsageError(joined)
            await pilot.pause()
            yield app.chat
            app.clear_notifications()


async def source(texts: list[str], launch: Launch) -> AsyncIterator[Screen[Any]]:
    """The source pane, in each state that a citation can be in."""
    app = Bare(launch)
    async with app.run_test(size=(120, 30)) as pilot:
        await settled(pilot)
        exchange = await app.chat.query_one(Conversation).add("?")
        exchange.answer.finish(answer_of(texts[:1]), 0.1)
        await pilot.pause()
        pane, chip = app.chat.query_one(SourcePane), exchange.answer.chips[0]
        pane.open(chip)
        heads = stretched(pane.query(Static))
        await pilot.pause()
        title, place, notice = heads
        for text in texts:
            chip.citation = citation = answer_of([text]).statements[0].citations[0]
            pane.open(chip)
            check((chip, title, place, pane.query_one(SourceText)))
            document = document_of(text)
            for state in get_args(State):
                standing = Standing(state, None if state == "gone" else document, citation.start, citation.end)
                pane._on_found(SourcePane.Found(chip, standing))
                check([notice])
            pane._on_found(SourcePane.Found(chip, None, text))
            check((notice, pane.query_one(SourceText)))
        await pilot.pause()
        yield app.chat


async def document(texts: list[str], launch: Launch) -> AsyncIterator[Screen[Any]]:
    """A whole document: title, path, tags, address, search, text and what is cited of it."""
    joined = document_of("\n".join(texts))
    spans = [CitedSpan(at, at + len(text), at + 1, text) for text in texts if (at := joined.text.find(text)) >= 0]
    desk: Any = SimpleNamespace(document=lambda _: joined)
    screen = DocumentScreen(desk, "1", spans)
    async with Pushing(screen).run_test(size=(120, 50)) as pilot:
        await settled(pilot)
        yield screen
    screen = DocumentScreen(desk, "1")
    async with Pushing(screen).run_test(size=(120, 24)) as pilot:
        await settled(pilot)
        heads = stretched(screen.query("DocumentScreen > Static"))
        for shown in screen.query("Static"):
            shown.remove_class("-empty")
        await pilot.pause()
        for text in texts:
            screen._on_read(DocumentScreen.Read(document_of(text)))
            check((*heads, screen.query_one(SourceText)))
            screen._on_read(DocumentScreen.Read(None, text))
            check(heads[:1])
        screen.query_one(Line).value = texts[0]
        await settled(pilot)
        yield screen


class Desk:
    """An assistant whose documents, problems, conversations and judgements are named by the texts."""

    def __init__(self, texts: list[str]) -> None:
        numbered = list(enumerate(texts))
        self.listing = [DocumentSummary(str(n), f"{s}{n}", s, None, 1, s, (s, s), s) for n, s in numbered]
        self.unread = [ReadFailure(f"{s}{n}", s) for n, s in numbered]
        kept = [Kept(str(n), s, NOW, NOW, 1) for n, s in numbered]

        def delete(id: str) -> None:
            raise UnavailableError(texts[int(id)])

        found = [Match(one, 1, one.title, one.title) for one in kept]
        self.conversations = SimpleNamespace(listed=lambda: kept, find=lambda _: found, delete=delete)
        judged = [Feedback(n, str(n), "wrong", s, None, NOW, s) for n, s in numbered]
        self.feedback = SimpleNamespace(listed=lambda: judged)

    def documents(self) -> list[DocumentSummary]:
        return self.listing

    def failures(self) -> list[ReadFailure]:
        return self.unread


async def lists(texts: list[str], launch: Launch) -> AsyncIterator[Screen[Any]]:
    """Documents, their problems, conversations, what a search found of them, and judgements."""
    desk: Any = Desk(texts)
    scope = Scope(Where(), texts[0])
    for screen, key in (
        (DocumentsScreen(desk, scope), "p"),
        (ConversationsScreen(desk, "3"), "slash"),
        (JudgementsScreen(desk), "slash"),
    ):
        async with Pushing(screen).run_test(size=(100, 50)) as pilot:
            await settled(pilot)
            yield screen
            await pilot.press(key, *("x" if key == "slash" else ()))
            if isinstance(screen, ConversationsScreen):
                screen.query_one(Line).value = texts[0]
            await settled(pilot)
            yield screen


async def lines(texts: list[str], launch: Launch) -> AsyncIterator[Screen[Any]]:
    """What is said above and under a list, row by row."""
    desk: Any = Desk(texts)
    for screen in (DocumentsScreen(desk, None), ConversationsScreen(desk, "3"), JudgementsScreen(desk)):
        async with Pushing(screen).run_test(size=(100, 24)) as pilot:
            await settled(pilot)
            heads = stretched(screen.query("Static"))
            screen.say("…")
            await pilot.pause()
            for place, text in enumerate(texts):
                screen.rows.set_reactive(Rows.cursor, place)
                screen._say_detail()
                screen.say(text)
                screen.head(text, text)
                check(heads)
            if isinstance(screen, ConversationsScreen):
                await pilot.press("d")
            await settled(pilot)
            yield screen


async def dialogs(texts: list[str], launch: Launch) -> AsyncIterator[Screen[Any]]:
    """Each dialog that takes text from outside, and the help, which takes none."""
    for batch in batches(texts, BATCH):
        batch = [*batch, *batch[:1] * 5]
        joined, answer = "\n".join(batch), answer_of(batch)

        def refused(value: str, joined: str = joined) -> str:
            raise UsageError(f"{value} {joined}")

        judged = Feedback(1, "1", "wrong", joined, None, NOW, joined)
        fifth = len(batch) // 5
        a, b, c, d = (" ".join(batch[n * fifth : (n + 1) * fifth]) for n in range(4))
        settings = Settings(generator=a, base_url=b, reranker=c, calibration=d)
        file = Path(" ".join(batch[4 * fifth :]).replace("\0", ""))
        screens: list[Screen[Any]] = [
            PromptScreen(joined, joined, joined, refused),
            ChoiceScreen(joined, [(text, text) for text in batch], batch[1], joined),
            GeneratorScreen(joined, tuple(batch), refused),
            JudgeScreen(answer, answer.shown[0].citations[0]),
            ReasonScreen(judged),
            SavingScreen(Desk(batch), "1", joined),  # type: ignore[arg-type]
            LinkScreen(max(map(accepted, batch), key=len)),
            SettingsScreen(settings, ApplicationSettings(theme=batch[0]), file),
            FoldersScreen(_indexing(batch)),
            *([HelpScreen()] if batch[0] == texts[0] else ()),
        ]
        for screen in screens:
            async with Pushing(screen).run_test(size=(100, 50)) as pilot:
                await settled(pilot)
                if isinstance(screen, PromptScreen):
                    for text in batch:
                        screen.query_one(Line).value = text
                        check(screen.query(Line))
                    await pilot.press("enter")
                    await settled(pilot)
                if isinstance(screen, FoldersScreen):
                    screen.query_one("FolderInput").value = joined  # type: ignore[attr-defined]
                    screen.action_failures()
                    await pilot.pause()
                yield screen


def accepted(text: str) -> str:
    """What is asked about a web address that holds the text, where it may be opened."""
    try:
        asked = address(f"http://a.test/{text}")
    except UsageError:
        return ""
    assert asked.isascii() and asked.isprintable() and urlsplit(asked).hostname == "a.test"
    return asked


def _indexing(texts: list[str]) -> Indexing:
    """Folders, troubles and files that could not be read are named by the texts; it never runs."""
    indexing = Indexing(Path("nowhere"))
    indexing.folders = tuple(Path(text.replace("\0", "\1")) for text in texts)
    indexing.trouble = " ".join(texts)
    unread = tuple(ReadFailure(text, text) for text in texts)
    indexing.outcome = replace(Outcome(failures=unread), error=" ".join(texts))
    return indexing


SHOWINGS: tuple[Showing, ...] = (chat, source, document, lists, lines, dialogs)
