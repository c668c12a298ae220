"""The dense index: exact up to `EXACT` passages, inverted lists above; derived from the catalogue's vectors."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterable, Mapping
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from embeddings.derived import DerivedFile
from embeddings.types import Mask, Rows, Vectors

Batches = Iterable[tuple[Rows, Vectors]]
"""Chunk ids, ascending, and their vectors."""

EXACT = 200_000
"""Passages up to which every one is compared."""
RECALL = 0.98
"""Least recall@10 against exact search that a larger index is tuned to."""
_TRAINING = 40
"""Vectors for the centre of each list."""
_PROBES = 200
"""Passages whose nearest neighbours measure the recall."""
_NEIGHBOURS = 10
_PROBED = 1024
"""Most passages that are looked for in the nearest lists only."""
_OUTGROWN = 2
"""Times the passages that the lists were made for, at which they are made again."""


class DenseIndex:
    """Passages nearest to a question by cosine; a row is a passage's place in order of chunk id."""

    def __init__(self, index: Any, chunks: Rows, file: DerivedFile | None = None) -> None:
        self._index = index
        self._chunks = chunks
        self._file = file  # held as long as it is mapped

    def nearest(self, query: Vectors, limit: int, allowed: Mask | None = None) -> tuple[Rows, NDArray[np.float64]]:
        """At most `limit` rows, best first, and their cosines.

        Args:
            query: shape (1, dimension), unit length.
            allowed: shape (rows,): those that may be returned.
        """
        limit = min(limit, len(self._chunks) if allowed is None else int(allowed.sum()))
        if limit < 1:
            return np.zeros(0, np.int64), np.zeros(0, np.float64)
        import faiss  # deferred: .2 seconds, and the first screen must not wait for it

        faiss.omp_set_num_threads(1)  # waking a second one takes longer than it saves
        scores, found = self._index.search(query, limit, params=self._parameters(allowed, limit))
        kept = found[0] >= 0
        rows = np.searchsorted(self._chunks, found[0][kept]) if self._lists else found[0][kept]
        return rows, scores[0][kept].astype(np.float64)

    def scores(self, query: Vectors, rows: Rows) -> NDArray[np.float64]:
        """Cosines of these rows, as precise as the index keeps them."""
        if not self._lists:
            return cosines(self.vectors(rows), query)
        allowed = np.zeros(len(self._chunks), np.bool_)
        allowed[rows] = True
        found, scores = self.nearest(query, len(rows), allowed)
        by_row = dict(zip(found.tolist(), scores.tolist(), strict=True))
        return np.array([by_row[row] for row in rows.tolist()])

    def __len__(self) -> int:
        return int(self._index.ntotal)

    @property
    def dimension(self) -> int:
        return int(self._index.d)

    @property
    def is_exact(self) -> bool:
        """Whether every passage is compared, and its vector can be given back."""
        return not self._lists

    def vectors(self, rows: Rows) -> Vectors:
        """Shape (len(rows), dimension), of an exact index."""
        return np.asarray(self._index.reconstruct_batch(rows), np.float32)

    @property
    def _lists(self) -> int:
        """Number of inverted lists; 0 for an exact index."""
        return int(getattr(self._index, "nlist", 0))

    def _parameters(self, allowed: Mask | None, limit: int) -> Any:
        import faiss  # deferred: as above

        selector = None
        if allowed is not None:
            held = allowed
            if self._lists:
                held = np.zeros(int(self._chunks[-1]) + 1, np.bool_)
                held[self._chunks[allowed]] = True
            selector = faiss.IDSelectorBitmap(np.packbits(held, bitorder="little"))
        if not self._lists:
            return faiss.SearchParameters(sel=selector)
        # A filter leaves fewer passages in each list, and for many the probed ones aren't enough: all lists are read.
        probes = self._lists if allowed is not None or limit > _PROBED else self._index.nprobe
        return faiss.SearchParametersIVF(sel=selector, nprobe=probes)


def cosines(rows: Vectors, query: Vectors) -> NDArray[np.float64]:
    """Of unit vectors; without BLAS, whose threads wait on a core for the next product and take it from FAISS's."""
    return np.asarray(np.einsum("ij,j->i", rows, query[0]), np.float64)


def load(file: DerivedFile, details: Mapping[str, Any], chunks: Rows) -> DenseIndex:
    """Maps the file into memory: its pages are read when a search needs them."""
    import faiss  # deferred: as above

    lists = details["kind"] == "lists"
    flags = faiss.IO_FLAG_MMAP | faiss.IO_FLAG_READ_ONLY if lists else faiss.IO_FLAG_MMAP_IFC
    try:
        index = faiss.read_index(str(file.path), flags)
    except RuntimeError as error:  # it was whole when it was opened
        raise FileNotFoundError(errno.ENOENT, "a file was deleted while it was opened", str(file.path)) from error
    if lists:
        index.nprobe = details["probes"]
    return DenseIndex(index, chunks, file)


def write(file: IO[bytes], index: Any) -> None:
    """Streams FAISS's format; the system's errors come through."""
    import faiss  # deferred: as above

    failed: list[OSError] = []

    def put(content: bytes) -> int:
        try:
            return file.write(content)
        except OSError as error:
            failed.append(error)
            return 0

    try:
        faiss.write_index(index, faiss.PyCallbackIOWriter(put))
    except RuntimeError:
        if failed:
            raise failed[0] from None
        raise
    if failed:
        raise failed[0]


def exact(dimension: int, batches: Batches) -> tuple[Any, dict[str, Any]]:
    """An index of all vectors in half precision: cosines to .0001, and the best are compared again exactly."""
    import faiss  # deferred: as above

    index = faiss.IndexScalarQuantizer(dimension, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)
    for _, rows in batches:
        index.add(rows)
    return index, {"kind": "exact"}


def lists(dimension: int, count: int, sample: Vectors, batches: Batches) -> tuple[Any, dict[str, Any]]:
    """Inverted lists of vectors in a byte a dimension, probed as deep as `RECALL` asks for.

    Args:
        count: vectors in `batches`.
        sample: of them, shape (n, dimension): trains the lists' centres; some of its rows measure the recall.
    """
    import faiss  # deferred: as above

    started = time.perf_counter()
    faiss.omp_set_num_threads(os.cpu_count() or 1)
    nlist = list_count(count)
    centres = faiss.IndexFlatIP(dimension)
    index = faiss.IndexIVFScalarQuantizer(
        centres, dimension, nlist, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT, False
    )
    index.cp.niter, index.cp.spherical = 8, True
    index.train(sample)
    probes = sample[:: max(1, len(sample) // _PROBES)][:_PROBES]
    best: list[tuple[NDArray[np.float32], NDArray[np.int64]]] = []
    for ids, rows in batches:
        index.add_with_ids(rows, ids)
        similarity = probes @ rows.T
        top = np.argpartition(-similarity, min(_NEIGHBOURS, len(ids)) - 1, axis=1)[:, :_NEIGHBOURS]
        best.append((np.take_along_axis(similarity, top, 1), ids[top]))
    scores, ids = (np.concatenate(columns, axis=1) for columns in zip(*best, strict=True))
    nearest = np.take_along_axis(ids, np.argsort(-scores, axis=1, kind="stable")[:, :_NEIGHBOURS], 1)
    index.nprobe, recall = 4, 0.0
    while recall < RECALL and index.nprobe < nlist:
        index.nprobe = min(index.nprobe * 2, nlist)
        _, found = index.search(probes, 2 * _NEIGHBOURS)  # of which a search takes the best by their exact vectors
        recall = float(np.mean([len(set(a) & set(b)) / _NEIGHBOURS for a, b in zip(found, nearest, strict=True)]))
    seconds = round(time.perf_counter() - started, 1)
    details = {"kind": "lists", "lists": nlist, "probes": index.nprobe, "recall": round(recall, 4)}
    return index, {**details, "made_for": count, "seconds": seconds}


def list_count(count: int) -> int:
    """Four times the square root, FAISS's own advice."""
    return int(4 * count**0.5)


def sample_size(count: int) -> int:
    """Vectors that `lists` wants."""
    return min(count, _TRAINING * list_count(count))


def carried(
    file: DerivedFile,
    details: Mapping[str, Any],
    count: int,
    gone: NDArray[np.int64],
    added: Batches,
    *,
    most_exact: int = EXACT,
) -> tuple[Any, dict[str, Any]] | None:
    """The lists of an older generation with changes; None where they were made for far fewer vectors."""
    import faiss  # deferred: as above

    if details["kind"] != "lists" or not most_exact < count <= _OUTGROWN * details["made_for"]:
        return None
    index = faiss.read_index(str(file.path))
    if len(gone):
        held = np.zeros(int(gone.max()) + 1, np.bool_)
        held[gone] = True
        index.remove_ids(faiss.IDSelectorBitmap(np.packbits(held, bitorder="little")))
    for ids, rows in added:
        index.add_with_ids(rows, ids)
    return index, dict(details)
