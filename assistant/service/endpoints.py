"""What each operation does. Whatever a client sees passes the audience of its token."""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, TypeVar
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from assistant.api import Assistant
from assistant.asynchronous import AsyncAssistant
from assistant.service import completions, pages
from assistant.service.disconnecting import Stream, unless_gone
from assistant.service.metrics import Metrics
from assistant.service.operations import openapi
from assistant.service.problems import Problem, body_of, log_failure, problem_of
from assistant.service.tokens import Client, Links
from assistant.types import SHOWN, Citation, Event, Finished, Turn, Verified
from corpus.errors import Closed, UnknownAudience, UsageError
from corpus.types import Document
from embeddings.types import Where

_DOCUMENT = re.compile(r"[0-9a-f]{8,64}", re.ASCII)
_ANSWER = re.compile(r"[0-9a-f]{24}", re.ASCII)
_ROLE = {"role": "assistant"}
_T = TypeVar("_T")
_PAGE = 100
"""Documents of a list, where nothing is said."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request, checked."""

    request: Request
    client: Client
    body: Any
    """As the operation's declaration has it."""
    query: dict[str, Any]

    @property
    def audience(self) -> frozenset[str] | None:
        """The client's, narrowed to what the body names."""
        asked, held = (self.body or {}).get("audience"), self.client.audience
        if asked is None:
            return held
        if held is not None and not held.issuperset(asked):
            raise Problem(403, "The audience names more than this token may see: leave it out, or name less.")
        return frozenset(asked)

    @property
    def where(self) -> Where | None:
        given = self.body.get("where")
        if not given:
            return None
        days = {name: date.fromisoformat(given[name]) for name in ("date_from", "date_to") if name in given}
        return Where(tuple(given.get("paths", ())), tuple(given.get("tags", ())), **days)

    @property
    def conversations(self) -> str:
        """What the ids of the client's begin with: each token has its own, whatever they are called."""
        return f"{self.client.name}:" if self.client.name else ""

    def conversation(self, named: str | None) -> str:
        return self.conversations + (named or uuid.uuid4().hex)


class Endpoints:
    """The operations, by the names that their declarations have."""

    def __init__(self, desk: Assistant, links: Links | None, public_url: str | None, timeout: float) -> None:
        """
        Args:
            links: signs addresses of documents; None where they need no key.
            public_url: address of the service as its clients see it; None for the one that each names.
            timeout: seconds that a question has where the request doesn't say.
        """
        self._desk = desk
        self._asynchronous = AsyncAssistant(desk)
        self._links = links
        self._public_url = public_url
        self._timeout = timeout
        self._metrics = Metrics()

    async def ask(self, call: Call) -> Response:
        given = call.body
        with self._metrics.question() as watched:
            asked = self._asynchronous.ask(
                given["question"],
                history=[Turn(turn["question"], turn.get("answer", "")) for turn in given.get("history", ())],
                where=call.where,
                as_of=date.fromisoformat(given["as_of"]) if "as_of" in given else None,
                conversation=call.conversation(given.get("conversation")),
                anyway=given.get("anyway", False),
                audience=call.audience,
                timeout=given.get("timeout", self._timeout),
            )
            watched.answer = answer = await unless_gone(call.request, asked)
        cited = (c for s in answer.statements for c in s.citations if c.passage is not None)
        links = {c.passage.document.id: self._link(call, c) for c in cited if c.passage is not None}
        return JSONResponse(completions.told(answer) | {"links": links})

    async def chat(self, call: Call) -> Response:
        question, turns = completions.question_of(call.body["messages"])
        completion = completions.Completion.begun()
        named = (call.body.get("metadata") or {}).get("conversation")
        options: dict[str, Any] = {
            "history": turns,
            "conversation": call.conversation(named),
            "audience": call.audience,
            "timeout": self._timeout,
        }
        if not call.body.get("stream"):
            with self._metrics.question() as watched:
                watched.answer = answer = await unless_gone(call.request, self._asynchronous.ask(question, **options))
            return JSONResponse(completion.whole(answer, lambda citation: self._link(call, citation)))
        sent = self._sent(call, completion, self._asynchronous.stream(question, **options))
        first = await unless_gone(call.request, anext(sent))  # what fails before it has a status of its own
        return Stream(_after(first, sent), headers={"X-Accel-Buffering": "no"}, media_type="text/event-stream")

    async def _sent(
        self, call: Call, completion: completions.Completion, events: AsyncGenerator[Event, None]
    ) -> AsyncGenerator[bytes, None]:
        """The stream of a completion: only checked sentences, each as soon as nothing can change it any more."""
        sent = ""
        final = not self._desk.settings.fallback  # another generator may begin again
        try:
            with self._metrics.question() as watched:
                async with aclosing(events):
                    async for event in events:
                        if isinstance(event, Verified) and final and event.statement.verdict in SHOWN:
                            text = event.statement.marked
                            delta = f" {text}" if sent else text
                            yield completion.delta({"content": delta} | ({} if sent else _ROLE))
                            sent += delta
                        elif isinstance(event, Finished):
                            watched.answer = event.answer
        except Exception as error:
            if not sent:
                raise
            log_failure(error)
            yield completions.event(body_of(problem_of(error), "/v1/"))
            return
        answer = watched.answer
        assert answer is not None  # a stream ends with Finished
        whole = completions.content(answer)
        if not whole.startswith(sent):
            raise AssertionError("a sentence that was checked and shown has changed")
        if len(whole) > len(sent):
            yield completion.delta({"content": whole[len(sent) :]} | ({} if sent else _ROLE))
        noted = completions.cited(answer, lambda citation: self._link(call, citation))
        yield completion.delta({"annotations": noted}, "stop", answer)
        if (call.body.get("stream_options") or {}).get("include_usage"):
            yield completion.usage(answer)
        yield completions.event("[DONE]")

    async def models(self, _: Call) -> Response:
        return JSONResponse({"object": "list", "data": [completions.model()]})

    async def model(self, call: Call) -> Response:
        if call.request.path_params["id"] != completions.MODEL:
            raise HTTPException(404)
        return JSONResponse(completions.model())

    async def search(self, call: Call) -> Response:
        given, audience, where = call.body, call.audience, call.where
        found = await self._asynchronous.search(given["question"], given.get("limit", 10), where, audience=audience)
        return JSONResponse({"passages": [one.to_dict() | {"number": rank} for rank, one in enumerate(found, 1)]})

    async def documents(self, call: Call) -> Response:
        listed = await asyncio.to_thread(lambda: self._seen(call).documents())
        first, most = call.query.get("offset", 0), call.query.get("limit", _PAGE)
        shown = [one.to_dict() for one in listed[first : first + most]]
        following = first + most if first + most < len(listed) else None
        return JSONResponse({"documents": shown, "total": len(listed), "next": following})

    async def document(self, call: Call) -> Response:
        start, end = call.query.get("start", 0), call.query.get("end", 0)
        if "start" in call.query and "end" not in call.query:
            raise Problem(422, "end is missing: give where the characters begin and end, or neither", "end")
        document = await asyncio.to_thread(self._named, call, _DOCUMENT, Assistant.document)
        if not start <= end <= len(document.text):
            raise Problem(422, f"There are no characters {start} to {end}: it has {len(document.text):,}.", "start")
        accepted = call.request.headers.get("accept", "")
        if "application/json" in accepted and "text/html" not in accepted:
            return JSONResponse(_described(document, start, end), headers={"Vary": "Accept"})
        text = await asyncio.to_thread(pages.page, document, start, end)
        return HTMLResponse(text, headers={"Vary": "Accept", **pages.HEADERS})

    async def proof(self, call: Call) -> Response:
        proof = await asyncio.to_thread(self._named, call, _ANSWER, Assistant.proof)
        return Response(proof, media_type="application/json")

    async def feedback(self, call: Call) -> Response:
        given, place = call.body, call.body.get("citation")
        cited = place and (place["number"], place["start"], place["end"])
        if given["judgement"] == "citation" and cited is None:
            raise Problem(422, "citation is missing: say which is wrong", "citation")
        told = given["answer"], given["judgement"], given.get("reason", ""), cited
        await asyncio.to_thread(_known, lambda: self._seen(call).feedback.add(*told))
        return JSONResponse({"answer": given["answer"], "judgement": given["judgement"]})

    async def health(self, _: Call) -> Response:
        return JSONResponse({"status": "alive"})

    async def readiness(self, call: Call) -> Response:
        snapshot = await asyncio.to_thread(lambda: self._seen(call).snapshot)
        if not self._desk.ready:
            raise Problem(503, "The models are being loaded: ask again in some seconds.", headers={"Retry-After": "5"})
        return JSONResponse({"status": "ready", "generation": snapshot.generation})

    async def metrics(self, call: Call) -> Response:
        desk = self._desk
        at_once = desk.limits.at_once(desk.generator)
        text = await asyncio.to_thread(self._metrics.text, lambda: self._seen(call).snapshot, at_once)
        return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")

    async def openapi(self, _: Call) -> Response:
        return JSONResponse(openapi())

    def _seen(self, call: Call) -> Assistant:
        return self._desk.seen_by(call.audience, conversations=call.conversations)

    def _named(self, call: Call, form: re.Pattern[str], look: Callable[[Assistant, str], _T]) -> _T:
        """What the path names by an id; the same problem where there is none and where the client may not see it."""
        named = call.request.path_params["id"]
        if not form.fullmatch(named):
            raise HTTPException(404)
        return _known(lambda: look(self._seen(call), named))

    def _link(self, call: Call, citation: Citation) -> str:
        """Where a browser finds the document, with the cited words highlighted."""
        assert citation.passage is not None
        document = citation.passage.document
        key = f"&key={quote(self._links.key(document.id, call.audience))}" if self._links else ""
        base = self._public_url or str(call.request.base_url)
        span = f"start={citation.start}&end={citation.end}"
        return f"{base.rstrip('/')}/documents/{document.id}?{span}{key}#{pages.FRAGMENT}"


def _known(look: Callable[[], _T]) -> _T:
    """What is found; a problem where nothing that the client may see has the id."""
    try:
        return look()
    except (Closed, UnknownAudience):
        raise
    except UsageError as error:
        raise HTTPException(404) from error


def _described(document: Document, start: int, end: int) -> dict[str, Any]:
    return {
        "id": document.id,
        "path": document.path,
        "title": document.title,
        "date": document.date and document.date.isoformat(),
        "pages": [asdict(page) for page in document.pages],
        "text": document.text,
        "start": start,
        "end": end,
        "quote": document.text[start:end],
        "page": document.page_at(start) if end > start else None,
    }


async def _after(first: bytes, others: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    async with aclosing(others):
        yield first
        async for one in others:
            yield one
