"""A program that uses the API passes mypy, strictly, and knows the types of what it gets."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = """
import asyncio
from collections.abc import Sequence
from typing import assert_type

from assistant import (
    Answer, Assistant, AsyncAssistant, AuditedAnswer, Dialogue, Finished, Labels, Limits, Overloaded, Passage, Settings,
    Turn, Where,
)


def withdraw(stale: AuditedAnswer) -> None:
    print(stale.conversation, stale.question)


def main(questions: Sequence[str]) -> Answer | None:
    Assistant.build("documents", labels=lambda path, declared: Labels(declared.tags, ("public",)))
    with Assistant.open("index", settings=Settings(), limits=Limits(concurrent=2), on_stale=withdraw) as desk:
        public = desk.seen_by({"public"})
        talk: Dialogue = public.conversation("ticket 17")
        turns = [Turn(question) for question in questions]
        try:
            answer = desk.ask("Who?", turns, where=Where(tags=("a",)), audience={"public"}, timeout=2.5)
        except Overloaded as error:
            assert_type(error.retry_after, float)
            return None
        passages: list[Passage | None] = [c.passage for s in answer.shown for c in s.citations]
        print(passages, answer.export_proof(), desk.audit().stale, desk.proof(answer.id))
        for event in talk.stream("And then?"):
            if isinstance(event, Finished):
                return event.answer
    return None


async def loop() -> None:
    async with AsyncAssistant.open("index", audience={"public"}) as desk:
        assert_type(await desk.ask("Who?", timeout=1), Answer)
        async for event in desk.stream("Who?", [Turn("When?")]):
            print(event)
        print((await desk.search("who", 3))[0].document.path, [d.title for d in await desk.documents()])
        talk = await desk.conversation()
        assert_type(await talk.ask("Who?"), Answer)
        await desk.feedback.add("id", "right")


asyncio.run(loop())
"""
CONFIGURATION = """[mypy]
strict = True
follow_imports = silent
[mypy-anthropic.*,faiss.*,httpx2.*,keyring.*,numpy.*,onnx.*,onnxruntime.*,openai.*,opentelemetry.*,sentence_transformers.*]
follow_imports = skip
[mypy-textual.*,tokenizers.*,torch.*,transformers.*,xllamacpp.*]
follow_imports = skip
"""
"""What the API uses is typed without them, and they take minutes."""
WRONG_HEAD = """from assistant import Assistant, AsyncAssistant
async def f(desk: Assistant, loop: AsyncAssistant) -> None:
"""
WRONG = {
    "desk.ask(1)": "arg-type",
    "await loop.ask('Who?', timeout='1')": "arg-type",
    "await loop.search()": "call-arg",
    "loop.documents(audience='public').paths": "attr-defined",
}


def test_a_program_that_uses_the_api_passes_mypy(tmp_path: Path) -> None:
    pytest.importorskip("mypy")
    (tmp_path / "program.py").write_text(PROGRAM, encoding="utf-8")
    calls = "".join(f"    {line}\n" for line in WRONG)
    (tmp_path / "wrong.py").write_text(f"{WRONG_HEAD}{calls}", encoding="utf-8")
    (tmp_path / "mypy.ini").write_text(CONFIGURATION, encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-m", "mypy", "--cache-dir", "cache", "program.py", "wrong.py"],
        cwd=tmp_path, env={**os.environ, "MYPYPATH": str(ROOT)}, capture_output=True, text=True, timeout=500,
    )  # fmt: skip
    told = [line for line in run.stdout.splitlines() if ": error: " in line]
    assert [line for line in told if not line.startswith("wrong.py")] == [], run.stdout
    for number, code in enumerate(WRONG.values(), 3):
        assert any(line.startswith(f"wrong.py:{number}: ") and f"[{code}]" in line for line in told), run.stdout
