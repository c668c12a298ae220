"""How well a judge agrees with people: labelled claims in, macro-F1 and AUROC out.

A line of our own form is {"id"?, "claim", "premise": str or [str, ...], "label": true, false, "supported",
"partially_supported" or "not_supported"}. The rows of AttributionBench, WiCE and AttrScore, and the claims of SciFact
(`claims_*.jsonl` beside `corpus.jsonl.gz`), are read as they are. Lines end at "\\n" only: texts may hold U+2028.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from corpus.errors import UsageError
from corpus.sanitizing import sanitize
from eval.jsonl import read_rows
from eval.judges import Judge
from eval.ranks import auroc, macro_f1
from eval.rows import shown
from eval.statistics import Measured, estimate, mean
from eval.types import Case, Score, Scorer

_LABELS = {
    True: 2, "true": 2, "supported": 2, "attributable": 2, "support": 2,
    "partially_supported": 1,
    False: 0, "false": 0, "not_supported": 0, "not attributable": 0, "extrapolatory": 0, "contradictory": 0,
    "contradict": 0,
}  # fmt: skip
"""How far a premise supports a claim, by what people called it: 2 wholly, 1 in part, 0 not at all."""
_PREMISES = ("premise", "references", "reference", "evidence", "documents", "webpage_references")
"""Fields that hold what is cited: the first that isn't empty counts."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A claim against one text, as people judged it."""

    claim: str
    premise: str
    label: int
    """2: supported; 1: in part; 0: not."""
    group: str
    """Rows of one group are one claim against parts of one source: the best part counts."""
    subset: str = ""
    """The data set that a row was taken from, where it says so."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """A judge against people."""

    file: str
    judge: str
    threshold: float
    """Score from which the judge says "supported"."""
    pairs: int
    """That were judged; rows about parts of one source are one."""
    supported: int
    """Of which people called so many supported; partly supported counts as not supported."""
    macro_f1: Score
    accuracy: Score
    auroc: Score
    """Without a value where people gave all claims the same label."""
    subsets: dict[str, tuple[Score, ...]]
    """Macro-F1, accuracy and AUROC by data set, where the file names several."""


def agreement(path: str | Path, judge: Judge, threshold: float | None = None) -> Agreement:
    """Judge every claim of a file.

    Args:
        threshold: score from which the judge says "supported"; None for its own.

    Raises:
        UsageError: what can't be understood, with file and line.
    """
    least = judge.full if threshold is None else threshold
    found = _judged(path, judge)
    names = sorted({one.subset for one in found if one.subset})
    by_subset = {name: _figures([one for one in found if one.subset == name], least) for name in names}
    f1, accuracy, area = _figures(found, least)
    return Agreement(
        Path(path).name,
        judge.name,
        least,
        len(found),
        sum(one.supported for one in found),
        f1,
        accuracy,
        area,
        by_subset if len(names) > 1 else {},
    )


def best_threshold(path: str | Path, judge: Judge) -> float:
    """The score from which "supported" agrees best with the labels of a file, by macro-F1: for use on another file."""
    found = _judged(path, judge)
    once = np.ones((1, len(found)))
    supported = np.array([one.supported for one in found])
    scores = np.array([one.score for one in found])
    tried = np.quantile(scores, np.linspace(0, 1, 201))
    f1 = [macro_f1(np.column_stack([scores >= least, supported]).astype(np.float64), once)[0] for least in tried]
    return float(tried[int(np.argmax(f1))])


def _judged(path: str | Path, judge: Judge) -> list[_Judged]:
    rows = labelled(path)
    scores = judge.scores([row.premise for row in rows], [row.claim for row in rows]).tolist()
    best: dict[str, _Judged] = {}
    for row, score in zip(rows, scores, strict=True):
        one = _Judged(row.claim, row.subset, score, row.label == 2)
        other = best.get(row.group, one)
        best[row.group] = replace(one, score=max(score, other.score), supported=one.supported or other.supported)
    return list(best.values())


@dataclass(frozen=True, slots=True)
class _Judged:
    claim: str
    subset: str
    score: float
    supported: bool
    """As people say."""


def _figures(found: list[_Judged], threshold: float) -> tuple[Score, ...]:
    """Macro-F1, accuracy and AUROC with their intervals; pairs with the same claim are drawn together."""
    measured: list[Measured] = [
        [(float(one.score >= threshold), float(one.supported)) for one in found],
        [(float((one.score >= threshold) == one.supported),) for one in found],
        [(one.score, float(one.supported)) for one in found],
    ]
    aggregates = {"macro_f1": macro_f1, "accuracy": mean, "auroc": auroc}
    scorers = [Scorer(name, lambda *_: None, lambda _: None, one, rate=one is mean) for name, one in aggregates.items()]
    cases = [Case(str(number), "", "", conversation=one.claim) for number, one in enumerate(found)]
    return tuple(estimate(scorers, cases, measured))


def render(agreement: Agreement) -> str:
    """A table for the terminal."""
    lines = [
        sanitize(f"{agreement.judge} against people: {agreement.file}, {agreement.pairs} pairs, threshold ")
        + f"{agreement.threshold:g}; {agreement.supported} are supported, partly supported counts as not",
        f"{'':24}{'pairs':>8}  {'macro-F1':22}{'AUROC':22}{'accuracy':22}",
    ]
    tables = {"all": (agreement.macro_f1, agreement.accuracy, agreement.auroc), **agreement.subsets}
    for name, (f1, accuracy, area) in tables.items():
        cells = "".join(f"{_cell(score):22}" for score in (f1, area, accuracy))
        lines.append(f"{sanitize(name)[:23]:24}{f1.cases:8}  {cells}".rstrip())
    return "\n".join(lines)


def _cell(score: Score) -> str:
    if score.value is None:
        return "-"
    return f"{score.value:.3f}" + ("" if score.low is None else f" [{score.low:.3f}, {score.high:.3f}]")


def labelled(path: str | Path) -> list[Labelled]:
    """Every labelled pair of a file, .jsonl or .jsonl.gz."""
    path = Path(path)
    places = [(f"{path}:{number}", row) for number, row in read_rows(path)]
    if not places:
        raise UsageError(f"the file {str(path)!r} holds no labelled claims")
    if all("cited_doc_ids" in row for _, row in places):
        return _scifact(path, places)
    return [_pair(row, place) for place, row in places]


def _pair(row: dict[str, Any], place: str) -> Labelled:
    claim, reference = row.get("claim"), row.get("reference")
    if claim is None and reference is not None and "answer" in row:  # AttrScore
        claim = f"{row.get('query', '')} {row['answer']}".strip()
    if not isinstance(claim, str) or not claim.strip():
        raise UsageError(f"{place}: the field 'claim' is {shown(claim)}: a text is wanted")
    cited = [row[field] for field in _PREMISES if row.get(field) is not None]
    premise = next((one for one in cited if one), cited[0] if cited else None)
    parts = [premise] if isinstance(premise, str) else premise
    if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
        raise UsageError(
            f"{place}: what is cited is {shown(premise)}: a text or a list of texts is wanted in 'premise' (or "
            f"{', '.join(map(repr, _PREMISES[1:]))})"
        )
    said = row.get("attribution_label", row.get("label"))
    label = _LABELS.get(said.lower() if isinstance(said, str) else said) if isinstance(said, (str, bool)) else None
    if label is None:
        raise UsageError(
            f"{place}: the label is {shown(said)}: true, false, 'supported', 'partially_supported' or 'not_supported' "
            "is wanted"
        )
    about = row.get("meta")
    part_of, name = about.get("id") if isinstance(about, dict) else None, row.get("id")
    group = f"part of {part_of}" if part_of is not None else f"{name} {label} {claim}" if name is not None else place
    return Labelled(claim, "\n".join(parts), label, group, str(row.get("src_dataset") or ""))


def _scifact(path: Path, places: list[tuple[str, dict[str, Any]]]) -> list[Labelled]:
    """Claims against abstracts: rationale sentences as labelled; the abstract's other sentences, and a cited abstract
    without a rationale, as not supported."""
    corpus = path.parent / "corpus.jsonl.gz"
    abstracts = {str(row.get("_id")): row for _, row in read_rows(corpus)}
    found = []
    for place, row in places:
        try:
            claim, rationales = row["claim"], dict[str, tuple[str, set[int]]]()
            for one in row["evidence"]:
                rationales.setdefault(str(one["doc_id"]), (one["label"], set()))[1].update(one["sentences"])
            for document in dict.fromkeys([*rationales, *map(str, row["cited_doc_ids"])]):
                text, ends = abstracts[document]["text"], abstracts[document]["sent_ends"]
                sentences = [text[a:b].strip() for a, b in zip([0, *ends], ends, strict=False)]
                label, chosen = rationales.get(document, ("CONTRADICT", set[int]()))
                rest = "\n".join(s for number, s in enumerate(sentences) if number not in chosen)
                pairs = [("\n".join(sentences[n] for n in sorted(chosen)), _LABELS[label.lower()]), (rest, 0)]
                found += [
                    Labelled(claim, premise, one, f"{place} {document} {number}")
                    for number, (premise, one) in enumerate(pairs)
                    if premise
                ]
        except (KeyError, IndexError, TypeError, AttributeError) as error:
            raise UsageError(
                f"{place}: not a claim of SciFact about documents of {str(corpus)!r} ({type(error).__name__}: {error})"
            ) from error
    return found
