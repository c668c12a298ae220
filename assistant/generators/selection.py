"""Which further sentences of the answering passage belong to the answer."""

from __future__ import annotations

import numpy as np

from assistant.evidence import Evidence, sentences_of
from assistant.generators.sources import MOST
from assistant.questions import Question
from assistant.reading import Reading

GAIN = 1.0
"""What a sentence must add to its neighbour's score to be quoted with it."""


def within(reading: Reading, question: Question, groups: list[list[Evidence]]) -> list[list[Evidence]]:
    """Adds the sentence of the best one's paragraph that, read with it, answers clearly better than it alone.

    Only where no shape of answer was asked for: a date or an amount stands in one sentence.
    """
    anchor = groups[0][0]
    if reading.reranker is None or question.kind != "any":
        return groups
    chosen = {e.start for g in groups for e in g if e.passage.document.id == anchor.passage.document.id}
    near = [e for e in sentences_of(anchor.passage) if e.paragraph == anchor.paragraph and e.start not in chosen]
    if not near:
        return groups
    pairs = [" ".join(x.text for x in sorted((anchor, e), key=lambda x: x.start)) for e in near]
    alone, *together = reading.reranker.scores(question.text, [anchor.text, *pairs])
    best = int(np.argmax(together))
    return [groups[0], [near[best]], *groups[1 : MOST - 1]] if together[best] - alone >= GAIN else groups
