"""Indexing in a child process, and folders that are watched."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from assistant.tui.indexer import Indexer, Outcome, Progress, _Pace
from assistant.tui.indexing import Indexing, watch
from assistant.tui.launch import command
from corpus.errors import UnavailableError

pytestmark = pytest.mark.asyncio
HASHING = ("--embedder", "hashing")
REPORT = {"added": 1, "changed": 0, "unchanged": 2, "removed": 0, "chunks": 7, "failures": []}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "pier.txt").write_text("The pier at Skell opens on 6 May 2024.\n", encoding="utf-8")
    return folder


class Told:
    """What an `Indexing` has told, and a wait for what it is to tell."""

    def __init__(self, indexing: Indexing) -> None:
        self.states: list[Progress | Outcome | None] = []
        self._news = asyncio.Event()
        self._indexing = indexing
        indexing.observe(self._hear)

    def _hear(self, state: Progress | Outcome | None) -> None:
        self.states.append(state)
        self._news.set()

    async def until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not true():
                self._news.clear()
                await self._news.wait()

    async def outcome(self) -> Outcome:
        await self.until(lambda: not self._indexing.running)
        assert self._indexing.outcome is not None
        return self._indexing.outcome


def saying(program: str) -> Callable[..., Sequence[str]]:
    """A child in the assistant's place."""
    return lambda *_: [sys.executable, "-c", program]


async def test_the_command_writes_lines_of_json(folder: Path, tmp_path: Path) -> None:
    (folder / "broken.pdf").write_bytes(b"%PDF-1.4 no more")
    line = command("index", str(folder), "--index", str(tmp_path / "index"), "--json", *HASHING)
    done = subprocess.run(line, capture_output=True, text=True, check=True)
    *progress, last = map(json.loads, done.stdout.splitlines())
    assert progress and {"done": 0, "total": 2, "passages": 0} in progress
    assert all(set(values) == {"done", "total", "passages"} for values in progress)
    assert (last["report"]["added"], last["report"]["chunks"]) == (1, 1)
    assert [failure["path"] for failure in last["report"]["failures"]] == ["broken.pdf"]


async def test_a_child_takes_no_module_from_the_current_folder(tmp_path: Path) -> None:
    (tmp_path / "assistant.py").write_text("print('pwned')")
    done = subprocess.run(command("--version"), capture_output=True, text=True, cwd=tmp_path, check=True)
    assert done.stdout.startswith("assistant ")


async def test_a_run_reports_and_the_next_goes_on_with_the_embedder_of_the_index(folder: Path, tmp_path: Path) -> None:
    indexing = Indexing(tmp_path / "index", HASHING)
    told = Told(indexing)
    indexing.start([folder])
    assert indexing.running and indexing.progress == Progress()
    first = await told.outcome()
    assert (first.error, first.added, first.passages, first.failures) == ("", 1, 1, ())
    assert first.summary == "1 added; 1 passages"
    assert any(isinstance(state, Progress) and state.total == 1 for state in told.states)
    (folder / "mill.txt").write_text("The café at Skell Mill serves soup.\n", encoding="utf-8")
    indexing.start()
    assert (await told.outcome()).summary == "1 added; 2 passages"
    again = Indexing(tmp_path / "index")
    told = Told(again)
    await again.look()
    assert again.folders == (folder,)
    again.start()
    assert (await told.outcome()).summary == "nothing has changed; 2 passages"


async def test_what_is_asked_for_while_a_run_goes_on_follows_it(folder: Path, tmp_path: Path) -> None:
    indexing = Indexing(tmp_path / "index", HASHING)
    told = Told(indexing)
    other = tmp_path / "minutes"
    other.mkdir()
    (other / "may.txt").write_text("The committee met on 3 May 2024.\n", encoding="utf-8")
    indexing.start([folder])
    await told.until(lambda: indexing.progress != Progress())
    indexing.start([folder, other])
    outcome = await told.outcome()
    assert (outcome.error, outcome.passages, indexing.folders) == ("", 2, (folder, other))
    assert len([state for state in told.states if isinstance(state, Outcome)]) == 2


async def test_a_failed_run_says_why_in_the_childs_words(folder: Path, tmp_path: Path) -> None:
    indexing = Indexing(tmp_path / "index", HASHING)
    told = Told(indexing)
    indexing.start([folder])
    await told.outcome()
    indexing.start([folder, tmp_path / "missing"])
    outcome = await told.outcome()
    assert outcome.error.startswith(f"no folder '{tmp_path / 'missing'}'") and outcome.summary == outcome.error
    assert indexing.folders == (folder,)


async def test_a_cancelled_run_leaves_the_index_and_no_process(folder: Path, tmp_path: Path) -> None:
    for number in range(400):
        (folder / f"{number}.txt").write_text(f"Report {number} was noted.\n" * 200, encoding="utf-8")
    indexing = Indexing(tmp_path / "index", HASHING)
    told = Told(indexing)
    indexing.start([folder])
    await told.until(lambda: bool(indexing.progress and indexing.progress.total))
    child = indexing._indexer._child.pid  # type: ignore[union-attr]
    assert os.getsid(child) == child and os.getpriority(os.PRIO_PROCESS, child) == 10
    indexing.cancel()
    assert "cancelled" in (await told.outcome()).error
    with pytest.raises(ProcessLookupError):
        os.killpg(child, 0)


async def test_a_run_is_cancelled_before_its_child_is_there(folder: Path, tmp_path: Path) -> None:
    indexing = Indexing(tmp_path / "index", HASHING)
    told = Told(indexing)
    indexing.start([folder])
    await asyncio.sleep(0)
    indexing.cancel()
    assert "cancelled" in (await told.outcome()).error
    assert not (tmp_path / "index").exists()


async def test_closing_ends_the_child(folder: Path, tmp_path: Path) -> None:
    indexing = Indexing(tmp_path / "index", HASHING)
    told = Told(indexing)
    indexing.start([folder])
    await told.until(lambda: indexing.progress != Progress())
    child = indexing._indexer._child.pid  # type: ignore[union-attr]
    await indexing.close()
    with pytest.raises(ProcessLookupError):
        os.killpg(child, 0)


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("import sys; sys.stderr.write('first\\nassistant: the disk is full\\n'); sys.exit(3)", "the disk is full"),
        ("import sys; sys.stderr.write('x' * 100_000 + '\\n\\x1b[2Jbad\\n'); sys.exit(1)", "␛[2Jbad"),
        ("import sys; sys.exit(4)", "indexing ended with code 4 and said nothing: try again"),
        ("print('not JSON'); print('[1]'); print('{}'); print('7'); print('{\"done\": null}')", "said nothing"),
        ("print('[' * 100_000)", "said nothing"),
        ('print(\'{"report": {"added": 1}}\')', "said nothing"),
        ("import sys; sys.stdout.buffer.write(b'\\xff' * (1 << 26))", "said nothing"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "code -9"),
    ],
)
async def test_a_broken_child_is_told(program: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(UnavailableError) as raised:
        await Indexer(tmp_path, program=saying(program)).run([tmp_path], lambda _: None)
    assert said in str(raised.value) and "\x1b" not in str(raised.value)


async def test_what_a_child_says_between_nonsense_counts(tmp_path: Path) -> None:
    lines: list[Any] = ["?", {"done": 1, "total": 3, "passages": 5}, {"done": "x"}, {"report": REPORT}, "end"]
    program = "\n".join(f"print({(json.dumps(line) if isinstance(line, dict) else line)!r})" for line in lines)
    seen: list[Progress] = []
    outcome = await Indexer(tmp_path, program=saying(program)).run([tmp_path], seen.append)
    assert seen == [Progress(1, 3, 5)]
    assert outcome == Outcome(added=1, unchanged=2, passages=7)


async def test_a_program_that_is_not_there_is_told(tmp_path: Path) -> None:
    indexer = Indexer(tmp_path, program=lambda *_: [str(tmp_path / "none")])
    with pytest.raises(UnavailableError, match="indexing can't be started: No such file"):
        await indexer.run([tmp_path], lambda _: None)


async def test_rate_is_of_the_last_seconds_and_time_left_by_files() -> None:
    now = 100.0
    pace = _Pace(lambda: now)
    assert pace.after(10, 110, 0) == Progress(10, 110, 0)
    now = 104.0
    assert pace.after(20, 110, 400) == Progress(20, 110, 400, rate=100.0, seconds_left=36.0)
    now = 112.0
    assert pace.after(60, 110, 2000) == Progress(60, 110, 2000, rate=200.0, seconds_left=12.0)


async def test_watching_tells_of_documents_and_of_nothing_else(folder: Path) -> None:
    index = folder / "index"
    index.mkdir()
    changes = watch([folder], index)
    first = asyncio.ensure_future(anext(changes))
    for number in range(3):
        (index / f"{number}.sqlite3").write_text("x")
    (folder / ".hidden").write_text("x")
    (folder / "~$letter.docx").write_text("x")
    (folder / "download.part").write_text("x")
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(asyncio.shield(first), 3)
    assert not first.done()
    (folder / "new.txt").write_text("x")
    assert await asyncio.wait_for(first, 20) is None
    folder.rename(folder.with_name("elsewhere"))
    with pytest.raises(UnavailableError, match="notes' is gone"):
        await asyncio.wait_for(anext(changes), 20)


async def test_a_watched_folder_that_goes_is_told(folder: Path, tmp_path: Path) -> None:
    indexing = Indexing(tmp_path / "index", HASHING)
    told = Told(indexing)
    indexing.start([folder])
    await told.outcome()
    indexing.watch(True)
    await told.until(lambda: indexing.watching)
    folder.rename(tmp_path / "elsewhere")
    await told.until(lambda: not indexing.watching)
    assert indexing.trouble == f"the folder '{folder}' is gone, so the folders are no longer watched"
    indexing.watch(True)
    await told.until(lambda: not indexing.watching)
    assert indexing.trouble
    await indexing.close()


async def test_a_change_brings_the_index_up_to_date(folder: Path, tmp_path: Path) -> None:
    indexing = Indexing(tmp_path / "index", HASHING)
    told = Told(indexing)
    indexing.start([folder])
    await told.outcome()
    indexing.watch(True)
    (folder / "mill.txt").write_text("The café at Skell Mill serves soup.\n", encoding="utf-8")
    touched = 0

    async def keep_changing() -> None:  # until the watch, which takes some time to begin, has seen it
        nonlocal touched
        while not indexing.running:
            touched += 1
            (folder / "mill.txt").write_text(f"The café at Skell Mill serves soup {touched}.\n", encoding="utf-8")
            await asyncio.sleep(0.2)

    await asyncio.wait_for(keep_changing(), 30)
    assert (await told.outcome()).passages == 2
    await indexing.close()


def test_the_child_ends_with_whoever_started_it(tmp_path: Path) -> None:
    """As when the terminal is closed: nobody is left to end it."""
    folder = tmp_path / "documents"
    folder.mkdir()
    for number in range(400):
        (folder / f"{number}.txt").write_text(f"Report {number}. " * 2000, encoding="utf-8")
    line = command("index", str(folder), "--index", str(tmp_path / "index"), "--embedder", "hashing", "--json")
    child = subprocess.Popen([*line, "--while-stdin"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdin is not None and child.stdout is not None
    child.stdout.readline()  # it has begun
    child.stdin.close()
    assert child.wait(30) == -signal.SIGTERM
