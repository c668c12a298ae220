"""What came to the index after an answer was given: found by its words, among those documents only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from math import log

import numpy as np
from numpy.typing import NDArray

from assistant.editions import bare_title, says_replacing
from assistant.questions import stems
from assistant.types import Passage
from corpus.chunking import chunk_document
from corpus.types import Document
from embeddings.view import DocumentSummary, View


class Newcomers:
    """The documents of one view that came, or changed, after a generation; each is read once."""

    def __init__(self, view: View, document: Callable[[str], Document]) -> None:
        self._view = view
        self._document = document
        self._generation = view.snapshot().generation
        self._oldest = self._generation
        self._listed: list[DocumentSummary] = []
        """All that came since the oldest generation that was asked for."""
        self._since: dict[int, Mapping[str, DocumentSummary]] = {}
        self._paths: dict[int, dict[str, str]] = {}
        self._passages: list[Passage] = []
        self._owners: list[str] = []
        """Document of each passage."""
        self._indexed = self._generation
        self._read: set[str] = set()
        self._postings: dict[str, list[int]] = defaultdict(list)
        self._arrays: dict[str, NDArray[np.int64]] = {}
        self._allowed: dict[int, NDArray[np.bool_]] = {}
        self._replacing: set[str] = set()
        self._titled: dict[str, set[str]] = defaultdict(set)

    def since(self, generation: int) -> Mapping[str, DocumentSummary]:
        """By id. All that is indexed, where the generation is of an index that was made anew."""
        generation = generation if generation <= self._generation else 0
        if generation < self._oldest:
            self._oldest, self._listed = generation, self._view.since(generation)
        if generation not in self._since:
            self._since[generation] = {s.id: s for s in self._listed if s.since > generation}
        return self._since[generation]

    def at(self, path: str, generation: int) -> Document | None:
        """What came to a path since."""
        if generation not in self._paths:
            self._paths[generation] = {summary.path: i for i, summary in self.since(generation).items()}
        there = self._paths[generation].get(path)
        return None if there is None else self._document(there)

    def found(self, terms: Sequence[str], generation: int, share: float, needed: Iterable[str] = ()) -> list[Passage]:
        """Passages that hold at least this share of the stems in text, title or headings, best first.

        Args:
            needed: stems that none may be without.
        """
        if not terms or not self.since(generation):
            return []
        self._index(generation)
        held = np.zeros(len(self._passages), np.int64)
        worth = np.zeros(len(self._passages))
        for term in terms:
            rows = self._rows(term)
            held[rows] += 1
            worth[rows] += log(1 + len(held) / (len(rows) or 1))
        if generation not in self._allowed:
            self._allowed[generation] = np.isin(self._owners, [*self.since(generation)])
        for term in needed:
            without = np.ones(len(held), np.bool_)
            without[self._rows(term)] = False
            held[without] = 0
        rows = np.flatnonzero((held >= share * len(terms)) & self._allowed[generation])
        return [self._passages[n] for n in rows[np.argsort(-worth[rows], kind="stable")]]

    def editions(self, title: str, generation: int) -> list[Document]:
        """Documents of the same title but for version, year or date, and those that say what they replace."""
        self._index(generation)
        alike = (self._titled.get(bare_title(title), set()) | self._replacing) & self.since(generation).keys()
        return [self._document(i) for i in sorted(alike)]

    def _index(self, generation: int) -> None:
        generation = generation if generation <= self._generation else 0
        if generation >= self._indexed:  # what came after it is among what was read
            return
        self._indexed = generation
        for identifier in sorted(self.since(generation).keys() - self._read):
            document = self._document(identifier)
            self._read.add(identifier)
            self._titled[bare_title(document.title)].add(identifier)
            if says_replacing(document):
                self._replacing.add(identifier)
            for chunk in chunk_document(document):
                for term in stems("\n".join((document.title, *chunk.headings, chunk.text))):
                    self._postings[term].append(len(self._passages))
                self._owners.append(identifier)
                self._passages.append(Passage(len(self._passages) + 1, chunk, document, 0.0))
            self._arrays.clear()
            self._allowed.clear()

    def _rows(self, term: str) -> NDArray[np.int64]:
        if term not in self._arrays:
            self._arrays[term] = np.array(self._postings.get(term, ()), np.int64)
        return self._arrays[term]
