"""What HTTP on loopback adds to a question: the service against the same call in its own process.

python bench/service.py [--rounds 200]

The index is that of the sample documents under the hashing embedder, without a reranker, so that little else is
measured. Each round asks each question both ways, one after the other and the first of them in turns; the service is
a process of its own, its client one that keeps its connection. Exits with 1 where the overhead is more than `LIMIT`.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from assistant import Assistant, Settings

LIMIT = 0.010
"""Seconds, at the median."""
QUESTIONS = {
    "small talk": "Thanks!",
    "refused": "Who is the king of Atlantis?",
    "answered": "What does it cost to have garden waste collected?",
}
ROOT = Path(__file__).parents[1]


def measured(
    local: Callable[[str], object], remote: Callable[[str], object], question: str, rounds: int
) -> list[float]:
    """Seconds of each, by round: in the process, over HTTP."""
    pairs = []
    for number in range(rounds):
        seconds = {}
        for ask in (local, remote) if number % 2 else (remote, local):
            began = time.perf_counter()
            ask(question)
            seconds[ask] = time.perf_counter() - began
        pairs.append((seconds[local], seconds[remote]))
    here, there = (statistics.median(column) for column in zip(*pairs, strict=True))
    return [here, there, statistics.median(b - a for a, b in pairs)]


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=200)
    rounds: int = options.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        index, settings = Path(folder) / "index", Path(folder) / "settings.toml"
        Settings(reranker="none").write(settings)
        Assistant.build(ROOT / "corpus" / "samples", index=index, embedder="hashing")
        command = [sys.executable, "-m", "assistant", "serve", "--port", "0", "--index", str(index)]
        command += ["--settings", str(settings)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        with (
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment) as service,
            Assistant.open(index, settings=Settings.read(settings), history=Path(folder) / "own.sqlite3") as desk,
        ):
            assert service.stdout is not None
            address = urlsplit(service.stdout.readline().decode().strip())
            connection = http.client.HTTPConnection("127.0.0.1", address.port, timeout=60)

            def remote(question: str) -> object:
                connection.request(
                    "POST", "/ask", json.dumps({"question": question}), {"Content-Type": "application/json"}
                )
                return json.loads(connection.getresponse().read())["text"]

            def local(question: str) -> object:
                return desk.ask(question).text

            worst = 0.0
            try:
                print(f"{'':12} {'in process':>12} {'over HTTP':>12} {'overhead':>12}   medians of {rounds} rounds")
                for name, question in QUESTIONS.items():
                    assert local(question) == remote(question)  # and both have loaded what they need
                    here, there, more = measured(local, remote, question, rounds)
                    print(f"{name:12} {here * 1e3:9.2f} ms {there * 1e3:9.2f} ms {more * 1e3:9.2f} ms")
                    worst = max(worst, more)
            finally:
                service.terminate()
    print(f"at most {worst * 1e3:.2f} ms, allowed {LIMIT * 1e3:.0f} ms")
    return int(worst > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
