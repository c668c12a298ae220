"""Answers from an organisation's documents, every sentence cited and checked.

from assistant import Assistant
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from corpus.errors import AssistantError, IndexUnavailable, ModelUnavailable, UnavailableError, UsageError

if TYPE_CHECKING:
    from assistant.api import Assistant as Assistant
    from assistant.config import Settings as Settings
    from assistant.types import Answer as Answer
    from assistant.types import Citation as Citation
    from assistant.types import Passage as Passage
    from assistant.types import Refusal as Refusal
    from assistant.types import Statement as Statement
    from assistant.types import Turn as Turn

__all__ = [
    "Answer",
    "Assistant",
    "AssistantError",
    "Citation",
    "IndexUnavailable",
    "ModelUnavailable",
    "Passage",
    "Refusal",
    "Settings",
    "Statement",
    "Turn",
    "UnavailableError",
    "UsageError",
]


def __getattr__(name: str) -> Any:
    # numpy and the index are only needed once something is opened: `assistant --help` must not wait for them.
    if name == "Assistant":
        from assistant.api import Assistant

        return Assistant
    if name == "Settings":
        from assistant.config import Settings

        return Settings
    if name in __all__:
        from assistant import types

        return getattr(types, name)
    raise AttributeError(f"module 'assistant' has no attribute {name!r}")
