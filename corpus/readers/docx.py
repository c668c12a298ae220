"""Word documents: headings, list items and tables in the order of the file."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from corpus.errors import UnreadableFile
from corpus.readers.layout import rows
from corpus.types import Block, Extracted, Metadata

if TYPE_CHECKING:
    from docx.document import Document
    from docx.text.paragraph import Paragraph

MAX_UNPACKED = 200_000_000
"""Bytes that the parts of the archive may unpack to, together."""
MAX_RATIO = 100
"""Times that a part may grow when unpacked; parts under a megabyte are spared the check."""


class DocxReader:
    """DOCX by python-docx; the archive is checked before anything is unpacked."""

    def read(self, path: Path) -> Extracted:
        _check_archive(path)
        # Takes .3 s to import and is needed for Word documents only.
        import docx
        from docx.opc.exceptions import OpcError
        from lxml.etree import LxmlError

        try:
            document = docx.Document(str(path))
            blocks = tuple(_blocks(document))
        except (
            OpcError,
            LxmlError,
            KeyError,
            ValueError,
            AttributeError,
            zipfile.BadZipFile,
            EOFError,
        ) as error:
            raise UnreadableFile(f"is a damaged Word document ({error}); save it again in Word") from error
        if not blocks:
            raise UnreadableFile("holds no text")
        core = document.core_properties
        tags = tuple(tag.strip() for tag in (core.keywords or "").replace(";", ",").split(",") if tag.strip())
        return Extracted(
            blocks,
            title=(core.title or "").strip() or None,
            created=_created(document),
            metadata=Metadata(tags=tags),
        )


def _check_archive(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        if path.read_bytes()[:4] == b"\xd0\xcf\x11\xe0":
            raise UnreadableFile(
                "is an encrypted or old-format Word document; save it as DOCX without password"
            ) from error
        raise UnreadableFile("isn't a Word document (no zip archive); save it again as DOCX") from error
    if sum(part.file_size for part in parts) > MAX_UNPACKED or any(
        part.file_size > max(1_000_000, MAX_RATIO * part.compress_size) for part in parts
    ):
        raise UnreadableFile(f"unpacks to more than {MAX_UNPACKED // 1_000_000} MB or {MAX_RATIO} times its size")


def _blocks(document: Document) -> Iterator[Block]:
    from docx.table import Table

    for part in document.iter_inner_content():
        if isinstance(part, Table):
            yield from rows([_cells(row) for row in part.rows])
        elif text := part.text.strip():
            yield _block(part, text)


def _block(paragraph: Paragraph, text: str) -> Block:
    style = (paragraph.style.name or "") if paragraph.style is not None else ""
    if style == "Title":
        return Block("heading", text, level=1)
    if style.startswith("Heading "):
        level = style.removeprefix("Heading ")
        return Block("heading", text, level=int(level) if level.isdigit() else 1)
    numbered = paragraph._p.pPr is not None and paragraph._p.pPr.numPr is not None
    return Block("item" if numbered or style.startswith("List") else "paragraph", text)


def _cells(row: object) -> list[str]:
    """Texts of a row, a merged cell once."""
    seen: list[object] = []
    texts: list[str] = []
    for cell in row.cells:  # type: ignore[attr-defined]
        if cell._tc not in seen:
            seen.append(cell._tc)
            texts.append(cell.text)
    return texts


def _created(document: Document) -> date | None:
    """The day Word wrote down; None for the date that the template of python-docx carries."""
    core = document.core_properties
    if core.created is None or "python-docx" in (core.comments or "") + (core.author or ""):
        return None
    created: datetime = core.created
    return created.date()
