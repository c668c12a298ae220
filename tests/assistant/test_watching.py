"""Stale answers are told once, again where that failed or something else changed, and nothing ends the watching."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from assistant.api import Assistant
from assistant.audit.auditor import AuditedAnswer
from assistant.audit.watching import Watching
from assistant.config import Settings
from assistant.records.history import History
from corpus.errors import UnavailableError
from embeddings.hashing import HashingEmbedder
from embeddings.types import Vectors
from tests.assistant.conftest import filled

HALL = "The hall opens at nine and seats 200 people. A ticket for the hall costs £4."
SEATS = "How many people does the hall seat?"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return filled(tmp_path / "documents", {"hall.txt": HALL, "mill.txt": "The mill grinds flour on Mondays."})


def index(folder: Path, hall: str | None = None) -> None:
    if hall is not None:
        (folder / "hall.txt").write_text(hall, encoding="utf-8")
    Assistant.build(folder, index=folder.parent / "index", embedder="hashing")


@contextmanager
def watched(folder: Path, callback: Callable[[AuditedAnswer], object]) -> Iterator[tuple[Assistant, Watching]]:
    """A desk and what watches it, which looks when the test says so."""
    kept = folder.parent / "history.sqlite3"
    with Assistant.open(
        folder.parent / "index", settings=Settings(reranker="none"), embedder=HashingEmbedder(), history=kept
    ) as desk:
        history = History(kept)
        yield desk, Watching(desk, history, callback)
        history.close()


def test_each_stale_answer_is_told_once_and_again_when_it_changes(folder: Path) -> None:
    index(folder)
    told: list[AuditedAnswer] = []
    with watched(folder, told.append) as (desk, watching):
        watching.look()
        answer = desk.ask(SEATS)
        watching.look()
        assert told == []
        index(folder, HALL.replace("200", "300"))
        watching.look()
        watching.look()
        assert [(a.id, a.stale, a.statements[0].finding) for a in told] == [(answer.id, True, "contradicted")]
        index(folder, "New!\n\n" + HALL.replace("200", "300"))  # nothing new for this answer
        watching.look()
        assert len(told) == 1
        index(folder, "The hall was sold.")
        watching.look()
        assert [a.statements[0].finding for a in told] == ["contradicted", "unsupported"]
        index(folder, HALL)  # it holds again
        watching.look()
        assert len(told) == 2
        index(folder, "The hall was sold.")
        watching.look()
        assert len(told) == 3


def test_everybody_who_got_the_same_answer_is_told_of(folder: Path) -> None:
    index(folder)
    told: list[AuditedAnswer] = []
    with watched(folder, told.append) as (desk, watching):
        answers = [desk.ask(SEATS, conversation=f"ticket {n}") for n in range(3)]
        assert len({answer.id for answer in answers}) == 1
        index(folder, HALL.replace("200", "300"))
        for _ in range(2):
            watching.look()
        assert [(a.number, a.conversation) for a in told] == [(n + 1, f"ticket {n}") for n in range(3)]


def test_what_was_told_is_not_told_again_after_a_restart(folder: Path) -> None:
    index(folder)
    told: list[AuditedAnswer] = []
    with watched(folder, told.append) as (desk, watching):
        desk.ask(SEATS)
        index(folder, HALL.replace("200", "300"))
        watching.look()
    with watched(folder, told.append) as (_, watching):
        watching.look()
    assert len(told) == 1


def test_a_callback_that_fails_is_called_again(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    index(folder)
    told: list[AuditedAnswer] = []

    def fails_first(answer: AuditedAnswer) -> None:
        told.append(answer)
        if len(told) == 1:
            raise ValueError("the ticket system is down")

    with watched(folder, fails_first) as (desk, watching):
        desk.ask(SEATS)
        index(folder, HALL.replace("200", "300"))
        for _ in range(3):
            watching.look()
    assert len(told) == 2
    assert told[0] == told[1]
    assert "the ticket system is down" in caplog.text


def test_a_callback_may_close_the_desk(folder: Path) -> None:
    index(folder)
    told: list[AuditedAnswer] = []
    with watched(folder, told.append) as (desk, _):
        desk.ask(SEATS)
    index(folder, HALL.replace("200", "300"))
    for _ in range(2):
        kept = folder.parent / "history.sqlite3"
        desk = Assistant.open(
            folder.parent / "index", settings=Settings(reranker="none"), embedder=HashingEmbedder(), history=kept
        )

        def close(answer: AuditedAnswer, desk: Assistant = desk) -> None:
            told.append(answer)
            desk.close()

        Watching(desk, desk._core.history, close).look()
        desk.close()
    assert len(told) == 1


def test_an_answer_that_was_made_from_the_generation_before_is_found(folder: Path) -> None:
    index(folder)
    told: list[AuditedAnswer] = []
    with watched(folder, told.append) as (desk, watching):
        asked = desk.stream(SEATS)
        next(asked)  # it has seen the first generation
        index(folder, HALL.replace("200", "300"))
        watching.look()
        assert told == []
        answer = asked.answer()
        watching.look()
        assert [a.id for a in told] == [answer.id]


def test_an_index_that_disappears_for_a_while_is_waited_for(folder: Path) -> None:
    index(folder)
    told: list[AuditedAnswer] = []
    with watched(folder, told.append) as (desk, watching):
        desk.ask(SEATS)
        watching.look()
        shutil.rmtree(folder.parent / "index")
        with pytest.raises(UnavailableError):
            watching.look()
        index(folder, HALL.replace("200", "300"))
        watching.look()
        assert len(told) == 1


def test_a_model_that_fails_for_a_while_is_waited_for(folder: Path) -> None:
    class Failing(HashingEmbedder):
        broken = False

        def embed_query(self, question: str) -> Vectors:
            if self.broken:
                self.broken = False
                raise ConnectionError("the server of the model is down")
            return super().embed_query(question)

    index(folder)
    called, embedder = threading.Event(), Failing()
    kept, settings = folder.parent / "history.sqlite3", Settings(reranker="none")
    with Assistant.open(folder.parent / "index", settings=settings, embedder=embedder, history=kept) as desk:
        desk.ask(SEATS)
    index(folder, HALL.replace("200", "300"))
    with Assistant.open(folder.parent / "index", settings=settings, embedder=embedder, history=kept) as desk:
        embedder.broken = True
        watching = Watching(desk, desk._core.history, lambda _: called.set(), seconds=0.01)
        watching.start()
        assert called.wait(20)
        watching.stop()
        assert not embedder.broken


def test_a_desk_watches_until_it_is_closed(folder: Path) -> None:
    index(folder)
    called = threading.Event()
    kept = folder.parent / "history.sqlite3"
    opened = Assistant.open(
        folder.parent / "index", settings=Settings(reranker="none"), embedder=HashingEmbedder(), history=kept
    )
    with opened as desk:
        desk.ask(SEATS)
    index(folder, HALL.replace("200", "300"))
    before = set(threading.enumerate())
    with Assistant.open(
        folder.parent / "index",
        settings=Settings(reranker="none"),
        embedder=HashingEmbedder(),
        history=kept,
        on_stale=lambda answer: called.set(),
    ):
        (watching,) = set(threading.enumerate()) - before
        assert watching.daemon
        assert called.wait(60)
    assert not watching.is_alive()
