"""Whether a system knows when to refuse.

A crash is a failure: an answerable question was refused by it, an unanswerable one answered; where answers are taken in
order of confidence it is the last of them, and wrong.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from corpus.errors import UsageError
from eval.ranks import auroc
from eval.scorers.averages import answerable, averaged, known, unanswerable
from eval.scorers.citations import lies_on, same
from eval.scorers.texts import says_facts, says_wrong
from eval.statistics import mean, ratio
from eval.types import Case, Columns, Response, Scorer, Weights


def _refused(case: Case, response: Response) -> tuple[float] | None:
    return (float(not case.answerable),) if response.refused and known(case) else None


def _refusals(case: Case, response: Response) -> tuple[float, ...] | None:
    if case.answerable is None:
        return None
    return float(response.refused is not case.answerable), float(response.refused), float(not case.answerable)


def _failed_refusals(case: Case) -> tuple[float, ...] | None:
    return (0.0, float(answerable(case)), float(unanswerable(case))) if known(case) else None


def _refusal_f1(columns: Columns, weights: Weights) -> NDArray[np.float64]:
    """2 TP / (refused + unanswerable), over all cases."""
    refused, unanswerable = columns[:, 1], columns[:, 2]
    return ratio(2 * weights @ (refused * unanswerable), weights @ (refused + unanswerable))


def correct(case: Case, response: Response) -> float | None:
    """Whether an answered question was answered rightly; None for a refusal, or where nothing is known to tell.

    An unanswerable question never is, nor one that gets a wrong answer. By its facts; else by a citation that matches a
    gold quote; else by a cited gold document.
    """
    if response.refused:
        return None
    if unanswerable(case) or says_wrong(case, response):
        return 0.0
    if case.facts:
        return float(says_facts(case, response))
    if not case.evidence:
        return None
    by_quote = any(e.quote for e in case.evidence)
    pairs = [(c, e) for c in response.citations for e in case.evidence]
    if by_quote:
        return float(any(lies_on(c, e) for c, e in pairs if e.quote))
    return float(any(c.document is not None and same(c.document, e) for c, e in pairs))


def _tells(case: Case) -> bool:
    return unanswerable(case) or bool(case.facts or case.evidence or case.wrong)


def _answered(case: Case, response: Response) -> tuple[float, float] | None:
    """Whether it is right, and its confidence, of an answered question."""
    if response.error is not None:
        return _wrong_at_last(case)
    right = correct(case, response)
    return None if right is None or response.confidence is None else (right, response.confidence)


def _risk(case: Case, response: Response) -> tuple[float, float] | None:
    answered = _answered(case, response)
    return answered and (1 - answered[0], answered[1])


def _by_confidence(
    values: NDArray[np.float64], confidence: NDArray[np.float64], weights: Weights
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Cases and sum of their values at each confidence, highest first: (draws, different confidences)."""
    order = np.argsort(-confidence, kind="stable")
    starts = np.flatnonzero(np.diff(confidence[order], prepend=np.inf))
    count = np.take(weights, order, axis=1)
    total = count * values[order]
    if len(starts) == len(order):
        return count, total
    return np.add.reduceat(count, starts, axis=1), np.add.reduceat(total, starts, axis=1)


def _confidence(case: Case, response: Response) -> tuple[float, float] | None:
    if case.answerable is None or response.confidence is None:
        return None
    return response.confidence, float(case.answerable)


def _prefixes(values: NDArray[np.float64], confidence: NDArray[np.float64], weights: Weights) -> tuple[Weights, ...]:
    """By confidence, highest first: answers before, answers, sum of values before, mean value; all NaN without any."""
    if np.isnan(confidence).all():
        values = np.full_like(values, np.nan)
    count, total = _by_confidence(values, np.nan_to_num(confidence, nan=-1.0), weights)
    rate = np.divide(total, count, out=np.zeros_like(total), where=count > 0)
    return np.cumsum(count, axis=1) - count, count, np.cumsum(total, axis=1) - total, rate


def _aurc(columns: Columns, weights: Weights) -> NDArray[np.float64]:
    """Mean over n of the risk of the n most confident answers (Geifman and El-Yaniv 2017).

    Equal confidence has the expected value over its orders: of `count` answers at one confidence, with `errors` among
    the `before` ahead of them, the n-th prefix has (errors + (n - before) rate) / n, whose sum has harmonic numbers.
    Weights are whole numbers.
    """
    before, count, errors, rate = _prefixes(columns[:, 0], columns[:, 1], weights)
    first, last = before.round().astype(np.int64), (before + count).round().astype(np.int64)
    harmonics = np.concatenate([[0.0], np.cumsum(1 / np.arange(1.0, last.max() + 1))])
    area = count * rate + (errors - before * rate) * (harmonics[last] - harmonics[first])
    return ratio(area.sum(axis=1), weights.sum(axis=1))


def _left_out(_: Case) -> None:
    """A crash has no confidence by which it could be told from others."""


def _wrong_at_last(case: Case) -> tuple[float, float] | None:
    """A crash counts as the least confident of wrong answers; it states no confidence (NaN)."""
    return (0.0, np.nan) if _tells(case) else None


def _risk_at_last(case: Case) -> tuple[float, float] | None:
    return (1.0, np.nan) if _tells(case) else None


def selective_accuracy(coverage: int) -> Scorer:
    """Share correct among the `coverage` % most confident of the answered questions, rounded up; ties as expected."""

    def aggregate(columns: Columns, weights: Weights) -> NDArray[np.float64]:
        before, count, _, rate = _prefixes(columns[:, 0], columns[:, 1], weights)
        kept = np.ceil(weights.sum(axis=1) * coverage / 100 - 1e-9)
        return ratio((np.clip(kept[:, None] - before, 0, count) * rate).sum(axis=1), kept)

    return Scorer(f"selective_accuracy@{coverage}", _answered, _wrong_at_last, aggregate)


def conditioned(inner: Scorer) -> Scorer:
    """MTRAG's conditioning on refusals (Katsis et al. 2025, arXiv 2501.03468).

    Answerable: the inner score, 0 if refused. Unanswerable: 1 if refused, else 0.
    """
    if inner.aggregate is not mean or inner.better != "higher":
        raise UsageError(f"conditioned[{inner.name}] has no meaning: give it a mean of scores from 0 to 1")

    def score(case: Case, response: Response) -> float | None:
        if not case.answerable or response.refused:
            return float(not case.answerable and response.refused)
        measured = inner.columns(case, response)
        return None if measured is None else measured[0]

    def applies(case: Case) -> bool:
        return unanswerable(case) or (answerable(case) and inner.applies(case))

    return averaged(f"conditioned[{inner.name}]", score, applies)


def risk_coverage(cases: Sequence[Case], responses: Sequence[Response]) -> list[tuple[float, float, float]]:
    """Coverage of the answered questions, risk, and the least confidence, at each confidence from the highest down."""
    answered = [one for case, response in zip(cases, responses, strict=True) if (one := _answered(case, response))]
    if not answered or np.isnan([sure for _, sure in answered]).all():
        return []
    right, confidence = np.array(answered).T
    confidence = np.nan_to_num(confidence, nan=0.0)
    before, count, sum_before, rate = (a[0] for a in _prefixes(1 - right, confidence, np.ones((1, len(right)))))
    reached = before + count
    risks = (sum_before + count * rate) / reached
    levels = np.unique(confidence)[::-1]
    return list(zip((reached / len(right)).tolist(), risks.tolist(), levels.tolist(), strict=True))


def calibration(cases: Sequence[Case], responses: Sequence[Response], bins: int = 10) -> list[tuple[float, float, int]]:
    """Mean confidence, share correct and count of the answered questions in bins of equal width that hold some."""
    given = [(case, response) for case, response in zip(cases, responses, strict=True) if response.error is None]
    answered = [one for case, response in given if (one := _answered(case, response))]
    found = []
    for number in range(bins):
        inside = [(right, sure) for right, sure in answered if min(int(sure * bins), bins - 1) == number]
        if inside:
            right, confidence = np.mean(inside, axis=0).tolist()
            found.append((confidence, right, len(inside)))
    return found


SCORERS = (
    averaged("false_answers", lambda _, r: not r.refused, unanswerable, 1.0, "lower", rate=True),
    averaged("false_refusals", lambda _, r: r.refused, answerable, 1.0, "lower", rate=True),
    # Of the refused, the share that is unanswerable.
    Scorer("refusal_precision", _refused, lambda case: (0.0,) if answerable(case) else None, mean, rate=True),
    averaged("refusal_recall", lambda _, r: r.refused, unanswerable, rate=True),
    Scorer("refusal_f1", _refusals, _failed_refusals, _refusal_f1),
    # Exactly the unanswerable is refused: MTRAG's accuracy of answerability.
    averaged("refusal_accuracy", lambda case, r: r.refused is not case.answerable, known, rate=True),
    averaged("correct", correct, _tells, rate=True),
    Scorer("confidence_auroc", _confidence, _left_out, auroc),
    Scorer("aurc", _risk, _risk_at_last, _aurc, "lower"),
)
