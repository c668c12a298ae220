"""The one function between outside text and whatever shows or stores it."""

from __future__ import annotations

import re
import unicodedata

MAX_COMBINING_MARKS = 8

_LINE_ENDS = re.compile("\r\n|[\r\x85\u2028\u2029]")
# Letters and punctuation of everyday text, none of which `_shown` changes; anything else takes the slow path.
_SUSPECT = re.compile(
    "[^\n\t -~\xa0-\xac\xae-\u02ff\u0391-\u03a1\u03a3-\u03ff\u0400-\u0482\u048a-\u052f\u1e00-\u1eff\u2000-\u200a"
    "\u2010-\u2027\u202f-\u205f\u20a0-\u20bf\u2190-\u2426\u2460-\u2b73\u3001-\u3029\u3041-\u3096\u30a1-\u30ff\u4e00-\u9ffc\uac00-\ud7a3\ufffd]"
)
_BIDIRECTIONAL = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_JOINERS = frozenset("\u200c\u200d")
# Characters that Unicode calls letters but that show as nothing.
_BLANK_LETTERS = frozenset("\u115f\u1160\u3164\uffa0")


def sanitize(text: str) -> str:
    """Text that can be shown anywhere: no control sequence, no hidden or reordered character. Idempotent.

    Line ends become newlines; control characters become their visible pictures (U+2400 on); bidirectional
    controls, surrogates, private and unassigned characters become U+FFFD; invisible ones go. A joiner stays
    where scripts and emoji need it, after a letter, mark or symbol. At most eight combining marks follow one
    another.
    """
    text = _LINE_ENDS.sub("\n", text)
    return text if _SUSPECT.search(text) is None else _rewritten(text)


def _rewritten(text: str) -> str:
    kept: list[str] = []
    marks = 0
    before = " "
    for character in text:
        shown = _shown(character, before)
        if not shown:
            continue
        if unicodedata.category(shown)[0] == "M":
            marks += 1
        elif shown not in _JOINERS:
            marks = 0
        if marks <= MAX_COMBINING_MARKS:
            kept.append(shown)
            before = shown
    return "".join(kept)


def _shown(character: str, before: str) -> str:
    """What stands for one character after `before`, the last one kept; empty where it goes."""
    code = ord(character)
    if character in "\n\t" or 0x20 <= code < 0x7F:
        return character
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    if character in _BIDIRECTIONAL:
        return "\ufffd"
    if character in _JOINERS:
        return character if unicodedata.category(before)[0] in "LMS" else ""
    category = unicodedata.category(character)
    if category == "Cf" or character in _BLANK_LETTERS:
        return ""
    return "\ufffd" if category in ("Cc", "Cs", "Co", "Cn") else character
