"""What the commands about an index and questions to it do.

Everything heavy is imported where it is used: `--help` must not wait for it.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from enum import IntEnum
from time import monotonic
from typing import TYPE_CHECKING

from assistant.config import Settings, index_folder
from corpus.errors import UnavailableError, UsageError
from corpus.sanitizing import sanitize

if TYPE_CHECKING:
    from pathlib import Path

    from embeddings.doctor import Finding
    from embeddings.types import Where


class Exit(IntEnum):
    """What the shell sees."""

    DONE = 0
    BELOW_THRESHOLD = 1
    """Also of an answer that a replay finds no longer to hold."""
    USAGE = 2
    UNAVAILABLE = 3
    INTERRUPTED = 130


def index(options: argparse.Namespace) -> int:
    from assistant.api import Assistant  # deferred: numpy must not slow `--help`

    if getattr(options, "while_stdin", False):
        threading.Thread(target=_end_with_stdin, daemon=True).start()
    with _progress_lines() if options.json else _progress() as progress:
        report = Assistant.build(
            *options.folders,
            index=options.index,
            embedder=options.embedder,
            replace=options.replace,
            rebuild=options.rebuild,
            progress=progress,
        )
    if options.json:
        print(json.dumps({"report": asdict(report)}))
        return Exit.DONE
    for failure in report.failures:
        say(f"not read: {failure.path}: {failure.reason}")
    for remark in report.remarks:
        say(remark)
    print(
        f"{report.added} added, {report.changed} changed, {report.unchanged} unchanged, {report.removed} removed, "
        f"{len(report.failures)} not read; {report.chunks:,} passages in {sanitize(str(index_folder(options.index)))}"
    )
    return Exit.DONE


def _end_with_stdin() -> None:
    """An indexing run may be killed at any moment; the index stays as it was."""
    while os.read(0, 1024):  # not through `sys.stdin`, whose lock would be held when the process ends
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def ask(options: argparse.Namespace) -> int:
    from assistant.api import Assistant  # deferred: numpy must not slow `--help`
    from assistant.render import render_answer, wrapped

    with Assistant.open(options.index, settings=chosen_settings(options), audience=readers(options)) as desk:
        answer = desk.ask(options.question, options.after, where=_where(options), as_of=options.as_of)
        bound = desk.bound
    if options.json:
        print_json(answer.to_dict())
    else:
        print(render_answer(answer, left_out=options.show_left_out, verbose=options.verbose))
        if options.verbose:
            print(wrapped(f"Questions of too little confidence are refused: {bound}", 0))
    return Exit.DONE


def search(options: argparse.Namespace) -> int:
    from assistant.api import Assistant  # deferred: numpy must not slow `--help`
    from assistant.explanation import render_search

    where = _where(options)
    with Assistant.open(options.index, settings=chosen_settings(options), audience=readers(options)) as desk:
        if options.explain is not None:
            print(desk.explain(options.question, options.explain, where))
            return Exit.DONE
        found = desk.search(options.question, options.limit, where)
    numbered = [candidate.to_dict() | {"number": rank} for rank, candidate in enumerate(found, 1)]
    print_result(options, numbered, lambda: render_search(found))
    return Exit.DONE


def documents(options: argparse.Namespace) -> int:
    from assistant.api import Assistant  # deferred: numpy must not slow `--help`
    from assistant.explanation import render_documents

    with Assistant.open(options.index, settings=Settings(reranker="none"), audience=readers(options)) as desk:
        documents, failures = desk.documents(), desk.failures()
    rows = {"documents": [one.to_dict() for one in documents], "failures": [asdict(failure) for failure in failures]}
    print_result(options, rows, lambda: render_documents(documents, failures))
    return Exit.DONE


def doctor(options: argparse.Namespace) -> int:
    from embeddings.doctor import examine, repair  # deferred: numpy must not slow `--help`

    folder = index_folder(options.index)
    if options.repair:
        for line in repair(folder):
            say(f"repaired: {line}")
    findings = [*examine(folder), *_history_findings(folder)]
    for finding in findings:
        print(sanitize(f"{finding.what} [{finding.mends}]"))
    serious = [finding for finding in findings if finding.mends != "index"]
    print(f"{len(serious)} problems, {len(findings) - len(serious)} remarks in {sanitize(str(folder))}")
    return Exit.UNAVAILABLE if serious else Exit.DONE


def _history_findings(folder: Path) -> Iterator[Finding]:
    from assistant.records.history import FILE, History  # deferred: numpy must not slow `--help`
    from embeddings.doctor import Finding

    try:
        problems = History(folder / FILE).verify()
        yield from (Finding(f"{FILE}: {problem}", "put the file back from a copy") for problem in problems)
    except UnavailableError as error:
        yield Finding(f"{FILE}: {error}", "see there")


def generators(_: argparse.Namespace) -> int:
    from assistant.generators import names  # deferred: numpy must not slow `--help`

    print("\n".join(sanitize(name) for name in names()))
    return Exit.DONE


def by_name(options: argparse.Namespace) -> int:
    # The harness stands above this package, which must not import it: it is called by name.
    code: int = importlib.import_module(options.module).main(options.arguments)
    return code


def chat(options: argparse.Namespace) -> int:
    options.settings_file, options.settings = options.settings, chosen_settings(options)
    in_browser = "TEXTUAL_DRIVER" in os.environ  # as textual-serve starts this command again, for each page
    if options.web and not in_browser:
        try:
            from assistant.tui.serving import serve  # deferred: an extra
        except ModuleNotFoundError as error:
            raise UnavailableError(
                f"chat in a browser needs {error.name!r}: pip install 'passim-assistant[web]'"
            ) from error
        say("Open this address in a browser of this machine; Ctrl-C here ends it.")
        serve(options.arguments, options.port)
        return Exit.DONE
    if not in_browser and not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        raise UsageError("chat needs a terminal: use `assistant ask QUESTION` where there is none, or `--web`")
    from assistant.tui.launching import run  # deferred: Textual is only needed here

    run(options)
    return Exit.DONE


def mcp(options: argparse.Namespace) -> int:
    try:
        from assistant.mcp.server import serve  # deferred: an extra, and numpy must not slow `--help`
    except ModuleNotFoundError as error:
        raise UsageError(f"{error.name!r} is missing: pip install 'passim-assistant[mcp]'") from error

    serve(options.index, chosen_settings(options), readers(options))
    return Exit.DONE


def readers(options: argparse.Namespace) -> set[str] | None:
    """The groups that are named on the command line; None, who sees everything, where none is."""
    return None if options.audience is None else set(options.audience)


def chosen_settings(options: argparse.Namespace) -> Settings:
    """Those of the settings file, with what the command line says in their place."""
    given = {name: getattr(options, name, None) for name in ("generator", "base_url", "fallback", "reranker")}
    return replace(Settings.read(options.settings), **{name: v for name, v in given.items() if v is not None})


def _where(options: argparse.Namespace) -> Where | None:
    from embeddings.types import Where  # deferred: numpy must not slow `--help`

    where = Where(tuple(options.path), tuple(options.tag), options.date_from, options.date_to)
    return None if where == Where() else where


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


@contextmanager
def _progress_lines() -> Iterator[Callable[[int, int, int], None]]:
    """A line of JSON on stdout, ten times a second at most."""
    due = 0.0

    def update(done: int, total: int, embedded: int) -> None:
        nonlocal due
        if monotonic() >= due:
            due = monotonic() + 0.1
            print(json.dumps({"done": done, "total": total, "passages": embedded}), flush=True)

    yield update


def print_result(options: argparse.Namespace, values: object, rendered: Callable[[], str]) -> None:
    """As JSON where that is asked for, else as text."""
    if options.json:
        print_json(values)
    else:
        print(rendered())


def print_json(values: object) -> None:
    print(json.dumps(values, ensure_ascii=not _speaks_unicode(), indent=2))


def _speaks_unicode() -> bool:
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"


def say(line: str) -> None:
    print(sanitize(line), file=sys.stderr)
