"""What went wrong, as people are told it."""

from __future__ import annotations

from assistant.secrets import redact
from corpus.errors import AssistantError
from corpus.sanitizing import sanitize


def told(error: BaseException) -> str:
    """One cleaned line without keys: an error meant for people as it is, any other with its kind."""
    said = str(error) if isinstance(error, AssistantError) else f"unexpected {type(error).__name__}: {error}"
    return " ".join(sanitize(redact(said)).split())
