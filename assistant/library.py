"""The documents as one audience sees them."""

from __future__ import annotations

import json
from collections.abc import Set
from pathlib import Path

from assistant.core import Core
from assistant.explanation import explain
from assistant.originals import original
from assistant.permissions import Audience, narrowed
from assistant.retrieval import CANDIDATES, Candidate, candidates
from assistant.validation import checked, validated
from corpus.errors import UsageError
from corpus.types import Document, ReadFailure
from embeddings.types import Snapshot, Where
from embeddings.view import DocumentSummary


@validated
class Library:
    """What is indexed; what isn't for its audience is as if it didn't exist."""

    def __init__(self, core: Core, audience: Audience = None) -> None:
        self._core = core
        self._audience = audience

    @property
    def audience(self) -> frozenset[str] | None:
        """Groups that it is restricted to; None where it isn't."""
        return self._audience

    @property
    def folders(self) -> tuple[Path, ...]:
        """The indexed folders; none to an audience."""
        return () if self._audience is not None else self._folders()

    @property
    def snapshot(self) -> Snapshot:
        """The generation that the next question will see."""
        with self._core.view(self._audience) as view:
            return view.snapshot()

    def search(
        self, question: str, limit: int = 10, where: Where | None = None, *, audience: Set[str] | None = None
    ) -> list[Candidate]:
        """The passages nearest to a question, best first, and what each retriever gave; nothing is generated.

        Raises:
            UsageError: the question is empty or too long, or no passage is asked for.
        """
        text = checked(question)
        with self._core.reading(self._narrowed(audience)) as (view, means):
            found = candidates(text, view, means.embedder, means.reranker, where, max(limit, CANDIDATES))
        return found[:limit]

    def explain(self, question: str, sought: str, where: Where | None = None) -> str:
        """Why a passage, known by its document's path or by its words, was or wasn't returned."""
        text = checked(question)
        with self._core.reading(self._audience) as (view, means):
            return explain(text, sought, view, means.embedder, means.reranker, where)

    def documents(self, where: Where | None = None, *, audience: Set[str] | None = None) -> list[DocumentSummary]:
        """What is indexed, by path."""
        with self._core.view(self._narrowed(audience)) as view:
            listed = view.documents()
        return [d for d in listed if where is None or where.admits(d.path, d.date, d.tags)]

    def failures(self) -> list[ReadFailure]:
        """Files that could not be read, with the reasons."""
        with self._core.view(self._audience) as view:
            return view.failures()

    def document(self, document_id: str, *, audience: Set[str] | None = None) -> Document:
        """One document. Raises `UsageError` for an id that the index doesn't hold."""
        with self._core.view(self._narrowed(audience)) as view:
            return view.document(document_id)

    def document_at(self, path: str, *, audience: Set[str] | None = None) -> Document | None:
        """What lies at a path in the index now; None where nothing does."""
        with self._core.view(self._narrowed(audience)) as view:
            return view.document_at(path)

    def original(self, path: str) -> Path:
        """The file of a document, given by its path in the index.

        Raises:
            UsageError: nothing of it is indexed, it isn't there any more, or doesn't lie in its folder.
        """
        if self.document_at(path) is None:
            raise UsageError(f"no document at {path!r} in the index")
        return original(path, self._folders())

    def _narrowed(self, audience: Set[str] | None) -> Audience:
        self._core.check()
        return narrowed(self._audience, audience, self._core.audiences)

    def _folders(self) -> tuple[Path, ...]:
        with self._core.used():
            return tuple(map(Path, json.loads(self._core.index.about()["folders"])))
