"""Model servers on this machine, with real sockets: what they answer is a function of the request."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

HANG = b""
"""In the place of a part: nothing more is sent until the client is gone."""
CUT = None
"""In the place of a part: the connection is closed."""
PATIENCE = 20.0
"""Seconds after which a client that never goes fails its test."""


@dataclass(frozen=True)
class Request:
    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    """Empty for GET."""
    tries: int
    """Of the same path, this one included."""


@dataclass(frozen=True)
class Reply:
    parts: Iterable[bytes | None] = ()
    """Of the body; also `HANG` and `CUT`. They are sent one by one."""
    status: int | None = 200
    """None: nothing is answered at all."""
    headers: dict[str, str] = field(default_factory=dict)


class Running:
    """A server that is up; `requests` has what reached it."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.left = threading.Event()
        """Set once a client went while the server still had more to send."""
        self.hanging = threading.Event()
        """Set once a reply has come to `HANG`."""
        self.address = ""


@contextmanager
def serving(answer: Callable[[Request], Reply]) -> Iterator[Running]:
    """A server on loopback for as long as the block runs."""
    running = Running()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answered({})

        def do_POST(self) -> None:
            self._answered(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def _answered(self, body: dict[str, Any]) -> None:
            tries = 1 + sum(r.path == self.path for r in running.requests)
            headers = {name.lower(): value for name, value in self.headers.items()}
            running.requests.append(Request(self.path, headers, body, tries))
            reply = answer(running.requests[-1])
            self.close_connection = True
            try:
                if reply.status is not None:
                    self.send_response(reply.status)
                    for name, value in reply.headers.items():
                        self.send_header(name, value)
                    self.send_header("Transfer-Encoding", "chunked")
                    self.end_headers()
                for part in reply.parts:
                    if part is CUT:
                        return
                    if part == HANG:
                        running.hanging.set()
                        self.connection.settimeout(PATIENCE)
                        if self.connection.recv(1) == b"":
                            running.left.set()
                        return
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
                self.wfile.write(b"0\r\n\r\n")
            except OSError:
                running.left.set()

        def log_message(self, format: str, *args: object) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    running.address = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield running
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def event(data: object, name: str | None = None) -> bytes:
    """One server-sent event."""
    return (f"event: {name}\n" if name else "").encode() + f"data: {json.dumps(data)}\n\n".encode()


def problem(status: int, message: str = "no", **headers: str) -> Reply:
    """An error as both interfaces give it; `Retry_After="0"` becomes the header."""
    body = {"error": {"message": message, "type": "error", "code": None, "param": None}}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply([json.dumps(body).encode()], status, {"Content-Type": "application/json", **named})


def delta(text: str | None, finish: str | None = None) -> bytes:
    """A chunk of OpenAI's chat completions."""
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": finish}
    return event({"id": "c", "object": "chat.completion.chunk", "created": 0, "model": "m", "choices": [choice]})


def completion(text: str, finish: str = "stop") -> Reply:
    """A whole answer of OpenAI's interface, word by word."""
    words = [delta(word) for word in text.replace(" ", "\0 ").split("\0")]
    return Reply([*words, delta(None, finish), b"data: [DONE]\n\n"], headers={"Content-Type": "text/event-stream"})


def models(*names: str) -> Reply:
    body = {
        "object": "list",
        "data": [{"id": name, "object": "model", "created": 0, "owned_by": "me"} for name in names],
    }
    return Reply([json.dumps(body).encode()], headers={"Content-Type": "application/json"})


def completing(write: Callable[[str], str]) -> Callable[[Request], Reply]:
    """Answers chat completions with what `write` makes of the user's message."""
    return lambda request: completion(write(request.body["messages"][-1]["content"]))


def quoting(request: Request) -> Reply:
    """Answers either interface with the first line of every passage, cited as that interface does it."""
    content = request.body["messages"][-1]["content"]
    if isinstance(content, str):
        lines = re.findall(r'<passage-\w+ number="(\d+)".*>\n(.*)', content)
        return completion("\n".join(f"{line} [{n}]" for n, line in lines) or "Nothing.")
    found = [part["source"]["data"].split("\n")[0] for part in content[:-1]]
    blocks = [block(i, line + "\n", (i, 0, len(line), line)) for i, line in enumerate(found)]
    return message(*(blocks or [block(0, "Nothing.")]))


Cited = tuple[int, int, int, str]
"""Index of a document block, start and end in it, the text there."""


def block(index: int, text: str, *cited: Cited) -> list[bytes]:
    """A text block of Anthropic's interface, word by word, with its citations."""
    start = {"type": "text", "text": "", "citations": [] if cited else None}
    events: list[dict[str, Any]] = [{"type": "content_block_start", "index": index, "content_block": start}]
    for word in text.replace(" ", "\0 ").split("\0"):
        events.append({"type": "content_block_delta", "index": index, "delta": {"type": "text_delta", "text": word}})
    for document, a, b, said in cited:
        place = {
            "type": "char_location",
            "document_index": document,
            "document_title": None,
            "start_char_index": a,
            "end_char_index": b,
            "cited_text": said,
        }
        found = {"type": "citations_delta", "citation": place}
        events.append({"type": "content_block_delta", "index": index, "delta": found})
    return [event(e, e["type"]) for e in [*events, {"type": "content_block_stop", "index": index}]]


def message(*blocks: list[bytes], finish: str | None = "end_turn") -> Reply:
    """A whole answer of Anthropic's interface; without `finish` it stops before its end."""
    usage = {"input_tokens": 1, "output_tokens": 1}
    start = {"id": "m", "type": "message", "role": "assistant", "content": [], "model": "m", "usage": usage}
    ending = [
        {"type": "message_delta", "delta": {"stop_reason": finish, "stop_sequence": None}, "usage": usage},
        {"type": "message_stop"},
    ]
    parts = [event({"type": "message_start", "message": start}, "message_start"), *(e for b in blocks for e in b)]
    parts += [event(e, e["type"]) for e in ending] if finish else []
    return Reply(parts, headers={"Content-Type": "text/event-stream"})
