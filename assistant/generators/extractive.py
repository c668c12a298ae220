"""The generator without a model of its own: it quotes the sentences that answer, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from assistant.evidence import Evidence, answers_kind, lacks_name, missing_focus, missing_names, sentences_of
from assistant.questions import Question, analyse, content_stems, parts_of, stems
from assistant.types import Passage, Prompt
from assistant.verification import figures
from embeddings.types import Embedder, Reranker

PASSAGES = 6
"""Passages read sentence by sentence."""
READ_IN_CONTEXT = 10
"""Sentences, best first, that are also scored under their headings."""
FLOOR = -1.0
"""Least confidence of an answer, in the reranker's logits."""
CHECKED_FLOOR = -1.5
"""The same where a name or the shape of the answer was asked for, and found."""
FURTHER_FLOOR = 1.0
"""Least score of a further sentence."""
MARGIN = 2.0
"""How far below the best a further sentence may lie."""
SURE = 6.0
"""Score from which a sentence answers for itself, whether or not it shares anything with the best one."""
GAIN = 1.0
"""What a sentence must add to its neighbour's score to be quoted with it."""
FOCUS_PENALTY = 3.0
"""Taken off where the role or attribute asked for isn't mentioned."""
NAME_PENALTY = 5.0
"""Taken off where "who" is asked and nobody is named."""
MOST = 3
"""Statements in one answer."""
SAME = 0.7
"""Share of common content words from which two sentences say the same."""


@dataclass(frozen=True, slots=True)
class Scored:
    """A sentence and how well it answers, in logits."""

    evidence: Evidence
    score: float


class ExtractiveGenerator:
    """Chooses the sentences of the passages that answer the question, best first, and quotes them."""

    name = "extractive"

    def __init__(self, reranker: Reranker | None, embedder: Embedder) -> None:
        self._reranker = reranker
        self._embedder = embedder

    def generate(self, prompt: Prompt) -> Iterator[str]:
        for group in self.choose(analyse(prompt.question), prompt.passages, prompt.common):
            numbers = "".join(f"[{n}]" for n in dict.fromkeys(e.passage.number for e in group))
            yield f"{' '.join(group[0].text.split())} {numbers}\n"

    def close(self) -> None:
        """Nothing runs between sentences."""

    def choose(
        self, question: Question, passages: Sequence[Passage], common: frozenset[str] = frozenset()
    ) -> list[list[Evidence]]:
        """Groups of sentences that say the same, one group a statement, best first; empty where nothing answers.

        A question that joins several is answered part by part.
        """
        evidence = [e for p in passages[:PASSAGES] for e in sentences_of(p)]
        parts = [analyse(part) for part in parts_of(question.text)]
        if len(parts) < 2:
            return self._choose(question, evidence, common)
        groups: list[list[Evidence]] = []
        for part in parts:
            for group in self._choose(part, evidence, common)[:1]:
                if all(group[0] is not g[0] for g in groups):
                    groups.append(group)
        return groups

    def _choose(self, question: Question, evidence: Sequence[Evidence], common: frozenset[str]) -> list[list[Evidence]]:
        able = [
            s
            for s in self.score(question, evidence)
            if answers_kind(question, s.evidence) and not missing_names(question, s.evidence, common)
        ]
        checked = question.kind != "any" or any(n not in common for n in question.names)
        if not able or self.confidence(question, able[0]) < (CHECKED_FLOOR if checked else FLOOR):
            return []
        best = able[0]
        groups: list[list[Evidence]] = [[best.evidence]]
        for candidate in able[1:]:
            if candidate.score < max(FURTHER_FLOOR, best.score - MARGIN):
                break
            twin = next((g for g in groups if _same(g[0].text, candidate.evidence.text)), None)
            if twin is not None:
                twin.append(candidate.evidence)
            elif len(groups) < MOST and _adds(question, candidate, best, groups):
                groups.append([candidate.evidence])
        if question.kind != "any":  # sources that may differ: the newest first
            groups.sort(key=lambda g: g[0].passage.document.date or date.min, reverse=True)
        return self._with_neighbour(question, groups)

    def score(self, question: Question, evidence: Sequence[Evidence]) -> list[Scored]:
        """Every sentence with its score, best first, equal ones in the order given.

        With a reranker: the logit of the sentence, for the best averaged with the logit under its headings.
        """
        if not evidence:
            return []
        if self._reranker is None:
            scores = self._score_without_reranker(question, evidence)
        else:
            texts = [e.text for e in evidence]
            scores = self._reranker.scores(question.text, texts).copy()
            top = np.argsort(-scores, kind="stable")[:READ_IN_CONTEXT]
            titled = self._reranker.scores(question.text, [f"{evidence[i].heading}. {texts[i]}" for i in top])
            scores[top] = (scores[top] + titled) / 2
        scores = scores - np.array([_penalty(question, e) for e in evidence], np.float32)
        return [Scored(evidence[i], float(scores[i])) for i in np.argsort(-scores, kind="stable")]

    def confidence(self, question: Question, best: Scored) -> float:
        """Whether the best sentence answers: its score averaged with those of wider readings, in logits.

        The wider readings are the sentence after the one before it, and its whole passage.
        """
        if self._reranker is None:
            return best.score
        evidence = best.evidence
        passage = evidence.passage
        earlier = [start for start, end in passage.chunk.sentences if end <= evidence.start]
        window = passage.document.text[earlier[-1] if earlier else evidence.start : evidence.end]
        wider = self._reranker.scores(question.text, [window, f"{passage.document.title}. {passage.chunk.text}"])
        return (2 * best.score + float(wider.sum())) / 4

    def _score_without_reranker(self, question: Question, evidence: Sequence[Evidence]) -> NDArray[np.float32]:
        """Cosine and coverage of the question's words, brought to the scale of a reranker's logits."""
        vectors = self._embedder.embed_passages([f"{e.heading}. {e.text}" for e in evidence])
        cosine: NDArray[np.float32] = vectors @ self._embedder.embed_query(question.text)[0]
        covered = [_coverage(question, stems(f"{e.heading} {e.text}")) for e in evidence]
        return np.asarray(10 * (0.6 * cosine + 0.4 * np.array(covered)) - 4, np.float32)

    def _with_neighbour(self, question: Question, groups: list[list[Evidence]]) -> list[list[Evidence]]:
        """Adds the sentence of the best one's paragraph that, read with it, answers clearly better than it alone.

        Only where no shape of answer was asked for: a date or an amount stands in one sentence.
        """
        anchor = groups[0][0]
        if self._reranker is None or question.kind != "any":
            return groups
        chosen = {e.start for g in groups for e in g if e.passage.document.id == anchor.passage.document.id}
        near = [e for e in sentences_of(anchor.passage) if e.paragraph == anchor.paragraph and e.start not in chosen]
        if not near:
            return groups
        pairs = [" ".join(x.text for x in sorted((anchor, e), key=lambda x: x.start)) for e in near]
        alone, *together = self._reranker.scores(question.text, [anchor.text, *pairs])
        best = int(np.argmax(together))
        return [groups[0], [near[best]], *groups[1 : MOST - 1]] if together[best] - alone >= GAIN else groups


def _penalty(question: Question, evidence: Evidence) -> float:
    return FOCUS_PENALTY * missing_focus(question, evidence) + NAME_PENALTY * lacks_name(question, evidence)


def _adds(question: Question, candidate: Scored, best: Scored, groups: list[list[Evidence]]) -> bool:
    """Whether a further sentence is worth its words: from a document not yet quoted, and about the same thing."""
    if any(e.passage.document.id == candidate.evidence.passage.document.id for g in groups for e in g):
        return False
    if question.kind != "any" or candidate.score >= SURE:
        return True
    shared = set(content_stems(candidate.evidence.text)) & set(content_stems(best.evidence.text))
    return bool(shared - set(question.terms))


def _coverage(question: Question, held: set[str]) -> float:
    return sum(t in held for t in question.terms) / len(question.terms) if question.terms else 0.0


def _same(one: str, other: str) -> bool:
    a, b = set(content_stems(one)), set(content_stems(other))
    return figures(one) == figures(other) and bool(a and b) and len(a & b) / len(a | b) >= SAME
