"""The values that documents become. Every offset counts characters of `Document.text`."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Literal, Protocol, Self

BlockKind = Literal["heading", "paragraph", "item", "row"]
DateSource = Literal["metadata", "text", "name"]
Origin = Literal["web", "text", "paper"]
"""A web page; text that may be copied from one; what was written as a document or table."""


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of a file as its reader found it, before cleaning."""

    kind: BlockKind
    text: str
    level: int = 0
    """Depth of a heading, from 1; 0 for what is not a heading."""
    page: int | None = None
    """Page number, from 1; None where the format has no pages."""
    ordered: bool = False
    """Whether an item belongs to a numbered list, its number being no part of the text."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a file says of itself beside its text."""

    tags: tuple[str, ...] = ()
    audience: tuple[str, ...] = ()
    url: str | None = None
    problem: str | None = None
    """Why not all that it says is understood."""

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """The inverse of `asdict`, also of values that came through JSON."""
        return cls(**dict(values) | {name: tuple(values[name]) for name in ("tags", "audience")})


@dataclass(frozen=True, slots=True)
class Extracted:
    """What a reader gives: blocks in reading order, and what the file declares."""

    blocks: tuple[Block, ...]
    title: str | None = None
    date: date | None = None
    """The date that the file's own metadata declares."""
    created: datetime.date | None = None
    """The day a program stamped on the file; trusted less than a date in the text or the file's name."""
    metadata: Metadata = field(default_factory=Metadata)
    origin: Origin = "paper"


@dataclass(frozen=True, slots=True)
class Page:
    """A page's place in `Document.text`."""

    number: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Section:
    """A block's place in `Document.text`, after cleaning."""

    kind: BlockKind
    level: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Document:
    """A cleaned document; what is cited and shown is always a span of `text`."""

    id: str
    """SHA-256 of the file's bytes, its first 32 hexadecimal digits."""
    path: str
    """Relative to the indexed folder, with `/` between its parts."""
    title: str
    date: date | None
    date_source: DateSource | None
    text: str
    sections: tuple[Section, ...] = ()
    pages: tuple[Page, ...] = ()
    metadata: Metadata = field(default_factory=Metadata)

    def page_at(self, offset: int) -> int | None:
        """Number of the page that holds the character at `offset`; None without pages."""
        return next((p.number for p in self.pages if p.start <= offset < p.end), None)


@dataclass(frozen=True, slots=True)
class Chunk:
    """Whole sentences of one section: `document.text[start:end] == text`."""

    document_id: str
    start: int
    end: int
    text: str
    headings: tuple[str, ...] = ()
    """Headings above the chunk, outermost first."""
    page: int | None = None
    sentences: tuple[tuple[int, int], ...] = ()
    """Start and end of each sentence, in characters of `Document.text`."""

    @property
    def id(self) -> str:
        """The same for the same bytes and span, in every index."""
        return hashlib.sha256(f"{self.document_id}:{self.start}:{self.end}".encode()).hexdigest()[:24]


@dataclass(frozen=True, slots=True)
class ReadFailure:
    """A file that could not be read, to be reported to the user."""

    path: str
    reason: str
    lasting: bool = False
    """Whether the same bytes would fail again, the moment and the machine having no part in it."""


class Reader(Protocol):
    """Turns one file into blocks. Raises `corpus.errors.UnreadableFile` with a reason a user can act on."""

    def read(self, path: Path) -> Extracted: ...
