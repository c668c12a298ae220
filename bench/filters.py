"""Filtered search: recall against brute force, and how long it takes beside a search without a filter.

    python bench/filters.py --data DATA [--passages 100000] [--cache DIR]

DATA holds the folder `mtrag_govt`, whose passages are mixed as in `bench/scale.py`, with hashed vectors: no model runs.
Of its documents one in 2, 10, 100 and 1000 is for a group, and has a tag, of that name.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
from retrieval import collection
from scale import CHUNKER, mixed

from corpus.labels import Labels
from corpus.types import Chunk, Document
from embeddings.catalogue import FileRecord
from embeddings.hashing import HashingEmbedder
from embeddings.rows import passage_text
from embeddings.search import Index
from embeddings.types import Vectors, Where
from embeddings.view import View
from embeddings.writer import IndexWriter

EMBEDDER = HashingEmbedder(384)
SHARES = (2, 10, 100, 1000)
QUESTIONS, LIMIT = 60, 10
Batches = Iterable[tuple[list[tuple[Document, list[Chunk]]], Vectors]]


def build(folder: Path, batches: Batches) -> None:
    files: list[FileRecord] = []
    with IndexWriter(folder, EMBEDDER, CHUNKER) as writer:
        for made, rows in batches:
            writer.keep_vectors([passage_text(d.title, chunk) for d, chunks in made for chunk in chunks], rows)
            for (document, _), key in zip(made, writer.stage(made), strict=True):
                files.append(replace(FileRecord.of(document, key), labels=labels(document)))
        writer.publish(files)


def labels(document: Document) -> Labels:
    """Its shares, and one of a thousand tags, each of which a tenth of a percent of the documents have."""
    number = int("".join(filter(str.isdigit, document.path))) // 10
    names = tuple(f"one in {share}" for share in SHARES if not number % share)
    return Labels((*names, f"tag {number % 1000}"), names)


def only(batches: Batches, name: str) -> Batches:
    """The documents for a group, with their vectors."""
    for made, rows in batches:
        ends = np.cumsum([0, *(len(chunks) for _, chunks in made)])
        held = [number for number, (document, _) in enumerate(made) if name in labels(document).audience]
        if held:
            kept = np.concatenate([np.arange(ends[number], ends[number + 1]) for number in held])
            yield [made[number] for number in held], rows[kept]


def best(view: View, question: str, where: Where | None) -> list[str]:
    return [hit.chunk.id for hit in view.search(question, EMBEDDER.embed_query(question), LIMIT, where)]


def nearest(view: View, question: str, where: Where | None) -> list[float]:
    """The highest cosines that a search looks at."""
    ranking = view.ranking(question, EMBEDDER.embed_query(question), LIMIT, where)
    return np.sort(ranking.dense)[::-1][:LIMIT].tolist()


def recall(index: Index, questions: list[str], share: int, batches: Batches) -> None:
    """Against an index that holds nothing but what the filter admits, each of whose passages is compared."""
    name = f"one in {share}"
    vectors = np.concatenate([rows for _, rows in only(batches, name)])
    with tempfile.TemporaryDirectory() as alone:
        build(Path(alone), only(batches, name))
        with Index.open(alone) as fresh, fresh.view() as held:
            for kind, where, audience in (("tag", Where(tags=(name,)), None), ("audience", None, frozenset({name}))):
                fused, cosine = 0, 0
                with index.view(audience) as view:
                    for question in questions:
                        fused += len({*best(view, question, where)} & {*best(held, question, None)})
                        exact = np.sort(vectors @ EMBEDDER.embed_query(question)[0])[::-1][:LIMIT]
                        cosine += sum(np.abs(np.array(nearest(view, question, where)) - exact) < 1e-3)
                total = LIMIT * len(questions)
                print(f"{name} by {kind}: recall@10 of fused ranking {fused / total:.4f}, cosine {cosine / total:.4f}")


def timed(call: Callable[[str], object], question: str) -> float:
    started = time.perf_counter()
    call(question)
    return time.perf_counter() - started


def speed(index: Index, questions: list[str]) -> None:
    """Side by side, question by question."""

    def search(where: Where | None, audience: frozenset[str] | None) -> Callable[[str], object]:
        def call(question: str) -> object:
            with index.view(audience) as view:
                return best(view, question, where)

        return call

    plain = search(None, None)
    plain("ready")
    for share in SHARES:
        name = f"one in {share}"
        for kind, call in (("tag", search(Where(tags=(name,)), None)), ("audience", search(None, frozenset({name})))):
            first = timed(call, questions[0])
            pairs = [(timed(plain, question), timed(call, question)) for question in questions]
            report(f"{name} by {kind}", pairs, f"; the first time {1e3 * first:.1f} ms")
    pairs = [
        (timed(plain, question), timed(search(Where(tags=(f"tag {number}",)), None), question))
        for number, question in enumerate(questions)
    ]
    report("one in 1000, each time another tag, for the first time", pairs)


def report(what: str, pairs: list[tuple[float, float]], more: str = "") -> None:
    plain, filtered = (1e3 * statistics.median(column) for column in zip(*pairs, strict=True))
    print(f"{what}: {filtered:.1f} ms, unfiltered {plain:.1f} ms, ratio {filtered / plain:.2f}{more}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--passages", type=int, default=100_000)
    parser.add_argument("--cache", type=Path, help="folder that keeps the index")
    options = parser.parse_args()
    held = collection(options.data, "govt-rewrite")
    texts = [f"{title}\n{text}" for title, text in held.passages.values()]
    vectors = EMBEDDER.embed_passages(texts)
    questions = list(held.queries.values())[:QUESTIONS]
    with tempfile.TemporaryDirectory() as temporary:
        folder = (options.cache or Path(temporary)) / f"filters-{options.passages}"
        if not (folder / "catalogue.sqlite3").exists():
            build(folder, mixed(texts, vectors, options.passages))
        with Index.open(folder) as index:
            speed(index, questions)
            for share in (1000, 100, 10):
                recall(index, questions, share, list(mixed(texts, vectors, options.passages)))


if __name__ == "__main__":
    main()
