"""Answers from an organisation's documents, every sentence cited and checked.

from assistant import Assistant
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from corpus.errors import (
    AssistantError,
    DeadlineExceeded,
    IndexUnavailable,
    ModelUnavailable,
    Overloaded,
    UnavailableError,
    UnknownAudience,
    UsageError,
)

if TYPE_CHECKING:
    from assistant.api import Assistant as Assistant
    from assistant.asynchronous import AsyncAssistant as AsyncAssistant
    from assistant.audit.auditor import AuditedAnswer as AuditedAnswer
    from assistant.audit.auditor import AuditReport as AuditReport
    from assistant.config import Settings as Settings
    from assistant.dialogue import Dialogue as Dialogue
    from assistant.limits import Limits as Limits
    from assistant.records.proof import verify_proof as verify_proof
    from assistant.streaming import Stream as Stream
    from assistant.types import Answer as Answer
    from assistant.types import Citation as Citation
    from assistant.types import Conflict as Conflict
    from assistant.types import Finished as Finished
    from assistant.types import Passage as Passage
    from assistant.types import Refusal as Refusal
    from assistant.types import Retrieved as Retrieved
    from assistant.types import Statement as Statement
    from assistant.types import TextDelta as TextDelta
    from assistant.types import Turn as Turn
    from assistant.types import Verified as Verified
    from corpus.labels import Labels as Labels
    from embeddings.types import Where as Where

_PLACES = {
    "assistant.api": ("Assistant",),
    "assistant.asynchronous": ("AsyncAssistant",),
    "assistant.audit.auditor": ("AuditReport", "AuditedAnswer"),
    "assistant.config": ("Settings",),
    "assistant.dialogue": ("Dialogue",),
    "assistant.limits": ("Limits",),
    "assistant.records.proof": ("verify_proof",),
    "assistant.streaming": ("Stream",),
    "assistant.types": (
        *("Answer", "Citation", "Conflict", "Finished", "Passage", "Refusal", "Retrieved", "Statement", "TextDelta"),
        *("Turn", "Verified"),
    ),
    "corpus.labels": ("Labels",),
    "embeddings.types": ("Where",),
}
"""What is imported when it is asked for: NumPy and the index are only needed once something is opened."""

__all__ = [
    "Answer",
    "Assistant",
    "AssistantError",
    "AsyncAssistant",
    "AuditReport",
    "AuditedAnswer",
    "Citation",
    "Conflict",
    "DeadlineExceeded",
    "Dialogue",
    "Finished",
    "IndexUnavailable",
    "Labels",
    "Limits",
    "ModelUnavailable",
    "Overloaded",
    "Passage",
    "Refusal",
    "Retrieved",
    "Settings",
    "Statement",
    "Stream",
    "TextDelta",
    "Turn",
    "UnavailableError",
    "UnknownAudience",
    "UsageError",
    "Verified",
    "Where",
    "verify_proof",
]


def __getattr__(name: str) -> Any:
    for module, names in _PLACES.items():
        if name in names:
            return getattr(import_module(module), name)
    raise AttributeError(f"module 'assistant' has no attribute {name!r}")
