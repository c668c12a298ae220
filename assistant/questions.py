"""What a question asks for: the names it mentions, the kind of answer it expects, its content words.

Cues are closed-class words of English and shapes of tokens, so that nothing depends on a subject.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Literal

import snowballstemmer

if TYPE_CHECKING:
    from spellchecker import SpellChecker

AnswerKind = Literal[
    "name", "place", "date", "time", "money", "percentage", "number", "duration", "phone", "email", "url", "any"
]

_NEAR = 0.8
"""Ratio of matching letters from which a word may be a slip of another."""
WORD = re.compile(r"[^\W_]+(?:[’'.&-][^\W_]+)*")
STOPWORDS = frozenset(
    """a about above after again against all also am an and any are as at be because been before being below between both
    but by can could did do does doing done down during each few for from further get gets give given gives got had has
    have having he her here hers him his how i if in into is it its itself just kind let many may me might more most much
    must my no nor not now of off on once only or other our out over own please said same say says shall she should so
    some such tell than that the their them then there these they this those through to too under until up upon us very
    was we were what when where which while who whom whose why will with within would yes you your""".split()
)
_CONNECTORS = frozenset("and of the for de la von van".split())
_NUMBER_WORDS = (
    "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen"
    " nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million billion dozen half"
)
_MONTHS = "january february march april may june july august september october november december".split()
_DAYS = "monday tuesday wednesday thursday friday saturday sunday".split()
_CALENDAR = frozenset((*_MONTHS, *_DAYS)) - {"may"}
"""Months and days: a document that gives a span of them needn't name each."""
_MONTH = "(?:" + "|".join(f"{m[:3]}(?:{m[3:]})?" if m != "may" else "may" for m in _MONTHS) + r")\.?"
_NUMBER = rf"(?:\d+(?:[.,]\d+)*(?:st|nd|rd|th)?|\b(?:one|{_NUMBER_WORDS.replace(' ', '|')})\b)"

SHAPES: dict[AnswerKind, re.Pattern[str]] = {
    "money": re.compile(
        rf"[£$€]\s?\d|\b\d[\d,.]*\s?(?:p|pence|pounds?|euros?|dollars?)\b|\b{_NUMBER}\s+pounds?\b|\bfree\b|\bno (?:charge|fee|cost)\b",
        re.I,
    ),
    "percentage": re.compile(
        rf"\d\s?%|\bper ?cent\b|\b(?:half|third|quarter|fifth|tenth)s?\b|{_NUMBER} (?:in|out of) (?:every )?{_NUMBER}",
        re.I,
    ),
    "date": re.compile(
        rf"\b\d{{1,2}}(?:st|nd|rd|th)?(?: of)? {_MONTH}\b|\b{_MONTH} \d|\b(?:19|20)\d\d\b|\d[/.-]\d\d?[/.-]\d\d|\b(?:{'|'.join(_DAYS)})s?\b|\b(?:in|since|until|by|during|from|of|last|next|each|every|this|early|late|mid)[ -](?:{'|'.join(_MONTHS)})\b"
        r"|\b(?:spring|summer|autumn|winter|yesterday|today|tomorrow|tonight|christmas|easter|fortnight|weekly|monthly|annually|quarterly)\b|\b(?:next|last|this|each|every|coming) (?:week|month|year|quarter|term|decade)\b|\b(?:days?|weeks?|months?|years?) (?:ago|later|earlier|before|after|of)\b",
        re.I,
    ),
    "time": re.compile(
        r"\b\d{1,2}(?:[:.]\d\d)?\s?(?:am|pm|a\.m|p\.m|o’?'?clock)\b|\b(?:[01]?\d|2[0-3]):[0-5]\d\b|\b(?:noon|midday|midnight|24 hours)\b",
        re.I,
    ),
    "duration": re.compile(
        rf"{_NUMBER}[- ](?:\w+ )?(?:seconds?|minutes?|hours?|days?|nights?|weeks?|fortnights?|months?|years?|terms?|decades?|miles?|metres?|meters?|kilometres?|km|yards?|feet|acres?|hectares?)\b|\b(?:a|an|one|per) (?:hour|day|week|fortnight|month|year|decade|mile)\b|\bfor ever|permanent|indefinite",
        re.I,
    ),
    "number": re.compile(_NUMBER, re.I),
    "phone": re.compile(r"(?<!\d)(?:\+\d{1,3}[ -]?)?\(?0?\d{2,5}\)?(?:[ -]?\d{3,4}){1,3}(?!\d)"),
    "email": re.compile(r"[\w.+-]+@[\w-]+\.\w"),
    "url": re.compile(r"https?://|\bwww\.|\b[\w-]+\.(?:org|com|net|gov|edu|co|uk|example|info)\b", re.I),
}
_COUNTED = re.compile(r"\bhow many (?:[a-z]+(?:ed|ing|al|ic|ive) )?([a-z]+)", re.I)
_UNITS = frozenset(
    "second minut hour day night week fortnight month year term decad mile metr meter kilometr yard feet acr hectar pound"
    " penc euro dollar per percentag time".split()
)
_MEASURED = re.compile(
    "|".join(f"(?:{SHAPES[k].pattern})" for k in ("date", "time", "duration", "money", "percentage")), re.I
)
_MONEY_NOUNS = r"money|sum|cost|costs|costing|price|priced|fee|fees|charge|charges|charged|budget|salary|paid|pay|payable|fine|fined|grant|funding|fund|raise|raised|spend|spent|spending|worth|rent|wage|income|savings?|debt|deficit|bill|subsidy|contribut\w+|donat\w+|owe[ds]?|earns?"
_JOINS = rf"(?:and|or) (?:the|an?|its|their|our|who|what|which|when|where|why|how|{_MONEY_NOUNS})\b"
"""Joins two things asked for, or two questions; not two words before a noun, as in "the damp and mould budget"."""
_LABEL = re.compile(r"(?:^|(?<=; ))[^:;\n]{1,60}: ", re.M)
"""The column's name in a row of a table."""
_PLACE = re.compile(
    r"\b(?:at|in|on|to|from|near|opposite|behind|beside|outside|inside|between|under|along)\s+(?:the|a|an|our|your|[A-Z]|\d)"
)
_ASKING = r"(?:^|[,:;]\s*|\b(?:and|or|but|so|by|to|for|with|from|since|until|say|know|me|ask|see|check|find out)\s+)"
"""Before a question word that asks, rather than opens a relative or a temporal clause."""
_ASK_PATTERNS: tuple[tuple[AnswerKind, str], ...] = (
    ("email", r"\be-?mail address|\bwhat e-?mail\b|\bemail should"),
    (
        "phone",
        r"\b(?:phone|telephone|mobile|contact|helpline) numbers?\b|\bwhat number (?:should|do|can|to)\b.*\b(?:call|ring|phone)",
    ),
    (
        "url",
        r"\b(?:web ?site|web address|url|web ?page) (?:address|is|for)\b|\bwhat (?:web ?site|url)\b|\bwhich web ?site\b",
    ),
    (
        "time",
        r"\b(?:what|which) time\b|\b(?:opening|closing|start|finish) (?:time|hour)s?\b|\bopening and closing\b|\bhow (?:late|early)\b|\bwhat (?:are the )?hours\b",
    ),
    (
        "percentage",
        r"\b(?:what|which) (?:share|proportion|percentage|fraction|per ?cent)\b|\bhow (?:big|large) a (?:share|proportion)\b|\bpercentage of\b",
    ),
    ("number", r"\bhow many\b|\bwhat number of\b|\bwhat is the (?:total )?number of\b|\bhow old\b"),
    (
        "money",
        rf"\bhow much\b(?=.*\b(?:{_MONEY_NOUNS})\b)|\b(?:what(?:[’']?s)?|which) (?:(?!(?:of|for|in|about|from|with|on|to|if|when|that|because) |{_JOINS})\S+ ){{0,8}}?(?:{_MONEY_NOUNS})\b(?=\W*$|,| (?:of|for|to|in|on|per|from|at|by|when|if|each|a|an|the|as|is|was|does|do|did|will)\b)|\bhow (?:expensive|cheap)\b",
    ),
    ("duration", r"\bhow (?:long|far|quickly|fast)\b|\bfor how many (?:days|weeks|months|years)\b"),
    (
        "date",
        rf"{_ASKING}when\b|\b(?:what|which) (?:date|day|night|evening|morning|month|year|week|weekday)s?\b|\bhow soon\b|\bdeadline\b",
    ),
    (
        "number",
        r"\bhow much\b|\bwhat (?:is|was) the (?:rate|amount|total|size|limit|capacity|population|turnout|score)\b",
    ),
    ("place", rf"{_ASKING}where\b"),
    (
        "name",
        rf"{_ASKING}(?:who|whom|whose)\b|\bwhat (?:is|was) the (?:full )?names?\b|\bwhat (?:is|was) .* (?:called|named)\b|\bwhich (?:person|people|organisation|organization|company|firm|contractor|charity|team)\b",
    ),
)
_ASKS = tuple((kind, re.compile(pattern, re.I)) for kind, pattern in _ASK_PATTERNS)
_WHEN = re.compile(r"\bwhen\b", re.I)
"""Answered by a day, by a time of day ("at noon") or by a term ("within ten working days")."""
_PARTS = re.compile(r",?\s+and\s+(?=(?:who|whom|whose|what|which|when|where|why|how)\b)", re.I)


@dataclass(frozen=True, slots=True)
class Question:
    """A question, taken apart."""

    text: str
    kind: AnswerKind
    """The shape that an answer must have; `any` where the words don't tell."""
    names: tuple[str, ...]
    """What names something in particular: runs of capitalised words inside the question, and years."""
    terms: tuple[str, ...]
    """Stems of the content words, names included, each once."""
    focus: tuple[str, ...]
    """Stems of the role or attribute asked for: the head teacher in "Who is the head teacher of …?"."""


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """Snowball English stem of one word, lower-cased, without a possessive ending."""
    stemmer = snowballstemmer.stemmer("english")  # a new one: it keeps the word that it is at, whatever the thread
    stemmed: str = stemmer.stemWord(re.sub(r"[’']s?$", "", word.lower()))
    return stemmed


def words(text: str) -> list[str]:
    """Words of `text` as they stand, inner apostrophes, hyphens and full stops kept."""
    return WORD.findall(text)


def stems(text: str) -> set[str]:
    """Stems of every word, and of the parts of hyphenated ones."""
    found = words(text)
    return {stem(w) for w in found} | {stem(p) for w in found if "-" in w for p in w.split("-")}


def content_stems(text: str) -> tuple[str, ...]:
    """Stems of the words that aren't stopwords, in order, each once."""
    return tuple(dict.fromkeys(stem(w) for w in words(text) if w.lower() not in STOPWORDS and stem(w)))


def names_in(text: str) -> list[str]:
    """Names in order: runs of capitalised words that don't merely open a sentence, with the `of` and `and` inside
    them, and numbers of three digits or more (years, rooms) that aren't sums."""
    found: list[str] = []
    run: list[str] = []
    end = 0
    for match in WORD.finditer(text):
        word = re.sub(r"[’']s?$", "", match.group())
        gap = text[end : match.start()] if end else ""
        opens = re.sub(r"[\s\"'“‘(]+$", "", text[: match.start()])[-1:] in ("", ".", "!", "?", ":", "•", "·")
        capital = (
            word[:1].isupper()
            and (bool(run) or word.lower() not in STOPWORDS)
            and not (opens and not word[1:].isupper())
            and word.lower().rstrip("s") not in _CALENDAR
        )
        if run and gap.strip():
            _close(run, found)
        if capital or (run and word.lower() in _CONNECTORS):
            run.append(word)
        else:
            _close(run, found)
            if word.isdigit() and len(word) > 2 and gap[-1:] not in ("£", "$", "€"):
                found.append(word)
        if match.group() != word:  # a possessive ends a name
            _close(run, found)
        end = match.end()
    _close(run, found)
    return found


def _close(run: list[str], found: list[str]) -> None:
    while run and run[-1].lower() in _CONNECTORS:
        run.pop()
    if run:
        found.append(" ".join(run))
    run.clear()


def name_words(name: str) -> list[str]:
    """The words of a name that count: without `of`, `and` and their like."""
    return [w for w in name.split() if w.lower() not in _CONNECTORS]


_DEFINITION = re.compile(
    r"^\W*(?:who|what|which)\s+(?:is|was|are|were|will be)\s+(?P<focus>.+?)"
    r"(?:\s+(?:of|at|for|in|on|to|when|that|who|which|under|from|by|before|after|during)\b.*)?\W*$",
    re.I,
)


def focus_of(text: str) -> tuple[str, ...]:
    """Stems of what "who is the …?" or "what is …’s …?" asks for, names left out; empty for other questions."""
    match = _DEFINITION.match(text)
    if match is None:
        return ()
    phrase = re.split(r"[’']s\s", match["focus"])[-1]
    named = {stem(w) for n in names_in("x " + phrase) for w in name_words(n)}
    return tuple(s for s in content_stems(phrase) if s not in named)


def analyse(text: str) -> Question:
    """Take a question apart. Any text is accepted."""
    kind: AnswerKind = next((k for k, pattern in _ASKS if pattern.search(text)), "any")
    return Question(text, kind, tuple(dict.fromkeys(names_in(text))), content_stems(text), focus_of(text))


def parts_of(text: str) -> list[str]:
    """The questions that one sentence joins with "and": "Who chairs it, and when does it meet?" is two."""
    return [p.strip() for p in _PARTS.split(text) if len(words(p)) > 2]


def has_kind(kind: AnswerKind, text: str, question: Question) -> bool:
    """Whether `text` holds something of the shape asked for that the question doesn't already say."""
    if kind == "any":
        return True
    if kind in ("name", "place"):
        asked = {stem(w) for w in words(question.text)}
        text = _LABEL.sub(" ", text)
        return (kind == "place" and bool(_PLACE.search(text))) or any(
            stem(w) not in asked and not w[0].isdigit() for n in names_in("x " + text) for w in name_words(n)
        )
    kinds: tuple[AnswerKind, ...] = (
        ("date", "time", "duration") if kind == "date" and _WHEN.search(question.text) else (kind,)
    )
    if kind == "number" and (counted := _COUNTED.search(question.text)) and stem(counted[1]) not in _UNITS:
        text = _MEASURED.sub(" ", text)  # "fourteen months" and "in 1931" count no people
    said = {m.group().lower() for k in kinds for m in SHAPES[k].finditer(question.text)}
    return any(m.group().lower() not in said for k in kinds for m in SHAPES[k].finditer(text))


def same_word(a: str, b: str) -> bool:
    """Whether two stems are one word, a slip of the pen allowed in words of five letters or more."""
    if a == b:
        return True
    if min(len(a), len(b)) < 5 or abs(len(a) - len(b)) > 2 or a.isdigit() or b.isdigit() or a[0] != b[0]:
        return False
    return SequenceMatcher(None, a, b, autojunk=False).ratio() >= 0.82


def holds(word: str, stems_of_text: Iterable[str]) -> bool:
    """Whether a text, given by its stems, has this word."""
    wanted = stem(word)
    found = stems_of_text if isinstance(stems_of_text, (set, frozenset)) else set(stems_of_text)
    return wanted in found or any(same_word(wanted, s) for s in found)


def correct(text: str, vocabulary: Sequence[str], known: Callable[[str], bool]) -> str:
    """The text with words that no document knows replaced by near ones of `vocabulary`; names are left alone.

    Args:
        vocabulary: lower-case words of the passages found, the best passage's first: of equally near ones the first
            is taken.
        known: whether the documents hold a word.
    """

    def replacement(match: re.Match[str]) -> str:
        word = match.group()
        if len(word) < 3 or not word.islower() or word in STOPWORDS or word in vocabulary or known(word):
            return word
        near = {v: SequenceMatcher(None, v, word).ratio() for v in vocabulary if v[0] == word[0]}
        best = max(near, key=lambda v: near[v], default=word)
        return best if near.get(best, 0) >= _NEAR else word

    return WORD.sub(replacement, text)


@cache
def dictionary() -> SpellChecker:
    """Words of English with how often each is written."""
    from spellchecker import SpellChecker  # deferred: .3 s for its table, seldom needed

    return SpellChecker(distance=1)


def recase(text: str, passages: Iterable[str]) -> str:
    """A question typed without capitals, with those of the words that the passages capitalise wherever they stand.

    Capitals at the start of a sentence don't count; a question that has capitals of its own is left as it is.
    """
    if any(c.isupper() for c in text[1:]):
        return text
    capital: dict[str, str] = {}
    small: set[str] = set()
    for passage in (_LABEL.sub(". ", p) for p in passages):
        for match in WORD.finditer(passage):
            word = re.sub(r"[’']s?$", "", match.group())
            if word.islower():
                small.add(word)
            elif word[0].isupper() and passage[: match.start()].rstrip(" \"'“‘(")[-1:] not in (
                "",
                ".",
                "!",
                "?",
                ":",
                "\n",
            ):
                capital[word.lower()] = word

    def replacement(match: re.Match[str]) -> str:
        word = match.group()
        bare = re.sub(r"[’']s?$", "", word).lower()
        if len(bare) < 3 or bare in STOPWORDS or bare in small or bare not in capital:
            return word
        return capital[bare] + word[len(bare) :]

    return WORD.sub(replacement, text)
