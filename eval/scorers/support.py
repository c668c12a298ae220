"""Whether an answer's sentences are supported by what they cite, as a judge sees it. No gold evidence is needed.

Both apply to answers with sentences, not to refusals; figures are means over answers. What a citation says is its
`text`: the quote, or the passage under its title. A crash scores 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

from eval.judges import Judge
from eval.scorers.averages import always, averaged, harmonic
from eval.types import Case, Citation, Response, Scorer, Sentence

_KEPT = 1 << 14
"""Answers whose figures are remembered: precision, recall and F1 need the same ones."""


@lru_cache(_KEPT)
def alce(shown: tuple[Sentence, ...], judge: Judge) -> tuple[float, float]:
    """ALCE's citation precision and recall (Gao et al. 2023, arXiv 2305.14627, section 4.2).

    Recall is the share of sentences that have citations, all of them resolved, whose cited texts together entail the
    sentence. Precision is the share of all citations that count: those of a sentence with recall 1, but for one that
    alone doesn't entail it while the others do without it. Invented citations are in the denominator, where the
    original script drops them; without citations it is 0, as there.
    """
    whole = [s for s in shown if s.citations and all(c.document is not None for c in s.citations)]
    entailed = _entails(judge, [(s.citations, s.text) for s in whole])
    recalled = [s for s, held in zip(whole, entailed, strict=True) if held]
    several = [(s, i) for s in recalled if len(s.citations) > 1 for i in range(len(s.citations))]
    alone = _entails(judge, [((s.citations[i],), s.text) for s, i in several])
    rest = _entails(judge, [(s.citations[:i] + s.citations[i + 1 :], s.text) for s, i in several])
    irrelevant = sum(without and not by_itself for by_itself, without in zip(alone, rest, strict=True))
    citations = sum(len(s.citations) for s in shown)
    counted = sum(len(s.citations) for s in recalled) - irrelevant
    return counted / citations if citations else 0.0, len(recalled) / len(shown)


def _entails(judge: Judge, pairs: Sequence[tuple[tuple[Citation, ...], str]]) -> list[bool]:
    if not pairs:
        return []
    scores = judge.scores(["\n".join(c.text for c in cited) for cited, _ in pairs], [claim for _, claim in pairs])
    return [bool(score >= judge.full) for score in scores]


@lru_cache(_KEPT)
def trec(shown: tuple[Sentence, ...], judge: Judge) -> tuple[float, float]:
    """Weighted precision and recall of TREC RAG 2024's support (Thakur et al. 2025, arXiv 2504.15205).

    Each citation supports its sentence fully (1), partially (0.5) or not (0). Precision is the mean over citations,
    invented ones being 0; without citations it is 0. Recall is the sum of the sentences' labels over all sentences:
    a sentence has the best label among its citations, none if it has no citation.
    """
    pairs = [(i, c.text, s.text) for i, s in enumerate(shown) for c in s.citations if c.document is not None]
    best = [0.0] * len(shown)
    total = 0.0
    if pairs:
        scores = judge.scores([premise for _, premise, _ in pairs], [claim for _, _, claim in pairs])
        for (i, _, _), score in zip(pairs, scores, strict=True):
            label = 1.0 if score >= judge.full else 0.5 if score >= judge.partial else 0.0
            total += label
            best[i] = max(best[i], label)
    citations = sum(len(s.citations) for s in shown)
    return total / citations if citations else 0.0, sum(best) / len(shown)


def label(sentence: Sentence, judge: Judge) -> str | None:
    """How far the texts that a sentence cites support it together, as ALCE asks; None without any."""
    texts = [c.text for c in sentence.citations if c.document is not None]
    if not texts:
        return None
    if len(texts) < len(sentence.citations):
        return "invented citation: not supported"
    (score,) = judge.scores(["\n".join(texts)], [sentence.text])
    return (
        "fully supported" if score >= judge.full else "partly supported" if score >= judge.partial else "not supported"
    )


METHODS: dict[str, Callable[..., tuple[float, float]]] = {"alce": alce, "trec": trec}


def support(measure: str, method: str, judge: Judge) -> Scorer:
    """`citation_precision`, `citation_recall` or `citation_f1` by one of the `METHODS`."""

    def score(_: Case, response: Response) -> float | None:
        shown = response.shown
        if not shown:
            return None
        precision, recall = METHODS[method](shown, judge)
        return {"precision": precision, "recall": recall, "f1": harmonic(precision, recall)}[measure]

    return averaged(f"citation_{measure}[{method},{judge.name}]", score, always)
