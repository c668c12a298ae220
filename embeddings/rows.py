"""Documents and chunks as rows of the catalogue and back; every row carries a checksum that reading verifies."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any, cast

from corpus.types import Chunk, DateSource, Document, Metadata, Page, Section

DOCUMENT_COLUMNS = "id, title, date, date_source, text, sections, pages, metadata"
CHUNK_COLUMNS = 'start, "end", text, headings, page, sentences'
CHECKED_CHUNK = (
    'chunk_id, document_key, chunks.start, chunks."end", chunks.text, chunks.headings, chunks.page, chunks.sentences, '
    "chunks.vector_key, documents.id, title"
)
"""What a chunk's checksum covers, its document's id and title too, where both tables are joined."""
FILE_COLUMNS = "path, document_key, size, mtime_ns, sha256, status, reason, date, declared, labels, since"
_CHECKSUM_BYTES = 8
_SLICE = 1 << 16
"""Characters of JSON decoded at once: the decoder lets no other thread run until it is through."""
_SEAL = "checksum"
"""Key of `meta` with the checksum of its other rows."""


class DamagedRow(ValueError):
    """A row isn't as it was written."""


def checksum(*values: str | int | bytes | None) -> bytes:
    """BLAKE2b of a row's values, 8 bytes: SQLite doesn't notice a flipped bit in what it stores."""
    digest = hashlib.blake2b(digest_size=_CHECKSUM_BYTES)
    for value in values:
        content = value if isinstance(value, bytes) else str(value).encode(errors="surrogatepass")
        digest.update(f"{type(value).__name__}{len(content)}:".encode())
        digest.update(content)
    return digest.digest()


def verified(table: str, row: Sequence[Any]) -> Sequence[Any]:
    """The row without its last column, the checksum of the others; the first is its key."""
    *values, written = row
    if checksum(*values) != written:
        raise DamagedRow(f"row {values[0]} of {table} has changed since it was written")
    return values


def meta(connection: sqlite3.Connection) -> dict[str, str]:
    """What the index says of itself, verified; empty where nothing was written yet."""
    about = dict(connection.execute("SELECT key, value FROM meta"))
    if about and about.pop(_SEAL, None) != _sealed(about):
        raise DamagedRow("the table meta has changed since it was written")
    return about


def published_files(connection: sqlite3.Connection, about: Mapping[str, str]) -> list[tuple[Any, ...]]:
    """Rows of `FILE_COLUMNS`, by path; raises `DamagedRow` unless they are exactly what was published."""
    rows = _files(connection)
    if about.get("files") != _files_sealed(rows):
        raise DamagedRow("the table files has changed since it was written")
    return rows


def seal(connection: sqlite3.Connection, changes: Mapping[str, str] | None = None) -> None:
    """Writes `changes` into `meta`, and the checksums of `files` and of `meta` itself."""
    about = dict(connection.execute("SELECT key, value FROM meta")) | dict(changes or {})
    about.pop(_SEAL, None)
    about["files"] = _files_sealed(_files(connection))
    connection.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", {**about, _SEAL: _sealed(about)}.items())


def _sealed(about: Mapping[str, str]) -> str:
    return checksum(*sorted(f"{key}={value}" for key, value in about.items())).hex()


def _files(connection: sqlite3.Connection) -> list[tuple[Any, ...]]:
    return connection.execute(f"SELECT {FILE_COLUMNS} FROM files ORDER BY path").fetchall()


def _files_sealed(rows: list[tuple[Any, ...]]) -> str:
    return checksum(json.dumps(rows)).hex()


def heading_text(title: str, headings: Sequence[str]) -> str:
    """Title and headings, each once, outermost first."""
    return "\n".join(dict.fromkeys(part for part in (title, *headings) if part))


def passage_text(title: str, chunk: Chunk) -> str:
    """What the encoder reads of a chunk: its title and headings say what it is about."""
    return f"{heading_text(title, chunk.headings)}\n{chunk.text}".lstrip("\n")


def vector_digest(embedder: str, text: str) -> bytes:
    """Identifies the vector of a `passage_text` by an embedder, given by its fingerprint."""
    return hashlib.sha256(f"{embedder}\n{text}".encode(errors="surrogatepass")).digest()


def document_row(document: Document) -> tuple[str | None, ...]:
    """In the order of `DOCUMENT_COLUMNS`."""
    return (
        document.id,
        document.title,
        document.date.isoformat() if document.date else None,
        document.date_source,
        document.text,
        json.dumps([(s.kind, s.level, s.start, s.end) for s in document.sections]),
        json.dumps([(p.number, p.start, p.end) for p in document.pages]),
        json.dumps(asdict(document.metadata)),
    )


def document_from(path: str, row: Sequence[Any]) -> Document:
    """From columns in the order of `DOCUMENT_COLUMNS`."""
    identifier, title, day, date_source, text, sections, pages, metadata = row
    return Document(
        id=identifier,
        path=path,
        title=title,
        date=date.fromisoformat(day) if day else None,
        date_source=cast("DateSource | None", date_source),
        text=text,
        sections=tuple(Section(*section) for section in _decoded(sections)),
        pages=tuple(Page(*page) for page in _decoded(pages)),
        metadata=Metadata.of(json.loads(metadata)),
    )


def _decoded(rows: str) -> Iterator[list[Any]]:
    """The lists in a list, as `json.dumps` wrote it; no text in it holds a bracket."""
    start = 1
    while start < len(rows) - 1:
        end = rows.find("], [", start + _SLICE) + 1 or len(rows) - 1
        yield from json.loads(f"[{rows[start:end]}]")
        start = end + len(", ")


def chunk_row(chunk: Chunk) -> tuple[int | str | None, ...]:
    """In the order of `CHUNK_COLUMNS`."""
    headings, sentences = json.dumps(chunk.headings), json.dumps(chunk.sentences)
    return (chunk.start, chunk.end, chunk.text, headings, chunk.page, sentences)


def chunk_from(document_id: str, row: Sequence[Any]) -> Chunk:
    """From columns in the order of `CHUNK_COLUMNS`."""
    start, end, text, headings, page, sentences = row
    spans = tuple((first, last) for first, last in json.loads(sentences))
    return Chunk(document_id, start, end, text, tuple(json.loads(headings)), page, spans)
