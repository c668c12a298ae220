"""What an index stands: kills, failing calls, full disks, damaged bytes, readers during publications; one table.

    python bench/reliability.py [--kills 200] [--points 50] [--changes 500] [--publications 100] [--seed 1]

The trials are those of tests/embeddings, more of them, on a made corpus with hashed vectors. Calls that fail need a C
compiler, a full file system the right to mount one. Problems are printed; with any, the exit code is 1.
"""

from __future__ import annotations

import argparse
import errno
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "embeddings"))
from children import Children, Fault
from made_index import spread, texts_of, write
from trials import OPERATIONS, VERSIONS, built, calls, filled, hurt, limited, published, read

MANY = 300
"""Documents of the publications that are killed: a transaction that takes many writes."""
LIMITS = (1, 1_000, 40_000, 120_000, 300_000, 1_000_000)
"""Bytes of a file."""
Row = tuple[str, int, str, list[str]]
"""What was done, how often, what came of it, problems."""


def kills(children: Children, home: Path, count: int, chance: random.Random) -> Iterator[Row]:
    bases = {}
    for documents in (12, MANY):
        write(home / f"base-{documents}", texts_of(1, documents))
        bases[documents] = home / f"base-{documents}"
    folder, quarter = home / "index", count // 4
    problems: list[str] = []
    for number in range(quarter):
        before = texts_of(number - 1) if number % 2 else {}
        problems += built(children, home / str(number // 2), before, texts_of(number), chance.uniform(0.0, 1.0))
    yield "kill -9 of `build_index`, random moments: first builds and updates", quarter, "", problems
    problems = []
    for number in range(quarter):
        documents = chance.choice((12, MANY))
        base = bases[documents] if number % 4 else None
        seconds = chance.uniform(0.0, 0.3 if documents == 12 else 2.0)
        problems += published(children, base, folder, seconds=seconds, count=documents)
    yield "kill -9 of publications, random moments, 12 and 300 documents", quarter, "", problems
    if children.faults:
        problems, done = [], 0
        for operation in OPERATIONS:
            for at in spread(calls(children, bases[12], folder, operation), count // 2 // len(OPERATIONS)):
                problems += published(children, bases[12], folder, fault=Fault(str(folder), operation, at))
                done += 1
        for at in spread(calls(children, bases[MANY], folder, "pwrite", count=MANY), count // 2 - done):
            problems += published(children, bases[MANY], folder, fault=Fault(str(folder), "pwrite", at), count=MANY)
            done += 1
        yield f"kill -9 inside a call, a write half done ({len(OPERATIONS)} kinds)", done, "", problems


def faults(children: Children, home: Path, points: int) -> Iterator[Row]:
    base, folder = home / "base-12", home / "index"
    for operation in OPERATIONS if children.faults else ():
        problems, versions = [], VERSIONS
        while (number := calls(children, base, folder, operation, versions=versions)) < points:
            versions *= 2
        for place, at in enumerate(spread(number, points)):
            fault = Fault(str(folder), operation, at, (errno.ENOSPC, errno.EIO)[place % 2], lasting=place % 4 > 1)
            found = published(children, base, folder, fault=fault, versions=versions)
            problems += [f"{fault}: {problem}" for problem in found]
        yield f"failing {operation}: ENOSPC or EIO, once or from then on", points, "", problems
    problems = [problem for limit in LIMITS for problem in limited(children, folder, limit, MANY)]
    yield "limits on the size of files", len(LIMITS), "", problems
    full = home / "full"
    full.mkdir()
    filling = filled(children, full, MANY)
    outcome = "" if filling is not None else "skipped: no right to mount"
    yield "full tmpfs", int(filling is not None), outcome, filling or []


def changes(children: Children, home: Path, count: int, chance: random.Random) -> Iterator[Row]:
    base = home / "changed"
    for version in (1, 2):
        write(base, texts_of(version))
    expected = children.run("asks", base).lines
    names = sorted(path.name for path in base.iterdir() if path.stat().st_size)
    for kind in ("catalogue", "lexical", "vectors"):
        of_kind = [name for name in names if name.startswith(kind)]
        number = count // 2 if kind == "catalogue" else count // 4
        damage = [
            hurt(children, base, home / "index", chance.choice(of_kind), expected, chance.randrange(1 << 32))
            for _ in range(number)
        ]
        outcomes = Counter(one.outcome for one in damage)
        shown = ", ".join(f"{outcomes[outcome]} {outcome}" for outcome in ("right", "partly", "refused"))
        yield f"bytes changed in {kind}", number, shown, [f"{d.what}: {p}" for d in damage for p in d.problems]


def readers(children: Children, home: Path, publications: int) -> Iterator[Row]:
    for number in (1, 2):
        reading = read(children, home / f"read-{number}", publications, searches=120, readers=number)
        shown = (
            f"{reading.searches:,} searches, p95 {1000 * reading.busy:.2f} ms, "
            f"idle {1000 * reading.idle:.2f} ms ({reading.busy / reading.idle:.2f} times)"
        )
        yield f"publications by another process, {number} reading", publications, shown, reading.problems


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--points", type=int, default=50, help="of each kind of call")
    parser.add_argument("--changes", type=int, default=500)
    parser.add_argument("--publications", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    failed = False
    with tempfile.TemporaryDirectory() as temporary, Children(Path(temporary)) as children:
        home = Path(temporary)
        print("| what | times | outcome | problems | seconds |\n|---|---|---|---|---|", flush=True)
        began = time.perf_counter()
        for rows in (
            kills(children, home, options.kills, chance),
            faults(children, home, options.points),
            changes(children, home, options.changes, chance),
            readers(children, home, options.publications),
        ):
            for what, times, outcome, problems in rows:
                seconds = time.perf_counter() - began
                print(f"| {what} | {times:,} | {outcome} | {len(problems)} | {seconds:.0f} |", flush=True)
                print(*problems, sep="\n", end="\n" * bool(problems), file=sys.stderr)
                failed |= bool(problems)
                began = time.perf_counter()
    print(f"{os.cpu_count()} cores; load {os.getloadavg()[0]:.1f}; seed {options.seed}")
    sys.exit(failed)


if __name__ == "__main__":
    main()
