"""The values that a sentence gives in answer to a question, in a form in which equal ones can be told."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from assistant.figures import Figure, figures_in
from assistant.questions import Question, content_stems, name_words, names_in, stem, words

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
        for figure in figures_in(text):
            if key := _key(question, figure):
                yield Value(" ".join(figure.text.split()), frozenset(key))


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
