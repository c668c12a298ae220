"""`assistant calibrate`: fits the model of confidence to data sets, and the threshold for which a bound holds.

The model is a logistic regression with an L2 penalty (Hastie, Tibshirani and Friedman 2009, 4.4.1). Its threshold is
the lowest for which the upper Clopper-Pearson bound (1934) on the share of unanswerable questions that are answered
keeps what is asked, at it and at every stricter one: so chosen it holds with the stated confidence for questions like
these (risk-controlling prediction sets, Bates et al. 2021; Angelopoulos et al. 2022). It is chosen on confidences that
come from cross-validation, in which conversations stay together.
"""

from __future__ import annotations

import argparse
import glob
import hashlib
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assistant.confidence import MOST_LOGIT, NO_RERANKER, WITH, WITHOUT, Calibration, Fitted, features
from assistant.config import index_folder
from assistant.followups import standalone
from assistant.reading import Reading
from assistant.retrieval import sought
from corpus.errors import UsageError
from corpus.files import write_file
from corpus.sanitizing import sanitize
from embeddings.embedder import embedder_named
from embeddings.rerank import reranker_named
from embeddings.search import Index
from embeddings.types import Embedder, Reranker, Where
from eval.corpora import index_documents
from eval.datasets import load
from eval.ranks import auroc
from eval.statistics import clusters, draws
from eval.types import Case, Dataset

PENALTY = 5.0
"""Of the squared standardised coefficients."""
MOST_ANSWERABLE = 3.0
"""Answerable questions of a set weigh at most so many times its unanswerable ones: else it teaches to answer all."""
FOLDS = 10
LEAST = 10
"""Questions of either kind from which something can be fitted."""
_STEPS = 50
_CLOSE = 1e-9
Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Example:
    """A question with its features."""

    dataset: str
    case: Case
    values: dict[str, float]


def examples(
    dataset: Dataset, index: str | Path, embedder: Embedder | None, reranker: Reranker | None
) -> list[Example]:
    """The features of each question of which is known whether it can be answered.

    Args:
        embedder: None for the one that the index was made with.
    """
    with Index.open(Path(index)) as opened:
        model = embedder or embedder_named(opened.about()["embedder_name"])
        found = []
        for case in dataset.cases:
            if case.answerable is None:
                continue
            where = Where(paths=tuple(glob.escape(path) for path in case.scope)) if case.scope else None
            whole = standalone(" ".join(sanitize(case.question).split()), case.history)
            with opened.view() as view:
                question, held = sought(whole, view, model, reranker, where)
                reading = Reading(question, held.passages, held.common, reranker, model)
                found.append(Example(dataset.name, case, features(question, held, reading)))
    return found


def fitted(
    found: Sequence[Example], datasets: Sequence[Dataset], reranker: str, bound: float = 0.2, confidence: float = 0.95
) -> Fitted:
    """The model, with the threshold for which at most `bound` of unanswerable questions are answered.

    Raises:
        UsageError: too few questions of either kind, or too few for the bound.
    """
    answerable = np.array([e.case.answerable for e in found], dtype=bool)
    yes, no = int(answerable.sum()), int((~answerable).sum())
    if min(yes, no) < LEAST:
        raise UsageError(
            f"{yes} answerable and {no} unanswerable questions are too few to fit confidence: "
            f"give data sets with at least {LEAST} of each"
        )
    names = WITHOUT if reranker == NO_RERANKER else WITH
    columns = np.array([[e.values[name] for name in names] for e in found])
    folds = np.array([_fold(e) for e in found])
    weights = _weights(found, answerable)
    crossed = np.zeros(len(found))
    for fold in range(FOLDS):
        out = folds == fold
        if out.any() and 0 < answerable[~out].sum() < (~out).sum():
            crossed[out] = _chances(columns[out], *_fit(columns[~out], answerable[~out], weights[~out]))
    threshold, answered, upper = least_threshold(crossed[~answerable], bound, confidence)
    means, scales, coefficients = _fit(columns, answerable, weights)
    return Fitted(
        reranker=reranker,
        features=names,
        means=_rounded(means),
        scales=_rounded(scales),
        coefficients=_rounded(coefficients[:-1]),
        intercept=round(float(coefficients[-1]), 6),
        threshold=threshold,
        bound=f"at most {bound:.0%} of unanswerable questions are answered, with {confidence:.0%} confidence: "
        f"Clopper-Pearson on {no} questions, of which {answered} were (no more than {upper:.1%})",
        data=tuple(
            {
                "name": d.name,
                "digest": d.digest,
                "questions": sum(c.answerable is not None for c in d.cases),
                "unanswerable": sum(c.answerable is False for c in d.cases),
            }
            for d in datasets
        ),
        auroc=_aurocs(found, crossed, answerable),
    )


def least_threshold(unanswerable: Numbers, bound: float, confidence: float) -> tuple[float, int, float]:
    """The lowest threshold that keeps the bound, how many unanswerable questions reach it, and their upper bound."""
    count = len(unanswerable)
    if (upper := clopper_pearson(0, count, confidence)) > bound:
        needed = math.ceil(math.log(1 - confidence) / math.log(1 - bound))
        raise UsageError(
            f"{count} unanswerable questions can promise no less than {upper:.0%} false answers with {confidence:.0%} "
            f"confidence: give at least {needed}, or a higher --bound"
        )
    most = 0
    while most < count and clopper_pearson(most + 1, count, confidence) <= bound:
        most += 1
    falling = np.sort(unanswerable)[::-1]
    threshold = 0.0 if most == count else (round(falling[most] * 1e6) + 1) / 1e6
    answered = int((unanswerable >= threshold).sum())
    return threshold, answered, clopper_pearson(answered, count, confidence)


def clopper_pearson(successes: int, trials: int, confidence: float) -> float:
    """Upper bound of a rate, one-sided: the rate at which so few successes have the chance `1 - confidence`."""
    if successes >= trials:
        return 1.0
    low, high = 0.0, 1.0
    ways = [math.comb(trials, k) for k in range(successes + 1)]
    for _ in range(60):
        rate = (low + high) / 2
        chance = math.fsum(w * rate**k * (1 - rate) ** (trials - k) for k, w in enumerate(ways))
        low, high = (rate, high) if chance > 1 - confidence else (low, rate)
    return high


def _weights(found: Sequence[Example], answerable: NDArray[np.bool_]) -> Numbers:
    """Of each question: 1, less where a set has more than `MOST_ANSWERABLE` answerable ones to one that isn't."""
    weights = np.ones(len(found))
    names = np.array([e.dataset for e in found])
    for name in set(names):
        yes, no = (names == name) & answerable, (names == name) & ~answerable
        if no.any():
            weights[yes] = min(1.0, MOST_ANSWERABLE * no.sum() / max(yes.sum(), 1))
    return weights


def _fit(columns: Numbers, answerable: NDArray[np.bool_], weights: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """Means, scales, and coefficients with the intercept last, by Newton's method; the intercept isn't penalised."""
    means = np.average(columns, axis=0, weights=weights)
    scales = np.sqrt(np.average((columns - means) ** 2, axis=0, weights=weights))
    scales[scales < _CLOSE] = 1.0
    standard = np.c_[(columns - means) / scales, np.ones(len(columns))]
    penalty = np.diag([*[PENALTY] * columns.shape[1], _CLOSE])
    found = np.zeros(standard.shape[1])
    for _ in range(_STEPS):
        chance = _logistic(standard @ found)
        gradient = standard.T @ (weights * (chance - answerable)) + penalty @ found
        curvature = (standard * (weights * chance * (1 - chance))[:, None]).T @ standard + penalty
        step = np.linalg.solve(curvature, gradient)
        found -= step
        if np.abs(step).max() < _CLOSE:
            break
    return means, scales, found


def _chances(columns: Numbers, means: Numbers, scales: Numbers, coefficients: Numbers) -> Numbers:
    return np.round(_logistic((columns - means) / scales @ coefficients[:-1] + coefficients[-1]), 6)


def _logistic(logits: Numbers) -> Numbers:
    chances: Numbers = 1 / (1 + np.exp(-np.clip(logits, -MOST_LOGIT, MOST_LOGIT)))
    return chances


def _fold(example: Example) -> int:
    name = example.case.conversation or example.case.id
    return int.from_bytes(hashlib.sha256(f"{example.dataset}\0{name}".encode()).digest()[:8], "big") % FOLDS


def _rounded(numbers: Numbers) -> tuple[float, ...]:
    return tuple(round(float(n), 6) for n in numbers)


def _aurocs(found: Sequence[Example], crossed: Numbers, answerable: NDArray[np.bool_]) -> dict[str, list[float]]:
    """By data set that has both kinds: the figure and its 95 % bootstrap interval."""
    figures = {}
    for name in dict.fromkeys(e.dataset for e in found):
        of = np.array([e.dataset == name for e in found])
        if not 0 < answerable[of].sum() < of.sum():
            continue
        columns = np.c_[crossed[of], answerable[of]].astype(np.float64)
        cluster = clusters([e.case for e in found if e.dataset == name])
        drawn = np.concatenate([auroc(columns, weights) for weights in draws(cluster)])
        whole = float(auroc(columns, np.ones((1, len(columns))))[0])
        figures[name] = [round(x, 4) for x in (whole, *np.nanpercentile(drawn, [2.5, 97.5]).tolist())]
    return figures


def calibrated(
    sets: Sequence[tuple[Dataset, Path]],
    embedder: Embedder | None,
    reranker: Reranker | None,
    bound: float,
    confidence: float,
) -> Calibration:
    """A model without a reranker, and one for the reranker where there is one, from data sets and their indexes."""
    models = []
    for ranker in [None] if reranker is None else [None, reranker]:
        found = [example for dataset, index in sets for example in examples(dataset, index, embedder, ranker)]
        name = NO_RERANKER if ranker is None else ranker.name
        models.append(fitted(found, [dataset for dataset, _ in sets], name, bound, confidence))
    return Calibration(tuple(models))


def main(arguments: Sequence[str], prog: str = "assistant calibrate") -> int:
    """Run the command; returns its exit code. Raises `AssistantError` for what the user can mend."""
    options = _parser(prog).parse_args(arguments)
    datasets = [load(path, options.format) for path in options.datasets]
    for dataset in datasets:
        if dataset.task == "search":
            raise UsageError(
                f"{dataset.name!r} says nothing of what can't be answered: give questions with `answerable`"
            )
    indexes = [Path(i) for i in options.index] or [index_folder(None)]
    sets: list[tuple[Dataset, Path]] = []
    for dataset in datasets:
        if dataset.documents:
            sets.append((dataset, _indexed(dataset)))
        else:
            sets.append((dataset, indexes[0]))
            indexes = indexes[1:] or indexes
    made = calibrated(sets, None, reranker_named(options.reranker), options.bound, options.confidence)
    for model in made.models:
        print(f"reranker {model.reranker}: answers from confidence {model.threshold:.3f} on; {model.bound}")
        for name, (value, low, high) in model.auroc.items():
            print(f"  AUROC by cross-validation on {name}: {value:.3f} ({low:.3f} to {high:.3f})")
    if options.out:
        write_file(Path(options.out), made.to_json())
        print(f"written to {options.out}: name it as `calibration` in the settings", file=sys.stderr)
    return 0


def _indexed(dataset: Dataset) -> Path:
    from platformdirs import user_cache_path  # deferred: most sets bring no documents

    return index_documents(dataset, user_cache_path("passim-assistant") / "eval" / dataset.digest)


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=prog, description="Fit how sure the assistant is, and when it refuses, to questions of which is known "
        "whether the documents answer them."
    )  # fmt: skip
    parser.add_argument("datasets", nargs="+", metavar="DATASET", help="JSONL of ours, or a public set")
    parser.add_argument("--format", default="auto", metavar="NAME", help="of the data sets (auto)")
    parser.add_argument(
        "--index",
        action="append",
        default=[],
        metavar="DIR",
        help="of the documents; once for all sets that bring none of their own, or once for each in order",
    )
    parser.add_argument("--reranker", default="auto", metavar="NAME", help="auto, none, or a cross-encoder's name")
    parser.add_argument("--out", metavar="FILE", help="where the calibration is written")
    parser.add_argument("--bound", type=_share, default=0.2, help="most unanswerable questions that are answered (.2)")
    parser.add_argument("--confidence", type=_share, default=0.95, help="with which the bound holds (.95)")
    return parser


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no share: give a number between 0 and 1, such as 0.2")
    return value
