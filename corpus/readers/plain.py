"""Plain text in any encoding, and Markdown."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpus.errors import UnreadableFile
from corpus.readers.layout import paragraphs, rows
from corpus.types import Block, Extracted, Metadata

if TYPE_CHECKING:
    from markdown_it.token import Token

SAMPLE = 200_000
"""Bytes that an unknown encoding is guessed from."""
MAX_CONTROLS = 0.02
"""Share of control characters above which a file isn't text."""

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_MAGIC = {
    b"%PDF-": "a PDF",
    b"PK\x03\x04": "a zip archive or office document",
    b"\xd0\xcf\x11\xe0": "an old office document",
    b"\x7fELF": "a program",
    b"MZ\x90": "a program",
    b"\x89PNG": "an image",
    b"\xff\xd8\xff": "an image",
    b"GIF8": "an image",
    b"\x1f\x8b": "a compressed file",
}
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f\ufffd]")
# The marks before the lines of a quoted e-mail.
_QUOTING = re.compile(r"^(?:>[> ]*)", re.MULTILINE)
_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)


class PlainReader:
    """Text files; a form feed starts a page."""

    def read(self, path: Path) -> Extracted:
        pages = _QUOTING.sub("", decoded(path.read_bytes())).split("\f")
        if len(pages) > 1 and not pages[-1].strip():
            pages.pop()
        numbered = enumerate(pages, 1) if len(pages) > 1 else [(None, pages[0])]
        blocks = (b for number, page in numbered for b in paragraphs(page, number))
        return Extracted(tuple(_some(blocks)), origin="text")


class MarkdownReader:
    """Markdown with tables and optional front matter (title, date, tags, audience, url)."""

    def read(self, path: Path) -> Extracted:
        # Only this reader needs the parser, and only in a worker.
        from markdown_it import MarkdownIt

        text = decoded(path.read_bytes())
        match = _FRONT_MATTER.match(text)
        declared, problem = _declared(match.group(1)) if match else ({}, None)
        tokens = MarkdownIt("commonmark", {"html": False}).enable("table").parse(text[match.end() :] if match else text)
        return Extracted(
            tuple(_some(_blocks(tokens))),
            title=str(declared["title"]) if declared.get("title") else None,
            date=_date(declared.get("date")),
            metadata=Metadata(
                tags=_words(declared.get("tags")),
                audience=_words(declared.get("audience")),
                url=str(declared["url"]) if declared.get("url") else None,
                problem=problem,
            ),
            origin="text",
        )


def decoded(data: bytes) -> str:
    """The text of a file's bytes, line ends as newlines; raises `UnreadableFile` for what isn't text."""
    text = _decoded(data).replace("\r\n", "\n").replace("\r", "\n").replace("\x85", "\n")
    sample = text[:SAMPLE]
    if len(_CONTROLS.findall(sample)) > MAX_CONTROLS * max(len(sample), 50):
        raise UnreadableFile("isn't text; give the file the ending of its real format")
    return text


def _decoded(data: bytes) -> str:
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    for magic, what in _MAGIC.items():
        if data.startswith(magic):
            raise UnreadableFile(f"is {what}, not text; give the file the ending of its real format")
    if b"\0" in data[:SAMPLE]:
        return _utf16(data)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        # The last resort, needed for few files.
        from charset_normalizer import from_bytes

        guesses = from_bytes(data[:SAMPLE])
        guess = guesses.best()
        if guess is None:
            raise UnreadableFile("isn't text in any known encoding; save it as UTF-8") from None
        # Code pages that differ in a few signs fit about as well as each other: the commonest of them wins.
        for other in guesses:
            if other.encoding == "cp1252" and other.chaos <= guess.chaos and other.coherence >= guess.coherence - 0.05:
                guess = other
        return data.decode(guess.encoding, "replace")


def _utf16(data: bytes) -> str:
    """UTF-16 without a byte order mark: nearly all zero bytes fall on one side of the pairs."""
    sample = data[: SAMPLE // 2 * 2]
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if min(even, odd) * 20 < max(even, odd) > len(sample) // 8:
        return data.decode("utf-16-le" if odd > even else "utf-16-be", "replace")
    raise UnreadableFile("isn't text (it holds zero bytes); give the file the ending of its real format")


def _some(blocks: Iterator[Block]) -> Iterator[Block]:
    """The same blocks; raises `UnreadableFile` where there are none."""
    first = next(blocks, None)
    if first is None:
        raise UnreadableFile("holds no text")
    yield first
    yield from blocks


def _blocks(tokens: Sequence[Token]) -> Iterator[Block]:
    table: list[list[str]] = []
    in_items = 0
    ordered = [False]
    """Of the lists around, outermost first."""
    for before, token in zip([None, *tokens], tokens, strict=False):
        match token.type:
            case "ordered_list_open" | "bullet_list_open":
                ordered.append(token.type == "ordered_list_open")
            case "ordered_list_close" | "bullet_list_close":
                ordered.pop()
            case "list_item_open":
                in_items += 1
            case "list_item_close":
                in_items -= 1
            case "tr_open":
                table.append([])
            case "table_close":
                yield from rows(table)
                table = []
            case "fence" | "code_block":
                yield Block("paragraph", token.content.strip("\n"))
            case "inline" if before and before.type in ("td_open", "th_open"):
                table[-1].append(_inline(token))
            case "inline" if before and before.type == "heading_open":
                yield Block("heading", _inline(token), level=int(before.tag[1]))
            case "inline":
                yield Block("item" if in_items else "paragraph", _inline(token), ordered=ordered[-1])


def _inline(token: Token) -> str:
    """The text of a line without its markup; a line end in Markdown is a space."""
    parts = {"softbreak": " ", "hardbreak": "\n"}
    return "".join(parts.get(child.type, child.content) for child in token.children or ()).strip()


def _declared(front_matter: str) -> tuple[dict[str, Any], str | None]:
    """What it says, and what of it about the audience nobody would understand."""
    # Only files with front matter need YAML.
    import yaml

    try:
        values = yaml.safe_load(front_matter)
    except (yaml.YAMLError, ValueError):
        return {}, "it isn't YAML"
    if not isinstance(values, dict):
        return {}, "it has no `name: value`" if values else None
    declared = {str(k).lower(): v for k, v in values.items()}
    audience = declared.get("audience")
    if "audiences" in declared:
        return declared, "'audiences': write 'audience'"
    understood = isinstance(audience, str | None) or (
        isinstance(audience, list) and all(isinstance(name, str) and "," not in name for name in audience)
    )
    return declared, None if understood else "'audience' is neither a name nor a list of names"


def _date(value: object) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    # A date in words is read as it would be in the text.
    from corpus.dating import parse_date

    return parse_date(value) if isinstance(value, str) else None


def _words(value: object) -> tuple[str, ...]:
    parts = value.split(",") if isinstance(value, str) else value if isinstance(value, list) else []
    return tuple(str(part).strip() for part in parts if str(part).strip())
