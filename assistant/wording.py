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
_ASIDE = re.compile(r"\([^()]*\)")
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


TITLES = frozenset(("mr", "mrs", "ms"))
LIGHT = TITLES | frozenset(
    """accordingly additionally actually already although among amongst around basically besides currently especially
    essentially etc eventually finally frequently furthermore generally hence however including indeed instance instead
    like mainly meanwhile moreover mostly namely nevertheless nonetheless normally notably often otherwise overall
    particular particularly perhaps plus rather similarly simply since sometimes specific specifically therefore though
    thus together typically usually various well whereas whether yes yet according example examples due via upon located
    """.split()
)
"""Words that join or colour what is said and are seldom what it turns on."""
WEAK = frozenset(
    stem(word)
    for word in """able achieve additional aim answer appear apply available base become call certain choose come common
    compare concern consider contain create crucial current depend describe detail different document ensure essential
    example exist explain extra fact feature find follow form general get give go help important include indicate
    individual information involve keep key kind know let look main major make manner mean mention method multiple
    necessary need new number numerous obtain occur offer order part passage people person place play possible previous
    primary process provide purpose put receive recommend refer regard relate remain report require resource result role
    see seem serve set show source state step suggest take term text thing try type use vary want way wish work worth
    """.split()
)
"""Stems of words of general use, with which the same is said another way."""
_IRREGULAR = {
    form: line.split()[0]
    for line in """be been,become became,begin began begun start commence,break broke broken,bring brought,build built,buy bought purchase,catch
    caught,choose chose chosen,come came,cost costs,deal dealt,draw drew drawn,drive drove driven,eat ate eaten,fall fell
    fallen,feel felt,fight fought,find found,fly flew flown,forbid forbade forbidden,get got gotten receive obtain,give gave given,go
    went gone,grow grew grown,hear heard,hold held,keep kept,know knew known,lay laid,lead led,leave left,lend lent,lose
    lost,make made,mean meant,meet met,pay paid,ride rode ridden,rise rose risen,run ran,say said,see saw seen,seek
    sought,sell sold,send sent,shake shook,sing sang sung,sit sat,speak spoke spoken,spend spent,stand stood,steal stole
    stolen,strike struck,swim swam swum,take took taken,teach taught,tell told,think thought,throw threw thrown,understand
    understood,wear wore worn,win won,write wrote written,child children kid,man men,woman women,person people anyone someone individual,help assist,end finish conclude,foot feet,
    life lives,wife wives,leaf leaves,mouse mice,tooth teeth""".replace("\n", " ").split(",")
    for form in line.split()[1:]
}
_BASE = {stem(form): stem(base) for form, base in _IRREGULAR.items()}


def _forms(one: str) -> frozenset[str]:
    """A stem, and that of its infinitive or singular."""
    return frozenset((one, _BASE.get(one, one)))


_WEEKDAY = re.compile(r"\b(?:mon|tues|wednes|thurs|fri|satur|sun)days?\b", re.I)
_FREE = re.compile(r"(?<![\w-])free\b(?![-–]|\s+(?:from|to|of(?!\s+charge)|[a-z]+ing)\b)", re.I)


def _marks(text: str) -> Iterator[Figure]:
    """Days of the week, and "free" as a sum: each belongs to some words of a sentence and not to others."""
    for match in _WEEKDAY.finditer(text):
        yield Figure("day", (match.group().lower().removesuffix("s"),), match.start(), match.end(), match.group())
    for match in _FREE.finditer(text):
        yield Figure("money", ("free",), match.start(), match.end(), match.group())


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
        self.figures = sorted([*figures_in(text), *_marks(text)], key=lambda f: f.start)
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
        self.held = {form for s in self.stems for form in _forms(s)}
        """Stems of every word, irregular forms with their infinitive."""
        places = {i.start for i in self.items if i.figure is None}
        content = dict.fromkeys(w.group().lower() for w in self.words if w.start() in places)
        self.wanted = [_forms(stem(w)) for w in content if w not in LIGHT and stem(w)]
        """Stems of each content word outside figures."""
        self.asides = [match.span() for match in _ASIDE.finditer(text)]
        self.clauses = list(_clauses(text))
        self.names = {w.start() for run in name_runs(self) for w in run}
        """Where capitalised words begin."""

    def aside(self, place: int) -> int | None:
        """Start of the brackets around a place."""
        return next((a for a, b in self.asides if a < place < b), None)

    def missing(self, other: Wording) -> list[frozenset[str]]:
        """Content words that another text lacks."""
        return [forms for forms in self.wanted if not forms & other.held]

    def between(self, start: int, end: int) -> list[Item]:
        return [item for item in self.items if start <= item.start < end]


@lru_cache(2048)
def read(text: str) -> Wording:
    return Wording(text)


def bare(word: str) -> str:
    return re.sub(r"[’']s?$", "", word)


def opens(text: str, start: int) -> bool:
    return text[max(0, start - 20) : start].rstrip(" \n\t\r\xa0\"'“‘(")[-1:] in ("", ".", "!", "?", ":", "•")


def name_runs(text: Wording) -> Iterator[list[re.Match[str]]]:
    """Runs of capitalised words; a word with a figure in it counts as one."""
    run: list[re.Match[str]] = []
    for match in text.words:
        word = match.group()
        plain = (
            word.lower() in (STOPWORDS | LIGHT - TITLES)
            and word not in ("May", "Will")
            and not (len(word) > 1 and word.isupper())
        )
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
