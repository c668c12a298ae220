"""What a caller is told over HTTP, by the tools of MCP, and on an event loop."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any

from assistant.api import Assistant
from assistant.asynchronous import AsyncAssistant
from assistant.mcp.server import Tools
from assistant.service.app import create_app
from assistant.service.tokens import Client, Tokens
from corpus.errors import AssistantError
from tests.assistant.telling import Asked, told

_TOKEN = "the-token-of-this-caller"
_Request = tuple[str, str, object]
"""Method, path, body."""


def _chat(asked: Asked, stream: bool) -> _Request:
    messages = [{"role": "user", "content": asked.questions[0]}]
    return "POST", "/v1/chat/completions", {"model": "any", "messages": messages, "stream": stream}


# By the name of an operation. A pair of requests names what is hidden, and what doesn't exist.
REQUESTS: dict[str, Callable[[Asked, Assistant], list[_Request]]] = {
    "chat": lambda a, desk: [_chat(a, False), _chat(a, True)],
    "models": lambda a, desk: [("GET", "/v1/models", None)],
    "model": lambda a, desk: [("GET", "/v1/models/passim", None)],
    "ask": lambda a, desk: [("POST", "/ask", {"question": a.questions[0]})],
    "search": lambda a, desk: [("POST", "/search", {"question": a.questions[0], "limit": 100})],
    "documents": lambda a, desk: [("GET", "/documents", None), ("GET", "/documents?offset=5&limit=1000", None)],
    "document": lambda a, desk: [("GET", f"/documents/{one.id}?start=0&end=9", None) for one in desk.documents()],
    "proof": lambda a, desk: [("GET", f"/proofs/{record.answer['id']}", None) for record in desk.history()[-3:]],
    "feedback": lambda a, desk: [],
    "health": lambda a, desk: [("GET", "/health", None)],
    "readiness": lambda a, desk: [("GET", "/ready", None)],
    "metrics": lambda a, desk: [("GET", "/metrics", None)],
    "openapi": lambda a, desk: [("GET", "/openapi.json", None)],
}
PAIRS: dict[str, Callable[[Asked, int], tuple[str, _Request]]] = {
    "document": lambda a, at: (a.ids[at], ("GET", f"/documents/{a.ids[at]}", None)),
    "span": lambda a, at: (a.ids[at], ("GET", f"/documents/{a.ids[at]}?start=0&end=99999999", None)),
    "path": lambda a, at: (a.paths[at], ("GET", f"/documents/{a.paths[at]}", None)),
    "proof": lambda a, at: (a.answers[at], ("GET", f"/proofs/{a.answers[at]}", None)),
    "feedback": lambda a, at: (a.answers[at], ("POST", "/feedback", {"answer": a.answers[at], "judgement": "right"})),
    "audience": lambda a, at: (
        a.groups[at],
        ("POST", "/search", {"question": a.questions[0], "audience": [a.groups[at]]}),
    ),
    "tag": lambda a, at: (
        a.tags[at],
        ("POST", "/search", {"question": a.questions[0], "where": {"tags": [a.tags[at]]}}),
    ),
}
TOOLS: dict[str, Callable[[Asked, Assistant], list[Mapping[str, Any]]]] = {
    "ask": lambda a, desk: [{"question": a.questions[1]}],
    "search": lambda a, desk: [{"question": a.questions[0], "limit": 20}],
    "read_span": lambda a, desk: [
        {"document": one.id, "start": 1, "end": 9, "context": 2000} for one in desk.documents()
    ],
}


def fronts(whole: Assistant, desk: Assistant, asked: Asked) -> list[tuple[str, str, str | None]]:
    """What was asked for, and what was told of it; of a pair also what is told of that which doesn't exist.

    Args:
        whole: the unrestricted desk, which a service has.
        desk: for the caller only.
    """
    return asyncio.run(_all(whole, desk, asked))


async def _all(whole: Assistant, desk: Assistant, asked: Asked) -> list[tuple[str, str, str | None]]:
    found: list[tuple[str, str, str | None]] = []
    client = Client("caller", desk.audience)
    app = create_app(whole, Tokens(((sha256(_TOKEN.encode()).hexdigest(), client),)))
    for name, requests in REQUESTS.items():
        for request in requests(asked, desk):
            found.append((f"HTTP {name}", await _replied(app, *request), None))
    for name, pair in PAIRS.items():
        (one, there), (other, missing) = pair(asked, 0), pair(asked, 1)
        hidden, unknown = await _replied(app, *there), await _replied(app, *missing)
        found.append((f"HTTP {name} (hidden)", hidden.replace(one, "∎"), unknown.replace(other, "∎")))
    tools = Tools(desk)
    for name, arguments in TOOLS.items():
        for given in arguments(asked, desk):
            found.append((f"MCP {name}", (await tools.call(name, dict(given))).model_dump_json(), None))
    errors = [await _refused(tools, asked.ids[at]) for at in (0, 1)]
    found.append(("MCP read_span (hidden)", errors[0], errors[1]))
    awaited = AsyncAssistant(desk)
    found.append(("async ask", told(await awaited.ask(asked.questions[0])), None))
    found.append(("async stream", told([event async for event in awaited.stream(asked.questions[0])]), None))
    for name in ("documents", "failures", "history"):
        found.append((f"async {name}", told(await getattr(awaited, name)()), None))
    found.append(("async search", told(await awaited.search(asked.questions[0])), None))
    found.append(("async conversations", told(await awaited.conversations.listed()), None))
    return found


async def _refused(tools: Tools, document: str) -> str:
    try:
        return (await tools.call("read_span", {"document": document, "start": 0, "end": 9})).model_dump_json()
    except AssistantError as error:
        return told(error).replace(document, "∎")


async def _replied(app: Any, method: str, path: str, body: object) -> str:
    """Status, headers and body of the response."""
    sent: list[str] = []
    content = b"" if body is None else json.dumps(body).encode()
    unread = [content]

    async def receive() -> dict[str, Any]:
        if not unread:
            await asyncio.Event().wait()  # the client stays
        return {"type": "http.request", "body": unread.pop(), "more_body": False}

    async def send(message: Mapping[str, Any]) -> None:
        sent.append(repr(message.get("headers", "")) + str(message.get("status", "")))
        sent.append(message.get("body", b"").decode())

    path, _, query = path.partition("?")
    headers = {"host": "localhost", "authorization": f"Bearer {_TOKEN}", "content-type": "application/json"}
    headers["content-length"] = str(len(content))
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": ("localhost", 80),
    }
    await app(scope, receive, send)
    return "".join(sent)
