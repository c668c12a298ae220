"""What several sources say: the same again, a value of their own, or an edited copy of another's text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from itertools import combinations

from assistant.editions import same_title, superseded_by
from assistant.evidence import OPENING, Evidence, answers_kind
from assistant.figures import figures
from assistant.questions import Question, content_stems, holds, name_words, stem, stems, words
from assistant.reading import Scored
from assistant.types import Passage
from assistant.values import told_apart, values_in
from corpus.types import Document

FURTHER_FLOOR = 1.0
"""Least score of a further sentence."""
MARGIN = 2.0
"""How far below the best a further sentence may lie."""
NAMESAKE_FLOOR, VALUE_FLOOR = 0.0, -4.0
"""Least score of a sentence whose document is about something of the asked name, and where a shape of answer was asked
for and found: the document's opening says what "The population was 924" is about."""
MENTION = 1.5
"""Added to a score within a document where the sentence has all words of the question that aren't names."""
SURE = 6.0
"""Score from which a sentence answers for itself, whether or not it shares anything with the best one."""
MOST = 3
"""Statements in one answer."""
SAME = 0.7
"""Share of common content words from which two sentences say the same."""
COPIED, REPRINTED = 0.5, 0.9
"""Share of the runs of three words of the shorter text (containment, Broder 1997) from which two passages are copies of
one text, perhaps edited, and from which they count as one source."""


UNSHAPED = ("any", "name", "place")
"""Kinds of answer that any sentence may seem to hold."""
_WHICH = re.compile(
    r"\b(?:what|which) (?!(?:is|are|was|were|do|does|did|has|have|had|can|will|would|happen\w*)\b)\w", re.I
)
"""Asks for one of a kind: "what sport …?", "in which city …?"."""


def across(question: Question, able: Sequence[Scored], common: frozenset[str] = frozenset()) -> list[list[Evidence]]:
    """The best sentence of each source that adds to the answer; sentences that say the same share a group.

    Several documents that are each about something of the asked name answer each for their own. Of copies of one text
    that differ, that is kept whose words more of the other sources have, then the newer; of two editions, the newer.

    Args:
        able: sentences that can answer, best first; at least one.
        common: names of the question that most documents mention.
    """
    able = _plain(question, able)
    passages = list({s.evidence.passage.chunk.id: s.evidence.passage for s in able}.values())
    namesakes = _namesakes(question, able, common)
    groups: list[list[Evidence]] = []
    for scored in namesakes or able:
        evidence = scored.evidence
        if not namesakes and scored.score < max(FURTHER_FLOOR, able[0].score - MARGIN) and groups:
            break
        twin = next((g for g in groups if _same(question, g[0], evidence)), None)
        if twin is not None:
            twin.append(evidence)
        elif namesakes or not groups or _adds(question, scored, able[0], groups):
            groups.append([evidence])
    return _settled(question, groups, passages)[:MOST]


def _plain(question: Question, able: Sequence[Scored]) -> Sequence[Scored]:
    """Those that tell of the asked, without those of its deputy or its second, where there are any that do."""
    plain = [s for s in able if not told_apart(question, s.evidence.text)]
    told = any(set(question.focus) <= stems(s.evidence.text) and answers_kind(question, s.evidence) for s in plain)
    return plain if told else able


def _namesakes(question: Question, able: Sequence[Scored], common: frozenset[str]) -> list[Scored]:
    """The best sentence of each document that is about something of the asked name; empty unless there are several."""
    names = [n for n in question.names if n not in common and not n.isdigit()]
    if not names or (question.kind == "any" and not question.focus and not _WHICH.search(question.text)):
        return []
    shaped = question.kind not in UNSHAPED
    said = {stem(w) for n in question.names for w in name_words(n)}
    asked = [t for t in question.terms if t not in said]

    def worth(scored: Scored) -> float:
        held = stems(scored.evidence.text)
        return scored.score + MENTION * sum(t in held for t in asked) / max(len(asked), 1)

    best: dict[str, Scored] = {}
    for scored in sorted(able, key=worth, reverse=True):
        document = scored.evidence.passage.document
        about = stems(f"{document.title} {document.text[:OPENING]}")
        if (
            scored.score >= (VALUE_FLOOR if shaped else NAMESAKE_FLOOR)
            and all(holds(w, about) for n in names for w in name_words(n))
            and (not shaped or values_in(question, scored.evidence.text))
        ):
            best.setdefault(document.id, scored)
    return list(best.values()) if len(best) > 1 else []


def _adds(question: Question, candidate: Scored, best: Scored, groups: list[list[Evidence]]) -> bool:
    """Whether a further sentence is worth its words: from a document not yet quoted, and about the same thing."""
    if any(e.passage.document.id == candidate.evidence.passage.document.id for g in groups for e in g):
        return False
    if question.kind != "any" or candidate.score >= SURE:
        return True
    shared = set(content_stems(candidate.evidence.text)) & set(content_stems(best.evidence.text))
    return bool(shared - set(question.terms))


def _same(question: Question, one: Evidence, other: Evidence) -> bool:
    """Whether two sentences give the same value, or say the same in nearly the same words."""
    if question.kind not in UNSHAPED:
        a, b = (frozenset(v.key for v in values_in(question, e.text)) for e in (one, other))
        if a and b and (a <= b or b <= a):
            return True
    first, second = set(content_stems(one.text)), set(content_stems(other.text))
    return figures(one.text) == figures(other.text) and len(first & second) >= SAME * len(first | second) > 0


def _settled(question: Question, groups: list[list[Evidence]], passages: Sequence[Passage]) -> list[list[Evidence]]:
    """The groups without those that a newer edition, or more sources of the same text, gainsay."""
    current = [g[0].passage.document for g in groups if not _asked_for(question, g[0].passage.document)]
    replaced = superseded_by(current)
    lost: set[int] = set()
    for i, j in combinations(range(len(groups)), 2):
        one, other = groups[i][0], groups[j][0]
        if replaced.get(one.passage.document.id) == other.passage.document.id:
            lost.add(i)
        elif replaced.get(other.passage.document.id) == one.passage.document.id:
            lost.add(j)
        elif _copies(one.passage, other.passage):
            trust = [
                (_support(question, a, b, passages), a.passage.document.date or date.min)
                for a, b in ((one, other), (other, one))
            ]
            lost.add(i if trust[1] > trust[0] else j)
    return [g for i, g in enumerate(groups) if i not in lost]


def _copies(one: Passage, other: Passage) -> bool:
    """Whether two passages are copies of one text; not where both open with titles of their own, as forms may."""
    titled = all(p.document.title in p.document.text[:OPENING] for p in (one, other))
    alike = not titled or same_title(one.document, other.document)
    return alike and containment(one.chunk.text, other.chunk.text) >= COPIED


def _asked_for(question: Question, document: Document) -> bool:
    """Whether the question names the year of the document."""
    years = {*re.findall(r"\d{4}", document.title), *([str(document.date.year)] if document.date else [])}
    return bool(years & set(question.names))


def _support(question: Question, evidence: Evidence, against: Evidence, passages: Sequence[Passage]) -> float:
    """In how many other sources the words stand that one sentence has and the other hasn't; shares of them added up."""
    own = set(content_stems(evidence.text)) - set(content_stems(against.text)) - set(question.terms)
    text = evidence.passage.chunk.text
    others = (p.chunk.text for p in passages if p.document.id != evidence.passage.document.id)
    return sum(len(own & stems(o)) / len(own) for o in others if own and containment(text, o) < REPRINTED)


def containment(one: str, other: str) -> float:
    """Share, 0 to 1, of the runs of three words of the shorter text that the other has too."""
    first, second = _runs(one), _runs(other)
    return len(first & second) / max(min(len(first), len(second)), 1)


def _runs(text: str) -> set[tuple[str, ...]]:
    found = [w.lower() for w in words(text)]
    return {tuple(found[i : i + 3]) for i in range(max(len(found) - 2, 1))}
