"""What follow-ups made whole without a model are worth to retrieval: nDCG@10 on MTRAG's government pages.

    python bench/followups.py --data DATA [--embedder NAME] [--reranker NAME] [--cache DIR] [--show]

The last turn, the question made whole by `assistant.followups`, and a person's rewrite, all under the same retrieval,
whole passages as documents; intervals and paired differences draw whole conversations. Conversations are in two halves
by a hash of their id: the rules were developed on `one`, `other` is for checking.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import tempfile
from pathlib import Path

from retrieval import SETS, build, collection, ndcg

from assistant.followups import standalone
from assistant.retrieval import candidates
from assistant.types import Turn
from embeddings.embedder import embedder_named
from embeddings.rerank import reranker_named
from embeddings.search import Index
from eval.statistics import difference, estimate, mean
from eval.types import Case, Scorer

MEASURE = Scorer("nDCG@10", lambda *_: None, lambda _: None, mean)
DEPTH = 10


def conversations(data: Path) -> dict[str, tuple[str, list[Turn]]]:
    """Conversation and earlier turns, oldest first, by task."""
    found = {}
    for line in (data / "mtrag_govt/tasks.jsonl").read_text(encoding="utf-8").split("\n"):
        if line:
            task = json.loads(line)
            said = [turn["text"] for turn in task["history"]]
            turns = [Turn(*pair) for pair in zip(said[::2], [*said[1::2], ""], strict=False)]
            found[task["task_id"]] = (task["conversation_id"], turns)
    return found


def half(conversation: str) -> str:
    return ("one", "other")[hashlib.sha256(conversation.encode()).digest()[0] % 2]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--embedder", default="default")
    parser.add_argument("--reranker", default="auto", help="auto, none, or a cross-encoder's name")
    parser.add_argument("--cache", type=Path, help="folder that keeps the index")
    parser.add_argument("--show", action="store_true", help="print the questions that were changed in half one")
    arguments = parser.parse_args()
    embedder, reranker = embedder_named(arguments.embedder), reranker_named(arguments.reranker)
    tested, known = collection(arguments.data, "govt-last-turn"), conversations(arguments.data)
    asked = {
        "last turn": tested.queries,
        "standalone": {task: standalone(text, known[task][1]) for task, text in tested.queries.items()},
        "human rewrite": collection(arguments.data, "govt-rewrite").queries,
    }
    cases = [Case(task, "", text, conversation=known[task][0]) for task, text in tested.queries.items()]
    scores: dict[str, dict[str, float]] = {way: {} for way in asked}
    with tempfile.TemporaryDirectory() as temporary:
        folder = (arguments.cache or Path(temporary)) / Path(SETS["govt-last-turn"][0]).parent
        build(tested.passages, folder, embedder)
        with Index.open(folder, embedder.fingerprint) as index, index.view() as view:
            for way, questions in asked.items():
                for task, text in questions.items():
                    found = candidates(text, view, embedder, reranker)[:DEPTH]
                    scores[way][task] = ndcg([c.hit.chunk.document_id for c in found], tested.relevant[task])
    print(f"{'half':<6} {'questions':>9} {'asked':<14} nDCG@10  95 % interval   against the last turn")
    for part in ("one", "other", "both"):
        chosen = [case for case in cases if part in (half(case.conversation or ""), "both")]
        last = [(scores["last turn"][case.id],) for case in chosen]
        for way in asked:
            rows = [(scores[way][case.id],) for case in chosen]
            (score,) = estimate([MEASURE], chosen, [rows])
            line = f"{part:<6} {len(chosen):>9} {way:<14}   {score.value:.3f}  {score.low:.3f} to {score.high:.3f}"
            if way != "last turn":
                than = difference(MEASURE, chosen, last, rows)
                line += f"  {than.difference:+.3f} ({than.low:+.3f} to {than.high:+.3f}), p = {than.p:.4f}"
            print(line)
    if arguments.show:
        for task, text in tested.queries.items():
            whole = asked["standalone"][task]
            if half(known[task][0]) == "one" and whole != " ".join(text.split()):
                was, now, rewrite = (scores[way][task] for way in asked)
                print(f"{now - was:+.2f} (rewrite {rewrite - was:+.2f})  {text}  =>  {whole}")


if __name__ == "__main__":
    main()
