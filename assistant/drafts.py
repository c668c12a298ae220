"""From a draft, as a model writes it, to plain sentences with the passage numbers that it gives for each.

Nothing is repaired: a number that wasn't offered stays. Markdown is undone, links and images lose what they point to.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from assistant.prompting import refuses
from assistant.types import Passage
from corpus.sentences import split_sentences

MOST_RANGE = 20
"""Numbers that `[1-9]` may stand for; a longer range stands for its two ends."""

_LINE_END = re.compile(r"[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_LIST = r"\d{1,6}(?:\s*(?:[,;&]|and|[-–—])\s*\d{1,6}){0,60}"
_WORD = r"(?:(?:passages?|sources?|documents?|refs?)\.?\s*)"
_MARKER = re.compile(rf"[\[［【]\s*\^?{_WORD}?({_LIST})\s*(?:†[^】\n]{{0,80}})?[\]］】]|\({_WORD}({_LIST})\s*\)", re.I)
_THEN_STOP = re.compile(rf"(?:\s{{0,9}}(?:{_MARKER.pattern})){{0,20}}\s{{0,9}}[.,;:!?。]", re.I)
_NUMBERS = re.compile(r"(\d+)(?:\s*[-–—]\s*(\d+))?")
_LAST_MARKER = re.compile(r"\[\s*(\d{1,6})\s*\]$")
_BEGUN_MARKER = re.compile(r"[\[［【][^\[\]［］【】]{0,200}$")
_FENCE = re.compile(r"\s*(?:```|~~~)")
_BULLET = re.compile(r"\s*(?:>\s?)*(?:[-*+•‣·–]\s+|\d{1,2}[.)]\s+)?")
_HEADING = re.compile(r"\s*(?:#{1,6}\s|(\*\*|__)[^*_]+\1:?\s*$)")
_DEFINITION = re.compile(r"\s*\[\^?\d{1,6}\]:\s|\W*(?:sources|references|citations)\W*:", re.I)
_CODE = re.compile(r"`([^`]*)`")
_IMAGE = re.compile(r"[ \t]?!\[[^\[\]]*\]\([^()\s]*\)")
_LINK = re.compile(r"\[([^\[\]]*)\]\([^()\s]*\)")
_STRESS = re.compile(
    r"(\*\*\*|\*\*|__)(?=[^\s*_])([^*_]*[^\s*_])\1|(?<![\w*])([*_])(?=[^\s*_])([^*_]*[^\s*_])\3(?![\w*])"
)
_CONSTRUCTS = (
    ((_CODE,), re.compile("`")),
    ((_IMAGE, _LINK, _MARKER), re.compile(r"[\[［【]|\((?=(?:passage|source|document|ref))", re.I)),
    ((_STRESS,), re.compile(r"(?<!\w)(?:\*\*|__|[*_](?=\S))")),
)
"""What is taken out of a line, in this order, and what opens one that isn't closed yet."""
_FULL_STOP = re.compile(r"(?<=[。！？｡।॥])\s*")
_STABLE = re.compile(r"(?:.*[\s。！？｡।॥])?", re.S)
_ENDED = re.compile(r"[.!?。！？][”’\"')\s]*$|[\]］】]\s*$")
_INK = re.compile(r"[^\s.!?。！？*_#>-]")


@dataclass(frozen=True, slots=True)
class _Sentence:
    text: str
    numbers: tuple[int, ...] = ()
    aside: bool = False
    """Whether it is no statement unless it has numbers: a heading, or what announces a list."""

    def given(self, numbers: Sequence[int], first: bool = False) -> _Sentence:
        every = (*numbers, *self.numbers) if first else (*self.numbers, *numbers)
        return replace(self, numbers=tuple(dict.fromkeys(every)))


class DraftParser:
    """Reads a draft as it is written. However it is cut into deltas, it is the same sentences that come out."""

    def __init__(self, passages: Sequence[Passage] = ()) -> None:
        self._passages = passages
        self._texts = [" ".join(p.chunk.text.split()) for p in passages]
        self._line = ""
        """What the unfinished line has so far."""
        self._examined = 0
        """Characters of the unfinished line that were looked at for sentences."""
        self._given = 0
        """Sentences of the unfinished line that were given out."""
        self._last: _Sentence | None = None
        """Waits for numbers on lines of their own."""
        self._early: tuple[int, ...] = ()
        """Numbers before the first sentence; they go to it."""
        self._fenced = False
        self._given_out: set[tuple[str, tuple[int, ...]]] = set()

    def feed(self, delta: str) -> list[tuple[str, tuple[int, ...]]]:
        """The sentences that are certain now: the next has begun, so that no further number can belong to them."""
        *lines, line = _LINE_END.split(self._line + delta)
        found: list[_Sentence] = []
        for complete in lines:
            found += self._take(complete)
        self._line = line
        if lines:
            self._examined = 0
        # Seldom in a long line: each look reads all of it.
        if len(line) - self._examined > len(line) // 32 and not self._fenced:
            self._examined = len(line)
            found += self._certain()
        return self._statements(found)

    def finish(self, cut: bool = False) -> list[tuple[str, tuple[int, ...]]]:
        """The rest; of a draft that was cut, without a last sentence that has no end."""
        found = [*self._take(self._line), *([self._last] if self._last else [])]
        if cut and found and _INK.search(self._line) and not _ENDED.search(self._line):
            found.pop()
        self._line, self._last = "", None
        if self._early and not found:
            self._early = ()
        return self._statements(found)

    def _statements(self, found: Sequence[_Sentence]) -> list[tuple[str, tuple[int, ...]]]:
        """Each but once: models that run on say the same again and again."""
        stated = [(s.text, s.numbers) for s in found if s.numbers or not (s.aside or refuses(s.text))]
        new = [one for one in dict.fromkeys(stated) if one not in self._given_out]
        self._given_out.update(new)
        return new

    def _take(self, line: str) -> Iterator[_Sentence]:
        """The end of a line has come: all its sentences but the last are certain."""
        given, self._given = self._given, 0
        if _FENCE.match(line):
            self._fenced = not self._fenced
            return
        before: tuple[int, ...] = ()
        quotation = None if self._fenced else quoted_line(line, self._passages)
        if self._fenced:
            text = " ".join(line.split())
            sentences = [_Sentence(text)] if _INK.search(text) else []
        elif quotation is not None:
            sentences = [_Sentence(*quotation)]
        else:
            before, sentences = _sentences(line)
        if not given:
            self._before(before, sentences)
        for sentence in self._opened(sentences, given):
            if self._last is not None:
                yield self._last
            self._last = sentence

    def _before(self, numbers: tuple[int, ...], sentences: list[_Sentence]) -> None:
        """Numbers on a line of their own go to the sentence before, else to the next."""
        if numbers and not sentences and self._last is not None:
            self._last = self._last.given(numbers)
        elif not sentences:
            self._early += numbers

    def _opened(self, sentences: list[_Sentence], given: int) -> list[_Sentence]:
        """Those not given out yet, the first of the draft with the numbers before it."""
        if sentences and self._early and not given:
            sentences[0] = sentences[0].given(self._early, first=True)
            self._early = ()
        return sentences[given:]

    def _certain(self) -> Iterator[_Sentence]:
        whole = _STABLE.match(self._line)
        line = whole.group() if whole else ""
        if not _INK.search(line) or _HEADING.match(line) or _DEFINITION.match(line) or _FENCE.match(line):
            return
        opened = _MARKER.sub("", _closed(line))
        if self._last is not None and _INK.search(opened[_bullet(opened) :]):  # no mere numbers
            yield self._last
            self._last = None
        begun = " ".join(_BEGUN_MARKER.sub("", _MARKER.sub("", line)).split())
        if any(begun in text for text in self._texts):
            return  # the line may yet be one quotation
        line = _closed(line)
        _, sentences = _sentences(line)
        # The last has begun once it has two whole words: until then its first may belong to the sentence before.
        if len(sentences) < 2:
            return
        if len(sentences[-1].text.split()) < 2 and not _FULL_STOP.search(sentences[-2].text):
            return
        for sentence in self._opened(sentences[:-1], self._given):
            if self._last is not None:
                yield self._last
                self._last = None
            self._given += 1
            yield sentence


def parse_draft(draft: str, passages: Sequence[Passage] = ()) -> list[tuple[str, tuple[int, ...]]]:
    """Sentences of a whole draft, each with the passage numbers written for it, in order.

    A number belongs to the sentence that it stands in, or that it follows; at the start of a line, to the next. A line
    never runs on into the next. A line that one of its `passages` holds word for word is one quotation, however many
    sentences or bracketed numbers it has. Headings and a model's words that it has no answer are left out.
    """
    parser = DraftParser(passages)
    return [*parser.feed(draft), *parser.finish()]


def quoted_line(line: str, passages: Sequence[Passage]) -> tuple[str, tuple[int, ...]] | None:
    """A line's text and numbers, where a passage of one of the numbers at its end holds the text word for word."""
    text = line.strip()
    numbers: tuple[int, ...] = ()
    while (last := _LAST_MARKER.search(text)) is not None:
        text = text[: last.start()].rstrip()
        numbers = (int(last.group(1)), *numbers)
        if any(locate(text, p) for p in passages if p.number in numbers):
            return text, tuple(dict.fromkeys(numbers))
    return None


def locate(sentence: str, passage: Passage) -> tuple[int, int] | None:
    """Where the passage says `sentence` word for word (white space apart), in characters of the document.

    It must be one or more whole sentences there: a clipping of "No dogs are allowed" may say the opposite.
    """
    chunk = passage.chunk
    spans = chunk.sentences or ((chunk.start, chunk.end),)
    starts, ends = {start for start, _ in spans}, {end for _, end in spans}
    pattern = r"\s+".join(re.escape(part) for part in sentence.split())
    found = re.finditer(pattern, chunk.text) if pattern else ()
    places = ((chunk.start + match.start(), chunk.start + match.end()) for match in found)
    return next(((start, end) for start, end in places if start in starts and end in ends), None)


def _sentences(line: str) -> tuple[tuple[int, ...], list[_Sentence]]:
    """Numbers of a line without a sentence, and the sentences of any other, markup undone."""
    if _DEFINITION.match(line):
        return (), []
    heading = _HEADING.match(line)
    text, marks = _plain(line[heading.end() :] if heading and not heading.group(1) else line[_bullet(line) :])
    spans = [(text, 0)] if heading else list(_pieces(text))
    starts = [(start, piece) for piece, start in spans if _INK.search(piece)]
    if not starts:
        return tuple(n for _, numbers in marks for n in numbers), []
    found = []
    for place, (start, piece) in enumerate(starts):
        end = starts[place + 1][0] if place + 1 < len(starts) else len(text) + 1
        numbers = [n for at, many in marks for n in many if (start < at or place == 0) and at <= end]
        sentence = _Sentence(" ".join(piece.split()), aside=heading is not None or piece.rstrip().endswith(":"))
        found.append(sentence.given(numbers))
    return (), found


def _closed(line: str) -> str:
    """The line up to a marker, link or stress that isn't closed yet."""
    masked = line
    for patterns, opening in _CONSTRUCTS:
        for pattern in patterns:
            masked = pattern.sub(lambda m: "\0" * len(m.group()), masked)
        if opened := opening.search(masked):
            masked = masked[: opened.start()]
    return line[: len(masked)]


def _bullet(line: str) -> int:
    match = _BULLET.match(line)
    return match.end() if match else 0


def _plain(line: str) -> tuple[str, list[tuple[int, tuple[int, ...]]]]:
    """A line without markers and markup, and the numbers of each marker with its place in it."""
    parts: list[str] = []
    marks: list[tuple[int, tuple[int, ...]]] = []
    size = 0

    def add(text: str) -> None:
        nonlocal size
        parts.append(text)
        size += len(text)

    for place, piece in enumerate(_CODE.split(line)):
        if place % 2:  # inside code a bracket is no citation
            add(piece)
            continue
        piece = _LINK.sub(lambda m: f"[{m[1]}]" if m[1].strip(" ^").isdigit() else m[1], _IMAGE.sub("", piece))
        piece = _STRESS.sub(lambda m: m[2] or m[4], piece)
        position = 0
        for match in _MARKER.finditer(piece):
            before = piece[position : match.start()]
            position = match.end()
            add(before.rstrip() if _THEN_STOP.match(piece, position) else before)
            marks.append((size, _numbers(match.group(1) or match.group(2))))
        add(piece[position:])
    return "".join(parts), marks


def _numbers(written: str) -> tuple[int, ...]:
    found: list[int] = []
    for match in _NUMBERS.finditer(written):
        first, last = int(match[1]), int(match[2] or match[1])
        found += range(first, last + 1) if first <= last <= first + MOST_RANGE else (first, last)
    return tuple(dict.fromkeys(found))


def _pieces(text: str) -> Iterator[tuple[str, int]]:
    for start, end in split_sentences(text):
        for piece in _FULL_STOP.split(text[start:end]):
            if piece:
                start = text.index(piece, start)
                yield piece, start
                start += len(piece)
