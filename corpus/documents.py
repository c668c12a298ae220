"""Cleaned blocks put together into a document, whose text never changes again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from corpus.cleaning import clean
from corpus.dating import document_date
from corpus.errors import UnreadableFile
from corpus.sanitizing import sanitize
from corpus.types import Block, Document, Extracted, Page, Section

MAX_TEXT = 10_000_000
"""Characters of a document."""
MAX_TITLE = 200

# Names the kind of paper, not what is in it.
_KIND_OF_PAPER = re.compile(
    r"(?:(?:press|news|media|public|official) (?:release|notice|statement)|for (?:immediate|general) release|"
    r"agenda|minutes|report|"
    r"notice|memo(?:randum)?|briefing|statement|newsletter|draft|confidential|embargo.{0,40})\W*",
    re.IGNORECASE,
)
_SUBJECT = re.compile(r"^Subject: (?:(?:re|fwd?): )*(.{3,150})$", re.IGNORECASE | re.MULTILINE)
_CLOSED = re.compile(r"[.!?:;…][\"'”’)\]]*$")


def build_document(extracted: Extracted, path: str, digest: str) -> Document:
    """The document of a file's blocks, cleaned; `digest` is the SHA-256 of its bytes in hexadecimal."""
    if (size := sum(len(block.text) for block in extracted.blocks)) > MAX_TEXT:
        raise UnreadableFile(f"holds {size:,} characters of text, more than {MAX_TEXT:,}; split it")
    blocks = clean(extracted.blocks, extracted.origin)
    if not any(character.isalnum() for block in blocks for character in block.text):
        raise UnreadableFile("holds no text")
    text, sections, pages = _assembled(blocks)
    found, source = document_date(extracted, blocks, path)
    metadata = extracted.metadata
    return Document(
        id=digest[:32],
        path=path,
        title=_title(extracted.title, blocks, path),
        date=found,
        date_source=source,
        text=text,
        sections=sections,
        pages=pages,
        metadata=replace(
            metadata,
            tags=tuple(_line(tag) for tag in metadata.tags),
            audience=tuple(_line(group) for group in metadata.audience),
            url=_line(metadata.url) if metadata.url else None,
        ),
    )


def _assembled(blocks: Sequence[Block]) -> tuple[str, tuple[Section, ...], tuple[Page, ...]]:
    parts: list[str] = []
    sections: list[Section] = []
    starts: list[tuple[int, int]] = []
    offset = 0
    above: Block | None = None
    for block in blocks:
        separator = _separator(above, block)
        parts += [separator, block.text]
        start = offset + len(separator)
        offset = start + len(block.text)
        if block.page is not None and (not starts or starts[-1][0] != block.page):
            starts.append((block.page, start))
        if separator == " ":
            sections[-1] = replace(sections[-1], end=offset)
        else:
            sections.append(Section(block.kind, block.level, start, offset))
        above = block
    ends = [start for _, start in starts[1:]] + [offset]
    pages = tuple(Page(number, start, end) for (number, start), end in zip(starts, ends, strict=False))
    return "".join(parts), tuple(sections), pages


def _separator(above: Block | None, below: Block) -> str:
    """A space where a paragraph goes on overleaf; list items and rows follow each other without a gap."""
    if above is None:
        return ""
    overleaf = above.page != below.page and below.kind == "paragraph" and above.kind in ("paragraph", "item")
    if overleaf and below.text[0].islower() and not _CLOSED.search(above.text):
        return " "
    return "\n" if above.kind == below.kind and below.kind in ("item", "row") else "\n\n"


def _title(declared: str | None, blocks: Sequence[Block], path: str) -> str:
    """What the file declares, else its subject, its first heading, its first line when short, its name."""
    name = re.sub(r"[-_\s]+", " ", path.rsplit("/", 1)[-1].rsplit(".", 1)[0]).strip()
    top = [b for b in blocks[:8] if not _KIND_OF_PAPER.fullmatch(b.text)]
    subjects = (match.group(1) for b in top if (match := _SUBJECT.search(b.text)))
    headings = (b.text for b in top if b.kind == "heading")
    shorts = (b.text for b in top[:1] if b.kind == "paragraph" and len(b.text) <= 120 and not _CLOSED.search(b.text))
    candidates = [declared or "", *subjects, *headings, *(text for text in shorts if "\n" not in text)]
    return next(filter(None, map(_line, candidates)), "") or _line(name[:1].upper() + name[1:]) or path


def _line(text: str) -> str:
    return " ".join(sanitize(text.replace("\n", " – ")).split())[:MAX_TITLE]
