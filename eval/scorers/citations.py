"""Citations against gold evidence, at four levels, and against what was offered; no judge has a say.

A gold document's name matches a cited path when one is the other's end by whole parts. A citation of something that
was never offered is in the denominator of every precision. An answerable question that was refused, or answered
without citations, has recall 0, F1 0 and no precision.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from functools import lru_cache

from eval.answers import same_document
from eval.scorers.averages import always, answerable, averaged, harmonic
from eval.scorers.matching import match, stretches, words
from eval.types import Case, Citation, Evidence, Offered, Response, Scorer

_Found = tuple[float, float, float, float]
"""Right of the cited, all cited, found of the gold, all gold."""
_Gold = tuple[Evidence, ...]
_Cited = tuple[Citation, ...]
_PLAIN_QUOTE = 8
"""Words from which a quote is found by its words alone, wherever in its document they stand."""
_same = lru_cache(1 << 14)(same_document)
_remembered = lru_cache(1 << 14)
"""Precision, recall and F1 of an answer need the same counts."""


def same(document: str, gold: Evidence) -> bool:
    """Whether the cited document is the gold one."""
    return document == gold.document if gold.exact else _same(document, gold.document)


def span(citation: Citation) -> tuple[int, int] | None:
    """Where a citation stands in its document, as it says or as its passage shows; None where its quote isn't there."""
    passage, quote = citation.passage, citation.quote
    begin = None if passage is None else passage.start
    if citation.start is not None and citation.end is not None:
        if passage is not None and begin is not None and quote:
            stands = _stands(quote, citation.start, citation.end, passage)
        else:
            stands = not quote or citation.end - citation.start == len(quote)
        return (citation.start, citation.end) if stands else None
    if passage is None or begin is None:
        return None
    at = passage.text.find(quote)
    return None if at < 0 else (begin + at, begin + at + len(quote or passage.text))


def lies_on(citation: Citation, gold: Evidence) -> bool:
    """Whether a citation is of the words of a gold quote.

    By half of the shorter of their spans; without spans, or for a quote of `_PLAIN_QUOTE` words that may stand twice in
    its document, by their words.
    """
    if citation.document is None or not same(citation.document, gold):
        return False
    at = span(citation)
    if at is None or gold.start is None or gold.end is None:
        return match(gold.quote, quoted(citation))
    shared = min(at[1], gold.end) - max(at[0], gold.start)
    if 2 * shared >= min(at[1] - at[0], gold.end - gold.start):
        return True
    return len(words(gold.quote)) >= _PLAIN_QUOTE and match(gold.quote, quoted(citation))


def quoted(citation: Citation) -> str:
    """The cited words; a passage's text where it is cited as a whole."""
    return citation.quote or (citation.passage.text if citation.passage else "")


def _invented(citations: Iterable[Citation]) -> int:
    return len({(c.number, c.named, c.quote) for c in citations if c.document is None})


@_remembered
def documents(gold: _Gold, citations: _Cited) -> _Found:
    """Distinct cited documents against distinct gold documents."""
    named = {c.document for c in citations if c.document is not None}
    wanted = {e.document: e for e in gold}.values()
    right = sum(any(same(name, w) for w in wanted) for name in named)
    found = sum(any(same(name, w) for name in named) for w in wanted)
    return right, len(named) + _invented(citations), found, len(wanted)


@_remembered
def passages(gold: _Gold, citations: _Cited) -> _Found:
    """Distinct cited passages against distinct gold passages; a quote stands for a passage that isn't known."""
    named: dict[Hashable, Offered] = {}
    for c in citations:
        if c.document is not None:
            one = c.passage or Offered(0, c.document, c.quote, start=(span(c) or (None, None))[0])
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
    if not same(passage.document, gold):
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
    pairs = {(i, j) for i, c in enumerate(citations) for j, e in enumerate(wanted) if lies_on(c, e)}
    return len({i for i, _ in pairs}), len(citations), len({j for _, j in pairs}), len(wanted)


_Place = tuple[tuple[str, ...], int, int]
"""A stretch of characters of a document, or of a text in it whose place isn't known."""


@_remembered
def characters(gold: _Gold, citations: _Cited) -> _Found:
    """The union of cited characters against that of gold characters.

    Characters are the same by their offsets where both sides have them, else where the words of matching texts align. A
    citation without characters, as an invented one, weighs in precision as the mean of those with some.
    """
    wanted = {e: place for e in gold if (place := _gold_place(e, citations)) is not None}
    named = {c: place for c in citations if (place := _cited_place(c)) is not None}
    right: list[_Place] = []
    found: list[_Place] = []
    for e, (there, start, end) in wanted.items():
        for c, (here, first, last) in named.items():
            if c.document is None or not same(c.document, e):
                continue
            if len(there) > 1 or len(here) > 1:
                text = quoted(c)
                pairs = stretches(e.quote, text) if match(e.quote, text) else []
                found += [(there, start + a.start, start + a.stop) for a, _ in pairs]
                right += [(here, first + b.start, first + b.stop) for _, b in pairs]
            elif (low := max(start, first)) < (high := min(end, last)):
                found.append((there, low, high))
                right.append((here, low, high))
    size, empty = (
        _union(named.values()),
        len({(c.document, c.number, c.named, c.quote) for c in citations if c not in named}),
    )
    distinct = len(set(named.values()))
    return _union(right), size * (1 + empty / distinct) if named else empty, _union(found), _union(wanted.values())


def _gold_place(gold: Evidence, citations: _Cited) -> _Place | None:
    """In its document, as known or as a cited passage shows it; else a text of its own. None without characters."""
    if gold.start is not None and gold.end is not None:
        return (gold.document,), gold.start, gold.end
    for c in citations:
        if gold.quote and c.passage is not None and c.passage.start is not None and same(c.passage.document, gold):
            at = c.passage.text.find(gold.quote)
            if at >= 0:
                return (gold.document,), c.passage.start + at, c.passage.start + at + len(gold.quote)
    return ((gold.document, gold.quote), 0, len(gold.quote)) if gold.quote else None


def _cited_place(citation: Citation) -> _Place | None:
    if citation.document is None:
        return None
    if (at := span(citation)) is not None:
        return (citation.document,), *at
    text = quoted(citation)
    return ((citation.document, text), 0, len(text)) if text else None


def _union(places: Iterable[_Place]) -> int:
    """How many characters there are in places that may overlap."""
    total, at, end = 0, None, 0
    for key, start, stop in sorted(places):
        if key != at:
            at, end = key, start
        total += max(stop - max(start, end), 0)
        end = max(end, stop)
    return total


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
        right, all_cited, found, wanted = compare(case.evidence, response.citations)
        if measure == "precision":
            return right / all_cited if all_cited else None
        recall = found / wanted
        return recall if measure == "recall" else harmonic(right / all_cited if all_cited else 0.0, recall)

    return averaged(f"citation_{measure}[{level}]", score, applies, None if measure == "precision" else 0.0)


def resolution(_: Case, response: Response) -> float | None:
    """Share of the citations whose source was offered; invented numbers count against it.

    A document that is cited by name can't be looked up where the answer doesn't say what was offered.
    """
    citations = [c for c in response.citations if response.passages or c.number is not None]
    return sum(c.document is not None for c in citations) / len(citations) if citations else None


def exactness(_: Case, response: Response) -> float | None:
    """Share of the quotes of known passages that stand there verbatim, white space apart, at their place if known."""
    checked = [
        _stands(c.quote, c.start, c.end, c.passage)
        for c in response.citations
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
