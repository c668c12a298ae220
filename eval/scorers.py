"""Gold-evidence scores of answers, without a model.

Two texts match when matching runs of two words or more, in order, make up half of the shorter one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from assistant.types import SHOWN
from eval.types import Case, CaseResult, Score

DRAWS = 10_000
"""Of the percentile bootstrap over questions."""
_SEED = 20_240_501


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9%]+", _plain(text))


def _plain(text: str) -> str:
    return text.lower().replace("’", "'")


def match(one: str, other: str) -> bool:
    """Whether two texts are about the same stretch of words."""
    a, b = _words(one), _words(other)
    blocks = SequenceMatcher(None, a, b, autojunk=False).get_matching_blocks()
    return bool(a and b) and 2 * sum(m.size for m in blocks if m.size > 1) >= min(len(a), len(b))


def _cited(answer: Mapping[str, Any]) -> list[tuple[str, str]]:
    """File name and quote of each citation of a shown statement."""
    return [
        (PurePosixPath(c["document"]["path"]).name, c["quote"])
        for s in answer["statements"]
        if s["verdict"] in SHOWN and not answer["refused"]
        for c in s["citations"]
        if c["document"]
    ]


def _pairs(case: Case, answer: Mapping[str, Any]) -> Iterator[tuple[int, int]]:
    """Numbers of the gold quotes and of the citations that match them."""
    for i, (name, quote) in enumerate(_cited(answer)):
        for j, gold in enumerate(case.evidence):
            if PurePosixPath(gold.document).name == name and match(gold.quote, quote):
                yield j, i


def facts(case: Case, answer: Mapping[str, Any]) -> float | None:
    """1 when the text holds every fact of an answerable question."""
    text = _plain(answer["text"])
    held = all(any(_plain(v) in text for v in fact) for fact in case.facts)
    return float(held and not answer["refused"]) if case.answerable else None


def evidence(case: Case, answer: Mapping[str, Any]) -> float | None:
    """Share of the gold quotes that some citation covers."""
    if not case.answerable or not case.evidence:
        return None
    return len({gold for gold, _ in _pairs(case, answer)}) / len(case.evidence)


def precision(case: Case, answer: Mapping[str, Any]) -> float | None:
    """Share of the citations that lie on a gold quote."""
    cited = _cited(answer)
    return len({c for _, c in _pairs(case, answer)}) / len(cited) if case.answerable and cited else None


def length(case: Case, answer: Mapping[str, Any]) -> float | None:
    """Words of the text; evidence and facts are cheap for whoever quotes everything."""
    return float(len(_words(answer["text"]))) if case.answerable else None


def false_refusals(case: Case, answer: Mapping[str, Any]) -> float | None:
    """1 for refusing an answerable question."""
    return float(answer["refused"]) if case.answerable else None


def false_answers(case: Case, answer: Mapping[str, Any]) -> float | None:
    """1 for answering an unanswerable one."""
    return None if case.answerable else float(not answer["refused"])


SCORERS: dict[str, Callable[[Case, Mapping[str, Any]], float | None]] = {
    "facts": facts,
    "evidence": evidence,
    "precision": precision,
    "words": length,
    "false_refusals": false_refusals,
    "false_answers": false_answers,
}


def score(results: Sequence[CaseResult]) -> list[Score]:
    """Every measure with its 95 % interval. A case that failed is wrong: refused if answerable, else answered."""
    answers = [r.answer or {"text": "", "refused": r.case.answerable, "statements": []} for r in results]
    pairs = list(zip(results, answers, strict=True))
    return [
        _mean(name, [v for r, answer in pairs if (v := scorer(r.case, answer)) is not None])
        for name, scorer in SCORERS.items()
    ]


def _mean(name: str, values: Sequence[float]) -> Score:
    if not values:
        return Score(name, None, None, None, 0)
    sample = np.array(values)
    draws = np.random.default_rng(_SEED).choice(sample, (DRAWS, len(sample))).mean(axis=1)
    low, high = np.percentile(draws, [2.5, 97.5])
    return Score(name, float(sample.mean()), float(low), float(high), len(sample))
