"""Many questions at once while other processes publish, are killed, delete and replace the index."""

from __future__ import annotations

import itertools
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from assistant.api import Assistant
from assistant.limits import Limits
from assistant.types import Answer, Prompt, TextGenerator
from corpus.errors import IndexUnavailable, Overloaded
from embeddings.hashing import HashingEmbedder

ROOT = Path(__file__).parents[2]
PLACES = ("Ashley", "Brackmere", "Coldwick", "Elmley", "Fernmere", "Goldwick")
QUESTIONS = [f"How much does a berth at {place} cost?" for place in PLACES]
PUBLISHING = """
import itertools, sys
from pathlib import Path
from assistant.api import Assistant
from tests.assistant.test_load import write
folder, index, first, step = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), print if len(sys.argv) > 4 else None
for version in itertools.count(first):
    write(folder, version)
    report = Assistant.build(folder, index=index, embedder="hashing", progress=step and (lambda *_: step(flush=True)))
    print("published", version, report.generation, flush=True)
"""
ASKING = """
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tests.assistant.test_load import QUESTIONS, service
with service(Path(sys.argv[1])) as desk, ThreadPoolExecutor(4) as threads:
    list(threads.map(lambda question: desk.ask(question, conversation=sys.argv[2]), QUESTIONS * 5))
    assert not desk.unkept, desk.unkept
"""


def text_of(place: str, version: int) -> str:
    return f"The boat shed at {place}\n\nA berth at {place} costs £{100 + version} a year, as of version {version}.\n"


def write(folder: Path, version: int) -> None:
    """All documents but one, another for each version."""
    folder.mkdir(exist_ok=True)
    for number, place in enumerate(PLACES):
        path = folder / f"{place}.txt"
        path.write_text(text_of(place, version), encoding="utf-8")
        if version % len(PLACES) == number:
            path.unlink()


def build(folder: Path, version: int, index: Path) -> int:
    write(folder, version)
    return Assistant.build(folder, index=index, embedder="hashing").generation


def service(index: Path, generator: str | TextGenerator = "extractive", limits: Limits | None = None) -> Assistant:
    """With its conversations beside the index."""
    history = index.with_suffix(".history")
    return Assistant.open(
        index, generator=generator, embedder=HashingEmbedder(), reranker=None, history=history, limits=limits
    )


def told(answer: Answer) -> dict[str, Any]:
    return answer.to_dict() | {"timings": {}}


def version_of(answer: Answer) -> int:
    """Of which all that it shows is, to the letter."""
    quoted = [(c.passage, c.quote, c.start) for s in answer.statements for c in s.citations]
    (version,) = {int(p.document.text.rsplit(" ", 1)[1].rstrip(".\n")) for p in answer.passages}
    for passage in answer.passages:
        assert passage.document.text == text_of(Path(passage.document.path).stem, version).strip()
    assert all(p is not None and p.document.text[start : start + len(quote)] == quote for p, quote, start in quoted)
    return version


@contextmanager
def process(program: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", program, *map(str, arguments)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as running:
        yield running
        running.kill()


@contextmanager
def asking(desk: Assistant, threads: int = 8) -> Iterator[list[Answer]]:
    """Answers come in until the block ends; whatever a question raised is raised then."""
    answers: list[Answer] = []
    over = threading.Event()

    def ask(first: int) -> None:
        for question in itertools.islice(itertools.cycle(QUESTIONS), first, None):
            answers.append(desk.ask(question))
            if over.is_set():
                return

    with ThreadPoolExecutor(threads) as pool:
        running = [pool.submit(ask, number) for number in range(threads)]
        try:
            yield answers
        finally:
            over.set()
        for one in running:
            one.result()


def published(lines: Iterator[str], times: int) -> dict[int, int]:
    """Versions by generation, of the next so many publications."""
    found = (line.split() for line in lines if line.startswith("published"))
    return {int(generation): int(version) for _, version, generation in itertools.islice(found, times)}


def test_threads_get_what_one_gets(samples_index: Path, tmp_path: Path) -> None:
    """With the default models: encoder, reranker, indexes and caches are shared."""
    questions = ["When does Otterbank Library reopen?", "How much is a garden waste bin?", "Who chaired the panel?"]
    questions += ["What does it cost to hire the main hall?", "Why is Marl Bridge closed?", "What's the best pub?"]

    def opened(name: str) -> Assistant:
        return Assistant.open(samples_index, generator="extractive", history=tmp_path / name)

    with opened("one") as desk:
        alone = [told(desk.ask(question)) for question in questions]
    with opened("eight") as desk, ThreadPoolExecutor(8) as threads:
        together = list(threads.map(lambda question: told(desk.ask(question)), questions * 4))
    assert together == alone * 4


def test_an_answer_is_of_one_generation_whatever_is_published(tmp_path: Path) -> None:
    index = tmp_path / "index"
    versions = {build(tmp_path / "documents", 1, index): 1}
    with (
        service(index) as desk,
        process(PUBLISHING, tmp_path / "documents", index, 2) as writer,
        asking(desk) as answers,
    ):
        assert writer.stdout is not None
        versions |= published(iter(writer.stdout.readline, ""), 4)
    generations = {answer.snapshot.generation for answer in answers}
    assert len(generations) > 2
    for answer in answers:
        if answer.snapshot.generation in versions:
            assert version_of(answer) == versions[answer.snapshot.generation]


def test_a_slow_model_keeps_no_writer_from_folding_its_log(
    tmp_path: Path, scripted: Callable[..., TextGenerator]
) -> None:
    index, reads, may_write = tmp_path / "index", threading.Event(), threading.Event()
    first = build(tmp_path / "documents", 1, index)

    def draft(prompt: Prompt) -> Sequence[str]:
        reads.set()
        assert may_write.wait(60)
        return [f"{prompt.passages[0].document.text.splitlines()[-1]} [1]"]

    with service(index, scripted(draft)) as desk, ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(desk.ask, QUESTIONS[0])
        assert reads.wait(60)
        for version in range(2, 7):
            build(tmp_path / "documents", version, index)
            log = index / "catalogue.sqlite3-wal"
            assert not log.exists() or log.stat().st_size == 0
        may_write.set()
        answer = waiting.result()
        assert (answer.snapshot.generation, version_of(answer), answer.refused) == (first, 1, False)
        assert version_of(desk.ask(QUESTIONS[1])) == 6


def test_what_a_view_reads_stays_however_many_generations_are_published(tmp_path: Path) -> None:
    index = tmp_path / "index"
    build(tmp_path / "documents", 1, index)
    with service(index) as desk, desk._core.index.view() as view:
        vector = HashingEmbedder().embed_query(QUESTIONS[0])
        before = view.search(QUESTIONS[0], vector, 4)
        files = set(index.glob("lexical-*")) | set(index.glob("vectors-*"))
        for version in range(2, 5):
            build(tmp_path / "documents", version, index)
            assert version_of(desk.ask(QUESTIONS[0])) == version
        assert view.search(QUESTIONS[0], vector, 4) == before
        assert all(file.exists() for file in files)


def test_an_index_that_is_deleted_and_made_again(tmp_path: Path) -> None:
    index = tmp_path / "index"
    build(tmp_path / "documents", 1, index)
    with service(index) as desk:
        before = told(desk.ask(QUESTIONS[0]))
        shutil.rmtree(index)
        for _ in range(3):
            with pytest.raises(IndexUnavailable, match=rf"no index at '{index}': make one with `assistant index"):
                desk.ask(QUESTIONS[0])
        build(tmp_path / "documents", 1, index)
        assert told(desk.ask(QUESTIONS[0])) == before


def test_an_index_that_is_deleted_while_threads_ask(tmp_path: Path) -> None:
    index, kept = tmp_path / "index", tmp_path / "kept"
    build(tmp_path / "documents", 1, index)
    shutil.copytree(index, kept)
    with service(index) as desk, ThreadPoolExecutor(8) as threads:
        expected = [told(desk.ask(question)) for question in QUESTIONS]

        def ask(number: int) -> bool:
            try:
                return told(desk.ask(QUESTIONS[number % len(QUESTIONS)])) == expected[number % len(QUESTIONS)]
            except IndexUnavailable:
                return True

        for _ in range(3):
            asked = threads.map(ask, range(40))
            while index.exists():  # a reader may be making SQLite's shared memory there
                shutil.rmtree(index, ignore_errors=True)
            assert all(asked)
            kept.rename(index)
            shutil.copytree(index, kept)
            assert [told(desk.ask(question)) for question in QUESTIONS] == expected


def test_an_index_that_is_replaced_by_another(tmp_path: Path) -> None:
    index, other, foreign = (tmp_path / name for name in ("index", "other", "foreign"))
    build(tmp_path / "documents", 1, index)
    build(tmp_path / "documents", 5, other)
    Assistant.build(tmp_path / "documents", index=foreign, embedder=HashingEmbedder(64))
    with service(index) as desk:
        assert version_of(desk.ask(QUESTIONS[0])) == 1
        index.rename(tmp_path / "old")
        other.rename(index)
        assert version_of(desk.ask(QUESTIONS[0])) == 5
        index.rename(tmp_path / "older")
        foreign.rename(index)
        with pytest.raises(
            IndexUnavailable, match="was made with the embedder 'hashing-1:64:unit', not 'hashing-1:256:unit'"
        ):
            desk.ask(QUESTIONS[0])


def test_two_services_keep_all_their_answers(tmp_path: Path) -> None:
    index = tmp_path / "index"
    build(tmp_path / "documents", 1, index)
    with process(ASKING, index, "a") as one, process(ASKING, index, "b") as other:
        assert (one.wait(120), other.wait(120)) == (0, 0)
    with service(index) as desk:
        kept = [record.conversation for record in desk.history()]
        assert sorted(kept) == ["a"] * 5 * len(QUESTIONS) + ["b"] * 5 * len(QUESTIONS)
        assert desk._core.history.verify() == []


def test_a_writer_killed_in_the_middle(tmp_path: Path) -> None:
    """Of each version all or nothing is answered from, whenever the process that publishes it ends."""
    index, folder = tmp_path / "index", tmp_path / "documents"
    build(folder, 1, index)
    with service(index) as desk, asking(desk) as answers:
        for number in range(3):
            with process(PUBLISHING, folder, index, 2 + 10 * number, "steps") as writer:
                assert writer.stdout is not None
                for _ in range(1 + 17 * number):
                    assert writer.stdout.readline()
        last = build(folder, 99, index)
    for answer in answers:
        version_of(answer)
    with service(index) as desk:
        assert (desk.snapshot.generation, version_of(desk.ask(QUESTIONS[0]))) == (last, 99)


def test_a_thousand_questions_at_once(tmp_path: Path) -> None:
    index = tmp_path / "index"
    build(tmp_path / "documents", 1, index)
    with service(index, limits=Limits(concurrent=4, waiting=200, patience=60)) as desk:
        expected = told(desk.ask(QUESTIONS[0]))
        before, start = len(list(Path("/dev/fd").iterdir())), threading.Barrier(1000)

        def ask(_: int) -> dict[str, Any] | None:
            start.wait(60)
            try:
                return told(desk.ask(QUESTIONS[0]))
            except Overloaded as error:
                assert error.retry_after > 0
                return None

        with ThreadPoolExecutor(1000) as threads:
            got = list(threads.map(ask, range(1000)))
        answered = [answer for answer in got if answer is not None]
        assert len(answered) >= 200
        assert all(answer == expected for answer in answered)
        assert len(desk.history()) == 1 + len(answered)
        assert len(list(Path("/dev/fd").iterdir())) - before < 40
        assert told(desk.ask(QUESTIONS[0])) == expected
