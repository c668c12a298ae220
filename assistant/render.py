"""An answer as plain text, for a terminal or a pipe. Everything has passed `sanitize`."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from assistant.types import Answer, Citation, Conflict, Passage, Refusal
from corpus.dating import in_words
from corpus.sanitizing import sanitize
from corpus.types import Document

_WIDTH = 88
_MOST_QUOTE = 320
"""Characters of a passage that is shown in part."""


def render_answer(answer: Answer, *, left_out: bool = False, verbose: bool = False) -> str:
    """The answer with its sources, or the refusal with the nearest passages; no trailing newline.

    Args:
        left_out: also the sentences that the answer doesn't show, with the reasons.
        verbose: also the confidence as a number, what made the answer, and its id.
    """
    return "\n".join(wrapped(line, indent) for line, indent in _lines(answer, left_out, verbose))


def _lines(answer: Answer, left_out: bool, verbose: bool) -> Iterator[tuple[str, int]]:
    if answer.standalone_question != answer.question:
        yield f"(asked as: {answer.standalone_question})", 0
        yield "", 0
    if answer.refusal is not None:
        yield from _refusal(answer.refusal)
    else:
        for statement in answer.shown:
            yield f"{statement.text} {statement.markers}", 0
        for conflict in answer.conflicts:
            yield "", 0
            yield from _conflict(conflict)
        yield "", 0
        yield "Sources:", 0
        for citation in _sources(answer):
            if citation.passage is not None:
                yield f"[{citation.number}] {place(citation.passage.document, citation.page)}", 0
                yield f"“{citation.quote}” (characters {citation.start}–{citation.end})", 4
    if answer.notes or verbose or (answer.confidence is not None and not answer.refused):
        yield "", 0
    for note in answer.notes:
        yield f"Note: {note}", 0
    if answer.confidence is not None and (verbose or not answer.refused):
        from assistant.confidence import confidence_word  # deferred: it brings NumPy

        number = f" ({answer.confidence:.2f})" if verbose else ""
        yield f"Confidence: {confidence_word(answer.confidence)}{number}", 0
    if verbose:
        yield f"Made by {answer.generator} from generation {answer.snapshot.generation} of the index; id {answer.id}", 0
    if left_out:
        yield "", 0
        yield from _left_out(answer)


def _refusal(refusal: Refusal) -> Iterator[tuple[str, int]]:
    plain = refusal.choices or refusal.reason == "out_of_scope"
    yield refusal.explanation if plain else f"No answer: {refusal.explanation}", 0
    if refusal.choices and "?" not in refusal.explanation:
        yield "Which do you mean?", 0
    for number, choice in enumerate(refusal.choices, 1):
        yield f"{number}. {choice}", 2
    if refusal.nearest:
        yield "", 0
        yield "Nearest passages:", 0
    for passage in refusal.nearest:
        yield f"[{passage.number}] {place(passage.document, passage.chunk.page)}", 0
        yield _shortened(passage), 4


def _conflict(conflict: Conflict) -> Iterator[tuple[str, int]]:
    yield conflict.explanation, 0
    for value in conflict.values:
        cited = {c.number: c.passage.document for c in value.citations if c.passage is not None}
        sources = ", ".join(f"{document.title} [{number}]" for number, document in cited.items())
        day = in_words(value.date) if value.date else "no date"
        yield f"- {value.text}: {sources}, {day}{' (newest)' if value.newest else ''}", 2


def _left_out(answer: Answer) -> Iterator[tuple[str, int]]:
    yield "Left out:" if answer.left_out else "Nothing was left out.", 0
    for statement in answer.left_out:
        yield f"- {statement.text}", 2
        yield statement.reason or statement.verdict, 4


def _sources(answer: Answer) -> list[Citation]:
    parts = [s.citations for s in answer.shown] + [c.citations for c in answer.conflicts]
    parts += [value.citations for conflict in answer.conflicts for value in conflict.values]
    spans = {(c.number, c.start, c.end): c for citations in parts for c in citations if c.passage is not None}
    return [spans[key] for key in sorted(spans)]


def place(document: Document, page: int | None) -> str:
    """Title, path, date and page, as far as they are known."""
    parts = [document.title, document.path]
    if document.date:
        parts.append(in_words(document.date))
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
