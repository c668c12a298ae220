"""What the harness itself costs: scoring saved answers, and asking beside the assistant's own time.

    python bench/harness.py

On the sample documents with the default models; the thousand answers are the sample answers, each many times over
with other words at its end.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from assistant.api import Assistant
from eval import run
from eval.jsonl import read_rows, written

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "eval" / "datasets" / "samples.jsonl"
ANSWERS = 1_000


def copies(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    """`ANSWERS` rows with ids of their own; each text differs from every other, so that no memory of one helps."""
    found = []
    for number in range(ANSWERS):
        text = json.dumps(rows[number % len(rows)], ensure_ascii=False).replace(". ", f" {number}. ")
        found.append(json.loads(text) | {"id": f"{number}"})
    return found


def main() -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        Assistant.build(ROOT / "corpus" / "samples", index=folder / "index")
        with Assistant.open(folder / "index", history=folder / "history") as desk:
            desk.warm()
            run(SAMPLES, desk, scorers=["facts"])
            started = time.perf_counter()
            report = run(SAMPLES, desk, out=folder / "run")
            whole = time.perf_counter() - started
        own = sum(one.response.seconds or 0.0 for one in report.results)
        print(f"{len(report.results)} questions: {own:.1f} s the assistant's, {whole - own:.2f} s the harness's")
        print(f"overhead: {(whole - own) / own:.1%} with all scores, the report and its page")

        answers = [row for _, row in read_rows(folder / "run" / "results.jsonl")]
        gold = [row for _, row in read_rows(SAMPLES)]
        (folder / "answers.jsonl").write_text(written(copies(answers)), encoding="utf-8")
        (folder / "gold.jsonl").write_text(written(copies(gold)), encoding="utf-8")
        command = [sys.executable, "-m", "eval", "score", "answers.jsonl", "--gold", "gold.jsonl"]
        for name, more in {"without a folder": [], "with the report's page": ["--out", "scored"]}.items():
            started = time.perf_counter()
            environment = {"PYTHONPATH": str(ROOT), "PATH": ""}
            subprocess.run([*command, *more], check=True, cwd=folder, env=environment, stdout=subprocess.DEVNULL)
            print(f"{ANSWERS:,} saved answers scored in {time.perf_counter() - started:.1f} s, whole process, {name}")


if __name__ == "__main__":
    main()
