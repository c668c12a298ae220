"""Which documents a conversation is restricted to, and the filter that chooses them."""

from __future__ import annotations

import glob
import re
from calendar import monthrange
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Self

from corpus.errors import UsageError

if TYPE_CHECKING:
    from embeddings.types import Where
    from embeddings.view import DocumentSummary

MOST_PATHS = 2_000
"""Documents that are restricted to one by one: every answer keeps their paths."""
PLACEHOLDER = "words, tag:minutes, kind:pdf, from:2024-01-31, to:2024"
_TITLES_NAMED = 8
_TERM = re.compile(r'(?:(tag|kind|from|to):)?(?:"([^"]*)"?|(\S*))', re.I)
_DAY = re.compile(r"([0-9]{4})(?:-([0-9]{1,2})(?:-([0-9]{1,2}))?)?")


@dataclass(frozen=True, slots=True)
class Scope:
    """What the questions from now on are answered from."""

    where: Where
    label: str
    """In words: "3 documents: Budget 2024, …"."""

    def names(self, path: str) -> bool:
        """Whether it lists this document by its path."""
        return glob.escape(path) in self.where.paths


@dataclass(frozen=True, slots=True)
class Filter:
    """What the list of documents is narrowed to. An empty field asks nothing."""

    words: tuple[str, ...] = ()
    """Each occurs in title, path or tags, in any case."""
    tags: tuple[str, ...] = ()
    """Any of them, in any case."""
    kinds: tuple[str, ...] = ()
    """Beginnings of kinds: any of them."""
    first: date | None = None
    last: date | None = None
    """Both inclusive; a document without a date is in no period."""

    @classmethod
    def read(cls, text: str) -> Self:
        """The filter in a line such as `budget tag:minutes from:2024-01-31 to:2024`.

        Raises:
            UsageError: what stands for a date is none, or no day lies between the two.
        """
        found: dict[str, list[str]] = {"": [], "tag": [], "kind": [], "from": [], "to": []}
        for field, quoted, bare in _TERM.findall(text):
            if value := (quoted or bare).strip().casefold():
                found[field.lower()].append(value)
        first = max((_period(value)[0] for value in found["from"]), default=None)
        last = min((_period(value)[1] for value in found["to"]), default=None)
        if first and last and first > last:
            raise UsageError(f"no day lies between {first} and {last}: exchange them")
        return cls(tuple(found[""]), tuple(found["tag"]), tuple(found["kind"]), first, last)

    def chosen(self, documents: Sequence[DocumentSummary]) -> list[DocumentSummary]:
        """Those that pass, in their order."""
        tags, kinds = self.spelt(documents), self.kinds
        timeless = self.first is None and self.last is None
        return [
            document
            for document in documents
            if (not self.tags or not tags.isdisjoint(document.tags))
            and (not kinds or document.kind.casefold().startswith(kinds))
            and (timeless or (document.date is not None and self._holds(document.date)))
            and (not self.words or self._in(f"{document.title}\n{document.path}\n{' '.join(document.tags)}"))
        ]

    def spelt(self, documents: Iterable[DocumentSummary]) -> frozenset[str]:
        """The documents' tags that are meant, as they write them; those that begin so where none is the same."""
        if not self.tags:
            return frozenset()
        known = {tag: tag.casefold() for tag in {tag for document in documents for tag in document.tags}}
        meant: set[str] = set()
        for wanted in self.tags:
            same = {tag for tag, folded in known.items() if folded == wanted}
            meant |= same or {tag for tag, folded in known.items() if folded.startswith(wanted)}
        return frozenset(meant)

    def _holds(self, day: date) -> bool:
        return (self.first or day) <= day <= (self.last or day)

    def _in(self, text: str) -> bool:
        folded = text.casefold()
        return all(word in folded for word in self.words)


def listed(documents: Sequence[DocumentSummary]) -> Scope:
    """These documents and no others. Raises `UsageError` where there are none, or too many to list."""
    from embeddings.types import Where  # brings NumPy, which the first screen does without

    if not documents:
        raise UsageError("no document is left: change the filter, or mark documents with Space")
    if len(documents) > MOST_PATHS:
        raise UsageError(
            f"{len(documents):,} documents are too many to list, at most {MOST_PATHS:,} are: narrow the filter, or "
            "give tags and dates only"
        )
    titles = ", ".join(document.title or document.path for document in documents[:_TITLES_NAMED])
    count = "1 document" if len(documents) == 1 else f"{len(documents):,} documents"
    label = f"{count}: {titles}{', …' if len(documents) > _TITLES_NAMED else ''}"
    return Scope(Where(tuple(glob.escape(document.path) for document in documents)), label)


def filtered(by: Filter, documents: Sequence[DocumentSummary]) -> Scope:
    """What passes the filter; documents that come later count too where it asks for tags and dates only."""
    from embeddings.types import Where  # as above

    if by == Filter():
        raise UsageError("nothing is marked or filtered: mark documents with Space, or filter with /")
    chosen = by.chosen(documents)
    if by.words or by.kinds or not chosen:
        return listed(chosen)
    return scope_of(Where((), tuple(sorted(by.spelt(documents))), by.first, by.last))


def scope_of(where: Where) -> Scope:
    """What an earlier answer was restricted to, named by the paths themselves."""
    paths = ", ".join(path.replace("[", "").replace("]", "") for path in where.paths[:_TITLES_NAMED])
    parts = [f"{len(where.paths):,} document{'' if len(where.paths) == 1 else 's'}: {paths}"] if paths else []
    parts += [f"tag {' or '.join(where.tags)}"] if where.tags else []
    parts += [f"from {where.date_from}"] if where.date_from else []
    parts += [f"to {where.date_to}"] if where.date_to else []
    return Scope(where, ", ".join(parts))


def _period(text: str) -> tuple[date, date]:
    """First and last day of a year, a month or a day."""
    match = _DAY.fullmatch(text)
    try:
        if match is None:
            raise ValueError
        year, month, day = (int(part) if part else None for part in match.groups())
        last_month = month or 12
        last_day = day or monthrange(year or 0, last_month)[1]
        return date(year or 0, month or 1, day or 1), date(year or 0, last_month, last_day)
    except ValueError:
        raise UsageError(f"{text!r} is no date: write 2024, 2024-01 or 2024-01-31") from None
