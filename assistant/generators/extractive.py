"""The generator without a model of its own: it quotes the sentences that answer, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from assistant.evidence import Evidence, answers_kind, lacks_name, missing_names
from assistant.generators.selection import covered, within
from assistant.generators.sources import across
from assistant.questions import Question, analyse, holds, name_words, parts_of, stem, stems
from assistant.reading import Reading, Scored
from assistant.types import Prompt
from embeddings.types import Embedder, Reranker

NAMED = 2.0
"""Score from which a sentence that names somebody answers "who is the …?" without mentioning the role."""
PLAIN = ("name", "money", "number", "percentage", "time", "phone", "email", "url")
"""Kinds of answer that a sentence plainly has or hasn't; a date may be put as "after the flood"."""
UNFIT = 4.0
"""Taken off the score of a sentence without a name, or without the kind of thing, that is asked for."""
STANDING = 0.25
"""Of its passage's score, added to that of a sentence."""
RESTATED = 3.0
"""Taken off a sentence with all words of the question, which a reranker likes for them; not where "who" is asked, whose
answer has them beside the name."""


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
    """Groups of sentences that say the same, one group a statement; empty where nothing answers.

    The best sentence stands with those of its paragraph that belong to it, then other sources. A question that joins
    several is answered part by part.
    """
    question = reading.question
    parts = [analyse(part) for part in parts_of(question.text)]
    if len(parts) < 2:
        groups = _choose(reading, question)
        alone = question.kind == "any" or len(groups) == 1  # values that may differ stand side by side
        return within(reading, question, groups) if groups and alone else groups
    groups = []
    for part in parts:
        for group in _choose(reading, part)[:1]:
            if all(group[0] is not g[0] for g in groups):
                groups.append(group)
    return groups


def _choose(reading: Reading, question: Question) -> list[list[Evidence]]:
    able = candidates(reading, question)
    if not able:
        return []
    groups = across(question, able, reading.common)
    if question.kind != "any":  # sources that may differ: the newest first
        groups.sort(key=lambda g: g[0].passage.document.date or date.min, reverse=True)
    return groups


def candidates(reading: Reading, question: Question) -> list[Scored]:
    """The best sentence, then the others that hold the names and the kind of thing asked for, best first.

    Where the kind is `PLAIN`, even the best must: a sentence on the right thing easily names somebody else.
    """
    scored = reading.scored(question)
    fit = [_fits(reading, question, s) for s in scored]
    if not scored or (question.kind in PLAIN and not any(fit)):
        return []
    restated = 0.0 if question.kind == "name" else RESTATED
    worth = [
        s.score - UNFIT * (not fits) + STANDING * s.evidence.passage.score - restated * covered(question, s.evidence)
        for s, fits in zip(scored, fit, strict=True)
    ]
    best = scored[worth.index(max(worth))]
    return [best, *(s for s, fits in zip(scored, fit, strict=True) if fits and s is not best)]


def _fits(reading: Reading, question: Question, scored: Scored) -> bool:
    evidence = scored.evidence
    if question.kind == "name":
        said = {stem(w) for name in question.names for w in name_words(name)}
        held = stems(f"{evidence.text} {evidence.heading}")
        asked = [t for t in question.terms if t not in said]
        named = not lacks_name(question, evidence) and scored.score >= NAMED
        fits = named or (answers_kind(question, evidence) and (not asked or any(holds(t, held) for t in asked)))
    else:
        fits = answers_kind(question, evidence)
    return fits and not missing_names(question, evidence, reading.common)
