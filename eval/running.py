"""Asking the assistant every question of a data set, into a folder that an interrupted run goes on from."""

from __future__ import annotations

import fcntl
import glob
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

from assistant.api import Assistant
from corpus.errors import AssistantError, UnavailableError, UsageError
from corpus.files import write_file
from embeddings.types import Where
from eval.adapters import file_name
from eval.answers import from_assistant, ranked, response_from, row_of
from eval.corpora import located
from eval.datasets import load
from eval.jsonl import read_bytes, rows_in
from eval.scoring import FINISHED, FORMAT, JOURNAL, SETTINGS, check_folder, evaluate, measures_named, write_run
from eval.thresholds import Threshold
from eval.types import Case, Dataset, Report, Response

DEPTH = 100
"""Passages that are ranked for a question that is only searched."""
Progress = Callable[[int, int], None]
"""Told how many questions are done, and how many there are."""


def run(
    dataset: str | Path | Dataset,
    desk: Assistant,
    *,
    scorers: Sequence[str] = (),
    thresholds: Sequence[Threshold] = (),
    out: str | Path | None = None,
    progress: Progress | None = None,
) -> Report:
    """Ask every question, and score the answers.

    With `out`, each answer is kept as it comes; the same call goes on where an earlier one was interrupted. A question
    on which the assistant fails is a result with its reason, and counts as a failure.

    Raises:
        UsageError: the data set can't be understood, names a document that isn't indexed, or quotes what its document
            doesn't hold; the folder holds something else.
        UnavailableError: the folder can't be written.
    """
    whole = dataset if isinstance(dataset, Dataset) else load(dataset)
    measures_named(scorers, thresholds)
    whole = located(whole, desk)
    system = _system(desk)
    if out is None:
        responses = list(_answers(whole, desk, {}, progress))
        return evaluate(whole, responses, system, scorers, thresholds)
    folder = Path(out)
    with _journal(folder, whole, system) as (journal, kept):
        responses = []
        for response in _answers(whole, desk, kept, progress):
            responses.append(response)
            if response.id not in kept:
                _append(journal, response, folder)
        report = evaluate(whole, responses, system, scorers, thresholds)
        write_run(report, folder)
        for name in (SETTINGS, JOURNAL):
            (folder / name).unlink(missing_ok=True)
    return report


def _system(desk: Assistant) -> dict[str, Any]:
    return {"generator": desk.generator, "reranker": desk.reranker} | asdict(desk.snapshot)


def _answers(
    dataset: Dataset, desk: Assistant, kept: Mapping[str, Response], progress: Progress | None
) -> Iterator[Response]:
    ids = _ids(dataset, desk)
    if len(kept) < len(dataset.cases):
        desk.warm()
    for number, case in enumerate(dataset.cases, 1):
        yield kept[case.id] if case.id in kept else _answer(case, desk, dataset.task == "search", ids)
        if progress is not None:
            progress(number, len(dataset.cases))


def _ids(dataset: Dataset, desk: Assistant) -> dict[str, tuple[str, ...]]:
    """By path in the index, the data set's ids of the document there: its own, and those of its copies."""
    own = {file_name(source.id): source.id for source in dataset.documents}
    paths: dict[str, list[str]] = {}
    for summary in desk.documents():
        paths.setdefault(summary.id, []).append(summary.path)
    names = {path: own.get(path, path) for alike in paths.values() for path in alike}
    return {p: (names[p], *(names[q] for q in alike if q != p)) for alike in paths.values() for p in alike}


def _answer(case: Case, desk: Assistant, searched: bool, ids: Mapping[str, tuple[str, ...]]) -> Response:
    where = Where(paths=tuple(glob.escape(path) for path in case.scope)) if case.scope else None
    started = time.perf_counter()
    try:
        if searched:
            found = desk.search(case.question, DEPTH, where)
            ranking = ranked(one for c in found for one in ids.get(c.document.path, (c.document.path,)))
            return Response(case.id, ranking=tuple(ranking), seconds=round(time.perf_counter() - started, 6))
        answer = desk.ask(case.question, case.history, where=where)
        return from_assistant(case.id, answer, time.perf_counter() - started, ids)
    except AssistantError as failure:
        reason = str(failure)
    except Exception as failure:  # a crash on one question is a result, and the others are still asked
        reason = f"{type(failure).__name__}: {failure}"
    return Response(case.id, error=reason or "no reason given", seconds=round(time.perf_counter() - started, 6))


@contextmanager
def _journal(folder: Path, dataset: Dataset, system: dict[str, Any]) -> Iterator[tuple[BinaryIO, dict[str, Response]]]:
    """The file of the answers so far, open to be added to and locked, and what it holds."""
    settings = {
        "format": FORMAT,
        "dataset": dataset.name,
        "digest": dataset.digest,
        "cases": len(dataset.cases),
        "system": system,
    }
    check_folder(folder, unfinished=True)
    try:
        journal = (folder / JOURNAL).open("a+b")
    except OSError as error:
        raise UnavailableError(f"the run folder {str(folder)!r} can't be written: {error.strerror or error}") from error
    with journal:
        try:
            fcntl.flock(journal, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UsageError(f"another process is writing the run in {str(folder)!r}: wait for it") from error
        except OSError as error:
            reason = f"can't be locked: {error.strerror or error}"
            raise UnavailableError(f"the run folder {str(folder)!r} {reason}") from error
        if (folder / FINISHED).exists():  # by a process that was faster
            (folder / JOURNAL).unlink(missing_ok=True)
        check_folder(folder, unfinished=True)
        _check_settings(folder, settings)
        yield journal, _kept(journal, folder)


def _check_settings(folder: Path, settings: dict[str, Any]) -> None:
    """Keep what a new run asks; refuse to go on with an unfinished one that asked something else."""
    path = folder / SETTINGS
    try:
        earlier = json.loads(read_bytes(path)) if path.exists() else None
    except ValueError as error:
        raise UsageError(f"{str(path)!r} is damaged ({error}): remove the folder to start anew") from error
    if earlier is None:
        write_file(path, json.dumps(settings, indent=1))
    elif earlier != settings:
        changed = ", ".join(k for k in settings if not isinstance(earlier, dict) or earlier.get(k) != settings[k])
        raise UsageError(
            f"{str(folder)!r} holds an unfinished run of another kind ({changed} differ): "
            "go on with its data set, index and settings, name another folder, or remove it"
        )


def _kept(journal: BinaryIO, folder: Path) -> dict[str, Response]:
    """The answers of an interrupted run; a last line that was cut short is taken out and asked again."""
    journal.seek(0)
    content = journal.read()
    whole = content[: content.rfind(b"\n") + 1]
    if len(whole) < len(content):
        journal.truncate(len(whole))
    try:
        rows = rows_in(whole, str(folder / JOURNAL))
        return {(response := response_from(row, f"{folder / JOURNAL}:{number}")).id: response for number, row in rows}
    except UsageError as error:
        raise UsageError(f"{error}: the file is damaged, remove the folder to start anew") from error


def _append(journal: BinaryIO, response: Response, folder: Path) -> None:
    try:
        journal.write(json.dumps(row_of(response)).encode() + b"\n")
        journal.flush()
        os.fsync(journal.fileno())
    except OSError as error:
        raise UnavailableError(f"{str(folder / JOURNAL)!r} can't be written: {error.strerror or error}") from error
