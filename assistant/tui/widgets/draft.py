"""Words that were written and not checked yet."""

from __future__ import annotations

import re

from textual.widgets import Static

from assistant.tui.plain import plain
from corpus.sanitizing import sanitize

_MOST_KEPT = 20_000
_LEAST_SHOWN = 40
"""Characters, the last ones, before it is known how many there is room for."""
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
        """Shows the last of the words, in lines that stay as many: a layout costs as much as all that is mounted."""
        room = max((self.size.height or 1) * self.size.width - self.size.width // 2, _LEAST_SHOWN)
        self.update(plain(self.text[-room:].replace("\n", " ").strip()), layout=False)
        self.display = bool(self.text.strip()) or self.display
