"""Words in a text of any length, whatever white space stands between them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from time import sleep

_SLICE = 1 << 16
"""Characters searched at once: a regular expression lets no other thread run until it is through."""
_SPACE = 256
"""White space more than in `sought` that an occurrence may hold at the end of a slice."""


def occurrences(
    text: str, sought: str, *, ignoring_case: bool = False, stop: Callable[[], bool] = lambda: False
) -> Iterator[tuple[int, int]]:
    """Start and end, in characters of `text`, of each place that has the words of `sought`; none where it has no words.

    Args:
        stop: asked after each slice; the rest is not searched once it says so.
    """
    words = sought.split()
    if not words:
        return
    pattern = re.compile(r"\s+".join(map(re.escape, words)), re.IGNORECASE if ignoring_case else 0)
    at = 0
    while at < len(text) and not stop():
        end = at + _SLICE
        for match in pattern.finditer(text, at, end + len(sought) + _SPACE):
            if match.start() >= end:
                break
            at = match.end()
            yield match.span()
        at = max(at, end)
        if at < len(text):
            sleep(0)  # lets a thread in that waits to draw; where others always wait, it takes milliseconds
