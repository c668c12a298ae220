"""Drafts: what is written arrives in order, and stopping is immediate from either side."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Generator

import pytest

from assistant.generators.drafting import MOST_CHARACTERS, STOPPED, Draft
from corpus.errors import ModelUnavailable, UnavailableError


def words(draft: Draft) -> Generator[str]:
    for n in range(1000):
        yield f"{n} "
    draft.cut = "that is all"


def hanging(draft: Draft) -> Generator[str]:
    yield "one"
    stopped = threading.Event()
    draft.on_close(stopped.set)
    stopped.wait(20)
    raise OSError("what a connection says when it is shut")


def test_everything_arrives_in_order() -> None:
    running: set[Draft] = set()
    draft = Draft("any", words, running)
    assert list(draft) == [f"{n} " for n in range(1000)]
    assert draft.cut == "that is all"
    draft.thread.join(5)
    assert not draft.thread.is_alive() and not running


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ModelUnavailable("it is gone: fetch it"), "it is gone: fetch it"),
        (
            LookupError("gone with\n sk-abcdEFGH1234567890"),
            "the generator 'any' failed with LookupError: gone with [key]: ask again, or take another generator",
        ),
    ],
)
def test_an_error_is_raised_where_the_draft_is_read_after_what_came_before_it(error: Exception, told: str) -> None:
    def failing(_: Draft) -> Generator[str]:
        yield "one"
        raise error

    draft = Draft("any", failing, set())
    assert next(draft) == "one"
    with pytest.raises(UnavailableError) as raised:
        next(draft)
    assert str(raised.value) == told
    assert list(draft) == []


def test_a_draft_that_is_closed_before_its_end_says_so_and_a_whole_one_does_not() -> None:
    cut, whole = Draft("any", hanging, set()), Draft("any", lambda _: (word for word in ("one", "two")), set())
    assert next(cut) == "one"
    cut.close()
    assert (list(cut), cut.cut) == ([], STOPPED)
    unread = Draft("any", words, set())
    assert next(unread) == "0 "
    unread.close()
    unread.thread.join(2)
    assert unread.cut == STOPPED
    assert list(whole) == ["one", "two"]
    whole.close()
    assert whole.cut is None


def test_closing_wakes_a_reader_that_waits_and_stops_the_model() -> None:
    running: set[Draft] = set()
    draft = Draft("any", hanging, running)
    assert next(draft) == "one"
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.extend(draft))
    reader.start()
    draft.close()
    draft.close()
    reader.join(2)
    draft.thread.join(2)
    assert (reader.is_alive(), draft.thread.is_alive(), read, running) == (False, False, [], set())


def test_a_writer_ahead_of_its_reader_waits_and_ends_when_it_is_closed() -> None:
    written = []

    def endless(_: Draft) -> Generator[str]:
        for n in itertools.count():
            written.append(n)
            yield "x"

    draft = Draft("any", endless, set())
    assert next(draft) == "x"
    draft.close()
    draft.thread.join(2)
    assert not draft.thread.is_alive()
    assert len(written) < 100


def test_closing_before_the_model_has_started_stops_it_when_it_does() -> None:
    begin, stopped = threading.Event(), threading.Event()

    def late(draft: Draft) -> Generator[str]:
        begin.wait(5)
        draft.on_close(stopped.set)
        yield "too late"

    draft = Draft("any", late, set())
    draft.close()
    begin.set()
    draft.thread.join(2)
    assert stopped.is_set() and list(draft) == []


def test_endless_output_is_cut_at_its_limit_and_says_so() -> None:
    draft = Draft("any", lambda _: ("abc" for _ in itertools.count()), set())
    text = "".join(draft)
    assert len(text) == MOST_CHARACTERS and text.startswith("abcabc")
    assert draft.cut == "the model wrote without end"
    draft.thread.join(2)
    assert not draft.thread.is_alive()


def test_a_draft_that_takes_too_long_is_cut_and_says_so() -> None:
    draft = Draft("any", hanging, set(), most_seconds=0.05)
    assert list(draft) == ["one"]
    assert draft.cut == "the model took too long"
    draft.thread.join(2)
    assert not draft.thread.is_alive()
