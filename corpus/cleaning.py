"""From what a reader found to what may be quoted: named steps, all of them before any offset exists."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from itertools import groupby, pairwise

from corpus.boilerplate import (
    ALWAYS,
    APPEAL,
    COMMENTS,
    HEADLINES,
    IN_MENUS,
    MAX_AFTER_COMMENTS,
    PLACEHOLDER,
    SKIP_LINK,
    STORIES,
)
from corpus.sanitizing import sanitize
from corpus.types import Block, Origin

Step = Callable[[list[Block]], list[Block]]

MIN_WRAP_WIDTH = 40
"""Characters of the narrowest text that counts as wrapped."""
FULL_LINE = 0.85
"""Share of the width from which a line is full once the next word is added: it was wrapped, not ended."""
MIN_CAPTION = 40
"""Characters of the shortest line that is dropped for being the start of the next one."""
EDGE_LINES = 3
"""Lines at the top and bottom of a page among which running headers and footers are looked for."""

MENU_LINES = 3
"""Lines that in text make a menu where they follow each other; on a web page one does."""
MAX_BREADCRUMB = 40
"""Characters of the longest line between a skip link and the page's heading that goes with the link."""

MAX_LABELLED = 60
"""Characters of the longest line that may end unpunctuated above a label."""

MAX_RUNNING = 120
"""Characters of the longest running header or footer."""

_SPACES = re.compile(r"[^\S\n]+")
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_HYPHENATED = re.compile(r"[^\W_]+(?:-[^\W_]+)+")
_BROKEN_WORD = re.compile(r"([^\W\d_]+)-\n([^\W_]+)")
_LABEL = re.compile(r"[A-Z][\w/ ]{0,25}:(?:\s|$)")
_ADDRESS = re.compile(
    r"(?:[a-z]|tel|(?:tele)?phone|mob(?:ile)?|fax|e-?mail|web(?:site)?):(?:\s|$)|\S+@\S+|\w+://|www\.", re.ASCII
)
_PAGE_OF_PAGES = re.compile(r"\W*(?:page\s*\d{1,4}(?:\s*(?:of|/)\s*\d{1,4})?|\d{1,4}\s*of\s*\d{1,4})\W*", re.IGNORECASE)
_KEPT_PREFIXES = ("off", "non", "self", "ex", "well", "co", "multi", "cross", "anti", "semi")


def clean(blocks: Sequence[Block], origin: Origin = "paper") -> list[Block]:
    """All steps in their order."""
    cleaned = list(blocks)
    for step in steps(origin):
        cleaned = step(cleaned)
    return cleaned


def sanitized(blocks: list[Block]) -> list[Block]:
    """Control, hidden and reordering characters made harmless; a soft hyphen that ends a line shown."""
    return [replace(b, text=sanitize(b.text.replace("\xad\n", "-\n"))) for b in blocks]


def folded_spaces(blocks: list[Block]) -> list[Block]:
    """One space between words, none at the ends of lines, no empty line or block."""
    lines = ((b, (_SPACES.sub(" ", line).strip() for line in b.text.split("\n"))) for b in blocks)
    return _with_text((b, "\n".join(filter(None, kept))) for b, kept in lines)


def without_running_lines(blocks: list[Block]) -> list[Block]:
    """Pages without their page numbers and without lines that stand at the edge of most pages."""
    pages = [list(group) for _, group in groupby(blocks, key=lambda b: b.page)]
    if len(pages) < 2 or pages[0][0].page is None:
        return blocks
    seen = Counter(shape for page in pages for shape in set().union(*(_shapes(*edge) for edge in _edges(page))))
    running = {shape for shape, times in seen.items() if times > max(1, len(pages) // 2)}
    kept: list[tuple[Block, str]] = []
    for page in pages:
        dropped = {
            line
            for line, number in _edges(page)
            if _PAGE_OF_PAGES.fullmatch(line) or not running.isdisjoint(_shapes(line, number))
        }
        for block in page:
            # A title that runs as a header is kept where it is a heading, once.
            title = block.kind == "heading" and page is pages[0]
            lines = [line for line in block.text.split("\n") if title or line not in dropped]
            kept.append((block, "\n".join(lines)))
    return _with_text(kept)


def _edges(page: Sequence[Block]) -> list[tuple[str, int]]:
    """The lines at the top and bottom of a page, with its number."""
    lines = [(line, block.page or 0) for block in page for line in block.text.split("\n")]
    return lines if len(lines) <= 2 * EDGE_LINES else lines[:EDGE_LINES] + lines[-EDGE_LINES:]


def _shapes(line: str, page: int) -> set[str]:
    """A line as it stands, and with each of its numbers counted from the page's, which a page number keeps to."""
    if len(line) > MAX_RUNNING:
        return set()
    line = line.casefold()
    counted = (
        f"{line[: m.start()]}{{{int(m.group()) - page}}}{line[m.end() :]}" for m in re.finditer(r"\d{1,4}", line)
    )
    return {line, *counted}


def rejoined(blocks: list[Block]) -> list[Block]:
    """Wrapped lines made whole again, words broken at a line's end too; separate short lines stay."""
    joints = [pair for b in blocks if b.kind != "row" for pair in pairwise(b.text.split("\n"))]
    wrapped = sorted(len(above) for above, below in joints if _continues(above, below))
    width = wrapped[int(0.95 * (len(wrapped) - 1))] if wrapped else 0
    if not joints:
        return blocks
    words = _vocabulary(blocks)
    return [replace(b, text=_joined(b.text, width, words)) if "\n" in b.text else b for b in blocks]


def _continues(above: str, below: str) -> bool:
    """Whether the second line reads as going on in the middle of a sentence."""
    return below[:1].islower() and above[-1:] not in ".!?:;" and (above.endswith("-") or not _ADDRESS.match(below))


def _joined(text: str, width: int, words: Counter[str]) -> str:
    lines = text.split("\n")
    parts = [lines[0]]
    for above, below in pairwise(lines):
        if not _was_wrapped(above, below, width):
            parts.append("\n" + below)
        elif broken := _BROKEN_WORD.search(above[-40:] + "\n" + below[:40]):
            keep = _keeps_hyphen(broken.group(1), broken.group(2), words)
            parts[-1] = parts[-1] if keep else parts[-1].removesuffix("-")
            parts.append(below)
        else:
            parts.append((" " if above[-1:] not in "-–/" or above[-2:-1] == " " else "") + below)
    return "".join(parts)


def _was_wrapped(above: str, below: str, width: int) -> bool:
    if _continues(above, below):
        return len(above) >= max(25, 0.5 * width)
    if width < MIN_WRAP_WIDTH or above.endswith(":") or _is_labelled(above, below):
        return False
    return len(above) + 1 + len(below.split(" ", 1)[0]) > FULL_LINE * width


def _is_labelled(above: str, below: str) -> bool:
    """Whether the second line is an entry of its own, as in a list of contacts."""
    ends = above[-1:] in ".!?:;" or len(above) <= MAX_LABELLED
    return bool(_ADDRESS.match(below) or (ends and _LABEL.match(below)))


def _vocabulary(blocks: Sequence[Block]) -> Counter[str]:
    """Words and hyphenated words of the document that no line's end breaks, in lower case."""
    text = "\n".join(_BROKEN_WORD.sub(" ", b.text) for b in blocks).casefold()
    return Counter(_WORD.findall(text)) + Counter(_HYPHENATED.findall(text))


def _keeps_hyphen(first: str, second: str, words: Counter[str]) -> bool:
    """Whether `first-` and `second`, parted by a line's end, are a word with a hyphen of its own."""
    if not second[0].islower():
        return True
    first, second = first.casefold(), second.casefold()
    hyphenated, whole = words[f"{first}-{second}"], words[first + second]
    if hyphenated or whole:
        return hyphenated > whole
    return first in _KEPT_PREFIXES or (len(first) > 2 and words[first] > 0 and len(second) > 3 and words[second] > 0)


def without_repeats(blocks: list[Block]) -> list[Block]:
    """No line that repeats one of the two blocks above, or is the cut-off start of one of the two below."""
    kept: list[Block] = []
    for i, block in enumerate(blocks):
        bare = _bare(block.text)
        # "Agreed" may well be said twice, but not twice running.
        above = [_bare(b.text) for b in blocks[max(0, i - (2 if len(bare) >= MIN_CAPTION else 1)) : i]]
        cut_off = any(_cut_off(block.text, b.text) for b in blocks[i + 1 : i + 3] if b.kind != "row")
        if block.kind == "row" or block.ordered or not (cut_off or (len(bare) > 3 and bare in above)):
            kept.append(block)
    return kept


def _bare(text: str) -> str:
    return text.rstrip(" :….").casefold()


def _cut_off(text: str, below: str) -> bool:
    bare, whole = _bare(text), below.casefold()
    return (
        len(bare) >= MIN_CAPTION and text[-1] not in ".!?:" and whole.startswith(bare) and len(_bare(below)) > len(bare)
    )


def without_navigation(blocks: list[Block], origin: Origin = "paper") -> list[Block]:
    """No navigation, advertising or appeals; nothing below the place for comments at the end of a page."""
    for i, block in enumerate(blocks):
        at = next((m.start() for m in COMMENTS.finditer(block.text)), None)
        if at is not None and sum(len(b.text) for b in blocks[i:]) - at <= MAX_AFTER_COMMENTS:
            blocks = [*blocks[:i], replace(block, text=block.text[:at])]
            break
    if len(blocks) > 2 and SKIP_LINK.fullmatch(blocks[0].text) and blocks[2].kind == "heading":
        # The kind of page, named between the link and its heading.
        named = blocks[1].kind == "paragraph" and re.fullmatch(rf"[^.!?:\n]{{1,{MAX_BREADCRUMB}}}", blocks[1].text)
        blocks = [*blocks[:1], *blocks[1 + bool(named) :]]
    menus = set() if origin == "paper" else _menu_lines(blocks, 1 if origin == "web" else MENU_LINES)
    kept = []
    links: re.Pattern[str] | None = None
    for i, block in enumerate(blocks):
        lines = [
            line
            for j, line in enumerate(block.text.split("\n"))
            if block.kind == "row" or block.ordered or not ((i, j) in menus or ALWAYS.fullmatch(line))
        ]
        # Headlines listed below "Most read" go with it.
        if block.kind != "item" or block.text[-1:] in ".;:" or (block.ordered and links is HEADLINES):
            links = _announced(block, blocks[i + 1 : i + 2], origin)
        appeal = origin != "paper" and APPEAL.match(block.text)
        kept.append((block, "" if links or appeal else "\n".join(lines)))
    return _with_text(kept)


def _announced(block: Block, below: Sequence[Block], origin: Origin) -> re.Pattern[str] | None:
    """What kind of links the block is the heading of; None for any other block."""
    if block.kind == "row" or not below or below[0].kind != "item":
        return None
    if STORIES.fullmatch(block.text):
        return STORIES
    return HEADLINES if origin == "web" and not below[0].ordered and HEADLINES.fullmatch(block.text) else None


def _menu_lines(blocks: Sequence[Block], least: int) -> set[tuple[int, int]]:
    """Block and line of words of menus where at least so many follow each other.

    Neither an item, unless its whole list is a menu without numbers on a web page, nor a heading with a body.
    """
    content: set[int] = set()
    for kind, numbered in groupby(enumerate(blocks), key=lambda pair: pair[1].kind):
        run = list(numbered)
        whole = least == 1 and all(not b.ordered and IN_MENUS.fullmatch(b.text) for _, b in run)
        if kind == "row" or (kind == "item" and not whole):
            content.update(i for i, _ in run)
    fitting: list[tuple[bool, tuple[int, int]]] = []
    below: Block | None = None
    for i, block in reversed(list(enumerate(blocks))):
        bare = below is None or (below.kind == "heading" and below.level <= block.level)
        for j, line in reversed(list(enumerate(block.text.split("\n")))):
            fits = i not in content and (block.kind != "heading" or bare) and bool(IN_MENUS.fullmatch(line))
            fitting.append((fits, (i, j)))
            below = None if fits else block
    runs = [[place for _, place in run] for fits, run in groupby(fitting, key=lambda pair: pair[0]) if fits]
    return {place for run in runs if len(run) >= least for place in run}


def without_placeholders(blocks: list[Block]) -> list[Block]:
    """No `[insert link]` left by an author: nobody can quote what was never filled in."""
    return _with_text(
        (
            b,
            re.sub(r"[ :]+(?=\n|$)| +(?=[.,;])", "", PLACEHOLDER.sub("", b.text))
            if PLACEHOLDER.search(b.text)
            else b.text,
        )
        for b in blocks
    )


def with_sound_headings(blocks: list[Block]) -> list[Block]:
    """The first line, with a subtitle, as title of the rest; no heading or announcing line at the end."""
    blocks = list(blocks)
    while len(blocks) > 1 and blocks[-1].kind == "paragraph" and re.fullmatch(r"[^.!?\n]{1,60}:", blocks[-1].text):
        blocks.pop()
    if len(blocks) > 1 and blocks[-1].kind == "heading":
        blocks[-1] = replace(blocks[-1], kind="paragraph", level=0)
    levels = [b.level for b in blocks if b.kind == "heading"]
    if blocks and blocks[0].kind == "heading" and 1 < blocks[0].level == min(levels):
        blocks[0] = replace(blocks[0], level=1)
        if len(blocks) > 2 and blocks[1].kind == "heading" and blocks[1].level == min(levels):
            blocks[:2] = [replace(blocks[0], text=f"{blocks[0].text}\n{blocks[1].text}")]
    return blocks


def _with_text(pairs: Iterable[tuple[Block, str]]) -> list[Block]:
    """Blocks with their new text; a block left without any goes."""
    return [b if text == b.text else replace(b, text=text) for b, text in pairs if text.strip()]


def steps(origin: Origin) -> tuple[Step, ...]:
    """What `clean` does to blocks of this origin."""
    return (
        sanitized,
        folded_spaces,
        without_running_lines,
        partial(without_navigation, origin=origin),
        rejoined,
        without_repeats,
        without_placeholders,
        folded_spaces,
        with_sound_headings,
    )
