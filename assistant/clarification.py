"""Asking back: which of several things of one kind does a question mean?"""

from __future__ import annotations

import re

from assistant.evidence import Evidence
from assistant.questions import STOPWORDS, Question, content_stems, has_kind, parts_of, stem, stems, words
from assistant.reading import Reading
from assistant.retrieval import Retrieval
from assistant.topics import names_of, phrases

FLOOR = 0.0
"""Least score of a sentence that answers."""
MARGIN = 1.5
"""How far below the best the others may lie."""
MOST = 4
"""Choices."""
MOST_CONTENT = 3
"""Content words of a question that may leave open what it means."""
ALIKE = 0.6
"""Share of common content words from which two sentences say the same."""
_DEFINITE = re.compile(
    r"\bthe\s+(?P<noun>[a-z]{3,}(?:\s+[a-z]{3,})??)(?=\W*$|\s+(?:open|close|start|begin|end|cost|take|last"
    r"|meet|happen|held|based|located|due|finish|run|say|find|decide)\w*\W*$)"
)
_ASKS = re.compile(
    r"^(?:who|whose|what|which|when|where|how|is|are|was|were|do|does|did|can|has|have|must|should|will)\b", re.I
)
_SINGLED_OUT = re.compile(
    r"\b(?:most|first|last|latest|next|current|new|only|same|main|best|total|average|overall|whole|other"
    r"|\w+est|world|country|sun|moon"
    r"|internet|difference|meaning|purpose|weather|law|public|government|future|past|time|answer|documents?|question)\b"
)


def clarification(question: Question, found: Retrieval, reading: Reading) -> tuple[str, ...]:
    """What an underspecified question may mean, each as a whole question, best first; empty where it is clear.

    It is underspecified where it asks about "the fee" without a name, and sentences of several documents answer it
    about equally well, each of a fee of its own and each differently.
    """
    definite = _DEFINITE.search(question.text)
    if (
        definite is None
        or not _ASKS.match(question.text)
        or question.names
        or len(question.terms) > MOST_CONTENT
        or len(parts_of(question.text)) > 1
        or _SINGLED_OUT.search(question.text)
        or len(found.passages) < 2
    ):
        return ()
    noun = words(definite["noun"])[-1]
    choices: dict[str, str] = {}
    told: list[Evidence] = []
    scored = reading.scored()
    for candidate in scored:
        evidence = candidate.evidence
        if candidate.score < max(FLOOR, scored[0].score - MARGIN) or len(choices) == MOST:
            break
        if any(e.passage.document.id == evidence.passage.document.id for e in told):
            continue
        told.append(evidence)
        title = evidence.passage.document.title
        if not has_kind(question.kind, evidence.text, question) or stem(noun) not in stems(
            f"{title} {evidence.heading} {evidence.text}"
        ):
            return ()
        if any(_alike(evidence.text, other.text) for other in told[:-1]):
            return ()
        named = _named(noun, evidence)
        if named is None or named.lower() in choices:
            return ()
        choices[named.lower()] = _chosen(question.text, definite, noun, named)
    return tuple(choices.values()) if len(choices) > 1 else ()


def asked_back(choices: tuple[str, ...]) -> str:
    """The question to the user."""
    return "Which do you mean: " + " or ".join(f"“{choice}”" for choice in choices)


def _alike(one: str, other: str) -> bool:
    a, b = set(content_stems(one)), set(content_stems(other))
    return not (a and b) or len(a & b) / len(a | b) >= ALIKE


def _named(noun: str, evidence: Evidence) -> str | None:
    """What the evidence calls its one: "Skell Library", "garden waste fee", else the title of its document."""
    title = evidence.passage.document.title
    for text in (evidence.text, evidence.heading, title):
        for name in names_of(text):
            if stem(name.text.split()[-1]) == stem(noun) and len(name.text.split()) > 1:
                return name.whole
    for text in (evidence.text, evidence.heading, title):
        for phrase in phrases(text):
            bare = re.sub(r"^(?:the|an?)\s+", "", phrase, flags=re.I)
            if bare.split()[-1].lower() == noun.lower() and 1 < len(bare.split()) < 5 and not _SINGLED_OUT.search(bare):
                return f"the {bare[0].lower()}{bare[1:]}"
    short = len([w for w in words(title) if w.lower() not in STOPWORDS]) > 0 and len(title) < 80
    return f"“{' '.join(title.split())}”" if short else None


def _chosen(question: str, definite: re.Match[str], noun: str, named: str) -> str:
    if named.startswith("“"):
        return f"{question.rstrip('?. ')} in {named}?"
    place = definite.start("noun") + definite["noun"].rindex(noun) + len(noun)
    return question[: definite.start()] + named + question[place:]
