"""What Prometheus is told. No label holds text of a client, a question or a document."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.requests import ClientDisconnect

from assistant.service.problems import log_failure, problem_of
from assistant.types import Answer
from corpus.errors import DeadlineExceeded, IndexUnavailable, Overloaded
from embeddings.types import Snapshot

_OUTCOMES: dict[type[Exception], str] = {
    Overloaded: "overloaded",
    DeadlineExceeded: "late",
    ClientDisconnect: "gone",
}
"""Of a question without an answer; by any other error it is invalid where the client is told so, else failed."""
_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)


class Watched:
    """One question while it is answered."""

    answer: Answer | None = None


class Metrics:
    """The counts of one service."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._questions = Counter("passim_questions", "By outcome.", ["outcome"], registry=self._registry)
        self._seconds = Histogram(
            "passim_question_seconds", "Until the answer.", buckets=_SECONDS, registry=self._registry
        )
        self._stages = Histogram(
            "passim_stage_seconds", "By stage of an answer.", ["stage"], buckets=_SECONDS, registry=self._registry
        )
        self._running = Gauge("passim_questions_running", "Being answered.", registry=self._registry)
        self._waiting = Gauge("passim_questions_waiting", "For their turn.", registry=self._registry)
        self._asked = 0

    @contextmanager
    def question(self) -> Iterator[Watched]:
        """Counts what is asked within; its outcome is the answer that is set, or the error that is raised."""
        watched, began, outcome = Watched(), time.perf_counter(), "gone"
        self._asked += 1
        try:
            yield watched
            if watched.answer is not None:
                outcome = "refused" if watched.answer.refused else "answered"
                self._seconds.observe(time.perf_counter() - began)
                for stage, seconds in watched.answer.timings.items():
                    self._stages.labels(stage).observe(seconds)
        except Exception as error:
            other = "invalid" if problem_of(error).status < 500 else "failed"
            outcome = next((name for kind, name in _OUTCOMES.items() if isinstance(error, kind)), other)
            raise
        finally:
            self._asked -= 1
            self._questions.labels(outcome).inc()

    def text(self, snapshot: Callable[[], Snapshot], at_once: int) -> bytes:
        """In Prometheus' text format; without the index where it can't be read.

        Args:
            at_once: questions that the desk answers at the same time.
        """
        self._running.set(min(self._asked, at_once))
        self._waiting.set(max(self._asked - at_once, 0))
        index = CollectorRegistry()
        try:
            seen = snapshot()
            Gauge("passim_index_generation", "That questions see.", registry=index).set(seen.generation)
            Gauge("passim_index_documents", "That this token may see.", registry=index).set(seen.documents)
        except IndexUnavailable as error:
            log_failure(error)
        return generate_latest(self._registry) + generate_latest(index)
