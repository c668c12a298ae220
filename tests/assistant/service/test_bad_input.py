"""What is wrong is told as a problem, and the service goes on."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.api import Assistant
from assistant.records.history import History
from assistant.service.problems import Problem, problem_of
from assistant.service.schemas import check, parse
from corpus.errors import UsageError
from embeddings.hashing import HashingEmbedder

ASKED = {"question": "Thanks!"}


@pytest.fixture(autouse=True)
def _goes_on(service):
    yield
    assert service.ask("Thanks!")["refused"]


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b"", 400, "not JSON"),
        (b"{", 400, "not JSON"),
        (b'{"question": "Thanks!"} x', 400, "not JSON"),
        (b"\xff\xfe", 400, "not UTF-8"),
        (b'\xef\xbb\xbf{"question": "Thanks!"}', 400, "not JSON"),
        (b'{"question": "Thanks!", "question": "no"}', 400, "'question' twice"),
        (b'{"question": NaN}', 400, "number"),
        (b'{"question": ' + b"9" * 5000 + b"}", 400, "number"),
        (b"[" * 100_000 + b"]" * 100_000, 400, "nested too deeply"),
        (b'{"question": ' + b'{"a":' * 50_000 + b"1" + b"}" * 50_000 + b"}", 400, "nested too deeply"),
        (b"[]", 422, "the body must be of type object"),
        (b"{}", 422, "question is missing"),
        (b'{"question": null}', 422, "question must be of type string"),
        (b'{"question": ""}', 422, "question has 0 characters"),
        (b'{"question": "   "}', 422, "the question is empty"),
        (b'{"question": "\\ud800"}', 422, "half of a character"),
        (b'{"question": "x", "colour": 1}', 422, "colour isn't known"),
        (b'{"question": "x", "where": {"date_from": "2024-02-30"}}', 422, "where.date_from must be a day"),
        (b'{"question": "x", "where": {"date_from": "2024-02-02", "date_to": "2024-01-01"}}', 422, "no day lies"),
        (b'{"question": "x", "where": {"paths": ["' + b"*" * 500 + b'", "' + b"?" * 500 + b'", "["]}}', 422, "1,001"),
        (b'{"question": "x", "timeout": 0}', 422, "timeout must be above 0"),
        (b'{"question": "x", "timeout": 1e999}', 422, "timeout must be"),
        (b'{"question": "x", "timeout": ' + b"9" * 400 + b"}", 422, "timeout must be above 0 and 600 or less"),
        (b'{"question": "x", "\\ud800": 1}', 422, "half of a character"),
        (b'{"question": "x", "timeout": true}', 422, "timeout must be of type number"),
        (b'{"question": "x", "history": [{"answer": "y"}]}', 422, "history.0.question is missing"),
        (b'{"question": "x", "audience": "public"}', 422, "audience must be of type array"),
        (b'{"question": "x", "conversation": ""}', 422, "conversation has 0 characters"),
    ],
)
def test_body(service, body: bytes, status: int, said: str) -> None:
    reply = service.post("/ask", body)
    assert (reply.status, reply.headers["content-type"]) == (status, "application/problem+json")
    assert said in reply.json["detail"] and reply.json["status"] == status


def test_what_is_ignored_may_be_anything(service) -> None:
    chat = b'{"model": "m", "messages": [{"role": "user", "content": "Thanks!"}], "seed": ' + b"9" * 400 + b', "x": '
    assert service.post("/v1/chat/completions", chat + b'{"a":' * 700 + b"1" + b"}" * 701).status == 200


def test_body_that_is_too_large_or_no_json(service) -> None:
    assert service.post("/ask", b'{"question": "' + b"x" * (1 << 20) + b'"}').status == 413
    assert service.post("/ask", ASKED, Content_Type="text/plain").status == 415
    assert service.post("/ask", ASKED, Content_Type="application/json; charset=utf-8").status == 200
    endless = [b"x" * 65536] * 20
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=30)
    connection.request("POST", "/ask", iter(endless), {"Content-Type": "application/json"}, encode_chunked=True)
    assert connection.getresponse().status == 413
    connection.close()


@pytest.mark.parametrize("path", ["/", "/nothing", "/v2/models", "/documents/", "/v1/chat/completions/", "/ask/"])
def test_unknown_path(service, path: str) -> None:
    assert service.get(path).status in (404, 405)


def test_method(service) -> None:
    reply = service.request("DELETE", "/ask")
    assert (reply.status, reply.headers["allow"]) == (405, "POST")
    assert service.request("OPTIONS", "/ask").status == 405
    assert service.request("GET", "/v1/chat/completions").json["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    "name",
    [
        "0" * 32, "../health", "..%2fhealth", "%2e%2e/health", "%2e%2e%2f%2e%2e%2fetc%2fpasswd", "opening.md", "%00",
        "0" * 31 + "%00", "a" * 5000, "%ff%fe", "%C3%A9", "0%2F0", "..", "%E2%80%AE", "A" * 32, "0" * 32 + "%0a",
    ],
)  # fmt: skip
def test_tricks_in_the_id_of_a_document_are_like_an_unknown_one(service, name: str) -> None:
    unknown = service.get("/documents/" + "1" * 32)
    reply = service.get(f"/documents/{name}")
    assert (reply.status, reply.body) == (unknown.status, unknown.body) == (404, unknown.body)
    assert service.get(f"/proofs/{name}").body == unknown.body


@pytest.mark.parametrize(
    "query", ["start=-1", "start=x", "end=1e3", "start=%D9%A1", "start=99999999999", "start=2&end=1", "end=999999"]
)
def test_span_that_no_document_has(service, query: str) -> None:
    document = service.get("/documents").json["documents"][0]["id"]
    assert service.get(f"/documents/{document}?{query}").status == 422
    assert service.get(f"/documents/{'1' * 32}?{query}").status in (404, 422)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("?limit=-1", "limit must be 1 or more and 1,000 or less"),
        (f"?limit={'9' * 300}", "limit must be 1 or more and 1,000 or less"),
        ("?offset=-1", "offset must be 0 or more and 1,000,000,000 or less"),
        ("?offset=two", "offset must be of type integer"),
        ("/ID?start=-1", "start must be 0 or more and 1,000,000,000 or less"),
        ("/ID?start=1", "end is missing: give where the characters begin and end, or neither"),
        ("/ID?start=2&end=1", "There are no characters 2 to 1"),
    ],
)
def test_query_that_is_wrong_is_told(service, path: str, said: str) -> None:
    document = service.get("/documents").json["documents"][0]["id"]
    reply = service.get("/documents" + path.replace("ID", document))
    assert reply.status == 422 and said in reply.json["detail"]


def test_other_web_pages_cannot_ask_through_a_browser(service) -> None:
    assert service.get("/documents", Host="evil.example").status == 403
    assert service.get("/health", Host=f"127.0.0.1.evil.example:{service.port}").status == 403
    assert service.post("/ask", ASKED, Origin="https://evil.example").status == 403
    assert service.post("/ask", ASKED, Origin="null").status == 403
    assert service.post("/ask", ASKED, Origin=service.url).status == 200
    assert service.get("/health", Host="localhost").status == 200
    assert "access-control-allow-origin" not in service.get("/health", Origin=service.url).headers


def test_every_response_has_its_headers(service) -> None:
    for reply in (service.get("/health"), service.get("/nothing"), service.get("/health", Host="evil.example")):
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert reply.headers["cache-control"] == "no-store"
        assert "server" not in reply.headers


def test_broken_http(service) -> None:
    for sent in (b"GET\r\n\r\n", b"\x16\x03\x01\x02\x00", b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 20_000):
        with socket.create_connection(("127.0.0.1", service.port), timeout=30) as raw:
            try:
                raw.sendall(sent)
                assert raw.recv(100).startswith(b"HTTP/1.1 4")
            except ConnectionError:  # it has read enough
                pass


@pytest.mark.parametrize("path", ["/ask", "/nothing"])
def test_body_that_breaks_off_is_a_client_that_has_gone(service, caplog, path: str) -> None:
    sent = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    with socket.create_connection(("127.0.0.1", service.port), timeout=30) as raw:
        raw.sendall(sent.encode() + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n")
        assert raw.recv(100).startswith(b"HTTP/1.1 400")
        while raw.recv(100):
            pass
    assert service.get("/health").status == 200
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []


def test_failures_of_the_desk(serve: Callable[..., AbstractContextManager[Any]], open_museum, scripted, caplog) -> None:
    def draft(prompt: Any) -> Any:
        raise ValueError("the text of a document")

    question = {"question": "When does the Marram Museum open?"}
    chat = {"model": "passim", "messages": [{"role": "user", "content": question["question"]}]}
    for streamed in (False, True):
        with open_museum(scripted(draft)) as desk, serve(desk) as service:
            reply = service.post("/ask", question)
            assert reply.status == 503 and b"text of a document" not in reply.body
            told = service.post("/v1/chat/completions", chat | {"stream": streamed})
            assert (told.status, told.json["error"]["type"]) == (503, "server_error")
            assert b"text of a document" not in told.body
            assert 'outcome="failed"} 2.0' in service.get("/metrics").body.decode()
    assert "UnavailableError" in caplog.text and "text of a document" not in caplog.text


def test_what_a_client_does_wrong_is_no_failure(serve, open_museum) -> None:
    chat = {"model": "passim", "messages": [{"role": "user", "content": "Thanks!"}]}
    with open_museum() as desk, serve(desk) as service:
        assert service.post("/ask", {"question": "Thanks!", "audience": ["nobody"]}).status == 403
        assert service.post("/v1/chat/completions", chat | {"audience": ["nobody"]}).status == 403
        assert service.post("/ask", {"question": " "}).status == 422
        counted = service.get("/metrics").body.decode()
    assert 'outcome="invalid"} 3.0' in counted and "failed" not in counted


def test_desk_that_was_closed_names_no_file(serve, open_museum, tmp_path: Path) -> None:
    with open_museum(history=tmp_path / "h") as desk, serve(desk) as service:
        answer = service.ask("When does the Marram Museum open?")
        document = service.get("/documents").json["documents"][0]["id"]
        desk.close()
        for reply in (
            service.post("/ask", ASKED),
            service.post("/feedback", {"answer": answer["id"], "judgement": "right"}),
            *(service.get(path) for path in ("/documents", f"/documents/{document}", f"/proofs/{answer['id']}")),
        ):
            assert (reply.status, reply.json["detail"]) == (503, "The service is ending: ask again later.")


def test_history_that_closes_meanwhile_names_no_file(tmp_path: Path) -> None:
    history = History(tmp_path / "h")
    history.close()
    (tmp_path / "h").touch()
    with pytest.raises(UsageError, match="is closed") as raised:
        history.records()
    told = problem_of(raised.value)
    assert told.status == 503 and str(tmp_path) not in told.detail


class _Broken(HashingEmbedder):
    def embed_query(self, text: str) -> Any:
        raise LookupError("the text of a document")


def test_error_that_nobody_foresaw_is_told_without_details(serve, museum: Path, tmp_path: Path, caplog) -> None:
    with (
        Assistant.open(museum, embedder=_Broken(), reranker=None, history=tmp_path / "h") as desk,
        serve(desk) as service,
    ):
        reply = service.post("/search", {"question": "When does the museum open?"})
        assert (reply.status, reply.json["detail"]) == (500, "Something went wrong here; it was logged.")
        assert service.get("/health").status == 200
    assert "LookupError" in caplog.text and "text of a document" not in caplog.text


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_are_a_value_or_a_problem(body: bytes) -> None:
    try:
        parse(body)
    except Problem as problem:
        assert problem.status == 400


_SCHEMA = {
    "type": "object",
    "properties": {"n": {"type": "integer", "minimum": 1, "maximum": 3}, "t": {"type": ["string", "null"]}},
    "required": ["n"],
    "additionalProperties": False,
}


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 5) | st.text(max_size=3),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from("ntx"), inner),
)


@settings(deadline=None)
@given(_VALUES)
def test_checked_as_json_schema_has_it(value: Any) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    try:
        check(value, _SCHEMA)
        passed = True
    except Problem:
        passed = False
    assert passed == jsonschema.Draft202012Validator(_SCHEMA).is_valid(value)
