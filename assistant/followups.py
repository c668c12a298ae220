"""Making a follow-up question whole, from the questions and answers before it, by rules."""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.anaphora import ASKS, AUXILIARY, ORDINAL, WH, picked, resolved, without_article
from assistant.questions import words
from assistant.smalltalk import small_talk, without_courtesy
from assistant.topics import MOST_READ, names_of, phrases, telling, topic_of
from assistant.types import Turn

RECENT = 40
"""Turns of the conversation that are read."""
MOST_CHARACTERS = 400
"""Of a question made whole that is longer than it was asked."""

_JOINS_ON = re.compile(r"^\W*(?:(?:and|but|so|also|or|then|well|by the way|ok(?:ay)?)\b[\s,]*)+", re.I)
_YES_OR_NO = re.compile(r"^(?:yes|yeah|yep|no|nope|not really|maybe|please)(?: please)?\W*$", re.I)
_NTH = re.compile(r"\bthe (?:first|second|third|fourth|fifth|last|latter|former)(?=\W*$)", re.I)
_YEAR_BEYOND = re.compile(
    r"^(?:in )?the (?:(?P<before>year before|previous year)|year after|following year|next year)$", re.I
)
_ABOUT = re.compile(r"^(?:what|how)\s+about\s+(?:the case of\s+)?", re.I)
_THAT = r"(?:that|this|it|those|these)"
_REPEATS = re.compile(
    f"^(?:are you (?:really |quite |absolutely |so )?(?:sure|certain)(?: (?:about|of) {_THAT})?|(?:really|sure"
    r"|right|seriously|honestly)(?=\W*\?)"
    f"|(?:is|was) {_THAT} (?:really |actually |still )?(?:right|correct|true|so|accurate)|how (?:sure|certain"
    "|confident) are you"
    "|(?:(?:can|could|would) you (?:please )?|please )?(?:(?:say|put|explain|phrase|repeat|tell me|rephrase"
    "|clarify|simplify|check|verify|confirm)"
    f"(?: {_THAT})?(?: again| once more| differently| more simply| in (?:other|simpler|simple|plain"
    "|different) (?:words|terms|english|language))*)"
    "|in other words|again|(?:i )?(?:don[’']t|do not|didn[’']t) (?:understand|get)(?: it| that| this)?"
    "|what do you mean(?: by (?:that|this|it))?|pardon|sorry|come again|says who"
    r"|where does it say that)(?: please)?(?=\s*(?:[.?!,;]|$))",
    re.I,
)
_MORE = re.compile(
    "^(?:(?:can|could|would|will) you (?:please )?|please )?(?:(?:tell|give|show) (?:me|us) (?:some |a (?:bit"
    "|little) )?more(?: details?| information| info)?|say more|go on|continue|elaborate|more(?: details?"
    "| information| info)?|(?:some )?(?:more )?details?|explain (?:in more detail|further)|expand)(?: (?:on"
    rf"|about|of) (?:{_THAT}|him|her|them))?(?: please)?\W*$",
    re.I,
)
_CORRECTS = re.compile(
    r"^(?:no\b[\s,.]*|sorry\b[\s,.]*|actually\b[\s,.]*|oops\b[\s,.]*)*(?:i (?:meant|mean|was asking about"
    r"|am asking about|was talking about)|i[’']m asking about|make that|rather|not [^,]{1,40},)\s+(?:to say\s+"
    r"|to ask about\s+)?(?P<meant>.+)$|^no,?\s+(?P<other>[^?]{1,40})$",
    re.I,
)
_ELSE = re.compile(
    "^(?P<asked>who|what|where|when|how|why|which|anyone|anybody|anything|anywhere|someone|any (?:others?"
    "|more)|others?)"
    r"(?: else| others?)?(?P<rest>\b.*)$",
    re.I,
)
_ALONE = re.compile(
    r"^(?:(?:explain|tell me|say)\s+)?"
    "(?:why(?: not| is that| was that| so)?|how(?: come| so| much| many| long| often| far| soon)?|when|where"
    "|who(?:m)?|by whom|with whom|since when|until when|from when|from where|what for|what time"
    r"|which ones?)\W*$",
    re.I,
)
_INVERTED = re.compile(rf"^(?:(?:when|where|why|how)\s+)?(?={AUXILIARY}\s)", re.I)
_PREPOSITION = re.compile(
    r"^(?:for|in|on|at|from|to|with|without|by|under|over|before|after|during|since|until|between|of)\b", re.I
)
_YEAR = re.compile(r"\b(?:19|20)\d\d(?:[/–-]\d\d(?:\d\d)?)?\b")
_SELF = re.compile(
    r"^(?:i|we)(?:[’'](?:m|re|ve)|\s+(?:am|are|live|work|have))\b(?!\s+(?:interested|not sure|looking"
    "|wondering))",
    re.I,
)


def standalone(question: str, turns: Sequence[Turn | str]) -> str:
    """The question as one would ask it without the conversation, `turns` being oldest first; whole ones stay.

    Turns that are texts are questions whose answers aren't known.
    """
    whole: list[Turn] = []
    for turn in turns[-RECENT:]:
        told = Turn(turn) if isinstance(turn, str) else turn
        asked = " ".join(told.question[: 4 * MOST_CHARACTERS].split())
        if asked and small_talk(asked) is None:
            whole.append(Turn(_made_whole(asked, whole), told.answer[: 2 * MOST_READ]))
    return _made_whole(" ".join(question.split()), whole)


def _made_whole(asked: str, turns: Sequence[Turn]) -> str:
    question = without_courtesy(asked)
    if not turns or not words(question) or small_talk(asked) is not None:
        return question
    made = " ".join(_whole(question, turns).split())
    if made == question or len(made) > max(MOST_CHARACTERS, len(question)):
        return question
    return made[:1].upper() + made[1:]


def _whole(question: str, turns: Sequence[Turn]) -> str:
    former = turns[-1].question
    joined = _JOINS_ON.match(question) is not None
    bare = _NTH.sub(r"\g<0> one", _JOINS_ON.sub("", question)) or question
    if _YES_OR_NO.match(bare):
        return question
    if corrected := _CORRECTS.match(bare):
        return _changed(former, corrected["meant"] or corrected["other"])
    if repeated := _REPEATS.match(bare):
        rest = bare[repeated.end() :].strip(" .,;!?")
        return former if len(words(rest)) < 3 else rest + ("?" if question.endswith("?") else ".")
    if _MORE.match(bare):
        topic = topic_of(turns)
        return f"Tell me more about {topic}." if topic else former
    if (more := _ELSE.match(bare)) and re.search(
        r"\b(?:else|others?|more)\b", bare[: more.start("rest") or None], re.I
    ):
        return _further(more, former, turns)
    if _ALONE.match(bare):
        return _asked_again(bare, former)
    about = _ABOUT.match(bare)
    fragment = _ABOUT.sub("", bare)
    if about or not ASKS.match(bare):
        listed = ORDINAL.search(fragment) is not None
        if listed:
            fragment = picked(fragment, turns).strip(" .?!")
            if fragment in turns[-1].answer:
                return f"Tell me more about {fragment}."
        few = len(telling(fragment)) < 3 and len(words(fragment)) < 7
        added = _PREPOSITION.match(fragment) is not None
        if few and (added or (ASKS.match(former) and (about or joined or listed))):
            return _changed(former, fragment)
        if few and _SELF.match(fragment):
            return f"{fragment.rstrip(' .!?')}. {former[:1].upper()}{former[1:]}"
        if about:
            return question
        if (made := resolved(bare, turns)) == bare:
            return question
        return made
    return resolved(bare, turns)


def leans_only(question: str) -> bool:
    """Whether a question says nothing without the one before it: "Are you sure?", "Tell me more.", "Who else?"."""
    bare = _JOINS_ON.sub("", without_courtesy(question)).strip()
    repeated, more = _REPEATS.match(bare), _ELSE.match(bare)
    return bool(
        (repeated and len(words(bare[repeated.end() :])) < 2)
        or _MORE.match(bare)
        or (more and " " in bare.strip(" ?.!") and not words(more["rest"]))
    )


def _further(more: re.Match[str], former: str, turns: Sequence[Turn]) -> str:
    """ "Who else?": the former question, asked for more."""
    rest = more["rest"].strip(" ?.!")
    asked = more["asked"].lower()
    wh = {"anyone": "who", "anybody": "who", "someone": "who", "anywhere": "where"}.get(asked, asked)
    if len(words(rest)) > 1:
        return resolved(more.string, turns)
    opening = re.match(rf"({WH})\b", former, re.I)
    if opening and (opening.group().lower() == wh or asked.startswith(("any", "other"))):
        after = former[opening.end() :]
        noun = opening.group().lower() in ("what", "which") and not re.match(rf"\s+{AUXILIARY}\b", after, re.I)
        return f"{opening.group()} {'other' if noun else 'else'}{after}" if " else " not in former else former
    topic = topic_of(turns)
    return f"{more.string.rstrip('?.! ')} ({without_article(topic)})?" if topic else former


def _asked_again(asked: str, former: str) -> str:
    """ "Why?": the former question under another question word."""
    if asked.lower().startswith("which"):
        return former
    asked = re.sub(r"^(?:explain|tell me|say)\s+", "", asked, flags=re.I)
    word = re.sub(r"\s+(?:is|was) that$|\s+so$", "", asked.rstrip("?.! "), flags=re.I)
    inverted = _INVERTED.match(former)
    if inverted and word.lower() in (
        "why",
        "when",
        "where",
        "how",
        "how come",
        "how long",
        "how often",
        "since when",
        "until when",
    ):
        if word.lower() == "how come":
            word = "why"
        rest = former[inverted.end() :]
        return f"{word[:1].upper()}{word[1:]} {rest[:1].lower()}{rest[1:]}"
    return f"{former.rstrip('?. ')}, and {word[:1].lower()}{word[1:]}?"


def _changed(former: str, fragment: str) -> str:
    """The former question with the part that the fragment is about replaced, or added."""
    base, _, topic = former.rstrip("?. ").partition(" (")
    if topic:
        made = _changed(base + "?", fragment).rstrip("?")
        shared = {w.lower() for w in words(topic)} & {w.lower() for w in words(fragment)}
        return f"{made}?" if shared else f"{made} ({topic}?"
    fragment = re.sub(r"^(?:The|A|An|My)\b", lambda m: m.group().lower(), fragment.rstrip("?.! "))
    question, mark = former.rstrip("?. "), "?" if former.endswith("?") else ""
    if not fragment or fragment.lower() in question.lower():
        return former
    if old := list(_YEAR.finditer(question)):
        year = _YEAR.search(fragment)
        new = year.group() if year and len(words(fragment)) < 4 else None
        if beyond := _YEAR_BEYOND.match(fragment):
            new = str(int(old[-1].group()[:4]) + (-1 if beyond["before"] else 1))
        if new:
            return question[: old[-1].start()] + new + question[old[-1].end() :] + mark
    if preposition := _PREPOSITION.match(fragment):
        same = list(re.finditer(rf"\b{preposition.group()}\s+\S+(?:\s+\S+){{0,4}}$", question, re.I))
        if same and not re.search(r"\b(?:and|or)\b", same[-1].group()):
            return question[: same[-1].start()] + fragment + mark
        return f"{question} {fragment[0].lower()}{fragment[1:]}{mark}"
    if conditional := re.match(r"(?:if|when|unless|because)\b", fragment, re.I):
        return f"{question} {conditional.group().lower()}{fragment[conditional.end() :]}{mark}"
    names, told = names_of(question), names_of("x " + fragment)
    if names and told:
        kind = told[0].kind if told[0].kind != "thing" else None
        old_name = next((n for n in names if n.kind == kind), max(names, key=lambda n: len(n.text)))
        place = re.search(rf"(?:\bthe\s+)?{re.escape(old_name.text)}", question, re.I)
        return question[: place.start()] + told[0].whole + question[place.end() :] + mark if place else former
    if re.match(r"(?:the|a|an|my|our)\s", fragment, re.I):
        phrase = next((p for p in phrases(question) if re.match(r"(?:the|a|an)\s", p, re.I)), None)
        whose = names[0].whole if phrase and names and names[0].text in phrase else None
        if whose and re.match(r"who\b", question, re.I):
            return f"Who is {fragment} of {whose}?"
        if phrase:
            return question.replace(phrase, fragment, 1) + (f" ({whose})" if whose else "") + mark
    if object_ := re.search(r"\b(?:for|of|about|on|with|to)\s+(?P<object>[\w’'-]+(?:\s+[\w’'-]+){0,3})$", question):
        return question[: object_.start("object")] + fragment + mark
    kinds = () if told else (p for p in phrases(question) if re.match(r"an?\s", p, re.I))
    if phrase := next(iter(kinds), None):  # "And room hire?" after "a guided tour"
        return question.replace(phrase, fragment, 1) + mark
    return f"{question} for {fragment}{mark}"
