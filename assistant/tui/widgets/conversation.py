"""Questions and answers, the latest last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static

from assistant.tui.marks import MARKS
from assistant.tui.plain import plain
from assistant.tui.widgets.answer import AnswerView
from assistant.tui.widgets.citation import CitationChip
from assistant.tui.widgets.offer import Offer
from assistant.tui.widgets.suggestions import Suggestion
from assistant.tui.widgets.written import Written, past

if TYPE_CHECKING:
    from assistant.types import Answer

TITLE = "Ask your documents"
ABOUT = (
    "Short answers from the documents in this folder, and only from them. "
    "Every sentence cites the place it comes from, and has been checked against it."
)
HINTS = (
    ("Enter", "asks; what the documents don't hold is refused"),
    ("Ctrl+N  Ctrl+P", "move between the citations of the answer"),
    ("Enter or click", "on a citation opens its source, the words marked"),
    ("Esc", "stops an answer, closes a source, comes back here"),
    ("Tab", "goes to the questions above; F1 to every key"),
)
_KEY = 17
"""Cells of the column of keys."""
MOST_MOUNTED = 20
"""Exchanges; of the others only what they are drawn from is kept."""
MOST_PARTS = 60
"""Widgets of their answers, about: each costs about 0.1 ms whenever a line is added."""
_STEP = 5
"""Earlier exchanges that are mounted at once."""


class Welcome(Widget):
    """What the empty screen says."""

    def __init__(self, notice: str = "", suggestions: Sequence[str] = ()) -> None:
        super().__init__()
        self._notice = Static(classes="welcome--notice", markup=False)
        self._suggestions = suggestions
        self.notice(notice)

    def notice(self, text: str) -> None:
        """Says what is amiss with the index, first of all."""
        self._notice.display = bool(text)
        self._notice.update(plain(text))

    async def suggest(self, questions: Sequence[str]) -> None:
        """Offers questions to ask."""
        await self.query("Suggestion, .welcome--try").remove()
        await self.mount_all(_offered(questions), before=".welcome--hints")

    def compose(self) -> ComposeResult:
        hints = [Content.styled(key.ljust(_KEY), "bold") + Content.styled(does, "dim") for key, does in HINTS]
        yield Static(TITLE, classes="welcome--title", markup=False)
        yield self._notice
        yield Static(ABOUT, classes="welcome--about", markup=False)
        yield from _offered(self._suggestions)
        yield Static(Content("\n").join(hints), classes="welcome--hints", markup=False)


def _offered(questions: Sequence[str]) -> list[Widget]:
    heading = Static("The documents answer, for example:", classes="welcome--try", markup=False)
    return [heading, *map(Suggestion, questions)] if questions else []


class Exchange(Widget):
    """A question and its answer."""

    @dataclass
    class TakenBack(Message):
        """The user doesn't want a waiting question answered."""

        exchange: Exchange

    def __init__(self, question: str, written: Written | None = None) -> None:
        super().__init__()
        self.question = question
        self.answer = AnswerView(written)

    def compose(self) -> ComposeResult:
        yield Static(plain(self.question), classes="exchange--question", markup=False)
        yield self.answer

    def wait(self, place: int, reason: str) -> None:
        """Shows that it waits, at which place from 1, and for what; Enter takes it back."""
        queued = f", number {place} in line" if place > 1 else ""
        text = f"Waiting for {reason}{queued} · Enter takes it back"
        self.answer.wait(Offer(text, lambda: self.TakenBack(self), MARKS["waiting"].symbol))


class Conversation(VerticalScroll, can_focus=False):
    """Stays at its end while answers grow, until the user scrolls."""

    @dataclass
    class Earlier(Message):
        """The user wants to see earlier exchanges."""

    def __init__(self) -> None:
        super().__init__()
        self._past: list[tuple[str, Written]] = []
        """Exchanges before those that are mounted, oldest first."""
        self._suggestions: Sequence[str] = ()
        self._earlier = Offer("", self.Earlier, "↑")
        # At least as high as the view: anchored at its end, a short conversation still begins at the top.
        self._mounted = Vertical(self._earlier, Welcome(), id="exchanges")

    def compose(self) -> ComposeResult:
        self._count()
        yield self._mounted

    @property
    def exchanges(self) -> list[Exchange]:
        """Those that are mounted, oldest first."""
        return [child for child in self._mounted.children if isinstance(child, Exchange)]

    @property
    def answers(self) -> list[Answer]:
        """Every answer that was given, mounted or not, oldest first."""
        written = [*(written for _, written in self._past), *(e.answer.written for e in self.exchanges)]
        return [w.answer for w in written if w.answer is not None]

    @property
    def last(self) -> AnswerView | None:
        """The answer to the last question that has one, or has got as far as it will."""
        return next((e.answer for e in reversed(self.exchanges) if e.answer.written.ended), None)

    @property
    def chips(self) -> list[CitationChip]:
        """Every citation that can be opened, in the order of the screen."""
        return [chip for exchange in self.exchanges for chip in exchange.answer.chips]

    @property
    def latest(self) -> list[CitationChip]:
        """The citations of the last answer that has any."""
        return next((chips for exchange in reversed(self.exchanges) if (chips := exchange.answer.chips)), [])

    async def add(self, question: str) -> Exchange:
        """Shows a question, its answer still empty."""
        for welcome in self._welcome:
            welcome.remove()
        exchange = Exchange(question)
        await self._mounted.mount(exchange)
        await self._leave_out()
        self.anchor()
        return exchange

    async def take_back(self, exchange: Exchange, notice: str) -> None:
        """Removes a question that waited; with the last one, as `clear` does."""
        await exchange.remove()
        if not self.exchanges:
            await (self._mount_earlier(_STEP, MOST_PARTS) if self._past else self.clear(notice))

    async def show(self, past_ones: Sequence[tuple[str, Answer]]) -> None:
        """Shows a conversation that was kept, from its end."""
        await self._empty()
        self._past = [(question, past(answer)) for question, answer in past_ones]
        self.anchor()
        await self._mount_earlier(MOST_MOUNTED, MOST_PARTS)

    async def clear(self, notice: str) -> None:
        """Back to the empty screen, with a notice if there is one."""
        await self._empty()
        self._count()
        await self._mounted.mount(Welcome(notice, self._suggestions))

    def notice(self, text: str) -> None:
        """Says what is amiss with the index, if the empty screen is shown."""
        for welcome in self._welcome:
            welcome.notice(text)

    async def suggest(self, questions: Sequence[str]) -> None:
        """Offers questions on the empty screen, now or when it is shown next."""
        self._suggestions = tuple(questions)
        for welcome in self._welcome:
            await welcome.suggest(questions)

    @property
    def _welcome(self) -> list[Welcome]:
        return [child for child in self._mounted.children if isinstance(child, Welcome)]

    async def _empty(self) -> None:
        self._past = []
        for child in self._mounted.children[1:]:
            child.remove()

    async def _leave_out(self) -> None:
        """Keeps the last exchanges mounted, and of all but the last only what they are drawn from."""
        exchanges = self.exchanges
        for exchange in exchanges[:-1]:
            exchange.answer.lighten()
        parts = [exchange.answer.parts for exchange in exchanges]
        for place, exchange in enumerate(exchanges[:-1]):
            surplus = len(exchanges) - place > MOST_MOUNTED or sum(parts[place:]) > MOST_PARTS
            read = any(chip.has_class("-open") for chip in exchange.answer.chips)  # beside it, by the user
            if surplus and exchange.answer.written.ended and not read:
                self._past.append((exchange.question, exchange.answer.written))
                exchange.remove()
        self._count()

    @on(Earlier)
    async def _on_earlier(self) -> None:
        first = self.exchanges[0]
        self.release_anchor()
        await self._mount_earlier(_STEP, MOST_PARTS)
        self.scroll_to_widget(first, animate=False, top=True)

    async def _mount_earlier(self, most: int, parts: int) -> None:
        """Mounts exchanges from the end of those that aren't, until there are `most`, or more than `parts` of them."""
        while self._past and most > 0 and parts > 0:
            exchange = Exchange(*self._past.pop())
            most, parts = most - 1, parts - exchange.answer.parts
            await self._mounted.mount(exchange, after=self._earlier)
        self._count()

    def _count(self) -> None:
        self._earlier.say(f"{len(self._past)} earlier · Enter shows {min(len(self._past), _STEP)} of them")
        self._earlier.display = bool(self._past)
