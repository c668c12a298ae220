"""What holds for every hosted model: stopping is immediate, keys stay secret, and only safe addresses are spoken to."""

from __future__ import annotations

import gzip
import logging
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from assistant.api import Assistant
from assistant.config import Settings
from assistant.generators.openai import OpenAIGenerator
from assistant.types import Prompt
from corpus.errors import UnavailableError, UsageError
from embeddings.hashing import HashingEmbedder
from tests.assistant.generators.servers import HANG, Reply, Request, Running, completion, delta, problem, serving
from tests.assistant.generators.test_secrets import SHAPES

pytest.importorskip("openai", reason="the extra `openai` isn't installed")
ANSWER = "It opens on 6 May 2024 [1]."
QUICK = Settings(read_timeout=5.0, connect_timeout=5.0, retries=2)


def at(server: Running) -> OpenAIGenerator:
    return OpenAIGenerator("little", replace(QUICK, base_url=f"{server.address}/v1"))


@pytest.mark.parametrize("reply", [Reply([HANG], status=None), Reply([HANG]), Reply([delta("It opens"), HANG])])
@pytest.mark.parametrize("by", ["draft", "generator"])
def test_closing_stops_a_server_that_hangs_at_once(prompt: Prompt, reply: Reply, by: str) -> None:
    with serving(lambda _: reply) as server:
        generator = at(server)
        draft = generator.generate(prompt)
        reader = threading.Thread(target=lambda: list(draft))
        reader.start()
        assert server.hanging.wait(10)
        started = time.perf_counter()
        (draft if by == "draft" else generator).close()
        reader.join(5)
        assert time.perf_counter() - started < 2  # 0.5 is asked for; a busy machine is forgiven
        assert server.left.wait(5)
        draft.thread.join(5)
        assert not draft.thread.is_alive()


def test_closing_ends_the_wait_for_another_try(prompt: Prompt) -> None:
    with serving(lambda _: problem(429, Retry_After="25")) as server:
        draft = at(server).generate(prompt)
        while not server.requests:
            draft.thread.join(0.01)
        draft.close()
        draft.thread.join(5)
        assert not draft.thread.is_alive() and list(draft) == []


@pytest.mark.parametrize("shape", SHAPES)
def test_a_key_is_in_no_error_and_no_log(
    prompt: Prompt, shape: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", shape)
    with caplog.at_level(logging.DEBUG):
        errors = [_told(status, prompt) for status in (400, 401, 500)]
    assert caplog.records
    assert not [t for t in (*errors, caplog.text) if shape in t or shape[8:] in t]


def _told(status: int, prompt: Prompt) -> str:
    """What the user is told by a server that gives the key away."""

    def answer(request: Request) -> Reply:
        return problem(status, f"bad key {request.headers['authorization']}", Retry_After="0")

    with serving(answer) as server, pytest.raises(UnavailableError) as raised:
        list(at(server).generate(prompt))
    return str(raised.value)


def test_a_key_is_not_in_the_history_and_an_error_leaves_the_conversation_usable(
    museum: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SHAPES[1])
    history = tmp_path / "history.sqlite3"

    def answer(request: Request) -> Reply:
        return problem(401) if request.tries == 1 else completion("The repairs to the roof cost £412,000 [1].")

    with (
        serving(answer) as server,
        Assistant.open(
            museum, generator=at(server), embedder=HashingEmbedder(), reranker=None, history=history
        ) as desk,
    ):
        with pytest.raises(UnavailableError, match="refused the key"):
            desk.ask("How much did the repairs to the roof cost?", conversation="c")
        assert not desk.ask("How much did the repairs to the roof cost?", conversation="c").refused
    assert server.requests[-1].headers["authorization"] == f"Bearer {SHAPES[1]}"
    assert not [f for f in tmp_path.iterdir() if SHAPES[1].encode() in f.read_bytes()]


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("http://example.com/v1", "unencrypted: use https"),
        ("http://8.8.8.8/v1", "unencrypted: use https"),
        ("http://localhost.example.com/v1", "unencrypted: use https"),
        ("ftp://127.0.0.1/v1", "is not an address"),
        ("127.0.0.1:8000", "is not an address"),
        ("http://127.0.0.1:port/v1", "is not an address"),
        ("http://[::1/v1", "is not an address"),
        ("http://127.0.0.1:1/v1\0", "is not an address"),
        ("http://127.0.0.1:1/\nv1", "is not an address"),
        ("me:hunter2x@host", "is not an address"),
        ("https://user:hunter2x/w@h:bad/v1", "is not an address"),
        ("https://user:hunter2x@example.com/v1", "more than an address"),
        ("https://user:12/hunter2x@example.com/v1", "more than an address"),
        (f"https://me:{SHAPES[0]}@example.com/v1", "more than an address"),
        (f"https://example.com/v1?api-key={SHAPES[0]}", "more than an address"),
    ],
)
def test_addresses_that_are_refused(address: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as raised:
        OpenAIGenerator("little", Settings(base_url=address))
    assert SHAPES[0] not in str(raised.value) and "hunter2x" not in str(raised.value)


def test_json_without_end_is_no_answer(prompt: Prompt) -> None:
    deep = Reply([b"data: " + b"[" * 200_000 + b"\n\n"], headers={"Content-Type": "text/event-stream"})
    with serving(lambda _: deep) as server, pytest.raises(UnavailableError, match="is not an answer in the form of"):
        list(at(server).generate(prompt))


@pytest.mark.parametrize("status", [200, 400, 404])
def test_compression_is_declined_and_a_compressed_answer_is_not_unpacked(prompt: Prompt, status: int) -> None:
    packed = Reply([gzip.compress(b"data: " + b"0" * 1_000_000)], status, {"Content-Encoding": "gzip"})
    with serving(lambda _: packed) as server, pytest.raises(UnavailableError, match="sent a compressed answer"):
        list(at(server).generate(prompt))
    assert {request.headers["accept-encoding"] for request in server.requests} == {"identity"}


@pytest.mark.parametrize(
    ("variable", "value"), [("SSL_CERT_FILE", "/no/such/file"), ("ALL_PROXY", "gopher://user:hunter2x@127.0.0.1:9")]
)
def test_an_environment_that_no_client_can_be_made_in_is_told(
    prompt: Prompt, variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "any")
    monkeypatch.setenv(variable, value)
    generator = OpenAIGenerator("little", replace(QUICK, base_url="https://models.invalid/v1"))
    with pytest.raises(
        UnavailableError, match=r"can't be asked \(\w+\): check base_url, and .*SSL_CERT_FILE"
    ) as raised:
        list(generator.generate(prompt))
    assert "hunter2x" not in str(raised.value)


@pytest.mark.parametrize("address", ["http://localhost:1/v1", "http://[::1]:1/v1", "http://192.168.1.5:1/v1"])
def test_addresses_that_may_be_plain(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "any")
    assert OpenAIGenerator("little", Settings(base_url=address)).name == "openai:little"


def test_hosted_models_need_a_key_of_their_service(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="no key for 'openai': set OPENAI_API_KEY"):
        OpenAIGenerator("gpt", Settings())
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", "https://ours.openai.azure.com/")
    with pytest.raises(UsageError, match="no key for 'azure': set AZURE_OPENAI_API_KEY"):
        OpenAIGenerator("deployment", Settings())


def test_the_environment_says_where_and_the_settings_say_it_louder(
    prompt: Prompt, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(lambda _: completion(ANSWER)) as one, serving(lambda _: completion("Other [1].")) as other:
        monkeypatch.setenv("OPENAI_BASE_URL", f"{one.address}/v1")
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")  # not asked for what is on this machine
        assert "".join(OpenAIGenerator("little", QUICK).generate(prompt)) == ANSWER
        assert "".join(at(other).generate(prompt)) == "Other [1]."
    assert (len(one.requests), len(other.requests)) == (1, 1)


def test_azure_is_spoken_to_by_its_v1_interface(prompt: Prompt, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(lambda _: completion(ANSWER)) as server:
        monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", f"{server.address}/")
        assert "".join(OpenAIGenerator("deployment", QUICK).generate(prompt)) == ANSWER
    assert server.requests[0].path == "/openai/v1/chat/completions"
