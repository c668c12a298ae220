"""Measures of how well scores put positives before negatives, for every draw at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eval.statistics import ratio
from eval.types import Columns, Weights


def auroc(columns: Columns, weights: Weights) -> NDArray[np.float64]:
    """Area under the ROC curve: chance that a positive scores above a negative, a tie counting half (Mann-Whitney U).

    Args:
        columns: the score, and 1 for a positive or 0 for a negative.

    Returns:
        Shape (draws,); NaN for a draw without a positive or without a negative.
    """
    order = np.argsort(columns[:, 0], kind="stable")
    scores, positive = columns[order, 0], columns[order, 1] > 0
    weights = weights[:, order]
    starts = np.flatnonzero(np.r_[True, scores[1:] != scores[:-1]])  # of each run of equal scores
    above = np.add.reduceat(weights * positive, starts, axis=1)
    below = np.add.reduceat(weights * ~positive, starts, axis=1)
    before = np.cumsum(below, axis=1) - below
    return ratio((above * (before + below / 2)).sum(axis=1), above.sum(axis=1) * below.sum(axis=1))


def macro_f1(columns: Columns, weights: Weights) -> NDArray[np.float64]:
    """Mean of the F1 of both classes; the columns are the verdict and the label, each 1 or 0.

    A class that neither is said nor labelled in a draw has no F1: the other's stands alone.
    """
    said, label = columns[:, 0] > 0, columns[:, 1] > 0
    classes = [(said & label, said, label), (~said & ~label, ~said, ~label)]
    f1 = [ratio(2 * (weights @ hit), weights @ one + weights @ other) for hit, one, other in classes]
    both = np.stack(f1)
    known = ~np.isnan(both)
    return ratio(np.where(known, both, 0.0).sum(axis=0), known.sum(axis=0).astype(np.float64))
