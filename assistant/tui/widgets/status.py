"""One line on the index, the generator, the models and the last answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from assistant.tui.plain import one_line

if TYPE_CHECKING:
    from assistant.types import Answer

SEPARATOR = " · "


def sureness(answer: Answer) -> str:
    """The confidence of an answer as a word; empty for a refusal."""
    from assistant.confidence import confidence_word  # brings NumPy, which the first screen does without

    if answer.confidence is None or answer.refused:
        return ""
    return f"{confidence_word(answer.confidence)} confidence"


def spent(answer: Answer) -> str:
    """The tokens that a model read and wrote for an answer; empty where none did."""
    return "" if answer.tokens is None else f"{answer.tokens.read + answer.tokens.written:,} tokens"


class StatusLine(Widget):
    """What the application stands on, and what it is doing."""

    activity: reactive[str] = reactive("")
    """What is going on, in a symbol and words: "● ready"."""
    indexing: reactive[str] = reactive("")
    """How far a run beside the questions is."""
    index: reactive[str] = reactive("")
    failures: reactive[int] = reactive(0)
    """Files that could not be read."""
    generator: reactive[str] = reactive("")
    strictness: reactive[str] = reactive("normal")
    """Shown where it isn't normal."""
    seconds: reactive[float | None] = reactive(None)
    """How long the last answer took."""
    confidence: reactive[str] = reactive("")
    tokens: reactive[str] = reactive("")
    """Of the last answer."""

    def answered(self, answer: Answer, seconds: float) -> None:
        """Tells time, confidence and tokens of the last answer."""
        self.seconds, self.confidence, self.tokens = seconds, sureness(answer), spent(answer)

    def render(self) -> Content:
        parts = (
            self.activity,
            self.indexing,
            self.index,
            f"⚠ {self.failures:,} not read" if self.failures else "",
            self.generator,
            "" if self.strictness == "normal" else self.strictness,
            "" if self.seconds is None else f"{self.seconds:.1f} s",
            self.confidence,
            self.tokens,
        )
        return Content(SEPARATOR).join(one_line(part) for part in parts if part)
