"""One line on the index, the generator, the models and the last answer."""

from __future__ import annotations

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from assistant.tui.plain import one_line

SEPARATOR = " · "


class StatusLine(Widget):
    """What the application stands on, and what it is doing."""

    activity: reactive[str] = reactive("")
    """What is going on, in a symbol and words: "● ready"."""
    index: reactive[str] = reactive("")
    failures: reactive[int] = reactive(0)
    """Files that could not be read."""
    generator: reactive[str] = reactive("")
    seconds: reactive[float | None] = reactive(None)
    """How long the last answer took."""

    def render(self) -> Content:
        answered = "" if self.seconds is None else f"answered in {self.seconds:.1f} s"
        failures = f"⚠ {self.failures:,} not read" if self.failures else ""
        parts = (self.activity, self.index, failures, self.generator, answered)
        return Content(SEPARATOR).join(one_line(part) for part in parts if part)
