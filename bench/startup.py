"""How soon `assistant --help`, an answer and the application's first screen are there, as whole processes.

python bench/startup.py [--runs 9] [--index DIR]

An answer is measured beside `import sentence_transformers` alone, once the model's encoder is in the user's cache.

The application runs in a pseudo-terminal of 80 x 24: its first screen is there when the composer's prompt has been
written, and it is ready when its status line says so.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable
from pathlib import Path

from assistant.tui.widgets.composer import PROMPT

LIMITS = {"--help": 0.3, "first screen": 0.8, "ready": 2.0, "ask": 1.5, "ask, no reranker": 1.5}
"""Seconds."""
QUESTION = "What does it cost to have garden waste collected?"
ROOT = Path(__file__).parents[1]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color"}


def to_end(*command: str) -> float:
    """Seconds until a command has ended."""
    began = time.perf_counter()
    subprocess.run([sys.executable, *command], env=ENVIRONMENT, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began


def to_words(index: str, words: str) -> float:
    """Seconds until `assistant chat` has written these words."""
    parent, child = pty.openpty()
    fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "assistant", "chat", "--index", index],
        env=ENVIRONMENT,
        stdin=child,
        stdout=child,
        stderr=child,
    )
    os.close(child)
    written = bytearray()
    try:
        while words.encode() not in written:
            written += os.read(parent, 1 << 16)
        return time.perf_counter() - began
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        os.close(parent)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--index", help="an index folder; without it the sample documents answer")
    options = parser.parse_args()
    late = False
    with tempfile.TemporaryDirectory() as empty:
        index = options.index or f"{empty}/samples"
        if not options.index:
            to_end("-m", "assistant", "index", str(ROOT / "corpus" / "samples"), "--index", index)
        ask = ("-m", "assistant", "ask", QUESTION, "--index", index)
        to_end(*ask)
        measured: dict[str, Callable[[], float]] = {
            "pass": lambda: to_end("-c", "pass"),
            "--help": lambda: to_end("-m", "assistant", "--help"),
            "ask": lambda: to_end(*ask),
            "ask, no reranker": lambda: to_end(*ask, "--reranker", "none"),
            "import alone": lambda: to_end("-c", "import sentence_transformers"),
            "first screen": lambda: to_words(index, PROMPT[1:]),  # the cursor is on its first letter
            "ready": lambda: to_words(index, "● ready"),
        }
        seconds: dict[str, list[float]] = {name: [] for name in measured}
        for _ in range(options.runs):
            for name, measure in measured.items():
                seconds[name].append(measure())
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    for name, median in medians.items():
        limit = LIMITS.get(name)
        late |= limit is not None and median > limit
        against = f", limit {limit} s" if limit else ""
        print(
            f"{name:16} median {median:.3f} s (min {min(seconds[name]):.3f}, max {max(seconds[name]):.3f}), "
            f"{median / medians['pass']:.0f} x `python -c pass`{against}"
        )
    print(
        f"{options.runs} runs, Python {sys.version.split()[0]}, "
        f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}"
    )
    return 1 if late else 0


if __name__ == "__main__":
    sys.exit(main())
