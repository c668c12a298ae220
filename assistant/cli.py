"""The command line. stdout is data, stderr is narration; exit codes are in `Exit`."""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import IntEnum
from importlib.metadata import PackageNotFoundError, version

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
    options = _parser().parse_args(arguments)
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
    parser.add_argument("--version", action="version", version=f"%(prog)s {_version()}")
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


def _answer_options(parser: argparse.ArgumentParser, *, index_too: bool = True) -> None:
    if index_too:
        parser.add_argument("--index", metavar="DIR", help="where the index is kept")
    parser.add_argument("--generator", default="extractive", metavar="NAME", help="what writes the answer (extractive)")
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
        print(json.dumps(answer.to_dict(), ensure_ascii=not _speaks_unicode(), indent=2))
    else:
        print(render_answer(answer))
    return Exit.DONE


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


def _speaks_unicode() -> bool:
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"


def _say(line: str) -> None:
    print(sanitize(line), file=sys.stderr)


def _version() -> str:
    try:
        return version("passim-assistant")
    except PackageNotFoundError:
        return "unknown (not installed)"
