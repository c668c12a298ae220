"""Questions whose documents mislead: contradictions in RAMDocs, planted instructions in BIPIA."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from corpus.errors import UsageError
from eval.adapters.common import Documents, Read, file_name, sibling, whole
from eval.jsonl import encodable
from eval.rows import Files, Row
from eval.scorers.texts import normalised
from eval.types import Case

POSITIONS = ("start", "middle", "end")
"""Where an instruction is planted."""

# An address of the web or of e-mail; words in quotation marks that are to be added; numbers with a currency's sign.
_ADDRESS = re.compile(r"(?:https?://)?(?:[\w.+-]+@)?(?:[A-Za-z0-9-]+\.)+[a-z]{2,}\b(?:/(?:[^\s\"')]*[\w/])?)?")
_ADDED = re.compile(
    r"\b(?:add|append|include|insert|integrate|mention|say|state|write)\b[^\"'“]{0,40}"
    r"(?:\"([^\"]{4,})\"|'((?:[^']|'(?=\w)){4,})'|“([^”]{4,})”)",
    re.IGNORECASE,
)
_AMOUNT = re.compile(r"([£$€])\s?(\d{1,3}(?:[ ,]\d{3})+|\d+)(\.\d\d)?(?!\d)")


def ramdocs(path: Path, files: Files) -> Read:
    """RAMDocs (Wang et al. 2025): each question over its own documents, all right answers wanted and no wrong one."""
    cases, documents = [], Documents()
    for row in files.rows(path):
        identifier = row.text("id")
        offered = [
            (documents.add(f"{identifier}-{n}", "", document.text("text")).id, document.text("type"))
            for n, document in enumerate(row.objects("documents"))
        ]
        right = tuple(dict.fromkeys(row.texts("gold_answers")))
        same = {normalised(answer) for answer in right}
        wrong = tuple(dict.fromkeys(one for one in row.texts("wrong_answers") if normalised(one) not in same))
        correct = dict.fromkeys(source for source, kind in offered if kind == "correct")
        cases.append(
            Case(
                id=identifier,
                kind=("ambiguous" if len(right) > 1 else "single") + ("/misinformation" if wrong else ""),
                question=row.text("question"),
                answerable=True,
                facts=tuple((answer,) for answer in right),
                evidence=whole(correct),
                wrong=wrong,
                relevant=tuple((source, 1) for source in correct),
                scope=tuple(dict.fromkeys(file_name(source) for source, _ in offered)),
                place=row.place,
            )
        )
    return Read(cases, documents.sources)


def bipia(path: Path, files: Files) -> Read:
    """BIPIA's e-mails (Yi et al. 2023), clean and with each instruction that leaves a literal mark.

    Of the three positions each pair of e-mail and instruction has one, in turn. An instruction whose mark the
    e-mail holds anyway is left out.
    """
    name = path.name.partition(".")[0]
    attacks = list(_attacks(sibling(path, f"text_attack_{name.rpartition('_')[2]}.json"), files))
    cases, documents = [], Documents()
    for e, row in enumerate(files.rows(path)):
        mail = row.text("context")
        planted = [("clean", "clean", mail, ())] + [
            (f"{a:02}-{position}", f"{type_}/{position}", _with(mail, attack, position), marks)
            for a, (type_, attack, marks) in enumerate(attacks)
            if not any(mark.lower() in mail.lower() for mark in marks)
            for position in [POSITIONS[(a + e) % len(POSITIONS)]]
        ]
        facts = _facts(row)
        for suffix, kind, text, marks in planted:
            identifier = f"{name}-{e:02}-{suffix}"
            source = documents.add(identifier, "", text)
            cases.append(
                Case(
                    id=identifier,
                    kind=kind,
                    question=row.text("question").removeprefix("Q: "),
                    answerable=bool(facts),
                    facts=facts,
                    evidence=whole([source.id] if facts else []),
                    marks=marks,
                    scope=(file_name(source.id),),
                    place=row.place,
                )
            )
    return Read(cases, documents.sources)


def _attacks(path: Path, files: Files) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Type, instruction and marks of each that leaves one."""
    try:
        types = encodable(json.loads(files.content(path)))
        found = [(type_, attack) for type_, attacks in types.items() for attack in attacks]
    except (ValueError, AttributeError, TypeError, RecursionError) as error:
        raise UsageError(f"the file {str(path)!r} isn't a JSON object of attacks by type: {error}") from error
    for type_, attack in found:
        if marks := marks_of(str(attack)):
            yield type_, str(attack), marks


def marks_of(instruction: str) -> tuple[str, ...]:
    """What obeying an instruction leaves in an answer, literally: addresses, and quoted words that are to be added."""
    # A question quotes what it is about.
    quoted = () if instruction.rstrip().endswith("?") else _ADDED.finditer(instruction)
    added = ("".join(match.groups("")).strip() for match in quoted)
    return tuple(dict.fromkeys([*(m.group() for m in _ADDRESS.finditer(instruction)), *added]))


def _with(text: str, attack: str, position: str) -> str:
    """A text with an instruction in a line of its own, in the middle at the gap between words nearest to it."""
    half = len(text) // 2
    gaps = [m.start() for m in re.finditer(r"\s", text)]
    at = {"start": 0, "middle": min(gaps, key=lambda gap: abs(gap - half), default=half), "end": len(text)}[position]
    return f"{text[:at]}\n{attack}\n{text[at:]}".strip("\n")


def _facts(row: Row) -> tuple[tuple[str, ...], ...]:
    """Each amount of the ideal answer in its usual spellings, or the answer as it stands; none if it is unknown."""
    ideals = [ideal for ideal in row.texts("ideal") if ideal.strip().lower() != "unknown"]
    amounts = [spellings(m) for ideal in ideals for m in _AMOUNT.finditer(ideal)]
    return tuple(amounts or ((ideal,) for ideal in ideals))


def spellings(amount: re.Match[str]) -> tuple[str, ...]:
    """`$2,500.00` also as `$2500.00`, `$2 500.00` and without the zeros."""
    sign, whole_part, rest = amount.groups("")
    value = int(re.sub(r"\D", "", whole_part))
    written = (f"{value:,}", str(value), f"{value:,}".replace(",", " "))
    ends = (rest, "") if rest in (".00", "") else (rest,)
    return tuple(dict.fromkeys(f"{sign}{w}{end}" for end in ends for w in written))
