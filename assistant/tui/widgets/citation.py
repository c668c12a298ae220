"""A citation that can be focused and opened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from assistant.tui.marks import MARKS
from assistant.tui.plain import one_line

if TYPE_CHECKING:
    from assistant.types import Citation
    from corpus.types import Document

WHERE_SEPARATOR = " · "
_ROOMY = 64
"""Cells from which there is room to say how strongly it supports."""
_LEAST_TITLE = 8


def where(document: Document, page: int | None) -> str:
    """Date and page of a place in a document, as far as they are known."""
    return WHERE_SEPARATOR.join(part for part in (day(document), f"page {page}" if page else "") if part)


def day(document: Document) -> str:
    """Its date as people write it; empty where it isn't known."""
    return f"{document.date.day} {document.date:%b %Y}" if document.date else ""


class CitationChip(Widget, can_focus=True):
    """One line: number, title, date, page, and how strongly it supports; with `snippet`, how the passage begins too."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space", "open", "Open source"),
        Binding("down", "screen.next_citation", "Next citation", show=False),
        Binding("up", "screen.previous_citation", "Previous citation", show=False),
    ]

    @dataclass
    class Chosen(Message):
        """The user wants to read the source."""

        chip: CitationChip

    def __init__(self, citation: Citation, label: str, strength: str = "", snippet: bool = False) -> None:
        super().__init__(classes="-snippet" if snippet else None)
        self.citation = citation
        self.label = label
        """What the citation is worth, in a word: the verdict of its statement, or "nearest"."""
        self.strength = strength
        """How strongly it supports its statement: "word for word", "82% support"."""
        self.snippet = snippet

    @property
    def document(self) -> Document:
        assert self.citation.passage is not None  # an invented citation has no chip
        return self.citation.passage.document

    def render(self) -> Content:
        number = self.number()
        roomy = self.size.width >= _ROOMY  # the source pane tells it too
        tail = [part for part in (where(self.document, self.citation.page), self.strength if roomy else "") if part]
        tail_text = Content("").join(Content(f"{WHERE_SEPARATOR}{part}") for part in tail)
        line = number + self.title(self.size.width - number.cell_length - tail_text.cell_length) + tail_text
        if self.snippet:
            line = line + Content("\n     ") + one_line(self.citation.quote).stylize("dim")
        return line

    def number(self) -> Content:
        """The marker, told apart where it is open or has the focus."""
        mark = MARKS["open"].symbol if self.has_class("-open") else "›" if self.has_focus else " "
        return Content.styled(f"{mark}[{self.citation.number}] ", "bold")

    def title(self, room: int) -> Content:
        """The document's title, or its path, in at most `room` cells."""
        title = one_line(self.document.title or self.document.path)
        return title.truncate(min(max(room, _LEAST_TITLE), title.cell_length), ellipsis=True)

    def opened(self, is_open: bool) -> None:
        """Marks the citation whose source is on the screen."""
        self.set_class(is_open, "-open")
        self.refresh()

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def action_open(self) -> None:
        self.post_message(self.Chosen(self))

    def on_click(self) -> None:
        self.action_open()


def chips_of(citations: tuple[Citation, ...], label: str, strength: str = "") -> list[CitationChip]:
    """One for each citation of a passage that was offered."""
    return [CitationChip(citation, label, strength) for citation in citations if citation.passage is not None]
