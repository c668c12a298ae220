"""What every reader owes: the blocks of a known file, whole and in order, and a reason for a file without any."""

from __future__ import annotations

import hashlib
from pathlib import Path
from types import ModuleType

import pytest

from corpus.chunking import chunk_document
from corpus.documents import build_document
from corpus.errors import UnreadableFile
from corpus.readers import KNOWN_SUFFIXES, reader_for

MAKERS = {
    ".txt": "text_file",
    ".text": "text_file",
    ".md": "markdown_file",
    ".markdown": "markdown_file",
    ".html": "html_file",
    ".htm": "html_file",
    ".xhtml": "html_file",
    ".pdf": "pdf_file",
    ".docx": "docx_file",
    ".csv": "csv_file",
    ".tsv": "csv_file",
}
PROSE = [suffix for suffix in sorted(MAKERS) if MAKERS[suffix] != "csv_file"]
every_suffix = pytest.mark.parametrize("suffix", sorted(MAKERS))


def test_every_known_suffix_is_under_contract() -> None:
    assert set(MAKERS) == KNOWN_SUFFIXES


@pytest.mark.parametrize("suffix", PROSE)
def test_a_heading_then_its_paragraph_then_the_row(suffix: str, make: ModuleType, tmp_path: Path) -> None:
    extracted = reader_for(suffix).read(getattr(make, MAKERS[suffix])(tmp_path / f"file{suffix}"))
    blocks = [(block.kind, block.text) for block in extracted.blocks]
    assert blocks[0] == ("heading", make.HEADING)
    assert blocks[1] == ("paragraph", " ".join(make.SENTENCES))
    assert blocks[2][1] == make.ROW_TEXT
    assert len(blocks) == 3


@every_suffix
def test_a_row_names_its_columns(suffix: str, make: ModuleType, tmp_path: Path) -> None:
    extracted = reader_for(suffix).read(getattr(make, MAKERS[suffix])(tmp_path / f"file{suffix}"))
    assert extracted.blocks[-1].text == make.ROW_TEXT


@every_suffix
def test_only_headings_have_levels_and_pages_count_from_one(suffix: str, make: ModuleType, tmp_path: Path) -> None:
    extracted = reader_for(suffix).read(getattr(make, MAKERS[suffix])(tmp_path / f"file{suffix}"))
    for block in extracted.blocks:
        assert block.text.strip()
        assert (block.level > 0) == (block.kind == "heading")
        assert block.page == (1 if suffix == ".pdf" else None)


@every_suffix
def test_reading_twice_gives_the_same(suffix: str, make: ModuleType, tmp_path: Path) -> None:
    path = getattr(make, MAKERS[suffix])(tmp_path / f"file{suffix}")
    assert reader_for(suffix).read(path) == reader_for(suffix.upper()).read(path)


@every_suffix
def test_every_offset_points_at_its_text(suffix: str, make: ModuleType, tmp_path: Path) -> None:
    path = getattr(make, MAKERS[suffix])(tmp_path / f"file{suffix}")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    document = build_document(reader_for(suffix).read(path), path.name, digest)
    chunks = chunk_document(document)
    assert document.id == digest[:32]
    quoted = [document.text[start:end] for chunk in chunks for start, end in chunk.sentences]
    assert quoted == ([] if MAKERS[suffix] == "csv_file" else list(make.SENTENCES)) + [make.ROW_TEXT]
    assert all(document.text[chunk.start : chunk.end] == chunk.text for chunk in chunks)


@every_suffix
@pytest.mark.parametrize(
    "content", [b"", b" \n\n \t\n", b"\x00\x01\x02\x03" * 300, b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9]
)
def test_a_file_without_text_is_refused_with_a_reason(suffix: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / f"file{suffix}"
    path.write_bytes(content)
    with pytest.raises(UnreadableFile) as caught:
        reader_for(suffix).read(path)
    reason = str(caught.value)
    assert len(reason) > 10 and "\n" not in reason and str(tmp_path) not in reason
