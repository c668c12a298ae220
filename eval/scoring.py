"""From answers to a report, whoever wrote them, and the folder that keeps it.

A run's folder holds `results.jsonl` (a case, its answer and its scores a line; each line is also a line of an answers
file), `report.json`, `report.html`, and for questions with judged passages `ranking.trec` and `qrels.trec`. The same
answers give the same bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from corpus.errors import UnavailableError, UsageError
from corpus.files import write_file
from eval.answers import read_answers, response_from, row_of
from eval.datasets import load
from eval.jsonl import read_bytes, rows_in, written
from eval.scorers import DEFAULT, scorer_named
from eval.scorers.ranking import trec_qrels, trec_run
from eval.statistics import Measured, estimate, mean
from eval.thresholds import Threshold, checked
from eval.types import Case, CaseResult, Dataset, Evidence, Report, Response, Score, Scorer

FORMAT = 1
"""Of a run's folder; raised whenever an older one can't be read any more."""
FINISHED = "report.json"
"""Written last: a folder that has it is whole."""
RESULTS = "results.jsonl"
SETTINGS = "run.json"
"""Of a run that isn't finished: what it asks, and what answers."""
JOURNAL = "answers.jsonl"
"""Of a run that isn't finished: the answers so far."""
FILES = frozenset((SETTINGS, JOURNAL, RESULTS, "report.html", "ranking.trec", "qrels.trec"))


def score(
    answers: str | Path | Mapping[str, Response],
    gold: str | Path | Dataset,
    *,
    scorers: Sequence[str] = (),
    thresholds: Sequence[Threshold] = (),
    out: str | Path | None = None,
) -> Report:
    """Score the answers that any system wrote.

    Args:
        answers: a file as `eval.answers` describes it, or responses by case id.
        gold: a data set, or its path.
        scorers: by name; none for `DEFAULT`.
        out: folder of the run; None to keep none.

    Raises:
        UsageError: a line can't be understood, a question has no answer, an answer has no question.
        UnavailableError: the folder can't be written.
    """
    dataset = gold if isinstance(gold, Dataset) else load(gold)
    if out is not None:
        check_folder(Path(out))
    found = answers if isinstance(answers, Mapping) else read_answers(answers)
    name = "answers" if isinstance(answers, Mapping) else Path(answers).name
    known = {case.id for case in dataset.cases}
    for response in found.values():
        if response.id not in known:
            place = response.place or name
            raise UsageError(f"{place}: the data set {dataset.name!r} has no question {response.id!r}: remove the line")
    for case in dataset.cases:
        if case.id not in found:
            raise UsageError(
                f"{case.place or dataset.name}: {name!r} has no answer to the question {case.id!r}: "
                'add one, or a line {"id": …, "error": …} where the system failed'
            )
    report = evaluate(dataset, [found[case.id] for case in dataset.cases], {"answers": name}, scorers, thresholds)
    if out is not None:
        write_run(report, Path(out))
    return report


def evaluate(
    dataset: Dataset,
    responses: Sequence[Response],
    system: Mapping[str, Any],
    scorers: Sequence[str] = (),
    thresholds: Sequence[Threshold] = (),
) -> Report:
    """The report on responses in the order of the data set's cases."""
    measures = measures_named(scorers, thresholds)
    measured = measure(measures, dataset.cases, responses)
    scores = estimate(measures, dataset.cases, measured)
    averages = [m.aggregate is mean for m in measures]
    results = tuple(
        CaseResult(
            case, response, {m.name: r and r[0] for m, r, one in zip(measures, rows, averages, strict=True) if one}
        )
        for case, response, rows in zip(dataset.cases, responses, zip(*measured, strict=True), strict=True)
    )
    return Report(
        {"name": dataset.name, "digest": dataset.digest, "cases": len(dataset.cases), "task": dataset.task},
        dict(system),
        tuple(scores),
        _by_kind(measures, dataset.cases, measured),
        results,
        checked(thresholds, scores),
    )


def measures_named(scorers: Sequence[str], thresholds: Sequence[Threshold] = ()) -> list[Scorer]:
    """The scorers of those names, `DEFAULT` without any, and those of the thresholds. Raises `UsageError`."""
    names = [scorer_named(name).name for name in scorers or DEFAULT]
    return [scorer_named(name) for name in dict.fromkeys([*names, *(one.name for one in thresholds)])]


def measure(scorers: Sequence[Scorer], cases: Sequence[Case], responses: Sequence[Response]) -> list[Measured]:
    """The columns of each scorer, by case."""
    return [[s.measure(c, r) for c, r in zip(cases, responses, strict=True)] for s in scorers]


def _by_kind(
    scorers: Sequence[Scorer], cases: Sequence[Case], measured: Sequence[Measured]
) -> dict[str, tuple[Score, ...]]:
    kinds = sorted({case.kind for case in cases})
    if len(kinds) < 2:
        return {}
    found = {}
    for kind in kinds:
        places = [i for i, case in enumerate(cases) if case.kind == kind]
        rows = [[row[i] for i in places] for row in measured]
        found[kind] = tuple(estimate(scorers, [cases[i] for i in places], rows))
    return found


def check_folder(folder: Path, *, unfinished: bool = False) -> None:
    """Make the folder, or accept one where scoring was begun, or an `unfinished` run. Nothing else is written over.

    Raises:
        UsageError: it holds a finished run, the answers of an unfinished one, or files of something else.
        UnavailableError: it can't be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        names = {path.name.removesuffix(".part") for path in folder.iterdir()}
    except OSError as error:
        raise UnavailableError(f"the run folder {str(folder)!r} can't be made: {error.strerror or error}") from error
    if FINISHED in names:
        raise UsageError(f"{str(folder)!r} holds a finished run: name another folder, or remove it")
    if not unfinished and SETTINGS in names:
        raise UsageError(f"{str(folder)!r} holds an unfinished run: go on with it, or name another folder")
    if other := names - FILES:
        raise UsageError(f"{str(folder)!r} holds {min(other)!r}, which is no part of a run: name another folder")


def write_run(report: Report, folder: Path) -> None:
    """Write each file whole, `report.json` last. Raises `UnavailableError`."""
    from eval.report import render  # deferred: Jinja2 is needed for pages only

    for stale in ("ranking.trec", "qrels.trec"):
        (folder / stale).unlink(missing_ok=True)
    rows = ({"case": _case_row(r.case)} | row_of(r.response) | {"scores": r.scores} for r in report.results)
    results = written(rows)
    write_file(folder / RESULTS, results)
    if any(r.case.relevant for r in report.results):
        write_file(folder / "ranking.trec", trec_run(report.results))
        write_file(folder / "qrels.trec", trec_qrels(report.results))
    write_file(folder / "report.html", render(report))
    write_file(folder / FINISHED, summary(report, results=_digest(results.encode())) + "\n")


def _case_row(case: Case) -> dict[str, Any]:
    return {name: value for name, value in asdict(case).items() if value not in ("", None, ()) and name != "place"}


def _result(row: dict[str, Any], place: str) -> CaseResult:
    try:
        return CaseResult(_case(row["case"]), response_from(row, place), row["scores"])
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UsageError(f"{place}: no result of a run ({error!r}): make the run again") from error


def _case(row: dict[str, Any]) -> Case:
    """The case of a line of results; what isn't one raises as `Case` does."""
    values: dict[str, Any] = {n: tuple(v) if isinstance(v, list) else v for n, v in row.items()}
    for name in ("facts", "relevant"):
        values[name] = tuple(tuple(one) for one in values.get(name, ()))
    values["evidence"] = tuple(Evidence(**one) for one in values.get("evidence", ()))
    return Case(**{"kind": "", **values})


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def summary(report: Report, *, results: str = "", ascii_only: bool = False) -> str:
    """The report without its questions, as JSON; `results` is the digest of those, kept in a file of their own."""
    values = {
        "format": FORMAT,
        "results": results,
        "dataset": report.dataset,
        "system": report.system,
        "scores": [asdict(one) for one in report.scores],
        "kinds": {kind: [asdict(one) for one in scores] for kind, scores in report.kinds.items()},
        "thresholds": list(report.thresholds),
    }
    return json.dumps(values, ensure_ascii=ascii_only, indent=1)


def read_run(folder: str | Path) -> Report:
    """A finished run. Raises `UsageError` naming the file that is missing, damaged or of another version."""
    path = Path(folder) / FINISHED
    if not path.exists():
        raise UsageError(f"{str(folder)!r} holds no finished run: there is no {FINISHED} in it")
    try:
        values = json.loads(read_bytes(path))
        if values["format"] != FORMAT:
            raise UsageError(f"{str(path)!r} is of format {values['format']!r}, not {FORMAT}: score its answers again")
        content = read_bytes(Path(folder) / RESULTS)
        if _digest(content) != values["results"]:
            raise UsageError(f"'{folder}/{RESULTS}' isn't what the run wrote: score it again, as answers")
        results = [_result(row, f"{folder}/{RESULTS}:{n}") for n, row in rows_in(content, f"{folder}/{RESULTS}")]
        scores = tuple(Score(**one) for one in values["scores"])
        kinds = {kind: tuple(Score(**one) for one in some) for kind, some in values["kinds"].items()}
        return Report(values["dataset"], values["system"], scores, kinds, tuple(results), tuple(values["thresholds"]))
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{str(path)!r} is no report of a run ({error!r}): make the run again") from error
