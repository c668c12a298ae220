"""Trials of an index, each with the problems it had: the tests run a few, the benchmark many."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from children import Children, Fault
from made_index import EMBEDDER, QUESTIONS, Texts, damaged, lost, texts_in, texts_of, write

from corpus.errors import IndexUnavailable
from embeddings.search import Index

OPERATIONS = ("write", "pwrite", "fsync", "fsync-folder", "fdatasync", "rename", "unlink", "ftruncate")
VERSIONS = 4
"""That a child publishes, one after the other, unless it is told another number."""


def published(
    children: Children,
    base: Path | None,
    folder: Path,
    *,
    fault: Fault | None = None,
    seconds: float = 120.0,
    count: int = 12,
    versions: int = VERSIONS,
) -> list[str]:
    """Problems after a child has published over a copy of `base`, killed after `seconds` or failing by `fault`.

    Args:
        base: an index of version 1; None: the child makes the first one.
        count: documents.
    """
    shutil.rmtree(folder, ignore_errors=True)
    if base:
        shutil.copytree(base, folder)
    first = 2 if base else 1
    ended = children.run("publishes", folder, first, first + versions, count, fault=fault, seconds=seconds)
    acknowledged = max([first - 1, *map(int, ended.said("published"))])
    exists = acknowledged > 0
    return ended.problems + lost(folder, max(acknowledged, 1), first + versions - 1, count, exists=exists)


def calls(
    children: Children, base: Path, folder: Path, operation: str, *, count: int = 12, versions: int = VERSIONS
) -> int:
    """Calls of one kind while versions are published."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(base, folder)
    fault = Fault(str(folder), operation, 0)
    return children.run("publishes", folder, 2, 2 + versions, count, fault=fault).counted


def limited(children: Children, folder: Path, limit: int, count: int) -> list[str]:
    """Problems after a child has published over version 1 with files of at most `limit` bytes."""
    shutil.rmtree(folder, ignore_errors=True)
    write(folder, texts_of(1, count))
    ended = children.run("refuses", folder, 2, limit, count)
    acknowledged = max([1, *map(int, ended.said("published"))])
    return ended.problems + lost(folder, acknowledged, 2, count)


def filled(children: Children, home: Path, count: int) -> list[str] | None:
    """Problems after a child has published on a file system with no space left; None where none can be mounted."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(home)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        return None
    try:
        folder, filler = home / "index", home / "filler"
        write(folder, texts_of(1, count))
        free = os.statvfs(home).f_bavail * os.statvfs(home).f_frsize
        filler.write_bytes(bytes(free - 100_000))
        ended = children.run("publishes", folder, 2, 2 + VERSIONS, count)
        problems = ended.problems + [f"{line} in too little space" for line in ended.said("published")]
        filler.unlink()
        return problems + lost(folder, 1, 1, count)
    finally:
        subprocess.run(["umount", str(home)], check=True)


@dataclass(frozen=True, slots=True)
class Damage:
    """One file of an index changed in one place."""

    what: str
    outcome: str
    """`right`, `refused` or `partly`: some questions answered rightly, some refused."""
    problems: list[str]


def hurt(children: Children, base: Path, folder: Path, name: str, expected: Sequence[str], seed: int) -> Damage:
    """Asks and publishes over a copy of `base` whose file `name` is damaged.

    Args:
        expected: what the job `asks` says of `base`.
    """
    what, content = damaged((base / name).read_bytes(), random.Random(seed))
    outcomes = {}
    for job, arguments in (("asks", ()), ("publishes_over", (9, 12))):
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(base, folder)
        (folder / name).write_bytes(content)
        outcomes[job] = children.run(job, folder, *arguments)
    asked = outcomes["asks"]
    answered = [line for line in asked.lines if line.startswith("answered")]
    problems = [line for line in answered if line not in expected]
    problems += [problem for ended in outcomes.values() for problem in ended.problems]
    problems += [line for line in asked.said("refused") if "assistant " not in line and "permissions" not in line]
    outcome = "right" if len(answered) == len(expected) else "partly" if answered else "refused"
    return Damage(f"{name}: {what}", outcome, problems)


def built(children: Children, home: Path, before: Texts, after: Texts, seconds: float) -> list[str]:
    """Problems after `build_index` was killed on the way from `before`, which is empty or indexed, to `after`."""
    source, folder = home / "source", home / "index"
    shutil.rmtree(source, ignore_errors=True)
    source.mkdir(parents=True)
    for path, text in after.items():
        (source / path).write_text(text, encoding="utf-8")
    ended = children.run("builds", source, folder, seconds=seconds)
    problems = ended.problems
    try:
        if _identities(folder) not in [_expected(texts) for texts in (before, after)]:
            problems.append("neither the state before nor the one after")
    except IndexUnavailable as error:
        if before or ended.said("published"):
            problems.append(str(error))
    again = children.run("builds", source, folder)
    if _identities(folder) != _expected(after):
        problems.append("the next run did not finish the work")
    return problems + again.problems


def _identities(folder: Path) -> dict[str, str]:
    with Index.open(folder, EMBEDDER.fingerprint) as index, index.view() as view:
        texts_in(view)
        return {summary.path: summary.id for summary in view.documents()}


def _expected(texts: Texts) -> dict[str, str]:
    return {path: hashlib.sha256(text.encode()).hexdigest()[:32] for path, text in texts.items()}


@dataclass(frozen=True, slots=True)
class Reading:
    """What readers had while another process published."""

    searches: int
    publications: int
    problems: list[str]
    idle: float
    """95th percentile of a search before the publications, seconds."""
    busy: float
    """And during them."""


def read(children: Children, folder: Path, publications: int, searches: int, readers: int = 2) -> Reading:
    """Threads of one index search while a child publishes; each generation is the version of its number.

    Args:
        searches: between two publications; as many as in all are made before the first.
    """
    write(folder, texts_of(1))
    texts = [set(texts_of(version).values()) for version in range(publications + 2)]
    made, finished = threading.Semaphore(0), threading.Event()
    seconds: list[float] = []
    problems: list[str] = []
    vectors = [EMBEDDER.embed_query(question) for question in QUESTIONS]

    def search(index: Index) -> None:
        turn = 0
        while not finished.is_set():
            turn += 1
            question, vector = QUESTIONS[turn % len(QUESTIONS)], vectors[turn % len(QUESTIONS)]
            began = time.perf_counter()
            try:
                with index.view() as view:
                    hits = view.search(question, vector, 5)
                    seconds.append(time.perf_counter() - began)
                    whole = {view.document(hit.chunk.document_id).text for hit in hits}
                    if len(hits) != 5 or not whole <= texts[view.snapshot().generation]:
                        problems.append(f"{len(hits)} hits of generation {view.snapshot().generation}")
            except Exception as error:  # whatever it is, it is what a user would have seen
                problems.append(repr(error))
            made.release()

    def wait(number: int) -> None:
        for _ in range(number):
            made.acquire()

    with Index.open(folder, EMBEDDER.fingerprint) as index:
        threads = [threading.Thread(target=search, args=(index,)) for _ in range(readers)]
        for thread in threads:
            thread.start()
        wait(publications * searches)
        idle = len(seconds)
        for version in range(2, publications + 2):
            problems += children.run("publishes", folder, version, version + 1, 12).problems
            wait(searches)
        finished.set()
        for thread in threads:
            thread.join()
    return Reading(
        len(seconds) - idle, publications, problems, _percentile(seconds[:idle]), _percentile(seconds[idle:])
    )


def _percentile(seconds: list[float]) -> float:
    return sorted(seconds)[int(0.95 * len(seconds))]
