"""Whether anything of a hidden document is told, for random audiences over public documents; one table.

    python bench/permissions.py DATA [--assignments 200] [--documents 200] [--alone 20] [--embedder NAME]

DATA is a folder with the passages, queries and judgements of `mtrag_govt`. The trials are those of
tests/assistant/test_hidden_documents.py, more of them: every document is marked, all public calls of the assistant and
of what stands before it are made by random callers, and what they tell is searched for every mark that is hidden from
them. In some assignments the answers are compared with those of an index without what is hidden. Problems are printed;
with any, the exit code is 1.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.assistant.hiding import Trials, govt

SAME_HISTORY = 5
"""Assignments in a row that share a history, so that answers of one are looked for in the others."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--assignments", type=int, default=200)
    parser.add_argument("--documents", type=int, default=200)
    parser.add_argument("--alone", type=int, default=20, help="assignments compared with an index of what is visible")
    parser.add_argument("--embedder", default="hashing", metavar="NAME", help="another comes with a reranker: default")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    began, cpu, done, encoded = time.perf_counter(), time.process_time(), Counter[str](), 0
    with tempfile.TemporaryDirectory() as temporary:
        home = Path(temporary)
        texts, questions = govt(options.data, options.documents)
        trials = Trials(texts, questions, home, options.seed, options.embedder)
        for number in range(options.assignments):
            again = trials.assign()
            encoded += again if number else 0
            with trials.open(home / f"history-{number // SAME_HISTORY}") as desk:
                audience = trials.caller()
                problems = list(trials.problems(desk, audience))
                done["callers"] += 1
                done["documents hidden from them"] += sum(not trials.visible(one, audience) for one in trials.documents)
                done["things told"] += len(problems)
                influences = []
                if number % max(options.assignments // max(options.alone, 1), 1) == 0:
                    influences = list(trials.influences(desk, frozenset(trials.groups[:2])))
                    done["callers compared with an index without what is hidden"] += 1
                    done["differences"] += len(influences)
            for problem in problems + influences:
                print(f"assignment {number}: {problem}", file=sys.stderr, flush=True)
    print("| what | times |\n|---|---|")
    for what, times in done.items():
        print(f"| {what} | {times:,} |")
    print(f"| passages encoded again | {encoded:,} |")
    seconds, own = time.perf_counter() - began, time.process_time() - cpu
    print(
        f"{len(trials.documents)} files, {options.assignments} assignments, {seconds:.0f} s ({own:.0f} s of processor)"
    )
    print(f"{os.cpu_count()} cores; load {os.getloadavg()[0]:.1f}; seed {options.seed}")
    sys.exit(bool(done["things told"] or done["differences"]))


if __name__ == "__main__":
    main()
