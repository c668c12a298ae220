"""Generators by name."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from importlib.metadata import entry_points

from assistant.config import Settings
from assistant.secrets import redact
from assistant.types import TextGenerator
from corpus.errors import AssistantError, UsageError
from corpus.sanitizing import sanitize
from embeddings.types import Embedder, Reranker

ENTRY_POINTS = "assistant.generators"
"""Group under which third parties register a factory `(model, settings) -> TextGenerator`; `model` is what follows the
colon of the name, empty where none does."""
_MODELS = {
    "anthropic": ("assistant.generators.anthropic", "AnthropicGenerator", "MODEL"),
    "gguf": ("assistant.generators.gguf", "GgufGenerator", "FILE"),
    "openai": ("assistant.generators.openai", "OpenAIGenerator", "MODEL"),
}


def names() -> tuple[str, ...]:
    """Every generator that can be asked for, without importing any."""
    built_in = ("extractive", *(f"{kind}:{model}" for kind, (_, _, model) in _MODELS.items()))
    return tuple(sorted({*built_in, *(e.name for e in entry_points(group=ENTRY_POINTS))}))


def generator_named(name: str, settings: Settings, reranker: Reranker | None, embedder: Embedder) -> TextGenerator:
    """The generator of that name.

    Raises:
        UsageError: unknown, with the known ones; or a model is missing after the colon, or a package that it needs;
            or a third party's own code fails.
    """
    kind, _, model = name.partition(":")
    if name == "extractive":
        from assistant.generators.extractive import ExtractiveGenerator  # deferred: only what is asked for

        return ExtractiveGenerator(reranker, embedder)
    if kind in _MODELS:
        module, factory_name, placeholder = _MODELS[kind]
        if not model:
            raise UsageError(f"the generator {name!r} names no model: write {kind}:{placeholder}")
        built_in: Callable[[str, Settings], TextGenerator] = getattr(importlib.import_module(module), factory_name)
        return built_in(model, settings)
    found = next((e for e in entry_points(group=ENTRY_POINTS) if e.name == kind), None)
    if found is None:
        raise UsageError(f"no generator {name!r}: known are {', '.join(names())}")
    try:
        factory: Callable[[str, Settings], TextGenerator] = found.load()
        return factory(model, settings)
    except AssistantError:
        raise
    except Exception as error:  # a third party's, of any kind
        said = " ".join(sanitize(redact(f"{type(error).__name__}: {error}")).split())[:200]
        raise UsageError(
            f"the generator {kind!r} of {found.value!r} can't be made ({said}): mend or remove what installed it, or "
            "take another generator"
        ) from error
