"""PDF by pypdfium2: page by page, with paragraphs, headings and table rows told from the geometry."""

from __future__ import annotations

import ctypes
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from corpus.dating import parse_date
from corpus.errors import UnreadableFile
from corpus.readers.layout import paragraphs, rows
from corpus.types import Block, Extracted

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument, PdfPage, PdfTextPage

MAX_PAGES = 5_000
HEADING_SIZE = 1.12
"""Times the height of the body text from which a short line is a heading."""
TITLE_SIZE = 1.6
"""Times the height of the body text from which a heading is of the first level."""
MAX_HEADING = 200
"""Characters of the longest heading."""
COLUMN_GAP = 1.0
"""Times the height of the line from which a gap between two words parts table cells."""
PARAGRAPH_GAP = 1.35
"""Times the usual distance of two lines from which a new paragraph starts."""

_LINE = re.compile(r"[^\r\n]*[^\s][^\r\n]*")
# What word processors and libraries write for want of a title.
_NO_TITLE = re.compile(
    r".{0,3}|untitled|anonymous|\(?unspecified\)?|microsoft \w+ - .*|.*\.(?:docx?|pdf|pptx?|xlsx?|indd)",
    re.IGNORECASE,
)
# PDFium puts one of these for a hyphen that ends a line, and the next line right after it.
_BROKEN_WORD = re.compile("[\x02\ufffe]\\s*")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a page; lengths in points, measured upwards."""

    cells: tuple[str, ...]
    """The text, parted where a wide gap stands between two words; a bullet is no cell of its own."""
    top: float
    """Height on the page of the middle of the first character."""
    bottom: float
    """The same of the last character, which may stand on the next line when a word is broken."""
    height: float
    bold: bool

    @property
    def text(self) -> str:
        return " ".join(self.cells)


class PdfReader:
    """Text layer only: a scan is reported, not read."""

    def read(self, path: Path) -> Extracted:
        # Native code, needed for PDF files only.
        import pypdfium2

        try:
            document = pypdfium2.PdfDocument(path)
        except pypdfium2.PdfiumError as error:
            raise UnreadableFile(_reason(path, str(error))) from error
        try:
            return _extracted(document)
        except pypdfium2.PdfiumError as error:
            raise UnreadableFile(f"is damaged ({error}); fetch it again") from error
        finally:
            document.close()


def _extracted(document: PdfDocument) -> Extracted:
    if len(document) > MAX_PAGES:
        raise UnreadableFile(f"has {len(document):,} pages, more than {MAX_PAGES:,}; split it")
    pages = [_lines(document[number]) for number in range(len(document))]
    body = _body_height(pages)
    blocks = tuple(block for number, lines in enumerate(pages, 1) for block in _blocks(lines, number, body))
    if not blocks:
        images = sum(_has_image(document[number]) for number in range(len(document)))
        count, what = (images, "of images; run OCR first") if images else (len(pages), "without a mark")
        raise UnreadableFile(f"holds no text: {count} page{'s' * (count != 1)} {what}")
    declared = document.get_metadata_dict()
    stamped = re.match(r"D:(\d{4})(\d\d)(\d\d)", declared.get("CreationDate", ""))
    title = declared.get("Title", "").strip()
    return Extracted(
        blocks,
        title=None if _NO_TITLE.fullmatch(title) else title,
        created=parse_date("-".join(stamped.groups())) if stamped else None,
    )


def _reason(path: Path, error: str) -> str:
    if b"%PDF-" not in path.read_bytes()[:1024]:
        return "isn't a PDF; give the file the ending of its real format"
    if "password" in error.lower() or "security" in error.lower():
        return "is encrypted; save a copy without a password"
    return "is damaged or cut short; fetch it again"


def _has_image(page: PdfPage) -> bool:
    import pypdfium2.raw as pdfium

    return any(True for _ in page.get_objects(filter=(pdfium.FPDF_PAGEOBJ_IMAGE,)))


def _lines(page: PdfPage) -> list[Line]:
    """The lines of a page in reading order, as the file gives them."""
    text_page = page.get_textpage()
    text = text_page.get_text_range()
    if len(text) != text_page.count_chars():
        # Characters outside the basic plane shift the geometry's indexes; the text alone is still right.
        return [Line((line.strip(),), 0.0, 0.0, 0.0, False) for line in text.splitlines() if line.strip()]
    return [_line(text_page, match.group(), match.start()) for match in _LINE.finditer(text)]


def _line(text_page: PdfTextPage, text: str, start: int) -> Line:
    # A character from the middle: a bullet may be of another font.
    ink = [match.start() for match in re.finditer(r"\S", text)]
    typical = ink[len(ink) // 2]
    _, low, _, high = text_page.get_charbox(start + typical, loose=True)
    height = high - low
    cells, begin = [], 0
    for space in re.finditer(r"\s+(?=\S)", text):
        if space.start() - begin > 3:
            right = text_page.get_charbox(start + space.start() - 1)[2]
            if text_page.get_charbox(start + space.end())[0] - right > COLUMN_GAP * height:
                cells.append(text[begin : space.start()])
                begin = space.end()
    cells.append(text[begin:])
    return Line(
        tuple(_BROKEN_WORD.sub("-\n", cell.strip()).rstrip("\n") for cell in cells),
        top=_middle(text_page, start + ink[0]),
        bottom=_middle(text_page, start + ink[-1]),
        height=height,
        bold=_is_bold(text_page, start + typical),
    )


def _middle(text_page: PdfTextPage, index: int) -> float:
    _, low, _, high = text_page.get_charbox(index, loose=True)
    return float(low + high) / 2


def _is_bold(text_page: PdfTextPage, index: int) -> bool:
    import pypdfium2.raw as pdfium

    name = ctypes.create_string_buffer(128)
    pdfium.FPDFText_GetFontInfo(text_page.raw, index, name, len(name), ctypes.c_int())
    return b"bold" in name.value.lower() or pdfium.FPDFText_GetFontWeight(text_page.raw, index) >= 600


def _body_height(pages: Sequence[Sequence[Line]]) -> float:
    """The height of line that most characters have."""
    heights: Counter[float] = Counter()
    for line in (line for lines in pages for line in lines):
        heights[round(line.height, 1)] += len(line.text)
    return heights.most_common(1)[0][0] if heights else 0.0


def _blocks(lines: Sequence[Line], page: int, body: float) -> Iterator[Block]:
    """Blocks of a page: other letters or a wide gap start a new one, cells make a table."""
    steps = [a.bottom - b.top for a, b in pairwise(lines)]
    usual = median([step for step in steps if 0 < step < 3 * body] or [0.0])
    group: list[Line] = []
    for line in lines:
        if group and _apart(group[-1], line, usual, body):
            yield from _grouped(group, page, body)
            group = []
        group.append(line)
    yield from _grouped(group, page, body)


def _apart(above: Line, line: Line, usual: float, body: float) -> bool:
    gap = above.bottom - line.top
    if len(above.cells) > 1 or len(line.cells) > 1:
        return len(above.cells) != len(line.cells)
    return (
        gap < -usual
        or gap > PARAGRAPH_GAP * max(usual, above.height)
        or abs(line.height - above.height) > 0.05 * body
        or line.bold != above.bold
    )


def _grouped(group: Sequence[Line], page: int, body: float) -> Iterator[Block]:
    if not group:
        return
    if len(group) > 1 and len(group[0].cells) > 1:
        yield from rows([line.cells for line in group], page)
        return
    text = "\n".join(line.text for line in group)
    large = group[0].height >= HEADING_SIZE * body
    bold = group[0].bold and len(group) <= 2 and text[-1] not in ".,:;"
    if body and (large or bold) and len(text) <= MAX_HEADING and re.search(r"[^\W\d_]{2}", text):
        level = 1 if group[0].height >= TITLE_SIZE * body else 2
        yield Block("heading", " ".join(text.split("\n")), level=level, page=page)
    else:
        yield from paragraphs(text, page)
