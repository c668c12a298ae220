"""What the words of a question point back to: pronouns, "that scheme", "the second one", a bare noun."""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.questions import STOPWORDS, words
from assistant.topics import MOST_READ, Name, NameKind, names_of, noun_phrase, phrases, telling, topic_of
from assistant.types import Turn

WH = r"(?:who|whom|whose|what|which|when|where|why|how)"
AUXILIARY = r"(?:do|does|did|is|are|was|were|has|have|had|can|could|will|would|should|must|may|might|shall)"
ASKS = re.compile(
    rf"^(?:(?:for|in|on|at|by|to|from|with|of|until|since|about|under)\s+)?(?:{WH}|{AUXILIARY}|(?:is|do|does"
    "|did|are|was|were)n[’']t"
    r"|tell|list|give|show|explain|describe|summari[sz]e|name|compare|define|find)\b(?!\s+about\b)",
    re.I,
)
_SHE = re.compile(r"\b(?:he|him|his|she|her|hers)\b", re.I)
_THEY = re.compile(r"\b(?:they|them|their|theirs)\b", re.I)
_IT = re.compile(r"\b(?:it|its)\b", re.I)
_EXPLETIVE = re.compile(
    r"\b(?:is|was|does|did|will|would|can|could|makes?|how much|how long)\s+it\s+(?:\w+\s+)?(?:cost|take|true"
    "|possible|necessary|safe|legal|"
    r"allowed|ok|okay|important|mandatory|compulsory|required|raining?s?|\w+\s+(?:to|that|for|if)\b|too\s)"
    r"|\b(?:if|when)\s+it\s+(?:rains|snows)\b|\bit\s+(?:seems?|rains?|snows?)\b|n[’']t\s+it\b",
    re.I,
)
_DEMONSTRATIVE = re.compile(
    r"(?<!all )\b(?:that|this|those|these|such(?: an?)?)\s+(?!(?:week|weekend|month|year|season|morning"
    "|afternoon|evening|spring|summer|autumn|winter|time|way|point|sort|kind|type"
    r"|case)s?\b)(?P<noun>(?-i:[a-z]){3,})\b",
    re.I,
)
_ANAPHOR = re.compile(
    rf"(?:\b(?:this|those|these|one|ones|here)|(?:^|\b(?:{AUXILIARY}|about|of|for|by|to|with|like|at|from|in|on"
    r"|than)\s+)that|\bthat(?=\W*$))\b"
    r"(?!\s+(?:the|i|you|we|they|he|she|a|an|their|his|its|our|my)\b)",
    re.I,
)
ORDINAL = re.compile(r"\b(?:the|an?|that|this) (?P<which>\w+) (?P<one>ones?)\b", re.I)
_PLACES = {"first": 0, "former": 0, "second": 1, "latter": 1, "third": 2, "fourth": 3, "fifth": 4, "last": -1}
_HERE = re.compile(
    r"(?<!out )(?<!over )(?<!is )(?<!are )(?<!was )(?<!were )\bthere\b(?!\s+(?:is|are|was|were|any|a|an|be)\b)", re.I
)
_OBJECT = re.compile(
    r"(?:\w{3,}|\b(?:of|to|by|in|on"
    r"|at))\s+(?<!\bis )(?<!\bwas )(?<!\bdoes )(?<!\bdid )(?P<that>that)(?=(?:\s+(?:as well|too|also"
    r"|instead))?\W*$)",
    re.I,
)
_MANY = re.compile(r"people|children|men|women|[a-z]{2,}[^s\W]s")
_ASKS_OF = re.compile(rf"^{WH}\b(?:\s+\w+){{0,3}}\s+{AUXILIARY}\s+$", re.I)
_PRONOUNS: tuple[tuple[re.Pattern[str], tuple[NameKind, ...], int], ...] = (
    (_SHE, ("person",), 40),
    (_THEY, ("thing", "person"), 1),
    (_IT, ("thing", "place"), 1),
)
"""With what each may be a name of, and in how many of the latest turns."""
MOST_TELLING = 4
"""Words of its own from which a question is not about the topic for want of a name."""
SHORT = 7
"""Words below which a question with one such word of its own still wants the topic."""
_THERE_IS = re.compile(r"^(?:is|are|was|were) there\b", re.I)
_ITEM = re.compile(r"(?:^|\s)(?:\d{1,2}[.)]|[-•*])\s+([^\n.;:]{3,80})")


def resolved(question: str, turns: Sequence[Turn]) -> str:
    """The question with its pronouns replaced, and with the topic where it would else have none."""
    topic = topic_of(turns)
    made = picked(question, turns) if ORDINAL.search(question) else question
    made = _replaced(made, turns, topic)
    if made != question:
        return made
    named = any(name.kind != "year" for name in names_of(question))
    own = telling(question)
    asks = ASKS.match(question) is not None
    if not topic or named:
        return question
    if expanded := _expanded(question, topic):
        return expanded
    if _overlaps(topic, question):
        return question
    leans = _ANAPHOR.search(question) and len(own) < MOST_TELLING
    if (
        leans
        or (_THERE_IS.match(question) and len(own) < 3)
        or len(own) < (2 if asks and len(words(question)) < SHORT else 1)
    ):
        return f"{question.rstrip('?.! ')} ({without_article(topic)})?"
    return question


def without_article(topic: str) -> str:
    """The topic as it stands in brackets; a name keeps its article."""
    return re.sub(r"^(?:an?|the)\s+(?=[a-z])", "", topic)


def _expanded(question: str, topic: str) -> str | None:
    """The question with the topic for its bare noun: after "a restraining order", "an order" is one of these."""
    *modifiers, head = without_article(topic).split()
    if not modifiers or not topic.islower():
        return None
    found = re.search(rf"\b(?P<article>an?\s+)?(?P<noun>{re.escape(head.rstrip('s'))}s?)\b(?!\s+of\b)", question, re.I)
    if found is None or any(m in words(question.lower()) for m in modifiers):
        return None
    before = words(question[: found.start()])[-1:]
    if before and before[0].lower() not in STOPWORDS and not found["article"]:
        return None
    article = found["article"] and ("an " if modifiers[0][0] in "aeiou" else "a ")
    return f"{question[: found.start()]}{article or ''}{' '.join(modifiers)} {found['noun']}{question[found.end() :]}"


def _overlaps(topic: str, question: str) -> bool:
    return bool({w.lower() for w in words(topic)} & {w.lower() for w in telling(question)})


def _replaced(question: str, turns: Sequence[Turn], topic: str) -> str:
    """The question with its first pronoun of each kind, or its first `that …`, put by name."""
    found = _DEMONSTRATIVE.search(question)
    if (
        found
        and not _relative(question, found)
        and (meant := _with_noun(found["noun"], turns, _unsure(question, found)))
    ):
        return question[: found.start()] + meant + question[found.end() :]
    made = question
    sparse = len(telling(question)) < MOST_TELLING
    for pattern, kinds, recent in _PRONOUNS:
        if (found := pattern.search(made)) is None or _bound(made, found, kinds):
            continue
        if pattern is _THEY and sparse and (many := _plural(turns[-1].question)):
            made = _put(made, found, many)
            continue
        name = _mentioned(turns[-recent:], kinds, answers=sparse and pattern is not _IT)
        made = _put(made, found, name.whole if name else _definite(topic) if sparse else "")
    found = _HERE.search(made)
    if found and not _bound(made, found, ("place", "thing")) and (place := _mentioned(turns, ("place", "thing"))):
        made = f"{made[: found.start()]}{'at' if place.article else 'in'} {place.whole}{made[found.end() :]}"
    if topic and (found := _OBJECT.search(made)):
        made = made[: found.start("that")] + _definite(topic) + made[found.end("that") :]
    return made


def _plural(question: str) -> str | None:
    """The first plural phrase of a question, with what follows after "of": "the priorities of the strategy"."""
    found = phrases(question)
    for phrase, after in zip(found, [*found[1:], ""], strict=False):
        if re.search(r"(?<![A-Z])\b[a-z]+[^s\W]s$", phrase) and telling(phrase):
            whole = f"{phrase} of {after}"
            return _definite(whole if after and whole in question else phrase)
    return None


def _relative(text: str, found: re.Match[str]) -> bool:
    """Whether "that" opens a clause of the noun before it: "the schools that walk"."""
    before = words(text[: found.start()])[-1:]
    return found.group().lower().startswith("that") and bool(before) and before[0].lower() not in STOPWORDS


def _bound(text: str, pronoun: re.Match[str], kinds: Sequence[str]) -> bool:
    """Whether the pronoun stands for something before it in the same text, or is part of a title."""
    before, word = text[: pronoun.start()], pronoun.group()
    if (word[0].isupper() and before.rstrip(" \"'“‘(")[-1:] not in ("", ".", "!", "?")) or _EXPLETIVE.search(text):
        return word[0].isupper() or bool(_IT.fullmatch(word))
    if any(n.kind in kinds for n in names_of(before)):
        return True
    if _ASKS_OF.search(before):  # "What powers does he have?"
        return False
    if _THEY.fullmatch(word) and any(
        re.fullmatch(r"people|children|men|women|[a-z]{2,}[^s\W]s", w) for w in _nouns(before)
    ):
        return True
    if word.lower() in ("it", "him", "them", "there") or (
        word.lower() == "her" and not re.match(r"\s+\w", text[pronoun.end() :])
    ):
        clauses = re.split(r"[,;.]|\b(?:and|but|if|when|because|so|that|which)\b", before)
        return any(_nouns(c) for c in clauses[:-1]) or len(telling(before)) > 2
    return bool(telling(before))


def _nouns(text: str) -> list[str]:
    return [w for w in words(text) if w.lower() not in STOPWORDS]


def _mentioned(turns: Sequence[Turn], kinds: Sequence[NameKind], answers: bool = True) -> Name | None:
    """The latest name of these kinds: in a turn the person that "who" was answered by, else the question's own."""
    for turn in reversed(turns):
        asked = [n for n in names_of(turn.question) if n.kind in kinds]
        told = [n for n in names_of(turn.answer[:MOST_READ]) if n.kind in kinds] if answers else []
        who = "person" in kinds and re.match(r"\W*(?:and\s+)?who", turn.question, re.I)
        for names in (told, asked) if who else (asked, told):
            if names:
                return names[0] if names is told else max(names, key=lambda n: len(n.text))
    return None


def _put(text: str, pronoun: re.Match[str], meant: str) -> str:
    if not meant:
        return text
    word, rest = pronoun.group().lower(), text[pronoun.end() :]
    if word in ("his", "its", "their") or (word == "her" and re.match(r"\s+\w", rest)):
        meant += "’" if meant.endswith("s") and word == "their" else "’s"
    return text[: pronoun.start()] + meant + rest


def _definite(topic: str) -> str:
    """The topic as what was spoken of: `a permit` becomes `the permit`."""
    topic = re.sub(r"^an?\s+", "the ", topic, flags=re.I)
    return f"the {topic}" if re.match(r"[a-z]+s$", topic) else topic


def _unsure(text: str, found: re.Match[str]) -> bool:
    """Whether what follows "that" may be a verb or an adjective: "does that include children", "that huge planet"."""
    inverted = re.search(rf"\b{AUXILIARY}\s+$", text[: found.start()], re.I) is not None
    following = words(text[found.end() :])[:1]
    return (
        inverted
        or not ASKS.match(text)
        or bool(names_of(text))
        or bool(following and following[0].lower() not in STOPWORDS)
    )


def _with_noun(noun: str, turns: Sequence[Turn], unsure: bool) -> str | None:
    """The latest name or phrase with this noun: for "that scheme" the Warm Homes Scheme."""
    if noun.lower() in STOPWORDS:
        return None
    wanted = re.compile(rf"\b{re.escape(noun.rstrip('s'))}s?$", re.I)
    for turn in reversed(turns):
        for text in (turn.question, turn.answer[:MOST_READ]):
            if named := [n for n in names_of(text) if wanted.search(n.text) and n.text.lower() != noun.lower()]:
                return named[0].whole
        if found := [p for p in phrases(turn.question) if wanted.search(p) and len(words(p)) > 1]:
            return _definite(found[0])
    topic = topic_of(turns)
    return f"the {noun} ({without_article(topic)})" if topic and not unsure and not _overlaps(topic, noun) else None


def picked(question: str, turns: Sequence[Turn]) -> str:
    """The question with "the second one" put by name, from what the last answer lists."""
    found = ORDINAL.search(question)
    if found is None:
        return question
    which = found["which"].lower()
    answer = turns[-1].answer[: 2 * MOST_READ]
    listed = [str(item).strip() for item in _ITEM.findall(answer)]
    listed = listed or [part for n in names_of(answer) if n.kind != "year" for part in n.whole.split(" and ")]
    place = _PLACES.get(which)
    if place is not None and len(listed) > max(place, 0) and len(listed) > 1:
        return question[: found.start()] + listed[place] + question[found.end() :]
    if place is not None:
        return question
    head = words(noun_phrase(turns[-1]) or topic_of(turns))[-1:]
    if which in STOPWORDS - {"other"} or not head:
        return question
    return question[: found.start("one")] + head[0] + question[found.end("one") :]
