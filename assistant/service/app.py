"""The service as an ASGI application."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assistant.api import Assistant
from assistant.service.endpoints import Call, Endpoints
from assistant.service.operations import OPERATIONS, Operation
from assistant.service.problems import Problem, log_failure, problem_of, response_to
from assistant.service.schemas import Schema, check, parse
from assistant.service.tokens import Client, Links, Tokens
from corpus.errors import AssistantError

MOST_BYTES = 1 << 20
"""Of a request's body."""
BODY_SECONDS = 30.0
"""For a body to come."""
_LOOPBACK = re.compile(r"(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?", re.I)
_HEADERS = {
    b"cache-control": b"no-store",
    b"cross-origin-resource-policy": b"same-origin",
    b"referrer-policy": b"no-referrer",
    b"x-content-type-options": b"nosniff",
}
_MISSING = "Give a token that is known here, as `Authorization: Bearer TOKEN`."


def create_app(
    desk: Assistant, tokens: Tokens | None = None, *, public_url: str | None = None, timeout: float = 120.0
) -> Starlette:
    """The service of one desk, which stays its caller's to close.

    Args:
        tokens: who may ask; None for whoever reaches the loopback address of this machine.
        public_url: address under which clients see it; None for the one that each request names.
        timeout: seconds that a question has where the request doesn't say.
    """
    links = Links() if tokens else None
    endpoints = Endpoints(desk, links, public_url, timeout)

    @asynccontextmanager
    async def running(_: Starlette) -> AsyncIterator[None]:
        warming = asyncio.create_task(_warm(desk))
        try:
            yield
        finally:
            warming.cancel()

    async def failed(request: Request, error: Exception) -> Response:
        problem = problem_of(error)
        if problem.status >= 500 and not isinstance(error, Problem):
            log_failure(error)
        return response_to(problem, request.url.path)

    app = Starlette(
        routes=[_route(operation, endpoints, tokens, links) for operation in OPERATIONS],
        middleware=[Middleware(_Outermost, loopback_only=tokens is None)],
        exception_handlers=dict.fromkeys((HTTPException, Problem, AssistantError), failed),
        lifespan=running,
    )
    app.router.redirect_slashes = False
    return app


class _Outermost:
    """Headers of every response, what a browser may not ask for, and errors that nobody foresaw."""

    def __init__(self, app: ASGIApp, loopback_only: bool) -> None:
        self._app = app
        self._loopback_only = loopback_only

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def sent(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                await asyncio.sleep(0)  # where what follows the head is no HTTP, the server closes before this goes on
                started = True
                given = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *((n, v) for n, v in _HEADERS.items() if n not in given)]
            await send(message)

        request = Request(scope)
        try:
            self._check_origin(request)
            await self._app(scope, receive, sent)
        except ClientDisconnect:
            pass
        except Exception as error:
            problem = problem_of(error)
            if not isinstance(error, Problem):
                log_failure(error)
            if not started:
                await response_to(problem, request.url.path)(scope, receive, sent)

    def _check_origin(self, request: Request) -> None:
        """Other web pages must not reach through a browser what listens on its machine."""
        host = request.headers.get("host", "")
        if not self._loopback_only:
            return
        if not _LOOPBACK.fullmatch(host):
            raise Problem(403, "Without tokens only requests to 127.0.0.1 or localhost are answered.")
        if request.headers.get("origin", f"http://{host}") != f"http://{host}":
            raise Problem(403, "Without tokens no other web page may ask: start the service with tokens.")


def _route(operation: Operation, endpoints: Endpoints, tokens: Tokens | None, links: Links | None) -> Route:
    carry_out: Callable[[Call], Awaitable[Response]] = getattr(endpoints, operation.name)

    async def endpoint(request: Request) -> Response:
        client = Client() if tokens is None or operation.open else _client(request, operation, tokens, links)
        body = None
        if operation.body is not None:
            body = parse(await _body(request))
            check(body, operation.body)
        return await carry_out(Call(request, client, body, _query(request, operation.query)))

    path = operation.path.replace("{id}", "{id:path}")  # whatever stands there is no other path
    return Route(path, endpoint, methods=[operation.method], name=operation.name)


def _client(request: Request, operation: Operation, tokens: Tokens, links: Links | None) -> Client:
    if given := request.headers.get("authorization"):
        found = tokens.client(given)
    else:
        key = request.query_params.get("key") if operation.name == "document" else None
        found = links.client(request.path_params["id"], key) if links and key else None
    if found is None:
        raise Problem(401, _MISSING, None, {"WWW-Authenticate": "Bearer"})
    return found


async def _body(request: Request) -> bytes:
    """Raises `Problem` for what is no JSON by its header, or is too much, or too slow."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":  # which a web page can't send elsewhere unasked
        raise Problem(415, "Send the body as JSON, with `Content-Type: application/json`.")
    too_large = Problem(413, f"The body has more than {MOST_BYTES:,} bytes: send a smaller one.")
    announced = request.headers.get("content-length", "0")
    if len(announced) > 9 or not announced.isdecimal() or int(announced) > MOST_BYTES:
        raise too_large
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for part in request.stream():
                body += part
                if len(body) > MOST_BYTES:
                    raise too_large
    except TimeoutError as error:
        slow = f"The body didn't come within {BODY_SECONDS:g} seconds."
        raise Problem(408, slow, headers={"Connection": "close"}) from error
    return bytes(body)


def _query(request: Request, declared: Mapping[str, Schema]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, schema in declared.items():
        if (text := request.query_params.get(name)) is not None:
            number = schema["type"] == "integer" and re.fullmatch(r"-?[0-9]{1,4000}", text)
            found[name] = int(text) if number else text
            check(found[name], schema, name)
    return found


async def _warm(desk: Assistant) -> None:
    """Loads the models before the first question; where that fails, `/ready` says so and it is tried again."""
    while not desk.ready:
        try:
            await asyncio.to_thread(desk.warm)
        except AssistantError as error:
            log_failure(error)
            await asyncio.sleep(10)
