"""Answers made by hand, and an application that shows nothing but a conversation and its composer."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

from textual import on
from textual.app import App, ComposeResult
from textual.message import Message

import assistant.tui
from assistant.tui.widgets.answer import AnswerView
from assistant.tui.widgets.citation import CitationChip
from assistant.tui.widgets.composer import Composer
from assistant.tui.widgets.conversation import Conversation, Exchange
from assistant.tui.widgets.finding import Choice
from assistant.tui.widgets.status import StatusLine
from assistant.tui.widgets.suggestions import Suggestion
from assistant.types import Answer, Citation, Passage, Refusal, Statement
from corpus.types import Chunk, Document
from embeddings.types import Snapshot

(_FOLDER,) = assistant.tui.__path__


class Alone(App[None]):
    """Notes the messages that reach it."""

    CSS_PATH = Path(_FOLDER) / "styles" / "ask.tcss"
    VERTICAL_BREAKPOINTS = [(0, "-short"), (12, "-tall")]  # noqa: RUF012 - declared by Textual

    def __init__(self) -> None:
        super().__init__()
        self.told: list[Message] = []

    def compose(self) -> ComposeResult:
        yield Conversation()
        yield Composer()
        yield StatusLine()

    @on(Composer.Asked)
    @on(CitationChip.Chosen)
    @on(Suggestion.Chosen)
    @on(Choice.Chosen)
    @on(AnswerView.AskAnyway)
    @on(Exchange.TakenBack)
    def _note(self, message: Message) -> None:
        self.told.append(message)


def passages(count: int = 4) -> tuple[Passage, ...]:
    def passage(number: int) -> Passage:
        quote = f"Item {number} was agreed."
        document = Document(
            f"{number:032}", f"minutes/{number}.md", f"Minutes {number}", date(2024, 3, number), "text", quote
        )
        return Passage(number, Chunk(document.id, 0, len(quote), quote, page=number), document, 1.0)

    return tuple(map(passage, range(1, count + 1)))


def cited(passage: Passage) -> Citation:
    return Citation(passage.number, passage, 0, len(passage.chunk.text), passage.chunk.text, passage.chunk.page)


def statement(number: int) -> Statement:
    """Quoted where `number` is odd, supported where it is even."""
    passage = passages()[(number - 1) % 4]
    verdict, support = ("quoted", 1.0) if number % 2 else ("supported", 0.82)
    return Statement(f"Item {number} was agreed.", verdict, support, (cited(passage),))  # type: ignore[arg-type]


LEFT_OUT = Statement("The mayor wept.", "unsupported", 0.1, (), "the cited text doesn't say it")


def answer(question: str = "What was agreed?", shown: int = 2) -> Answer:
    """Of `shown` statements and one that is left out, from four passages."""
    return Answer(
        id="a", question=question, standalone_question=question,
        statements=(*map(statement, range(1, shown + 1)), LEFT_OUT), refusal=None, conflicts=(), passages=passages(),
        generator="scripted", snapshot=Snapshot(1, "hashing", "sentences", 4, 4),
        timings={"retrieve": 0.5, "generate": 1.0}, confidence=0.95,
    )  # fmt: skip


def refused(refusal: Refusal) -> Answer:
    return replace(answer(), statements=(), refusal=refusal)
