"""Which sentences of the answering passage are quoted together."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

import numpy as np

from assistant.evidence import Evidence, sentences_of
from assistant.questions import Question, stems
from assistant.reading import Reading

COEFFICIENTS = {
    "intercept": -0.904,
    "behind": -0.140,
    "open": 0.348,
    "figure": -0.436,
    "first": 0.312,
    "position": -0.363,
    "covered": -0.706,
    "standing": 0.153,
}
"""Of the logistic model of whether a sentence belongs to the answer, by the names of `features`; fitted by
`bench/selection.py` on ClapNQ, the sample questions and a council's."""
BEST = 0.8
"""Chance that the best sentence itself belongs to the answer."""
PRECISION_WEIGHT = 1.6
"""What precision counts beside F1: 0 quotes most, 2 hardly more than the best sentence."""
GAIN = 1.0
"""What a sentence must add to its neighbour's logit to be quoted with it where nothing else is."""
_OPEN = re.compile(r"\bwhat (?:is|are|was|were|does|do|did)\b|\bmean(?:s|t|ing)?\b", re.I)
"""Asks to be told about something, rather than for one thing."""


def within(reading: Reading, question: Question, groups: list[list[Evidence]]) -> list[list[Evidence]]:
    """The groups, the first among those sentences of its paragraph that belong to the answer, in their order."""
    best = groups[0][0]
    taken = {e.start for g in groups for e in g if e.passage.document.id == best.passage.document.id}
    near = [e for e in neighbours(best) if e.start not in taken and e in reading.evidence]
    if not near:
        return groups
    chances = [chance(values) for values in features(reading, question, best, near)]
    added = [near[i] for i in chosen(chances)] or _gaining(reading, question, best, near)
    before = [[e] for e in added if e.start < best.start]
    after = [[e] for e in added if e.start > best.start]
    return [*before, groups[0], *after, *groups[1:]]


def neighbours(best: Evidence) -> list[Evidence]:
    """The other sentences of a sentence's paragraph."""
    return [e for e in sentences_of(best.passage) if e.paragraph == best.paragraph and e.start != best.start]


def features(reading: Reading, question: Question, best: Evidence, near: Sequence[Evidence]) -> list[dict[str, float]]:
    """What tells whether each sentence belongs to the answer with the best one of its passage.

    behind: logits below the best; open, figure: the question asks to be told about something, or for a figure or date;
    first, position: opens the passage, share of the passage before it; covered: share of the question's words in it;
    standing: how far the passage stands out in the search, as one on what is asked does from one that mentions it.
    """
    scores = {s.evidence.start: s.score for s in reading.scored(question) if s.evidence.passage is best.passage}
    order = [start for start, _ in best.passage.chunk.sentences]
    return [
        {
            "behind": scores[best.start] - scores[e.start],
            "open": float(bool(_OPEN.search(question.text))),
            "figure": float(question.kind not in ("any", "name", "place")),
            "first": float(e.start == order[0]),
            "position": order.index(e.start) / (len(order) - 1),
            "covered": covered(question, e),
            "standing": best.passage.score,
        }
        for e in near
    ]


def covered(question: Question, evidence: Evidence) -> float:
    """Share of the question's words that a sentence has."""
    held = stems(evidence.text)
    return sum(t in held for t in question.terms) / max(len(question.terms), 1)


def chance(values: Mapping[str, float], coefficients: Mapping[str, float] = COEFFICIENTS) -> float:
    """Of a sentence with these features belonging to the answer."""
    return 1 / (1 + math.exp(-coefficients["intercept"] - sum(coefficients[name] * values[name] for name in values)))


def chosen(chances: Sequence[float]) -> list[int]:
    """Which to quote beside the best one: those that make expected F1, and precision by its weight, largest.

    Each expectation of a ratio is taken as the ratio of expectations (Ye et al. 2012, arXiv 1206.4625).
    """
    order = sorted(range(len(chances)), key=lambda i: -chances[i])
    wanted = BEST + sum(chances)
    right = BEST + np.cumsum([0.0, *(chances[i] for i in order)])
    quoted = np.arange(1, len(order) + 2)
    count = int(np.argmax(2 * right / (quoted + wanted) + PRECISION_WEIGHT * right / quoted))
    return sorted(order[:count])


def _gaining(reading: Reading, question: Question, best: Evidence, near: Sequence[Evidence]) -> list[Evidence]:
    """The sentence that, read with the best one, answers clearly better than it alone, where no shape was asked for."""
    if reading.reranker is None or question.kind != "any":
        return []
    pairs = [" ".join(x.text for x in sorted((best, e), key=lambda x: x.start)) for e in near]
    alone, *together = reading.reranker.scores(question.text, [best.text, *pairs])
    most = int(np.argmax(together))
    return [near[most]] if together[most] - alone >= GAIN else []
