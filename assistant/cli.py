"""The command line. stdout is data, stderr is narration; exit codes are in `Exit`."""

from __future__ import annotations

import argparse
import importlib
import io
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date
from enum import IntEnum
from typing import Any

from assistant.config import DEFAULT_INDEX, INDEX_VARIABLE, index_folder
from corpus.errors import AssistantError, UsageError
from corpus.sanitizing import sanitize


class Exit(IntEnum):
    """What the shell sees."""

    DONE = 0
    BELOW_THRESHOLD = 1
    USAGE = 2
    UNAVAILABLE = 3
    INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code. Every error is one line on stderr."""
    arguments = sys.argv[1:] if arguments is None else arguments
    evaluates = list(arguments[:1]) == ["eval"]  # its own parser reads the rest
    options = _parser().parse_args(arguments[:1] if evaluates else arguments)
    options.arguments = arguments[1:]
    if sys.stdout is None:  # closed by the shell
        sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115 - lives as long as the process
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without a sign shows "?" for it
    try:
        code: int = options.run(options)
        sys.stdout.flush()
    except UsageError as error:
        _say(f"assistant: {error}")
        return Exit.USAGE
    except AssistantError as error:
        _say(f"assistant: {error}")
        return Exit.UNAVAILABLE
    except KeyboardInterrupt:
        _say("assistant: interrupted; what was indexed or answered is kept")
        return Exit.INTERRUPTED
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is buffered can't be written either
        if isinstance(error, BrokenPipeError):  # the reader of a pipe has seen enough
            return Exit.DONE
        _say(f"assistant: the output can't be written: {error.strerror or error}")
        return Exit.UNAVAILABLE
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="assistant",
        description="Answers questions from a folder of documents; every sentence cites its exact place in a source.",
        epilog=f"The index is the folder named with --index, else ${INDEX_VARIABLE}, else {DEFAULT_INDEX!r} here.",
    )
    parser.add_argument("--version", action=_Version, help="show the version and exit")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    index = commands.add_parser("index", help="index folders, or bring their index up to date")
    index.add_argument("folders", nargs="+", metavar="FOLDER")
    _index_options(index)
    index.set_defaults(run=_index)

    ask = commands.add_parser("ask", help="answer one question")
    ask.add_argument("question", metavar="QUESTION")
    ask.add_argument(
        "--after", action="append", default=[], metavar="EARLIER", help="an earlier question; may be repeated"
    )
    ask.add_argument("--json", action="store_true", help="print the answer as JSON")
    _answer_options(ask)
    ask.set_defaults(run=_ask)

    search = commands.add_parser("search", help="show the passages nearest to a question, and what each retriever gave")
    search.add_argument("question", metavar="QUESTION")
    search.add_argument("--limit", type=_positive, default=10, metavar="N", help="hits shown (10)")
    search.add_argument(
        "--explain", metavar="SOUGHT", help="why a passage isn't returned: a document's path, or words of the passage"
    )
    search.add_argument("--path", action="append", default=[], metavar="PATTERN", help="only such paths: 'minutes/*'")
    search.add_argument("--tag", action="append", default=[], metavar="TAG", help="only documents with this tag")
    search.add_argument("--from", dest="date_from", type=_day, metavar="DAY", help="only documents from 2024-01-31 on")
    search.add_argument("--to", dest="date_to", type=_day, metavar="DAY", help="only documents until that day")
    search.add_argument("--json", action="store_true", help="print the hits as JSON")
    _answer_options(search, generator_too=False)
    search.set_defaults(run=_search)

    documents = commands.add_parser("documents", help="list what is indexed, and what could not be read")
    documents.add_argument("--json", action="store_true", help="print the list as JSON")
    documents.add_argument("--index", metavar="DIR", help="where the index is kept")
    documents.set_defaults(run=_documents)

    doctor = commands.add_parser("doctor", help="examine every file and row of an index")
    doctor.add_argument("--repair", action="store_true", help="make again what can be made again")
    doctor.add_argument("--index", metavar="DIR", help="where the index is kept")
    doctor.set_defaults(run=_doctor)

    commands.add_parser("eval", help="score answers and their citations on a data set").set_defaults(run=_eval)

    chat = commands.add_parser("chat", help="open the application")
    chat.add_argument("folder", nargs="?", metavar="FOLDER", help="index this folder first")
    _index_options(chat)
    _answer_options(chat, index_too=False)
    chat.set_defaults(run=_chat)
    return parser


def _index_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--index", metavar="DIR", help="where the index is kept")
    parser.add_argument(
        "--embedder", default="default", metavar="NAME", help="default, hashing, or a model's name or folder"
    )
    parser.add_argument("--replace", action="store_true", help="let go of other folders that the index holds")
    parser.add_argument("--rebuild", action="store_true", help="read everything again, as after a change of model")


def _answer_options(parser: argparse.ArgumentParser, *, index_too: bool = True, generator_too: bool = True) -> None:
    if index_too:
        parser.add_argument("--index", metavar="DIR", help="where the index is kept")
    if generator_too:
        parser.add_argument(
            "--generator", default="extractive", metavar="NAME", help="what writes the answer (extractive)"
        )
    parser.add_argument("--reranker", default="auto", metavar="NAME", help="auto, none, or a cross-encoder's name")


def _index(options: argparse.Namespace) -> int:
    from assistant.api import Assistant  # deferred: numpy must not slow `--help`

    with _progress() as progress:
        report = Assistant.build(
            *options.folders,
            index=options.index,
            embedder=options.embedder,
            replace=options.replace,
            rebuild=options.rebuild,
            progress=progress,
        )
    for failure in report.failures:
        _say(f"not read: {failure.path}: {failure.reason}")
    print(
        f"{report.added} added, {report.changed} changed, {report.unchanged} unchanged, {report.removed} removed, "
        f"{len(report.failures)} not read; {report.chunks:,} passages in {sanitize(str(index_folder(options.index)))}"
    )
    return Exit.DONE


def _ask(options: argparse.Namespace) -> int:
    from assistant.api import Assistant  # deferred: numpy must not slow `--help`
    from assistant.render import render_answer

    with Assistant.open(options.index, generator=options.generator, reranker=options.reranker) as desk:
        answer = desk.ask(options.question, options.after)
    if options.json:
        _print_json(answer.to_dict())
    else:
        print(render_answer(answer))
    return Exit.DONE


def _search(options: argparse.Namespace) -> int:
    from assistant.api import Assistant  # deferred: numpy must not slow `--help`
    from assistant.explanation import render_search
    from embeddings.types import Where

    where = Where(tuple(options.path), tuple(options.tag), options.date_from, options.date_to)
    with Assistant.open(options.index, reranker=options.reranker) as desk:
        if options.explain is not None:
            print(desk.explain(options.question, options.explain, where))
            return Exit.DONE
        found = desk.search(options.question, options.limit, where)
    if options.json:
        _print_json([candidate.to_dict() | {"number": rank} for rank, candidate in enumerate(found, 1)])
    else:
        print(render_search(found))
    return Exit.DONE


def _documents(options: argparse.Namespace) -> int:
    from assistant.explanation import render_documents  # deferred: numpy must not slow `--help`
    from embeddings.search import Index

    with Index.open(index_folder(options.index)) as index:
        documents, failures = index.documents(), index.failures()
    if options.json:
        rows = [{**asdict(d), "date": d.date.isoformat() if d.date else None} for d in documents]
        _print_json({"documents": rows, "failures": [asdict(failure) for failure in failures]})
    else:
        print(render_documents(documents, failures))
    return Exit.DONE


def _doctor(options: argparse.Namespace) -> int:
    from embeddings.doctor import examine, repair  # deferred: numpy must not slow `--help`

    folder = index_folder(options.index)
    if options.repair:
        for line in repair(folder):
            _say(f"repaired: {line}")
    findings = examine(folder)
    for finding in findings:
        print(sanitize(f"{finding.what} [{finding.mends}]"))
    serious = [finding for finding in findings if finding.mends != "index"]
    print(f"{len(serious)} problems, {len(findings) - len(serious)} remarks in {sanitize(str(folder))}")
    return Exit.UNAVAILABLE if serious else Exit.DONE


def _eval(options: argparse.Namespace) -> int:
    # The harness stands above this package, which must not import it: it is called by name.
    code: int = importlib.import_module("eval.cli").main(options.arguments)
    return code


def _chat(options: argparse.Namespace) -> int:
    if not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        raise UsageError("chat needs a terminal: use `assistant ask QUESTION` where there is none")
    from assistant.tui.app import run  # deferred: Textual is only needed here

    run(options)
    return Exit.DONE


@contextmanager
def _progress() -> Iterator[Callable[[int, int, int], None] | None]:
    """A bar with rate and time left on a terminal's stderr, else nothing."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console  # deferred: only an indexing run draws
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Indexing", total=None, rate="")

        def update(done: int, total: int, embedded: int) -> None:
            elapsed = bar.tasks[0].elapsed or 0.0
            rate = f"{embedded / elapsed:,.0f} passages/s" if elapsed > 0.5 and embedded else ""
            bar.update(task, completed=done, total=total, rate=rate)

        yield update


def _positive(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1")
    return int(text)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a day such as 2024-01-31") from error


def _print_json(values: object) -> None:
    print(json.dumps(values, ensure_ascii=not _speaks_unicode(), indent=2))


def _speaks_unicode() -> bool:
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"


def _say(line: str) -> None:
    print(sanitize(line), file=sys.stderr)


class _Version(argparse.Action):
    def __init__(self, option_strings: Sequence[str], dest: str, **others: Any) -> None:
        super().__init__(option_strings, dest, nargs=0, **others)

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import PackageNotFoundError, version  # deferred: .08 seconds

        try:
            known = version("passim-assistant")
        except PackageNotFoundError:
            known = "unknown (not installed)"
        print(f"{parser.prog} {known}")
        parser.exit()
