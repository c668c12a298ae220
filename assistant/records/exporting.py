"""A conversation as a file to read or to send: Markdown, HTML or JSON, with all that its answers cite."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, Literal

from assistant.confidence import confidence_word
from assistant.records.answers import answer_of
from assistant.records.history import Record
from assistant.render import place
from assistant.types import Answer, Citation, Passage, Statement
from corpus.dating import in_words
from corpus.errors import UsageError
from corpus.files import write_file as write_export
from corpus.sanitizing import sanitize
from corpus.types import Document

__all__ = ["FORMATS", "Format", "export", "write_export"]

Format = Literal["markdown", "html", "json"]
FORMATS: tuple[Format, ...] = ("markdown", "html", "json")
_Kind = Literal["title", "question", "heading", "text", "note", "item", "quote"]
_Block = tuple[_Kind, str]
_MARKDOWN: dict[_Kind, str] = {
    "title": "# ", "question": "## ", "heading": "### ", "text": "", "note": "", "item": "- ", "quote": "> "
}  # fmt: skip
_HTML: dict[_Kind, str] = {
    "title": "h1", "question": "h2", "heading": "h3", "text": "p", "note": "small", "item": "p", "quote": "blockquote"
}  # fmt: skip
_ACTIVE = re.compile(r"[\\`*_\[\]<>#|~&$@]|:(?=//)|(?<=mailto):|(?<=xmpp):|(?<=www)\.|^[-+=]", re.I)
_NUMBERED = re.compile(r"^(\d+)(?=[.)])")
"""What a Markdown renderer may take for markup, or for an address to link to; a backslash takes its force away."""
_STYLE = (
    ":root{color-scheme:light dark}body{font:1rem/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;"
    "padding:0 1rem;overflow-wrap:anywhere}h2{margin-top:3rem;border-top:1px solid;padding-top:1rem}"
    "h3{font-size:1rem;margin-bottom:0}small{display:block;opacity:.75}"
    "blockquote{white-space:pre-wrap;border-left:3px solid;margin:.3rem 0 1rem 1rem;padding-left:1rem}"
)
_STYLED = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_HEAD = f"""<!DOCTYPE html>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-{_STYLED}'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<style>{_STYLE}</style>
"""


def export(title: str, records: Sequence[Record], form: Format) -> str:
    """Questions and answers in order, each with its verdicts and, of every citation, document, span, page and quote.

    Nothing in it is in force: no markup, link or control sequence of a document, a model or a question; a page of HTML
    has no script and loads nothing.

    Raises:
        UsageError: an unknown format.
        UnavailableError: an answer is damaged.
    """
    if form not in FORMATS:
        raise UsageError(f"unknown format {form!r}; known are {', '.join(FORMATS)}")
    if form == "json":
        values = {"title": title, "questions": [_values(record) for record in records]}
        return json.dumps(_cleaned(values), ensure_ascii=False, indent=2) + "\n"
    blocks = [("title", title), *(block for record in records for block in _blocks(record))]
    if form == "html":
        lines = (f"<{_HTML[kind]}>{html.escape(sanitize(text))}</{_HTML[kind]}>\n" for kind, text in blocks)
        return f"{_HEAD}<title>{html.escape(_line(title))}</title>\n{''.join(lines)}"
    return "\n\n".join(_MARKDOWN[kind] + _inert(_line(text)) for kind, text in blocks) + "\n"


def _inert(line: str) -> str:
    return _NUMBERED.sub(r"\1\\", _ACTIVE.sub(r"\\\g<0>", line))


def _values(record: Record) -> dict[str, Any]:
    return {"question": record.question, "asked": record.asked.isoformat(), "answer": record.answer}


def _cleaned(value: Any) -> Any:
    """Every text in it passed through `sanitize`, which leaves that of documents as it is."""
    match value:
        case str():
            return sanitize(value)
        case list():
            return [_cleaned(one) for one in value]
        case dict():
            return {_cleaned(name): _cleaned(one) for name, one in value.items()}
    return value


def _line(text: str) -> str:
    return " ".join(sanitize(text).split())


def _blocks(record: Record) -> Iterator[_Block]:
    answer, asked = answer_of(record.answer), record.asked.astimezone()
    yield "question", record.question
    yield "note", f"Asked on {in_words(asked)} at {asked:%H:%M}, answered by {answer.generator}; id {answer.id}"
    if answer.standalone_question != answer.question:
        yield "note", f"Asked as: {answer.standalone_question}"
    if answer.refusal is not None:
        yield "text", f"No answer: {answer.refusal.explanation}"
        yield from (("item", choice) for choice in answer.refusal.choices)
    else:
        yield from (("text", _stated(statement)) for statement in answer.shown)
    yield from (("note", f"Note: {note}") for note in answer.notes)
    if answer.confidence is not None and not answer.refused:
        yield "note", f"Confidence: {confidence_word(answer.confidence)}"
    for conflict in answer.conflicts:
        yield "heading", "Sources differ"
        yield "text", conflict.explanation
        for value in conflict.values:
            day = value.date.isoformat() if value.date else "no date"
            yield "item", f"{value.text} {value.markers}, {day}{' (newest)' if value.newest else ''}"
    yield from _sources(answer)
    if answer.refusal is not None and answer.refusal.nearest:
        yield "heading", "Nearest passages"
        for passage in answer.refusal.nearest:
            yield "item", _passage(passage)
            yield "quote", passage.chunk.text
    if answer.left_out:
        yield "heading", "Left out"
        for statement in answer.left_out:
            yield "item", f"{_stated(statement)}: {statement.reason or 'not shown'}"


def _stated(statement: Statement) -> str:
    return f"{statement.text} {statement.markers} ({statement.verdict})".replace("  ", " ")


def _sources(answer: Answer) -> Iterator[_Block]:
    """Every span that is cited, those of sentences that were left out too."""
    parts: list[tuple[Citation, ...]] = [statement.citations for statement in answer.statements]
    parts += [conflict.citations for conflict in answer.conflicts]
    parts += [value.citations for conflict in answer.conflicts for value in conflict.values]
    spans = {(c.number, c.start, c.end): c for citations in parts for c in citations if c.passage is not None}
    if spans:
        yield "heading", "Sources"
    for _, citation in sorted(spans.items()):
        if citation.passage is not None:
            document = citation.passage.document
            yield "item", f"[{citation.number}] {_place(document, citation.page, citation.start, citation.end)}"
            yield "quote", citation.quote


def _passage(passage: Passage) -> str:
    return f"[{passage.number}] {_place(passage.document, passage.chunk.page, passage.chunk.start, passage.chunk.end)}"


def _place(document: Document, page: int | None, start: int, end: int) -> str:
    return f"{place(document, page)}, characters {start}–{end}, document {document.id}"
