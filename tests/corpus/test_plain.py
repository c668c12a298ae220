from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from corpus.errors import UnreadableFile
from corpus.readers.plain import MarkdownReader, PlainReader
from corpus.types import Block, Metadata

PROSE = "The café’s fee is £5 – a rise of 2 per cent for every visitor.\nIt closes at six.\n" * 5


def read(path: Path, content: bytes) -> tuple[Block, ...]:
    path.write_bytes(content)
    return PlainReader().read(path).blocks


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "mac-roman"]
)
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_every_encoding_and_line_end_gives_the_same_text(encoding: str, line_end: str, tmp_path: Path) -> None:
    blocks = read(tmp_path / "a.txt", PROSE.replace("\n", line_end).encode(encoding))
    assert [block.text for block in blocks] == [PROSE.strip()]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"%PDF-1.7\n", "is a PDF, not text"),
        (b"PK\x03\x04" + b"x" * 99, "is a zip archive"),
        (b"\x7fELF\x02\x01", "is a program"),
        (bytes(range(256)) * 40, "zero bytes"),
        (bytes(range(1, 32)) * 40, "isn't text"),
        (b"", "holds no text"),
    ],
)
def test_a_binary_named_text_is_refused(content: bytes, reason: str, tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match=reason):
        read(tmp_path / "a.txt", content)


def test_a_form_feed_starts_a_page(tmp_path: Path) -> None:
    blocks = read(tmp_path / "a.txt", b"First page here.\n\fSecond page here.\n\f")
    assert [(block.text, block.page) for block in blocks] == [("First page here.", 1), ("Second page here.", 2)]


def test_headings_items_and_paragraphs(tmp_path: Path) -> None:
    text = (
        "Report on the halls\n\n1. INTRODUCTION\n\nThe halls were full.\nThey pay.\n\nWhat is next?\n\n"
        "The committee will look at it again in May and June.\n\n"
        "- First point\n  goes on\n• Second point\n3. Third point\n\nJust a line.\n\nTel: 020 7946 0000\n\nEnd of it\n"
    )
    blocks = read(tmp_path / "a.txt", text.encode())
    assert [(block.kind, block.text) for block in blocks] == [
        ("heading", "Report on the halls"),
        ("heading", "1. INTRODUCTION"),
        ("paragraph", "The halls were full.\nThey pay."),
        ("heading", "What is next?"),
        ("paragraph", "The committee will look at it again in May and June."),
        ("item", "First point\n  goes on"),
        ("item", "Second point"),
        ("item", "3. Third point"),
        ("paragraph", "Just a line."),
        ("paragraph", "Tel: 020 7946 0000"),
        ("paragraph", "End of it"),
    ]


def test_markdown_structure_and_front_matter(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_text(
        "---\ntitle: Parking rules\ndate: 2024-05-01\ntags: [parking, roads]\naudience: staff, residents\n"
        "url: https://example.org/p\n---\n# Parking\n\nSome **bold** text\nand a [link](http://x.org/).\n\n"
        "- one\n- two `code`\n\n## Fees\n\n| Zone | Fee |\n|--|--|\n| A | £3 |\n\n<script>alert(1)</script>\n"
    )
    extracted = MarkdownReader().read(path)
    assert (extracted.title, extracted.date) == ("Parking rules", date(2024, 5, 1))
    assert extracted.metadata == Metadata(("parking", "roads"), ("staff", "residents"), "https://example.org/p")
    assert [(b.kind, b.level, b.text) for b in extracted.blocks] == [
        ("heading", 1, "Parking"),
        ("paragraph", 0, "Some bold text and a link."),
        ("item", 0, "one"),
        ("item", 0, "two code"),
        ("heading", 2, "Fees"),
        ("row", 0, "Zone: A; Fee: £3"),
        ("paragraph", 0, "<script>alert(1)</script>"),
    ]


@pytest.mark.parametrize("front", ["---\n[unclosed\n---\n", "---\n- a list\n---\n", "---\ndate: 99\ntitle: {}\n---\n"])
def test_front_matter_that_is_none_is_no_error(front: str, tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_text(front + "Text here.\n")
    extracted = MarkdownReader().read(path)
    assert (extracted.blocks[-1].text, extracted.title, extracted.date) == ("Text here.", None, None)
