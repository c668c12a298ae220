"""The dense index against brute force: exact in half precision, lists at their recall, filters, changes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from embeddings import vectors
from embeddings.derived import DerivedFile
from embeddings.vectors import DenseIndex

COUNT, DIMENSION = 6_000, 48
NEAREST = 10


@pytest.fixture(scope="module")
def rows() -> np.ndarray:
    chance = np.random.default_rng(3)
    centres = chance.standard_normal((60, DIMENSION))
    made = centres[chance.integers(0, 60, COUNT)] + 0.8 * chance.standard_normal((COUNT, DIMENSION))
    return (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def chunks() -> np.ndarray:
    return np.sort(np.random.default_rng(4).choice(9 * COUNT, COUNT, replace=False)).astype(np.int64)


def batches(chunks: np.ndarray, rows: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for first in range(0, len(rows), 1_000):
        yield chunks[first : first + 1_000], rows[first : first + 1_000]


def on_disk(folder: Path, index: object, details: dict[str, object], chunks: np.ndarray) -> DenseIndex:
    path = folder / "index.faiss"
    with path.open("wb") as file:
        vectors.write(file, index)
    return vectors.load(held(path), details, chunks)


def held(path: Path) -> DerivedFile:
    return DerivedFile(path, os.open(path, os.O_RDONLY))


def test_a_file_that_is_deleted_while_it_is_opened_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "index.faiss"
    path.touch()
    opened = held(path)
    path.unlink()
    with pytest.raises(FileNotFoundError, match="deleted while it was opened"):
        vectors.load(opened, {"kind": "exact"}, np.zeros(0, np.int64))


@pytest.fixture(scope="module", params=["exact", "lists"])
def dense(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, rows, chunks) -> DenseIndex:
    if request.param == "exact":
        made = vectors.exact(DIMENSION, batches(chunks, rows))
    else:
        made = vectors.lists(DIMENSION, COUNT, rows[: vectors.sample_size(COUNT)], batches(chunks, rows))
        assert made[1]["recall"] >= vectors.RECALL
    return on_disk(tmp_path_factory.mktemp("dense"), *made, chunks)


def test_the_nearest_are_found(dense: DenseIndex, rows: np.ndarray) -> None:
    queries = rows[::97] + 0.3 * rows[1::97][: len(rows[::97])]
    shared = []
    for query in queries / np.linalg.norm(queries, axis=1, keepdims=True):
        cosines = rows @ query
        found, scores = dense.nearest(query[None], 2 * NEAREST)
        assert scores == pytest.approx(cosines[found], abs=5e-3)
        shared.append(len({*found.tolist()} & {*np.argsort(-cosines)[:NEAREST].tolist()}) / NEAREST)
    assert np.mean(shared) >= vectors.RECALL


def test_a_filter_gives_as_many_as_it_allows(dense: DenseIndex, rows: np.ndarray) -> None:
    allowed = np.zeros(COUNT, np.bool_)
    allowed[::1_000] = True
    found, _ = dense.nearest(rows[5:6], NEAREST, allowed)
    assert sorted(found.tolist()) == np.flatnonzero(allowed).tolist()
    assert dense.nearest(rows[5:6], NEAREST, np.zeros(COUNT, np.bool_))[0].tolist() == []


def test_scores_of_chosen_rows(dense: DenseIndex, rows: np.ndarray) -> None:
    chosen = np.array([7, 3, 900, 5_999])
    assert dense.scores(rows[:1], chosen) == pytest.approx(rows[chosen] @ rows[0], abs=5e-3)


def test_lists_are_carried_over_with_changes(tmp_path: Path, rows, chunks) -> None:
    index, details = vectors.lists(DIMENSION, COUNT, rows, batches(chunks, rows))
    on_disk(tmp_path, index, details, chunks)
    file = held(tmp_path / "index.faiss")
    added = np.array([chunks[-1] + 5])
    few = vectors.carried(file, details, COUNT - 4, chunks[:5], [(added, rows[:1])])
    assert few is None  # so few are searched exactly
    carried = vectors.carried(file, details, COUNT - 4, chunks[:5], [(added, rows[:1])], most_exact=100)
    assert carried is not None
    now = np.append(chunks[5:], added)
    dense = on_disk(tmp_path, *carried, now)
    found, _ = dense.nearest(rows[:1], 1)
    assert now[found].tolist() == added.tolist()
    assert len(dense) == COUNT - 4
    assert vectors.carried(file, details, 3 * COUNT, chunks[:0], [], most_exact=100) is None
