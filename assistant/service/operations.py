"""What can be asked for: the declarations by which requests are checked, routed and described."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Literal

from assistant.config import MOST_QUESTION_CHARACTERS
from assistant.records.feedback import MOST_REASON_CHARACTERS
from assistant.service.schemas import Schema

MOST_TURNS = 50
"""Of a conversation's history, as far as it is read."""
MOST_TIMEOUT = 600
"""Seconds."""
_INTEGER = {"type": "integer", "minimum": 0, "maximum": 10**9}
_OBJECT = {"type": "object"}


def _text(most: int, least: int = 0) -> Schema:
    return {"type": "string", "minLength": least, "maxLength": most}


def _texts(most: int = 100) -> Schema:
    return {"type": "array", "items": _text(500), "maxItems": most}


def _object(required: str = "", **properties: Schema) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": required.split(),
        "additionalProperties": False,
    }


def _or_null(*kinds: str) -> Schema:
    return {"type": [*kinds, "null"]}


_DAY = {"type": "string", "format": "date"}
_WHERE = _object(paths=_texts(1000), tags=_texts(), date_from=_DAY, date_to=_DAY)
_QUESTION = _text(MOST_QUESTION_CHARACTERS, 1)
_TURN = _object("question", question=_text(100_000), answer=_text(100_000))
_SCOPE = {"where": _WHERE, "audience": _texts()}
_ASK = _object(
    "question",
    question=_QUESTION,
    history={"type": "array", "items": _TURN, "maxItems": MOST_TURNS},
    as_of=_DAY,
    conversation=_text(200, 1),
    timeout={"type": "number", "exclusiveMinimum": 0, "maximum": MOST_TIMEOUT},
    anyway={"type": "boolean"},
    **_SCOPE,
)
_SEARCH = _object("question", question=_QUESTION, limit={"type": "integer", "minimum": 1, "maximum": 100}, **_SCOPE)
_FEEDBACK = _object(
    "answer judgement",
    answer=_text(64, 1),
    judgement={"type": "string", "enum": ["right", "wrong", "citation"]},
    reason=_text(MOST_REASON_CHARACTERS),
    citation=_object("number start end", number=_INTEGER, start=_INTEGER, end=_INTEGER),
)
_PART = {"type": "object", "properties": {"type": {"enum": ["text"]}, "text": {"type": "string"}}}
_PART = _PART | {"required": ["type", "text"]}
_MESSAGE = {
    "type": "object",
    "properties": {
        "role": {"type": "string", "enum": ["system", "developer", "user", "assistant", "tool", "function"]},
        "content": {"anyOf": [{"type": "string"}, {"type": "array", "items": _PART}, {"type": "null"}]},
    },
    "required": ["role"],
}
_NUMBERS = "frequency_penalty presence_penalty temperature top_p".split()
_COUNTS = "max_completion_tokens max_tokens seed".split()
_CHAT = {
    "type": "object",
    "properties": {
        "model": {"type": "string"},
        "messages": {"type": "array", "items": _MESSAGE},
        "stream": _or_null("boolean"),
        "stream_options": {"type": ["object", "null"], "properties": {"include_usage": _or_null("boolean")}},
        "metadata": {"type": ["object", "null"], "properties": {"conversation": _text(200, 1)}},
        "audience": _texts(),
        "user": _or_null("string"),
        "n": {"type": ["integer", "null"], "minimum": 1, "maximum": 1},
        **{name: _or_null("number") for name in _NUMBERS},
        **{name: _or_null("integer") for name in _COUNTS},
    },
    "required": ["model", "messages"],
}
_ANSWER = {
    "type": "object",
    "properties": {
        **{name: {"type": "string"} for name in ("id", "question", "standalone_question", "text", "generator")},
        "refused": {"type": "boolean"},
        "refusal": _or_null("object"),
        "confidence": _or_null("number"),
        **{name: {"type": "array"} for name in ("statements", "conflicts", "passages", "notes")},
        "links": {"type": "object", "description": "Addresses of the cited documents as web pages, by their ids."},
    },
    "required": ["id", "text", "refused", "statements", "conflicts", "passages", "links"],
}


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path."""

    name: str
    """Of the method of `Endpoints` that carries it out."""
    method: Literal["GET", "POST"]
    path: str
    summary: str
    body: Schema | None = None
    query: Mapping[str, Schema] = field(default_factory=dict)
    answers: Mapping[str, Schema] = field(default_factory=lambda: {"application/json": _OBJECT})
    """Media types of the response, each with its form."""
    fails: tuple[int, ...] = ()
    """Statuses beside those that any operation may have."""
    open: bool = False
    """Whether it needs no token."""


_FOUND = (503, 504)
OPERATIONS = (
    Operation(
        "chat",
        "POST",
        "/v1/chat/completions",
        "Answers the last user message, as OpenAI's interface has it; other parameters are accepted and ask nothing.",
        _CHAT,
        answers={"application/json": _OBJECT, "text/event-stream": {"type": "string"}},
        fails=_FOUND,
    ),
    Operation("models", "GET", "/v1/models", "Lists the one model that there is."),
    Operation("model", "GET", "/v1/models/{id}", "That model.", fails=(404,)),
    Operation("ask", "POST", "/ask", "Answers a question.", _ASK, answers={"application/json": _ANSWER}, fails=_FOUND),
    Operation("search", "POST", "/search", "Finds the passages nearest to a question.", _SEARCH, fails=_FOUND),
    Operation(
        "documents",
        "GET",
        "/documents",
        "Lists the documents by path.",
        query={"offset": _INTEGER, "limit": {"type": "integer", "minimum": 1, "maximum": 1000}},
        fails=(503,),
    ),
    Operation(
        "document",
        "GET",
        "/documents/{id}",
        "One document, with the characters from `start` to `end` highlighted; the key of a link stands for a token.",
        query={"start": _INTEGER, "end": _INTEGER, "key": _text(2000)},
        answers={"text/html": {"type": "string"}, "application/json": _OBJECT},
        fails=(404, 503),
    ),
    Operation("proof", "GET", "/proofs/{id}", "The proof of a kept answer.", fails=(404, 503)),
    Operation("feedback", "POST", "/feedback", "Keeps a judgement of an answer.", _FEEDBACK, fails=(404, 503)),
    Operation("health", "GET", "/health", "Whether the service is alive.", open=True),
    Operation("readiness", "GET", "/ready", "Whether questions can be answered now.", fails=(503,)),
    Operation("metrics", "GET", "/metrics", "For Prometheus.", answers={"text/plain": {"type": "string"}}),
    Operation("openapi", "GET", "/openapi.json", "This description."),
)


def openapi() -> dict[str, Any]:
    """The description of all operations, by OpenAPI 3.1."""
    paths: dict[str, Any] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _described(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "passim-assistant", "version": "1"},
        "paths": paths,
        "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
        "security": [{"token": []}],
    }


def _described(operation: Operation) -> dict[str, Any]:
    problem = {"application/json" if operation.path.startswith("/v1/") else "application/problem+json": _OBJECT}
    statuses = {401, 403, *operation.fails, *({400, 408, 413, 415, 422} if operation.body else ())}
    statuses |= {422} if operation.query else set()
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "responses": {
            str(status): {"description": HTTPStatus(status).phrase, "content": _content(form)}
            for status, form in [(200, operation.answers), *((status, problem) for status in sorted(statuses))]
        },
    }
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "query", "schema": form} for name, form in operation.query.items()
    ]
    if "{id}" in operation.path:
        parameters.append({"name": "id", "in": "path", "required": True, "schema": {"type": "string"}})
    if parameters:
        described["parameters"] = parameters
    if operation.body is not None:
        described["requestBody"] = {"required": True, "content": {"application/json": {"schema": operation.body}}}
    if operation.open:
        described["security"] = []
    return described


def _content(kinds: Mapping[str, Schema]) -> dict[str, Any]:
    return {kind: {"schema": form} for kind, form in kinds.items()}
