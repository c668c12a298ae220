"""Whether a stretch of a document can answer a question: does it hold the names asked about, and the kind of thing
asked for?

Words of a passage tell what it is about; these checks tell when it is about something else of the same kind: another
place, another year, a school without its head teacher, a campaign without its sum.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from assistant.questions import Question, has_kind, holds, name_words, stem, stems, words
from assistant.types import Passage
from corpus.types import Section

OPENING = 400
"""Characters at the start of a document that tell what it is about."""

_ASKED = re.compile(
    r"[\s“‘\"'(•]*(?:(?:and|but|so|or|if)\s+)?(?:who|whom|whose|what|which|when|where|why|how|is|are|was|were|do|does|did|can"
    r"|could|will|would|should|must|may|has|have|had)\b.*\?[”’\"')\s]*$",
    re.I | re.S,
)
_IN_CHARGE = frozenset(stem(w) for w in "run lead head manage charge direct govern boss responsible hold".split())
_ROLE = r"((?:[a-z]+[ -]){0,3}?[a-z]*(?:or|er|ant|ent|ian|ist|man|woman|person|chair|head|lead|chief|clerk|secretary))"
_ROLE_STATED = tuple(
    re.compile(pattern)
    for pattern in (
        rf"\b[Tt]he {_ROLE} (?:(?:of|at|for)\b[^.;]*? )?(?:is|was) [A-Z]",
        rf"\b[A-Z][a-z]+ (?:is|was|became) (?:the|its|their) {_ROLE}\b",
    )
)
"""The role in "The director of the museum is Ada Quill" and in "Ada Quill is the director"."""
_YEAR = re.compile(r"\b(?:1[89]|20)\d\d\b")
_RANGE = re.compile(r"\b((?:1[89]|20)\d\d)\s?(?:[-–/]|to|and)\s?(\d{2}(?:\d\d)?)\b")
_SPAN = re.compile(r"\b(?:since|until|till|before|after|between|compared?|than|from|by|change[ds]?|first|last)\b", re.I)
"""A question with one of these may be answered by other years than it names."""
_REFERS_BACK = re.compile(
    r"\b(?:he|she|they|it|his|her|hers|their|its|him|them|this|these|those|such|both|I|my|me)\b", re.I
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """A sentence of a passage, with what a reader knows on reaching it."""

    passage: Passage
    start: int
    """Characters of `Document.text`."""
    end: int
    text: str
    paragraph: str
    """The block that holds the sentence, with the line that introduces it if it is an item of a list."""
    before: str
    """The passage up to the sentence."""
    heading: str
    """Title and headings."""


def sentences_of(passage: Passage) -> list[Evidence]:
    """The sentences of a passage that say something, as evidence, in order."""
    document, chunk = passage.document, passage.chunk
    heading = "\n".join((document.title, *chunk.headings))
    sections = document.sections
    starts = [s.start for s in sections]
    found = []
    for start, end in chunk.sentences or ((chunk.start, chunk.end),):
        index = max(bisect_right(starts, start) - 1, 0)
        heads = sections and sections[index].kind == "heading"
        if heads or _ASKED.match(document.text[start:end]):  # neither a heading nor a question answers
            continue
        paragraph = _paragraph(document.text, sections, index) if sections else chunk.text
        before = document.text[chunk.start : start]
        found.append(Evidence(passage, start, end, document.text[start:end], paragraph, before, heading))
    return found


def _paragraph(text: str, sections: Sequence[Section], index: int) -> str:
    section = sections[index]
    body = text[section.start : section.end]
    if section.kind == "item":
        lead = next((s for s in reversed(sections[max(index - 40, 0) : index]) if s.kind != "item"), None)
        if lead is not None and lead.kind == "paragraph":
            body = text[lead.start : lead.end] + "\n" + body
    return body


def missing_names(question: Question, evidence: Evidence, common: frozenset[str] = frozenset()) -> list[str]:
    """Names of the question that the sentence isn't about.

    A name counts as present where the sentence's paragraph, its title and headings, or the opening of its document
    hold it: all of its words, or two in three with the others elsewhere in the passage. It may stand earlier in the
    passage if the sentence refers back (he, it, these, I). Names of `common`, which most documents mention, count.
    """
    wanted = [n for n in question.names if n not in common]
    if not wanted:
        return []
    near = stems(evidence.paragraph) | stems(evidence.heading) | stems(evidence.passage.document.text[:OPENING])
    before = stems(evidence.before)
    if evidence.passage.document.date is not None:
        near.add(str(evidence.passage.document.date.year))
    if _REFERS_BACK.search(evidence.text):
        near |= before
    far = near | stems(evidence.passage.chunk.text)
    return [n for n in wanted if not _names(n, near, far)]


def _names(name: str, near: set[str], far: set[str]) -> bool:
    parts = name_words(name)
    there = sum(holds(w, near) for w in parts)
    return there == len(parts) or (3 * there >= 2 * len(parts) and all(holds(w, far) for w in parts))


def missing_focus(question: Question, evidence: Evidence) -> float:
    """Share of the role or attribute asked for that neither the sentence nor the headings above it mention.

    0 where the shape of the answer was checked, or the question asks for no role or attribute.
    """
    if not question.focus or question.kind not in ("any", "name"):
        return 0.0
    near = stems(evidence.text) | stems(evidence.heading)
    # "head teacher" and "headteacher" are one role, whichever side writes it in two words.
    near |= {stem(a + b) for a, b in pairwise(words(evidence.text))}
    near |= {part for pair in pairwise(question.focus) if "".join(pair) in near for part in pair}
    absent = [w for w in question.focus if not holds(w, near) and not _begins(w, near)]
    return len(absent) / len(question.focus)


def _begins(wanted: str, held: set[str]) -> bool:
    """Whether one word begins as the other, as chair and chairman do."""
    return any(min(len(w), len(wanted)) >= 5 and (w.startswith(wanted) or wanted.startswith(w)) for w in held)


def answers_kind(question: Question, evidence: Evidence) -> bool:
    """Whether the sentence holds the kind of thing asked for; for who holds a role, whether it mentions the role."""
    if question.kind == "name":
        return missing_focus(question, evidence) < 1.0
    return has_kind(question.kind, evidence.text, question)


def states_another_role(question: Question, text: str) -> bool:
    """Whether "who" is asked, and the sentence says who holds a role that isn't asked for.

    The director is no treasurer; who runs, leads or chairs a thing may hold any role.
    """
    if question.kind != "name" or _IN_CHARGE & set(question.terms):
        return False
    role = next((m for p in _ROLE_STATED if (m := p.search(text))), None)
    asked = set(question.terms)
    return role is not None and not any(holds(w, asked) or _begins(stem(w), asked) for w in words(role[1]))


def of_another_year(question: Question, evidence: Evidence) -> bool:
    """Whether a year is asked about, and the sentence, or else its title, is of other years only."""
    asked = {name for name in question.names if _YEAR.fullmatch(name)}
    if not asked or _SPAN.search(question.text):
        return False
    for text in (evidence.text, evidence.passage.document.title):
        if years := _years(text):
            return not asked & years
    return False


def _years(text: str) -> set[str]:
    """Every year that a text names, those of "2019/20" and within "2019 to 2023" too."""
    found = set(_YEAR.findall(text))
    for first, last in _RANGE.findall(text):
        end = int(first[: -len(last)] + last)
        found |= {str(year) for year in range(int(first), min(end, int(first) + 50) + 1)}
    return found


def lacks_name(question: Question, evidence: Evidence) -> bool:
    """Whether "who" is asked and the sentence names nobody new; it may still say "the exhibitor with most points"."""
    return question.kind == "name" and not has_kind("name", evidence.text, question)
