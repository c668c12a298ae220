"""What threads tell the application."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from assistant.api import Assistant
    from assistant.tui.asking import Task
    from assistant.types import Event


@dataclass
class Opened(Message):
    """The index is open; the models are not loaded yet."""

    desk: Assistant


@dataclass
class Ready(Message):
    """The models are loaded."""


@dataclass
class Arrived(Message):
    """One event of an answer being written."""

    task: Task
    event: Event
