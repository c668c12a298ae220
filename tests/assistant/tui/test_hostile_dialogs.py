"""Hostile strings in every field of every dialog: nothing of them is in force."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from textual.geometry import Region
from textual.screen import Screen
from textual.widgets import Static

from assistant.config import ApplicationSettings, Settings
from assistant.feedback import Feedback
from assistant.tui.choice import ChoiceScreen
from assistant.tui.generator import GeneratorScreen
from assistant.tui.judgements import JudgementsScreen, ReasonScreen
from assistant.tui.judging import JudgeScreen
from assistant.tui.prompt import PromptScreen
from assistant.tui.settings import SettingsScreen
from corpus.errors import UsageError
from tests.assistant.tui.pushing import Pushing, settled
from tests.assistant.tui.test_hostile_text import ACTIONS, HOSTILE, answer_of, control, strings

pytestmark = pytest.mark.skipif(not HOSTILE.is_dir(), reason=f"no hostile strings in {HOSTILE}")
BATCH = 320


def dialogs(texts: list[str]) -> Iterator[Screen[Any]]:
    """Each dialog with `texts` wherever outside text can stand."""
    joined = "\n".join(texts)

    def refused(value: str) -> str:
        raise UsageError(f"{value} {joined}")

    yield PromptScreen(joined, texts[0], joined, refused)
    yield ChoiceScreen(joined, [(text, text) for text in texts], texts[1], joined)
    yield GeneratorScreen(texts[0], tuple(texts), refused)
    answer = answer_of(texts)
    yield JudgeScreen(answer, answer.shown[0].citations[0])
    now = datetime.now(UTC)
    judged = [Feedback(f"{n}", "wrong", text, None, now, text) for n, text in enumerate(texts)]
    yield ReasonScreen(judged[0])
    yield JudgementsScreen(SimpleNamespace(feedback=SimpleNamespace(listed=lambda: judged)))  # type: ignore[arg-type]
    values = {"generator": texts[0], "base_url": texts[1], "reranker": texts[2], "calibration": joined}
    yield SettingsScreen(Settings(**values), ApplicationSettings(theme=texts[3]), Path(texts[4].replace("\0", "")))  # type: ignore[arg-type]


def check(app: Pushing) -> None:
    for widget in (app.screen, *app.screen.query("*")):
        for strip in widget.render_lines(Region(0, 0, widget.size.width, min(widget.size.height, 400))):
            for segment in strip:
                assert not [c for c in segment.text if control(c)], (segment.text, widget)
                assert segment.style is None or not segment.style.link, widget
                assert segment.style is None or "pwned" not in str(segment.style.meta), widget


async def test_no_string_is_in_force_in_any_dialog() -> None:
    texts = strings()
    for first in range(0, len(texts), BATCH):
        batch = [*texts[first : first + BATCH], *[ACTIONS] * 5]
        for screen in dialogs(batch):
            app = Pushing(screen)
            async with app.run_test(size=(80, 24)) as pilot:
                await settled(pilot)
                if isinstance(screen, PromptScreen):
                    await pilot.press("enter")
                    await settled(pilot)
                    assert str(screen.query_one(".dialog--said", Static).content).startswith("✗ ")
                check(app)
                assert app.is_running
