"""Greetings, thanks and questions about the assistant itself, which no document answers."""

from __future__ import annotations

import re
from typing import Literal

Courtesy = Literal["about", "thanks", "bye", "greeting", "praise"]

REPLIES: dict[Courtesy, str] = {
    "about": "I answer questions from the documents that are indexed here, and only from them: each sentence of an"
    " answer shows where it stands. Where they don’t hold the answer, I say so. Ask about something they say.",
    "thanks": "You’re welcome.",
    "bye": "Goodbye.",
    "greeting": "Hello. Ask me something about the documents.",
    "praise": "Good. Ask when there is more you want to know.",
}
"""The reply to each, most telling first."""
_VERY = r"(?: (?:very|so|really|just|quite|all))?"
_FOR = (
    r"(?: (?:for (?:that|this|it|everything|letting me know|(?:the|your|all your|all the) (?:\w+ )?(?:help"
    "|answers?|infos?|information|time|reply|explanation|clarification|response|patience))|again|anyway|then"
    "|all|everyone|mate|bye))?"
)
_PHRASES: dict[Courtesy, str] = {
    "about": r"(?:so )?(?:who|what)(?:['’]?s| is| are|['’]re) (?:you|your name|this assistant)(?: exactly)?"
    r"|(?:so )?what (?:can|do|could) you (?:do|help(?: me)? with|know|answer)(?: for me| here)?"
    r"|how do you work|how can (?:you help|i use you)(?: me)?|what (?:can|should|could) i ask(?: you)?(?: about)?"
    "|are you (?:(?:an? )?(?:real )?(?:bot|robot|chatbot|ai|human|person|machine|computer|chatgpt|llm)|real"
    "|there|alive)"
    r"|(?:can|could|will) you (?:please )?help(?: me)?(?: please)?|(?:i need )?(?:some )?help(?: me)?(?: please)?",
    "thanks": (
        "(?:ok(?:ay)? |great |no |many |oh |and )?(?:thanks|thank (?:you|u)|thx|ty|cheers|ta)(?: (?:a (?:lot"
        f"|bunch|million)|so much|very much|ever so much|kindly))?{_FOR}"
        "|(?:much|greatly) appreciated|i(?: really)? appreciate (?:it|that|your help)|(?:that|this|it"
        f"|you)(?:['’]?s| is| was|['’]ve been| have been|['’]re| are){_VERY} (?:helpful|useful|great|perfect"
        "|brilliant|good to know|good|fine|kind|amazing|interesting|nice)"
    ),
    "bye": (
        "(?:good)?bye(?:[ -]bye)?(?: for now| then)?|see (?:you|ya)(?: (?:later|soon|tomorrow))?|good night"
        "|take care"
        "|have a (?:nice|good|great|lovely) (?:day|evening|afternoon|weekend|one|time)|(?:that|this)(?:['’]?s| is"
        "| was| will be) (?:all|it|everything)(?: (?:for (?:now|today)|i (?:need|needed|wanted)(?: to know)?))*"
    ),
    "greeting": (
        "(?:hi|hello|hey|hiya|howdy|greetings|good (?:morning|afternoon|evening|day))(?: (?:there|again|all"
        "|everyone|assistant|bot))?"
        r"|how are you(?: (?:doing|today))*|how(?:['’]s| is) it going|nice to meet you"
    ),
    "praise": (
        "ok(?:ay)?|k|(?:oh )?i see|i (?:understand|get it)|got it|(?:all )?right|alright|understood|noted|sure"
        "|wow|oh|ah|hm+|yay|cool|nice(?: one)?|great|good(?: job)?|well done|perfect|excellent|brilliant"
        "|wonderful|awesome|amazing|fantastic|lovely|super|fine|interesting|makes sense|(?:that|it) makes sense"
        f"|fair enough|good to know|very (?:good|nice|well|helpful|interesting)|(?:that )?sounds{_VERY} (?:good"
        "|great|fine)|never ?mind|no (?:problem|worries)|lol|haha+"
    ),
}
_COURTESY = re.compile(
    rf"(?:{'|'.join(f'(?P<{kind}>{phrase})' for kind, phrase in _PHRASES.items())})(?![\w’'-])", re.I
)
_BETWEEN = re.compile(r"[^\w£$€“\"'‘(\[]*")
_STOP = re.compile(r"[,.!;:?–—-]")
_ASKS = re.compile(
    "(?:and|but|so|also|then|who|whom|whose|what|which|when|where|why|how|is|are|was|were|do|does|did|can"
    "|could|will|would"
    r"|should|has|have|had|may|must|tell|list|give|show|explain|describe|please|i|i[’']d|i[’']m|my|we)\b",
    re.I,
)


def small_talk(question: str) -> str | None:
    """The reply to what asks nothing of the documents; None for a question."""
    kinds, rest = _read(question)
    if kinds == {"praise"} and question.rstrip().endswith("?"):  # "Right?" doubts the answer
        return None
    return next(reply for kind, reply in REPLIES.items() if kind in kinds) if kinds and not rest else None


def without_courtesy(question: str) -> str:
    """The question without the thanks or greeting before it; small talk as it stands."""
    return _read(question)[1] or question


def _read(text: str) -> tuple[set[str], str]:
    """The kinds of courtesy that a text begins with, and what follows them."""
    kinds: set[str] = set()
    place = re.match(r"\W*", text).end()  # type: ignore[union-attr]  # matches anything
    if place and text[place - 1] in "£$€“\"'‘([":
        return kinds, text
    while place < len(text) and (found := _COURTESY.match(text, place)) is not None:
        after = _BETWEEN.match(text, found.end()).end()  # type: ignore[union-attr]  # matches anything
        between, following = text[found.end() : after], text[after:]
        goes_on = following and not _COURTESY.match(following) and not _ASKS.match(following)
        if (found.lastgroup == "about" and following) or (goes_on and not _STOP.search(between)):
            break
        kinds.add(found.lastgroup or "")
        place = after
    return kinds, re.sub(r"^(?:and|but|so|also|then)\b[\s,]*(?=\w)", "", text[place:], flags=re.I) if kinds else text
