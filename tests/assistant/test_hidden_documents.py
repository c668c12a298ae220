"""Whatever the audiences: no byte of a hidden document is told, and none has an influence.

`bench/permissions.py` does the same for many more assignments and documents.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from assistant.api import Assistant
from assistant.asynchronous import AsyncAssistant
from assistant.mcp.server import Tools
from assistant.service.operations import OPERATIONS
from tests.assistant import fronts, telling
from tests.assistant.hiding import Trials, govt, samples

ASSIGNMENTS = 6


def _tried(trials: Trials, home: Path, assignments: int, alone: Sequence[int]) -> list[str]:
    """What was told though it must not be; in some assignments an index without what is hidden is asked too."""
    found = []
    for number in range(assignments):
        encoded = trials.assign()
        assert (encoded > 0) == (number == 0)
        with trials.open(home / f"history-{number // 5}") as desk:
            audience = trials.caller()
            found += [f"{number}: {problem}" for problem in trials.problems(desk, audience)]
            if number in alone:
                found += [f"{number}: {problem}" for problem in trials.influences(desk, frozenset(trials.groups[:2]))]
    return found


def test_nothing_hidden_is_told_of_public_documents(shared: Path, tmp_path: Path) -> None:
    if not (shared / "data" / "mtrag_govt").is_dir():
        pytest.skip(f"no development data: {str(shared / 'data' / 'mtrag_govt')!r} is missing")
    texts, questions = govt(shared / "data" / "mtrag_govt", 40)
    assert _tried(Trials(texts, questions, tmp_path, 1), tmp_path, ASSIGNMENTS, alone=(1,)) == []


def test_nothing_hidden_is_told_of_the_samples(tmp_path: Path) -> None:
    texts, questions = samples(tmp_path)
    assert _tried(Trials(texts, questions, tmp_path, 2), tmp_path, 6, alone=(2, 3)) == []


def test_the_trial_finds_what_is_told(tmp_path: Path) -> None:
    texts, questions = samples(tmp_path)
    trials = Trials(texts, questions, tmp_path, 3)
    trials.assign()
    with trials.open(tmp_path / "history") as desk:
        told = {problem.split(" tells ")[0] for problem in trials.problems(desk, frozenset(), seen=desk.seen_by(None))}
    expected = "ask stream search explain documents document document_at failures history conversations"
    assert told >= {*expected.split(), "document (hidden)", "HTTP ask", "HTTP documents", "MCP search", "async search"}


def test_every_call_is_tried() -> None:
    assert _public(Assistant) == telling.CALLS.keys() | telling.UNRESTRICTED
    assert _public(AsyncAssistant) - _public(Assistant) == {"desk"}
    assert [operation.name for operation in OPERATIONS if operation.name not in fronts.REQUESTS] == []
    assert {name for name, *_ in Tools.about} == fronts.TOOLS.keys()


def _public(kind: type) -> set[str]:
    return {name for name in dir(kind) if not name.startswith("_")}
