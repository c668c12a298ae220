"""What the worker threads tell the application."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from assistant.api import Assistant
    from assistant.tui.widgets.conversation import Exchange
    from assistant.types import Event


@dataclass
class Indexing(Message):
    """The folder is being indexed."""

    done: int
    total: int
    """Files."""
    chunks: int
    """Passages embedded so far."""


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

    exchange: Exchange
    event: Event
