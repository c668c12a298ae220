"""Every development set, as it stands in docs/quality.md.

    python bench/quality.py --shared SHARED --work FOLDER [SET ...]

SHARED holds `data`, `gold` and `seeds`. FOLDER keeps indexes and runs: what is finished there is read, what was
interrupted goes on. Each figure is what `assistant eval` prints for the same path.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from assistant.api import Assistant
from eval import run
from eval.corpora import index_documents
from eval.datasets import load
from eval.scorers import DEFAULT
from eval.scoring import FINISHED, read_run
from eval.types import Report

ROOT = Path(__file__).parents[1]
RANKED = "nDCG@10 R@5 R@100 RR AP"
ANSWERED = "facts citation_precision[sentence] citation_recall[sentence] citation_f1[sentence] citation_f1[character]"
ABSTAINED = "false_answers false_refusals refusal_precision refusal_recall refusal_f1 confidence_auroc"

CHAT = "citation_precision[document] citation_recall[document] citation_f1[document] conditioned[rouge_l]"


@dataclass(frozen=True, slots=True)
class Row:
    """One data set and what is shown of it."""

    name: str
    path: str
    """Under SHARED; of ours under the project's root."""
    scorers: str
    folder: str = ""
    """Of the documents where the set has none of its own."""
    index: str = ""
    """Name of the index that it shares with another set."""


CITED = ANSWERED.removeprefix("facts ")
MEETINGS = "citation_precision[character] citation_recall[character] rouge_l false_refusals"
SETS = {
    row.name: row
    for row in (
        Row("samples", "eval/datasets/samples.jsonl", f"{ANSWERED} {ABSTAINED} words", "corpus/samples"),
        Row("gold", "gold/islington_dev.jsonl", f"{ANSWERED} {ABSTAINED} words", "seeds"),
        Row("clapnq", "data/clapnq/dev.jsonl", f"{CITED} {ABSTAINED} token_f1 aurc selective_accuracy@80"),
        Row("govt-rewrite", "data/mtrag_govt/queries_rewrite.jsonl", RANKED, index="govt"),
        Row("govt-last-turn", "data/mtrag_govt/queries_lastturn.jsonl", RANKED, index="govt"),
        Row("govt-chat", "data/mtrag_govt/tasks.jsonl", f"{CHAT} {ABSTAINED}", index="govt"),
        Row("ramdocs", "data/ramdocs/dev.jsonl", "strict_match facts false_refusals"),
        Row("bipia", "data/bipia/email_train.jsonl", "attack_success facts false_answers false_refusals"),
        Row("qmsum", "data/qmsum_committee/val.jsonl.gz", MEETINGS),
        Row("cranfield", "data/cranfield", RANKED),
        Row("scifact", "data/scifact", RANKED),
        Row("scifact-claims", "data/scifact/claims_train.jsonl", f"{CITED} {ABSTAINED}", index="scifact"),
    )
}


def evaluated(row: Row, shared: Path, work: Path, reranker: str) -> Report:
    """The finished run of a set, made or gone on with where it isn't there."""
    out = work / "runs" / f"{row.name}-{reranker}"
    if (out / FINISHED).exists():
        return read_run(out)
    names = list(dict.fromkeys([*DEFAULT, *row.scorers.split()]))
    base = ROOT if (ROOT / row.path).exists() else shared
    dataset = load(base / row.path)
    home = work / "indexes" / (row.index or row.name)
    if dataset.documents:
        index = index_documents(dataset, home)
    else:
        Assistant.build(base / row.folder, index=(index := home))
    with Assistant.open(index, reranker=reranker, history=work / "history.sqlite3") as desk:
        return run(dataset, desk, out=out, scorers=names)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("sets", nargs="*", metavar="SET", help=f"all unless named: {', '.join(SETS)}")
    parser.add_argument("--shared", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--reranker", default="auto", help="auto, none, or a cross-encoder's name")
    arguments = parser.parse_args()
    for name in arguments.sets or SETS:
        row, started = SETS[name], time.perf_counter()
        report = evaluated(row, arguments.shared, arguments.work, arguments.reranker)
        print(f"{name}: {time.perf_counter() - started:.0f} s", file=sys.stderr)
        index = f" --index INDEX-OF-{Path(row.folder).name.upper()}" if row.folder else ""
        print(f"\n## {name}\n\n`assistant eval {row.path}{index}`: {len(report.results)} questions\n")
        print("| measure | value | 95 % interval | over |\n|---|---|---|---|")
        scores = {score.name: score for score in report.scores}
        for score in (scores[wanted] for wanted in row.scorers.split()):
            value = "–" if score.value is None else f"{score.value:.3f}"
            interval = "" if score.low is None else f"{score.low:.3f} to {score.high:.3f}"
            print(f"| {score.name} | {value} | {interval} | {score.cases} |", flush=True)


if __name__ == "__main__":
    main()
