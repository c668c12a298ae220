"""The values that a sentence gives in answer to a question, in a form in which equal ones can be told."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from assistant.figures import Figure, figures_in
from assistant.questions import STOPWORDS, Question, content_stems, name_words, names_in, stem, words

_KINDS = {"money": "money", "percentage": "percent", "number": "number", "time": "time"}
_ADDRESSES = {
    "phone": re.compile(r"[\d\s()+.-]+"),
    "email": re.compile(r".*@.*"),
    "url": re.compile(r"[^@]*[a-z][^@]*", re.I),
}
_UNIT = re.compile(
    r"[\s-](?P<unit>(?:(?:working|school|calendar|consecutive|full) )?(?:second|minute|hour|day|night|week|fortnight"
    r"|month|year|term|decade|mile|metre|meter|kilometre|km|yard|acre|hectare))s?\b",
    re.I,
)
_MEASURES = {
    **dict.fromkeys((stem(u) for u in "mile metre meter kilometre km yard".split()), "length"),
    **dict.fromkeys((stem(u) for u in "acre hectare".split()), "area"),
}
_ONE = re.compile(r"\b(?:an?|one)(?=[\s-])", re.I)
_YEAR = re.compile(r"(?:1\d|20|21)\d\d(?:s\b)?")
_NO_COUNT = re.compile(r"(?:1[89]|20)\d\d|-?\d+\.\d{4,}")
"""A year, or one of a pair of coordinates."""
_LABELS = (
    r"section|page|p|form|room|item|part|article|appendix|annex|zone|year|stage|chapter|clause|schedule|paragraph|phase"
    r"|step|table|figure|rule|lot|unit|flat|floor|platform|route|ward|band|class|grade|level|bus|no|number"
)
_LABEL = re.compile(
    r"(?<!\beach )(?<!\bevery )(?<!\bthis )(?<!\blast )(?<!\bnext )(?<!\ba )(?<!\bper )"
    rf"\b(?P<noun>{_LABELS})s?\.? (?P<of>\d+(?:\.\d+)*[a-z]?|(?-i:[A-Z]))\b",
    re.I,
)
"""What is told apart by a number or letter; not the "year 312" of "each year 312 people reply"."""
_IN_NAME = re.compile(
    r"(?<!^)(?<![.:!?•] )\b(?!(?:In|At|On|Of|The|By|About|Over|Under|Only|All|Some|From|[A-Z]\w+days?|[A-Z]\w+ber"
    r"|[A-Z]\w+uary|March|April|May|June|July|August)\b)[A-Z][\w’'-]+ \d[\d.]*\b"
    r"|\b\d+[a-z]? (?:[A-Z][\w’'-]+ ){1,3}"
    r"(?:Street|St|Road|Lane|Avenue|Close|Square|Way|Place|Terrace|Drive|Gardens|Court)\b"
)
"""A number that stands in a name: "Route 4", "12 High Street"."""
_PER = re.compile(r"\s*(?:/|\bper|\ban?|\beach|\bevery)\s*(?P<unit>[a-z]+)", re.I)
_ROLES = frozenset(
    stem(w)
    for w in """deputy acting former vice assistant shadow ex interim honorary junior past previous retired elect
    outgoing late""".split()
)
"""Words before the name of a role that make it another one."""
_ORDINALS = frozenset(stem(w) for w in "first second third fourth fifth sixth seventh eighth ninth tenth".split())
_PLAIN = frozenset(
    stem(w)
    for w in """total overall whole full new newest current latest present actual main planned expected estimated likely
    approved agreed council""".split()
)
"""Words before what is asked that leave it what it is."""
_ALTERNATIVES = re.compile(r"\b(?P<one>[\w’'-]+) or (?P<other>[\w’'-]+)\W*$", re.I)


@dataclass(frozen=True, slots=True)
class Value:
    """What a sentence gives as an answer."""

    text: str
    """As the sentence has it."""
    key: frozenset[str]
    """The same for the same value, however it is written; a part of it for one that is less exact."""
    measure: str = ""
    """What is measured: values of two measures can't be compared."""

    def agrees(self, other: Value) -> bool:
        """Whether both may be the same, one being less exact: 2019 and 5 May 2019, Ada Quill and Councillor Quill."""
        return self.key <= other.key or other.key <= self.key


def values_in(question: Question, text: str) -> tuple[Value, ...]:
    """The values of the asked kind that the text gives and the question doesn't, in order, equal ones once.

    For who and where they are names. For a question that offers a choice ("good or outstanding?"), what is chosen.
    Empty for other questions: no shape tells what is an answer.
    """
    asked = {v.key for v in _values(question, question.text)} if question.kind != "any" else set()
    found: dict[frozenset[str], Value] = {}
    for value in _values(question, text):
        if value.key and value.key not in asked:
            found.setdefault(value.key, value)
    return tuple(found.values())


def modifiers(question: Question, text: str) -> set[str]:
    """Stems of the words that stand before a word of the question, or joined to it by a hyphen, and aren't asked for.

    The text's "deputy", for the mayor; "bank" and "holiday" for "on bank holiday Mondays". Names are passed over.
    """
    named = {stem(w) for n in question.names for w in name_words(n)}
    asked = set(question.terms)
    found: set[str] = set()
    for clause in re.split(r"[^\w\s’'-]+|\b[’']s? (?=[A-Z])", _blanked(text)):
        run: list[str] = []
        for word in words(clause):
            parts = [stem(p) for p in word.split("-")]
            if any(p in asked - named for p in parts):
                found.update((*run, *parts))
            opens = word.lower() in STOPWORDS or word.lower().endswith("ly") or word[0].isdigit()
            run = [] if opens else [*run, *parts]
    return found - asked - _PLAIN


def told_apart(question: Question, text: str) -> bool:
    """Whether the text is about the deputy or former holder of the role asked for, or the second for the first."""
    asked = _ORDINALS & set(question.terms)
    role = modifiers(replace(question, terms=question.focus), text) & _ROLES - set(question.terms)
    return bool(role) or bool(asked and modifiers(question, text) & _ORDINALS)


def labels(text: str) -> dict[str, set[str]]:
    """What is told apart by a number or letter, with those: the 10 of "section 10"."""
    found: dict[str, set[str]] = {}
    for match in _LABEL.finditer(text):
        found.setdefault(match["noun"].lower(), set()).add(match["of"].lower())
    return found


def _blanked(text: str) -> str:
    """The text with a number in place of each figure and its unit."""
    for figure in reversed([f for f in figures_in(text) if f.kind != "ordinal"]):
        unit = _UNIT.match(text, figure.end)
        text = f"{text[: figure.start]} 0 {text[unit.end() if unit else figure.end :]}"
    return text


def _values(question: Question, text: str) -> Iterator[Value]:
    kind = question.kind
    if kind in ("name", "place"):
        for name in names_in("x " + text):
            if not name[0].isdigit():
                yield Value(name, frozenset(stem(w) for w in name_words(name)) - set(question.terms))
    elif kind == "any":
        if offered := _ALTERNATIVES.search(question.text):
            either = {stem(offered["one"]), stem(offered["other"])}
            yield from [Value(w, frozenset({stem(w)})) for w in words(text) if stem(w) in either][:1]
    elif kind == "duration":
        for start, end, count in [
            *((f.start, f.end, str(f.value[0])) for f in figures_in(text) if f.kind == "number"),
            *((m.start(), m.end(), "1") for m in _ONE.finditer(text)),
        ]:
            if unit := _UNIT.match(text, end):
                units = content_stems(unit["unit"])
                measure = _MEASURES.get(units[-1], "time")
                yield Value(text[start : unit.end()], frozenset({count, *units}), measure)
    else:
        named = [m.span() for p in (_LABEL, _IN_NAME) for m in p.finditer(text)] if kind == "number" else []
        for figure in figures_in(text):
            key = _key(question, figure)
            if key and not any(start <= figure.start < end for start, end in named):
                unit = _PER.match(text, figure.end) if kind == "money" else None
                said = re.sub(r"(?<=\d[ap]m)\.$", "", " ".join(figure.text.split()))
                yield Value(said, frozenset(key), stem(unit["unit"]) if unit else "")


def _key(question: Question, figure: Figure) -> list[str]:
    kind, value = question.kind, figure.value
    if kind == "date":
        if figure.kind == "number" and _YEAR.fullmatch(figure.text):
            return [f"year {figure.text}"]
        if figure.kind != "date" or len(value) == 4:
            return [figure.text] if figure.kind == "date" else []
        parts = ("day", "month", "year") if len(value) == 3 else ("year", "to")
        return [f"{name} {part}" for name, part in zip(parts, value, strict=True) if part is not None]
    if kind in _ADDRESSES:
        shaped = figure.kind == "address" and _ADDRESSES[kind].fullmatch(figure.text)
        return [str(value[0])] if shaped else []
    if figure.kind != _KINDS[kind] or (kind == "number" and _NO_COUNT.fullmatch(figure.text)):
        return []
    return [str(part) for part in value]
