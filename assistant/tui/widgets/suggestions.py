"""Questions that the documents answer, on the empty screen."""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message

from assistant.tui.widgets.offer import Offer


class Suggestion(Offer):
    """One of them, asked when it is chosen."""

    @dataclass
    class Chosen(Message):
        question: str

    def __init__(self, question: str) -> None:
        super().__init__(question, lambda: self.Chosen(question), "›")
