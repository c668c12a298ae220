"""The integrator's page runs as it stands, prints what it says, and leaves no public name out."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import assistant
from assistant import Assistant, AsyncAssistant, Dialogue, Stream

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```\s+```text\n(.*?)```", PAGE, re.DOTALL)
END = "\x1e"


def test_every_block_prints_what_stands_below_it(tmp_path: Path) -> None:
    assert len(BLOCKS) == PAGE.count("```python")
    code = "".join(f"{block}\nprint({END!r}, end='')\n" for block, _ in BLOCKS).replace("/tmp/passim", str(tmp_path))
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, encoding="utf-8", timeout=300
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.split(END) == [*(printed for _, printed in BLOCKS), ""]


def test_every_public_name_is_in_a_block() -> None:
    code = "\n".join(block for block, _ in BLOCKS)
    assert [name for name in assistant.__all__ if not re.search(rf"\b{name}\b", code)] == []


@pytest.mark.parametrize("kind", [Assistant, AsyncAssistant, Dialogue, Stream])
def test_every_public_member_is_in_a_block(kind: type) -> None:
    loop = [block for block, _ in BLOCKS if "AsyncAssistant" in block]
    code = "\n".join(loop if kind is AsyncAssistant else [block for block, _ in BLOCKS if block not in loop])
    members = [name for name in dir(kind) if not name.startswith("_")]
    assert [name for name in members if not re.search(rf"\.{name}\b", code)] == []
