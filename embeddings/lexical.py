"""The lexical index: an inverted index with positions in one file of arrays, BM25 over all passages, phrases."""

from __future__ import annotations

import functools
import hashlib
import itertools
import json
import mmap
import os
import re
import tempfile
import unicodedata
from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from embeddings.types import Mask, Rows

VERSION = 1
"""Raised whenever the same texts would give another file."""
K1, B = 0.9, 0.5
"""Of BM25 (Robertson and Zaragoza 2009); docs/decisions/retrieval.md has how they were chosen."""
_HEADING_WEIGHT = 2
"""Times that title and headings count."""
_WORD = re.compile(r"[^\W_]+")
_MAX_TERMS = 256
"""Distinct words of a question that are looked up."""
_MAX_WORDS = 0xFFFE
"""Of a passage: a position takes two bytes."""
_HEADER = 2048
"""Bytes before the arrays: safetensors' header, padded."""
_ARRAYS: dict[str, tuple[str, str]] = {
    "rows": ("I32", "<i4"),
    "frequencies": ("U16", "<u2"),
    "positions": ("U16", "<u2"),
    "chunks": ("I64", "<i8"),
    "documents": ("I64", "<i8"),
    "lengths": ("I32", "<i4"),
    "distinct": ("I32", "<i4"),
    "terms": ("U64", "<u8"),
    "starts": ("I64", "<i8"),
    "places": ("I64", "<i8"),
}
"""Safetensors' and NumPy's names of the types.

rows, frequencies: a posting each, by term and row; positions: of every word, by term, row and place.
chunks, documents: keys in the catalogue by row; lengths, distinct: words and different words by row.
terms: hashes of stems, ascending; starts, places: where the postings and the positions of each begin, and the end.
"""
_LARGE = ("rows", "frequencies", "positions")
"""These stay on disk until a term is looked up; the others are read when the index is opened."""
_STOPWORDS = frozenset(
    """
    a about after all also an and any are as at be been before but by can could did do does for from had
    has have he her his how i if in into is it its me my of on or our she should so such than that the
    their them then there these they this those to us was we were what when where which while who whom
    whose why will with would you your
    """.split()
)


@dataclass(frozen=True, slots=True)
class Passage:
    """What of a chunk is indexed."""

    chunk_id: int
    document_key: int
    heading: str
    text: str


def question_terms(question: str) -> list[str]:
    """The question's distinct words in order, without stopwords unless nothing else is left."""
    found = list(dict.fromkeys(words(question)))
    return ([word for word in found if word not in _STOPWORDS] or found)[:_MAX_TERMS]


def words(text: str) -> list[str]:
    """Letters and digits, folded, without accents."""
    folded = text.casefold()
    if not folded.isascii():
        folded = "".join(c for c in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(c))
    return _WORD.findall(folded)


def stems(text: str) -> set[int]:
    """Of all its words, as `LexicalIndex.weights` names them."""
    return set(map(_term, words(text)))


@functools.lru_cache(1 << 17)
def _term(word: str) -> int:
    """64 bits of a word's stem: among a million stems two agree with a probability of 3e-8."""
    import snowballstemmer  # deferred: .05 seconds

    stem = snowballstemmer.stemmer("porter").stemWord(word)  # a new one: it keeps the word, whatever the thread
    return int.from_bytes(hashlib.blake2b(stem.encode(errors="surrogatepass"), digest_size=8).digest(), "little")


class LexicalIndex:
    """Searches the arrays of one generation; a row is a passage's place in order of chunk id."""

    def __init__(self, arrays: Mapping[str, NDArray[Any]], file: object = None) -> None:
        """`file`: held as long as the arrays are mapped from it."""
        self.arrays = arrays
        self._file = file
        self._lengths = arrays["lengths"].astype(np.float32)
        _, self._document_of = np.unique(arrays["documents"], return_inverse=True)

    def __len__(self) -> int:
        return len(self.arrays["chunks"])

    @property
    def chunks(self) -> Rows:
        """Chunk ids by row, ascending."""
        return np.asarray(self.arrays["chunks"], np.int64)

    @property
    def documents(self) -> Rows:
        """Document keys by row."""
        return np.asarray(self.arrays["documents"], np.int64)

    def bm25(self, question: str, allowed: Mask | None = None) -> NDArray[np.float32]:
        """Shape (rows,): sum over the question's terms, idf as in Lucene; 0 where none occurs.

        Args:
            allowed: rows that may be returned; the others influence nothing, not even idf.
        """
        scores = np.zeros(len(self), np.float32)
        count = len(self) if allowed is None else int(allowed.sum())
        if not count:
            return scores
        mean = float(self._lengths.mean() if allowed is None else self._lengths[allowed].mean())
        for term in dict.fromkeys(map(_term, question_terms(question))):
            rows, frequencies = self._postings(term, allowed)
            idf = np.float32(np.log1p((count - len(rows) + 0.5) / (len(rows) + 0.5)))
            tf = frequencies.astype(np.float32)
            norm = np.float32(K1 * (1 - B)) + np.float32(K1 * B / mean) * self._lengths[rows]
            scores[rows] += idf * tf * np.float32(K1 + 1) / (tf + norm)
        return scores

    def weights(self, question: str, allowed: Mask | None = None) -> dict[int, float]:
        """ln(N / df) of the question's stems that occur: what finding one in a text is worth."""
        total = len(self) if allowed is None else int(allowed.sum())
        counts = {term: len(self._postings(term, allowed)[0]) for term in map(_term, question_terms(question))}
        return {term: float(np.log(total / count)) for term, count in counts.items() if count}

    def rows_with(self, phrase: str, allowed: Mask | None = None) -> NDArray[np.int32]:
        """Rows with these words, stemmed, side by side in heading or text; ascending."""
        terms = [_term(word) for word in words(phrase)]
        if len(terms) < 2:
            return self._postings(terms[0], allowed)[0] if terms else np.zeros(0, np.int32)
        places = sorted((self._places(term) - offset for offset, term in enumerate(terms)), key=len)
        found = places[0]
        for others in places[1:]:
            at = np.searchsorted(others, found)
            found = found[others[np.minimum(at, len(others) - 1)] == found] if len(others) else others
        rows = np.unique(found >> 16).astype(np.int32)
        return rows if allowed is None else rows[allowed[rows]]

    def document_counts(self, phrases: Iterable[str], allowed: Mask | None = None) -> dict[str, int]:
        """For each word or phrase, the number of documents that hold it in text, title or headings, stemmed."""
        counts = {}
        for phrase in dict.fromkeys(phrases):
            held = np.zeros(len(self) + 1, np.bool_)
            held[self._document_of[self.rows_with(phrase, allowed)]] = True
            counts[phrase] = int(held.sum())
        return counts

    def _slot(self, term: int) -> int | None:
        terms = self.arrays["terms"]
        slot = int(np.searchsorted(terms, np.uint64(term)))
        return slot if slot < len(terms) and int(terms[slot]) == term else None

    def _postings(self, term: int, allowed: Mask | None = None) -> tuple[NDArray[np.int32], NDArray[np.uint16]]:
        slot = self._slot(term)
        first, last = (0, 0) if slot is None else self.arrays["starts"][slot : slot + 2]
        rows, frequencies = self.arrays["rows"][first:last], self.arrays["frequencies"][first:last]
        return (rows, frequencies) if allowed is None else (rows[allowed[rows]], frequencies[allowed[rows]])

    def _places(self, term: int) -> Rows:
        """Row << 16 | position of each occurrence, ascending."""
        slot = self._slot(term)
        if slot is None:
            return np.zeros(0, np.int64)
        rows, frequencies = self._postings(term)
        first, last = self.arrays["places"][slot : slot + 2]
        positions = self.arrays["positions"][first:last].astype(np.int64)
        return np.repeat(rows.astype(np.int64) << 16, frequencies) + positions


def mapped(file: IO[bytes], held: object = None) -> LexicalIndex:
    """The index in a file of the safetensors format, which stays on disk until its pages are needed."""
    content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    header = json.loads(content[8:_HEADER])
    arrays = {}
    for name, (_, kind) in _ARRAYS.items():
        view = np.frombuffer(content, kind, header[name]["shape"][0], _HEADER + header[name]["data_offsets"][0])
        arrays[name] = view if name in _LARGE else view.copy()
    return LexicalIndex(arrays, held)


def made(folder: Path, passages: Iterable[Passage]) -> LexicalIndex:
    """An index of these passages in a nameless file in `folder`, or elsewhere where that can't be written."""
    file = _nameless(folder)
    write(file, folder, None, (), passages)
    return mapped(file)


def _nameless(folder: Path) -> IO[bytes]:
    return tempfile.TemporaryFile(dir=folder if os.access(folder, os.W_OK) else None)


def write(
    file: IO[bytes],
    folder: Path,
    old: LexicalIndex | None,
    gone: Iterable[int],
    added: Iterable[Passage],
    *,
    rows: int = 50_000,
    postings: int = 4_000_000,
) -> dict[str, int]:
    """Writes the index of `old` without the chunks `gone`, and with `added`, whose ids are greater; returns counts.

    Memory is bounded: passages are taken `rows` at a time, each batch merged into a nameless file and the last into
    `file`, terms with `postings` at a time.
    """
    index = LexicalIndex(_posted([])) if old is None else old
    kept = ~np.isin(index.chunks, np.fromiter(gone, np.int64))
    iterator = iter(added)
    batches = iter(lambda: list(itertools.islice(iterator, rows)), [])
    batch = next(batches, [])
    for following in batches:
        scratch = _nameless(folder)
        _merge(index, kept, _posted(batch), scratch, postings)
        index = mapped(scratch)
        kept = np.ones(len(index), np.bool_)
        batch = following
    return _merge(index, kept, _posted(batch), file, postings)


def _posted(passages: list[Passage]) -> dict[str, NDArray[Any]]:
    """The arrays of these passages, by row as they are given."""
    flat = array("Q")
    lengths = np.zeros(len(passages), np.int32)
    places = array("H")
    for row, passage in enumerate(passages):
        at = 0
        for part in (*[passage.heading] * _HEADING_WEIGHT, passage.text):
            found = [_term(word) for word in words(part)][: max(0, _MAX_WORDS - at)]
            flat.extend(found)
            places.extend(range(at, at + len(found)))
            lengths[row] += len(found)
            at += len(found) + 1  # no phrase runs from one part into the next
    terms, inverse = np.unique(np.frombuffer(flat, np.uint64), return_inverse=True)
    order = np.argsort(inverse, kind="stable")
    term, held_by = inverse[order], np.repeat(np.arange(len(passages), dtype=np.int32), lengths)[order]
    first = np.flatnonzero(np.diff(term, prepend=-1) | np.diff(held_by, prepend=-1))
    return {
        "terms": terms,
        "starts": np.searchsorted(term[first], np.arange(len(terms) + 1)).astype(np.int64),
        "places": np.searchsorted(term, np.arange(len(terms) + 1)).astype(np.int64),
        "chunks": np.array([passage.chunk_id for passage in passages], np.int64),
        "documents": np.array([passage.document_key for passage in passages], np.int64),
        "rows": held_by[first],
        "lengths": lengths,
        "distinct": np.bincount(held_by[first], minlength=len(passages)).astype(np.int32),
        "frequencies": np.diff(first, append=len(term)).astype(np.uint16),
        "positions": np.frombuffer(places, np.uint16)[order],
    }


def _merge(
    old: LexicalIndex, kept: Mask, new: Mapping[str, NDArray[Any]], file: IO[bytes], most: int
) -> dict[str, int]:
    """Writes both as one index, the rows of `new` after the kept ones of `old`, `most` postings at a time."""
    fresh = np.arange(len(new["chunks"]), dtype=np.int32) + np.int32(kept.sum())
    parts = [(old.arrays, kept, (np.cumsum(kept) - 1).astype(np.int32)), (new, np.ones(len(fresh), np.bool_), fresh)]
    whole = {
        name: np.concatenate([arrays[name][alive] for arrays, alive, _ in parts])
        for name in ("chunks", "documents", "lengths", "distinct")
    }
    postings, occurrences = int(whole["distinct"].sum()), int(whole["lengths"].sum())
    starts = dict(zip(_LARGE, np.cumsum([_HEADER, 4 * postings, 2 * postings]).tolist(), strict=True))
    terms = np.union1d(*(arrays["terms"] for arrays, _, _ in parts))
    sizes = np.zeros(len(terms), np.int64)
    for arrays, _, _ in parts:
        sizes[np.searchsorted(terms, arrays["terms"])] += np.diff(arrays["starts"])
    cuts = np.searchsorted(np.cumsum(sizes), np.arange(most, sizes.sum(), most))
    counts = np.zeros((2, len(terms)), np.int64)
    for low, high in itertools.pairwise(sorted({0, *cuts.tolist(), len(terms)})):
        blocks = [_block(arrays, alive, rows, terms[low:high]) for arrays, alive, rows in parts]
        term, rows, frequencies, positions = (np.concatenate(columns) for columns in zip(*blocks, strict=True))
        order = np.argsort(term, kind="stable")
        counts[0, low:high] = np.bincount(term, minlength=high - low)
        counts[1, low:high] = np.bincount(term, frequencies, minlength=high - low)
        begins = np.cumsum(frequencies, dtype=np.int64) - frequencies
        rows, frequencies, begins = rows[order], frequencies[order], begins[order]
        shift = begins - (np.cumsum(frequencies, dtype=np.int64) - frequencies)
        positions = positions[np.arange(len(positions)) + np.repeat(shift, frequencies)]
        for name, values in zip(_LARGE, (rows, frequencies, positions), strict=True):
            file.seek(starts[name])
            file.write(values.astype(_ARRAYS[name][1]).tobytes())
            starts[name] = file.tell()
    used = counts[0] > 0
    whole |= {
        "terms": terms[used],
        **{n: np.cumsum([0, *c[used]]) for n, c in zip(("starts", "places"), counts, strict=True)},
    }
    shapes = {"rows": postings, "frequencies": postings, "positions": occurrences}
    file.seek(_HEADER + 6 * postings + 2 * occurrences)
    for name, values in whole.items():
        shapes[name] = len(values)
        file.write(values.astype(_ARRAYS[name][1]).tobytes())
    ends = np.cumsum([0, *(shapes[name] * np.dtype(_ARRAYS[name][1]).itemsize for name in shapes)]).tolist()
    header = {
        name: {"dtype": _ARRAYS[name][0], "shape": [count], "data_offsets": ends[place : place + 2]}
        for place, (name, count) in enumerate(shapes.items())
    }
    file.seek(0)
    file.write((_HEADER - 8).to_bytes(8, "little") + json.dumps(header).encode().ljust(_HEADER - 8))
    file.flush()
    return {"version": VERSION, "passages": len(whole["chunks"]), "terms": int(used.sum()), "postings": postings}


def _block(
    arrays: Mapping[str, NDArray[Any]], alive: Mask, rows: NDArray[np.int32], terms: NDArray[np.uint64]
) -> tuple[NDArray[Any], ...]:
    """Term (its place in `terms`), row, frequency of the postings left, and their positions."""
    low, high = np.searchsorted(arrays["terms"], terms[:1])[0], np.searchsorted(arrays["terms"], terms[-1:], "right")[0]
    spans = {name: slice(*arrays[name][[low, high]].tolist()) for name in ("starts", "places")}
    slots = np.searchsorted(terms, arrays["terms"][low:high])
    term = np.repeat(slots, np.diff(arrays["starts"][low : high + 1]))
    held, frequencies = arrays["rows"][spans["starts"]], arrays["frequencies"][spans["starts"]]
    left = alive[held]
    positions = arrays["positions"][spans["places"]][np.repeat(left, frequencies)]
    return term[left], rows[held[left]], frequencies[left], positions
