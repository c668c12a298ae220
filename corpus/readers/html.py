"""Web pages: the main content, without navigation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from corpus.errors import UnreadableFile
from corpus.readers.layout import rows
from corpus.types import Block, Extracted, Metadata

if TYPE_CHECKING:
    from lxml.etree import _Element


MIN_TEXT = 20
"""Characters of main content below which the whole page is taken, navigation and all."""


class HtmlReader:
    """Main content, title, date and tags as trafilatura finds them."""

    def read(self, path: Path) -> Extracted:
        # Takes a second to import and is needed for web pages only.
        from trafilatura import bare_extraction
        from trafilatura.settings import use_config

        config = use_config()
        config.set("DEFAULT", "MIN_EXTRACTED_SIZE", str(MIN_TEXT))
        config.set("DEFAULT", "MIN_OUTPUT_SIZE", "1")
        page = bare_extraction(
            path.read_bytes(),
            config=config,
            favor_recall=True,
            include_comments=False,
            include_tables=True,
            with_metadata=True,
            date_extraction_params={"extensive_search": False, "original_date": True},
        )
        blocks = () if page is None or isinstance(page, dict) or page.body is None else tuple(_blocks(page.body))
        if not blocks or page is None or isinstance(page, dict):
            raise UnreadableFile("holds no text that can be read; the page may need a browser to show its content")
        return Extracted(
            blocks,
            title=page.title or None,
            date=date.fromisoformat(page.date) if page.date else None,
            metadata=Metadata(tags=tuple(page.tags or ()), url=page.url or None),
            origin="web",
        )


def _blocks(parent: _Element) -> Iterator[Block]:
    for element in parent:
        match element.tag:
            case "head":
                level = (element.get("rend") or "h2")[1:]
                yield from _block(element, Block("heading", "", level=int(level) if level.isdigit() else 2))
            case "list":
                for item in element:
                    yield from _block(item, Block("item", "", ordered=element.get("rend") == "ol"))
            case "table":
                yield from rows([[_text(cell) for cell in row if cell.tag == "cell"] for row in element.iter("row")])
            case "div" | "quote" | "body":
                yield from _blocks(element) if len(element) else _block(element, Block("paragraph", ""))
            case _:
                yield from _block(element, Block("paragraph", ""))


def _block(element: _Element, like: Block) -> Iterator[Block]:
    if text := _text(element):
        yield replace(like, text=text)


def _text(element: _Element) -> str:
    """Text with line breaks kept and other white space folded."""
    parts: list[str] = []
    for node in element.iter():
        if node.tag == "lb":
            parts.append("\n")
        elif node.tag == "item" and node is not element:
            parts.append("; ")
        parts.append(" ".join((node.text or "").split(" ")) if node.text else "")
        if node is not element and node.tail:
            parts.append(node.tail)
    lines = "".join(parts).split("\n")
    return "\n".join(line for line in (" ".join(line.split()) for line in lines) if line)
