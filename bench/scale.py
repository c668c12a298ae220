"""How search grows: latency, memory and recall with many passages, beside FAISS's flat index and SQLite's FTS5.

    python bench/scale.py --data DATA [--passages 100000] [--cache DIR]

DATA holds the folder `mtrag_govt`. Its passages are encoded once, and as many as asked for are mixed from them: texts
are sentences of two passages, vectors weighted means of three with noise. Figures of ranking on them mean nothing.
"""

from __future__ import annotations

import argparse
import json
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import faiss
import numpy as np
from retrieval import collection

from corpus.types import Chunk, Document
from embeddings.catalogue import FileRecord
from embeddings.embedder import embedder_named
from embeddings.rows import passage_text
from embeddings.search import Index
from embeddings.types import Vectors
from embeddings.writer import IndexWriter

CHUNKER = "mixed passages"
CHUNKS_A_DOCUMENT = 10
AT_ONCE = 2_000
QUESTIONS = 100
NOISE = 0.5


def mixed(
    texts: list[str], vectors: Vectors, count: int
) -> Iterator[tuple[list[tuple[Document, list[Chunk]]], Vectors]]:
    """Documents and the vectors of their chunks, some thousand passages at a time."""
    chance = np.random.default_rng(0)
    halves = [text.split(". ") for text in texts]
    for first in range(0, count, AT_ONCE):
        size = min(AT_ONCE, count - first)
        parts = chance.integers(0, len(texts), (size, 3))
        weights = chance.dirichlet((1.0, 1.0, 1.0), size).astype(np.float32)
        rows = np.einsum("ij,ijk->ik", weights, vectors[parts])
        rows += NOISE * chance.standard_normal(rows.shape, np.float32) / rows.shape[1] ** 0.5
        made = []
        for number in range(0, size, CHUNKS_A_DOCUMENT):
            name = f"paper-{first + number}.txt"
            bodies = []
            for a, b, _ in parts[number : number + CHUNKS_A_DOCUMENT]:
                one, two = halves[a], halves[b]
                bodies.append(
                    ". ".join(one[: len(one) // 2 + 1] + two[len(two) // 2 :])[:900] + f" {first + len(bodies)}"
                )
            text, chunks = "\n\n".join(bodies), []
            at = 0
            for body in bodies:
                chunks.append(Chunk(name, at, at + len(body), body))
                at += len(body) + 2
            made.append((Document(name, name, f"Paper {first + number}", None, None, text), chunks))
        yield made, rows / np.linalg.norm(rows, axis=1, keepdims=True)


def build(folder: Path, data: Path, count: int) -> None:
    embedder = embedder_named()
    texts = [f"{title}\n{text}" for title, text in collection(data, "govt-rewrite").passages.values()]
    vectors = embedder.embed_passages(texts)
    with IndexWriter(folder, embedder, CHUNKER) as writer:
        started = time.perf_counter()
        files = []
        for made, rows in mixed(texts, vectors, count):
            writer.keep_vectors([passage_text(d.title, chunk) for d, chunks in made for chunk in chunks], rows)
            keys = writer.stage(made)
            files += [FileRecord.of(d, k) for (d, _), k in zip(made, keys, strict=True)]
        print(f"catalogue: {time.perf_counter() - started:.0f} s", flush=True)
        started = time.perf_counter()
        writer.publish(files)
        print(f"first publication: {time.perf_counter() - started:.0f} s", flush=True)
        started = time.perf_counter()
        writer.publish(files[1:])
        print(f"publication of a change: {time.perf_counter() - started:.1f} s", flush=True)
    print(f"memory while building: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB", flush=True)
    for path in sorted(folder.iterdir()):
        print(f"  {path.name}: {path.stat().st_size / 1e6:,.0f} MB")


def serve(folder: Path, data: Path) -> None:
    """In a process of its own: opens the index, asks, and prints latencies and memory."""
    started = time.perf_counter()
    embedder = embedder_named()
    embedder.embed_query("ready")
    print(f"query encoder: {time.perf_counter() - started:.2f} s, {memory()}")
    questions = list(collection(data, "govt-rewrite").queries.values())[:QUESTIONS]
    with Index.open(folder, embedder.fingerprint) as index:
        started = time.perf_counter()
        index.search("ready", embedder.embed_query("ready"), 20)
        print(f"open and first search: {time.perf_counter() - started:.2f} s, {memory()}")
        snapshot = index.snapshot()
        median("encode the question", lambda question: embedder.embed_query(question), questions)
        median("question to passages", lambda q: index.search(q, embedder.embed_query(q), 20), questions)
        print(f"{snapshot.chunks:,} passages served: {memory()}")
    with sqlite3.connect(f"file:{folder / 'catalogue.sqlite3'}?mode=ro", uri=True) as catalogue:
        row = catalogue.execute(
            "SELECT details FROM derived WHERE part = 'vectors' ORDER BY generation DESC"
        ).fetchone()
        print(f"dense index: {json.loads(row[0])}")
    catalogue.close()


def baseline(folder: Path, data: Path) -> None:
    """FAISS's flat index in float32 and FTS5, with the same passages and questions."""
    embedder = embedder_named()
    questions = list(collection(data, "govt-rewrite").queries.values())[:QUESTIONS]
    with sqlite3.connect(folder / "catalogue.sqlite3") as catalogue, sqlite3.connect(":memory:") as lexical:
        flat = faiss.IndexFlatIP(embedder.dimension)
        lexical.execute("CREATE VIRTUAL TABLE t USING fts5(body, content='', tokenize='porter unicode61')")
        rows = catalogue.execute("SELECT text, vector FROM chunks JOIN vectors USING (vector_key)")
        while batch := rows.fetchmany(10_000):
            lexical.executemany("INSERT INTO t (body) VALUES (?)", ((text,) for text, _ in batch))
            flat.add(np.frombuffer(b"".join(vector for _, vector in batch), "<f4").reshape(len(batch), -1))
        vectors = {question: embedder.embed_query(question) for question in questions}
        median("flat index alone", lambda question: flat.search(vectors[question], 256), questions)
        match = "SELECT rowid, bm25(t) FROM t WHERE t MATCH ?"
        median(
            "FTS5 alone",
            lambda question: lexical.execute(
                match, (" OR ".join(f'"{w}"' for w in question.split() if w.isalnum()),)
            ).fetchall(),
            questions,
        )
    catalogue.close()


def median(name: str, call: Callable[[str], object], questions: list[str]) -> None:
    seconds = []
    for question in questions:
        started = time.perf_counter()
        call(question)
        seconds.append(time.perf_counter() - started)
    ordered = sorted(seconds)
    print(
        f"{name}: median {1e3 * statistics.median(ordered):.1f} ms, "
        f"95th {1e3 * ordered[len(ordered) * 95 // 100]:.1f} ms"
    )


def memory() -> str:
    """Resident memory of this process: its own, and pages of files it has mapped."""
    fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    own, mapped = (int(fields[name].split()[0]) / 1024 for name in ("RssAnon", "RssFile"))
    return f"{own + mapped:,.0f} MB resident ({own:,.0f} own, {mapped:,.0f} mapped)"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--passages", type=int, default=100_000)
    parser.add_argument("--cache", type=Path, help="folder that keeps the index")
    parser.add_argument("--step", choices=("build", "serve", "baseline"), help="one step alone")
    arguments = parser.parse_args()
    steps = {
        "build": lambda f: build(f, arguments.data, arguments.passages),
        "serve": lambda f: serve(f, arguments.data),
    }
    steps["baseline"] = lambda f: baseline(f, arguments.data)
    if arguments.step:
        steps[arguments.step](arguments.cache)
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = (arguments.cache or Path(temporary)) / str(arguments.passages)
        for step in ("build", "serve", "baseline"):
            if step == "build" and (folder / "catalogue.sqlite3").exists():
                continue
            command = [sys.executable, __file__, "--data", arguments.data, "--cache", folder, "--step", step]
            subprocess.run([*map(str, command), "--passages", str(arguments.passages)], check=True)


if __name__ == "__main__":
    main()
