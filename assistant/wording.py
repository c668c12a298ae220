"""A text taken apart for the exact gate: its words, figures, names and clauses, and the words that turn a meaning."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from assistant.figures import Figure, figures_in
from assistant.questions import STOPWORDS, WORD, stem

SENTENCE_END = re.compile(r"[.!?。！？][\"'”’)]*\s+(?=\S)|\n")
_CLAUSE = re.compile(
    r"[.!?;:,\n](?=\s)|\s(?:but|while|whereas|although|though|however|because)\s|\s(?:and|or)\s(?=(?:the|a|an|it|he|she|they|we|its|his|her|their)\s|[A-Z])"
)
NEGATORS = re.compile(
    r"\b(?:not|no|never|none|neither|nor|without|cannot|nobody|nothing|nowhere|hardly|scarcely|unable|except|lack(?:s|ed|ing)?"
    r"|refus\w+|reject\w+|den(?:y|ies|ied|ying|ials?)|fail(?:s|ed|ing|ures?)?|forb[aie]d\w*|prohibit\w*|ban(?:s|ned|ning)?|cancel\w*"
    r"|stop(?:s|ped)?|oppos\w+)\b|n[’']t\b",
    re.I,
)
NOT_NEGATING = re.compile(r"\s+(?:only|more|less|fewer|later|earlier|older|longer|doubt)\b", re.I)
HEDGES = re.compile(
    r"\b(?:may(?!\s+\d)|might|could|perhaps|possibly|reportedly|allegedly|alleged|unless|if|whether|propos\w+|hop(?:es|ed|ing)|plans|planned"
    r"|considering|recommend\w*|likely|unlikely|expected|rumou?r\w*|potential\w*|aims?|intend\w*|would|should)\b"
)
OPPOSITES = tuple(
    tuple(frozenset(stem(w) for w in side.split()) for side in line.split("|"))
    for line in """increase increased increasing rise rose risen rising grew grow grown growth up higher gain gained climb climbed
    expand expanded raised raise surge|decrease decreased decreasing fall fell fallen falling decline declined drop
    dropped down lower reduced reduce reduction cut shrink shrank shrunk loss~ above over exceed exceeding|below
    under beneath~ before prior earlier|after following later~ more greater most larger bigger highest largest
    longer longest maximum most|less fewer fewest least smaller smallest lowest shorter shortest minimum~ open opens
    opened opening reopened|close closes closed closing shut~ start starts started begin begins began beginning
    begun|end ends ended finish finished finishes~ win won wins|lose lost loses~ first|last final~ accept accepted
    accepts approve approved approves agreed agree passed|reject rejected refuse refused rejects dismissed~ include
    included includes including|exclude excluded excludes excluding except~ allow allowed allows permitted
    permit|ban banned prohibited forbidden forbid forbade~ free|paid~ north northern|south southern~ east
    eastern|west western~ male men man boys|female women woman girls~ support supported supports favour for|oppose
    opposed opposes against~ buy bought buys|sell sold sells~ arrive arrived|leave left depart departed~ better best
    improved improve improving|worse worst worsened~ success succeeded successful|failure failed unsuccessful~
    public|private~ urban|rural~ day|night~ morning|evening afternoon~ daily|weekly monthly annually yearly~
    weekly|monthly annually yearly~ monthly|annually yearly~ mandatory compulsory required|optional voluntary~
    permanent|temporary~ internal|external~ old older oldest|new newer newest young younger~ left|right~ inside
    indoor|outside outdoor~ early|late~ appointed hired|dismissed sacked resigned~ employer|employee~
    lender|borrower~ landlord|tenant~ parent|child""".split("~")
)  # fmt: skip
MOVES = OPPOSITES[0]
"""Up and down: a claim's move must stand in the text, whatever else it says."""
_QUANTIFIERS = {
    "all": "all every each everyone everybody everything entire entirely whole always both",
    "none": "none nobody nothing neither no",
    "most": "most mostly majority mainly",
    "only": "only sole solely exclusively alone just",
    "some": "some several many few various certain",
    "unanimous": "unanimous unanimously",
    "half": "half",
    "twice": "twice double doubled doubling",
    "three": "triple tripled trebled",
}
QUANTIFIER_OF = {word: name for name, many in _QUANTIFIERS.items() for word in many.split()}
STRONG = frozenset(("all", "most", "only", "unanimous", "half", "twice", "three"))
"""Quantifiers that a claim may not add; "some" and "none" are looked at as words and as negation."""


@dataclass(frozen=True, slots=True)
class Item:
    """A content word or a figure, with its place."""

    key: object
    start: int
    end: int
    figure: Figure | None = None


class Wording:
    """A text taken apart, once."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.figures = figures_in(text)
        taken = [(f.start, f.end) for f in self.figures]
        self.words = list(WORD.finditer(text))
        self.items = [Item((f.kind, f.value), f.start, f.end, f) for f in self.figures]
        place = 0
        for word in self.words:
            while place < len(taken) and taken[place][1] <= word.start():
                place += 1
            inside = place < len(taken) and taken[place][0] <= word.start()
            if not inside and word.group().lower() not in STOPWORDS:
                for part in {word.group(), *word.group().split("-")}:
                    if part:
                        self.items.append(Item(stem(part), word.start(), word.end()))
        self.items.sort(key=lambda item: item.start)
        self.keys = {item.key for item in self.items}
        self.stems = {stem(p) for w in self.words for p in (w.group(), *w.group().split("-"))}
        self.clauses = list(_clauses(text))
        self.names = {w.start() for run in name_runs(self) for w in run}
        """Where capitalised words begin."""

    def between(self, start: int, end: int) -> list[Item]:
        return [item for item in self.items if start <= item.start < end]


@lru_cache(2048)
def read(text: str) -> Wording:
    return Wording(text)


def bare(word: str) -> str:
    return re.sub(r"[’']s?$", "", word)


def opens(text: str, start: int) -> bool:
    return re.sub(r"[\s\"'“‘(]+$", "", text[:start])[-1:] in ("", ".", "!", "?", ":", "•")


def name_runs(text: Wording) -> Iterator[list[re.Match[str]]]:
    """Runs of capitalised words; a word with a figure in it counts as one."""
    run: list[re.Match[str]] = []
    for match in text.words:
        word = match.group()
        plain = word.lower() in STOPWORDS and word not in ("May", "Will") and not (len(word) > 1 and word.isupper())
        code = (
            any(c.isdigit() for c in word)
            and any(c.isalpha() for c in word)
            and not any(f.start <= match.start() < f.end for f in text.figures)
        )
        capital = (word[0].isupper() and not plain) or code
        if run:
            gap, possessive = text.text[run[-1].end() : match.start()], bare(run[-1].group()) != run[-1].group()
        if run and (not capital or possessive or gap.strip(" .") or opens(text.text, match.start())):
            yield run
            run = []
        if capital:
            run.append(match)
    if run:
        yield run


def _clauses(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for match in _CLAUSE.finditer(text):
        yield start, match.end()
        start = match.end()
    yield start, len(text)
