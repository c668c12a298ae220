"""Retrieval, measured by ir-measures (MacAvaney, Macdonald and Ounis 2022); the files that its command line reads."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from corpus.errors import UsageError
from eval.scorers.averages import averaged
from eval.types import Case, CaseResult, Response, Scorer

_MOST = 1_000_000
"""Of a cutoff or grade."""


def ranked(name: str) -> Scorer | None:
    """A measure by ir-measures' name for it (MRR is RR, MAP is AP); None where it has none that it computes itself.

    It applies to cases with relevant passages; an empty ranking scores 0, as does a crash.
    """
    library = _library()
    try:
        measure = library.parse_measure(name)
        # Other providers need further programs; sums over queries aren't figures of a case.
        computed = library.pytrec_eval.supports(measure) or library.msmarco.supports(measure)
    except (NameError, ValueError, AssertionError):  # the last is how it refuses parameters
        return None
    averages = computed and type(measure.aggregator()).__name__ == "MeanAgg"
    # trec_eval aborts the process at a cutoff of 0.
    if not averages or not all(1 <= measure.params.get(one, 1) <= _MOST for one in ("cutoff", "rel")):
        return None

    def score(case: Case, response: Response) -> float | None:
        if response.ranking is None:
            return None
        (figure,) = measure.iter_calc({"": dict(case.relevant)}, {"": dict(response.ranking)})
        return float(figure.value)

    return averaged(str(measure), score, lambda case: bool(case.relevant))


def _library() -> Any:
    try:
        import ir_measures  # deferred: it comes with the extra `eval`
    except ImportError as error:
        raise UsageError("scores of rankings need the extra eval: pip install 'passim-assistant[eval]'") from error
    return ir_measures


def trec_run(results: Sequence[CaseResult]) -> str:
    """The rankings in TREC's format: query, Q0, passage, rank, score, name of the run."""
    return "".join(
        f"{_word(one.case.id)} Q0 {_word(passage)} {rank} {score!r} assistant\n"
        for one in results
        for rank, (passage, score) in enumerate(one.response.ranking or (), 1)
    )


def trec_qrels(results: Sequence[CaseResult]) -> str:
    """The relevant passages in TREC's format: query, 0, passage, grade."""
    return "".join(
        f"{_word(one.case.id)} 0 {_word(passage)} {grade}\n" for one in results for passage, grade in one.case.relevant
    )


def _word(identifier: str) -> str:
    """The id as one word of a TREC file: white space and "%" as in a web address."""
    return re.sub(r"[\s%]", lambda found: quote(found.group()), identifier) or "%00"
