"""Sources that answer the same question with different values."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from assistant.evidence import Evidence, answers_kind, missing_focus, missing_names
from assistant.questions import Question, analyse, content_stems, holds, name_words, parts_of, stem, stems
from assistant.reading import Reading, Scored
from assistant.types import SHOWN, Citation, Conflict, ConflictingValue, Statement
from assistant.values import Value, labels, modifiers, values_in
from corpus.dating import in_words

FLOOR, SPAN = 0.0, 5.0
"""Least score of a sentence that may differ, and how far below the best it may lie."""
COVERED = 0.5
"""Share of the question's words that the sentence, its paragraph and headings must have."""
CHOICE = 3
"""Sentences of a source from which the one is chosen that answers best when it is read between its neighbours."""
SOURCES = 3
"""Documents that are read at least, where there are so many."""
MOST_VALUES = 2
"""Values of one sentence; a sentence with more is a list, and differs by what it lists."""

_SCOPE = re.compile(
    r"\b(?P<at>for|on|under|during) (?:(?:the|an?|all|each|every|its|their|our) )?"
    r"(?P<scope>(?!\d)[\w’'-]+(?: (?!(?:at|in|of|to|by|is|are|was|and|or|for|on|under|will|must)\b)[a-z’'-]+){0,2})",
    re.I,
)
"""What a sentence is restricted to."""

Claim = tuple[Evidence, tuple[Value, ...]]


def conflicts(question: Question, statements: Sequence[Statement], reading: Reading) -> tuple[Conflict, ...]:
    """Where the sources of an answer differ about the asked: each value with its sources, newest first.

    What the sources say counts, whether or not the answer repeats it; but one of the values must be in the answer. Only
    sentences that answer the same question with a value of the kind it asks for are compared, one for each source.
    """
    shown = [s for s in statements if s.verdict in SHOWN]
    parts = [analyse(part) for part in parts_of(question.text)]
    found = (_conflict(part, shown, reading) for part in (parts if len(parts) > 1 else [question]))
    return tuple(conflict for conflict in found if conflict is not None)


def _conflict(question: Question, shown: Sequence[Statement], reading: Reading) -> Conflict | None:
    groups: list[list[Claim]] = []
    for claim in _claims(question, reading):
        group = next((g for g in groups if any(_agree(claim, other) for other in g)), None)
        if group is None:
            groups.append([claim])
        else:
            group.append(claim)
    said = [v for s in shown for v in values_in(question, s.text)]
    if len(groups) < 2 or not any(v.agrees(w) for v in said for g in groups for _, held in g for w in held):
        return None
    for group in groups:
        group.sort(key=lambda claim: claim[0].passage.document.date or date.min, reverse=True)
    days = [g[0][0].passage.document.date for g in groups]
    newest = max((d for d in days if d is not None), default=None)
    values = sorted(
        (
            ConflictingValue(g[0][1][0].text, tuple(_citation(e) for e, _ in g), day, day is not None and day == newest)
            for g, day in zip(groups, days, strict=True)
        ),
        key=lambda v: v.date or date.min,
        reverse=True,
    )
    return Conflict(_explanation(values), tuple(c for v in values for c in v.citations), tuple(values))


def _claims(question: Question, reading: Reading) -> list[Claim]:
    """One sentence of each source with the values that it gives, best first; copies of one text are one source."""
    found: dict[str, list[Scored]] = {}
    ceiling: float | None = None
    for scored in _read(question, reading):
        evidence = scored.evidence
        if not answers_kind(question, evidence) or missing_names(question, evidence, reading.common):
            continue
        ceiling = scored.score if ceiling is None else ceiling
        if scored.score < max(FLOOR, ceiling - SPAN):
            break
        if comparable(question, evidence):
            found.setdefault(evidence.passage.document.id, []).append(scored)
    if len(found) < 2:
        return []
    best = [
        scored[0] if len(scored) == 1 else max(scored[:CHOICE], key=lambda s: reading.widened(s, question))
        for scored in found.values()
    ]
    return [(s.evidence, values_in(question, s.evidence.text)) for s in best]


def _read(question: Question, reading: Reading) -> list[Scored]:
    """The sentences read, best first; where they are all of a document or two, with those of the next documents."""
    scored = reading.scored(question)
    read = {s.evidence.passage.document.id for s in scored}
    others = {p.document.id: p for p in reversed(reading.passages) if p.document.id not in read}
    if len(read) >= SOURCES or not others or not (question.kind != "any" or values_in(question, question.text)):
        return scored
    further = sorted(others.values(), key=lambda p: p.number)[: SOURCES - len(read)]
    return sorted([*scored, *reading.of(further).scored(question)], key=lambda s: -s.score)


def comparable(question: Question, evidence: Evidence) -> bool:
    """Whether a sentence gives a value or two of what is asked, about what is asked, of a year that is asked for."""
    document = evidence.passage.document
    about = stems(f"{evidence.text} {evidence.paragraph} {evidence.heading}")
    covered = sum(holds(t, about) for t in question.terms) / max(len(question.terms), 1)
    years = {n for n in question.names if n.isdigit() and len(n) == 4}
    of = f"{evidence.text} {document.title} {document.date}"
    return (
        _alike(question, evidence)
        and question.kind != "place"  # a town and its county don't differ
        and 0 < len(values_in(question, evidence.text)) <= MOST_VALUES
        and covered >= COVERED
        and not missing_focus(question, evidence)
        and all(year in of for year in years)
    )


def _alike(question: Question, evidence: Evidence) -> bool:
    """Whether nothing in the sentence makes what it tells of another thing than the asked: "deputy", "for clubs"."""
    text = evidence.text
    about = stems(f"{text} {evidence.paragraph} {evidence.heading}")
    held, asked = stems(text), set(question.terms)
    unsaid = replace(question, terms=tuple(t for t in question.terms if not holds(t, held)))
    if modifiers(question, text) or modifiers(unsaid, evidence.heading) - asked:
        return False
    wanted, said = labels(question.text), labels(text)
    near = labels(f"{evidence.heading}\n{evidence.paragraph}")
    if any(not of & (said.get(noun) or near.get(noun, set())) for noun, of in wanted.items()):
        return False
    named = {stem(w) for n in question.names for w in name_words(n)}
    mine, theirs = _scopes(question.text), _scopes(text)
    return all(not scope or scope & asked for at, scope in theirs if at == "for") and all(
        holds(w, held if w not in named and any(a == at for a, _ in theirs) else about)
        for at, scope in mine
        for w in scope
    )


def _scopes(text: str) -> list[tuple[str, set[str]]]:
    """What the text says something for, on, under or during: "for clubs", with the stems of the words."""
    return [(m["at"].lower(), set(content_stems(m["scope"]))) for m in _SCOPE.finditer(text)]


def _agree(one: Claim, other: Claim) -> bool:
    """Whether they give the same, or what can't be compared: years and metres."""
    return any(a.agrees(b) or a.measure != b.measure for a in one[1] for b in other[1])


def _citation(evidence: Evidence) -> Citation:
    passage = evidence.passage
    page = passage.document.page_at(evidence.start)
    return Citation(passage.number, passage, evidence.start, evidence.end, evidence.text, page)


def _explanation(values: Sequence[ConflictingValue]) -> str:
    """“Sources differ: 5 March 2024 says £4.2 million (newest), 2 February 2023 says £3.9 million.”"""
    alone = sum(v.newest for v in values) == 1
    said = []
    for value in values:
        titles = [f"“{c.passage.document.title}” (undated)" for c in value.citations if c.passage]
        source = in_words(value.date) if value.date else titles[0]
        said.append(f"{source} says {value.text}{' (newest)' if value.newest and alone else ''}")
    return f"Sources differ: {', '.join(said)}."
