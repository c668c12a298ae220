"""Screen lines of a long text: about half a second for ten million characters, in slices of a millisecond."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator
from time import sleep

# Characters that take two cells of a terminal (East Asian wide, emoji).
_WIDE = re.compile(
    "[\u1100-\u115f\u231a-\u27bf\u2b1b-\u2b55\u2e80-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe10-\uff60"
    "\uffe0-\uffe6\U00016fe0-\U0001b2ff\U0001f000-\U0003fffd]"
)
_PARAGRAPH = re.compile(r"[^\n]*\n|[^\n]+")
_BLOCK = 1 << 13
"""Characters wrapped at once: a regular expression lets no other thread run until it is through."""


class Lines:
    """The screen lines of `text[start:end]`, none wider than `width` cells; kept in four bytes a line.

    Lines break at white space where there is any, and leave it out at their ends; a paragraph with wide
    characters gets half as many on a line. Wrapping ends early once `stop` says so.
    """

    def __init__(
        self, text: str, width: int, start: int = 0, end: int | None = None, stop: Callable[[], bool] = lambda: False
    ) -> None:
        self.text = text
        self.width = width
        self.start = start
        self.end = len(text) if end is None else end
        self._starts = array("I")
        narrow, wide = _breaks(width), _breaks(max(width // 2, 1))
        at = start
        while at < self.end and not stop():
            block = text[at : min(at + _BLOCK, self.end)]
            last = at + len(block) == self.end
            whole = len(block) if last else block.rfind("\n") + 1
            block = block[:whole] or block
            self._starts.extend(at + place for place in _line_starts(block, narrow, wide))
            # What is cut out of a long paragraph: its last line is wrapped again, with what follows.
            at = at + len(block) if whole or self._starts[-1] == at else self._starts.pop()
            sleep(0)  # lets a thread in that waits to draw

    def __len__(self) -> int:
        return len(self._starts)

    def __getitem__(self, line: int) -> tuple[int, int]:
        """Start and end of a line, in characters of `text`."""
        start = self._starts[line]
        following = self._starts[line + 1] if line + 1 < len(self) else self.end
        return start, start + len(self.text[start:following].rstrip())

    def at(self, offset: int) -> int:
        """The line that holds a character, or the white space before it; the nearest where none does."""
        return max(bisect_right(self._starts, offset) - 1, 0)


def _line_starts(block: str, narrow: re.Pattern[str], wide: re.Pattern[str]) -> Iterator[int]:
    if block.isascii() or not _WIDE.search(block):
        yield from (line.start() for line in narrow.finditer(block))
        return
    for paragraph in _PARAGRAPH.finditer(block):
        breaks = wide if _WIDE.search(block, *paragraph.span()) else narrow
        yield from (line.start() for line in breaks.finditer(block, *paragraph.span()))


def _breaks(width: int) -> re.Pattern[str]:
    return re.compile(rf"[^\n]{{1,{width}}}(?:[^\S\n]+\n?|\n|\Z)|[^\n]{{1,{width}}}|\n")
