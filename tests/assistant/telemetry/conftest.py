"""What the tests of spans and logs share."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray

from assistant.telemetry import LOGGER, JsonFormatter

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

ROOT = Path(__file__).parents[3]
COST = "How much did the repairs to the roof cost?"
REFUSED = "Who won the boat race in 1954?"


class ByLength:
    """A reranker to which the longer text is the better one."""

    name = "/models/by-length"

    def scores(self, question: str, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.array([len(text) / 100 for text in texts], np.float32)


@pytest.fixture(scope="module")
def exporter() -> InMemorySpanExporter:
    """Of the one provider that a process may have."""
    trace = pytest.importorskip("opentelemetry.trace", reason="the extra `telemetry` isn't installed")
    pytest.importorskip("opentelemetry.sdk", reason="opentelemetry-sdk is a development dependency")
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    made, provider = InMemorySpanExporter(), trace.get_tracer_provider()
    if not isinstance(provider, TracerProvider):
        provider = TracerProvider()
        trace.set_tracer_provider(provider)
    provider.add_span_processor(SimpleSpanProcessor(made))
    return made


@pytest.fixture
def spans(exporter: InMemorySpanExporter) -> Callable[[], tuple[ReadableSpan, ...]]:
    """Those that ended since the test began."""
    exporter.clear()
    return lambda: tuple(s for s in exporter.get_finished_spans() if scope(s) == "assistant")


@pytest.fixture
def logged() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """Records since the test began, as `JsonFormatter` writes them."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(JsonFormatter())
    LOGGER.addHandler(handler)
    LOGGER.setLevel(logging.INFO)
    yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    LOGGER.removeHandler(handler)
    LOGGER.setLevel(logging.NOTSET)


def scope(span: ReadableSpan) -> str:
    return span.instrumentation_scope.name if span.instrumentation_scope else ""


def attributes(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def parent(span: ReadableSpan) -> int | None:
    return span.parent.span_id if span.parent else None
