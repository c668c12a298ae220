"""Ranking quality on public test collections: nDCG@10 of each retriever, of their fusion, and after reranking.

    python bench/retrieval.py --data DATA [--embedder NAME] [--float32] [--reranker NAME] [--cache DIR] [SET ...]

DATA holds the folders `scifact`, `mtrag_govt` and `cranfield`. Every passage becomes a document of one chunk in a
real index, which `--cache` keeps for the next run.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assistant.retrieval import candidates
from corpus.sentences import split_sentences
from corpus.types import Chunk, Document
from embeddings.catalogue import FileRecord
from embeddings.embedder import SentenceTransformerEmbedder, embedder_named
from embeddings.rerank import reranker_named
from embeddings.rows import passage_text
from embeddings.search import Index
from embeddings.types import Embedder, Vectors
from embeddings.view import View
from embeddings.writer import IndexWriter

SETS = {
    "scifact": ("scifact/corpus.jsonl.gz", "scifact/queries.jsonl", "scifact/qrels_test.tsv"),
    "cranfield": ("cranfield/corpus.jsonl", "cranfield/queries.jsonl", "cranfield/qrels.tsv"),
    "govt-rewrite": (
        "mtrag_govt/passages.jsonl",
        "mtrag_govt/queries_rewrite.jsonl",
        "mtrag_govt/qrels_dev.tsv",
    ),
    "govt-last-turn": (
        "mtrag_govt/passages.jsonl",
        "mtrag_govt/queries_lastturn.jsonl",
        "mtrag_govt/qrels_dev.tsv",
    ),
}
CHUNKER = "whole passages"
DEPTH = 10
RRF_K = 60
"""Of reciprocal rank fusion (Cormack et al. 2009)."""


@dataclass(frozen=True, slots=True)
class Collection:
    passages: dict[str, tuple[str, str]]
    """Title and text by id."""
    queries: dict[str, str]
    relevant: dict[str, frozenset[str]]
    """Ids of passages with a grade above 0, by query."""


def collection(data: Path, name: str) -> Collection:
    corpus, queries, judgements = (data / part for part in SETS[name])
    relevant = defaultdict(set)
    for line in judgements.read_text(encoding="utf-8").splitlines()[1:]:
        query, passage, grade = line.split("\t")
        if int(grade) > 0:
            relevant[query].add(passage)
    asked = {row["_id"]: row["text"].removeprefix("|user|: ") for row in _rows(queries)}
    return Collection(
        {row["_id"]: (row["title"], row["text"]) for row in _rows(corpus)},
        {query: asked[query] for query in relevant},
        {query: frozenset(passages) for query, passages in relevant.items()},
    )


def _rows(path: Path) -> Iterator[dict[str, str]]:
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8", newline="\n") as lines:
        yield from map(json.loads, lines)


def build(passages: dict[str, tuple[str, str]], folder: Path, embedder: Embedder) -> float:
    """Makes an index with one document for each passage; returns passages encoded a second."""
    made = []
    for identifier, (title, text) in passages.items():
        document = Document(identifier, identifier, title, None, None, text)
        sentences = tuple(split_sentences(text))
        made.append((document, [Chunk(identifier, 0, len(text), text, sentences=sentences)]))
    with IndexWriter(folder, embedder, CHUNKER) as writer:
        texts = writer.without_vector(passage_text(document.title, chunk) for document, (chunk,) in made)
        started = time.perf_counter()
        writer.keep_vectors(texts, embedder.embed_passages(texts))
        rate = len(texts) / (time.perf_counter() - started)
        if "generation" not in writer.meta():
            keys = writer.stage(made)
            writer.publish(FileRecord.of(document, key) for (document, _), key in zip(made, keys, strict=True))
    return rate


def rankings(view: View, question: str, vector: Vectors, names: NDArray[np.str_]) -> dict[str, list[str]]:
    """Best ids by each way to rank; `names` are the ids of all passages, by row."""
    whole = view.ranking(question, vector, len(names))
    dense = whole.rows[np.argsort(-whole.dense, kind="stable")]
    lexical = whole.rows[np.argsort(-whole.lexical, kind="stable")][: np.count_nonzero(whole.lexical)]
    reciprocal: defaultdict[int, float] = defaultdict(float)
    for ranking in (dense[:100], lexical[:100]):
        for rank, row in enumerate(ranking.tolist(), 1):
            reciprocal[row] += 1 / (RRF_K + rank)
    best = {
        "dense alone": dense,
        "lexical alone": lexical,
        "reciprocal ranks": sorted(reciprocal, key=lambda row: -reciprocal[row]),
        "default": whole.rows,
    }
    return {way: [str(names[row]) for row in rows[:DEPTH]] for way, rows in best.items()}


def ndcg(ranking: Sequence[str], relevant: frozenset[str]) -> float:
    """nDCG@10 with binary gains (Järvelin and Kekäläinen 2002)."""
    gain = sum(1 / np.log2(rank + 1) for rank, passage in enumerate(ranking, 1) if passage in relevant)
    ideal = sum(1 / np.log2(rank + 1) for rank in range(1, min(len(relevant), DEPTH) + 1))
    return float(gain / ideal)


def interval(scores: Sequence[float]) -> tuple[float, float]:
    """95 % bootstrap interval of the mean over queries."""
    draws = np.random.default_rng(0).choice(scores, (2000, len(scores)))
    low, high = np.percentile(draws.mean(axis=1), [2.5, 97.5])
    return float(low), float(high)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("sets", nargs="*", metavar="SET", help=f"all unless named: {', '.join(SETS)}")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--embedder", default="default")
    parser.add_argument("--float32", action="store_true", help="passages too; with a cache folder of its own")
    parser.add_argument("--reranker", default="auto", help="auto, none, or a cross-encoder's name")
    parser.add_argument("--cache", type=Path, help="folder that keeps the indexes")
    arguments = parser.parse_args()
    embedder = embedder_named(arguments.embedder)
    if arguments.float32:
        embedder = SentenceTransformerEmbedder(arguments.embedder, bfloat16=False)
    reranker = reranker_named(arguments.reranker)
    print(f"{'set':<15} {'queries':>7} {'retrieval':<17} {'nDCG@10':>7}  95 % interval")
    with tempfile.TemporaryDirectory() as temporary:
        for name in arguments.sets or SETS:
            tested = collection(arguments.data, name)
            folder = (arguments.cache or Path(temporary)) / Path(SETS[name][0]).parent
            rate = build(tested.passages, folder, embedder)
            print(f"{name}: {len(tested.passages)} passages, {rate:.1f} encoded a second", file=sys.stderr)
            scores: defaultdict[str, list[float]] = defaultdict(list)
            seconds: list[float] = []
            with Index.open(folder, embedder.fingerprint) as index, index.view() as view:
                names = np.array([view.chunk_at(row).document_id for row in range(view.snapshot().chunks)])
                for query, text in tested.queries.items():
                    ways = rankings(view, text, embedder.embed_query(text), names)
                    if reranker is not None:
                        started = time.perf_counter()
                        found = candidates(text, view, embedder, reranker)
                        seconds.append(time.perf_counter() - started)
                        ways["with reranker"] = [c.hit.chunk.document_id for c in found[:DEPTH]]
                    for way, ranking in ways.items():
                        scores[way].append(ndcg(ranking, tested.relevant[query]))
            if seconds:
                print(f"{name}: {np.median(seconds):.2f} s a question with the reranker, median", file=sys.stderr)
            for way, values in scores.items():
                low, high = interval(values)
                print(f"{name:<15} {len(values):>7} {way:<17} {np.mean(values):>7.3f}  {low:.3f} to {high:.3f}")


if __name__ == "__main__":
    main()
