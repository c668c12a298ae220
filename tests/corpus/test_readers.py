from __future__ import annotations

import zipfile
from datetime import date
from pathlib import Path
from types import ModuleType

import docx
import pytest

from corpus.documents import build_document
from corpus.errors import UnreadableFile, UsageError
from corpus.readers import reader_for, readers
from corpus.readers.docx import DocxReader
from corpus.readers.html import HtmlReader
from corpus.readers.layout import rows
from corpus.readers.pdf import PdfReader
from corpus.readers.table import TableReader


def test_an_unknown_suffix_lists_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"'\.odt'.*\.csv.*\.txt"):
        reader_for(".odt")


def test_a_plugin_is_a_reader_by_its_suffix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    info = tmp_path / "plugin-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: plugin\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[assistant.readers]\n.log = corpus.readers.plain:PlainReader\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert readers()[".log"] == "corpus.readers.plain:PlainReader"
    path = tmp_path / "a.LOG"
    path.write_text("A line.")
    assert reader_for(".LOG").read(path).blocks[0].text == "A line."


@pytest.mark.parametrize(
    ("maker", "reason"),
    [
        ("encrypted_pdf", "is encrypted; save a copy without a password"),
        ("truncated_pdf", "is damaged or cut short"),
        ("scanned_pdf", "holds no text: 2 pages of images; run OCR first"),
    ],
)
def test_a_pdf_that_cannot_be_read_says_why(maker: str, reason: str, make: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match=reason):
        PdfReader().read(getattr(make, maker)(tmp_path / "a.pdf"))


def test_pdf_pages_words_headers_and_footers(make: ModuleType, tmp_path: Path) -> None:
    pages = [
        [
            "The library service welcomed many readers this year, and the recom-",
            "mendation of the panel was to open late.",
        ],
        [
            "Visits rose by a third. The new branch at the quay was the one that",
            "readers liked best of all, and its staff were",
        ],
        ["praised. The service will report again in 2025."],
    ]
    extracted = PdfReader().read(make.pdf_file(tmp_path / "a.pdf", pages))
    assert {block.page for block in extracted.blocks} == {1, 2, 3}
    document = build_document(extracted, "a.pdf", "0" * 64)
    assert document.text == (
        "The library service welcomed many readers this year, and the recommendation of the panel was to open late.\n\n"
        "Visits rose by a third. The new branch at the quay was the one that readers liked best of all, and its staff"
        " were praised. The service will report again in 2025."
    )
    assert [(p.number, document.text[p.start : p.end].split()[0]) for p in document.pages] == [
        (1, "The"),
        (2, "Visits"),
        (3, "praised."),
    ]
    assert document.pages[-1].end == len(document.text)


def test_docx_in_order_with_lists_and_merged_cells(tmp_path: Path) -> None:
    document = docx.Document()
    document.core_properties.title = "Fees"
    document.add_heading("Charges", level=2)
    document.add_paragraph("Paid in advance.", style="List Bullet")
    table = document.add_table(rows=3, cols=3)
    for row, values in zip(table.rows, [("Room", "Hour", "Day"), ("Hall", "£5", "£30"), ("Note", "", "")], strict=True):
        for cell, value in zip(row.cells, values, strict=True):
            cell.text = value
    table.rows[2].cells[0].merge(table.rows[2].cells[2])
    document.add_paragraph("After the table.")
    document.save(str(tmp_path / "a.docx"))
    extracted = DocxReader().read(tmp_path / "a.docx")
    assert [(b.kind, b.level, b.text) for b in extracted.blocks] == [
        ("heading", 2, "Charges"),
        ("item", 0, "Paid in advance."),
        ("row", 0, "Room: Hall; Hour: £5; Day: £30"),
        ("row", 0, "Room: Note"),
        ("paragraph", 0, "After the table."),
    ]
    assert (extracted.title, extracted.date, extracted.created) == ("Fees", None, None)


def test_a_docx_that_cannot_be_read_says_why(make: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "a.docx"
    path.write_bytes(b"no archive at all")
    with pytest.raises(UnreadableFile, match="isn't a Word document"):
        DocxReader().read(path)
    path.write_bytes(b"\xd0\xcf\x11\xe0" + b"\0" * 600)
    with pytest.raises(UnreadableFile, match="encrypted or old-format"):
        DocxReader().read(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("other.txt", "x")
    with pytest.raises(UnreadableFile, match="damaged Word document"):
        DocxReader().read(path)
    with pytest.raises(UnreadableFile, match="unpacks to more than 200 MB or 100 times"):
        DocxReader().read(make.bomb_docx(path))


def test_html_main_content_with_its_date_and_without_navigation(tmp_path: Path) -> None:
    path = tmp_path / "a.html"
    filler = "<p>The branch lends books, games and tools to anybody who lives or works in the town.</p>"
    path.write_text(
        "<html><head><title>Quay branch opens - Town</title><meta property='og:title' content='Quay branch opens'>"
        "<meta property='article:published_time' content='2024-03-02T09:00:00Z'></head><body>"
        "<div class='nav'><ul><li><a href='/'>Home</a></li><li><a href='/n'>News</a></li></ul></div>"
        f"<article><h1>Quay branch opens</h1>{filler}<h2>Hours</h2><ul><li>Nine to five</li><li>Closed on Monday</li>"
        "</ul></article><footer><p>Copyright Town</p></footer></body></html>",
        encoding="utf-8",
    )
    extracted = HtmlReader().read(path)
    assert (extracted.title, extracted.date) == ("Quay branch opens", date(2024, 3, 2))
    assert [(b.kind, b.level, b.text) for b in extracted.blocks] == [
        ("heading", 1, "Quay branch opens"),
        ("paragraph", 0, filler[3:-4]),
        ("heading", 2, "Hours"),
        ("item", 0, "Nine to five"),
        ("item", 0, "Closed on Monday"),
    ]


@pytest.mark.parametrize("suffix", [".md", ".html"])
def test_the_steps_of_a_numbered_list_stay(suffix: str, tmp_path: Path) -> None:
    steps = ["Log in", "Save", "Print this page"]
    path = tmp_path / f"a{suffix}"
    about = "The client keeps the records of every plot on the site, with its rent and its tenant."
    items = "".join(f"<li>{step}</li>" for step in steps)
    page = f"<html><body><h1>Records</h1><p>{about}</p><ol>{items}</ol><p>{about[::-1]}</p></body></html>"
    listed = "".join(f"{n}. {step}\n" for n, step in enumerate(steps, 1))
    path.write_text(page if suffix == ".html" else f"# Records\n\n{about}\n\n{listed}\n{about[::-1]}\n")
    document = build_document(reader_for(suffix).read(path), path.name, "0" * 64)
    assert [document.text[s.start : s.end] for s in document.sections if s.kind == "item"] == steps


def test_html_without_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.html"
    path.write_text("<html><body><script>load()</script><div id=app></div></body></html>")
    with pytest.raises(UnreadableFile, match="holds no text"):
        HtmlReader().read(path)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_any_delimiter(delimiter: str, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("\n".join(delimiter.join(row) for row in [("Name", "Role"), ("Ann Lee", "Chair"), ("Bo", "")]))
    assert [block.text for block in TableReader().read(path).blocks] == ["Name: Ann Lee; Role: Chair", "Name: Bo"]


def test_rows_without_names_for_their_columns() -> None:
    assert [b.text for b in rows([["2023", "14"], ["2024", "15"]])] == ["2023; 14", "2024; 15"]
    assert [b.text for b in rows([["A", "B"], ["x", "y", "z"], ["", ""]])] == ["A: x; B: y; z"]
    assert list(rows([])) == []
