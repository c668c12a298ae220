"""OpenAI's interface against real servers on this machine, well and badly behaved."""

from __future__ import annotations

import itertools
import re
import socket
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from assistant.config import Settings
from assistant.generators import generator_named
from assistant.generators.drafting import MOST_CHARACTERS
from assistant.generators.openai import OpenAIGenerator
from assistant.prompting import messages
from assistant.types import Prompt
from corpus.errors import AssistantError, ModelUnavailable, UnavailableError
from embeddings.hashing import HashingEmbedder
from tests.assistant.generators.servers import (
    CUT,
    HANG,
    Reply,
    Request,
    Running,
    completing,
    completion,
    delta,
    event,
    models,
    problem,
    serving,
)
from tests.assistant.generators.test_secrets import SHAPES

pytest.importorskip("openai", reason="the extra `openai` isn't installed")
ANSWER = "It opens on 6 May 2024 [1]. It is closed on Mondays [2]."
QUICK = Settings(read_timeout=5.0, connect_timeout=5.0, retries=2)


def at(server: Running, settings: Settings = QUICK) -> OpenAIGenerator:
    return OpenAIGenerator("little", replace(settings, base_url=f"{server.address}/v1"))


def failure(answer: Callable[[Request], Reply], prompt: Prompt, settings: Settings = QUICK) -> tuple[str, Running]:
    """What the user is told."""
    with serving(answer) as server, pytest.raises(AssistantError) as raised:
        list(at(server, settings).generate(prompt))
    assert type(raised.value) in (UnavailableError, ModelUnavailable)
    text = str(raised.value)
    assert server.address in text and "'little'" in text and ": " in text and "\n" not in text
    return text, server


def test_an_answer_streams_and_the_request_is_what_was_meant(prompt: Prompt) -> None:
    with serving(completing(lambda content: ANSWER)) as server:
        generator = generator_named(
            "openai:little", replace(QUICK, base_url=f"{server.address}/v1"), None, HashingEmbedder()
        )
        deltas = list(generator.generate(prompt))
    assert len(deltas) > 5 and "".join(deltas) == ANSWER
    (request,) = server.requests
    instructions, content = messages(prompt)
    assert request.path == "/v1/chat/completions"
    assert request.headers["authorization"] == "Bearer none"
    assert request.body == {
        "model": "little",
        "messages": [{"role": "system", "content": instructions}, {"role": "user", "content": content}],
        "max_tokens": 500,
        "temperature": 0,
        "stream": True,
    }


def test_other_languages_arrive_as_they_are(prompt: Prompt) -> None:
    answer = "Музей откроется 6 мая 2024 года [1]. 博物馆将开放。 يفتح المتحف [2]."
    with serving(lambda _: completion(answer)) as server:
        assert "".join(at(server).generate(prompt)) == answer


@pytest.mark.parametrize(
    ("finish", "cut"),
    [("length", "the model reached its limit of tokens"), ("content_filter", "filter"), ("stop", None)],
)
def test_why_a_model_stopped_early_is_said(prompt: Prompt, finish: str, cut: str | None) -> None:
    with serving(lambda _: completion(ANSWER, finish)) as server:
        draft = at(server).generate(prompt)
        assert "".join(draft) == ANSWER
    assert (draft.cut is None) == (cut is None)
    assert (cut or "") in (draft.cut or "")


def test_many_drafts_at_once_keep_apart(prompt: Prompt) -> None:
    with serving(completing(lambda content: content[-9:] + " [1].")) as server:
        generator = at(server)
        drafts = [generator.generate(replace(prompt, question=f"number {n:02}?")) for n in range(8)]
        drafts[3].close()
        texts = ["".join(draft) for draft in drafts]
    assert texts == ["" if n == 3 else f"umber {n:02}? [1]." for n in range(8)]


def test_no_server(prompt: Prompt) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
    with pytest.raises(UnavailableError, match=rf"{address}.*'little' can't be reached: start it, or set base_url"):
        list(OpenAIGenerator("little", replace(QUICK, base_url=address)).generate(prompt))


def test_a_server_that_accepts_no_connection_in_time(prompt: Prompt) -> None:
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for filler in (first, second):
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        address = f"http://127.0.0.1:{full.getsockname()[1]}/v1"
        quick = replace(QUICK, base_url=address, connect_timeout=0.1)
        with pytest.raises(UnavailableError, match=r"can't be reached in 0.1 s: check base_url and connect_timeout"):
            list(OpenAIGenerator("little", quick).generate(prompt))


@pytest.mark.parametrize("status", [401, 403])
def test_a_wrong_key(prompt: Prompt, status: int) -> None:
    text, server = failure(lambda _: problem(status), prompt)
    assert f"refused the key ({status}): set OPENAI_API_KEY" in text
    assert len(server.requests) == 1


def test_an_unknown_model_is_named_with_those_there_are(prompt: Prompt) -> None:
    def answer(request: Request) -> Reply:
        return models("small", "big") if request.path == "/v1/models" else problem(404)

    with pytest.raises(ModelUnavailable, match="has no such model: it has big, small"), serving(answer) as server:
        list(at(server).generate(prompt))
    assert "check the model's name and base_url" in failure(lambda _: problem(404), prompt)[0]


def test_too_many_requests_are_waited_for(prompt: Prompt) -> None:
    def answer(request: Request) -> Reply:
        return completion(ANSWER) if request.tries == 3 else problem(429, Retry_After="0")

    with serving(answer) as server:
        assert "".join(at(server).generate(prompt)) == ANSWER
    assert len(server.requests) == 3


def test_too_many_requests_without_end(prompt: Prompt) -> None:
    text, server = failure(lambda _: problem(429, Retry_After="0"), prompt)
    assert "takes no more requests for now (429) (3 tries): wait" in text
    assert len(server.requests) == 3


def test_a_server_that_asks_for_too_much_patience_is_not_tried_again(prompt: Prompt) -> None:
    text, server = failure(lambda _: problem(429, Retry_After="3600"), prompt)
    assert "(429): wait" in text
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [500, 503])
def test_a_server_that_fails(prompt: Prompt, status: int) -> None:
    text, server = failure(lambda _: problem(status, "out of\nmemory \x1b[31m", Retry_After="0"), prompt)
    assert f"failed (3 tries) with {status}, saying 'out of memory ␛[31m': try again later" in text
    assert len(server.requests) == 3


def test_back_off_without_a_word_from_the_server(prompt: Prompt) -> None:
    def answer(request: Request) -> Reply:
        return completion(ANSWER) if request.tries == 2 else problem(502)

    with serving(answer) as server:
        started = time.perf_counter()
        assert "".join(at(server).generate(prompt)) == ANSWER
    assert time.perf_counter() - started > 0.5


def test_a_refused_request_says_why(prompt: Prompt) -> None:
    text, server = failure(lambda _: problem(400, "context too long"), prompt)
    assert "refused the request (400), saying 'context too long': check model and settings" in text
    assert len(server.requests) == 1


def test_parameters_that_a_model_refuses_are_left_out_from_then_on(prompt: Prompt) -> None:
    def answer(request: Request) -> Reply:
        if "max_tokens" in request.body:
            return problem(400, "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.")
        if "temperature" in request.body:
            return problem(400, "Unsupported value: 'temperature' does not support 0 with this model.")
        return completion(ANSWER)

    with serving(answer) as server:
        generator = at(server)
        assert ["".join(generator.generate(prompt)) for _ in range(2)] == [ANSWER, ANSWER]
    assert len(server.requests) == 4
    assert server.requests[-1].body["max_completion_tokens"] == 500
    assert failure(lambda _: problem(400, "'temperature' and 'max_completion_tokens'"), prompt)[1].requests[2:3]


@pytest.mark.parametrize("reply", [Reply([HANG], status=None), Reply([HANG]), Reply([delta("It opens"), HANG])])
def test_a_server_that_hangs(prompt: Prompt, reply: Reply) -> None:
    text, server = failure(lambda _: reply, prompt, replace(QUICK, read_timeout=0.1))
    assert "sent nothing for 0.1 s: try again, or raise read_timeout" in text
    assert server.left.wait(5)


def test_a_stream_cut_in_the_middle(prompt: Prompt) -> None:
    text, server = failure(lambda _: Reply([delta("It opens on"), CUT]), prompt)
    assert "closed the connection in the middle of its answer: ask again" in text
    assert len(server.requests) == 1


def test_a_stream_that_ends_in_the_middle_as_if_it_were_whole(prompt: Prompt) -> None:
    text, _ = failure(lambda _: Reply([delta("It opens on")]), prompt)
    assert "ended in the middle of its answer: ask again" in text


def test_a_connection_lost_before_the_first_word_is_tried_again(prompt: Prompt) -> None:
    def answer(request: Request) -> Reply:
        return completion(ANSWER) if request.tries == 2 else Reply([CUT], status=None)

    with serving(answer) as server:
        assert "".join(at(server).generate(prompt)) == ANSWER


@pytest.mark.parametrize("text", ["", " \n "])
def test_empty_output(prompt: Prompt, text: str) -> None:
    said, _ = failure(lambda _: completion(text), prompt)
    assert "wrote nothing and stopped for 'stop': ask again" in said


def test_endless_output_is_cut(prompt: Prompt) -> None:
    with serving(lambda _: Reply(itertools.repeat(delta("and so on " * 50)))) as server:
        draft = at(server).generate(prompt)
        assert len("".join(draft)) == MOST_CHARACTERS
        assert draft.cut == "the model wrote without end"
        assert server.left.wait(5)


@pytest.mark.parametrize("part", [b": still there" * 9000 + b"\n\n", b"data: one line without an end" * 3000])
def test_endless_output_without_a_word_is_an_error(prompt: Prompt, part: bytes) -> None:
    text, server = failure(lambda _: Reply(itertools.repeat(part)), prompt)
    assert "sent what is not an answer in the form of openai" in text
    assert server.left.wait(5)


@pytest.mark.parametrize(
    "part",
    [
        b"data: {not json\n\n",
        b"data: \xff\xfe\n\n",
        event([1, 2]),
        event("words"),
        event({"choices": [7]}),
        event({"choices": "x"}),
        event({"choices": [{"delta": "x", "finish_reason": None}]}),
        b"<html><body>Welcome</body></html>",
        b'{"choices": [{"message": {"content": "not streamed"}}]}',
        b"\0" * 1000,
    ],
)
def test_what_is_no_answer(prompt: Prompt, part: bytes) -> None:
    text, server = failure(lambda _: Reply([part]), prompt)
    assert re.search("not an answer in the form of openai: check base_url|ended in the middle", text)
    assert len(server.requests) == 1


def test_an_error_in_the_stream(prompt: Prompt) -> None:
    text, _ = failure(lambda _: Reply([delta("It"), event({"error": {"message": "out of memory"}})]), prompt)
    assert "broke off its answer, saying 'out of memory': ask again" in text


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(prompt: Prompt, status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SHAPES[0])
    with serving(lambda _: completion(ANSWER)) as other:
        moved = Reply(status=status, headers={"Location": f"{other.address}/v1/chat/completions"})
        text, _ = failure(lambda _: moved, prompt)
    assert f"sends its callers to another address ({status}), which is not followed" in text
    assert other.requests == []
