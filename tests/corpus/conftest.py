"""Files of every format, made for the tests."""

from __future__ import annotations

import io
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import docx
import pytest
from PIL import Image
from pypdf import PdfReader, PdfWriter
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Paragraph, SimpleDocTemplate, Table


@pytest.fixture(scope="session")
def make() -> ModuleType:
    """The makers of this file and what their files hold."""
    return sys.modules[__name__]


HEADING = "Opening hours"
SENTENCES = ("The reading room opens at nine.", "It closes at half past six.")
HEADER = ("Service", "Fee")
ROW = ("Hall hire", "£30")
ROW_TEXT = "Service: Hall hire; Fee: £30"


def text_file(path: Path) -> Path:
    path.write_text(f"{HEADING}\n\n{' '.join(SENTENCES)}\n\n{ROW_TEXT}\n", encoding="utf-8")
    return path


def markdown_file(path: Path) -> Path:
    path.write_text(
        f"# {HEADING}\n\n{' '.join(SENTENCES)}\n\n| Service | Fee |\n| --- | --- |\n| Hall hire | £30 |\n",
        encoding="utf-8",
    )
    return path


def html_file(path: Path) -> Path:
    cells = "".join(f"<td>{cell}</td>" for cell in ROW)
    heads = "".join(f"<th>{cell}</th>" for cell in HEADER)
    path.write_text(
        f"<html><head><title>{HEADING}</title></head><body><nav><a href='/'>Home</a></nav><article>"
        f"<h1>{HEADING}</h1><p>{' '.join(SENTENCES)}</p>"
        f"<table><tr>{heads}</tr><tr>{cells}</tr></table></article></body></html>",
        encoding="utf-8",
    )
    return path


def docx_file(path: Path) -> Path:
    document = docx.Document()
    document.add_heading(HEADING, level=1)
    document.add_paragraph(" ".join(SENTENCES))
    table = document.add_table(rows=0, cols=2)
    for row in (HEADER, ROW):
        for cell, value in zip(table.add_row().cells, row, strict=True):
            cell.text = value
    document.save(str(path))
    return path


def pdf_file(path: Path, pages: Sequence[Sequence[str]] | None = None) -> Path:
    """One page with heading, text and table; or pages of the lines given, under a running header."""
    if pages is not None:
        canvas = Canvas(str(path))
        for number, lines in enumerate(pages, 1):
            canvas.setFont("Helvetica", 8)
            canvas.drawString(72, 800, "Library service: annual report")
            canvas.setFont("Helvetica", 11)
            for place, line in enumerate(lines):
                canvas.drawString(72, 740 - 14 * place, line)
            canvas.drawString(290, 30, f"{number}")
            canvas.showPage()
        canvas.save()
        return path
    style = getSampleStyleSheet()
    parts = [Paragraph(HEADING, style["Heading1"]), Paragraph(" ".join(SENTENCES), style["Normal"])]
    SimpleDocTemplate(str(path)).build([*parts, Table([HEADER, ROW], colWidths=[200, 100])])
    return path


def csv_file(path: Path) -> Path:
    path.write_text(f"Service;Fee\n{';'.join(ROW)}\n", encoding="utf-8")
    return path


def encrypted_pdf(path: Path) -> Path:
    writer = PdfWriter(clone_from=PdfReader(pdf_file(path)))
    writer.encrypt("secret")
    writer.write(path)
    return path


def truncated_pdf(path: Path) -> Path:
    path.write_bytes(pdf_file(path).read_bytes()[:400])
    return path


def scanned_pdf(path: Path, pages: int = 2) -> Path:
    canvas = Canvas(str(path))
    for _ in range(pages):
        canvas.drawImage(ImageReader(Image.new("L", (40, 40), 128)), 72, 500, 200, 200)
        canvas.showPage()
    canvas.save()
    return path


def bomb_docx(path: Path) -> Path:
    """An archive whose only part unpacks to a thousand times its size."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", b" " * 30_000_000)
    path.write_bytes(packed.getvalue())
    return path
