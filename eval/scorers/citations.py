"""Citations against gold evidence, at four levels, and against what was offered; no judge has a say.

A gold document's name matches a cited path when one is the other's end by whole parts. A citation of something that
was never offered is in the denominator of every precision. An answerable question that was refused, or answered
without citations, has recall 0, F1 0 and no precision.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from functools import lru_cache

from eval.answers import same_document
from eval.scorers.averages import always, answerable, averaged, harmonic
from eval.scorers.matching import match, stretches
from eval.types import Case, Citation, Evidence, Offered, Response, Scorer

_Found = tuple[float, float, float, float]
"""Right of the cited, all cited, found of the gold, all gold."""
_Gold = tuple[Evidence, ...]
_Cited = tuple[Citation, ...]
same = lru_cache(1 << 14)(same_document)
_remembered = lru_cache(1 << 14)
"""Precision, recall and F1 of an answer need the same counts."""


def cited(response: Response) -> _Cited:
    """The citations that a reader sees; a refusal has none."""
    return () if response.refused else response.citations


def quoted(citation: Citation) -> str:
    """The cited words; a passage's text where it is cited as a whole."""
    return citation.quote or (citation.passage.text if citation.passage else "")


def _invented(citations: Iterable[Citation]) -> int:
    return len({(c.number, c.quote) for c in citations if c.document is None})


@_remembered
def documents(gold: _Gold, citations: _Cited) -> _Found:
    """Distinct cited documents against distinct gold documents."""
    named = {c.document for c in citations if c.document is not None}
    wanted = {e.document for e in gold}
    right = sum(any(same(name, w) for w in wanted) for name in named)
    found = sum(any(same(name, w) for name in named) for w in wanted)
    return right, len(named) + _invented(citations), found, len(wanted)


@_remembered
def passages(gold: _Gold, citations: _Cited) -> _Found:
    """Distinct cited passages against distinct gold passages; a quote stands for a passage that isn't known."""
    named: dict[Hashable, Offered] = {}
    for c in citations:
        if c.document is not None:
            one = c.passage or Offered(0, c.document, c.quote, start=c.start)
            named[one.document, one.start, one.text] = one
    wanted: dict[Hashable, list[Evidence]] = defaultdict(list)
    for e in gold:
        wanted[e if e.passage is None else (e.document, e.passage)].append(e)
    right = sum(any(_holds(one, e) for e in gold) for one in named.values())
    found = sum(any(_holds(one, e) for one in named.values() for e in group) for group in wanted.values())
    return right, len(named) + _invented(citations), found, len(wanted)


def _holds(passage: Offered, gold: Evidence) -> bool:
    """By equal ids, by half of the gold span, or by matching words; without a quote the document is enough."""
    if gold.passage is not None and passage.id == gold.passage:
        return True
    if not same(passage.document, gold.document):
        return False
    if passage.start is not None and gold.start is not None and gold.end is not None:
        shared = min(passage.start + len(passage.text), gold.end) - max(passage.start, gold.start)
        return 2 * shared >= gold.end - gold.start and shared > 0
    if gold.quote:
        return match(gold.quote, passage.text)
    return gold.passage is None or passage.id is None


@_remembered
def sentences(gold: _Gold, citations: _Cited) -> _Found:
    """Citations whose words match a gold quote of the same document, as often as they stand in the answer."""
    wanted = [e for e in gold if e.quote]
    pairs = {
        (i, j)
        for i, c in enumerate(citations)
        for j, e in enumerate(wanted)
        if c.document is not None and same(c.document, e.document) and match(e.quote, quoted(c))
    }
    return len({i for i, _ in pairs}), len(citations), len({j for _, j in pairs}), len(wanted)


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Characters of a document, or of a quote whose place in it isn't known."""

    document: str
    text: str
    start: int | None
    length: int

    @property
    def key(self) -> Hashable:
        return self.document, None if self.start is not None else self.text

    @property
    def characters(self) -> range:
        return range(self.start or 0, (self.start or 0) + self.length)

    def shared(self, other: _Stretch) -> list[tuple[range, range]]:
        """The characters of both by their places, else by the words that they have in common."""
        if self.start is not None and other.start is not None:
            a, b = self.characters, other.characters
            both = range(max(a.start, b.start), min(a.stop, b.stop))
            return [(both, both)]
        at, there = self.start or 0, other.start or 0
        return [
            (range(at + a.start, at + a.stop), range(there + b.start, there + b.stop))
            for a, b in stretches(self.text, other.text)
        ]


def _stretch(document: str, text: str, start: int | None, end: int | None) -> _Stretch:
    return _Stretch(document, text, start, len(text) if start is None or end is None else end - start)


def _cited_stretch(citation: Citation) -> _Stretch | None:
    """None for what was invented, or names no characters."""
    if citation.document is None:
        return None
    found = _stretch(citation.document, citation.quote, citation.start, citation.end)
    if not found.length and citation.passage is not None:
        found = _stretch(citation.document, citation.passage.text, citation.passage.start, None)
    return found if found.length else None


@_remembered
def characters(gold: _Gold, citations: _Cited) -> _Found:
    """The union of cited characters against that of gold characters.

    Characters are the same by their offsets where both sides have them, else where words align. A citation without
    characters, as an invented one, weighs in precision as the mean of those with some.
    """
    wanted = {s for e in gold if (s := _stretch(e.document, e.quote, e.start, e.end)).length}
    found_at = {c: _cited_stretch(c) for c in citations}
    named = {n for n in found_at.values() if n is not None}
    empty = len({(c.document, c.number, c.quote) for c, n in found_at.items() if n is None})
    right: dict[Hashable, set[int]] = defaultdict(set)
    found: dict[Hashable, set[int]] = defaultdict(set)
    for w in wanted:
        for n in named:
            if same(w.document, n.document):
                for here, there in w.shared(n):
                    found[w.key].update(here)
                    right[n.key].update(there)
    size = _union(named)
    return _size(right), size * (1 + empty / len(named)) if named else empty, _size(found), _union(wanted)


def _union(of: Iterable[_Stretch]) -> int:
    places: dict[Hashable, set[int]] = defaultdict(set)
    for one in of:
        places[one.key].update(one.characters)
    return _size(places)


def _size(places: dict[Hashable, set[int]]) -> int:
    return sum(map(len, places.values()))


LEVELS: dict[str, Callable[[_Gold, _Cited], _Found]] = {
    "document": documents,
    "passage": passages,
    "sentence": sentences,
    "character": characters,
}


def gold_evidence(measure: str, level: str) -> Scorer:
    """`citation_precision`, `citation_recall` or `citation_f1` of an answerable question at one of the `LEVELS`."""
    compare = LEVELS[level]

    def applies(case: Case) -> bool:
        return answerable(case) and compare(case.evidence, ())[3] > 0

    def score(case: Case, response: Response) -> float | None:
        right, all_cited, found, wanted = compare(case.evidence, cited(response))
        if measure == "precision":
            return right / all_cited if all_cited else None
        recall = found / wanted
        return recall if measure == "recall" else harmonic(right / all_cited if all_cited else 0.0, recall)

    return averaged(f"citation_{measure}[{level}]", score, applies, None if measure == "precision" else 0.0)


def resolution(_: Case, response: Response) -> float | None:
    """Share of the citations whose source was offered; invented numbers count against it."""
    citations = cited(response)
    return sum(c.document is not None for c in citations) / len(citations) if citations else None


def exactness(_: Case, response: Response) -> float | None:
    """Share of the quotes of known passages that stand there verbatim, white space apart, at their place if known."""
    checked = [
        _stands(c.quote, c.start, c.end, c.passage)
        for c in cited(response)
        if c.quote and c.passage is not None and c.passage.text
    ]
    return sum(checked) / len(checked) if checked else None


def _stands(quote: str, start: int | None, end: int | None, passage: Offered) -> bool:
    wanted = " ".join(quote.split())
    if start is None or end is None or passage.start is None:
        return wanted in " ".join(passage.text.split())
    at = start - passage.start
    return at >= 0 and wanted == " ".join(passage.text[at : end - passage.start].split())


RESOLUTION = averaged("citation_resolution", resolution, always, None)
EXACTNESS = averaged("quote_exactness", exactness, always, None)
