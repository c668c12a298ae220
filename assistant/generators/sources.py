"""What further sources say: the same again, or something of their own."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.evidence import Evidence
from assistant.questions import Question, content_stems
from assistant.reading import Scored
from assistant.verification import figures

FURTHER_FLOOR = 1.0
"""Least score of a further sentence."""
MARGIN = 2.0
"""How far below the best a further sentence may lie."""
SURE = 6.0
"""Score from which a sentence answers for itself, whether or not it shares anything with the best one."""
MOST = 3
"""Statements in one answer."""
SAME = 0.7
"""Share of common content words from which two sentences say the same."""


def across(question: Question, able: Sequence[Scored]) -> list[list[Evidence]]:
    """The best sentence of each source that adds to the answer; sentences that say the same share a group.

    Args:
        able: sentences that can answer, best first; at least one.
    """
    best = able[0]
    groups: list[list[Evidence]] = [[best.evidence]]
    for candidate in able[1:]:
        if candidate.score < max(FURTHER_FLOOR, best.score - MARGIN):
            break
        twin = next((g for g in groups if _same(g[0].text, candidate.evidence.text)), None)
        if twin is not None:
            twin.append(candidate.evidence)
        elif len(groups) < MOST and _adds(question, candidate, best, groups):
            groups.append([candidate.evidence])
    return groups


def _adds(question: Question, candidate: Scored, best: Scored, groups: list[list[Evidence]]) -> bool:
    """Whether a further sentence is worth its words: from a document not yet quoted, and about the same thing."""
    if any(e.passage.document.id == candidate.evidence.passage.document.id for g in groups for e in g):
        return False
    if question.kind != "any" or candidate.score >= SURE:
        return True
    shared = set(content_stems(candidate.evidence.text)) & set(content_stems(best.evidence.text))
    return bool(shared - set(question.terms))


def _same(one: str, other: str) -> bool:
    a, b = set(content_stems(one)), set(content_stems(other))
    return figures(one) == figures(other) and bool(a and b) and len(a & b) / len(a | b) >= SAME
