"""Logs: what they say, that neither they nor spans tell what they must not, and that the page names them all."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from assistant.api import Assistant
from assistant.config import Settings
from assistant.telemetry import LOGGER, JsonFormatter, label, log
from assistant.types import Prompt
from corpus.errors import UnavailableError
from embeddings.hashing import HashingEmbedder
from tests.assistant.generators.test_secrets import SHAPES
from tests.assistant.telemetry.conftest import COST, REFUSED, ROOT, ByLength, attributes

trace = pytest.importorskip("opentelemetry.trace", reason="the extra `telemetry` isn't installed")
pytest.importorskip("opentelemetry.sdk", reason="opentelemetry-sdk is a development dependency")

from opentelemetry.sdk.trace import ReadableSpan  # noqa: E402 - after what skips
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter  # noqa: E402

WHOLE = "How long did the repairs to the roof take?"
ELSEWHERE = {"generation", "overloaded", "stale", "unaudited", "unavailable"}
"""Events that other tests look at."""
PAGE = (ROOT / "docs" / "observability.md").read_text(encoding="utf-8")


def test_each_question_is_one_line_of_log(desk: Assistant, logged: Callable[[], list[dict[str, Any]]]) -> None:
    answer, refused = desk.ask(COST, conversation="ticket-7"), desk.ask(REFUSED)
    first, second = logged()
    seconds = first.pop("seconds")
    assert 0 < sum(answer.timings.values()) <= seconds + 0.01
    assert first.pop("time").endswith("+00:00")
    assert first == {
        "level": "info",
        "logger": "assistant",
        "event": "answered",
        "conversation": "ticket-7",
        "answer": answer.id,
        "generation": answer.snapshot.generation,
        "generator": "extractive",
        "passages": len(answer.passages),
        "shown": len(answer.shown),
        "left_out": 0,
        "confidence": answer.confidence,
        "stages": answer.timings,
    }
    assert refused.refusal is not None
    assert (second["event"], second["refusal"]) == ("refused", refused.refusal.reason)


def test_a_new_generation_is_told_once(tmp_path: Path, logged: Callable[[], list[dict[str, Any]]]) -> None:
    folder, index = tmp_path / "documents", tmp_path / "index"
    folder.mkdir()
    (folder / "roof.txt").write_text("The repairs to the roof cost £412,000.\n", encoding="utf-8")
    before = Assistant.build(folder, index=index, embedder="hashing")
    with Assistant.open(index, embedder=HashingEmbedder(), reranker=None) as desk:
        desk.ask(COST)
        (folder / "hall.txt").write_text("The hall opens at nine.\n", encoding="utf-8")
        Assistant.build(folder, index=index, embedder="hashing")
        with ThreadPoolExecutor(4) as many:
            list(many.map(desk.ask, [COST] * 8))
        after = desk.snapshot.generation
    assert before.failures == ()
    changes = [line for line in logged() if line["event"] == "generation"]
    assert [(line["before"], line["generation"]) for line in changes] == [(after - 1, after)]


def marked(root: Path, key: str) -> Path:
    """Index of a document that holds a key and a word of its own, in text, title, and names of file and folder."""
    folder = root / f"FOLDERMARK {key}"
    folder.mkdir()
    text = f"TITLEMARK {key}\n\nThe TEXTMARK repairs to the roof cost £412,000 by {key}.\n"
    (folder / f"FILEMARK {key}.txt").write_text(text, encoding="utf-8")
    Assistant.build(folder, index=root / "INDEXMARK", embedder="hashing")
    return root / "INDEXMARK"


MARKS = re.compile("TITLEMARK|TEXTMARK|FOLDERMARK|FILEMARK|INDEXMARK|ASKMARK", re.I)


@pytest.mark.parametrize("key", SHAPES)
def test_neither_keys_nor_texts_nor_paths_are_told(
    key: str,
    tmp_path: Path,
    scripted: Any,
    exporter: InMemorySpanExporter,
    logged: Callable[[], list[dict[str, Any]]],
) -> None:
    class Keyed(scripted):  # type: ignore[misc]
        name = f"mine:{key}"

    def failing(prompt: Prompt) -> Iterable[str]:
        yield prompt.passages[0].chunk.text
        raise OSError(f"{key} is no key for {prompt.question} {tmp_path}")

    exporter.clear()
    index, question = marked(tmp_path, key), f"How much did the ASKMARK {key} repairs to the roof cost?"
    plain = io.StringIO()
    handler = logging.StreamHandler(plain)
    LOGGER.addHandler(handler)
    for text in (False, True):
        settings = Settings(log_text=text)
        for generator in ("extractive", Keyed(lambda p: [p.passages[0].chunk.text + " [1]"]), Keyed(failing)):
            opened = Assistant.open(
                index, settings=settings, generator=generator, embedder=HashingEmbedder(), reranker=ByLength()
            )
            with opened as desk:
                for asked in (question, f"Who is {key} ASKMARK?"):
                    try:
                        desk.ask(asked, [question], conversation=f"c {key}", anyway=True)
                    except UnavailableError:
                        assert generator != "extractive"
                next(left := desk.stream(question, conversation=key))
                left.close()
        spanned = [span.to_json() for span in exporter.get_finished_spans()]
        told = [json.dumps(logged()), plain.getvalue(), *spanned]
        assert len(logged()) >= 6
        assert sum(key in one for one in told) == 0
        assert not any(MARKS.search(one) for one in spanned)
        assert bool(MARKS.search(told[0])) is text
        assert ("ASKMARK" in told[0], "ASKMARK" in told[1]) == (text, text)
    LOGGER.removeHandler(handler)


def test_lines_of_others_are_formatted_without_keys() -> None:
    try:
        raise ValueError(f"401 for {SHAPES[0]}")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, __file__, 1, "lost %s\nnext", (SHAPES[1],), sys.exc_info())
    line = JsonFormatter().format(record)
    assert "\n" not in line
    told = json.loads(line)
    assert (told["message"], told["level"]) == ("lost [key]\nnext", "error")
    assert told["exception"].endswith("ValueError: 401 for [key]")


def test_a_line_can_neither_be_broken_nor_coloured(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "assistant"):
        log("answered", conversation="one\ntwo \x1b[31m", seconds=0.123456, refusal=None)
    assert caplog.messages == ['answered conversation="one\\ntwo ␛[31m" seconds=0.1235']


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("extractive", "extractive"),
        ("openai:org/model", "openai:org/model"),
        ("cross-encoder/ms-marco-MiniLM", "cross-encoder/ms-marco-MiniLM"),
        ("gguf:/home/ada/models/small.gguf", "gguf:small.gguf"),
        ("gguf:models/small.gguf", "gguf:small.gguf"),
        ("/home/ada/reranker", "reranker"),
        (r"C:\Users\ada\reranker", "C:reranker"),
    ],
)
def test_of_a_file_only_the_name_is_told(name: str, shown: str) -> None:
    assert label(name) == shown


def test_without_the_package_nothing_is_missing(museum: Path, tmp_path: Path) -> None:
    code = f"""
import sys
sys.modules["opentelemetry"] = None
from assistant import Assistant
with Assistant.open({str(museum)!r}, reranker="none", history={str(tmp_path / "h")!r}) as desk:
    print(desk.ask({COST!r}).text)
"""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", env=environment)
    assert (done.returncode, done.stdout, done.stderr) == (
        0,
        "The repairs to the roof cost £412,000 and took nine weeks. [1]\n",
        "",
    )


def test_the_library_is_silent_by_itself() -> None:
    assert [type(handler) for handler in LOGGER.handlers] == [logging.NullHandler]
    assert LOGGER.level == logging.NOTSET
    assert LOGGER.propagate


def column(heading: str) -> set[str]:
    """The first column of a table of the page."""
    table = PAGE.split(f"| {heading} |", 1)[1].split("\n\n", 1)[0]
    return set(re.findall(r"^\| `([^`]+)`", table, re.M))


def test_the_page_names_what_is_emitted(
    museum: Path,
    tmp_path: Path,
    scripted: Any,
    spans: Callable[[], tuple[ReadableSpan, ...]],
    logged: Callable[[], list[dict[str, Any]]],
) -> None:
    class Hosted(scripted):  # type: ignore[misc]
        name = "openai:small-1"

    def writing(prompt: Prompt) -> Iterable[str]:
        return [WHOLE] if prompt.instruction else ["The repairs to the roof cost £412,000 [1]."]

    def failing(prompt: Prompt) -> Iterable[str]:
        raise UnavailableError("it is gone")

    settings = Settings(log_text=True)
    for number, draft in enumerate((writing, failing)):
        opened = Assistant.open(
            museum,
            settings=settings,
            generator=Hosted(draft, rewrites=True),
            embedder=HashingEmbedder(),
            reranker=ByLength() if number else None,
            history=tmp_path / "h",
        )
        with opened as desk:
            desk.ask("How long?", small := [COST]) if draft is writing else None
            desk.ask("Hello")
            with contextlib.suppress(UnavailableError):
                desk.ask(COST, anyway=True)
            next(left := desk.stream(COST, small))
            left.close()
    told = {name for line in logged() for name in line} - {"time", "level", "logger", "event"}
    assert {span.name for span in spans()} == column("span")
    assert {name for span in spans() for name in attributes(span)} == column("attribute")
    assert {line["event"] for line in logged()} | ELSEWHERE == column("event")
    assert told | {"before", "statements"} == column("field")


def test_what_the_page_shows_runs(museum: Path, tmp_path: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.S)
    asked = f"""
from assistant import Assistant
with Assistant.open({str(museum)!r}, reranker="none", history={str(tmp_path / "h")!r}) as desk:
    desk.ask({COST!r})
provider.shutdown()
"""
    done = subprocess.run(
        [sys.executable, "-c", "".join([*blocks, asked])],
        capture_output=True,
        encoding="utf-8",
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    assert {name for name in column("span") if f'"name": "{name}"' in done.stdout} == column("span") - {
        "rerank",
        "rewrite",
    }
    assert json.loads(done.stderr)["event"] == "answered"
