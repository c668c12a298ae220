"""What a service sees of its questions: spans for OpenTelemetry, and a line of log for each event.

Neither holds text of questions or documents, a path or a key. The library installs no handler and no exporter: who
embeds it does.
"""

from __future__ import annotations

import functools
import json
import logging
import re
import sys
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assistant.secrets import redact
from assistant.types import Answer, Event, Finished
from corpus.errors import DeadlineExceeded, Overloaded
from corpus.sanitizing import sanitize

if TYPE_CHECKING:
    from opentelemetry import trace as opentelemetry_trace
    from opentelemetry.context import Context

    from assistant.answering import Answering

LOGGER = logging.getLogger("assistant")
LOGGER.addHandler(logging.NullHandler())
ATTRIBUTES = {
    "answer": "assistant.answer.id",
    "conversation": "gen_ai.conversation.id",
    "error": "error.type",
    "left_out": "assistant.statements.left_out",
    "model": "gen_ai.request.model",
    "operation": "gen_ai.operation.name",
    "provider": "gen_ai.provider.name",
    "read": "gen_ai.usage.input_tokens",
    "shown": "assistant.statements.shown",
    "written": "gen_ai.usage.output_tokens",
}
"""Attributes of spans by what they are called here; any other has the name with `assistant.` before it."""
_MOST = 200
"""Characters of a name or an id."""
_TEXTS = ("message", "question", "text")
"""Fields of logs that `Settings.log_text` asks for; they have any length."""
_PLAIN = re.compile(r"[\w.:+-]+", re.ASCII)
Value = str | bool | int | float


class Span:
    """A stage of a question; without OpenTelemetry it does nothing."""

    __slots__ = ("_span", "context")

    def __init__(self, span: opentelemetry_trace.Span | None = None, context: Context | None = None) -> None:
        self._span = span
        self.context = context
        """In which its children begin."""

    def set(self, **attributes: Value | None) -> None:
        """What is None isn't set."""
        if self._span is not None and self._span.is_recording():
            for name, value in attributes.items():
                if value is not None:
                    self._span.set_attribute(ATTRIBUTES.get(name, f"assistant.{name}"), _clean(value))

    def fail(self, error: BaseException) -> None:
        """Told by its class: its text may hold anything."""
        if self._span is not None and (otel := _opentelemetry()) is not None:
            self.set(error=type(error).__qualname__)
            self._span.set_status(otel[0].StatusCode.ERROR)


_NOTHING = Span()


@contextmanager
def begun(name: str, parent: Context | None = None, **attributes: Value | None) -> Iterator[Span]:
    """A span that isn't attached to the thread, so that what it holds may yield.

    Args:
        parent: None for the span that the thread is in.
    """
    if (otel := _opentelemetry()) is None:
        yield _NOTHING
        return
    trace, _ = otel
    span = trace.get_tracer("assistant").start_span(name, parent)
    made = Span(span, trace.set_span_in_context(span, parent))
    made.set(**attributes)
    try:
        yield made
    except Exception as error:
        made.fail(error)
        raise
    finally:
        span.end()


@contextmanager
def span(name: str, parent: Context | None = None, **attributes: Value | None) -> Iterator[Span]:
    """A span around what doesn't yield: the thread is in it, and spans that others make become its children."""
    with begun(name, parent, **attributes) as made, _within(made):
        yield made


@contextmanager
def _within(made: Span) -> Iterator[None]:
    otel = _opentelemetry()
    if otel is None or made.context is None:
        yield
        return
    token = otel[1].attach(made.context)
    try:
        yield
    finally:
        otel[1].detach(token)


@functools.cache
def _opentelemetry() -> tuple[Any, Any] | None:
    """Its modules `trace` and `context`; None where it isn't installed."""
    try:
        from opentelemetry import context, trace  # deferred: an extra
    except ImportError:
        return None
    return trace, context


def current() -> Context | None:
    """Where the spans of a question begin, in the thread that asks it: another one may answer."""
    otel = _opentelemetry()
    found: Context | None = None if otel is None else otel[1].get_current()
    return found


def drafted(name: str, parent: Context | None, draft: Iterator[str]) -> Iterator[str]:
    """A draft of the generator of that name, with a span `generate` from the first request to the last word."""
    kind, _, model = label(name).partition(":")
    operation = {"operation": "chat", "provider": kind, "model": model} if model else {}
    with begun("generate", parent, generator=label(name), **operation) as made:
        while True:
            with _within(made):
                delta = next(draft, None)
            if delta is None:
                return
            yield delta


class Telemetry:
    """What one desk tells of its questions; its answers may be made in any thread."""

    def __init__(self) -> None:
        self._generation = -1
        self._lock = threading.Lock()

    def follow(self, answering: Answering, events: Generator[Event], conversation: str) -> Iterator[Event]:
        """The events, in a span `ask`, and a line of log of how they ended."""
        clock, ranker, texts = time.perf_counter(), answering.means.reranker, answering.means.settings.log_text
        failure: BaseException | None = None
        with begun("ask", answering.span.context, conversation=conversation) as whole, closing(events):
            answering.span = whole
            whole.set(reranker=label(ranker.name) if ranker else "none")
            try:
                while not isinstance(event := next(events), Finished):
                    yield event
                facts, level = _facts(event.answer), logging.INFO
                more: dict[str, Any] = {"stages": event.answer.timings, "text": event.answer.text if texts else None}
            except (Exception, GeneratorExit) as raised:
                failure, error = raised, answering.error or raised  # closing a stream raises nothing
                outcome = _outcome(error, answering.error is not None)
                facts, more, level = {"outcome": outcome, "generator": label(answering.generator)}, {}, logging.INFO
                if outcome != "abandoned":
                    whole.fail(error)
                    level = logging.WARNING
                    more = {"error": type(error).__qualname__, "message": str(error) if texts else None}
            whole.set(**facts)
        told = {"conversation": conversation, "question": answering.asked if texts else None, **facts, **more}
        log(told.pop("outcome"), level, **told, seconds=time.perf_counter() - clock)
        if failure is not None:
            raise failure
        assert isinstance(event, Finished)
        self._look(event.answer.snapshot.generation)
        yield event

    def _look(self, generation: int) -> None:
        with self._lock:
            before, self._generation = self._generation, max(generation, self._generation)
        if -1 < before < generation:
            log("generation", generation=generation, before=before)


def _outcome(error: BaseException, closed: bool) -> str:
    """How a question ended that has no answer.

    Args:
        closed: it was ended from outside, and the error says why.
    """
    if isinstance(error, Overloaded):
        return "overloaded"
    left = isinstance(error, GeneratorExit) or (closed and not isinstance(error, DeadlineExceeded))
    return "abandoned" if left else "failed"


def _facts(answer: Answer) -> dict[str, Any]:
    """What may be told of an answer."""
    return {
        "outcome": "refused" if answer.refused else "answered",
        "answer": answer.id,
        "generation": answer.snapshot.generation,
        "generator": label(answer.generator),
        "passages": len(answer.passages),
        "shown": len(answer.shown),
        "left_out": len(answer.left_out),
        "refusal": answer.refusal and answer.refusal.reason,
        "confidence": answer.confidence,
        "read": answer.tokens and answer.tokens.read,
        "written": answer.tokens and answer.tokens.written,
    }


def log(event: str, level: int = logging.INFO, **fields: Any) -> None:
    """One line to the logger `assistant`: `record.event`, and `record.fields` without those that are None."""
    if LOGGER.isEnabledFor(level):
        told = {name: _clean(value, name in _TEXTS) for name, value in fields.items() if value is not None}
        line = " ".join((event, *(f"{name}={_shown(value)}" for name, value in told.items())))
        LOGGER.log(level, "%s", line, extra={"event": event, "fields": told})


class JsonFormatter(logging.Formatter):
    """A record as a line of JSON: time (UTC), level, logger, and event and fields or else the message; without keys."""

    def format(self, record: logging.LogRecord) -> str:
        told: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        if event := getattr(record, "event", None):
            return json.dumps(told | {"event": event} | getattr(record, "fields", {}), ensure_ascii=False, default=str)
        told["message"] = redact(record.getMessage())
        if record.exc_info:
            told["exception"] = redact(self.formatException(record.exc_info))
        return json.dumps(told, ensure_ascii=False)


def log_to_stderr() -> None:
    """As lines of JSON: for a program, never for a library."""
    lines = logging.StreamHandler(sys.stderr)
    lines.setFormatter(JsonFormatter())
    logging.basicConfig(handlers=[lines])


def label(name: str) -> str:
    """The name of a generator or reranker, of a file or folder only the last part of its path."""
    kind, colon, rest = name.rpartition(":")
    parts = re.split(r"[/\\]", rest)
    return kind + colon + parts[-1] if kind == "gguf" or len(parts) > 2 or Path(rest).exists() else name


def _clean(value: Any, whole: bool = False) -> Any:
    """Without keys and control characters; seconds to the tenth of a millisecond."""
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, dict):
        return {name: _clean(held) for name, held in value.items()}
    return redact(sanitize(value))[: None if whole else _MOST] if isinstance(value, str) else value


def _shown(value: Any) -> str:
    return value if isinstance(value, str) and _PLAIN.fullmatch(value) else json.dumps(value, ensure_ascii=False)
