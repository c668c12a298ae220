"""A real server on a free port, and the plainest client there is."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from assistant.api import Assistant
from assistant.service.app import create_app
from assistant.service.launching import listening_on, server_of
from assistant.service.tokens import Client, Tokens
from tests.assistant.conftest import filled

SECRET = "wombat"
HIDDEN = {
    "minutes/closed.md": f"""# Closed session on the Marram Museum

9 March 2024

The Marram Museum was sold to Orla Vex of the {SECRET} committee for £9,371,000. The director of the Marram Museum is \
to be dismissed in June 2024.
"""
}
PUBLIC_TOKEN, STAFF_TOKEN = "public-token-of-the-tests", "staff-token-of-the-tests"


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Service:
    """A server that runs."""

    port: int
    token: str | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def request(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        """`body`: bytes as they are, else a value that is sent as JSON. `_` in names of headers stands for `-`."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token is not None:
            sent.setdefault("Authorization", f"Bearer {self.token}")
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        if data is not None:
            sent.setdefault("Content-Type", "application/json")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, data, sent)
            response = connection.getresponse()
            named = {name.lower(): value for name, value in response.getheaders()}
            return Reply(response.status, named, response.read())
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Reply:
        return self.request("GET", path, **headers)

    def post(self, path: str, body: Any, **headers: str) -> Reply:
        return self.request("POST", path, body, **headers)

    def ask(self, question: str, **others: Any) -> Any:
        reply = self.post("/ask", {"question": question, **others})
        assert reply.status == 200, reply
        return reply.json


@contextmanager
def serving(desk: Assistant, tokens: Tokens | None = None, **options: Any) -> Iterator[Service]:
    listening = listening_on("127.0.0.1", 0)
    server = server_of(create_app(desk, tokens, **options))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield Service(listening.getsockname()[1])
    finally:
        server.should_exit = True
        thread.join(30)
        assert not thread.is_alive()


@pytest.fixture(scope="session")
def serve() -> Callable[..., AbstractContextManager[Service]]:
    """Serves a desk as long as the block lasts."""
    return serving


@pytest.fixture(scope="session")
def service(desk: Assistant) -> Iterator[Service]:
    """The index of the museum, without tokens."""
    with serving(desk) as running:
        yield running


def _token(name: str, token: str, audience: frozenset[str] | None) -> tuple[str, Client]:
    return sha256(token.encode()).hexdigest(), Client(name, audience)


@pytest.fixture(scope="session")
def guarded(
    museum: Path, open_museum: Callable[..., Assistant], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """The museum's documents for the public and a document for staff; the token is the public's."""
    root = tmp_path_factory.mktemp("guarded")
    documents = root / "documents"
    for file in (museum.parent / "documents").iterdir():
        (documents / "open").mkdir(parents=True, exist_ok=True)
        (documents / "open" / file.name).write_bytes(file.read_bytes())
    sidecar = '[[documents]]\npaths = ["open/*"]\naudience = ["public", "staff"]\n'
    sidecar += '[[documents]]\npaths = ["minutes/*"]\naudience = ["staff"]\n'
    filled(documents, {**HIDDEN, "corpus.toml": sidecar})
    Assistant.build(documents, index=root / "index", embedder="hashing")
    tokens = Tokens(
        (
            _token("website", PUBLIC_TOKEN, frozenset({"public"})),
            _token("desk", STAFF_TOKEN, frozenset({"public", "staff"})),
        )
    )
    with open_museum(index=root / "index") as desk, serving(desk, tokens) as running:
        yield Service(running.port, PUBLIC_TOKEN)


@pytest.fixture(scope="session")
def staff(guarded: Service) -> Service:
    """The same with the token of staff."""
    return Service(guarded.port, STAFF_TOKEN)
