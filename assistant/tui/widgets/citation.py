"""A citation that can be focused and opened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from assistant.tui.plain import one_line

if TYPE_CHECKING:
    from assistant.types import Citation
    from corpus.types import Document

WHERE_SEPARATOR = " · "


def where(document: Document, page: int | None) -> str:
    """Date and page of a place in a document, as far as they are known."""
    date = f"{document.date.day} {document.date:%b %Y}" if document.date else ""
    return WHERE_SEPARATOR.join(part for part in (date, f"page {page}" if page else "") if part)


class CitationChip(Widget, can_focus=True):
    """One line: number, title, date and page; with `snippet`, the beginning of the passage too."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space", "open", "Open source"),
        Binding("down", "app.next_citation", "Next citation", show=False),
        Binding("up", "app.previous_citation", "Previous citation", show=False),
    ]

    @dataclass
    class Chosen(Message):
        """The user wants to read the source."""

        chip: CitationChip

    def __init__(self, citation: Citation, label: str, snippet: bool = False) -> None:
        super().__init__()
        self.citation = citation
        self.label = label
        """What the citation is worth, in a word: the verdict of its statement, or "nearest"."""
        self.snippet = snippet

    @property
    def document(self) -> Document:
        assert self.citation.passage is not None  # an invented citation has no chip
        return self.citation.passage.document

    def render(self) -> Content:
        mark = "▸" if self.has_class("-open") else " "
        number = Content.styled(f"{mark}[{self.citation.number}]", "bold")
        place = where(self.document, self.citation.page)
        tail = Content(f"{WHERE_SEPARATOR}{place}") if place else Content("")
        room = max(self.size.width - number.cell_length - tail.cell_length - 1, 8)
        title = one_line(self.document.title or self.document.path)
        line = number + Content(" ") + title.truncate(min(room, title.cell_length), ellipsis=True) + tail
        if self.snippet:
            line = line + Content("\n     ") + one_line(self.citation.quote).stylize("dim")
        return line

    def opened(self, is_open: bool) -> None:
        """Marks the citation whose source is on the screen."""
        self.set_class(is_open, "-open")
        self.refresh()

    def action_open(self) -> None:
        self.post_message(self.Chosen(self))

    def on_click(self) -> None:
        self.action_open()
