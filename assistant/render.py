"""An answer as plain text, for a terminal or a pipe. Everything has passed `sanitize`."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from assistant.types import Answer, Citation, Passage
from corpus.sanitizing import sanitize
from corpus.types import Document

_WIDTH = 88
_MOST_QUOTE = 320
"""Characters of a passage that is shown in part."""


def render_answer(answer: Answer) -> str:
    """The answer with its sources, or the refusal with the nearest passages; no trailing newline."""
    return "\n".join(wrapped(line, indent) for line, indent in _lines(answer))


def _lines(answer: Answer) -> Iterator[tuple[str, int]]:
    if answer.standalone_question != answer.question:
        yield f"(asked as: {answer.standalone_question})", 0
        yield "", 0
    if answer.refusal is not None:
        yield f"No answer: {answer.refusal.explanation}", 0
        if answer.refusal.nearest:
            yield "", 0
            yield "Nearest passages:", 0
        for passage in answer.refusal.nearest:
            yield f"[{passage.number}] {place(passage.document, passage.chunk.page)}", 0
            yield _shortened(passage), 4
        return
    for statement in answer.shown:
        yield f"{statement.text} {statement.markers}", 0
    yield "", 0
    yield "Sources:", 0
    for citation in _sources(answer):
        if citation.passage is not None:
            yield f"[{citation.number}] {place(citation.passage.document, citation.page)}", 0
            yield f"“{citation.quote}” (characters {citation.start}–{citation.end})", 4


def _sources(answer: Answer) -> list[Citation]:
    spans = {(c.number, c.start, c.end): c for s in answer.shown for c in s.citations if c.passage is not None}
    return [spans[key] for key in sorted(spans)]


def place(document: Document, page: int | None) -> str:
    """Title, path, date and page, as far as they are known."""
    parts = [document.title, document.path]
    if document.date:
        parts.append(f"{document.date.day} {document.date:%B %Y}")
    if page is not None:
        parts.append(f"page {page}")
    return ", ".join(dict.fromkeys(parts))


def _shortened(passage: Passage) -> str:
    text = " ".join(passage.chunk.text.split())
    return text if len(text) <= _MOST_QUOTE else text[:_MOST_QUOTE].rsplit(" ", 1)[0] + " …"


def wrapped(line: str, indent: int) -> str:
    """Sanitised, on lines of at most 88 characters."""
    pad = " " * indent
    return textwrap.fill(
        " ".join(sanitize(line).split()), _WIDTH, initial_indent=pad, subsequent_indent=pad, break_on_hyphens=False
    )
