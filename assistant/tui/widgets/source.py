"""The document behind a citation, its cited span marked and in view."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Static
from textual.worker import get_current_worker

from assistant.tui.errors import told
from assistant.tui.plain import one_line
from assistant.tui.widgets.citation import WHERE_SEPARATOR, CitationChip, where
from assistant.tui.widgets.text import SourceText
from corpus.errors import AssistantError

if TYPE_CHECKING:
    from assistant.audit.citations import Standing
    from assistant.types import Citation
    from corpus.types import Document

_KEPT = 4
"""Documents that are kept, to go back and forth between their citations without reading them again."""
_LOW, _FLAT = 10, 4
"""Lines below which the pane leaves all but title and text away, and the title too."""
_NOTICES = {
    "intact": "",
    "moved": "⚠ This document has changed since the answer was given: the words below are where they stand now.",
    "changed": "⚠ This document has changed since the answer was given and no longer holds these words; "
    "they were: “{}”",
    "gone": "⚠ This document is no longer indexed; the words were:",
}


class SourcePane(Vertical):
    """Title, place and text of the opened source; hidden while there is none."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "screen.next_citation", "Next citation", show=False),
        Binding("p", "screen.previous_citation", "Previous citation", show=False),
        Binding("w", "screen.whole_document", "Whole", tooltip="Whole document, with search"),
        Binding("o", "screen.original", "Original", tooltip="Open the file itself in the system's program"),
        Binding("c", "screen.copy_quote", "Copy", tooltip="Copy the quote with its reference"),
        Binding("x", "screen.citation_wrong", "Wrong", tooltip="Say that this citation is wrong"),
        Binding("+", "screen.judge_right", "Right answer", show=False),
        Binding("-", "screen.judge_wrong", "Wrong answer", show=False),
    ]

    chip: CitationChip | None = None
    """The citation that is shown."""
    standing: Standing | None = None
    """What has become of it; None until that is known."""
    load: Callable[[Citation], Standing] | None = None
    """Looks up a citation whose document's text the chip doesn't have; runs in a thread."""

    class Found(Message, bubble=False):
        """A source was looked up, or could not be."""

        def __init__(self, chip: CitationChip, standing: Standing | None, error: str = "") -> None:
            super().__init__()
            self.chip = chip
            self.standing = standing
            self.error = error

    def __init__(self) -> None:
        super().__init__()
        self._read: dict[str, Document] = {}
        """The documents read last, by id."""
        self._place = ""

    def compose(self) -> ComposeResult:
        yield Static(classes="source--title", markup=False)
        yield Static(classes="source--place", markup=False)
        yield Static(classes="source--notice", markup=False)
        yield SourceText()

    def open(self, chip: CitationChip, place: str = "") -> None:
        """Shows the document of a citation; what must be read first is read in a thread.

        Args:
            place: of the citation among those of its answer: "2 of 5".
        """
        self.close()
        self.chip, self._place = chip, place
        chip.opened(True)
        self.display = True
        self._head(chip, chip.document, chip.citation.page)
        if known := self._known(chip.citation):
            self._show(chip, known)
        else:
            self._say("Opening…")
            self.query_one(SourceText).show("")
            self._look_up(chip)

    def close(self) -> None:
        """Hides the pane."""
        if self.chip is not None:
            self.chip.opened(False)
        self.chip = self.standing = None
        self.display = False

    def forget(self) -> None:
        """Reads documents anew from now on, as when the index has changed."""
        self._read.clear()

    def on_resize(self) -> None:
        height = self.outer_size.height
        self.set_class(height < _LOW, "-low")
        self.set_class(height < _FLAT, "-flat")

    def _known(self, citation: Citation) -> Standing | None:
        from assistant.audit.citations import Standing  # brings NumPy, which the first screen does without

        assert citation.passage is not None  # as in CitationChip
        document = citation.passage.document
        for known in (document, self._read.get(document.id)):
            if known is not None and known.text[citation.start : citation.end] == citation.quote:
                return Standing("intact", known, citation.start, citation.end)
        return Standing("gone", None) if self.load is None else None

    @work(thread=True, exclusive=True, group="source", exit_on_error=False)
    def _look_up(self, chip: CitationChip) -> None:
        worker, load = get_current_worker(), self.load
        assert load is not None  # as `_known` found
        try:
            found = self.Found(chip, load(chip.citation))
        except (AssistantError, OSError) as error:
            found = self.Found(chip, None, told(error))
        if not worker.is_cancelled:
            self.post_message(found)

    @on(Found)
    def _on_found(self, message: Found) -> None:
        if message.standing is not None and (document := message.standing.document) is not None:
            self._read[document.id] = document
            while len(self._read) > _KEPT:
                del self._read[next(iter(self._read))]
        if message.chip is not self.chip:
            return  # overtaken by another citation
        if message.standing is not None:
            self._show(message.chip, message.standing)
        else:
            quote = message.chip.citation.quote
            self._say(f"✗ {message.error}")
            self.query_one(SourceText).show(quote, (0, len(quote)))

    def _head(self, chip: CitationChip, document: Document, page: int | None) -> None:
        self.query_one(".source--title", Static).update(one_line(document.title or document.path))
        parts = (f"[{chip.citation.number}] {chip.label}", self._place, where(document, page), document.path)
        self.query_one(".source--place", Static).update(one_line(WHERE_SEPARATOR.join(filter(None, parts))))

    def _say(self, notice: str) -> None:
        line = self.query_one(".source--notice", Static)
        line.update(one_line(notice))
        line.display = bool(notice)

    def _show(self, chip: CitationChip, standing: Standing) -> None:
        self.standing = standing
        citation, document, text = chip.citation, standing.document, self.query_one(SourceText)
        self._say(_NOTICES[standing.state].format(citation.quote))
        if document is None:
            text.show(citation.quote, (0, len(citation.quote)))
        elif standing.state == "changed":  # where the words once were
            text.show(document.text, (citation.start, citation.start), sections=document.sections)
        else:
            self._head(chip, document, document.page_at(standing.start))
            text.show(document.text, (standing.start, standing.end), sections=document.sections)
