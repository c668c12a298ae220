"""The exact gate: what a claim says of figures, names, yes and no, more and less, all and some must stand in a text.

A share of words tells "costs £5" from "costs £7" as little as "rose" from "fell"; here each is looked at by itself, and
figures with the words that they belong to.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from itertools import pairwise

from assistant.attachment import misplaced_figure
from assistant.questions import STOPWORDS, WORD, stem
from assistant.scope import out_of_scope
from assistant.wording import (
    HEDGES,
    MOVES,
    NEGATORS,
    NOT_NEGATING,
    OPPOSITES,
    QUANTIFIER_OF,
    SENTENCE_END,
    STRONG,
    TITLES,
    Wording,
    bare,
    name_runs,
    opens,
    read,
)

_CALENDAR = re.compile(
    r"(?:mon|tues|wednes|thurs|fri|satur|sun)days?$|(?:jan|febr)uary$|march$|april$|june$|july$|august$|\w+ember$|october$"
)


_QUOTED = re.compile(r"[“\"]([^“”\"]+)")
MOST_CHARACTERS = 2000
"""Of a claim: nobody reads a longer sentence, and the checks of it take time."""
MOST_FIGURES = 40
MOST_SPANS = 4
"""Times as much of the text that is cited for it."""
_FOLLOWS = 0.6
"""Share of a claim's words, in order in one sentence, from which it counts as that sentence reworded."""


def mismatch(premise: str, claim: str) -> str | None:
    """Why `premise` can't support `claim`, in plain words; None where nothing speaks against it."""
    if len(claim) > MOST_CHARACTERS:
        return f"it has {len(claim):,} characters, and no more than {MOST_CHARACTERS:,} are checked"
    if len(premise) > (most := MOST_SPANS * MOST_CHARACTERS):
        return f"the cited text has {len(premise):,} characters, and no more than {most:,} are checked"
    if (quoted := _misquoted(premise, claim)) is not None:
        return f"the words {quoted!r} aren't in the cited text as they are quoted"
    have, said = read(premise), read(claim)
    if len(said.figures) > MOST_FIGURES or len(have.figures) > MOST_SPANS * MOST_FIGURES:
        return "it or the cited text has more figures than are checked"
    for check in (misplaced_figure, _names, _deeds, _moves, _quantifiers, _polarity, _alignment, out_of_scope):
        if reason := check(have, said):
            return reason
    return None


def passes_gate(premise: str, claim: str) -> bool:
    """Whether no figure, name, denial, direction or quantifier of the claim is missing in the premise."""
    return mismatch(premise, claim) is None


def _misquoted(premise: str, claim: str) -> str | None:
    """Words that the claim has in quotation marks, also where they aren't closed, and the premise doesn't have so."""
    held = _letters(premise)
    return next((q for q in _QUOTED.findall(claim) if _letters(q) not in held), None)


def _letters(text: str) -> str:
    return " ".join(WORD.findall(text.lower().replace("’", "'")))


def _names(have: Wording, said: Wording) -> str | None:
    known = {bare(part).lower() for w in have.words for part in (w.group(), *w.group().split("-"))}
    small = {stem(w.group()) for w in have.words if w.group().islower()}
    runs = set(_pairs(have))
    dates = [(f.start, f.end) for f in said.figures if f.kind in ("date", "day", "time", "ordinal")]
    for run in name_runs(said):
        words = [w for w in run if not any(a <= w.start() < b for a, b in dates)]
        before = ""
        for word in words:
            plain, first = bare(word.group()), opens(said.text, word.start())
            parts = plain.lower().split("-")
            held = all(part in known for part in parts if part) or stem(plain) in (have.stems if first else small)
            if not first and plain.lower() in STOPWORDS:
                held = any(bare(w.group()) == plain for w in have.words)
            held = held or (len(plain) == 1 and any(w.group()[0] == plain for w in have.words))
            if not held and plain.lower() in TITLES and not TITLES & known:
                continue
            together = not before or any(
                b == plain.lower() and (a == before or (len(before) == 1 and a[0] == before)) for a, b in runs
            )
            if not held or not together:
                return f"the name {' '.join(w.group() for w in words)!r} isn't in the cited text"
            before = plain.lower()
    return None


def _pairs(text: Wording) -> Iterator[tuple[str, str]]:
    parts = [(part, w.start(), w.end()) for w in text.words for part in w.group().split("-")]
    for place, (a, _, end) in enumerate(parts):
        for b, start, until in parts[place + 1 : place + 3]:
            if start > end and text.text[end:start].strip(" .\n"):
                break
            yield bare(a).lower(), bare(b).lower()
            if len(b) > 1:  # an initial may be left out
                break
            end = until


def _who(text: Wording) -> list[tuple[int, int, frozenset[str]]]:
    """Start, end and words of each name, days and months left out."""
    found = [
        (run[0].start(), run[-1].end(), frozenset(bare(w.group()).lower() for w in run)) for run in name_runs(text)
    ]
    return [one for one in found if not any(_CALENDAR.match(word) for word in one[2])]


def _deeds(have: Wording, said: Wording) -> str | None:
    """A word that the text says of another name only, or two names whose order is turned round."""
    claimed = {name for _, _, name in _who(said)}
    runs = _who(have)
    mine = [run for run in runs if any(run[2] & name for name in claimed)]
    if not mine:
        return None
    inside = {stem(w) for name in claimed for w in name} | {stem(w) for _, _, name in runs for w in name}
    theirs: set[object] = set()
    ours: set[object] = set()
    held: set[object] = set()
    for start, end in have.clauses:
        here = [run for run in runs if start <= run[0] < end and not opens(have.text, run[0])] or [
            run for run in runs if start <= run[0] < end
        ]
        keys = {i.key for i in have.between(start, end)}
        if here and keys <= inside:  # of several that do one thing
            held |= {name for _, _, many in here for name in many}
            continue
        own = any(run in mine for run in here) or any(held & run[2] for run in mine)
        (theirs if here and not own else ours).update(keys)
        held = set()
    if wrong := [i for i in said.items if i.figure is None and i.key in theirs - ours - inside]:
        return f"the cited text says {said.text[wrong[0].start : wrong[0].end]!r} of another name"
    return None


def _moves(have: Wording, said: Wording) -> str | None:
    """A word of the claim whose opposite stands in the text, and not itself."""
    ours = {stem(w.group()) for w in have.words} | have.stems
    for word in said.words:
        one = stem(word.group())
        for sides in OPPOSITES:
            for side, other in (sides, sides[::-1]):
                if one in side and one not in ours and not ours & side and (ours & other or sides is MOVES):
                    return f"the cited text doesn't say {word.group()!r}" + (
                        " but the opposite" if ours & other else ""
                    )
    return None


def _quantifiers(have: Wording, said: Wording) -> str | None:
    for name, word, following in _quantified(said):
        if name not in STRONG:
            continue
        ours = [then for other, _, then in _quantified(have) if other == name or (name == "all" and other == "none")]
        if not ours or (following & have.keys and not any(then & following for then in ours)):
            return f"the cited text doesn't say {word!r} of it"
    return None


def _quantified(text: Wording) -> list[tuple[str, str, frozenset[object]]]:
    """Quantifiers with the two content words after each."""
    found = []
    for match in text.words:
        name = QUANTIFIER_OF.get(match.group().lower())
        if name:
            after = [i.key for i in text.items if i.start >= match.end() and i.figure is None][:3]
            found.append((name, match.group(), frozenset(after)))
    return found


def _denied(text: Wording) -> list[tuple[set[object], set[object], bool]]:
    """Of each clause: its content words, those after a denial, and whether it is put as less than sure."""
    found = []
    for start, end in text.clauses:
        items = text.between(start, end)
        clause = text.text[start:end]
        places = [m for m in NEGATORS.finditer(clause) if not NOT_NEGATING.match(clause, m.end())]
        if any(m.group().lower() == "neither" for m in places):  # its "nor" doesn't undo it
            places = [m for m in places if m.group().lower() != "nor"]
        first = start + places[0].start() if len(places) % 2 else end
        skip = {i.start for m in places for i in items if start + m.start() <= i.start < start + m.end()}
        words = [i for i in items if i.start not in skip]
        denied = {i.key for i in words if i.start >= first}
        if places and len(places) % 2 and not denied:  # "They did not."
            denied = {i.key for i in words}
        found.append(({i.key for i in words}, denied, HEDGES.search(clause) is not None))
    return found


def _polarity(have: Wording, said: Wording) -> str | None:
    """A word that one denies and the other doesn't; what the text holds for possible only."""
    ours = _denied(have)
    for words, denied, hedged in _denied(said):
        shared = [len(words & w) for w, _, _ in ours]
        if not (most := max(shared)):
            continue
        best = [clause for clause, count in zip(ours, shared, strict=True) if count == most]
        fits = [c for c in best if all((key in denied) == (key in c[1]) for key in words & c[0])]
        if not fits:
            return "the cited text denies what it says" if not denied else "the cited text doesn't deny what it denies"
        for key in words - fits[0][0]:
            where = [key in d for w, d, _ in ours if key in w]
            if where and (key in denied) not in where:
                return (
                    "the cited text denies what it says" if not denied else "the cited text doesn't deny what it denies"
                )
        if not hedged and not denied and all(c[2] for c in fits) and not HEDGES.search(said.text):
            return "the cited text says it for possible, not for certain"
    if any(d for _, d, _ in _denied(said)) and not any(d for _, d, _ in ours):
        return "the cited text doesn't deny what it denies"
    return None


def _alignment(have: Wording, said: Wording) -> str | None:
    """A claim that follows a sentence of the text word by word, but for one word that turns it."""
    claimed = [w.group().lower() for w in said.words]
    best: tuple[int, SequenceMatcher[str], list[re.Match[str]]] | None = None
    ends = [0, *(m.end() for m in SENTENCE_END.finditer(have.text)), len(have.text) + 1]
    for start, end in pairwise(ends):
        words = [w for w in have.words if start <= w.start() < end]
        matcher = SequenceMatcher(None, [w.group().lower() for w in words], claimed, autojunk=False)
        matched = sum(block.size for block in matcher.get_matching_blocks())
        if best is None or matched > best[0]:
            best = matched, matcher, words
    if best is None or best[0] < _FOLLOWS * len(claimed):
        return None
    for kind, a, b, c, d in best[1].get_opcodes():
        if kind == "equal":
            continue
        ours, theirs = _Change(have, best[2][a:b]), _Change(said, said.words[c:d])
        if _turned(ours, theirs):
            return f"it says {theirs.text!r} where the cited text says {ours.text!r}"
    return None


class _Change:
    """Words of one text that stand in the place of words of another."""

    def __init__(self, whole: Wording, words: list[re.Match[str]]) -> None:
        start, end = (words[0].start(), words[-1].end()) if words else (0, 0)
        self.text = whole.text[start:end]
        self.words = {w.group().lower() for w in words}
        self.stems = {stem(w) for w in self.words}
        self.figures = [f for f in whole.figures if f.start < end and start < f.end]
        self.names = {bare(w.group()).lower() for w in words if w.start() in whole.names}
        self.lower = {w.group() for w in whole.words if w.group().islower()}
        self.strong = {QUANTIFIER_OF.get(w) for w in self.words} & STRONG


def _turned(ours: _Change, theirs: _Change) -> bool:
    """Whether the claim's words in the place of the text's change more than the wording."""
    short = bool(theirs.text) or len(ours.words) <= 2
    if short and bool(NEGATORS.search(ours.text)) != bool(NEGATORS.search(theirs.text)):
        return True
    if theirs.text and HEDGES.search(ours.text) and not HEDGES.search(theirs.text):
        return True
    if ours.figures and not all(any(f.says(g) for f in ours.figures) for g in theirs.figures):
        return True
    if theirs.strong - ours.strong:
        return True
    for sides in OPPOSITES:
        for one, other in (sides, sides[::-1]):
            if ours.stems & one and theirs.stems & other and not theirs.stems & one:
                return True
    names = {n for n in theirs.names if n not in ours.lower}
    return bool(ours.names and names) and not ours.names & theirs.names
