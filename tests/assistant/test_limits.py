"""How many answer at once, who waits, and that time which is over ends an answer without a trace."""

from __future__ import annotations

import gc
import math
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from types import FrameType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.api import Assistant
from assistant.config import Settings
from assistant.generators.openai import OpenAIGenerator
from assistant.limits import Deadline, Gate, Limits, Place
from assistant.types import Finished, Prompt, TextDelta
from corpus.errors import DeadlineExceeded, Overloaded, UnavailableError, UsageError
from tests.assistant.generators.servers import HANG, Reply, Running, delta, serving

COST = "How much did the repairs to the roof cost?"
LINE = "The repairs to the roof cost £412,000 and took nine weeks. [1]\n"
Opened = Callable[..., Assistant]


class Held:
    """Writes nothing until it is released."""

    name = "held"

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.released = threading.Event()
        self.closed = threading.Event()
        self.most = 0
        self._now = 0
        self._lock = threading.Lock()

    def generate(self, prompt: Prompt) -> Iterator[str]:
        if prompt.instruction is not None:
            return
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        self.begun.release()
        self.released.wait(20)
        yield LINE
        with self._lock:
            self._now -= 1

    def close(self) -> None:
        self.closed.set()
        self.released.set()


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Running, OpenAIGenerator]]:
    """A server that writes three words and then nothing, and what asks it."""
    monkeypatch.setenv("OPENAI_API_KEY", "k")

    def answer(_: object) -> Reply:
        return Reply([delta("The repairs to"), HANG], headers={"Content-Type": "text/event-stream"})

    with serving(answer) as server:
        yield server, OpenAIGenerator("little", Settings(base_url=f"{server.address}/v1"))


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(16) as pool:
        yield pool


def test_no_more_answers_are_made_at_once_than_allowed_and_none_is_lost(
    open_museum: Opened, threads: ThreadPoolExecutor
) -> None:
    writer = Held()
    with open_museum(writer, limits=Limits(concurrent=2)) as desk:
        asked = [threads.submit(desk.ask, COST) for _ in range(8)]
        writer.begun.acquire()
        writer.begun.acquire()
        writer.released.set()
        assert [future.result().text for future in asked] == [LINE.strip()] * 8
        assert writer.most == 2
        assert len(desk.history()) == 8


def test_one_too_many_is_told_when_to_come_again(open_museum: Opened, threads: ThreadPoolExecutor) -> None:
    writer = Held()
    with open_museum(writer, limits=Limits(concurrent=1, waiting=0)) as desk:
        first = threads.submit(desk.ask, COST)
        writer.begun.acquire()
        with pytest.raises(Overloaded, match=r"1 question is being answered and 0 wait: ask again in") as raised:
            desk.ask(COST)
        assert 0 < raised.value.retry_after < 60
        writer.released.set()
        assert not first.result().refused
        assert not desk.ask(COST).refused


def test_patience_ends(open_museum: Opened, threads: ThreadPoolExecutor) -> None:
    writer = Held()
    with open_museum(writer, limits=Limits(concurrent=1, patience=0.01)) as desk:
        first = threads.submit(desk.ask, COST)
        writer.begun.acquire()
        with pytest.raises(Overloaded):
            desk.ask(COST)
        writer.released.set()
        first.result()
        assert len(desk.history()) == 1


def test_a_stream_holds_its_place_from_its_first_event_until_it_is_dropped(open_museum: Opened) -> None:
    with open_museum(limits=Limits(concurrent=1, waiting=0)) as desk:
        waiting = desk.stream(COST)
        assert not desk.ask(COST).refused
        next(waiting)
        with pytest.raises(Overloaded):
            desk.ask(COST)
        del waiting
        finished = desk.stream(COST)
        assert isinstance([*finished][-1], Finished)
        assert not desk.ask(COST).refused
        assert len(desk.history()) == 3


def test_a_stream_that_is_dropped_never_keeps_files_open(open_museum: Opened) -> None:
    desk = open_museum()
    stream = desk.stream(COST)
    desk.close()
    with pytest.raises(UsageError, match="the assistant is closed"):
        next(stream)


@pytest.mark.parametrize("timeout", [0, -1, math.nan, math.inf, True, "1"])
def test_what_is_no_time_is_refused(timeout: Any, desk: Assistant) -> None:
    with pytest.raises(UsageError, match="timeout="):
        desk.ask(COST, timeout=timeout)


@pytest.mark.parametrize(
    "limits", [{"concurrent": 0}, {"concurrent": True}, {"waiting": -1}, {"waiting": 1.5}, {"patience": math.nan}]
)
def test_what_is_no_limit_is_refused(limits: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=f"the limit {next(iter(limits))} = "):
        Limits(**limits)


def test_waiting_counts_as_time(open_museum: Opened, threads: ThreadPoolExecutor) -> None:
    writer = Held()
    with open_museum(writer, limits=Limits(concurrent=1)) as desk:
        first = threads.submit(desk.ask, COST)
        writer.begun.acquire()
        with pytest.raises(DeadlineExceeded, match=r"no answer in 0\.05 seconds"):
            desk.ask(COST, timeout=0.05)
        writer.released.set()
        first.result()


def test_a_model_that_falls_silent_is_cut_and_nothing_is_kept(
    open_museum: Opened, hanging: tuple[Running, OpenAIGenerator]
) -> None:
    server, writer = hanging
    with open_museum(writer) as desk:
        with pytest.raises(DeadlineExceeded, match=r"no answer in 1 seconds: .*timeout="):
            desk.ask(COST, timeout=1)
        assert not server.hanging.is_set() or server.left.wait(20)  # it may not have come to ask it
        assert desk.history() == []
        desk.use("extractive")
        assert not desk.ask(COST, timeout=60).refused


def test_the_deadline_of_a_stream_that_nobody_reads_frees_its_place(open_museum: Opened) -> None:
    with open_museum(limits=Limits(concurrent=1)) as desk:
        stream = desk.stream(COST, timeout=0.3)
        next(stream)
        assert not desk.ask(COST).refused  # waits until then
        with pytest.raises(DeadlineExceeded):
            next(stream)
        assert len(desk.history()) == 1


def test_any_thread_can_close_a_stream(
    open_museum: Opened, hanging: tuple[Running, OpenAIGenerator], threads: ThreadPoolExecutor
) -> None:
    server, writer = hanging
    with open_museum(writer) as desk:
        stream = desk.stream(COST)
        reading = threads.submit(lambda: [*stream])
        assert server.hanging.wait(20)
        stream.close()
        with pytest.raises(UnavailableError, match="closed before its end"):
            reading.result()
        assert server.left.wait(20)
        assert desk.history() == []


@pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("timeout", [None, 0.3])
def test_one_that_nobody_reads_now_is_closed_without_an_error(open_museum: Opened, timeout: float | None) -> None:
    with open_museum(limits=Limits(concurrent=1)) as desk:
        stream = desk.stream(COST, timeout=timeout)
        next(stream)
        if timeout is None:
            stream.close()
        assert not desk.ask(COST).refused
        with pytest.raises(UnavailableError, match="closed before its end" if timeout is None else "no answer in"):
            next(stream)


def test_a_dropped_stream_gives_its_place_to_the_very_thread_that_collects_it(
    open_museum: Opened, threads: ThreadPoolExecutor
) -> None:
    """Wherever that thread is: when it begins to wait, for one."""

    def ask() -> str:
        sys.setprofile(collect)
        try:
            return desk.ask(COST, timeout=20).text
        finally:
            sys.setprofile(None)

    def collect(frame: FrameType, event: str, called: object) -> None:
        waits = isinstance(getattr(called, "__self__", None), SimpleQueue) or frame.f_code.co_name == "_release_save"
        if event in ("call", "c_call") and waits:
            gc.collect()

    with open_museum(limits=Limits(concurrent=1)) as desk:
        dropped: list[Any] = [desk.stream(COST)]
        next(dropped[0])
        dropped.append(dropped)
        gc.disable()
        try:
            del dropped
            assert threads.submit(ask).result(30) == LINE.strip()
        finally:
            gc.enable()


def test_one_that_waits_can_be_closed(open_museum: Opened, threads: ThreadPoolExecutor) -> None:
    writer = Held()
    with open_museum(writer, limits=Limits(concurrent=1)) as desk:
        first = threads.submit(desk.ask, COST)
        writer.begun.acquire()
        stream = desk.stream(COST)
        reading = threads.submit(stream.answer)
        stream.close()
        with pytest.raises(UnavailableError, match="closed before its end"):
            reading.result()
        writer.released.set()
        first.result()


def test_a_stopped_answer_is_kept(open_museum: Opened, hanging: tuple[Running, OpenAIGenerator]) -> None:
    _, writer = hanging
    with open_museum(writer) as desk:
        stream = desk.stream(COST)
        while not isinstance(next(stream), TextDelta):
            pass
        stream.stop()
        assert stream.answer().notes == ("It was stopped before its end.",)
        assert len(desk.history()) == 1


def test_an_answer_is_written_to_its_end_by_the_generator_that_began_it(
    open_museum: Opened, threads: ThreadPoolExecutor
) -> None:
    writer = Held()
    with open_museum(writer) as desk:
        asked = [threads.submit(desk.ask, COST) for _ in range(2)]
        writer.begun.acquire()
        writer.begun.acquire()
        desk.use("extractive")
        assert desk.ask(COST).generator == "extractive"
        assert not writer.closed.is_set()
        writer.released.set()
        assert {future.result().generator for future in asked} == {"held"}
        assert writer.closed.is_set()


def test_closing_lets_go_once_nothing_is_answered(open_museum: Opened, threads: ThreadPoolExecutor) -> None:
    writer = Held()
    desk = open_museum(writer, limits=Limits(concurrent=1))
    first, second = threads.submit(desk.ask, COST), None
    writer.begun.acquire()
    second = threads.submit(desk.stream(COST).answer)
    desk.close()
    desk.close()
    assert first.result().text == LINE.strip()
    with pytest.raises(UsageError, match="the assistant is closed"):
        second.result()
    for call in (desk.documents, desk.history, lambda: desk.ask(COST), lambda: desk.feedback, lambda: desk.snapshot):
        with pytest.raises(UsageError, match="the assistant is closed: open it again"):
            call()


def test_a_plug_in_that_raises_where_it_may_not_keeps_nothing_open(open_museum: Opened) -> None:
    class Raising(Held):
        def generate(self, prompt: Prompt) -> Iterator[str]:
            raise ValueError("at once")

        def close(self) -> None:
            raise ValueError("at the end")

    before = len(list(Path("/dev/fd").iterdir()))
    desk = open_museum(Raising())
    with pytest.raises(UnavailableError, match="the generator 'held' failed with ValueError: at once"):
        desk.ask(COST)
    with pytest.raises(ValueError, match="at the end"):
        desk.close()
    del desk
    assert len(list(Path("/dev/fd").iterdir())) <= before


@given(st.lists(st.tuples(st.integers(0, 9), st.booleans()), max_size=60), st.integers(1, 3), st.integers(0, 4))
def test_the_gate_lets_in_so_many_in_order(steps: list[tuple[int, bool]], at_once: int, waiting: int) -> None:
    gate = Gate(Limits(concurrent=at_once, waiting=waiting))
    places: dict[int, Place] = {}
    queue: list[int] = []
    called: list[int] = []
    for number, comes in steps:
        if comes and number not in places:
            place = places[number] = Place(gate, at_once)
            inside = sum(gate.holds(p) for p in places.values())
            if not place.join(lambda number=number: called.append(number)):  # type: ignore[misc]
                queue.append(number)
            elif inside >= at_once:  # refused
                assert len(queue) == waiting
                with pytest.raises(Overloaded):
                    place.enter(Deadline(None))
                del places[number]
        elif not comes and number in places:
            places.pop(number).leave()
            queue = [n for n in queue if n != number]
        entered = [n for n in queue if gate.holds(places[n])]
        assert entered == queue[: len(entered)]
        assert set(entered) <= set(called)
        queue = queue[len(entered) :]
        inside = sum(gate.holds(p) for p in places.values())
        assert inside <= at_once
        assert not queue or inside == at_once
