"""`python -m eval DATASET --index DIR`: ask every question, print the scores with their intervals."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from assistant.api import Assistant
from corpus.errors import AssistantError, UsageError
from eval.datasets import load_cases
from eval.run import run, write_answers
from eval.scorers import SCORERS, score
from eval.types import CaseResult


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m eval", description=__doc__)
    parser.add_argument("dataset", help="questions with gold evidence, JSONL")
    parser.add_argument("--index", metavar="DIR")
    parser.add_argument("--reranker", default="auto", metavar="NAME")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the answers here, JSONL")
    parser.add_argument("--misses", action="store_true", help="print the questions that lost a point")
    options = parser.parse_args()
    try:
        cases = load_cases(options.dataset)
        with Assistant.open(options.index, reranker=options.reranker) as desk:
            desk.warm()
            results = run(desk, cases, lambda _: print(".", end="", flush=True, file=sys.stderr))
        print(file=sys.stderr)
        if options.out:
            write_answers(results, options.out)
    except AssistantError as error:
        print(f"eval: {error}", file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 3
    if options.misses:
        for result in results:
            _print_misses(result)
    print(f"{len(cases)} questions, {sum(r.seconds for r in results) / len(results):.2f} s each")
    for one in score(results):
        if one.value is not None:
            print(f"{one.name:15} {one.value:7.3f}   95 % {one.low:.3f} to {one.high:.3f}   over {one.cases}")
    return 0


def _print_misses(result: CaseResult) -> None:
    answer = result.answer or {"text": result.error or "", "refused": result.case.answerable, "statements": []}
    lost = [
        f"{name} {value:.2f}"
        for name, scorer in SCORERS.items()
        if name != "words" and (value := scorer(result.case, answer)) is not None and value != (name in _GOOD)
    ]
    if lost:
        print(f"{result.case.id} {result.case.kind}: {result.case.question}\n    {', '.join(lost)}: {answer['text']}")


_GOOD = ("facts", "evidence", "precision")

if __name__ == "__main__":
    sys.exit(main())
