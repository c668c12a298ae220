"""From names and settings to what an assistant answers with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from assistant.answering import Means
from assistant.confidence import Calibration
from assistant.config import Settings, index_folder
from assistant.core import Core
from assistant.entailment import entailment_named
from assistant.generators import generator_named
from assistant.history import FILE as HISTORY_FILE
from assistant.history import History
from assistant.limits import Limits
from assistant.types import TextGenerator
from embeddings.embedder import embedder_named
from embeddings.rerank import reranker_named
from embeddings.search import Index
from embeddings.types import Embedder, Reranker


def opened(
    index: str | Path | None,
    settings: Settings | None,
    generator: str | TextGenerator | None,
    embedder: str | Embedder | None,
    reranker: str | Reranker | None,
    history: str | Path | None,
    limits: Limits | None,
) -> Core:
    """As `Assistant.open` says."""
    settings = settings or Settings.read()
    folder = index_folder(index)
    with Index.open(folder) as found:
        recorded = found.about()["embedder_name"]
    model = embedder_named(embedder or recorded) if embedder is None or isinstance(embedder, str) else embedder
    if reranker == "settings":
        reranker = settings.reranker
    ranker = reranker_named(reranker) if isinstance(reranker, str) else reranker
    named = settings.generator if generator is None else generator
    writer = generator_named(named, settings, ranker, model) if isinstance(named, str) else named
    asked = reranker if isinstance(reranker, str) else "none" if ranker is None else ranker.name
    settings = replace(settings, generator=writer.name, reranker=asked)
    fallback = generator_named("extractive", settings, ranker, model) if settings.fallback else None
    checked_by = entailment_named(settings.entailment)
    calibration = Calibration.read(settings.calibration)
    means = Means(model, ranker, writer, fallback, checked_by, calibration, settings)
    kept = History(Path(history or folder / HISTORY_FILE))
    return Core(Index.open(folder, model.fingerprint), means, kept, limits or Limits())
