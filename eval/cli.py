"""`assistant eval` and `python -m eval`. stdout is data, stderr is narration."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

from corpus.errors import UsageError
from corpus.sanitizing import sanitize
from eval.agreement import agreement, best_threshold
from eval.agreement import render as render_agreement
from eval.comparison import Comparison, compare
from eval.corpora import index_documents
from eval.datasets import formats, load
from eval.judges import judge_named
from eval.running import Progress, run
from eval.scorers import default_names, scorer_named
from eval.scoring import score, summary
from eval.tables import render_comparison, render_scores
from eval.thresholds import Threshold, read_thresholds
from eval.types import Dataset, Report

DONE, BELOW_THRESHOLD = 0, 1
_COMMANDS = ("run", "score", "compare", "judge", "-h", "--help")


def main(arguments: Sequence[str], prog: str = "assistant eval") -> int:
    """Run one command; returns its exit code. Raises `AssistantError` for what the user can mend."""
    if arguments and arguments[0] not in _COMMANDS:
        arguments = ["run", *arguments]
    options = _parser(prog).parse_args(arguments)
    code: int = options.run(options)
    return code


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=prog,
        usage=f"{prog} DATASET | score ANSWERS --gold GOLD | compare RUN RUN | judge LABELLED   (each with --help)",
        description="Ask the assistant every question of a data set and score the citations, or score other answers.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    ask = commands.add_parser("run", prog=prog, help="ask every question of DATASET; the word run may be left out")
    ask.add_argument("dataset", metavar="DATASET", help="JSONL of ours, or a file or folder of a public set")
    ask.add_argument("--index", metavar="DIR", help="of the documents; a set that brings its own is indexed there")
    ask.add_argument("--generator", default="extractive", metavar="NAME", help="what writes the answers (extractive)")
    ask.add_argument("--reranker", default="auto", metavar="NAME", help="auto, none, or a cross-encoder's name")
    ask.add_argument("--limit", type=_positive, metavar="N", help="ask the first N questions only")
    _report_options(ask)
    ask.set_defaults(run=_run)

    given = commands.add_parser("score", prog=f"{prog} score", help="score answers that any system wrote")
    given.add_argument("answers", metavar="ANSWERS", help="JSONL: a line for each question")
    given.add_argument("--gold", required=True, metavar="GOLD", help="the data set they answer")
    _report_options(given)
    given.set_defaults(run=_score)

    runs = commands.add_parser("compare", prog=f"{prog} compare", help="paired differences between two runs")
    runs.add_argument("first", metavar="RUN_A")
    runs.add_argument("second", metavar="RUN_B")
    runs.add_argument("--changes", type=int, default=10, metavar="N", help="changed questions shown (10)")
    runs.add_argument("--json", action="store_true", help="print the comparison as JSON")
    runs.set_defaults(run=_compare)

    judge = commands.add_parser("judge", prog=f"{prog} judge", help="how far a judge agrees with people")
    judge.add_argument("dataset", metavar="LABELLED", help="claims with premises and human labels, JSONL")
    judge.add_argument("--judge", default="lexical", metavar="NAME", help=_JUDGES)
    judge.add_argument("--calibrate", metavar="DEV", help="take the threshold that does best on this labelled file")
    judge.add_argument("--json", action="store_true", help="print the figures as JSON")
    judge.set_defaults(run=_judge)
    return parser


_JUDGES = "lexical (the default), nli:NAME or nli:FOLDER, llm:GENERATOR"


def _report_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--format", default="auto", metavar="NAME", help=f"of the data set: auto, {', '.join(formats())}"
    )
    parser.add_argument("--out", metavar="RUN", help="folder for results.jsonl, report.json and report.html")
    parser.add_argument("--scorers", metavar="NAMES", help="such as 'facts nDCG@10 citation_recall[alce,lexical]'")
    parser.add_argument("--judge", metavar="NAME", help=_JUDGES)
    parser.add_argument("--thresholds", metavar="TOML", help="exit with 1 where a score misses its bound")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")


def _run(options: argparse.Namespace) -> int:
    from assistant.api import Assistant  # deferred: scoring and comparing need no index

    scorers, thresholds = _scorers(options), _thresholds(options)
    dataset = _limited(load(options.dataset, options.format), options.limit)
    index = _indexed(dataset, options.index) if dataset.documents else options.index
    with (
        tempfile.TemporaryDirectory() as aside,  # what is asked here is no conversation of the index's users
        Assistant.open(
            index, generator=options.generator, reranker=options.reranker, history=Path(aside) / "history.sqlite3"
        ) as desk,
        _progress("Asking") as progress,
    ):
        try:
            report = run(dataset, desk, scorers=scorers, thresholds=thresholds, out=options.out, progress=progress)
        except KeyboardInterrupt:
            if options.out:
                _say(f"the answers so far are in {options.out}: the same command goes on from there")
            raise
    return _reported(report, options)


def _indexed(dataset: Dataset, folder: str | None) -> Path:
    """The index of a set's own documents, made or brought up to date: in `folder`, else in the user's cache."""
    from platformdirs import user_cache_path  # deferred: most sets bring no documents

    home = Path(folder) if folder else user_cache_path("passim-assistant") / "eval" / dataset.digest
    _say(f"indexing the {len(dataset.documents):,} documents of {dataset.name} in {home}")
    with _progress("Indexing") as progress:
        return index_documents(dataset, home, progress=progress and (lambda done, total, _: progress(done, total)))


def _score(options: argparse.Namespace) -> int:
    gold = load(options.gold, options.format)
    report = score(options.answers, gold, scorers=_scorers(options), thresholds=_thresholds(options), out=options.out)
    return _reported(report, options)


def _scorers(options: argparse.Namespace) -> list[str]:
    if options.scorers and options.judge:
        raise UsageError("--scorers name their judges themselves: leave out --judge, or the other")
    names = shlex.split(options.scorers) if options.scorers else default_names(options.judge or "lexical")
    return [scorer_named(name).name for name in names]


def _thresholds(options: argparse.Namespace) -> tuple[Threshold, ...]:
    return read_thresholds(options.thresholds) if options.thresholds else ()


def _reported(report: Report, options: argparse.Namespace) -> int:
    print(summary(report, ascii_only=True) if options.json else render_scores(report))
    if options.out:
        _say(f"the run is in {options.out}: open {Path(options.out) / 'report.html'}")
    missed = sum(not one["met"] for one in report.thresholds)
    if missed:
        _say(f"{missed} of {len(report.thresholds)} bounds of {options.thresholds} are missed")
    return BELOW_THRESHOLD if missed else DONE


def _compare(options: argparse.Namespace) -> int:
    found = compare(options.first, options.second)
    as_json = options.json
    print(json.dumps(_values(found), indent=1) if as_json else render_comparison(found, options.changes))
    return DONE


def _values(found: Comparison) -> dict[str, object]:
    return {
        "differences": [asdict(one) for one in found.differences],
        "changes": [
            {
                "id": one.first.case.id,
                "question": one.first.case.question,
                "scores": {name: [one.first.scores.get(name), one.second.scores.get(name)] for name in one.scores},
                "answers": [one.first.response.text, one.second.response.text],
            }
            for one in found.changes
        ],
    }


def _judge(options: argparse.Namespace) -> int:
    judge = judge_named(options.judge)
    threshold = best_threshold(options.calibrate, judge) if options.calibrate else None
    found = agreement(options.dataset, judge, threshold)
    print(json.dumps(asdict(found), indent=1) if options.json else render_agreement(found))
    return DONE


def _limited(dataset: Dataset, limit: int | None) -> Dataset:
    return dataset if limit is None else replace(dataset, cases=dataset.cases[:limit])


@contextmanager
def _progress(label: str) -> Iterator[Progress | None]:
    """A bar with the time left on a terminal's stderr, else nothing."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console  # deferred: only a run draws
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left:"),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _positive(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1")
    return int(text)


def _say(line: str) -> None:
    print(sanitize(line), file=sys.stderr)
