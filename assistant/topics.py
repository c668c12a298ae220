"""What a conversation is about: the names and the noun phrases that a later question may lean on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from assistant.questions import STOPWORDS, WORD, names_in, stem, words
from assistant.types import Turn

NameKind = Literal["person", "place", "thing", "year"]
MOST_READ = 1500
"""Characters of an answer that are read."""
_ARTICLES = r"(?:the|a|an|this|that|these|those|our|their|its|his|her|my|your)"
_TITLED = re.compile(r"\b(?:mr|mrs|ms|miss|dr|cllr|councillor|professor|prof|sir|dame|lord|lady|judge)\.?\s+$", re.I)
_BODY = frozenset(
    """act agency alliance archive association authority avenue award bank bay beach board bridge building bureau
    centre center chamber charter church city clinic close club code college commission committee company
    conference corporation council county court department district division drive estate farm festival fleet
    forum foundation fund gallery garden gardens group hall health high hill hospital house inc initiative
    institute lab laboratory lake lane law library ltd market mill ministry mission museum network office order
    organisation organization panel park partnership plan plc police policy pool port prize programme program
    project railway report review river road school scheme service services society south square state station
    strategy street survey system team theatre tower town tribunal trust union university valley village ward
    wharf works north east west national royal international general federal new old great san saint st united
    public""".split()
)
"""Words that a person's name doesn't have."""
_AT = re.compile(r"\b(?:in|at|near|around|across|throughout|from|to)\s+(?:the\s+)?$", re.I)
GENERIC = frozenset(
    """able afford allowed apply applied area available become begin benefit benefits book bring buy change changes
    charge choose close come compare contact cost costs date deadline decide decided detail details difference
    differences different difficult do easy effect effects eligible end ensure entry example examples expect
    expensive fee fees file find first follow form get go good happen happened happens help important include
    included includes information item items job join keep kind kinds know last late latest leave like list long
    look main make mean means member members name names need needed new next number obtain offer old open option
    options order part pay people person place plan point possible present price problem problems process
    procedure provide purpose qualify reason reasons receive recent replace report request
    require required requirement requirements result results role rule rules run safe same see send sign size
    start started step steps stop submit sure take tell thing things time times type types understand use used
    visit want way ways work works worth write year years""".split()
)
"""Words that tell what is asked of a subject, and not which subject."""
_THE = re.compile(r"\bthe\s+$", re.I)
_ABOUT_THE = re.compile(r"\b(?:(?:what|who|which)\s+(?:is|are|was|were)|about)\s+the\s+$", re.I)
_NOUN = re.compile(r"\s+[a-z]{3,}[a-ce-z](?=\W*$)")
_BREAKS = STOPWORDS | frozenset(
    """across along although among around behind beside besides despite except inside like near onto outside per
    regarding since though toward towards unless via whether without""".split()
)
_INVERTED = re.compile(r"\b(?:do|does|did|can|could|will|would|should|must|may|might|shall)\s+$", re.I)
_VERB_NEXT = re.compile(
    r"\b(?:i|we|you|they|he|she|it|one|to|who|don[’']t|cannot|can[’']t)\s+(?:also\s+|ever\s+)?$", re.I
)


@dataclass(frozen=True, slots=True)
class Name:
    """A name as a text has it."""

    text: str
    kind: NameKind
    article: str
    """`the ` where the text has it before the name."""

    @property
    def whole(self) -> str:
        return self.article + self.text


@lru_cache(maxsize=256)
def names_of(text: str) -> tuple[Name, ...]:
    """The names of a text, in order, with what they seem to be names of."""
    found: list[Name] = []
    at = 0
    for name in names_in("x " + text if _opens_with_name(text) else text):
        place = text.find(name, at)
        if place < 0:
            continue
        before, at = text[:place], place + len(name)
        article = "the " if _THE.search(before) else ""
        if article and _ABOUT_THE.search(before) and (noun := _NOUN.match(text, at)):  # "the Bright Start programme"
            name, at = text[place : noun.end()], noun.end()
        found.append(Name(name, _kind(name, before, article), article))
    return tuple(found)


def _opens_with_name(text: str) -> bool:
    """Whether the first word is capitalised for more than its place: another such word follows, or a possessive."""
    first, *others = text.split(maxsplit=2) or [""]
    plain = first.lower().strip("\"'“‘(") in STOPWORDS | GENERIC
    return (
        first[:1].isupper()
        and not plain
        and (bool(re.search("[’']s$", first)) or (bool(others) and others[0][0].isupper()))
    )


def _kind(name: str, before: str, article: str) -> NameKind:
    parts = name.split()
    if name.isdigit():
        return "year"
    if _TITLED.search(before):
        return "person"
    if _AT.search(before):
        return "place"
    plain = all(p[0].isupper() and p[1:].islower() and p.lower() not in _BODY for p in parts)
    return "person" if plain and not article and len(parts) in (2, 3) else "thing"


def telling(text: str) -> list[str]:
    """Words that tell a subject."""
    return [w for w in words(text) if re.sub("[’'].*", "", w.lower()) not in STOPWORDS | GENERIC]


def phrases(text: str) -> list[str]:
    """Noun phrases of a question, in order, with their articles; verbs are left out by their place."""
    found: list[str] = []
    run: list[re.Match[str]] = []
    for match in (*WORD.finditer(text), None):
        inside = match is not None and match.group().lower() not in _BREAKS
        gap = text[run[-1].end() : match.start()].strip() if run and match else ""
        pair = gap == "and" and len(run) == 1 and bool(_THE.search(text[: run[0].start()]))  # "the damp and mould team"
        if match is not None and match.group().lower() == "and" and len(run) == 1:
            continue
        joined = not run or (match is not None and (not gap or pair))
        if run and not (inside and joined):
            before = text[: run[0].start()]
            subject = re.sub(rf"\b{_ARTICLES}\s+$", "", before, flags=re.I)
            ends = match is None or not joined or match.group().lower() not in ("of", "’s")
            if _VERB_NEXT.search(before):
                run = run[1:]
            elif (_INVERTED.search(subject) and len(run) > 1 and ends and not run[-1].group()[0].isupper()) or (
                len(run) > 1 and re.search("[a-z]ed$", run[-1].group())
            ):
                run = run[:-1]
            if run:
                article = re.search(r"\b(?:the|a|an)\s+$", text[: run[0].start()], re.I)
                start = article.start() if article else run[0].start()
                found.append(text[start : run[-1].end()])
            run = []
        if inside and match is not None:
            run.append(match)
    return found


def topic_of(turns: Sequence[Turn]) -> str:
    """What the latest turn that says so is about: its longest name, else its weightiest noun phrase."""
    for turn in reversed(turns):
        text, _, added = turn.question.rstrip("?. ").partition(" (")
        if added:
            return added.rstrip(")")
        names = [n for n in names_of(text) if n.kind != "year"]
        phrase = noun_phrase(turn)
        if names:
            name = max(names, key=lambda n: len(n.text))
            return (
                f"{phrase} in {name.whole}"
                if name.kind == "place" and phrase and name.text not in phrase
                else name.whole
            )
        if phrase:
            return phrase
    return ""


def noun_phrase(turn: Turn) -> str:
    """The phrase of a turn's question that has most to say, and that the answer takes up."""
    taken_up = {stem(w) for w in words(turn.answer[:MOST_READ])}

    def weight(phrase: str) -> float:
        return sum(1 + (stem(w) in taken_up) for w in telling(phrase)[:3])

    return max(phrases(turn.question), key=weight, default="")
