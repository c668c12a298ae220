"""Questions and answers, the latest last."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widget import Widget
from textual.widgets import Static

from assistant.tui.plain import plain
from assistant.tui.widgets.answer import AnswerView
from assistant.tui.widgets.citation import CitationChip

TITLE = "Ask your documents"
ABOUT = (
    "Short answers from the documents in this folder, and only from them. "
    "Every sentence cites the place it comes from, and has been checked against it."
)
HINTS = (
    ("Enter", "asks; what the documents don't hold is refused, with the nearest passages"),
    ("Ctrl+N  Ctrl+P", "move between the citations of the answer"),
    ("Enter or click", "on a citation opens its source, the cited words marked"),
    ("Esc", "stops an answer, closes a source, comes back here"),
)


class Welcome(Widget):
    """What the empty screen says."""

    def __init__(self, notice: str = "") -> None:
        super().__init__()
        self._notice = notice

    def notice(self, text: str) -> None:
        """Says what is amiss with the index, first of all."""
        shown = self.query_one(".welcome--notice", Static)
        shown.display = bool(text)
        shown.update(plain(text))

    def compose(self) -> ComposeResult:
        yield Static(TITLE, classes="welcome--title", markup=False)
        yield Static(classes="welcome--notice", markup=False)
        yield Static(ABOUT, classes="welcome--about", markup=False)
        for key, does in HINTS:
            with Horizontal(classes="welcome--hint"):
                yield Static(key, classes="welcome--key", markup=False)
                yield Static(does, classes="welcome--does", markup=False)

    def on_mount(self) -> None:
        self.notice(self._notice)


class Exchange(Widget):
    """A question and its answer."""

    def __init__(self, question: str) -> None:
        super().__init__()
        self.question = question
        self.answer = AnswerView()

    def compose(self) -> ComposeResult:
        yield Static(plain(self.question), classes="exchange--question", markup=False)
        yield self.answer


class Conversation(VerticalScroll, can_focus=False):
    """Stays at its end while answers grow, until the user scrolls."""

    def compose(self) -> ComposeResult:
        # At least as high as the view: anchored at its end, a short conversation still begins at the top.
        with Vertical(id="exchanges"):
            yield Welcome()

    async def add(self, question: str) -> Exchange:
        """Shows a question, its answer still empty."""
        await self.query(Welcome).remove()
        exchange = Exchange(question)
        await self.query_one("#exchanges").mount(exchange)
        self.anchor()
        return exchange

    def notice(self, text: str) -> None:
        """Says what is amiss with the index, if the empty screen is shown."""
        for welcome in self.query(Welcome):
            welcome.notice(text)

    async def clear(self, notice: str) -> None:
        """Back to the empty screen, with a notice if there is one."""
        exchanges = self.query_one("#exchanges")
        await exchanges.remove_children()
        await exchanges.mount(Welcome(notice))

    @property
    def chips(self) -> list[CitationChip]:
        """Every citation that can be opened, in the order of the screen."""
        return list(self.query(CitationChip))

    @property
    def latest(self) -> list[CitationChip]:
        """The citations of the last answer that has any."""
        groups = (list(exchange.query(CitationChip)) for exchange in reversed(self.query(Exchange)))
        return next((group for group in groups if group), [])
