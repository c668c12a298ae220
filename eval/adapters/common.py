"""What the adapters have in common: names that are safe as files, and collections of documents."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from corpus.errors import UsageError
from eval.rows import Files, Row
from eval.types import Case, Evidence, Source

SUFFIX = ".txt"
MOST_CHARACTERS = 40
"""Of an id that is kept where it has to be shortened: under 255 bytes in any script with what is added."""
# Whatever is part of a path, of a shell pattern, or can't be seen. No dot at the start: such files are passed over.
_UNSAFE = re.compile(r"[^\w<>():;+=,@&%#!$~' .-]|^\.|^ | $")


@dataclass(frozen=True, slots=True)
class Read:
    """What an adapter found."""

    cases: list[Case]
    documents: Iterable[Source] = ()
    task: Literal["answer", "search"] = "answer"


@dataclass(frozen=True, slots=True)
class Adapter:
    """How a public set is recognised and read."""

    read: Callable[[Path, Files], Read]
    keys: frozenset[str] = frozenset()
    """Fields of its rows; empty where it is told by the files of its folder."""
    fits: Callable[[Path], bool] = field(default=lambda _: False)


def safe_id(identifier: str) -> str:
    """The id itself where a file can have it as a name; else what is safe of it with a digest, so that it is unique."""
    kept = _UNSAFE.sub("_", identifier)
    if kept == identifier and len(identifier.encode()) <= 200:
        return identifier
    return f"{kept[:MOST_CHARACTERS]}-{hashlib.sha256(identifier.encode()).hexdigest()[:16]}"


def file_name(identifier: str) -> str:
    """The file that holds a document of a set."""
    return safe_id(identifier) + SUFFIX


class Documents:
    """Documents of a set by id. What stands twice in the same words is one document, as it is in an index."""

    def __init__(self) -> None:
        self._by_content: dict[tuple[str, str], Source] = {}
        self._ids: set[str] = set()

    def add(self, identifier: str, title: str, text: str) -> Source:
        """The document with this title and text: a new one, or the one that was there first."""
        if (known := self._by_content.get((title, text))) is not None:
            return known
        name = safe_id(identifier)
        if name in self._ids:  # of another text
            name = safe_id(f"{identifier}/{len(self._ids)}")
        self._ids.add(name)
        return self._by_content.setdefault((title, text), Source(name, title, text))

    @property
    def sources(self) -> list[Source]:
        return list(self._by_content.values())


def passages(rows: Iterable[Row]) -> list[Source]:
    """A corpus in BEIR's form: `_id`, `title`, `text`; passages without text are left out."""
    found: dict[str, Source] = {}
    for row in rows:
        source = Source(safe_id(row.text("_id")), row.text("title", "").strip(), row.text("text"))
        if found.setdefault(source.id, source) is not source:
            raise row.refused(f"the id {source.id!r} stands twice in this file; give each passage its own")
    return [s for s in found.values() if s.title or s.text.strip()]


def whole(identifiers: Iterable[str]) -> tuple[Evidence, ...]:
    """Evidence that names passages, without a quote."""
    return tuple(Evidence(file_name(i), passage=safe_id(i)) for i in identifiers)


def spans(source: Source, places: Iterable[tuple[int, int]]) -> tuple[Evidence, ...]:
    """Evidence for spans of a document's text, in characters, without the white space at their ends."""
    found = []
    for start, end in places:
        text = source.text[start:end]
        start += len(text) - len(text.lstrip())
        if quote := text.strip():
            found.append(Evidence(source.id + SUFFIX, quote, source.id, start, start + len(quote)))
    return tuple(found)


def joined(parts: Sequence[str], separator: str) -> tuple[str, list[tuple[int, int]]]:
    """One text of several, and the span of each."""
    places, offset = [], 0
    for part in parts:
        places.append((offset, offset + len(part)))
        offset += len(part) + len(separator)
    return separator.join(parts), places


def sibling(path: Path, *names: str) -> Path:
    """The first of these files that stands beside `path`, or in it where it is a folder."""
    folder = path if path.is_dir() else path.parent
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise UsageError(f"beside {str(path)!r} stands none of {', '.join(names)}: put the set's documents there")
