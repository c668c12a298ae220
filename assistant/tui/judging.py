"""Saying whether an answer is right."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Input, OptionList

from assistant.records.feedback import MOST_REASON_CHARACTERS
from assistant.tui.choice import Offers
from assistant.tui.dialog import Dialog
from assistant.tui.prompt import Line
from assistant.tui.widgets.citation import WHERE_SEPARATOR, where

if TYPE_CHECKING:
    from assistant.records.feedback import Judgement
    from assistant.types import Answer, Citation

_MOST_QUOTE_CHARACTERS = 160


@dataclass(frozen=True, slots=True)
class Judged:
    """What the user holds of an answer."""

    judgement: Judgement
    reason: str
    """Cleaned; empty where none was given."""
    citation: Citation | None
    """The wrong one, where the judgement is of a citation."""


class JudgeScreen(Dialog[Judged]):
    """Up and down choose the judgement, the line takes a reason, Enter saves both."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", "Up", show=False),
        Binding("down", "move(1)", "Down", show=False),
    ]

    def __init__(self, answer: Answer, citation: Citation | None = None, judgement: Judgement | None = None) -> None:
        about = f"{answer.question}\n↑ and ↓ choose; type a reason if you like; Enter keeps both."
        super().__init__("Is this answer right?", about)
        cited = [c for statement in answer.shown for c in statement.citations if c.passage is not None]
        spans = {(c.number, c.start, c.end): c for c in (*cited, *((citation,) if citation else ()))}
        refused = answer.refused
        self._offers: list[tuple[Judgement, Citation | None, str, str]] = [
            ("right", None, "+ right", "the documents don't hold it" if refused else "it says what the documents say"),
            ("wrong", None, "− wrong", "the documents hold it" if refused else "or it misses what they say"),
            *(("citation", c, *_line(c)) for c in spans.values()),
        ]
        wanted = "citation" if citation else judgement or "right"
        span = citation and (citation.number, citation.start, citation.end)
        self._meant = next(
            place
            for place, (kind, c, *_) in enumerate(self._offers)
            if kind == wanted and (span is None or (c and (c.number, c.start, c.end)) == span)
        )

    def body(self) -> Iterable[Widget]:
        yield Line(placeholder="Why? (optional)", limit=MOST_REASON_CHARACTERS)
        offers = Offers([(name, about) for _, _, name, about in self._offers], self._meant)
        offers.can_focus = False
        yield offers

    def action_move(self, by: int) -> None:
        """Means the next or previous judgement."""
        offers = self.query_one(Offers)
        offers.highlighted = min(max((offers.highlighted or 0) + by, 0), len(self._offers) - 1)

    @on(OptionList.OptionSelected)
    def _on_selected(self) -> None:
        self.query_one(Line).focus()

    @on(Input.Submitted)
    def _on_submitted(self) -> None:
        """Gives the judgement that is meant, with its reason."""
        kind, citation, *_ = self._offers[self.query_one(Offers).highlighted or 0]
        self.dismiss(Judged(kind, self.query_one(Line).value.strip(), citation))


def _line(citation: Citation) -> tuple[str, str]:
    assert citation.passage is not None  # an invented citation is never shown
    document = citation.passage.document
    place = WHERE_SEPARATOR.join(filter(None, (document.title or document.path, where(document, citation.page))))
    return f"✗ citation [{citation.number}] is wrong: {place}", f"“{citation.quote[:_MOST_QUOTE_CHARACTERS]}”"
