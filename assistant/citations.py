"""From a draft with passage numbers to sentences with exact spans.

A generator writes `[n]`; which span of the passage is meant is found here, and nothing is repaired: a number that
wasn't offered stays, as a citation without a passage.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from assistant.types import Citation, Passage
from assistant.verification import Entailment
from corpus.sentences import split_sentences

_MARKERS = re.compile(r"((?:\[\s*\d{1,6}(?:\s*,\s*\d{1,6})*\s*\]\s*)+)([.!?]?)")
_LAST_MARKER = re.compile(r"\[\s*(\d{1,6})\s*\]$")
_SPACE = re.compile(r"\s+")


def parse_draft(draft: str, passages: Sequence[Passage] = ()) -> list[tuple[str, tuple[int, ...]]]:
    """Sentences of a draft, each with the passage numbers written at its end, in order.

    A number belongs to the sentence before it. A line of a draft never runs on into the next. A line that one of its
    `passages` holds word for word is one quotation, however many sentences or bracketed numbers it has.
    """
    found: list[tuple[str, tuple[int, ...]]] = []
    early: tuple[int, ...] = ()
    """Numbers before the first sentence; they go to it."""
    for line in draft.splitlines():
        if not early and (quotation := _quotation(line, passages)) is not None:
            found.append(quotation)
            continue
        position = 0
        for match in [*_MARKERS.finditer(line), None]:
            stretch = line[position : match.start() if match else len(line)]
            position = match.end() if match else len(line)
            whole = stretch.strip() + (match.group(2) if match else "")
            numbers = tuple(dict.fromkeys(int(n) for n in re.findall(r"\d+", match.group(1)))) if match else ()
            if not whole.strip(" .!?"):
                if found:
                    found[-1] = found[-1][0], tuple(dict.fromkeys(found[-1][1] + numbers))
                else:
                    early += numbers
                continue
            *earlier, last = [whole[a:b] for a, b in split_sentences(whole)] or [whole]
            found += [(text, ()) for text in earlier]
            found.append((last, numbers))
            if early:
                found[0] = found[0][0], tuple(dict.fromkeys(early + found[0][1]))
                early = ()
    return found


def _quotation(line: str, passages: Sequence[Passage]) -> tuple[str, tuple[int, ...]] | None:
    """A line's text and numbers, where a passage of one of the numbers at its end holds the text word for word."""
    text = line.strip()
    numbers: tuple[int, ...] = ()
    while (last := _LAST_MARKER.search(text)) is not None:
        text = text[: last.start()].rstrip()
        numbers = (int(last.group(1)), *numbers)
        if any(locate(text, p) for p in passages if p.number in numbers):
            return text, tuple(dict.fromkeys(numbers))
    return None


def bind(sentence: str, number: int, passages: Sequence[Passage], entailment: Entailment) -> Citation:
    """The exact span of passage `number` that carries `sentence`.

    The sentence itself where the passage holds it word for word, else the sentence of the passage, or two in a row,
    that support it best.
    """
    passage = next((p for p in passages if p.number == number), None)
    if passage is None:
        return Citation(number, None)
    start, end = locate(sentence, passage) or _best_span(sentence, passage, entailment)
    text = passage.document.text
    return Citation(number, passage, start, end, text[start:end], passage.document.page_at(start))


def locate(sentence: str, passage: Passage) -> tuple[int, int] | None:
    """Where the passage says `sentence` word for word (white space apart), in characters of the document."""
    pattern = r"\s+".join(re.escape(part) for part in _SPACE.split(sentence.strip()) if part)
    match = re.search(pattern, passage.chunk.text) if pattern else None
    return (passage.chunk.start + match.start(), passage.chunk.start + match.end()) if match else None


def _best_span(sentence: str, passage: Passage, entailment: Entailment) -> tuple[int, int]:
    chunk, text = passage.chunk, passage.document.text
    singles = list(chunk.sentences) or [(chunk.start, chunk.end)]
    pairs = [(a[0], b[1]) for a, b in pairwise(singles)]
    spans = singles + pairs
    scores = entailment.scores([text[a:b] for a, b in spans], [sentence] * len(spans))
    best = max(range(len(spans)), key=lambda i: (round(float(scores[i]), 6), -(spans[i][1] - spans[i][0])))
    return spans[best]
