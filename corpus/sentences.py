"""Sentences with exact offsets, by nupunkt."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nupunkt import PunktSentenceTokenizer

MAX_WORDS = 120
MAX_CHARACTERS = 900
"""A sentence above either is cut: at a clause, else at white space, else anywhere."""

# The model's own list was learned from scanned law reports and holds words such as "park" and "tax". These
# take its place, initials and words with inner stops apart: lower case, without the last stop. A title or a
# reference never ends a sentence; another abbreviation does unless what follows reads as going on.
TITLES = (
    "cllr cllrs cncllr ald rev revd hon mr mrs ms mx dr prof messrs sgt insp supt capt lieut col gen st nos "
    "para paras fig figs ref refs tel fax ext approx sch cf viz vs eg ie e.g i.e"
)
ABBREVIATIONS = (
    "dept govt est incl excl inc ltd plc llp co corp bros assoc asst dep jr sr jan feb apr jun jul aug sept "
    "sep oct nov dec mon tue tues wed thu thur thurs fri wks hrs hr min mins secs sq rd ave blvd ch vol vols "
    "ed eds edn pp p no app sec art cl reg regs pt al etc seq ibid esp max misc univ v c ca mt ft lb oz kg "
    "km yr yrs maj lt cpl cmdr sen rep gov pres"
)

_ENUMERATOR = re.compile(r"\(?(?:\d{1,3}(?:\.\d{1,3})*|[a-zA-Z]|[ivx]{1,5})[.)]")
_LINE = re.compile(r"[^\n]+")
_CLAUSE_END = re.compile(r"[;:,–—]\s+")
_INK = re.compile(r"\S")
_STARTER = re.compile(r"\s+(?:The|This|These|It|We|He|She|They|In|At|On|If|There|All)\b")
_WORD = re.compile(r"\S+")
_GOES_ON = re.compile(r"(?:^|[\s(])(?:" + "|".join(map(re.escape, TITLES.split())) + r")\.$", re.IGNORECASE)


def split_sentences(text: str) -> list[tuple[int, int]]:
    """Start and end of each sentence, in order, without surrounding white space; a line's end ends one.

    Takes time linear in the length of the text. All that is between two sentences is white space.
    """
    return [
        piece
        for line in _LINE.finditer(text)
        for span in _line_spans(text, line.start(), line.end())
        for piece in _cut(text, *span)
    ]


@cache
def _tokenizer() -> PunktSentenceTokenizer:
    # Takes .1 s to load and is needed by workers only.
    import nupunkt

    tokenizer = nupunkt.load_default_model()
    for learned in tokenizer.abbreviations:
        if len(learned) > 1 and "." not in learned:
            tokenizer.remove_abbreviation(learned)
    tokenizer.add_abbreviations(f"{TITLES} {ABBREVIATIONS}".split())
    return tokenizer


def _line_spans(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """nupunkt's sentences of one line, joined again where it parts a title or a number from its sentence."""
    line = text[start:end]
    pending: int | None = None
    for first, last in _tokenizer().span_tokenize(line):
        piece = line[first:last]
        left, right = first + len(piece) - len(piece.lstrip()), first + len(piece.rstrip())
        if left >= right:
            continue
        begin = left if pending is None else pending
        title = _GOES_ON.search(line[max(begin, right - 12) : right]) and not _STARTER.match(line, right)
        if title or (right - begin < 12 and _ENUMERATOR.fullmatch(line[begin:right])):
            pending = begin
            continue
        pending = None
        yield start + begin, start + right
    if pending is not None:
        yield start + pending, start + len(line.rstrip())


def _cut(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The span in pieces of at most MAX_WORDS words and MAX_CHARACTERS characters."""
    while True:
        words = islice(_WORD.finditer(text, start, min(end, start + MAX_CHARACTERS)), MAX_WORDS + 1)
        limit = start + MAX_CHARACTERS
        for count, word in enumerate(words):
            if count == MAX_WORDS:
                limit = word.start()
        if end <= limit:
            yield start, end
            return
        middle = start + (limit - start) // 2
        clauses = [m.end() for m in _CLAUSE_END.finditer(text, middle, limit)]
        space = text.rfind(" ", start + 1, limit)
        at = clauses[-1] if clauses else space if space > 0 else limit
        piece = text[start:at].rstrip()
        if piece:
            yield start, start + len(piece)
        rest = _INK.search(text, at, end)
        if rest is None:
            return
        start = rest.start()
