"""Documents and chunks as JSON values, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

from corpus.types import Chunk, Document, Metadata, Page, Section


def to_json(document: Document, chunks: Sequence[Chunk]) -> dict[str, Any]:
    """Values that `json` writes; a chunk's text is left out, being a span of the document's."""
    return {
        "id": document.id,
        "path": document.path,
        "title": document.title,
        "date": document.date.isoformat() if document.date else None,
        "date_source": document.date_source,
        "text": document.text,
        "sections": [(s.kind, s.level, s.start, s.end) for s in document.sections],
        "pages": [(p.number, p.start, p.end) for p in document.pages],
        "metadata": asdict(document.metadata),
        "chunks": [(c.start, c.end, c.headings, c.page, c.sentences) for c in chunks],
    }


def from_json(values: Mapping[str, Any]) -> tuple[Document, tuple[Chunk, ...]]:
    """The document and chunks that `to_json` was given."""
    document = Document(
        id=values["id"],
        path=values["path"],
        title=values["title"],
        date=date.fromisoformat(values["date"]) if values["date"] else None,
        date_source=values["date_source"],
        text=values["text"],
        sections=tuple(Section(*section) for section in values["sections"]),
        pages=tuple(Page(*page) for page in values["pages"]),
        metadata=Metadata.of(values["metadata"]),
    )
    chunks = tuple(
        Chunk(
            document_id=document.id,
            start=start,
            end=end,
            text=document.text[start:end],
            headings=tuple(headings),
            page=page,
            sentences=tuple((first, last) for first, last in sentences),
        )
        for start, end, headings, page, sentences in values["chunks"]
    )
    return document, chunks
