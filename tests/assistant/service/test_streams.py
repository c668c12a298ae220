"""Streams, clients that go, clients that are too many, and the end of the service."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from assistant.api import Assistant
from assistant.limits import Limits
from embeddings.hashing import HashingEmbedder

OPENING = "When does the Marram Museum open?"
CHAT = {"model": "passim", "messages": [{"role": "user", "content": OPENING}], "stream": True}
TRUE = "The Marram Museum opens on 6 May 2024 after repairs to its roof."
FALSE = "The Marram Museum opens on 9 July 2031."
JSON = {"Content-Type": "application/json"}


def _cited(text: str, prompt: Any) -> str:
    number = next(p.number for p in prompt.passages if "opens on 6 May" in p.chunk.text)
    return f"{text} [{number}] "


class Endless:
    """Writes the same until nobody listens; if it `waits`, for `go` after the first sentence."""

    name = "endless"

    def __init__(self, waits: bool = False) -> None:
        self._waits = waits
        self.started, self.go, self.abandoned = threading.Event(), threading.Event(), threading.Event()

    def generate(self, prompt: Any) -> Iterator[str]:
        self.started.set()
        try:
            yield _cited(TRUE, prompt) + FALSE
            while True:
                if self._waits:
                    assert self.go.wait(30)
                yield _cited(TRUE, prompt)
        finally:
            self.abandoned.set()

    def close(self) -> None:
        pass


@pytest.fixture
def opened(museum: Path, tmp_path: Path) -> Callable[..., Assistant]:
    def made(generator: Any, **options: Any) -> Assistant:
        return Assistant.open(
            museum, generator=generator, embedder=HashingEmbedder(), reranker=None, history=tmp_path / "h", **options
        )

    return made


def _deltas(body: bytes) -> list[Any]:
    lines = [line.removeprefix(b"data: ") for line in body.split(b"\n\n") if line]
    assert lines[-1] == b"[DONE]"
    return [json.loads(line)["choices"][0]["delta"] for line in lines[:-1]]


def test_only_checked_sentences_are_sent(serve: Callable[..., AbstractContextManager[Any]], opened, scripted) -> None:
    with opened(scripted(lambda p: [_cited(text, p) for text in (FALSE, TRUE, FALSE)])) as desk, serve(desk) as service:
        body = service.post("/v1/chat/completions", CHAT).body
        whole = service.post("/v1/chat/completions", CHAT | {"stream": False}).json["choices"][0]["message"]["content"]
    assert "".join(delta.get("content", "") for delta in _deltas(body)) == whole
    assert b"2031" not in body and "6 May 2024" in whole


def test_sentence_is_sent_as_soon_as_it_is_checked(serve, opened) -> None:
    generator = Endless(waits=True)
    with opened(generator) as desk, serve(desk) as service:
        connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=30)
        connection.request("POST", "/v1/chat/completions", json.dumps(CHAT), JSON)
        response = connection.getresponse()
        assert response.headers["content-type"].startswith("text/event-stream")
        first = json.loads(response.readline().removeprefix(b"data: "))
        assert first["choices"][0]["delta"]["content"].startswith(TRUE)
        assert not generator.go.is_set()  # and the generator hasn't gone on
        connection.close()
        response.close()
        generator.go.set()
        assert generator.abandoned.wait(30)


@pytest.mark.parametrize("streamed", [True, False])
def test_client_that_goes_takes_its_question_along(serve, opened, streamed: bool) -> None:
    generator = Endless()
    with opened(generator, limits=Limits(concurrent=1, waiting=0)) as desk, serve(desk) as service:
        connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=30)
        path, body = ("/v1/chat/completions", CHAT) if streamed else ("/ask", {"question": OPENING})
        connection.request("POST", path, json.dumps(body), JSON)
        if streamed:
            assert connection.getresponse().readline().startswith(b"data: ")
        assert generator.started.wait(30)
        busy = service.post("/ask", {"question": OPENING})
        assert (busy.status, busy.headers["content-type"]) == (503, "application/problem+json")
        assert int(busy.headers["retry-after"]) >= 1
        connection.close()
        assert generator.abandoned.wait(30)
        over = time.monotonic() + 30
        while 'outcome="gone"} 1.0' not in (text := service.get("/metrics").body.decode()):
            assert time.monotonic() < over, text
        while (reply := service.post("/ask", {"question": "Thanks!"})).status == 503:  # its place isn't free yet
            assert time.monotonic() < over, reply
        assert reply.json["refused"]
        assert len(desk.history()) == 1


def test_late_answers_are_given_up(serve, opened) -> None:
    generator = Endless()
    with opened(generator) as desk, serve(desk, timeout=0.5) as service:
        reply = service.post("/ask", {"question": OPENING, "timeout": 0.3})
        assert (reply.status, reply.json["title"]) == (504, "Gateway Timeout")
        told = service.post("/v1/chat/completions", CHAT | {"stream": False})
        assert (told.status, told.json["error"]["type"]) == (504, "server_error")
        streamed = service.post("/v1/chat/completions", CHAT).body  # has begun before it is late
        assert b'"error": {"message": "There was no answer in the time given' in streamed
        assert b"[DONE]" not in streamed
        assert 'outcome="late"} 3.0' in service.get("/metrics").body.decode()
        assert desk.history() == []


def test_what_runs_is_finished_when_the_service_ends(serve, opened) -> None:
    go, started = threading.Event(), threading.Event()

    class Slow:
        name = "slow"

        def generate(self, prompt: Any) -> Iterator[str]:
            started.set()
            assert go.wait(30)
            yield _cited(TRUE, prompt)

        def close(self) -> None:
            pass

    replies: list[Any] = []
    with opened(Slow()) as desk:
        with serve(desk) as service:
            asking = threading.Thread(target=lambda: replies.append(service.post("/ask", {"question": OPENING})))
            asking.start()
            assert started.wait(30)
            threading.Timer(0.2, go.set).start()  # while it ends
        asking.join(30)
    assert replies[0].status == 200 and "6 May 2024" in replies[0].json["text"]


def test_many_clients_at_once(serve, opened) -> None:
    with opened("extractive") as desk, serve(desk) as service:
        statuses: list[int] = []
        threads = [
            threading.Thread(target=lambda: statuses.append(service.post("/ask", {"question": OPENING}).status))
            for _ in range(40)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert statuses == [200] * 40
