"""Which sentence of a changed document took the place of a quoted one, and whether it gives another value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from assistant.figures import Figure, figures_in
from assistant.phrases import occurrences
from assistant.questions import holds, names_in, stem, words
from corpus.sentences import split_sentences
from corpus.types import Document

ALIKE = 0.75
"""Share of their words, figures apart, that two sentences have in common where one revises the other."""
PLACED = 0.3
"""The same where the sentence before or after it is still the same one: it stands where the quoted one stood."""

Span = tuple[int, int]


def revised(quote: str, passage: str, document: Document) -> list[tuple[Span, str]]:
    """For each sentence of a quote that the document still has, or has put another in the place of: where, and the old.

    A sentence that already stood beside the quote in its passage took no place.

    Args:
        passage: what stood around the quote.
        document: as it is now.
    """
    now = _sentences(document.text)
    was = [_plain(passage[a:b]) for a, b in _sentences(passage)]
    plain = [_plain(document.text[a:b]) for a, b in now]
    found: list[tuple[Span, str]] = []
    for a, b in _sentences(quote):
        old = quote[a:b]
        if (span := next(occurrences(document.text, old), None)) is not None:
            found.append((span, old))
            continue
        at = was.index(_plain(old)) if _plain(old) in was else -1
        before = was[at - 1] if at > 0 else None
        after = was[at + 1] if 0 <= at < len(was) - 1 else None
        best, place = 0.0, -1
        for n, text in enumerate(plain):
            if text in was:
                continue
            placed = (before is not None and plain[n - 1 : n] == [before]) or (
                after is not None and plain[n + 1 : n + 2] == [after]
            )
            likeness = alike(old, text)
            if likeness >= (PLACED if placed else ALIKE) and likeness + placed > best:
                best, place = likeness + placed, n
        if place >= 0:
            found.append((now[place], old))
    return found


def corresponding(quote: str, document: Document) -> list[tuple[Span, str]]:
    """As `revised`, in another document: the one sentence most like each sentence of the quote, if it is alike."""
    now = _sentences(document.text)
    found: list[tuple[Span, str]] = []
    for a, b in _sentences(quote):
        likeness = [alike(quote[a:b], document.text[start:end]) for start, end in now]
        best = max(likeness, default=0.0)
        if best >= ALIKE and likeness.count(best) == 1:
            found.append((now[likeness.index(best)], quote[a:b]))
    return found


def alike(one: str, other: str) -> float:
    """Share of the words that both have, 0 to 1 (Dice's coefficient), figures apart."""
    ours, theirs = _bag(one), _bag(other)
    total = ours.total() + theirs.total()
    return 2 * (ours & theirs).total() / total if total else float(_plain(one) == _plain(other))


def differs(old: str, new: str, said: str) -> bool:
    """Whether `new` gives another value, figure or name, in the place of one of `old` that is `said`.

    A value that is written otherwise, or more exactly, is the same; one that is only left out, or added, isn't another.
    """
    before, after = figures_in(old), figures_in(new)
    lost = [f for f in before if not any(g.says(f) for g in after) and _says(said, f)]
    gained = {g.kind for g in after if not any(f.says(g) or g.says(f) for f in before)}
    if any(f.kind in gained for f in lost):
        return True
    ours, theirs = _names(old), _names(new)
    missing = [name for name in ours if not any(_same(name, other) for other in theirs)]
    others = [name for name in theirs if not any(_same(name, one) for one in ours)]
    named = {stem(w) for w in words(said)}
    rest = (set(_bag(text)) - frozenset().union(*names) for text, names in ((old, ours), (new, theirs)))
    return bool(others) and any(name <= named for name in missing) and next(rest) == next(rest)


def _same(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether two names may be of one: a part of the other, a slip of the pen apart."""
    few, many = sorted((one, other), key=len)
    return all(holds(word, many) for word in few)


def _says(text: str, figure: Figure) -> bool:
    return any(f.says(figure) or figure.says(f) for f in figures_in(text))


def _names(text: str) -> list[frozenset[str]]:
    return [frozenset(stem(w) for w in n.split()) for n in names_in(text) if not n[0].isdigit()]


@lru_cache(4096)
def _bag(text: str) -> Counter[str]:
    """Stems of the words, without figures."""
    for figure in reversed(figures_in(text)):
        text = f"{text[: figure.start]} {text[figure.end :]}"
    return Counter(stem(w) for w in words(text))


@lru_cache(64)
def _sentences(text: str) -> Sequence[Span]:
    return split_sentences(text)


def _plain(text: str) -> str:
    return " ".join(text.split())
