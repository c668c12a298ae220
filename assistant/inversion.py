"""Statements turned round into questions: "The hall was sold in 1998" answers "When was the hall sold?".

Rules of closed-class words and shapes of tokens take what they can turn into plain English, and leave the rest alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from assistant.questions import SHAPES, content_stems, names_in

MOST_CHARACTERS = 90
"""Of a question."""
LEAST_WORDS = 3
"""Content words of a question, a name of several words counting as one more: fewer could be asked of too much."""
_MOST_SUBJECT, _MOST_PREDICATE = 8, 12
"""Words."""

_POINTS = r"he|him|his|she|hers?|it|its|they|them|theirs?|this|that|these|those|such|same|others?|another|both|former|latter|above|below|following|earlier|there|here|then|now|today|yesterday|tomorrow|ago|next|last|so|again|also|too|one|ones|either"
_TURNS = r"I|me|my|we|us|ours?|you|yours?|not|never|no|nor|who|whom|whose|which|what|when|where|why|how|if|unless|because|while|although|though|whether|than|said|says?|told|asked|added|only|even|just|yet|already|perhaps|however|therefore"
_POINTING = re.compile(rf"\b(?:{_POINTS})\b", re.I)
"""Words that lean on something outside the sentence."""
_LEANING = re.compile(rf"\b(?:{_POINTS}|{_TURNS})\b|n[’']t\b|[,;:]", re.I)
"""And those that the rules can't turn round."""
_ODD = re.compile(r"[\"“”‘()\[\]<>{}|*_#@\\/=~^•·…]|\.\.|(?:^|\s)[’']|https?:|www\.|[–—]|[A-Z]{2,} [A-Z]{2,}")
_OPENS = re.compile(
    r"(?:about|according|after|against|among|any|around|as|at|before|between|but|by|during|for|from|in|into|of|off|on|or"
    r"|over|please|since|through|to|under|until|up|with|within|without|and|once|despite|instead|meanwhile|many|much|more"
    r"|most|some|all|each|every|few|\w+thing|\w*one|\d.*|\w+ly|\w+ing)$",
    re.I,
)
"""First words of what is no plain subject."""
_DETERMINERS = frozenset(("the", "a", "an"))
_PREPOSITION = r"of|for|at|in|on|to|from|with|by|between|near|under|and|or|over|into|behind|beside"
_VERB = re.compile(r"(?:is|are|was|were|be|been|will|would|can|could|must|should|may|has|have|had|do|does|did|and|or)$")
_AUXILIARY = re.compile(r" (is|are|was|were|will|would|can|could|must|should|may) ")
_BE = frozenset(("is", "are", "was", "were"))
_AT = re.compile(r"(?:^|(?<= ))(?:on|in|at|by|from|until|before|after) (?:the (?:(?:morning|evening|night) of )?)?")
_HAPPENS = re.compile(r" (open|close|start|begin|end|meet|reopen|expire|finish|leave|arrive)(s) ")
_BASES = {
    **{
        f"{verb}ed": verb
        for verb in "open start end reopen finish launch join visit reach publish sign complete".split()
    },
    **{f"{verb}d": verb for verb in "close expire arrive approve agree move receive introduce replace release".split()},
    **dict(
        pair.split(":") for pair in "began:begin met:meet left:leave won:win took:take built:build made:make".split()
    ),
    **dict(
        pair.split(":") for pair in "became:become bought:buy sold:sell gave:give paid:pay came:come rose:rise".split()
    ),
}
_HAPPENED = re.compile(rf" ({'|'.join(_BASES)}) ")
_WORDS = r"two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|(?:thir|four|fif|six|seven|eigh|nine)teen|(?:twen|thir|for|fif|six|seven|eigh|nine)ty(?:-\w+)?"
_NUMBER = rf"(?:about |around |nearly |almost |over |more than |some |up to )?(?:\d[\d,]*(?![\d.:/%])|{_WORDS})"
_THINGS = r"(?P<things>(?:[a-z][a-z-]+ ){0,3}?[a-z-]{2,}s)"
_MONEY = r"(?:about |around |nearly |almost |over |more than |up to )?[£$€]\d[\d,.]*(?: ?(?:million|billion|m|bn|k))?(?=\.?$| (?:a|per|for|from|in|on|each|plus)\b|,)"  # fmt: skip
_COST = re.compile(rf" (?:(?P<aux>will|would) cost|(?P<costs>costs)|(?P<be>is|are|was|were)) {_MONEY}")
_MANY = re.compile(
    rf"{_NUMBER} {_THINGS} (?P<rest>(?:of [a-z]+ )?(?:are|were|will|would|have|had|took|live|[a-z]+ed) .+)", re.I
)
_THERE = re.compile(
    rf"There (?P<aux>are|were) {_NUMBER} {_THINGS} (?P<rest>(?:in|on|at|for|from|across|under|within) .+)"
)
_HAS = re.compile(rf" has {_NUMBER} {_THINGS}(?=\.|,| and | for | in | on | at | with )", re.I)
_SHARE = re.compile(
    r"(?:About |Around |Nearly |Almost |Over |More than |Some )?\d[\d.]* ?(?:per ?cent|%) of (?P<rest>.+)"
)
_ROLE = re.compile(
    r"(?P<role>[Tt]he [a-z][^,;:]*?) (?P<aux>is|was) (?:(?:Mr|Mrs|Ms|Dr|Prof|Professor|Sir|Dame)\.? )?[A-Z][\w’-]+(?: [A-Z][\w’-]+){1,2}$"
)
_HELD = r"director|manager|officer|head|chair|chair(?:man|woman|person)|leader|minister|secretary|treasurer|president|executive|founder|editor|engineer|teacher|headteacher|principal|curator|mayor|commissioner|inspector|professor|librarian|ranger|clerk|author|owner|lead|coordinator|spokes(?:man|woman|person)|surveyor|maintainer|chief|member|representative"
_HOLDER = re.compile(rf"\b(?:{_HELD})\b", re.I)
_NAME = r"[A-Z][a-z]+(?: [A-Z][\w’-]+){1,2}"
_PERSON = re.compile(rf"(?P<name>{_NAME}), (?:[^,.]{{0,50}} )?(?i:{_HELD})\b(?:,| (?:of|for|at) )")
_POST = re.compile(rf"(?P<role>[A-Z][^,:;.]*), {_NAME},")
_WON = re.compile(r"(?:^|.* )[a-zA-Z]+ (?P<rest>won the .+)")
_DID = re.compile(
    r"(?:Mr|Mrs|Ms|Miss|Dr|Prof|Professor|Sir|Dame)\.?(?: [A-Z][\w’-]+){1,3} (?P<rest>(?!said|added|asked|told)(?:[a-z]+ed|won|led|runs|leads|chairs|built|wrote) .+)"
)
_DEFINED = re.compile(
    r"\b[Tt]he (?P<name>[A-Z][\w’-]+(?: (?:(?:of|for|and|the) )*[A-Z][\w’-]+)+)(?:, (?:which (?!was|is also)[a-z]+(?:s|ed) |an? )| is (?:an? |the )(?!\w+ed))"
)
_CLAUSE = re.compile(r" (?:say|said|says|reported|noted|explained|announced|agreed|advised|confirmed|heard) that ")
_DO = r"call|ring|phone|write|send|fill|type|enter|use|go|visit|ask|set|add|turn|hold|apply|contact|email|put|take|tap|log|sign|complete|download|pull|push|remove|edit|create|start|stop|switch|click|press|run|open|select|choose|please|you (?:can|must|should|need|may|will)"
_PURPOSE = re.compile(
    rf"To (?!be |help |mark |ensure |achieve |celebrate |become |make sure )(?P<task>[a-z][^,;:]+), (?:{_DO})\b"
)
_MEANS = re.compile(r"You can (?P<task>[a-z][^,;:]*?) (?:by [a-z]+ing|online)\b")
_OFTEN = re.compile(rf"\b(?:(?:about|around|roughly|at least|up to|more than) )?(?:every (?:{_NUMBER} )?(?:minute|hour|day|week|fortnight|month|year|quarter|term)s?|(?:once|twice) a (?:day|week|month|year|term))\b")  # fmt: skip
_ADDED = re.compile(r", (?=(?:and|but|which|who|with|compared|according|as|so|while|up|down|after|before)\b)")
"""Behind which a sentence goes on to something else; any other comma may stand within a list."""
_WHY = re.compile(r",? (?:because|so that) ")
_WHERE = re.compile(
    r"(?:be )?(?:held|kept|displayed|based(?! on)|stored|located|built|buried)(?= (?:at|in|on|beside|behind|near|opposite) )"
)
_LONG = re.compile(
    rf"(?:take|last|be (?:open|closed|shut|valid))(?= (?:for )?{_NUMBER} (?:minutes|hours|days|weeks|months|years)\b)"
)


def question_of(sentence: str, around: str) -> str | None:
    """A question that the sentence answers; None where no rule turns it into plain English.

    Args:
        around: the text that it stands in, which tells a name from a word that opens a sentence.
    """
    text = re.sub(r" \([^()]*\)", "", " ".join(sentence.split()))
    if not text.endswith("."):
        return None
    text = re.split(r" [–—-] |; ", text[:-1])[0]
    if _ODD.search(text):
        return None
    clauses = [text, *(part[:1].upper() + part[1:] for part in _CLAUSE.split(text)[1:])]

    def subject(phrase: str) -> str:
        return _subject(phrase, around)

    asked = (sound(found) for clause in clauses for rule in _RULES for found in rule(clause, subject))
    return next(filter(None, asked), None)


def question_in(heading: str) -> str | None:
    """A heading that is a question, or "How to …", as a question."""
    text = " ".join(heading.split())
    if _ODD.search(text):
        return None
    if found := re.fullmatch(r"How to ([a-z].+?)[?.]?", text):
        return sound(f"How do I {_mine(found[1])}", LEAST_WORDS - 1)
    asks = re.match(
        r"(?:who|what|which|when|where|why|how|is|are|do|does|did|can|could|will|must|should|may)\b", text, re.I
    )
    return sound(text) if asks and text.endswith("?") and not text.isupper() else None


def sound(question: str, least: int = LEAST_WORDS) -> str | None:
    """The question as it is shown; None where it leans on something outside it, or asks too little or too much."""
    asked = f"{question[:1].upper()}{question[1:].rstrip(' .?')}?"
    words = len(content_stems(asked)) + any(" " in name for name in names_in(asked))
    points = _POINTING.search(asked.replace(" are there ", " ").replace(" were there ", " "))
    return asked if len(asked) <= MOST_CHARACTERS and words >= least and not points else None


Subject = Callable[[str], str]
"""Gives a noun phrase as it stands inside a sentence; empty for anything else."""


def _subject(phrase: str, around: str) -> str:
    parts = phrase.split()
    plain = 0 < len(parts) <= _MOST_SUBJECT and not _OPENS.match(parts[0]) and not _LEANING.search(phrase)
    if not plain or any(map(_VERB.match, parts)) or re.search(rf"(?:^| )(?:{_PREPOSITION}|the|an?|\w+ly)$", phrase):
        return ""
    before = ("of", *parts)
    inner = (b for a, b in zip(before, parts, strict=False) if not re.fullmatch(_PREPOSITION, a))
    if any(word in _DETERMINERS for word in inner):  # a second phrase, and so a verb between them
        return ""
    first = parts[0]
    if first.lower() in _DETERMINERS:
        return first.lower() + phrase[len(first) :]
    if first[1:] != first[1:].lower() or (len(parts) > 1 and parts[1][:1].isupper()):
        return phrase
    small = first.lower()
    return small + phrase[len(first) :] if re.search(rf"\b{re.escape(small)}\b", around) else ""


def _plain(phrase: str) -> bool:
    return len(phrase.split()) <= _MOST_PREDICATE and not _LEANING.search(phrase)


def _mine(task: str) -> str:
    return re.sub(r"\byour\b", "my", task)


def _timed(rest: str) -> str | None:
    """What stands before the day or hour at which something is; None without one."""
    for at in _AT.finditer(rest):
        if any(SHAPES[kind].match(rest, place) for kind in ("date", "time") for place in (at.start(), at.end())):
            return rest[: at.start()].strip()
    return None


def _inverted(text: str, subject: Subject) -> Iterator[str]:
    """When, where, why, how often and how long something is, will or must be."""
    if (aux := _AUXILIARY.search(text)) is None or not (whom := subject(text[: aux.start()])):
        return
    rest = text[aux.end() :]
    for word, found in (("Why", _WHY.search(rest)), ("How often", _OFTEN.search(rest))):
        if found and found.start() and _plain(before := rest[: found.start()].strip()) and _timed(before) is None:
            yield f"{word} {aux[1]} {whom} {before}"
    for word, found in (("How long", _LONG.match(rest)), ("Where", _WHERE.match(rest))):
        if found:
            yield f"{word} {aux[1]} {whom} {found.group()}"
    before = _timed(rest) or ""
    if _timed(rest) is not None and _plain(before) and (before or aux[1] in _BE) and whom.split()[0] not in ("a", "an"):
        yield f"When {aux[1]} {whom} {before}"


def _happening(text: str, subject: Subject) -> Iterator[str]:
    for pattern, aux in ((_HAPPENS, "does"), (_HAPPENED, "did")):
        if (found := pattern.search(text)) is None or not (whom := subject(text[: found.start()])):
            continue
        rest = text[found.end() :]
        verbs = (w for w in rest.split(",")[0].split() if _VERB.match(w) or w in _BASES or w.endswith("ed"))
        if (what := _timed(rest)) is not None and _plain(what) and not any(verbs):
            yield f"When {aux} {whom} {_BASES.get(found[1], found[1])} {what}"


def _figures(text: str, subject: Subject) -> Iterator[str]:
    """How much, how many, and what share."""
    if (found := _COST.search(text)) and (whom := subject(text[: found.start()])):
        if found["be"]:
            yield f"How much {found['be']} {whom}"
        else:
            yield f"How much {found['aux'] or 'does'} {whom} cost"
    if (found := _HAS.search(text)) and (whom := subject(text[: found.start()])):
        yield f"How many {found['things']} does {whom} have"
    if (found := _THERE.match(text)) and _plain(rest := _ADDED.split(found["rest"])[0]):
        yield f"How many {found['things']} {found['aux']} there {rest}"
    if (found := _MANY.match(text)) and _plain(rest := _ADDED.split(found["rest"])[0]):
        yield f"How many {found['things']} {rest}"
    if (found := _SHARE.match(text)) and _plain(rest := _ADDED.split(found["rest"])[0]):
        yield f"What percentage of {rest}"


def _people(text: str, subject: Subject) -> Iterator[str]:
    if (found := _ROLE.match(text)) and (whom := subject(found["role"])) and _HOLDER.search(whom):
        yield f"Who {found['aux']} {whom}"
    if (found := _DID.match(text)) and _plain(rest := found["rest"]):
        yield f"Who {rest}"
    if (found := _DEFINED.search(text)) and not re.search(r"[A-Z]\S* $", text[: found.start()]):
        yield f"What is the {found['name']}"
    if found := _PERSON.search(text):
        yield f"Who is {found['name']}"
    if (found := _POST.match(text)) and (whom := subject(found["role"])) and _HOLDER.search(whom):
        yield f"Who is {whom}"
    if (found := _WON.match(text)) and _plain(found["rest"]):
        yield f"Who {found['rest']}"


def _tasks(text: str, _: Subject) -> Iterator[str]:
    if (found := _PURPOSE.match(text) or _MEANS.match(text)) and _plain(re.sub(r"\byour\b", "the", found["task"])):
        yield f"How do I {_mine(found['task'])}"


_RULES = (_people, _figures, _inverted, _happening, _tasks)
"""The surest first."""
