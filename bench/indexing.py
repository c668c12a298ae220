"""Indexing speed: passages a second against the encoder alone, and what a run over unchanged files costs.

    python bench/indexing.py --data DATA [--files 5000] [--sample 400] [--rounds 3]

DATA holds the folder `scifact`; each abstract becomes a text file. The rates are of the first `--sample` files with
the models loaded, by turns: `SentenceTransformer.encode` in float32 by batches of 32, on some 512 of the passages;
our encoder alone; `build_index`. Each encodes in a second thread, since OpenMP on a busy machine wastes less there than
in the first. The runs over `--files` files are whole processes; their index has placeholders for vectors.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from sentence_transformers import SentenceTransformer

from embeddings.build import build_index
from embeddings.embedder import SentenceTransformerEmbedder
from embeddings.types import Embedder, Vectors

RUN = """
import sys
from assistant import Assistant
report = Assistant.build(sys.argv[1], index=sys.argv[2])
models = {"torch", "onnxruntime", "faiss"} & sys.modules.keys()
print(f"{report.changed} changed, {report.embedded} passages embedded; imported: {sorted(models)}")
"""


class Placeholders:
    """Keeps the passages it is given and embeds none of them."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self.name, self.fingerprint = embedder.name, embedder.fingerprint
        self.dimension, self.max_tokens = embedder.dimension, embedder.max_tokens
        self.passages: list[str] = []

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        self.passages += texts
        rows = np.random.default_rng(len(self.passages)).normal(size=(len(texts), self.dimension))
        unit: Vectors = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
        return unit

    def embed_query(self, text: str) -> Vectors:
        return self._embedder.embed_query(text)


def write_files(data: Path, folder: Path, count: int) -> None:
    """The first abstracts, each a text file changed a day ago."""
    folder.mkdir()
    yesterday = time.time() - 86_400
    with gzip.open(data / "scifact" / "corpus.jsonl.gz", "rt", encoding="utf-8", newline="\n") as lines:
        for row, _ in zip(map(json.loads, lines), range(count), strict=False):
            path = folder / f"{row['_id']}.txt"
            path.write_text(f"{row['title']}\n\n{row['text']}\n", encoding="utf-8")
            os.utime(path, (yesterday, yesterday))


def seconds(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    with ThreadPoolExecutor(1) as second:
        second.submit(call).result()
    return time.perf_counter() - started


def rates(folder: Path, work: Path, embedder: SentenceTransformerEmbedder, rounds: int) -> None:
    recorder = Placeholders(embedder)
    build_index([folder], work / "recorded", recorder)
    texts = recorder.passages
    sample = texts[:: max(1, len(texts) // 512)]
    plain = SentenceTransformer(str(embedder.folder), device="cpu")
    plain.encode(sample[:32])
    embedder.embed_passages(texts[:256])
    ways: dict[str, tuple[int, Callable[[int], object]]] = {
        "SentenceTransformer.encode": (len(sample), lambda _: plain.encode(sample, batch_size=32)),
        "encoder alone": (len(texts), lambda _: embedder.embed_passages(texts)),
        "build_index": (len(texts), lambda turn: build_index([folder], work / f"built-{turn}", embedder)),
    }
    print(f"{len(texts)} passages of {len(list(folder.iterdir()))} files; {len(sample)} of them for the first row")
    measured: dict[str, list[float]] = {way: [] for way in ways}
    for turn in range(rounds):
        for way, (count, call) in ways.items():
            measured[way].append(count / seconds(lambda call=call, turn=turn: call(turn)))  # type: ignore[misc]
    for way, values in measured.items():
        ratios = (
            statistics.median(value / other for value, other in zip(values, measured[beside], strict=True))
            for beside in list(ways)[:2]
        )
        shown = ", ".join(f"{value:.1f}" for value in values)
        print(f"{way:<27} {shown} passages a second; median ratio {' and '.join(f'{r:.2f}' for r in ratios)}")


def whole_runs(folder: Path, index: Path, embedder: Embedder) -> None:
    placeholders = Placeholders(embedder)
    taken = seconds(lambda: build_index([folder], index, placeholders))
    print(f"reading and storing {len(list(folder.iterdir()))} files alone: {taken:.1f} s")
    command = [sys.executable, "-c", RUN, str(folder), str(index)]
    for what in ("unchanged", "unchanged", "one edited", "unchanged"):
        if what == "one edited":
            path = next(folder.iterdir())
            path.write_text(path.read_text(encoding="utf-8") + "\nA sentence was added to this abstract.\n", "utf-8")
        started = time.perf_counter()
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        print(f"{what}: {time.perf_counter() - started:.2f} s, whole process: {done.stdout.strip()}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--files", type=int, default=5000)
    parser.add_argument("--sample", type=int, default=400, help="files for the rates")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    embedder = SentenceTransformerEmbedder()
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        write_files(arguments.data, work / "files", arguments.files)
        whole_runs(work / "files", work / "index", embedder)
        write_files(arguments.data, work / "sample", arguments.sample)
        rates(work / "sample", work, embedder, arguments.rounds)


if __name__ == "__main__":
    main()
