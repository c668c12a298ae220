"""Makes the binary sample documents from `bench/sample_sources`; needs reportlab, Pillow and python-docx.

    python bench/make_samples.py [FOLDER]        default: corpus/samples

A source opens with `key: value` lines; its blocks stand between blank lines: `# heading`, `- item`,
`| cell | cell |` or a paragraph. The same libraries give the same bytes on every run.
"""

from __future__ import annotations

import io
import os
import random
import re
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from docx import Document
from PIL import Image, ImageDraw, ImageFont
from reportlab.lib.enums import TA_JUSTIFY
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Paragraph, SimpleDocTemplate

SOURCES = Path(__file__).parent / "sample_sources"
SAMPLES = Path(__file__).parents[1] / "corpus" / "samples"
SOFT_HYPHEN = "\u00ad"
# English words break between two consonants that stand between vowels ("per-formance"), and before a suffix.
BREAK = re.compile(r"(?<=[a-z][aeiou][bcdfglmnprst])(?=[bcdfgmnpst][aeiou][a-z])|(?<=[a-z]{3})(?=tion|ment|tive|ness)")
BODY = ParagraphStyle(
    "body", fontName="Times-Roman", fontSize=13, leading=19, spaceAfter=9, alignment=TA_JUSTIFY,
    embeddedHyphenation=1,
)  # fmt: skip
TITLE = ParagraphStyle("title", fontName="Helvetica-Bold", fontSize=17, leading=21, spaceAfter=10)
SECTION = ParagraphStyle(
    "section", fontName="Helvetica-Bold", fontSize=12, leading=15, spaceBefore=6, spaceAfter=5, keepWithNext=1
)
MARGIN = 35 * mm
SCAN_SIZE = (1000, 1414)
"""Width and height of a scanned page in pixels: A4 at about 120 dots an inch."""


@dataclass(frozen=True, slots=True)
class Source:
    """One text of `sample_sources`."""

    head: dict[str, str]
    blocks: tuple[str, ...]

    @property
    def moment(self) -> datetime:
        """When the document is to say that it was made."""
        return datetime.fromisoformat(self.head["date"]).replace(tzinfo=UTC)

    @classmethod
    def read(cls, path: Path) -> Source:
        """Splits the `key: value` lines from the blocks."""
        head, *blocks = path.read_text(encoding="utf-8").strip().split("\n\n")
        return cls(dict(line.split(": ", 1) for line in head.splitlines()), tuple(blocks))


def write_pdf(source: Source, path: Path) -> None:
    """A4 pages with a running header and footer, justified, words hyphenated at line ends."""
    pages = 0

    def furniture(canvas: Canvas, _: SimpleDocTemplate) -> None:
        canvas.setFont("Helvetica", 8)
        canvas.drawString(MARGIN, A4[1] - 14 * mm, source.head["header"])
        canvas.drawString(MARGIN, 12 * mm, "Wexmoor Borough Council")
        canvas.drawRightString(A4[0] - MARGIN, 12 * mm, f"Page {canvas.getPageNumber()} of {pages}")

    for _ in range(2):  # the first pass counts the pages that the footers of the second announce
        pdf = SimpleDocTemplate(
            str(path), pagesize=A4,
            leftMargin=MARGIN, rightMargin=MARGIN, topMargin=MARGIN, bottomMargin=MARGIN,
            title=source.head["title"], author=source.head["author"], invariant=1, pageCompression=0,
        )  # fmt: skip
        flowables = [_flowable(block) for block in source.blocks]
        pdf.build(flowables, onFirstPage=furniture, onLaterPages=furniture)
        pages = pdf.page


def _flowable(block: str) -> Paragraph:
    mark, _, heading = block.partition("# ")
    if heading and not mark.strip("#"):
        return Paragraph(heading, SECTION if mark else TITLE)
    return Paragraph(BREAK.sub(SOFT_HYPHEN, block), BODY)


def write_docx(source: Source, path: Path) -> None:
    """Headings, paragraphs, bulleted items and tables, in Word's own styles."""
    docx = Document()
    properties = docx.core_properties
    properties.title, properties.author, properties.comments = source.head["title"], source.head["author"], ""
    properties.created = properties.modified = source.moment
    for block in source.blocks:
        lines = block.splitlines()
        if block.startswith("#"):
            mark, heading = block.split(" ", 1)
            docx.add_heading(heading, len(mark))
        elif block.startswith("|"):
            rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
            table = docx.add_table(len(rows), len(rows[0]), style="Table Grid")
            for row, cells in zip(table.rows, rows, strict=True):
                for cell, text in zip(row.cells, cells, strict=True):
                    cell.text = text
        elif block.startswith("- "):
            for line in lines:
                docx.add_paragraph(line[2:], style="List Bullet")
        else:
            docx.add_paragraph(block)
    buffer = io.BytesIO()
    docx.save(buffer)
    path.write_bytes(_with_fixed_times(buffer, source.moment))


def _with_fixed_times(buffer: io.BytesIO, moment: datetime) -> bytes:
    """The same zip, its members dated `moment` instead of now."""
    out = io.BytesIO()
    with zipfile.ZipFile(buffer) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            member = zipfile.ZipInfo(name, moment.timetuple()[:6])
            new.writestr(member, old.read(name), zipfile.ZIP_DEFLATED, 9)
    return out.getvalue()


def write_scan(source: Source, path: Path) -> None:
    """One page that is a picture of text, slightly askew and speckled, with no text layer."""
    page = Image.new("L", SCAN_SIZE, 255)
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(size=22)
    y = 130
    for block in source.blocks:
        line = ""
        for word in block.split():
            if draw.textlength(f"{line} {word}", font) > SCAN_SIZE[0] - 260:
                draw.text((130, y), line, 0, font)
                line, y = "", y + 32
            line = f"{line} {word}".strip()
        draw.text((130, y), line, 0, font)
        y += 60
    page = page.rotate(0.7, fillcolor=255, resample=Image.Resampling.BICUBIC)
    speckle = random.Random(1998)
    for _ in range(400):
        page.putpixel((speckle.randrange(SCAN_SIZE[0]), speckle.randrange(SCAN_SIZE[1])), 0)
    canvas = Canvas(str(path), pagesize=A4, invariant=1)
    canvas.setTitle(source.head["title"])
    canvas.drawImage(ImageReader(page.point(lambda v: 255 * (v > 140), "1")), 0, 0, *A4)
    canvas.save()


def write_samples(folder: Path) -> list[Path]:
    """Writes every binary sample into `folder` and returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    writers: dict[str, Callable[[Source, Path], None]] = {
        "-scan.pdf": write_scan, ".pdf": write_pdf, ".docx": write_docx,
    }  # fmt: skip
    paths = []
    for text in sorted(SOURCES.glob("*.txt")):
        path = folder / text.stem
        write = next(write for ending, write in writers.items() if path.name.endswith(ending))
        source = Source.read(text)
        # reportlab dates a PDF by this variable, which reproducible builds have agreed on.
        os.environ["SOURCE_DATE_EPOCH"] = str(int(source.moment.timestamp()))
        write(source, path)
        paths.append(path)
    return paths


if __name__ == "__main__":
    for written in write_samples(Path(sys.argv[1]) if len(sys.argv) > 1 else SAMPLES):
        print(f"{written.stat().st_size:>8,} {written}")
