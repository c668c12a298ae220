"""The example of docs/evaluation.md prints what it says, and the page names every measure and format."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

from eval.datasets import formats
from eval.scorers import DEFAULT, known, scorer_named

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "evaluation.md").read_text(encoding="utf-8")


def test_the_example_prints_what_stands_below_it(tmp_path: Path) -> None:
    example = PAGE.partition("## An example")[2]
    gold, answers = re.findall(r"```json\n(.*?)```", example, re.DOTALL)
    (tmp_path / "gold.jsonl").write_text(gold, encoding="utf-8")
    (tmp_path / "answers.jsonl").write_text(answers, encoding="utf-8")
    shell, printed = re.findall(r"```(?:sh|text)\n(.*?)```", example, re.DOTALL)[:2]
    command = [sys.executable, "-m", *shlex.split(shell)]
    environment = {"PYTHONPATH": str(ROOT), "PATH": "", "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, encoding="utf-8")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == printed


def test_every_measure_and_format_is_on_the_page() -> None:
    named = {name.partition("[")[0].partition("@")[0] for name in (*known(), *DEFAULT)}
    assert [name for name in sorted(named) if f"`{name}" not in PAGE] == []
    assert [name for name in formats() if name != "jsonl" and f"| `{name}` |" not in PAGE] == []


def test_the_bounds_on_the_page_are_bounds() -> None:
    (bounds,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    tables = tomllib.loads(bounds)
    assert [scorer_named(name).name for table in tables.values() for name in table] == [
        name for table in tables.values() for name in table
    ]
