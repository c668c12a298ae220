"""Answers read again from what was kept of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from assistant.types import Answer, Citation, Conflict, ConflictingValue, Passage, Refusal, Statement, Tokens
from corpus.errors import UnavailableError
from corpus.types import Chunk, Document


def answer_of(values: Mapping[str, Any]) -> Answer:
    """The inverse of `Answer.to_dict`, also of earlier versions.

    Documents have id, path, title and date, and an empty text: their text is in the index, as long as they are.

    Raises:
        UnavailableError: something is missing, or of another kind.
    """
    from embeddings.types import Snapshot  # deferred: it brings NumPy

    try:
        passages = tuple(map(_passage, values["passages"]))
        offered = {passage.number: passage for passage in passages}
        return Answer(
            id=values["id"],
            question=values["question"],
            standalone_question=values["standalone_question"],
            statements=tuple(
                Statement(s["text"], s["verdict"], s["support"], _citations(s, offered), s.get("reason"))
                for s in values["statements"]
            ),
            refusal=_refusal(values["refusal"]) if values["refusal"] else None,
            conflicts=tuple(
                Conflict(
                    c["explanation"],
                    _citations(c, offered),
                    tuple(
                        ConflictingValue(v["text"], _citations(v, offered), day_of(v["date"]), v["newest"])
                        for v in c.get("values", ())
                    ),
                )
                for c in values["conflicts"]
            ),
            passages=passages,
            generator=values["generator"],
            snapshot=Snapshot(**values["snapshot"]),
            timings=values["timings"],
            confidence=values.get("confidence"),
            notes=tuple(values.get("notes", ())),
            tokens=Tokens(**values["tokens"]) if values.get("tokens") else None,
            newer=tuple(map(document_of, values.get("newer", ()))),
        )
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        known = values.get("id") if isinstance(values, Mapping) else values
        raise UnavailableError(
            f"the kept answer {known!r} is damaged ({type(error).__name__}: {error}): put the history back from a "
            "copy, or ask again"
        ) from error


def _refusal(values: Mapping[str, Any]) -> Refusal:
    return Refusal(
        values["reason"],
        values["explanation"],
        tuple(map(_passage, values.get("nearest", ()))),
        tuple(values.get("missing", ())),
        values.get("searched", 0),
        tuple(values.get("choices", ())),
    )


def _passage(values: Mapping[str, Any]) -> Passage:
    document = document_of(values["document"])
    span = values["start"], values["end"], values["text"]
    chunk = Chunk(document.id, *span, tuple(values["headings"]), values["page"])
    return Passage(values["number"], chunk, document, values["score"])


def _citations(values: Mapping[str, Any], offered: Mapping[int, Passage]) -> tuple[Citation, ...]:
    return tuple(_citation(c, offered) for c in values["citations"])


def _citation(values: Mapping[str, Any], offered: Mapping[int, Passage]) -> Citation:
    number, start, end, quote, page = (values[name] for name in ("number", "start", "end", "quote", "page"))
    if values["document"] is None:
        return Citation(number, None, start, end, quote, page)
    document, passage = document_of(values["document"]), offered.get(number)
    if passage is None or passage.document != document:  # what it cites is all that is known of the passage
        passage = Passage(number, Chunk(document.id, start, end, quote, page=page), document, 0.0)
    return Citation(number, passage, start, end, quote, page)


def document_of(values: Mapping[str, Any]) -> Document:
    """A document as far as an answer keeps it."""
    return Document(values["id"], values["path"], values["title"], day_of(values["date"]), None, "")


def day_of(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
