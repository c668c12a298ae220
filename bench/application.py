"""Whether the application stays quick and small: keys, event loop and memory, on a real pseudo-terminal.

python bench/application.py [--documents 5000] [--keys 300] [--questions 200] [--out FILE]

Keys: single letters are typed while an answer streams at 200 tokens a second and a child process indexes `--documents`
files with the default model; each is timed from the write to the terminal until the letter comes back from it. The same
without anything else going on stands beside it. Memory: resident set of the application's process after `--questions`
answered questions, beside that of a process without a screen that asks the same of the same models. The children are
this script with --play and --ask.
"""

from __future__ import annotations

import argparse
import fcntl
import itertools
import json
import os
import pty
import random
import re
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "corpus" / "samples"
TOKENS_PER_SECOND = 200
LETTERS = "абвгдежзийклмнопрстуфхцчшщъыьэюя"
"""Occur nowhere else on the screen."""
QUESTIONS = (
    "What does it cost to have garden waste collected?",
    "How long is CCTV footage kept?",
    "When is the library open on Saturdays?",
    "What do we charge to take away an old fridge?",
)


class Steady:
    """Writes what the passages say, over and over, a token each 5 ms."""

    name = "steady"

    def generate(self, prompt: object) -> Iterator[str]:
        if prompt.instruction is not None:  # type: ignore[attr-defined]
            return
        began, written = time.perf_counter(), 0
        for passage in itertools.chain.from_iterable(itertools.repeat(prompt.passages, 40)):  # type: ignore[attr-defined]
            for token in re.findall(r"\s*\S+", f" {passage.chunk.text} [{passage.number}]\n"):
                time.sleep(max(0.0, began + written / TOKENS_PER_SECOND - time.perf_counter()))
                written += 1
                yield token

    def close(self) -> None:
        return


def play(index: Path, generator: str, folder: Path | None) -> None:
    """The application as a user has it, but for what writes its answers."""
    from assistant.api import Assistant
    from assistant.tui.app import AssistantApp
    from assistant.tui.launch import Launch

    writer = Steady() if generator == "steady" else generator
    AssistantApp(
        Launch(
            lambda: Assistant.open(index, generator=writer),
            index,
            () if folder is None else (folder,),
            () if folder is None else ("--replace",),
        )
    ).run()


class Terminal:
    """A pseudo-terminal of 120 x 40 with the application in it."""

    def __init__(self, *arguments: str) -> None:
        self._parent, child = pty.openpty()
        fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color"}
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--play", *arguments],
            env=environment, stdin=child, stdout=child, stderr=child, start_new_session=True,
        )  # fmt: skip
        os.close(child)
        self._written = ""

    def write(self, keys: str) -> None:
        os.write(self._parent, keys.encode())

    def until(self, words: str, seconds: float = 60.0) -> float:
        """Seconds until these words have been written, from now on."""
        began = time.perf_counter()
        while words not in self._written:
            left = seconds - (time.perf_counter() - began)
            if left <= 0 or not select.select([self._parent], [], [], left)[0]:
                raise SystemExit(f"{words!r} did not come within {seconds} s; last came {self._written[-400:]!r}")
            self._written += os.read(self._parent, 1 << 16).decode(errors="replace")
        self._written = ""
        return time.perf_counter() - began

    def drain(self, seconds: float) -> None:
        """Reads whatever comes for so long."""
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            if select.select([self._parent], [], [], left)[0]:
                os.read(self._parent, 1 << 16)
        self._written = ""

    @property
    def resident(self) -> float:
        """Megabytes of the application's own process."""
        return resident(self.process.pid)

    def close(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self._parent)


def typed(terminal: Terminal, keys: int) -> list[float]:
    """Milliseconds from each key to its letter on the screen."""
    pauses = random.Random(7)
    times = []
    for place in range(keys):
        letter = LETTERS[place % len(LETTERS)]
        if place % len(LETTERS) == 0:
            terminal.write("\x15")  # empties the line
            terminal.drain(0.3)
        terminal.write(letter)
        times.append(1000 * terminal.until(letter))
        terminal.drain(pauses.uniform(0.02, 0.12))
    return times


def summary(times: list[float]) -> dict[str, float]:
    shares = {"median": 50, "p95": 95, "p99": 99, "max": 100}
    return {name: round(float(np.percentile(times, share)), 1) for name, share in shares.items()}


def many(folder: Path, count: int) -> Path:
    """So many files, each a part of a sample in another order."""
    shuffled = random.Random(3)
    files = sorted((*SAMPLES.glob("*.txt"), *SAMPLES.glob("*.md")))
    texts = [path.read_text(encoding="utf-8", errors="replace") for path in files]
    sentences = [s for text in texts for s in re.split(r"(?<=[.!?])\s+", text) if len(s) > 20]
    folder.mkdir()
    for number in range(count):
        body = " ".join(shuffled.choices(sentences, k=25))
        (folder / f"{number}.txt").write_text(f"Note {number}\n\n{body}\n", encoding="utf-8")
    return folder


def index_of(folder: Path, index: Path) -> Path:
    subprocess.run(
        [sys.executable, "-m", "assistant", "index", str(folder), "--index", str(index)],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True,
    )  # fmt: skip
    return index


def keys(work: Path, count: int, documents: int) -> dict[str, dict[str, float]]:
    index = index_of(SAMPLES, work / "keys")
    found, folders = {}, many(work / "many", documents)
    for name, folder in (("idle", None), ("streaming", None), ("streaming and indexing", folders)):
        terminal = Terminal(str(index), "steady", *([] if folder is None else [str(folder)]))
        try:
            terminal.until("● ready")
            if folder is not None:
                terminal.until("indexing")
            if name != "idle":
                terminal.write(QUESTIONS[0] + "\r")
                terminal.until("[1]")
                terminal.drain(2)
            found[name] = summary(typed(terminal, count))
        finally:
            terminal.close()
    return found


def memory(work: Path, count: int) -> dict[str, float]:
    index = index_of(SAMPLES, work / "memory")
    terminal = Terminal(str(index), "extractive")
    try:
        terminal.until("● ready")
        terminal.drain(5)
        ready = terminal.resident
        for _, question in zip(range(count), itertools.cycle(QUESTIONS), strict=False):
            terminal.write(question + "\r")
            terminal.until("answering")
            terminal.until("● ready")
        after = terminal.resident
    finally:
        terminal.close()
    bare = subprocess.run(
        [sys.executable, __file__, "--ask", str(index), str(count)],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    alone = float(bare.stdout)
    return {"questions": count, "ready": ready, "at the end": after, "models alone": alone, "apart": after - alone}


def ask(index: Path, count: int) -> float:
    """Megabytes of this process after so many questions, without a screen."""
    from assistant.api import Assistant

    with Assistant.open(index, history=":memory:") as desk:
        for _, question in zip(range(count), itertools.cycle(QUESTIONS), strict=False):
            desk.ask(question)
    return resident(os.getpid())


def resident(process: int) -> float:
    """Megabytes of memory that a process holds."""
    (kilobytes,) = re.findall(r"^VmRSS:\s+(\d+)", Path(f"/proc/{process}/status").read_text(), re.M)
    return round(int(kilobytes) / 1024, 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=5000)
    parser.add_argument("--keys", type=int, default=300)
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--play", nargs="+", help=argparse.SUPPRESS)
    parser.add_argument("--ask", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.ask:
        print(ask(Path(options.ask[0]), int(options.ask[1])))
        return
    if options.play:
        index, generator, *folder = options.play
        play(Path(index), generator, Path(folder[0]) if folder else None)
        return
    with tempfile.TemporaryDirectory() as work:
        found: dict[str, object] = {"load before": os.getloadavg()[0]}
        if options.keys:
            found["key to screen, ms"] = keys(Path(work), options.keys, options.documents)
        if options.questions:
            found["resident, MB"] = memory(Path(work), options.questions)
    print(json.dumps(found, indent=1))
    if options.out:
        options.out.write_text(json.dumps(found, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
