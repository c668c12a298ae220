"""Passages read sentence by sentence: how well does each sentence answer the question?

Read once for a question; confidence, the extractive generator and conflicts all look at the same scores.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assistant.evidence import Evidence, lacks_name, missing_focus, of_another_year, sentences_of, states_another_role
from assistant.instructions import instructs
from assistant.questions import Question, stems
from assistant.types import Passage
from embeddings.types import Embedder, Reranker

PASSAGES = 6
"""Passages read sentence by sentence."""
READ_IN_CONTEXT = 10
"""Sentences, best first, that are also scored under their headings."""
FOCUS_PENALTY = 3.0
"""Taken off where the role or attribute asked for isn't mentioned."""
NAME_PENALTY = 5.0
"""Taken off where "who" is asked and nobody is named."""
_ENDED = re.compile(r"[.!?…][\"'”’)\]\s]*$")


@dataclass(frozen=True, slots=True)
class Scored:
    """A sentence and how well it answers, in logits."""

    evidence: Evidence
    score: float


class Reading:
    """The sentences of the best passages, scored for one question and, on request, for a part of it."""

    def __init__(
        self,
        question: Question,
        passages: Sequence[Passage],
        common: frozenset[str],
        reranker: Reranker | None,
        embedder: Embedder,
    ) -> None:
        self.question = question
        self.passages = tuple(passages)
        self.common = common
        """Names in the question that most documents mention."""
        self.evidence = [
            e
            for p in passages[:PASSAGES]
            for e in sentences_of(p)
            if not instructs(e.text, question.text)
            and not states_another_role(question, e.text)
            and not of_another_year(question, e)
        ]
        self.reranker = reranker
        self._embedder = embedder
        self._known: dict[str, list[Scored]] = {}

    def scored(self, question: Question | None = None) -> list[Scored]:
        """Every sentence with its score, best first, equal ones in the order of the passages.

        With a reranker: the logit of the sentence, for the best averaged with the logit under its headings.

        Args:
            question: a part of the question, where it joins several; None for the whole.
        """
        asked = question or self.question
        if asked.text not in self._known:
            self._known[asked.text] = self._score(asked)
        return self._known[asked.text]

    def _score(self, question: Question) -> list[Scored]:
        evidence = self.evidence
        if not evidence:
            return []
        if self.reranker is None:
            scores = self._score_without_reranker(question)
        else:
            texts = [e.text for e in evidence]
            scores = self.reranker.scores(question.text, texts).copy()
            top = np.argsort(-scores, kind="stable")[:READ_IN_CONTEXT]
            titled = self.reranker.scores(question.text, [f"{evidence[i].heading}. {texts[i]}" for i in top])
            scores[top] = (scores[top] + titled) / 2
        scores = scores - np.array([_penalty(question, e) for e in evidence], np.float32)
        return [Scored(evidence[i], float(scores[i])) for i in np.argsort(-scores, kind="stable")]

    def of(self, passages: Sequence[Passage]) -> Reading:
        """The same question read in other passages."""
        return Reading(self.question, passages, self.common, self.reranker, self._embedder)

    def telling(self, passages: Sequence[Passage]) -> Reading:
        """As `of`, without what is neither a sentence nor has a word of the question: a date, a signature."""
        found, asked = self.of(passages), set(self.question.terms)
        found.evidence = [e for e in found.evidence if _ENDED.search(e.text) or asked & stems(e.text)]
        return found

    def widened(self, best: Scored, question: Question | None = None) -> float:
        """The score of a sentence averaged with those of wider readings, in logits.

        The wider readings are the sentence after the one before it, and its whole passage.
        """
        if self.reranker is None:
            return best.score
        evidence = best.evidence
        passage = evidence.passage
        earlier = [start for start, end in passage.chunk.sentences if end <= evidence.start]
        window = passage.document.text[earlier[-1] if earlier else evidence.start : evidence.end]
        whole = f"{passage.document.title}. {passage.chunk.text}"
        wider = self.reranker.scores((question or self.question).text, [window, whole])
        return (2 * best.score + float(wider.sum())) / 4

    def window(self, best: Scored) -> float:
        """Logit of a sentence between the one before it and the one after it."""
        assert self.reranker is not None
        evidence = best.evidence
        spans = evidence.passage.chunk.sentences
        start = max((a for a, b in spans if b <= evidence.start), default=evidence.start)
        end = min((b for a, b in spans if a >= evidence.end), default=evidence.end)
        return float(self.reranker.scores(self.question.text, [evidence.passage.document.text[start:end]])[0])

    def turned(self, best: Scored) -> float:
        """Logit of the question as an answer to a sentence."""
        assert self.reranker is not None
        return float(self.reranker.scores(best.evidence.text, [self.question.text])[0])

    def cosine(self, best: Scored) -> float:
        """Cosine of the question and a sentence."""
        # Encoded as a question: the encoder of questions is loaded, that of passages would bring PyTorch.
        vector = self._embedder.embed_query(best.evidence.text)[0]
        return float(vector @ self._embedder.embed_query(self.question.text)[0])

    def _score_without_reranker(self, question: Question) -> NDArray[np.float32]:
        """Cosine and coverage of the question's words, brought to the scale of a reranker's logits."""
        vectors = self._embedder.embed_passages([f"{e.heading}. {e.text}" for e in self.evidence])
        cosine: NDArray[np.float32] = vectors @ self._embedder.embed_query(question.text)[0]
        covered = [_coverage(question, stems(f"{e.heading} {e.text}")) for e in self.evidence]
        return np.asarray(10 * (0.6 * cosine + 0.4 * np.array(covered)) - 4, np.float32)


def _penalty(question: Question, evidence: Evidence) -> float:
    return FOCUS_PENALTY * missing_focus(question, evidence) + NAME_PENALTY * lacks_name(question, evidence)


def _coverage(question: Question, held: set[str]) -> float:
    return sum(t in held for t in question.terms) / len(question.terms) if question.terms else 0.0
