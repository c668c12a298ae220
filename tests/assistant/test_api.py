"""The Python API: what it refuses, what it closes, and that threads change nothing."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from assistant.api import Assistant
from assistant.types import Finished, Prompt, TextDelta
from corpus.errors import IndexUnavailable, ModelUnavailable, UsageError
from embeddings.hashing import HashingEmbedder
from embeddings.types import Where

COST = "How much did the repairs to the roof cost?"


def test_opening_where_there_is_no_index_names_the_folder_and_the_command(tmp_path: Path) -> None:
    with pytest.raises(IndexUnavailable, match=r"nowhere.*assistant index"):
        Assistant.open(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()


def test_an_index_made_with_another_embedder_is_refused_with_the_way_out(museum: Path) -> None:
    with pytest.raises(IndexUnavailable, match=r"hashing-1:256:unit.*hashing-1:64:unit.*--rebuild"):
        Assistant.open(museum, embedder=HashingEmbedder(64), reranker=None)


def test_the_embedder_of_the_index_is_found_again(museum: Path, tmp_path: Path) -> None:
    with Assistant.open(museum, reranker="none", history=tmp_path / "h") as desk:
        assert desk.snapshot.embedder == HashingEmbedder().fingerprint
        assert desk.ask(COST).text == "The repairs to the roof cost £412,000 and took nine weeks. [1]"


@pytest.mark.parametrize(
    ("setting", "error", "message"),
    [
        ({"generator": "oracle"}, UsageError, r"'oracle'.*extractive"),
        ({"embedder": "no-such-model"}, ModelUnavailable, r"no-such-model.*hashing"),
    ],
)
def test_unknown_names_are_refused_with_the_known_ones(
    setting: dict[str, str], error: type[Exception], message: str, museum: Path
) -> None:
    with pytest.raises(error, match=message):
        Assistant.open(museum, **setting)  # type: ignore[arg-type]


@pytest.mark.parametrize("question", ["", "  \n\t", "\u200b\ufeff"])
def test_an_empty_question_is_refused(question: str, desk: Assistant) -> None:
    with pytest.raises(UsageError, match="the question is empty"):
        desk.ask(question)
    with pytest.raises(UsageError, match="the question is empty"):
        desk.stream(question)  # before the first event is asked for


def test_a_question_of_twenty_thousand_characters_is_refused(desk: Assistant) -> None:
    with pytest.raises(UsageError, match=r"20,000 characters, at most 2,000.*'xxxx"):
        desk.ask("x" * 20_000)


@pytest.mark.parametrize("length", [1999, 2000])
def test_a_long_question_is_read(length: int, desk: Assistant) -> None:
    assert len(desk.ask(("How? " * 500)[: length - 1] + "?").question) == length


def test_an_early_question_of_any_length_is_no_burden(desk: Assistant) -> None:
    answer = desk.ask("And why is it so?", ["What is it? " * 10_000, "Who runs Skell Mill?"] * 20)
    assert len(answer.standalone_question) < 2000


def test_hostile_questions_are_cleaned_before_anything_sees_them(desk: Assistant) -> None:
    answer = desk.ask("How much did the \x1b[31mrepairs\x07 to the\r\nroof cost\u202e?", ["\ud800 earlier"])
    assert answer.question == "How much did the ␛[31mrepairs␇ to the roof cost\ufffd?"


def test_the_context_closes_the_generator(
    open_museum: Callable[..., Assistant], scripted: Callable[..., object]
) -> None:
    writer = scripted(lambda _: ["Nothing."])
    with open_museum(writer):
        assert not writer.closed  # type: ignore[attr-defined]
    assert writer.closed  # type: ignore[attr-defined]


def test_closing_a_stream_early_stops_the_generator_and_keeps_nothing(
    open_museum: Callable[..., Assistant], scripted: Callable[..., object]
) -> None:
    def endless(_: Prompt) -> object:
        while True:
            yield "More and more. "

    writer = scripted(endless)
    with open_museum(writer) as desk:
        events = desk.stream(COST)
        assert type(next(events)).__name__ == "Retrieved"
        assert [next(events), next(events)] == [TextDelta("More and more. ")] * 2
        events.close()  # type: ignore[attr-defined]
        assert (writer.written, writer.abandoned) == (2, True)  # type: ignore[attr-defined]
        assert desk.history() == []


class Counting:
    """An iterator with `close`, as client libraries give; not a generator."""

    name = "counting"

    def __init__(self) -> None:
        self.stopped = 0

    def __iter__(self) -> Counting:
        return self

    def __next__(self) -> str:
        return "More. "

    def generate(self, prompt: Prompt) -> Counting:
        return self

    def close(self) -> None:
        self.stopped += 1


def test_an_iterator_that_is_no_generator_is_closed_too(open_museum: Callable[..., Assistant]) -> None:
    writer = Counting()
    with open_museum(writer) as desk:
        events = desk.stream(COST)
        next(events)
        next(events)
        events.close()  # type: ignore[attr-defined]
        assert writer.stopped == 1


def test_a_generator_that_fails_raises_and_keeps_nothing(
    open_museum: Callable[..., Assistant], scripted: Callable[..., object]
) -> None:
    def failing(_: Prompt) -> object:
        yield "The repairs "
        raise ModelUnavailable("the model went away")

    with open_museum(scripted(failing)) as desk:
        with pytest.raises(ModelUnavailable, match="the model went away"):
            desk.ask(COST)
        assert desk.history() == []


def test_a_sentence_is_verified_as_soon_as_its_line_ends(
    open_museum: Callable[..., Assistant], scripted: Callable[..., object]
) -> None:
    def two_lines(prompt: Prompt) -> list[str]:
        return ["The repairs to the roof cost £412,000 ", "and took nine weeks. [1]\nBees dance", " well. [1]"]

    with open_museum(scripted(two_lines)) as desk:
        *events, last = desk.stream(COST)
    assert [type(e).__name__ for e in events] == [
        "Retrieved", "TextDelta", "TextDelta", "Verified", "TextDelta", "Verified",
    ]  # fmt: skip
    assert isinstance(last, Finished)
    assert [s.verdict for s in last.answer.statements] == ["quoted", "unsupported"]
    assert last.answer.text == "The repairs to the roof cost £412,000 and took nine weeks. [1]"


def test_threads_get_the_answers_that_one_gets(desk: Assistant) -> None:
    questions = [
        COST, "Who is the director of the Marram Museum?", "Who runs the café at Skell Mill?", "When does it open?",
        "Who is the mayor of Leeds?", "What share of the sum came from the Lottery?", "How much is entry?",
        "Where did the slates come from?", "When was the flood?", "How long did the repairs take?",
    ]  # fmt: skip

    def asked(question: str) -> dict[str, object]:
        return {k: v for k, v in desk.ask(question, ["Who runs Skell Mill?"]).to_dict().items() if k != "timings"}

    alone = [asked(q) for q in questions]
    with ThreadPoolExecutor(4) as pool:
        turns = list(pool.map(lambda _: [asked(q) for q in questions], range(4)))
    assert turns == [alone] * 4


def test_documents_failures_and_one_document(desk: Assistant) -> None:
    assert [d.path for d in desk.documents()] == ["mill.md", "news.txt", "opening.md", "repairs.txt"]
    assert desk.failures() == []
    assert desk.document(desk.documents()[0].id).title == "The café at Skell Mill"
    with pytest.raises(UsageError, match="no document 'nothing'"):
        desk.document("nothing")


def test_warm_makes_ready(open_museum: Callable[..., Assistant]) -> None:
    with open_museum() as desk:
        assert not desk.ready
        desk.warm()
        assert desk.ready
        assert desk.generator == "extractive"


def test_only_the_documents_asked_for_are_read(desk: Assistant) -> None:
    question = "When does the Marram Museum open?"
    everywhere = desk.ask(question)
    assert len({p.document.path for p in everywhere.passages}) > 1
    there = desk.ask(question, where=Where(paths=("news.txt",)))
    assert {p.document.path for p in there.passages} == {"news.txt"}
    assert there.id != everywhere.id
    nowhere = desk.ask(question, where=Where(paths=("absent/*",)))
    assert (nowhere.refused, nowhere.passages) == (True, ())
