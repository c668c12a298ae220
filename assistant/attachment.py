"""Whether a figure of a claim stands in a text, is meant alike there, and belongs to the same words."""

from __future__ import annotations

import re

from assistant.figures import Figure
from assistant.wording import SENTENCE_END, Wording

_SEPARATORS = (
    SENTENCE_END,
    re.compile(r";"),
    re.compile(
        r",?\s+(?:but|while|whereas|whilst|although|though|against|versus|compared\s+(?:with|to))\s"
        r"|,\s+(?:and|or|with)\s",
        re.I,
    ),
    re.compile(r"\s(?:and|or|than|&)\s", re.I),
    re.compile(r"[,:(]\s?|\s[–—-]\s"),
)  # fmt: skip
"""What parts clauses, the strongest first."""
SUBJECTLESS = re.compile(
    r"\W*(?:it|they|he|she|this|these|those|its|their|his|her|there|that|we|our|i|you|both|each)\b", re.I
)

_CALLED = {
    "number": "the number", "money": "the amount", "percent": "the share", "ordinal": "the rank", "time": "the time",
    "date": "the date", "day": "the day", "address": "the address",
}  # fmt: skip


def misplaced_figure(have: Wording, said: Wording) -> str | None:
    ranges = {f.start for f in said.figures if _is_range(f)}
    for figure in said.figures:
        called = f"{_CALLED[figure.kind]} {figure.text.strip(' .')}"
        if any(r <= figure.start < _end(said, r) for r in ranges) and not _is_range(figure):
            continue  # an end of a range that is looked at as a whole
        same = [f for f in have.figures if f.says(figure)]
        if not same:
            return f"{called} isn't in the cited text"
        meant = [f for f in same if _compatible(f, figure)]
        if not meant:
            return f"{called} isn't meant as in the cited text, {_excerpt(have, same[0])!r}"
        if not any(_belongs(have, f, said, figure) for f in meant):
            return f"{called} belongs to something else in the cited text, {_excerpt(have, meant[0])!r}"
    return None


def _is_range(figure: Figure) -> bool:
    return bool(figure.value) and isinstance(figure.value[0], tuple)


def _end(said: Wording, start: int) -> int:
    return max(f.end for f in said.figures if f.start == start)


def _excerpt(have: Wording, figure: Figure) -> str:
    return " ".join(have.text[max(0, figure.start - 20) : figure.end + 15].split())


def _compatible(ours: Figure, theirs: Figure) -> bool:
    """Whether two figures of one value are meant alike; a claim may leave out that a figure is where something led."""
    if ours.role == theirs.role:
        return True
    timely = ours.kind in ("date", "time") or _is_year(ours)
    if theirs.role == "":
        return ours.role == ("from" if timely else "to")
    return False


def _belongs(have: Wording, ours: Figure, said: Wording, theirs: Figure) -> bool:
    """Whether the words around a claim's figure are those that the text has around its own.

    Figures of one kind part a sentence between them. The claim's words that the text knows must stand in the part of
    its figure, or before the first figure of the sentence; a part that names something of its own must be named.
    """
    if re.search(r"\brespectively\b", have.text, re.I) and _rivals(have, ours):
        return False
    if ours.kind == "number" and not _counts_alike(have, ours, said, theirs):
        return False
    start, end, head = _part(have, ours)
    own = [i for i in have.between(start, end) if i.start != ours.start]
    told_start, told_end, told_head = _part(said, theirs)
    told = {i.key for i in said.between(told_start, told_end) if i.start != theirs.start}
    if not any(i.start < theirs.start for i in said.between(told_start, theirs.start)):
        told |= {i.key for i in said.between(*told_head)}
    known = {key for key in told if key in have.keys and not _is_rival_key(ours, key)}
    allowed = {i.key for i in own} | {i.key for i in have.between(*head)}
    if not known <= allowed:
        return False
    if not _rivals(have, ours) or start <= head[0]:
        return True
    named = {i.key for i in own if i.start < ours.start} - {i.key for i in have.between(*head)}
    return not own or bool(told & (named or {i.key for i in own}))


def _rivals(text: Wording, figure: Figure) -> list[Figure]:
    """Figures that part a sentence with it: of its kind, a year or not as it is, and no aside in brackets."""
    return [
        f
        for f in text.figures
        if f.kind == figure.kind
        and not (f.start < figure.end and figure.start < f.end)
        and (f.kind != "number" or _is_year(f) == _is_year(figure))
        and text.aside(f.start) in (None, text.aside(figure.start))
    ]


def _is_year(figure: Figure) -> bool:
    return re.fullmatch(r"1[1-9]\d\d|20\d\d", figure.text) is not None


def _is_rival_key(ours: Figure, key: object) -> bool:
    return isinstance(key, tuple) and bool(key) and key[0] == ours.kind


def _part(text: Wording, figure: Figure) -> tuple[int, int, tuple[int, int]]:
    """Start and end of what belongs to a figure, and the span before the first figure of its kind in its sentence."""
    ends = [m.end() for m in SENTENCE_END.finditer(text.text)]
    first = max((e for e in ends if e <= figure.start), default=0)
    last = min((e for e in ends if e >= figure.end), default=len(text.text))
    rivals = _rivals(text, figure)
    if not rivals:
        return 0, len(text.text), (0, 0)
    before = [f for f in rivals if first <= f.start < figure.start]
    after = [f for f in rivals if figure.end <= f.start < last]
    start = _cut(text, before[-1], figure) if before else first
    end = _cut(text, figure, after[0]) if after else last
    head = (first, before[0].start if before else figure.start)
    if first and SUBJECTLESS.match(text.text, first):
        earlier = max((e for e in ends if e < first), default=0)
        rival = min((f.start for f in rivals if earlier <= f.start < first), default=first)
        head = (earlier, head[1]) if rival == first else (earlier, rival)
        if rival != first and start == first:
            start = first
    return start, end, head


def _cut(text: Wording, one: Figure, other: Figure) -> int:
    """Where what belongs to one figure ends and what belongs to the next begins."""
    if one.end >= other.start:
        return other.start
    between = text.text[one.end : other.start]
    for separator in _SEPARATORS:
        if found := list(separator.finditer(between)):
            return one.end + found[-1].start() + 1
    counted = next((i for i in text.items if i.start >= one.end), None) if one.kind == "number" else None
    return counted.end if counted and counted.end <= other.start else one.end


def _counts_alike(have: Wording, ours: Figure, said: Wording, theirs: Figure) -> bool:
    """Whether the thing counted is the same, where both say one right after the number."""
    claimed = _counted(said, theirs, 2)
    found = _counted(have, ours, 3)
    return not claimed or not found or bool(set(claimed) & set(found))


def _counted(text: Wording, figure: Figure, most: int) -> list[object]:
    found: list[object] = []
    end = figure.end
    for item in text.items:
        if item.start < figure.end or item.figure is not None:
            continue
        gap = text.text[end : item.start]
        if re.search(
            r"[.,;:()]|\s(?:in|on|at|for|by|from|to|and|or|with|when|after|before|as|that|which|of|were|was|is|are|will|had|has|have)\s",
            f"{gap} ",
        ):
            break
        found.append(item.key)
        end = item.end
        if len(found) == most:
            break
    return found
