"""Rows of a data set with their places, and the digest of the files they come from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from corpus.errors import UsageError
from eval.jsonl import read_bytes, rows_in

T = TypeVar("T")
MOST = 1e12
"""Of any number in an answer: a length, a place, seconds."""


@dataclass(frozen=True, slots=True)
class Row:
    """A JSON object, whose fields are read by type; what is of another is a `UsageError` with the row's place."""

    place: str
    """`file:line`."""
    values: dict[str, Any]

    def refused(self, reason: str) -> UsageError:
        return UsageError(f"{self.place}: {reason}")

    def optional(self, field: str, kind: type[T] | tuple[type[T], ...], wanted: str) -> T | None:
        """A field of those types, called `wanted` in messages; None where it is missing or null."""
        value = self.values.get(field)
        if value is None or (isinstance(value, kind) and (kind is bool or not isinstance(value, bool))):
            return value
        raise self.refused(f"field {field!r} is {shown(value)}: give {wanted}")

    def text(self, field: str, default: str | None = None) -> str:
        """A field that holds a text; the default where it is missing, if there is one."""
        value = self.optional(field, str, "a text")
        if value is None and default is None:
            raise self.refused(f"field {field!r} is missing: fill it in, or name the set's format")
        return default or "" if value is None else value

    def texts(self, field: str) -> tuple[str, ...]:
        """A field that holds a list of texts; a missing one is empty, a single text stands for itself."""
        values = self.optional(field, (str, list), "a list of texts") or []
        values = [values] if isinstance(values, str) else values
        if not all(isinstance(v, str) for v in values):
            raise self.refused(f"field {field!r} is {shown(values)}: give a list of texts")
        return tuple(values)

    def objects(self, field: str) -> list[Row]:
        """A field that holds a list of objects; a missing one is empty."""
        values = self.optional(field, (list, tuple), "a list of objects") or []
        if not all(isinstance(v, dict) for v in values):
            raise self.refused(f"field {field!r} is {shown(values)}: give a list of objects")
        return [Row(f"{self.place}: {field}[{n}]", v) for n, v in enumerate(values)]

    def number(self, field: str, most: float = MOST) -> float | None:
        """A field that holds a number from 0 to `most`; None where it is missing."""
        value = self.optional(field, (int, float), "a number")
        if value is not None and not 0 <= value <= most:
            raise self.refused(f"field {field!r} is {shown(value)}: give a number between 0 and {most:g}")
        return value

    def numbers(self, field: str, below: int) -> list[int]:
        """A field that lists whole numbers from 0 up to `below`; a missing one is empty."""
        value = self.values.get(field, [])
        if not isinstance(value, list) or not all(type(n) is int and 0 <= n < below for n in value):
            raise self.refused(f"field {field!r} is {shown(value)}: give whole numbers from 0, below {below}")
        return value


class Files:
    """Reads the files of one data set."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()

    @property
    def digest(self) -> str:
        """SHA-256 over the content of the files in the order they were read, its first 16 digits."""
        return self._digest.hexdigest()[:16]

    def content(self, path: Path) -> bytes:
        """Unpacked."""
        content = read_bytes(path)
        self._digest.update(content)
        return content

    def rows(self, path: Path) -> Iterator[Row]:
        """The objects of a JSONL file."""
        for number, values in rows_in(self.content(path), path.name):
            yield Row(f"{path.name}:{number}", values)


def shown(value: object) -> str:
    """A value in a message: as JSON writes it, shortened."""
    written = json.dumps(value, ensure_ascii=False, default=repr)
    return written if len(written) <= 60 else written[:59] + "…"
