"""Whether two texts are about the same stretch of words: matching runs of two words or more, in order."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from functools import lru_cache
from itertools import pairwise

_WORD = re.compile(r"(?:[^\W_]|%)+")
_KEPT = 1 << 15
"""Texts, and pairs of texts, that are remembered: several scorers compare the same ones."""


def plain(text: str) -> str:
    """Case and apostrophes folded."""
    return text.lower().replace("’", "'")


@lru_cache(_KEPT)
def words(text: str) -> tuple[str, ...]:
    return tuple(_WORD.findall(plain(text)))


@lru_cache(_KEPT)
def _pairs(text: str) -> frozenset[tuple[str, str]]:
    return frozenset(pairwise(words(text)))


@lru_cache(_KEPT)
def _runs(one: str, other: str) -> tuple[tuple[int, int, int], ...]:
    """Each run: its first word in one text, in the other, and how many words it has."""
    if (place := _word_in(one, other)) is not None:
        return (place,)
    if words(one) == words(other):
        return ((0, 0, len(words(one))),) if words(one) else ()
    if _pairs(one).isdisjoint(_pairs(other)):
        return ()
    blocks = SequenceMatcher(None, words(one), words(other), autojunk=False).get_matching_blocks()
    return tuple((m.a, m.b, m.size) for m in blocks if m.size > 1)


def _word_in(one: str, other: str) -> tuple[int, int, int] | None:
    """The run of the first text, where it is one word only and stands in the other."""
    a, b = words(one), words(other)
    return (0, b.index(a[0]), 1) if len(a) == 1 and a[0] in b else None


@lru_cache(_KEPT)
def match(one: str, other: str) -> bool:
    """Whether the runs make up half of the shorter text, both are the same, or the first is one word of the other."""
    if _word_in(one, other) is not None or words(one) == words(other) != ():
        return True
    common = _pairs(one) & _pairs(other)
    if not common:
        return False
    shorter = min(words(one), words(other), key=len)
    # Aligning is slow: first whether the words of common pairs could be enough.
    inside = [pair in common for pair in pairwise(shorter)]
    most = sum(a or b for a, b in zip([*inside, False], [False, *inside], strict=True))
    return 2 * most >= len(shorter) and 2 * sum(size for _, _, size in _runs(one, other)) >= len(shorter)


def stretches(one: str, other: str) -> list[tuple[range, range]]:
    """The characters of each run in either text; a run at a text's edge takes in what lies beyond its outer word."""
    return [(_characters(one, a, size), _characters(other, b, size)) for a, b, size in _runs(one, other)]


def _characters(text: str, first: int, count: int) -> range:
    spans = [m.span() for m in _WORD.finditer(plain(text))]
    last = first + count - 1
    return range(0 if first == 0 else spans[first][0], len(text) if last == len(spans) - 1 else spans[last][1])
