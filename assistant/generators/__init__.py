"""Generators by name."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import entry_points

from assistant.types import TextGenerator
from corpus.errors import UsageError
from embeddings.types import Embedder, Reranker

ENTRY_POINTS = "assistant.generators"
"""Group under which third parties register a factory `(reranker, embedder) -> TextGenerator`."""
_BUILT_IN = ("extractive",)


def names() -> tuple[str, ...]:
    """Every generator that can be asked for, without importing any."""
    return tuple(sorted({*_BUILT_IN, *(e.name for e in entry_points(group=ENTRY_POINTS))}))


def generator_named(name: str, reranker: Reranker | None, embedder: Embedder) -> TextGenerator:
    """The generator of that name. Raises `UsageError` for an unknown one, with the known ones."""
    factory: Callable[[Reranker | None, Embedder], TextGenerator]
    if name == "extractive":
        from assistant.generators.extractive import ExtractiveGenerator as factory  # deferred: only what is asked for
    else:
        found = next((e for e in entry_points(group=ENTRY_POINTS) if e.name == name), None)
        if found is None:
            raise UsageError(f"no generator {name!r}: known are {', '.join(names())}")
        factory = found.load()
    return factory(reranker, embedder)
