"""Spans: what they say, that they form a tree, and that they end."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from assistant.api import Assistant
from assistant.asynchronous import AsyncAssistant
from assistant.limits import Limits
from assistant.types import Finished, Prompt, Retrieved, TextDelta
from corpus.errors import DeadlineExceeded, Overloaded, UnavailableError
from embeddings.hashing import HashingEmbedder
from tests.assistant.telemetry.conftest import COST, REFUSED, ByLength, attributes, parent

trace = pytest.importorskip("opentelemetry.trace", reason="the extra `telemetry` isn't installed")
pytest.importorskip("opentelemetry.sdk", reason="opentelemetry-sdk is a development dependency")

from opentelemetry.sdk.trace import ReadableSpan  # noqa: E402 - after what skips


def test_a_question_is_a_tree_of_its_stages(
    museum: Path, tmp_path: Path, spans: Callable[[], tuple[ReadableSpan, ...]]
) -> None:
    opened = Assistant.open(museum, embedder=HashingEmbedder(), reranker=ByLength(), history=tmp_path / "h")
    with opened as desk, trace.get_tracer("helpdesk").start_as_current_span("ticket") as ticket:
        answer = desk.ask(COST, conversation="ticket-7", anyway=True)
        assert trace.get_current_span() is ticket
    by_name = {span.name: span for span in spans()}
    assert Counter(s.name for s in spans()) == {
        "ask": 1,
        "retrieve": 1,
        "rerank": 1,
        "read": 1,
        "generate": 1,
        "verify": len(answer.statements),
    }
    whole = by_name["ask"]
    assert parent(whole) == ticket.get_span_context().span_id
    assert {name: parent(span) for name, span in by_name.items()} == {
        "ask": parent(whole),
        "rerank": by_name["retrieve"].context.span_id,
        **dict.fromkeys(("retrieve", "read", "generate", "verify"), whole.context.span_id),
    }
    assert attributes(whole) == {
        "assistant.answer.id": answer.id,
        "assistant.generation": answer.snapshot.generation,
        "assistant.generator": "extractive",
        "assistant.outcome": "answered",
        "assistant.passages": len(answer.passages),
        "assistant.reranker": "by-length",
        "assistant.statements.left_out": len(answer.left_out),
        "assistant.statements.shown": len(answer.shown),
        "gen_ai.conversation.id": "ticket-7",
        **({} if answer.confidence is None else {"assistant.confidence": answer.confidence}),
    }
    assert attributes(by_name["verify"])["assistant.verdict"] == answer.statements[-1].verdict
    assert all(span.end_time and span.start_time and span.start_time <= span.end_time for span in spans())


def test_a_refusal_has_its_reason(desk: Assistant, spans: Callable[[], tuple[ReadableSpan, ...]]) -> None:
    answer = desk.ask(REFUSED)
    told = attributes(spans()[-1])
    assert answer.refusal is not None
    assert (told["assistant.outcome"], told["assistant.refusal"]) == ("refused", answer.refusal.reason)
    assert spans()[-1].status.is_ok or spans()[-1].status.status_code.name == "UNSET"


def test_a_model_is_told_by_name_and_tokens(
    open_museum: Callable[..., Assistant], scripted: Any, spans: Callable[[], tuple[ReadableSpan, ...]]
) -> None:
    class Hosted(scripted):  # type: ignore[misc]
        name = "openai:small-1"

    with open_museum(Hosted(lambda _: ["The repairs to the roof cost £412,000 [1]."])) as desk:
        answer = desk.ask(COST)
    by_name = {span.name: attributes(span) for span in spans()}
    assert answer.tokens is not None
    assert by_name["ask"]["gen_ai.usage.input_tokens"] == answer.tokens.read
    assert by_name["ask"]["gen_ai.usage.output_tokens"] == answer.tokens.written
    assert by_name["generate"] == {
        "assistant.generator": "openai:small-1",
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "small-1",
    }


def test_a_stream_read_by_many_threads_and_beside_another_keeps_its_tree(
    desk: Assistant, spans: Callable[[], tuple[ReadableSpan, ...]]
) -> None:
    tracer, answers, inside = trace.get_tracer("helpdesk"), [], set()

    def asked(name: str) -> Any:
        with tracer.start_as_current_span(name):
            return desk.stream(COST, conversation=name)

    def step(stream: Any) -> Any:
        event = next(stream, None)
        inside.add(trace.get_current_span().get_span_context().span_id)
        return event

    streams = [asked("first"), asked("second")]
    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as other:
        while events := [e for s in streams for e in (one.submit(step, s).result(), other.submit(step, s).result())]:
            answers += [event.answer for event in events if isinstance(event, Finished)]
            if not any(events):
                break
    assert inside == {0}  # no thread stays in a span
    assert len(answers) == 2
    asks = [span for span in spans() if span.name == "ask"]
    assert [attributes(a)["gen_ai.conversation.id"] for a in asks] == ["first", "second"]
    for whole in asks:
        below = [span.name for span in spans() if parent(span) == whole.context.span_id]
        assert set(below) == {"retrieve", "read", "generate", "verify"}
        assert {s.context.trace_id for s in spans() if parent(s) == whole.context.span_id} == {whole.context.trace_id}
    assert len({whole.context.trace_id for whole in asks}) == 2


async def test_tasks_keep_their_own_trees(
    museum: Path, tmp_path: Path, spans: Callable[[], tuple[ReadableSpan, ...]]
) -> None:
    tracer = trace.get_tracer("helpdesk")

    async def ticket(desk: AsyncAssistant, name: str) -> tuple[str, int]:
        with tracer.start_as_current_span(name) as span:
            await desk.ask(COST, conversation=name)
            return name, span.get_span_context().span_id

    opened = await AsyncAssistant.open(museum, embedder=HashingEmbedder(), reranker=None, history=tmp_path / "h")
    async with opened as desk:
        tickets = dict(await asyncio.gather(*(ticket(desk, name) for name in ("first", "second"))))
    asks = {attributes(s)["gen_ai.conversation.id"]: parent(s) for s in spans() if s.name == "ask"}
    assert asks == tickets


@pytest.mark.parametrize("leave", ["close", "forget"])
@pytest.mark.parametrize("kind", [Retrieved, TextDelta])
def test_a_stream_that_is_left_ends_its_spans(
    leave: str,
    kind: type,
    desk: Assistant,
    spans: Callable[[], tuple[ReadableSpan, ...]],
    logged: Callable[[], list[dict[str, Any]]],
) -> None:
    stream = desk.stream(COST)
    for event in stream:
        if isinstance(event, kind):
            break
    open_spans = {"ask"} if kind is Retrieved else {"ask", "generate"}
    assert not open_spans & {span.name for span in spans()}
    if leave == "close":
        stream.close()
    del stream
    assert open_spans <= {span.name for span in spans()}
    assert attributes(spans()[-1])["assistant.outcome"] == "abandoned"
    assert [line["event"] for line in logged()] == ["abandoned"]
    assert not trace.get_current_span().get_span_context().is_valid


def test_a_stopped_answer_is_told_as_any(desk: Assistant, spans: Callable[[], tuple[ReadableSpan, ...]]) -> None:
    stream = desk.stream(COST)
    for event in stream:
        if isinstance(event, Retrieved):
            stream.stop()
    assert attributes(spans()[-1])["assistant.refusal"] == "unsupported_draft"


def test_a_question_never_begun_leaves_no_span(
    desk: Assistant, spans: Callable[[], tuple[ReadableSpan, ...]], logged: Callable[[], list[dict[str, Any]]]
) -> None:
    desk.stream(COST)
    assert (spans(), logged()) == ((), [])


def test_a_failure_is_told_by_its_kind(
    open_museum: Callable[..., Assistant],
    scripted: Any,
    spans: Callable[[], tuple[ReadableSpan, ...]],
    logged: Callable[[], list[dict[str, Any]]],
) -> None:
    def failing(prompt: Prompt) -> Iterable[str]:
        raise OSError(f"lost in {prompt.passages[0].chunk.text}")

    with open_museum(scripted(failing)) as desk, pytest.raises(UnavailableError):
        desk.ask(COST, conversation="c")
    for span in spans():
        if span.name in ("ask", "generate"):
            assert (span.status.status_code.name, span.status.description) == ("ERROR", None)
            assert attributes(span)["error.type"] == "UnavailableError"
            assert span.events == ()
    (line,) = logged()
    assert {name: line[name] for name in ("level", "event", "conversation", "generator", "error")} == {
        "level": "warning",
        "event": "failed",
        "conversation": "c",
        "generator": "scripted",
        "error": "UnavailableError",
    }
    assert not {"message", "question"} & line.keys()


def test_questions_that_are_turned_away_or_out_of_time(
    museum: Path,
    tmp_path: Path,
    scripted: Any,
    spans: Callable[[], tuple[ReadableSpan, ...]],
    logged: Callable[[], list[dict[str, Any]]],
) -> None:
    def endless(prompt: Prompt) -> Iterable[str]:
        while True:
            yield "and "

    opened = Assistant.open(
        museum,
        generator=scripted(endless),
        embedder=HashingEmbedder(),
        reranker=None,
        history=tmp_path / "h",
        limits=Limits(concurrent=1, waiting=0),
    )
    with opened as desk:
        next(first := desk.stream(COST))
        with pytest.raises(Overloaded):
            desk.ask(COST)
        first.close()
        with pytest.raises(DeadlineExceeded):
            desk.ask(COST, timeout=0.05)
    assert [(line["event"], line["level"], line.get("error")) for line in logged()] == [
        ("overloaded", "warning", "Overloaded"),
        ("abandoned", "info", None),
        ("failed", "warning", "DeadlineExceeded"),
    ]
    asks = [span for span in spans() if span.name == "ask"]
    assert [attributes(span).get("error.type") for span in asks] == ["Overloaded", None, "DeadlineExceeded"]
    assert [span.status.status_code.name for span in asks] == ["ERROR", "UNSET", "ERROR"]
