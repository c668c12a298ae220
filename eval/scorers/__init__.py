"""Every measure by its name: `name`, `name@k` or `name[a,b]`, which parses back to it."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from corpus.errors import UsageError
from eval.judges import Judge, judge_named
from eval.scorers import abstention, citations, ranking, support, texts
from eval.types import Scorer

__all__ = ["DEFAULT", "Judge", "default_names", "known", "scorer_named", "shared_judge"]

_NAME = re.compile(r"(\w+)(?:@([0-9]{1,9}))?(?:\[(.+)\])?")
shared_judge = lru_cache(8)(judge_named)
"""One judge of a name, which remembers what several scorers ask it."""
_PLAIN = {s.name: s for s in (*texts.SCORERS, citations.RESOLUTION, citations.EXACTNESS, *abstention.SCORERS)}
_CITATION = ("citation_precision", "citation_recall", "citation_f1")

DEFAULT: tuple[str, ...] = (
    *("facts", "correct", "strict_match", "token_f1", "rouge_l"),
    *(f"{name}[sentence]" for name in _CITATION),
    *("citation_f1[document]", "citation_f1[passage]", "citation_f1[character]"),
    *("citation_resolution", "quote_exactness"),
    *(f"{name}[{method},lexical]" for method in support.METHODS for name in _CITATION),
    *("false_answers", "false_refusals", "refusal_precision", "refusal_recall", "refusal_f1"),
    *("confidence_auroc", "aurc", "selective_accuracy@80", "attack_success"),
    *("nDCG@10", "R@5", "R@100", "RR", "AP", "words", "tokens", "seconds"),
)
"""What an evaluation computes unless told otherwise; those that apply to no case aren't printed."""


def default_names(judge: str = "lexical") -> tuple[str, ...]:
    """`DEFAULT` with another judge."""
    return tuple(name.replace(",lexical]", f",{judge}]") for name in DEFAULT)


def known() -> tuple[str, ...]:
    """The names, with `k`, `LEVEL`, `JUDGE` and `SCORER` where something is to be filled in."""
    forms = [f"{name}[{argument}]" for name in _CITATION for argument in ("LEVEL", "alce,JUDGE", "trec,JUDGE")]
    rankings = ("nDCG@k", "R@k", "P@k", "RR", "RR@k", "AP", "AP@k")
    return (*_PLAIN, *forms, "selective_accuracy@k", "conditioned[SCORER]", *rankings)


def scorer_named(name: str, judges: Callable[[str], Judge] = shared_judge) -> Scorer:
    """The measure of that name, whose own name is the canonical form of it (`MRR` is `RR`).

    Raises `UsageError` for an unknown name or argument, and whatever `judges` raises for a judge.
    """
    scorer = _PLAIN.get(name) or _parsed(name, judges) or ranking.ranked(name)
    if scorer is None:
        levels = ", ".join(citations.LEVELS)
        raise UsageError(f"there is no scorer {name!r}: known are {', '.join(known())}, with LEVEL one of {levels}")
    return scorer


def _parsed(name: str, judges: Callable[[str], Judge]) -> Scorer | None:
    form = _NAME.fullmatch(name)
    match form.groups() if form else ():
        case ("citation_precision" | "citation_recall" | "citation_f1") as base, None, str(argument):
            measure = base.removeprefix("citation_")
            method, _, judge = (part.strip() for part in argument.partition(","))
            if method in support.METHODS and judge:
                return support.support(measure, method, judges(judge))
            return citations.gold_evidence(measure, argument) if argument in citations.LEVELS else None
        case "selective_accuracy", str(percent), None if 0 < int(percent) <= 100:
            return abstention.selective_accuracy(int(percent))
        case "conditioned", None, str(inner) if not inner.startswith("conditioned"):
            return abstention.conditioned(scorer_named(inner, judges))
        case _:
            return None
