"""Readers by the ending of a file's name; a reader's module is imported when a file asks for it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import cast

from corpus.errors import UsageError
from corpus.types import Reader

ENTRY_POINTS = "assistant.readers"
"""Group of third parties' readers: the name is a suffix such as `.odt`, the value a class of no arguments."""

_READERS = {
    ".txt": "corpus.readers.plain:PlainReader",
    ".text": "corpus.readers.plain:PlainReader",
    ".md": "corpus.readers.plain:MarkdownReader",
    ".markdown": "corpus.readers.plain:MarkdownReader",
    ".html": "corpus.readers.html:HtmlReader",
    ".htm": "corpus.readers.html:HtmlReader",
    ".xhtml": "corpus.readers.html:HtmlReader",
    ".pdf": "corpus.readers.pdf:PdfReader",
    ".docx": "corpus.readers.docx:DocxReader",
    ".csv": "corpus.readers.table:TableReader",
    ".tsv": "corpus.readers.table:TableReader",
}


def readers() -> dict[str, str]:
    """Suffix to `module:class`, those of installed plugins first; imports none of them."""
    return _READERS | {point.name.lower(): point.value for point in entry_points(group=ENTRY_POINTS)}


KNOWN_SUFFIXES = frozenset(_READERS)
"""What the product itself reads; `readers()` adds the plugins'."""


def reader_for(suffix: str) -> Reader:
    """A reader of files that end in `suffix`, case aside."""
    return _class_for(suffix.lower())()


# Asking every installed package for its entry points takes longer than reading a short file.
@cache
def _class_for(suffix: str) -> Callable[[], Reader]:
    known = readers()
    if suffix not in known:
        raise UsageError(f"unsupported format {suffix!r}; known are {' '.join(sorted(known))}")
    module, _, name = known[suffix].partition(":")
    return cast("Callable[[], Reader]", getattr(import_module(module), name))
