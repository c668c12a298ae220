"""Words that were written and not checked yet."""

from __future__ import annotations

import re
from typing import cast

from textual.css.styles import RulesMap
from textual.widgets import Static

from assistant.tui.plain import plain
from corpus.sanitizing import sanitize

_MOST_KEPT = 20_000
_MOST_SHOWN = 2_000
"""Characters, the last ones."""
_LAST_WORDS = 8
"""By which the end of a checked sentence is found."""
_WORD = re.compile(r"[^\W_]+")
_AFTER = re.compile(r"[^\w\s\[]*(?:\s*\[\d+\])*[\s.]*")
"""What closes a sentence: punctuation, markers, white space."""


class Draft(Static):
    """Cleaned as a whole when it is drawn, so that no sequence hides between two pieces."""

    def __init__(self) -> None:
        super().__init__(classes="answer--draft", markup=False)
        self.text = ""

    def add(self, delta: str) -> None:
        """Takes more words; they are shown when it is drawn."""
        self.text = (self.text + delta)[-_MOST_KEPT:]

    def check(self, sentence: str) -> None:
        """Takes away what was written up to the end of a sentence, however it was marked up."""
        words = _WORD.findall(sentence)[-_LAST_WORDS:]
        text = sanitize(self.text)
        if words and (found := re.search(r"[\W_]*".join(words), text)):
            closed = _AFTER.match(text, found.end())
            self.text = text[closed.end() if closed else found.end() :]

    def draw(self) -> None:
        """Shows the words as they are now."""
        shown = plain(self.text[-_MOST_SHOWN:].strip("\n"))
        width = self.size.width
        same = width and shown.get_height(cast("RulesMap", self.styles), width) == self.size.height
        self.update(shown, layout=not same)  # a layout costs as much as all that is mounted
        self.display = bool(self.text.strip())
