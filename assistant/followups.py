"""Making a follow-up question whole, from the questions before it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.questions import STOPWORDS, names_in, words

_PRONOUN = re.compile(r"\b(?:it|they|them|he|him|she|its|their|his|her|that|this|those|these|there|one|ones)\b", re.I)
_REPLACED = re.compile(r"\b(?:it|they|them|he|him|she|its|their|his|her)\b", re.I)
_JOINS_ON = re.compile(r"^\W*(?:and|but|so|also|or)\b[\s,]*", re.I)
_ASKS = re.compile(
    r"^(?:who|whom|whose|what|which|when|where|why|how|is|are|was|were|do|does|did|can|could|will|would|should|must|may"
    r"|has|have|had|tell|list|give|show|explain|describe)\b(?!\s+about\b)",
    re.I,
)
RECENT = 20
"""Questions of the conversation that are read."""
_ABOUT = re.compile(r"^(?:what|how)\s+about\s+", re.I)
_POSSESSIVE = frozenset(("its", "their", "his"))
_ABOUT_A_THING = re.compile(r"\b(?:is|are|was|were|about)\s+(?:the\s+)?$", re.I)


def topic_of(question: str) -> str:
    """What a question is about: the longest name in it with the noun that follows, else its content words."""
    names = names_in(question)
    if not names:
        return " ".join(w for w in words(question) if w.lower() not in STOPWORDS)
    name = topic_name(question)
    before, _, after = question.partition(name)
    noun = re.match(r"\s+[a-z]{4,}\b", after)
    if noun and _ABOUT_A_THING.search(before) and noun.group().strip() not in STOPWORDS and noun.group()[-2:] != "ed":
        name += noun.group()
    return name


def topic_name(question: str) -> str:
    """The longest name in a question that has one."""
    return max(names_in(question), key=len)


def needs_context(question: str) -> bool:
    """Whether a question leans on the one before: a pronoun and no name, or too little of its own to search by."""
    if names_in(question):
        return bool(not _ASKS.match(_JOINS_ON.sub("", question)))
    own = [w for w in words(question) if w.lower() not in STOPWORDS]
    return bool(_PRONOUN.search(question) or _JOINS_ON.match(question)) or len(own) < 2


def standalone(question: str, history: Sequence[str]) -> str:
    """The question made whole: what it leans on is taken from the latest question in `history`, oldest first."""
    whole = ""
    for asked in (*history[-RECENT:], question):
        whole = _made_whole(" ".join(asked.split()), whole)
    return whole


def _made_whole(question: str, earlier: str) -> str:
    if not earlier or not needs_context(question):
        return question
    topic = topic_of(earlier)
    if not topic:
        return question
    bare = _JOINS_ON.sub("", question)
    if not _ASKS.match(bare):  # "And for two cars?", "What about Leeds?": the earlier question with something changed
        fragment = _ABOUT.sub("", bare)
        if names_in(earlier) and (named := names_in("x " + fragment)):
            return earlier.replace(topic_name(earlier), named[0])
        return f"{earlier.rstrip('?. ')}, {fragment}"
    if (pronoun := _REPLACED.search(bare)) is not None:
        article = "" if _is_person(topic) or re.match(r"(?:the|a|an)\b", topic, re.I) else "the "
        word, rest = pronoun.group().lower(), bare[pronoun.end() :]
        possessive = re.match(r"\s+\w", rest) if word == "her" else word in _POSSESSIVE
        ending = "’s" if possessive else ""
        return bare[: pronoun.start()] + article + topic + ending + bare[pronoun.end() :]
    return f"{bare.rstrip('?. ')} ({topic})?"


def _is_person(topic: str) -> bool:
    parts = topic.split()
    return len(parts) in (2, 3) and all(p[0].isupper() for p in parts)
