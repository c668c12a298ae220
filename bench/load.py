"""Many questions at once while the index changes under them, and the answers a second of many threads and of one.

    python bench/load.py [--seconds 60] [--threads 32] [--documents 80] [--block 20] [--seed 1]

On the sample documents and made ones, with the default models, extractive. First all threads ask for `seconds`, while
`assistant index` runs in a process of its own over documents that are edited, added and deleted each time; the texts of
every generation are kept, and each passage and citation is held against the generation that its answer names. Then,
without a writer, blocks of one thread and of all, in turn, each with questions that are new to it. Problems are
printed; with any, the exit code is 1.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from assistant.api import Assistant
from assistant.limits import Limits
from assistant.types import Answer
from corpus.errors import AssistantError
from corpus.types import Document
from embeddings.rerank import OnnxReranker
from embeddings.search import Index

ROOT = Path(__file__).parents[1]
PLACES = [
    a + b for a in ("Ash", "Brack", "Cold", "Dun", "Elm", "Fern", "Gold", "Hart") for b in ("ley", "mere", "wick")
]
PLACES = [f"{kind} {place}" for kind in ("North", "South", "Upper", "Lower", "Old") for place in PLACES]
KEEPERS = ("Ada Quill", "Ben Marrow", "Cora Finch", "Dai Rudd", "Eve Salt", "Finn Orrin")
ASKED = (
    "How much does a berth at {} cost?",
    "Who keeps the boat shed at {}?",
    "How many berths does the boat shed at {} have?",
    "When was the slipway at {} repaired?",
    "Is the boat shed at {} open on Sundays?",
)
LIMITS = Limits(waiting=1_000, patience=600)
Texts = dict[str, Document]
"""By path."""


def made(place: str, version: int) -> str:
    chance = random.Random(f"{place} {version}")
    return (
        f"The boat shed at {place}\n\n{chance.randint(1, 28)} May 2024\n\nThe boat shed at {place} has "
        f"{chance.randint(5, 90)} berths. A berth at {place} costs £{chance.randint(100, 900)} a year. "
        f"{chance.choice(KEEPERS)} keeps the boat shed.\n\nThe slipway at {place} was repaired on "
        f"{chance.randint(1, 28)} March 202{chance.randint(0, 4)}. "
        f"The shed is {chance.choice(('open', 'closed'))} on Sundays.\n"
    )


def index(folder: Path, into: Path) -> None:
    command = [sys.executable, "-m", "assistant", "index", str(folder), "--index", str(into)]
    subprocess.run(command, check=True, capture_output=True, cwd=ROOT)


def texts_of(into: Path) -> tuple[int, Texts]:
    with Index.open(into) as opened, opened.view() as view:
        return view.snapshot().generation, {d.path: view.document(d.id) for d in view.documents()}


def held() -> tuple[int, int]:
    """MB of memory and files that this process has."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") >> 20, len(list(Path("/proc/self/fd").iterdir()))


@dataclass
class Asked:
    """What threads that ask have got."""

    answers: list[Answer] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    seconds: float = 0.0


def ask(desk: Assistant, questions: Iterator[str], threads: int, seconds: float) -> Asked:
    """Until the time is over and the last has its answer."""
    asked, lock, began = Asked(), threading.Lock(), time.perf_counter()

    def work() -> None:
        while time.perf_counter() < began + seconds:
            with lock:
                question = next(questions)
            try:
                asked.answers.append(desk.ask(question))
            except AssistantError as error:
                asked.errors.append(f"{type(error).__name__}: {error}")

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    asked.seconds = time.perf_counter() - began
    return asked


def wrong(answer: Answer, texts: Texts) -> Iterator[str]:
    """What of an answer isn't of the generation that it names."""
    cited = [c for s in answer.statements for c in s.citations] + [c for d in answer.conflicts for c in d.citations]
    for passage in (*answer.passages, *(c.passage for c in cited if c.passage is not None)):
        there, chunk = texts.get(passage.document.path), passage.chunk
        if there is None or there.id != passage.document.id or there.text[chunk.start : chunk.end] != chunk.text:
            yield f"mixed: {answer.question!r}: {passage.document.path} of another generation"
    for c in cited:
        text = texts[c.passage.document.path].text if c.passage and c.passage.document.path in texts else ""
        if c.passage is not None and text[c.start : c.end] != c.quote:
            yield f"inexact: {answer.question!r}: {c.quote!r}"


def changed(folder: Path, into: Path, generations: dict[int, Texts], over: Callable[[], bool]) -> None:
    """Edits a third, deletes a tenth, puts back what was deleted, and indexes, again and again."""
    for version in itertools.count(2):
        if over():
            return
        chance = random.Random(version)
        for place in PLACES:
            path = folder / f"{place}.txt"
            if path.exists() and chance.random() < 0.1:
                path.unlink()
            elif not path.exists() or chance.random() < 0.33:
                path.write_text(made(place, version), encoding="utf-8")
        index(folder, into)
        number, texts = texts_of(into)
        generations[number] = texts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--threads", type=int, default=32)
    parser.add_argument("--documents", type=int, default=80, help="made ones")
    parser.add_argument("--block", type=float, default=20, help="seconds of each block of the comparison")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    del PLACES[options.documents :]
    samples = (ROOT / "eval/datasets/samples.jsonl").read_text(encoding="utf-8").splitlines()
    questions = [json.loads(line)["question"] for line in samples]
    questions += [asked.format(place) for place in PLACES for asked in ASKED]
    random.Random(options.seed).shuffle(questions)
    with tempfile.TemporaryDirectory() as temporary:
        home = Path(temporary)
        folder, into = home / "documents", home / "index"
        shutil.copytree(ROOT / "corpus/samples", folder)
        for place in PLACES:
            (folder / f"{place}.txt").write_text(made(place, 1), encoding="utf-8")
        index(folder, into)
        failed = changing(folder, into, questions, options)
        compared(into, questions, options)
    print(f"{os.cpu_count()} cores; load {os.getloadavg()[0]:.1f}; seed {options.seed}")
    sys.exit(failed)


def changing(folder: Path, into: Path, questions: list[str], options: argparse.Namespace) -> bool:
    generations = dict([texts_of(into)])
    over = threading.Event()
    writer = threading.Thread(target=changed, args=(folder, into, generations, over.is_set))
    with Assistant.open(into, generator="extractive", limits=LIMITS) as desk:
        endless = itertools.cycle(questions)
        ask(desk, endless, options.threads, options.seconds / 6)
        before, opened = held()
        writer.start()
        asked = ask(desk, endless, options.threads, options.seconds)
        over.set()
        after, kept = held()
        writer.join()
    seen = {answer.snapshot.generation for answer in asked.answers}
    problems = [p for a in asked.answers for p in wrong(a, generations[a.snapshot.generation])]
    mixed = sum(p.startswith("mixed") for p in problems)
    cited = sum(len(s.citations) for a in asked.answers for s in a.statements)
    columns = {
        "threads": options.threads,
        "seconds": round(asked.seconds),
        "answers": len(asked.answers),
        "errors": len(asked.errors),
        "generations mixed": mixed,
        "citations": cited,
        "inexact": len(problems) - mixed,
        "generations seen": f"{len(seen)} of {len(generations)}",
        "MB": f"{before} → {after}",
        "files": f"{opened} → {kept}",
    }
    print(row(columns), row("-" * len(columns)), row(columns.values()), sep="\n", end="\n\n", flush=True)
    print(*asked.errors, *problems, sep="\n", file=sys.stderr)
    return bool(asked.errors or problems)


def compared(into: Path, questions: list[str], options: argparse.Namespace) -> None:
    """One thread and many, in turn, each with a reranker that has read nothing yet."""
    each = [f"{threads}: {of}" for threads in (1, options.threads) for of in ("answers a second", "processor ms each")]
    print(row(["cores a question", *each, "ratio"]), row("-" * 6), sep="\n")
    for cores in (os.cpu_count() or 1, 1):
        found: dict[int, list[tuple[int, float, float]]] = {1: [], options.threads: []}
        for threads in (1, options.threads) * 2:
            with Assistant.open(into, generator="extractive", reranker=OnnxReranker(cores), limits=LIMITS) as desk:
                desk.warm()
                began = time.process_time()
                asked = ask(desk, itertools.cycle(questions), threads, options.block)
                found[threads].append((len(asked.answers), asked.seconds, time.process_time() - began))
        shown = []
        for blocks in found.values():
            answers, seconds, processor = (sum(column) for column in zip(*blocks, strict=True))
            shown += [answers / seconds, 1000 * processor / answers]
        print(row([cores, *(f"{value:.2f}" for value in (*shown, shown[2] / shown[0]))]), flush=True)


def row(cells: Iterable[object]) -> str:
    """Of a table."""
    return f"| {' | '.join(map(str, cells))} |"


if __name__ == "__main__":
    main()
