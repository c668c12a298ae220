"""Fits which sentences are quoted together: the `COEFFICIENTS` of assistant/generators/selection.py.

    python bench/selection.py DATASET INDEX [DATASET INDEX ...]

Each data set has gold sentences, and an index of its documents. Of every answerable question that gets a best sentence,
the other sentences of its paragraph are rows. Prints figures cross-validated in five folds by the hash of the
question's id, without other sources, and the coefficients fitted on all.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assistant import Assistant
from assistant.evidence import Evidence
from assistant.generators.extractive import candidates
from assistant.generators.selection import COEFFICIENTS, chance, chosen, features, neighbours
from assistant.reading import Reading
from assistant.types import Prompt
from eval.corpora import located
from eval.datasets import load
from eval.ranks import auroc
from eval.scorers.averages import harmonic
from eval.scorers.citations import lies_on
from eval.types import Case, Citation

FOLDS = 5
PENALTY = 5.0
"""On the squares of the coefficients."""
SCALES = {"behind": 5.0, "standing": 5.0}
"""What features are divided by before fitting, so that the penalty is about the same for each."""


class Recorder:
    """A generator that keeps what it is given and says nothing."""

    name = "recorder"
    reading: Reading | None = None

    def generate(self, prompt: Prompt) -> Iterator[str]:
        self.reading = prompt.reading
        return iter(())

    def close(self) -> None:
        pass


@dataclass(frozen=True, slots=True)
class Answered:
    """A question, its best sentence and that one's neighbours."""

    case: Case
    best: frozenset[int]
    """Numbers of the gold sentences that it is."""
    near: tuple[frozenset[int], ...]
    """The same of each neighbour."""
    features: tuple[dict[str, float], ...]

    @property
    def fold(self) -> int:
        return int(hashlib.sha256(self.case.id.encode()).hexdigest(), 16) % FOLDS


def answered(path: str, index: str) -> list[Answered]:
    """The answerable questions of a data set that have a best sentence."""
    found: list[Answered] = []
    recorder = Recorder()
    with tempfile.TemporaryDirectory() as scratch:
        desk = Assistant.open(index, generator=recorder, history=f"{scratch}/history.sqlite3")
        with desk:
            for case in located(load(path), desk).cases:
                recorder.reading = None
                if case.answerable:
                    desk.ask(case.question, case.history)
                if (reading := recorder.reading) and (able := candidates(reading, reading.question)):
                    best = able[0].evidence
                    near = neighbours(best)
                    rows = features(reading, reading.question, best, near) if near else []
                    found.append(Answered(case, gold(case, best), tuple(gold(case, e) for e in near), tuple(rows)))
    return found


def gold(case: Case, evidence: Evidence) -> frozenset[int]:
    """Numbers of the gold quotes that a sentence is."""
    cited = Citation(1, evidence.passage.document.path, evidence.text, start=evidence.start, end=evidence.end)
    return frozenset(i for i, e in enumerate(case.evidence) if e.quote and lies_on(cited, e))


def fitted(questions: Sequence[Answered]) -> dict[str, float]:
    """Logistic regression with an L2 penalty, by Newton's method."""
    names = [name for name in COEFFICIENTS if name != "intercept"]
    scale = np.array([1.0, *(SCALES.get(name, 1.0) for name in names)])
    rows = np.array([[1.0, *(values[name] for name in names)] for q in questions for values in q.features]) / scale
    labels = np.array([float(bool(numbers)) for q in questions for numbers in q.near])
    penalty = np.diag([0.0, *[PENALTY] * len(names)])
    weights: NDArray[np.float64] = np.zeros(len(scale))
    for _ in range(30):
        chances = 1 / (1 + np.exp(-rows @ weights))
        curvature = (rows * (chances * (1 - chances))[:, None]).T @ rows + penalty
        weights = weights + np.linalg.solve(curvature, rows.T @ (labels - chances) - penalty @ weights)
    return dict(zip(["intercept", *names], (weights / scale).tolist(), strict=True))


def report(name: str, questions: Sequence[Answered], folds: Sequence[dict[str, float]]) -> None:
    """Precision, recall and F1 of what each fold's coefficients quote of the questions that it wasn't fitted on."""
    figures, pairs = [], []
    for q in questions:
        chances = [chance(values, folds[q.fold]) for values in q.features]
        pairs += [(c, bool(numbers)) for c, numbers in zip(chances, q.near, strict=True)]
        quoted = [q.best, *(q.near[i] for i in chosen(chances))]
        precision = sum(map(bool, quoted)) / len(quoted)
        recall = len(frozenset().union(*quoted)) / sum(bool(e.quote) for e in q.case.evidence)
        figures.append((precision, recall, harmonic(precision, recall), len(quoted)))
    area = auroc(np.array(pairs, float), np.ones((1, len(pairs))))[0]
    precision, recall, f1, count = np.mean(figures, axis=0)
    print(f"{name}: {len(questions)} questions, precision {precision:.3f}, recall {recall:.3f}, F1 {f1:.3f}", end=", ")
    print(f"{count:.2f} sentences each; AUROC of a neighbour {area:.3f}")


def main(arguments: Sequence[str]) -> None:
    if not arguments or len(arguments) % 2:
        sys.exit(__doc__)
    sets = {path: answered(path, index) for path, index in zip(arguments[::2], arguments[1::2], strict=True)}
    everything = [q for questions in sets.values() for q in questions]
    folds = [fitted([q for q in everything if q.fold != fold]) for fold in range(FOLDS)]
    for path, questions in sets.items():
        report(path, questions, folds)
    for name, value in fitted(everything).items():
        print(f'    "{name}": {value:.3f},')


if __name__ == "__main__":
    main(sys.argv[1:])
