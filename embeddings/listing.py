"""The files of one generation: which a caller may see, which a filter admits, which document stands for them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Self

import numpy as np

from corpus.labels import Labels
from embeddings.rows import FILE_COLUMNS, published_files
from embeddings.types import Mask, Rows, Where

_ID = 32
"""Digits of a document's id, the first of the SHA-256 of its file."""


@dataclass(frozen=True, slots=True)
class Listing:
    """Columns of one length, by path; a file of which nothing is indexed has the document key 0.

    The same bytes are one document, also where two rows were made of them as their labels differ, or their readers:
    a caller sees the row of the first path that is visible to it.
    """

    paths: list[str]
    keys: Rows
    """Of documents in the catalogue."""
    contents: Rows
    """Files with the same bytes have the same number."""
    days: Rows
    """Proleptic ordinals; 0 without a date."""
    kinds: Rows
    """Places in `labels`."""
    labels: list[Labels]
    """Distinct ones."""
    since: Rows
    problems: dict[int, str]
    """Why the newest version of a file could not be read, by place."""
    at: dict[str, int]
    """Places by path."""
    ids: dict[str, int]
    """Contents by the beginning of their digest."""

    @classmethod
    def read(cls, connection: sqlite3.Connection, about: Mapping[str, str]) -> Self:
        """Raises `DamagedRow` unless the table is as it was published."""
        rows = published_files(connection, about)
        columns = list(zip(*rows, strict=True)) or [()] * len(FILE_COLUMNS.split(", "))
        paths, keys, _, _, digests, states, reasons, dates, _, labels, since = columns
        contents = {digest: number for number, digest in enumerate(dict.fromkeys(digests))}
        ordinals = {day: date.fromisoformat(day).toordinal() if day else 0 for day in set(dates)}
        kinds = {text: number for number, text in enumerate(dict.fromkeys(labels))}
        numbers = {
            "keys": [key or 0 for key in keys],
            "contents": [contents[digest] for digest in digests],
            "days": [ordinals[day] for day in dates],
            "kinds": [kinds[text] for text in labels],
            "since": since,
        }
        return cls(
            paths=[*paths],
            labels=[Labels.told(**json.loads(text)) for text in kinds],
            problems={place: reasons[place] or "" for place, state in enumerate(states) if state != "ok"},
            at={path: place for place, path in enumerate(paths)},
            ids={digest[:_ID]: number for digest, number in contents.items() if digest},
            **{name: np.array(values, np.int64) for name, values in numbers.items()},
        )

    def visible(self, audience: frozenset[str] | None) -> Mask:
        """Files that share a name with the audience; all for None."""
        if audience is None:
            return np.ones(len(self.paths), np.bool_)
        return self._labelled([not audience.isdisjoint(labels.audience) for labels in self.labels])

    def admitted(self, where: Where) -> Mask:
        """Files that a filter asks for; each of its conditions is tried once on equal values."""
        mask = self._labelled([where.shares(labels.tags) for labels in self.labels])
        days, places = np.unique(self.days, return_inverse=True)
        mask &= np.array([where.spans(date.fromordinal(day) if day else None) for day in days.tolist()], np.bool_)[
            places
        ]
        if where.paths:
            mask[[place for place in np.flatnonzero(mask).tolist() if not where.names(self.paths[place])]] = False
        return mask

    def documents(self, visible: Mask, admitted: Mask | None = None) -> Rows:
        """Keys of the documents that stand for the visible files of which one at least is admitted."""
        held = np.flatnonzero(visible & (self.keys > 0))
        contents, first = np.unique(self.contents[held], return_index=True)
        if admitted is not None:
            first = first[np.isin(contents, self.contents[held[admitted[held]]])]
        return self.keys[held[first]]

    def searched(self, visible: Mask, where: Where) -> tuple[int, int]:
        """Documents that a filter admits, and those that it leaves out only as they have no date."""
        timeless = self.admitted(replace(where, date_from=None, date_to=None)) & (self.days == 0)
        seen = np.unique(self.documents(visible, self.admitted(where)))
        return len(seen), len(np.setdiff1d(self.documents(visible, timeless), seen))

    def place(self, document_id: str, visible: Mask) -> int | None:
        """The first visible file of a document; None where there is none."""
        content = self.ids.get(document_id[:_ID], -1)
        places = np.flatnonzero((self.contents == content) & visible & (self.keys > 0))
        return int(places[0]) if len(places) else None

    def _labelled(self, holds: list[bool]) -> Mask:
        return np.array(holds, np.bool_)[self.kinds]
