"""Always true 7: the first screen needs no model and no library that brings one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROGRAM = """
import asyncio, sys
from pathlib import Path
from assistant.tui.app import AssistantApp
from assistant.tui.launch import Launch
from assistant.tui.widgets.composer import PROMPT, Composer
from corpus.errors import UsageError

HEAVY = {"torch", "transformers", "sentence_transformers", "faiss", "onnxruntime", "trafilatura", "numpy", "sqlite3"}
seen = {}

def opener():
    seen["when opening"] = sorted(HEAVY & set(sys.modules))
    raise UsageError("no index here")

async def main():
    app = AssistantApp(Launch(opener, Path("none")))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.app.workers.wait_for_complete([w for w in app.workers if w.name != "prepare"])
        await pilot.pause()
        seen["when shown"] = sorted(HEAVY & set(sys.modules))
        assert app.query_one(Composer).region.height == 3
        assert PROMPT[1:] in app.export_screenshot().replace("&#160;", " ")

asyncio.run(main())
print(seen)
"""


def test_the_first_screen_loads_no_model_library() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[3],
        check=False,
    )
    assert done.stdout.splitlines()[-1:] == ["{'when opening': [], 'when shown': []}"], done.stdout + done.stderr
