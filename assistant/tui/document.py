"""A whole document: searched, with all that the conversation cites of it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal
from textual.events import DescendantFocus
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Footer, Input, OptionList, Static
from textual.widgets.option_list import Option
from textual.worker import get_current_worker

from assistant.phrases import occurrences
from assistant.tui.errors import told
from assistant.tui.link import LinkScreen, address
from assistant.tui.opening import open_file, quoted
from assistant.tui.plain import one_line
from assistant.tui.prompt import Line
from assistant.tui.widgets.citation import WHERE_SEPARATOR, where
from assistant.tui.widgets.text import Matches, Place, SourceText
from corpus.errors import AssistantError, UsageError

if TYPE_CHECKING:
    from assistant.api import Assistant
    from corpus.types import Document

_LOOKED_FOR = 300
"""Characters that are searched for."""
_MOST_MATCHES = 100_000
_QUOTED = 120
"""Characters of a cited span that its line in the list begins with."""


@dataclass(frozen=True, slots=True)
class CitedSpan:
    """A place of the document that an answer cites, in characters of its text."""

    start: int
    end: int
    number: int
    """Of the passage, in that answer."""
    question: str


class Address(Static, can_focus=True):
    """The web address that the document gives for itself."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "screen.address", "Open address")]

    async def on_click(self) -> None:
        await self.run_action("screen.address")


class DocumentScreen(Screen[None]):
    """Shows the text from the place it was opened at; matches and cited spans are stepped through."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Back"),
        Binding("slash", "search", "Search"),
        Binding("n", "match(1)", "Next", tooltip="Next match"),
        Binding("N", "match(-1)", "Previous", key_display="N", tooltip="Previous match"),
        Binding("right_square_bracket,ctrl+n", "cited(1)", "Cited", key_display="]", tooltip="Next cited place"),
        Binding("left_square_bracket,ctrl+p", "cited(-1)", "Previous cited place", key_display="[", show=False),
        Binding("c", "copy", "Copy", tooltip="Copy the words marked, with their reference"),
        Binding("o", "original", "Original", tooltip="Open the file itself in the system's program"),
        Binding("u", "address", "Web", tooltip="Show the document's web address, and open it if you wish"),
    ]
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012 - declared by Textual
    VERTICAL_BREAKPOINTS = [(0, "-low"), (14, "-high")]  # noqa: RUF012 - declared by Textual

    class Read(Message, bubble=False):
        """The document was read, or could not be."""

        def __init__(self, document: Document | None, error: str = "") -> None:
            super().__init__()
            self.document = document
            self.error = error

    class Searched(Message, bubble=False):
        """All matches are known."""

        def __init__(self, sought: str, matches: Matches) -> None:
            super().__init__()
            self.sought = sought
            self.matches = matches

    def __init__(
        self, desk: Assistant, document_id: str, spans: Sequence[CitedSpan] = (), at: Place | None = None
    ) -> None:
        """Takes spans of this document, in any order, and the place to begin at; None for the first span."""
        super().__init__()
        self._desk = desk
        self._document_id = document_id
        self._spans = sorted(spans, key=lambda span: (span.start, span.end))
        self._current = at or next(((span.start, span.end) for span in self._spans), (0, 0))
        """What is marked as the place meant: a cited span or a match."""
        self._matches = Matches()
        self._from = 0
        """What was first in view when the search began: its matches are counted from the top, but shown from there."""
        self.document: Document | None = None

    def compose(self) -> ComposeResult:
        yield Static("Opening…", classes="document--title", markup=False)
        yield Static(classes="document--about -empty", markup=False)
        yield Address(classes="document--address -empty", markup=False)
        with Horizontal(classes="document--bar"):
            yield Line(placeholder="Search this document", limit=_LOOKED_FOR)
            yield Static(classes="document--count -empty", markup=False)
            yield Static(classes="document--page", markup=False)
        with Container(classes="document--body"):
            yield OptionList(classes="-empty", markup=False, compact=True)
            yield SourceText()
        yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        self.query_one(SourceText).focus()
        self._read()

    # In threads: nothing here touches a widget.

    @work(thread=True, group="read", exit_on_error=False)
    def _read(self) -> None:
        try:
            read = self.Read(self._desk.document(self._document_id))
        except (AssistantError, OSError) as error:
            read = self.Read(None, told(error))
        self.post_message(read)

    @work(thread=True, exclusive=True, group="search", exit_on_error=False)
    def _search(self, sought: str) -> None:
        worker, matches = get_current_worker(), Matches()
        text = self.document.text if self.document else ""
        for place in occurrences(text, sought, ignoring_case=True, stop=lambda: worker.is_cancelled):
            matches.add(place)
            if len(matches) > _MOST_MATCHES:
                break
        if not worker.is_cancelled:
            self.post_message(self.Searched(sought, matches))

    # What the threads say.

    @on(Read)
    def _on_read(self, message: Read) -> None:
        self._say("title", message.error and f"✗ {message.error}")
        if message.document is None:
            return
        self.document = document = message.document
        from embeddings.view import kind_of  # brings NumPy, which the first screen does without

        kind = kind_of(document.path)
        pages = f"{len(document.pages)} page{'' if len(document.pages) == 1 else 's'}" if document.pages else ""
        about = (where(document, None), kind, pages, *document.metadata.tags, document.path)
        self._say("title", document.title or document.path)
        self._say("about", WHERE_SEPARATOR.join(filter(None, about)))
        self._say("address", f"↗ {document.metadata.url}" if document.metadata.url else "")
        spans = [(span.start, span.end) for span in self._spans]
        cited = self.query_one(OptionList)
        cited.add_options(
            Option(one_line(f"[{s.number}] {document.text[s.start : min(s.end, s.start + _QUOTED)]} — {s.question}"))
            for s in self._spans
        )
        cited.set_class(not self._spans, "-empty")
        self.query_one(SourceText).show(document.text, self._current, spans, document.sections)
        if self._current in spans:
            cited.highlighted = spans.index(self._current)
        if (sought := self.query_one(Line).value).strip():
            self._search(sought)

    @on(Searched)
    def _on_searched(self, message: Searched) -> None:
        if message.sought != self.query_one(Line).value:
            return  # overtaken by another search
        self._matches = message.matches
        text = self.query_one(SourceText)
        text.mark(message.matches)
        if message.matches:
            number = bisect_right(message.matches.ends, self._from)
            self._go_to_match(number % len(message.matches))
        else:
            self._say("count", "no match")

    @on(SourceText.Moved)
    def _on_moved(self, message: SourceText.Moved) -> None:
        if (document := self.document) is None:
            return
        place = bisect_right(document.pages, message.offset, key=lambda page: page.start) - 1
        last = document.pages[-1].number if document.pages else 0
        page = f"page {document.pages[max(place, 0)].number} of {last}" if document.pages else ""
        share = f"{message.offset * 100 // max(len(document.text), 1)} %"
        # Of a fixed width, so that scrolling lays nothing out anew.
        self.query_one(".document--page", Static).update(
            WHERE_SEPARATOR.join(filter(None, (page, share))), layout=False
        )

    # What the user does.

    @on(DescendantFocus)
    def _on_seeking(self, event: DescendantFocus) -> None:
        if isinstance(event.widget, Line):
            self._from = self.query_one(SourceText).offset_in_view

    @on(Input.Changed)
    def _on_sought(self, message: Input.Changed) -> None:
        if message.value.strip():
            self._say("count", "searching…")
            self._search(message.value)
        else:
            self.workers.cancel_group(self, "search")
            self._matches = Matches()
            self.query_one(SourceText).mark(self._matches)
            self._say("count", "")

    @on(Input.Submitted)
    def _on_submitted(self) -> None:
        """Back to the text, from the field or the list."""
        self.query_one(SourceText).focus()

    @on(OptionList.OptionSelected)
    @on(OptionList.OptionHighlighted)
    def _on_span(self, message: OptionList.OptionSelected | OptionList.OptionHighlighted) -> None:
        if self.query_one(OptionList).has_focus:
            self._go_to_span(message.option_index)

    def action_back(self) -> None:
        """To the text from the field or the list, else out of the document."""
        text = self.query_one(SourceText)
        if text.has_focus:
            self.dismiss(None)
        else:
            text.focus()

    def action_search(self) -> None:
        self.query_one(Line).focus()

    def action_match(self, by: int) -> None:
        """Goes to the next or previous match, round the end of the text."""
        if self._matches:
            starts, here = self._matches.starts, self._current[0]
            after = bisect_right(starts, here)
            at_one = after > 0 and starts[after - 1] == here
            number = after if by > 0 else after - 1 - at_one
            self._go_to_match(number % len(self._matches))
        else:
            self.action_search()

    def action_cited(self, by: int) -> None:
        """Goes to the next or previous span that the conversation cites, round the end of the text."""
        if self._spans:
            chosen = self.query_one(OptionList).highlighted
            self._go_to_span((chosen + by if chosen is not None else min(by, 0)) % len(self._spans))

    def action_copy(self) -> None:
        start, end = self._current
        if self.document is None or start >= end:
            self.notify("Nothing is marked: search for words, or go to a cited place.", markup=False)
            return
        page = self.document.page_at(start)
        self.app.copy_to_clipboard(quoted(self.document.text[start:end], self.document, page))
        self.notify("The words and their reference were copied.", markup=False)

    @work(thread=True, exit_on_error=False, group="original")
    def action_original(self) -> None:
        if self.document is not None:
            try:
                open_file(self._desk.original(self.document.path))
            except (AssistantError, OSError) as error:
                self.notify(told(error), title="Original", severity="error", markup=False)

    def action_address(self) -> None:
        url = self.document.metadata.url if self.document else None
        if url:
            try:
                self.app.push_screen(LinkScreen(address(url)))
            except UsageError as error:
                self.notify(told(error), title="Web address", severity="error", markup=False)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002 - as Textual calls it
        if action == "address":
            return bool(self.document and self.document.metadata.url)
        if action == "cited":
            return bool(self._spans)
        if action == "match":
            return bool(self._matches)
        return True

    def _go_to_match(self, number: int) -> None:
        most = len(self._matches) > _MOST_MATCHES
        self._say("count", f"{number + 1:,} of {min(len(self._matches), _MOST_MATCHES):,}{'+' if most else ''}")
        self._go(self._matches[number])

    def _go_to_span(self, number: int) -> None:
        self.query_one(OptionList).highlighted = number
        self._go((self._spans[number].start, self._spans[number].end))

    def _go(self, place: Place) -> None:
        self._current = place
        self.query_one(SourceText).go(place)
        self.refresh_bindings()

    def _say(self, part: str, said: str) -> None:
        shown = self.query_one(f".document--{part}", Static)
        shown.update(one_line(said))
        shown.set_class(not said, "-empty")
