"""The one door for outside text: whatever a document, a model or a user wrote is shown through here."""

from __future__ import annotations

from textual.content import Content

from corpus.sanitizing import sanitize


def plain(text: str) -> Content:
    """Cleaned text with no markup in force, its lines as they stand."""
    return Content(sanitize(text))


def one_line(text: str) -> Content:
    """As `plain`, with every run of white space made one space."""
    return Content(" ".join(sanitize(text).split()))
