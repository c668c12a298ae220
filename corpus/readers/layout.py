"""Paragraphs, headings, list items and table rows: what the readers have in common."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from corpus.types import Block

MAX_HEADING = 80
"""Characters of the longest line taken for a heading."""
MAX_TITLE = 150
"""The same for the first line of a document."""

_BULLET = re.compile(r"[ \t\xa0]*(?:[·•‣▪▫●○◦■□\uf0b7\x7f]|[-–—*+](?=[ \t\xa0]))[ \t\xa0]*(?=\S)")
_NUMBERED = re.compile(r"[ \t\xa0]*\(?(?:\d{1,3}(?:\.\d{1,3})*|[a-z]|[ivx]{1,5})[.)][ \t\xa0]+(?=\S)")
_BLANK_LINES = re.compile(r"\n(?:[ \t\xa0]*\n)+")
_ENDS_SENTENCE = re.compile(r"[.!?:;,…][\"'”’)\]]*$")
_QUESTION = re.compile(r"(?:What|Who|When|Where|Why|How|Which|Can|Do|Does|Is|Are|Will|Should|Must)\b[^.!?]{3,70}\?")


def paragraphs(text: str, page: int | None = None) -> Iterator[Block]:
    """Blocks of plain text: blank lines part paragraphs, a bullet or a number starts an item.

    A heading is a short line that stands alone between blank lines, ends without punctuation and has a
    paragraph below; the first line of a document may be longer.
    """
    pieces = [piece for piece in _BLANK_LINES.split(text) if piece.strip()]
    for position, piece in enumerate(pieces):
        first = position == 0 and page in (None, 1)
        below = pieces[position + 1] if position + 1 < len(pieces) else ""
        above = pieces[position - 1].rstrip() if position else ""
        stands = below and not above.endswith(",") and (first or not is_heading(below, "."))
        if stands and is_heading(piece, below, MAX_TITLE if first else MAX_HEADING):
            yield Block("heading", piece.strip(), level=2, page=page)
        else:
            yield from _items(piece, page)


def is_heading(piece: str, below: str, longest: int = MAX_HEADING) -> bool:
    """Whether text between blank lines reads as a heading of what is below; rather no than yes."""
    line = piece.strip()
    number = _NUMBERED.match(line)
    words = line[number.end() :] if number else line
    return (
        "\n" not in line
        and 3 <= len(words) <= longest
        and words[0].isupper()
        and not (number and _NUMBERED.match(below))
        and not (_ENDS_SENTENCE.search(line) and not (_QUESTION.fullmatch(line) and len(below) > len(line)))
        and not re.search(r"\d{4}$|@|://|\b\d{3,}[ \d]{4,}$|[.!?] |^\w+: .*\d", words)
    )


def _items(piece: str, page: int | None) -> Iterator[Block]:
    """One paragraph, or the items that its lines start."""
    kind, lines = "paragraph", list[str]()
    for line in piece.split("\n"):
        bullet = _BULLET.match(line)
        if bullet or _NUMBERED.match(line):
            yield from _block(kind, lines, page)
            kind, lines = "item", [line[bullet.end() :] if bullet else line]
        else:
            lines.append(line)
    yield from _block(kind, lines, page)


def _block(kind: str, lines: Sequence[str], page: int | None) -> Iterator[Block]:
    if text := "\n".join(lines).strip():
        yield Block("item" if kind == "item" else "paragraph", text, page=page)


def rows(table: Sequence[Sequence[str]], page: int | None = None) -> Iterator[Block]:
    """A table as lines that stand for themselves: `Service: Hall; Fee: £30`.

    The first row names the columns when it has a text in each of several columns and none is a figure;
    otherwise cells are listed without names.
    """
    cells = [[" ".join(cell.split()) for cell in row] for row in table]
    cells = [row for row in cells if any(row)]
    names = cells[0] if len(cells) > 1 and _names_columns(cells[0]) else []
    for row in cells[1:] if names else cells:
        named = [
            f"{names[i]}: {cell}" if i < len(names) and names[i] and names[i] != cell else cell
            for i, cell in enumerate(row)
            if cell
        ]
        if named:
            yield Block("row", "; ".join(named), page=page)


def _names_columns(row: Sequence[str]) -> bool:
    return sum(map(bool, row)) > 1 and not any(re.match(r"[-£$€(]?\d", cell) or len(cell) > 60 for cell in row)
