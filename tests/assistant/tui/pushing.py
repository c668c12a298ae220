"""One screen on an application of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from textual.app import App
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Static

import assistant.tui

SIZES = ((80, 24), (160, 48), (20, 5))


class Pushing(App[None]):
    """Shows the screen and keeps what it gives."""

    CSS_PATH = sorted((Path(assistant.tui.__file__).parent / "styles").glob("*.tcss"))

    def __init__(self, pushed: Screen[Any]) -> None:
        super().__init__()
        self.given: list[Any] = []
        self._pushed = pushed

    def on_mount(self) -> None:
        self.push_screen(self._pushed, self.given.append)

    @property
    def told(self) -> list[str]:
        """Notifications so far."""
        return [notification.message for notification in self._notifications]


def said(app: App[None]) -> str:
    """The line under the widgets of the dialog that is shown."""
    return str(app.screen.query_one(".dialog--said", Static).content)


async def settled(pilot: Pilot[None]) -> None:
    """Waits for every worker and for what it sent."""
    await pilot.pause()
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()
