"""Imports point one way, and what starts fast imports nothing heavy."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import assistant

ROOT = Path(__file__).parents[1]
HEAVY = {
    "torch",
    "transformers",
    "sentence_transformers",
    "faiss",
    "onnxruntime",
    "trafilatura",
    "mcp",
    "opentelemetry",
}


def modules_after(code: str) -> set[str]:
    """Top-level names in `sys.modules` of a fresh interpreter after `code`."""
    tail = "\nimport sys; print('|' + ' '.join({m.partition('.')[0] for m in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code + tail], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(done.stdout.rpartition("|")[2].split())


@pytest.mark.parametrize(
    "code",
    [
        "import assistant",
        "from assistant import Assistant, Answer, Citation",
        "import assistant.api, assistant.render, assistant.generators, assistant.generators.extractive",
        "import embeddings.types, embeddings.search, embeddings.build, embeddings.embedder, embeddings.rerank",
        "import corpus.types, corpus.errors, corpus.sanitizing, corpus.loading, corpus.chunking",
        "from eval import run, score, compare\nimport eval.cli",
        "import assistant.tui.app",
    ],
)
def test_importing_brings_nothing_heavy(code: str) -> None:
    assert modules_after(code) & HEAVY == set()


@pytest.mark.parametrize("module", ["import assistant", "import assistant.cli", "import corpus.types, corpus.errors"])
def test_the_light_modules_bring_not_even_numpy(module: str) -> None:
    assert modules_after(module) & {"numpy", "textual", "rich"} == set()


@pytest.mark.parametrize(
    "arguments", [["--help"], ["ask", "--help"], ["index", "--help"], ["chat", "--help"], ["mcp", "--help"]]
)
def test_help_brings_nothing_heavy(arguments: list[str]) -> None:
    code = (
        f"import contextlib\nfrom assistant.cli import main\nwith contextlib.suppress(SystemExit): main({arguments!r})"
    )
    assert modules_after(code) & (HEAVY | {"numpy", "textual", "rich"}) == set()


def test_the_answering_layers_do_not_know_textual() -> None:
    assert "textual" not in modules_after("import assistant.api, assistant.render, eval.running, eval.cli")


def test_everything_that_assistant_offers_is_there() -> None:
    assert [name for name in assistant.__all__ if getattr(assistant, name).__name__ != name] == []
    assert {"Answer", "Settings", "Turn"} <= set(assistant.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = assistant.Nothing


def test_imports_point_one_way() -> None:
    command = Path(sysconfig.get_path("scripts")) / "lint-imports"
    if not command.exists():
        pytest.skip("import-linter is a development dependency")
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    checked = subprocess.run([command, "--no-cache"], cwd=ROOT, capture_output=True, text=True, env=environment)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert " 0 broken" in checked.stdout
