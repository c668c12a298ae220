"""Making a follow-up question whole, from the questions before it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.questions import STOPWORDS, names_in, words

_PRONOUN = re.compile(r"\b(?:it|its|they|them|their|theirs|he|him|his|she|her|hers|that|this|those|these|there|one|ones)\b", re.I)
_REFERRING = re.compile(r"\b(it|they|them|he|him|she|its|their|his|her|that|this|those|these)\b(?!\s+(?:is|was|are|were)\s+(?:said|reported|claimed)\s+that)", re.I)
_OPENING = re.compile(r"^\s*(?:and|but|so|also|or|then|what about|how about|why|how so|when|where|who)\b[\s,?]*", re.I)
_TOPIC = re.compile(r"(?:[A-Z][\w’'&-]*|\d[\w-]*)(?:\s+(?:(?:of|the|for|and|in|on)\s+)*(?:[A-Z][\w’'&-]*|\d[\w-]*))*")
_POSSESSIVE = frozenset(("its", "their", "his", "her"))


def topic_of(question: str) -> str:
    """What a question is about: its longest run of names with the noun that follows, else its content words."""
    best = ""
    for match in _TOPIC.finditer(question):
        text = match.group()
        if match.start() == 0 or not question[: match.start()].strip():
            head, _, rest = text.partition(" ")
            text = rest if head.lower() in STOPWORDS or head.lower() in ("tell", "describe", "explain") else text
        if not text or all(w.lower() in STOPWORDS for w in words(text)):
            continue
        following = re.match(r"\s+([a-z]{4,})", question[match.end() :])
        if following and following.group(1) not in STOPWORDS and not text.endswith(("’s", "'s")):
            text += following.group()
        if len(text) > len(best):
            best = text
    if best:
        return best.strip(" ’'")
    return " ".join(w for w in words(question) if w.lower() not in STOPWORDS)


def needs_context(question: str) -> bool:
    """Whether a question leans on the one before: a pronoun, or too little of its own to search by."""
    own = [w for w in words(question) if w.lower() not in STOPWORDS]
    if _PRONOUN.search(question) and not names_in(question[:1].lower() + question[1:]):
        return True
    return len(own) < 2 and not names_in(question) or bool(re.match(r"\s*(?:and|but|what about|how about)\b", question, re.I)) and len(own) < 3


def standalone(question: str, history: Sequence[str]) -> str:
    """The question made whole: what it leans on is taken from the latest question in `history`, oldest first."""
    question = " ".join(question.split())
    if not history or not needs_context(question):
        return question
    earlier = standalone(history[-1], history[:-1])
    topic = topic_of(earlier)
    if not topic:
        return question
    pronoun = _REFERRING.search(question)
    if pronoun:
        word = pronoun.group()
        article = "" if re.match(r"(?:the|a|an)\b", topic, re.I) or _is_person(topic) else "the "
        whole = article + topic + ("’s" if word.lower() in _POSSESSIVE else "")
        return question[: pronoun.start()] + whole + question[pronoun.end() :]
    return f"{earlier.rstrip('?. ')}: {question}"


def _is_person(topic: str) -> bool:
    parts = topic.split()
    return len(parts) in (2, 3) and all(p[0].isupper() for p in parts)
