"""Anthropic's interface against real servers on this machine: its citations become numbers and exact spans."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from assistant.citations import parse_draft
from assistant.config import Settings
from assistant.generators import generator_named
from assistant.generators.anthropic import AnthropicGenerator
from assistant.prompting import CITING
from assistant.types import Passage, Prompt
from corpus.errors import ModelUnavailable, UnavailableError, UsageError
from corpus.types import Chunk
from embeddings.hashing import HashingEmbedder
from tests.assistant.generators.servers import CUT, HANG, Cited, Reply, Running, block, event, message, problem, serving
from tests.assistant.generators.test_secrets import SHAPES

pytest.importorskip("anthropic", reason="the extra `anthropic` isn't installed")
OPENS: Cited = (0, 0, 32, "The museum opens on 6 May 2024. ")
COSTS: Cited = (0, 32, 47, "Entry costs £4.")
CLOSED: Cited = (1, 0, 24, "It is closed on Mondays.")
QUICK = Settings(read_timeout=5.0, connect_timeout=5.0, retries=1)


def at(server: Running, settings: Settings = QUICK) -> AnthropicGenerator:
    return AnthropicGenerator("opus", replace(settings, base_url=server.address))


def written(prompt: Prompt, *blocks: list[bytes]) -> tuple[str, dict[tuple[str, int], tuple[int, int]]]:
    """Text and spans."""
    with serving(lambda _: message(*blocks)) as server:
        draft = at(server).generate(prompt)
        return "".join(draft), draft.spans


def test_passages_are_documents_with_citations_on(prompt: Prompt) -> None:
    with serving(lambda _: message(block(0, "It opens on 6 May 2024.", OPENS))) as server:
        named = generator_named("anthropic:opus", replace(QUICK, base_url=server.address), None, HashingEmbedder())
        assert "".join(named.generate(prompt)) == "It opens on 6 May 2024. [1]"
    (request,) = server.requests
    assert request.path == "/v1/messages"
    *documents, question = request.body["messages"][0]["content"]
    assert documents[1] == {
        "type": "document",
        "source": {"type": "text", "media_type": "text/plain", "data": "It is closed on Mondays."},
        "title": "Note",
        "context": "undated",
        "citations": {"enabled": True},
    }
    assert question == {"type": "text", "text": "When does it open?"}
    assert "[2]" not in request.body["system"] and CITING not in request.body["system"]
    assert (request.body["model"], request.body["max_tokens"], request.body["stream"]) == ("opus", 500, True)


def test_numbers_come_after_the_sentence_and_spans_are_exact(prompt: Prompt) -> None:
    text, spans = written(
        prompt,
        block(0, "According to the note, "),
        block(1, "the museum opens on 6 May 2024", OPENS),
        block(2, " and "),
        block(3, "is closed on Mondays", CLOSED),
        block(4, ". Entry"),
        block(5, " costs £4.", COSTS),
        block(6, " Ask at the desk."),
    )
    assert parse_draft(text) == [
        ("According to the note, the museum opens on 6 May 2024 and is closed on Mondays.", (1, 2)),
        ("Entry costs £4.", (1,)),
        ("Ask at the desk.", ()),
    ]
    opens, costs = (sentence for sentence, numbers in parse_draft(text) if numbers)
    assert spans == {(opens, 1): (0, 31), (opens, 2): (0, 24), (costs, 1): (32, 47)}
    document = prompt.passages[0].document.text
    assert (document[0:31], document[32:47]) == ("The museum opens on 6 May 2024.", "Entry costs £4.")


def test_what_one_sentence_cites_of_one_passage_is_covered_by_one_span(prompt: Prompt) -> None:
    _, spans = written(prompt, block(0, "It opens on 6 May 2024  and costs £4.", COSTS, OPENS))
    assert spans == {("It opens on 6 May 2024 and costs £4.", 1): (0, 47)}


def test_every_sentence_of_a_cited_block_has_its_number(prompt: Prompt) -> None:
    text, _ = written(
        prompt, block(0, "It opens on 6 May 2024. Entry costs £4.\n\n- It is shut on Mondays", OPENS, COSTS)
    )
    assert [numbers for _, numbers in parse_draft(text)] == [(1,), (1,), (1,)]


def test_spans_count_characters_of_the_document_and_not_of_the_passage(passage_of: Callable[..., Passage]) -> None:
    whole = passage_of("Before. The wall is 640 metres long [7]. After.")
    chunk = Chunk(whole.document.id, 8, 40, whole.document.text[8:40])
    prompt = Prompt("How long?", (replace(whole, chunk=chunk),))
    text, spans = written(prompt, block(0, "It is 640 metres long.", (0, 0, 32, "The wall is 640 metres long (7).")))
    assert (text, spans) == ("It is 640 metres long. [1]", {("It is 640 metres long.", 1): (8, 40)})


@pytest.mark.parametrize(
    "cited",
    [(0, 1, 32, OPENS[3]), (0, 0, 3000, "x"), (0, -5, -1, "£4."), (0, 0, 5, "Other"), (0, 31, 0, ""), (0, 31, 32, " ")],
)
def test_a_place_that_does_not_hold_what_is_cited_is_dropped_and_the_citation_kept(
    prompt: Prompt, cited: Cited
) -> None:
    assert written(prompt, block(0, "It opens on 6 May 2024.", cited)) == ("It opens on 6 May 2024. [1]", {})


@pytest.mark.parametrize("index", [2, 98, -1])
def test_a_document_that_was_not_sent_is_an_invented_number(prompt: Prompt, index: int) -> None:
    text, spans = written(prompt, block(0, "It opens in May.", (index, 0, 3, "The")))
    assert spans == {}
    assert not {n for _, numbers in parse_draft(text) for n in numbers} & {1, 2}


def test_the_message_of_a_model_without_citations_is_text(prompt: Prompt) -> None:
    assert written(prompt, block(0, "The passages do not hold the answer.")) == (
        "The passages do not hold the answer.",
        {},
    )


@pytest.mark.parametrize(
    ("finish", "cut"),
    [("end_turn", None), ("max_tokens", "the model reached its limit of tokens"), ("refusal", "the model declined")],
)
def test_why_it_stopped_early_is_said(prompt: Prompt, finish: str, cut: str | None) -> None:
    with serving(lambda _: message(block(0, "It opens"), finish=finish)) as server:
        draft = at(server).generate(prompt)
        assert "".join(draft) == "It opens"
    assert draft.cut == cut


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (problem(401), r"refused the key \(401\): set ANTHROPIC_API_KEY"),
        (problem(429, Retry_After="0"), r"takes no more requests for now \(429\) \(2 tries\)"),
        (problem(529, "Overloaded", Retry_After="0"), r"failed \(2 tries\) with 529, saying 'Overloaded'"),
        (problem(400, "too long"), r"refused the request \(400\), saying 'too long'"),
        (problem(404), "has no such model: check the model's name and base_url"),
        (
            Reply(status=307, headers={"Location": "http://127.0.0.1:9/"}),
            r"another address \(307\), which is not followed",
        ),
        (message(block(0, ""), finish="refusal"), "wrote nothing and stopped for 'refusal'"),
        (message(block(0, "It opens"), finish=None), "ended in the middle of its answer"),
        (
            Reply([*message(block(0, "It opens. So it is")).parts[:6], CUT]),
            "closed the connection (before|in the middle)",
        ),
        (Reply([b"event: content_block_delta\ndata: {no\n\n"]), "not an answer in the form of anthropic"),
        (
            Reply([event({"type": "content_block_delta", "delta": 7}, "content_block_delta")]),
            "not an answer in the form",
        ),
        (Reply([b"<html></html>"]), "ended in the middle"),
        (Reply([HANG], status=None), "sent nothing for 0.2 s"),
        (Reply([*message(block(0, "It")).parts[:3], HANG]), "sent nothing for 0.2 s"),
    ],
)
def test_what_can_go_wrong(prompt: Prompt, reply: Reply, said: str) -> None:
    quick = replace(QUICK, read_timeout=0.2)
    with serving(lambda _: reply) as server, pytest.raises(UnavailableError, match=said) as raised:
        list(at(server, quick).generate(prompt))
    assert server.address in str(raised.value) and "'opus'" in str(raised.value)
    assert isinstance(raised.value, ModelUnavailable) == ("no such model" in said)


def test_an_overloaded_model_in_a_stream_that_began_well_is_tried_again(prompt: Prompt) -> None:
    overloaded = event({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, "error")
    answer = message(block(0, "It opens on 6 May 2024.", OPENS))
    with serving(lambda r: answer if r.tries == 2 else Reply([overloaded])) as server:
        draft = at(server).generate(prompt)
        assert "".join(draft) == "It opens on 6 May 2024. [1]"
    assert len(server.requests) == 2 and draft.spans == {("It opens on 6 May 2024.", 1): (0, 31)}


def test_closing_stops_a_server_that_hangs(prompt: Prompt) -> None:
    with serving(lambda _: Reply([*message(block(0, "It opens")).parts[:3], HANG])) as server:
        draft = at(server).generate(prompt)
        reader = threading.Thread(target=lambda: list(draft))
        reader.start()
        assert server.hanging.wait(10)
        draft.close()
        reader.join(2)
        assert not reader.is_alive() and server.left.wait(5)
        draft.thread.join(5)
        assert not draft.thread.is_alive()


def test_its_key_is_needed_and_shown_nowhere(
    prompt: Prompt, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(UsageError, match="no key for 'anthropic': set ANTHROPIC_API_KEY"):
        AnthropicGenerator("opus", Settings())
    monkeypatch.setenv("ANTHROPIC_API_KEY", SHAPES[3])
    with (
        serving(lambda r: problem(400, str(r.headers))) as server,
        caplog.at_level(logging.DEBUG),
        pytest.raises(UnavailableError) as raised,
    ):
        list(at(server).generate(prompt))
    assert SHAPES[3] in str(server.requests[0].headers)
    assert SHAPES[3] not in str(raised.value) and SHAPES[3] not in caplog.text
