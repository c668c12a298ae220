"""Whether a sentence of a text says a claim by itself: its conditions, its limits, and who does what to whom."""

from __future__ import annotations

import re
from itertools import combinations, pairwise

from assistant.attachment import SUBJECTLESS
from assistant.wording import NEGATORS, Item, Wording, read
from corpus.sentences import split_sentences

_WHOLE = 0.8
"""Share of a claim's content words that one sentence of the text must hold."""
_NEAR = 8
"""Content words of a claim within which a verb and what stands on both its sides are sought."""
_COMPOUND = re.compile(r"[;:]|[.!?]\s+\S|\s(?:and|or|but|while|whereas|although|though|however|because)\s")
_CONDITION = re.compile(
    r"\b(?:if|unless|provided\s+that|(?<=,\s)provided|providing\s+that|as\s+long\s+as|in\s+case|subject\s+to"
    r"|only\s+when|until|otherwise)\b|(?:^|,\s+)without\b",
    re.I,
)
_LACKING = re.compile(r"unless|without", re.I)
_WHEN = re.compile(r"\b(?:when|once)\b", re.I)
_FUTURE = re.compile(r"\b(?:will|shall|must|can)\b", re.I)
_CONDITIONED = re.compile(rf"{_CONDITION.pattern}|{_WHEN.pattern}|\bafter\b", re.I)
_UNTRUE = re.compile(
    r"\b(?:is|are|was|were|as)\s+(?:an?\s+)?(?:\w+ly\s+)?(?:false|untrue|unfounded|baseless|myth|hoax|wrong|incorrect)\b"
    r"|\bmyth\s+that\b|\bfalsely\b|\bfalse\s+(?:claim|rumou?r|report)s?\b|\b(?:debunked|disproved|refuted)\b",
    re.I,
)
_SCOPED = re.compile(
    r"\b(?:accus(?:ed|es|ing)|suspect(?:s|ed|ing)|charged\s+with|acquitted|alleg\w+|avert(?:s|ed|ing)?|avoid(?:s|ed|ing)?"
    r"|prevent(?:s|ed|ing)?|threaten\w*|attempt(?:s|ed|ing)?|tried\s+to|promis\w+|pledg\w+"
    r"|vow(?:s|ed)|want(?:s|ed)?\s+to|urg(?:ed|es)|called\s+for|(?:nearly|almost|narrowly)(?!\s+\d))\b",
    re.I,
)
"""Words after which a sentence doesn't say that the rest of it is so."""
_LIMIT = re.compile(
    r"\b(?:only|some|(?<!\ba )(?<!last )(?<!past )(?<!next )few|(?<!\ba )little|part|half|partly|former(?:ly)?|acting"
    r"|deputy|vice|interim|proposed|planned|draft|alleged|so-called|would-be|ex)(?:\s+of\s+(?:the|its|their|his|her))?[\s-]+(?=\w)",
    re.I,
)
"""Words that narrow the word behind them."""
_SAME_LIMIT = frozenset("some several many few certain other most".split())
_BY = re.compile(r"\b(?:is|are|was|were|be|been|being)\s+(?:\w+\s+)?[\w'-]+\s+by\b", re.I)
_WAY = re.compile(r"\bfrom\s+(?:the\s+)?(\w+)\b(?:\s+\w+){0,3}?\s+to\s+(?:the\s+)?(\w+)")
_ASIDE = re.compile(r",\s+(?:who|which|whose|whom|where)\b[^,;]*,")
_LIST = re.compile(r"[,;()]|\b(?:and|or)\b")


def out_of_scope(have: Wording, said: Wording) -> str | None:
    """Why no one sentence of the text says the claim; each clause of the claim is looked at by itself."""
    sentences = _sentences(have)
    if not _COMPOUND.search(said.text.strip()) and said.wanted:
        most = max(_held(one, said) for one in _joined(sentences))
        if most < _WHOLE * (len(said.wanted) - len(said.missing(have))):
            return "no one sentence of the cited text says all of it"
    reasons = [_reason(one, said) for one in sentences]
    for start, end in said.clauses:
        clause = read(said.text[start:end])
        counts = [_held(one, clause) for one in sentences]
        if not max(counts):
            continue
        found = [reason for reason, count in zip(reasons, counts, strict=True) if count == max(counts)]
        if all(found):
            return found[0]
    return None


def _held(sentence: Wording, claim: Wording) -> int:
    return len(claim.wanted) - len(claim.missing(sentence))


def _sentences(text: Wording) -> list[Wording]:
    whole = re.sub(r"\s*\n\s*(?=[a-z])", " ", text.text)  # a line that is broken inside a sentence
    whole = re.sub(r"(?<=[a-z])([.?!])(?=[A-Z][a-z])", r"\1 ", whole)
    return [read(whole[a:b]) for a, b in split_sentences(whole)] or [text]


def _joined(sentences: list[Wording]) -> list[Wording]:
    """Each sentence, and with the one before where it refers back to it."""
    pairs = [read(f"{a.text} {b.text}") for a, b in pairwise(sentences) if SUBJECTLESS.match(b.text)]
    return [*sentences, *pairs]


def _reason(sentence: Wording, said: Wording) -> str | None:
    """What of one sentence keeps it from saying the claim."""
    text, claim = sentence.text, said.text
    found = _CONDITION.search(text) or (_WHEN.search(text) if _FUTURE.search(claim) else None)
    if found and not _CONDITIONED.search(claim) and not (_LACKING.search(found.group()) and NEGATORS.search(claim)):
        return f"the cited text says it on a condition, {found.group().strip(' ,')!r}"
    if (found := _UNTRUE.search(text)) and not _UNTRUE.search(claim):
        return f"the cited text calls it {found.group()!r}"
    words = {w.group().lower() for w in said.words}
    for found in _SCOPED.finditer(text):
        after = {i.key for i in sentence.items if i.start >= found.end()}
        if after & said.keys and not _SCOPED.search(claim):
            return f"the cited text says {found.group()!r} of it"
    for found in _LIMIT.finditer(text):
        limit = re.split(r"[\s-]", found.group().lower())[0]
        behind = [i for i in sentence.items if i.start <= found.end() < i.end and i.key in said.keys and not i.figure]
        if not behind:
            continue
        again = {i.start for i in sentence.items if i.key == behind[-1].key}
        if len(again) == 1 and limit not in words and not (limit in _SAME_LIMIT and words & _SAME_LIMIT):
            return f"the cited text says {found.group().strip()!r} of {text[found.end() : behind[-1].end]!r}"
    return _of_an_aside(sentence, said) or _turned_round(sentence, said)


def _of_an_aside(sentence: Wording, said: Wording) -> str | None:
    """A claim that takes its subject from a relative clause, and its verb from behind it."""
    for found in _ASIDE.finditer(sentence.text):
        before = {i.key for i in sentence.between(0, found.start())}
        inside = {i.key for i in sentence.between(*found.span())} - before
        after = {i.key for i in sentence.items if i.start >= found.end()} - before - inside
        if not before & said.keys and inside & said.keys and after & said.keys:
            return f"the cited text says {found.group().strip(' ,')!r} in passing only"
    return None


def _turned_round(have: Wording, said: Wording) -> str | None:
    """Two words that have changed places around the same verb; a passive with "by" changes them by itself."""
    for start, end in _ways(said):
        if any(start == last and end == first for first, last in _ways(have)):
            return f"the cited text has 'from {start} to {end}' the other way round"
    ours = {i.key: i for i in have.items if i.figure is None}
    once = [
        i
        for i in said.items
        if i.figure is None and sum(i.key == other.key for other in (*have.items, *said.items)) == 2 and i.key in ours
    ]
    triples = ((one, *two) for n, one in enumerate(once) for two in combinations(once[n + 1 : n + _NEAR], 2))
    for one, verb, other in triples:
        if verb.start in said.names or _listed(said, one, other):
            continue
        a, v, b = (ours[i.key] for i in (one, verb, other))
        passive = _passive(said, one, verb, other)
        if b.start < v.start < a.start and not _listed(have, b, a) and _passive(have, b, v, a) == passive:
            return f"the cited text has {said.text[one.start : other.end]!r} the other way round"
        if a.start < v.start < b.start and not _listed(have, a, b) and _passive(have, a, v, b) != passive:
            return f"the cited text has {said.text[one.start : other.end]!r} the other way round"
    return None


def _ways(text: Wording) -> list[tuple[str, str]]:
    return [(m[1].lower(), m[2].lower()) for m in _WAY.finditer(text.text)]


def _listed(text: Wording, first: Item, last: Item) -> bool:
    return _LIST.search(text.text, first.end, last.start) is not None


def _passive(text: Wording, first: Item, verb: Item, last: Item) -> bool:
    found = _BY.search(text.text, first.end, last.start)
    return found is not None and found.start() < verb.start < found.end()
