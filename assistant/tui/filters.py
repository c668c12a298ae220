"""The last step before the terminal: nothing leaves that moves its cursor, or that its encoding lacks."""

from __future__ import annotations

import os
import sys
import unicodedata
from functools import cache, lru_cache

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from corpus.sanitizing import sanitize

_BREAKS = str.maketrans("\n\t", "  ")
_STAND_INS = {
    '"': "❝❞“”«»„",
    "'": "‘’‚′",
    "+": "✓✔",
    "x": "✗✘☑×",
    "#": "≠█▓▒▉▊▋",
    "%": "✂",
    "~": "⧗◌≈",
    ">": "⇥↳↪↗▸▹▶→›❯",
    "<": "⏎⌫◂◀←‹",
    "^": "⇧↑▲",
    "v": "↓▼▾",
    "-": "⊘–—‑−▔▀─━┄┅┈┉═╌╍╴╶╸╺",
    "_": "☐▁▂▃▄▅▆▇",
    "|": "▌▐▍▎▏▕│┃┆┇┊┋║╎╏╵╷╹╻",
    "*": "●★•",
    "o": "○◯",
    "!": "⚠",
    "(": "⊂",
    ".": "·…░",
    " ": "\xa0\u2002\u2003\u2009\u200a\u202f",
}
"""For our own signs and Textual's, one cell each."""
_SIGNS = {sign: ascii for ascii, signs in _STAND_INS.items() for sign in signs}


class Cleaned(LineFilter):
    """The net under `plain`: no control, hidden or reordered character, and no link, in whatever widget."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002 - as Textual calls it
        for text, style, control in segments:
            if control or (style and style.link) or not (text.isascii() and text.isprintable()):
                return [_cleaned(segment) for segment in segments]
        return segments


class Spoken(LineFilter):
    """Signs that the terminal's encoding lacks become ASCII ones, and other characters question marks."""

    def __init__(self, encoding: str) -> None:
        super().__init__()
        self._said = lru_cache(4096)(lambda text: _said(text, encoding))

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002 - as Textual calls it
        return [
            segment if segment.text.isascii() else Segment(self._said(segment.text), segment.style)
            for segment in segments
        ]


@cache
def line_filters() -> tuple[LineFilter, ...]:
    """Those that this process's terminal needs; the same ones each time, because Textual caches lines by filter."""
    # A browser is told everything in UTF-8; Textual writes to a terminal through stderr.
    encoding = "utf-8" if "TEXTUAL_DRIVER" in os.environ else getattr(sys.__stderr__, "encoding", None) or "utf-8"
    return (Cleaned(),) if encoding.lower().startswith("utf") else (Cleaned(), Spoken(encoding))


def _cleaned(segment: Segment) -> Segment:
    text, style, _ = segment
    if style and style.link:
        style = style.update_link(None)
    return Segment(text if text.isascii() and text.isprintable() else _shown(text), style)


@lru_cache(4096)
def _shown(text: str) -> str:
    """As `sanitize`, in one line and as many cells."""
    shown = sanitize(text).translate(_BREAKS)
    return text if shown == text else set_cell_size(shown, cell_len(text))


def _said(text: str, encoding: str) -> str:
    return "".join(character if _encodes(character, encoding) else _stand_in(character) for character in text)


def _encodes(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _stand_in(character: str) -> str:
    """ASCII of as many cells."""
    if sign := _SIGNS.get(character):
        return sign
    if "\u2500" <= character <= "\u257f":  # corners and crossings of frames
        return "+"
    plain = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    letter = plain if len(plain) == 1 and character.isalpha() else "?"
    return letter.ljust(cell_len(character), "?")[: cell_len(character)]
