"""What has become of cited words: where they stand in the documents of today, and whether they still carry a statement.

An audit and a replay look at the past through the same functions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from assistant.audit.revisions import revised
from assistant.entailment import Entailment
from assistant.phrases import occurrences
from assistant.types import Citation, Passage, Statement
from assistant.verification import verify
from corpus.errors import UsageError
from corpus.types import Chunk, Document

State = Literal["intact", "moved", "changed", "gone"]
STATES: dict[State, str] = {
    "intact": "the span stands as it was cited",
    "moved": "the document has changed, and still has these words",
    "changed": "the document has changed, and no longer has these words",
    "gone": "the document is no longer indexed, or no longer for those whom the answer was for",
}


class Documents(Protocol):
    """What is indexed: a desk, or a view of one generation."""

    def document(self, document_id: str) -> Document:
        """Raises `UsageError` for an id that it doesn't hold."""
        ...

    def document_at(self, path: str) -> Document | None: ...


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the words of a citation stand now."""

    state: State
    document: Document | None
    """That lies there now; None where it is gone."""
    start: int = 0
    end: int = 0
    """The words, in characters of its text; an empty span where it no longer has them."""


def standing(documents: Documents, cited: Citation | Mapping[str, Any]) -> Standing:
    """Look up a citation in the present documents: in the same bytes, else in what lies at the same path.

    Args:
        cited: of a known document; as it is, or as `Citation.to_dict` gives it.
    """
    values = cited.to_dict() if isinstance(cited, Citation) else cited
    start, end, quote = values["start"], values["end"], values["quote"]
    try:
        document = documents.document(values["document"]["id"])
    except UsageError:
        there = documents.document_at(values["document"]["path"])
        if there is None:
            return Standing("gone", None)
        document = there
    else:
        if document.text[start:end] == quote:
            return Standing("intact", document, start, end)
    found = next(occurrences(document.text, quote), None)
    return Standing("moved", document, *found) if found else Standing("changed", document)


def cited_of(statement: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The citations of a kept statement, without those that a generator invented."""
    return [c for c in statement["citations"] if c["document"] is not None]


def reverified(
    statement: Mapping[str, Any],
    found: Sequence[Standing],
    offered: Mapping[int, Mapping[str, Any]],
    entailment: Entailment,
) -> Statement:
    """A kept statement checked against what its spans say now; where words changed, what took their place counts.

    Args:
        found: for each of `cited_of`, in order.
        offered: the kept passages by number.
    """
    now = [c for cited, at in zip(cited_of(statement), found, strict=True) for c in _now(cited, at, offered)]
    return verify(statement["text"], now, entailment)


def _now(cited: Mapping[str, Any], at: Standing, offered: Mapping[int, Mapping[str, Any]]) -> Iterator[Citation]:
    """As it was bound: within the passage that was offered, or alone where the document no longer has that."""
    document, passage = at.document, offered[cited["number"]]
    if document is None:
        return
    spans = [(at.start, at.end)]
    if at.state == "changed":
        spans = [span for span, _ in revised(cited["quote"], passage["text"], document)]
    for start, end in spans:
        first, last = passage["start"], passage["end"]
        if not (first <= start and end <= last and document.text[first:last] == passage["text"]):
            first, last = start, end
        chunk = Chunk(document.id, first, last, document.text[first:last], tuple(passage["headings"]), passage["page"])
        number = cited["number"]
        bound = Passage(number, chunk, document, passage["score"])
        yield Citation(number, bound, start, end, document.text[start:end], document.page_at(start))
