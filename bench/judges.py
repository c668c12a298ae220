"""How well a judge tells supported claims from others on the development sets.

    python bench/judges.py --data DATA [--judge NAME]

Pairs come from labels of evidence: a sentence of a written answer is supported by the evidence that its author marked,
and not by the rest of the passage, by passages marked irrelevant, or by what another question rests on. Claims are in
two halves by SHA-256: `lexical` was developed on the first.
"""

from __future__ import annotations

import argparse
import hashlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from corpus.sentences import split_sentences
from eval.agreement import agreement, render
from eval.jsonl import read_rows, written
from eval.judges import judge_named

_LEAST_WORDS = 5
"""Of a claim."""

Pair = tuple[str, str, bool]


def _rows(path: Path) -> list[dict[str, Any]]:
    return [row for _, row in read_rows(path)]


def _claims(text: str) -> list[str]:
    found = (text[start:end] for start, end in split_sentences(text))
    return [claim for claim in found if len(claim.split()) >= _LEAST_WORDS]


def clapnq(data: Path) -> Iterator[Pair]:
    """A sentence of a written answer, against its evidence and against the rest of the passage."""
    for row in _rows(data / "clapnq/dev.jsonl"):
        for answer in row["answers"]:
            for claim in _claims(answer.get("answer") or "") if answer["selected"] else ():
                for held in (True, False):
                    chosen = [s for n, s in enumerate(row["sentences"]) if (n in answer["selected"]) is held]
                    if chosen:
                        yield claim, "\n".join(chosen), held


def mtrag(data: Path) -> Iterator[Pair]:
    """A sentence of the reference answer, against its relevant and as many irrelevant passages."""
    texts = {row["_id"]: row["text"] for row in _rows(data / "mtrag_govt/passages.jsonl")}
    for row in _rows(data / "mtrag_govt/tasks.jsonl"):
        if row["answerability"] in ("ANSWERABLE", "PARTIAL"):
            judged = [(c["relevant"], texts[c["document_id"]]) for c in row["contexts"] if c["document_id"] in texts]
            yes, no = ([text for relevant, text in judged if relevant == said] for said in ("yes", "no"))
            for claim in _claims(row["answer"]):
                yield from ((claim, "\n".join(t), held) for t, held in ((yes, True), (no[: len(yes) or 1], False)) if t)


def qmsum(data: Path) -> Iterator[Pair]:
    """A sentence of a summary, against its turns and against another question's of like length."""
    for row in [*_rows(data / "qmsum_committee/train.jsonl.gz"), *_rows(data / "qmsum_committee/val.jsonl.gz")]:
        said = [f"{turn['speaker']}: {turn['content']}" for turn in row["meeting_transcripts"]]
        queries = []
        for query in row["specific_query_list"]:
            turns = {n for first, last in query["relevant_text_span"] for n in range(int(first), int(last) + 1)}
            queries.append((query["answer"], turns, "\n".join(said[n] for n in sorted(turns) if n < len(said))))
        for answer, turns, text in queries:
            size = len(text.split())
            others = [t for _, other, t in queries if not other & turns and 0.5 < len(t.split()) / max(size, 1) < 2]
            for claim in _claims(answer) if size <= 700 else ():
                yield from ((claim, one, one is text) for one in [text, *others[:1]])


def scifact(data: Path) -> Iterator[Pair]:
    """A claim, against whole abstracts that support it, contradict it or are silent."""
    texts = {row["_id"]: row["text"] for row in _rows(data / "scifact/corpus.jsonl.gz")}
    for row in _rows(data / "scifact/claims_train.jsonl"):
        labels = {one["doc_id"]: one["label"] == "SUPPORT" for one in row["evidence"]}
        for document in dict.fromkeys([*labels, *map(str, row["cited_doc_ids"])]):
            yield row["claim"], texts[document], labels.get(document, False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--judge", default="lexical")
    arguments = parser.parse_args()
    halves: tuple[list[dict[str, object]], list[dict[str, object]]] = [], []
    for made in (clapnq, mtrag, qmsum, scifact):
        for claim, premise, label in made(arguments.data):
            row = {"claim": claim, "premise": premise, "label": label, "src_dataset": made.__name__}
            halves[int(hashlib.sha256(claim.encode()).hexdigest(), 16) % 2].append(row)
    with tempfile.TemporaryDirectory() as folder:
        for name, rows in zip(("developed-on", "held-back"), halves, strict=True):
            path = Path(folder, f"{name}.jsonl")
            path.write_text(written(rows), encoding="utf-8")
            print(render(agreement(path, judge_named(arguments.judge))), end="\n\n")


if __name__ == "__main__":
    main()
