"""A document as a web page, with what an answer cites highlighted. Nothing of the document is in force there."""

from __future__ import annotations

import base64
import hashlib
import html
import itertools
from collections.abc import Iterator

from corpus.dating import in_words
from corpus.sanitizing import sanitize
from corpus.types import Document

FRAGMENT = "cited"
"""Where the highlighted span begins."""
_STYLE = (
    ":root{color-scheme:light dark}body{font:1rem/1.6 system-ui,sans-serif;max-width:46rem;margin:2rem auto;"
    "padding:0 1rem;overflow-wrap:anywhere}header{border-bottom:1px solid;margin-bottom:1.5rem}"
    "h1{font-size:1.4rem;margin-bottom:.2rem}main{white-space:pre-wrap}small{opacity:.75}"
    "main small{display:block;border-top:1px dashed;margin:1rem 0}"
    "mark{background:#ffe27a;color:#111;padding:.1em 0;scroll-margin-top:30vh}"
)
_STYLED = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
HEADERS = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLED}'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
}


def page(document: Document, start: int, end: int) -> str:
    """The whole text; the characters from `start` to `end` are marked, and the fragment leads to them."""
    title = _escaped(document.title)
    facts = [document.path]
    if document.date is not None:
        facts.append(in_words(document.date))
    if document.pages:
        number = document.page_at(start) if end > start else None
        facts.append(f"page {number} of {len(document.pages)}" if number else f"{len(document.pages)} pages")
    return (
        '<!DOCTYPE html>\n<html>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n"
        f"<header><h1>{title}</h1><p><small>{_escaped(', '.join(facts))}</small></p></header>\n"
        f"<main>{''.join(_pieces(document, start, end))}</main>\n</html>\n"
    )


def _pieces(document: Document, start: int, end: int) -> Iterator[str]:
    """The text, cut where a page or a heading begins or ends, or the span does."""
    pages = {page.start: page.number for page in document.pages}
    headings = {section.start: section.end for section in document.sections if section.kind == "heading"}
    cuts = sorted({0, len(document.text), start, end, *pages, *headings, *headings.values()})
    named, bold = False, 0
    for first, last in itertools.pairwise(cuts):
        if first in pages:
            yield f"<small>Page {pages[first]}</small>"
        piece = _escaped(document.text[first:last])
        bold = headings.get(first, bold)
        if first < bold:
            piece = f"<b>{piece}</b>"
        if start <= first < end:
            piece = f"<mark>{piece}</mark>" if named else f'<mark id="{FRAGMENT}">{piece}</mark>'
            named = True
        yield piece


def _escaped(text: str) -> str:
    return html.escape(sanitize(text))
