"""The generator without a model of its own: it quotes the sentences that answer, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from assistant.evidence import Evidence, answers_kind, missing_names
from assistant.generators.selection import within
from assistant.generators.sources import across
from assistant.questions import Question, analyse, parts_of
from assistant.reading import Reading
from assistant.types import Prompt
from embeddings.types import Embedder, Reranker

FLOOR = -1.0
"""Least confidence of an answer, in the reranker's logits."""
CHECKED_FLOOR = -1.5
"""The same where a name or the shape of the answer was asked for, and found."""


class ExtractiveGenerator:
    """Chooses the sentences of the passages that answer the question, best first, and quotes them."""

    name = "extractive"

    def __init__(self, reranker: Reranker | None, embedder: Embedder) -> None:
        self._reranker = reranker
        self._embedder = embedder

    def generate(self, prompt: Prompt) -> Iterator[str]:
        question = analyse(prompt.question)
        for group in choose(
            prompt.reading or Reading(question, prompt.passages, prompt.common, self._reranker, self._embedder)
        ):
            numbers = "".join(f"[{n}]" for n in dict.fromkeys(e.passage.number for e in group))
            yield f"{' '.join(group[0].text.split())} {numbers}\n"

    def close(self) -> None:
        """Nothing runs between sentences."""


def choose(reading: Reading) -> list[list[Evidence]]:
    """Groups of sentences that say the same, one group a statement, best first; empty where nothing answers.

    A question that joins several is answered part by part.
    """
    parts = [analyse(part) for part in parts_of(reading.question.text)]
    if len(parts) < 2:
        return _choose(reading, reading.question)
    groups: list[list[Evidence]] = []
    for part in parts:
        for group in _choose(reading, part)[:1]:
            if all(group[0] is not g[0] for g in groups):
                groups.append(group)
    return groups


def _choose(reading: Reading, question: Question) -> list[list[Evidence]]:
    able = [
        s
        for s in reading.scored(question)
        if answers_kind(question, s.evidence) and not missing_names(question, s.evidence, reading.common)
    ]
    checked = question.kind != "any" or any(n not in reading.common for n in question.names)
    if not able or reading.widened(able[0], question) < (CHECKED_FLOOR if checked else FLOOR):
        return []
    groups = across(question, able)
    if question.kind != "any":  # sources that may differ: the newest first
        groups.sort(key=lambda g: g[0].passage.document.date or date.min, reverse=True)
    return within(reading, question, groups)
