"""The values of an evaluation: what is asked, what was answered, what it scored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Columns = NDArray[np.float64]
"""Shape (cases, k): what one scorer measured on each case to which it applies."""
Weights = NDArray[np.float64]
"""Shape (draws, cases): how often each case counts in each draw; one row of ones for the figure itself."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A place in a source that holds (a part of) the answer."""

    document: str
    """Path or file name."""
    quote: str = ""
    """Verbatim; empty where only the document is known."""
    passage: str | None = None
    """The data set's id of the passage that holds it."""
    start: int | None = None
    """Characters of the document's text; None where they aren't known."""
    end: int | None = None
    exact: bool = False
    """Whether `document` is a path of the index, and no other file of that name is meant."""


@dataclass(frozen=True, slots=True)
class Case:
    """One question with what is known of its answer."""

    id: str
    kind: str
    """By which scores are broken down; may be empty."""
    question: str
    history: tuple[str, ...] = ()
    """Earlier questions, oldest first."""
    answerable: bool | None = None
    """Whether the documents hold an answer; None where the data set doesn't say."""
    facts: tuple[tuple[str, ...], ...] = ()
    """Each inner tuple is one fact; any of its strings will do."""
    evidence: tuple[Evidence, ...] = ()
    references: tuple[str, ...] = ()
    """Answers that people wrote."""
    wrong: tuple[str, ...] = ()
    """Answers that must not be given."""
    marks: tuple[str, ...] = ()
    """What an instruction planted in the documents wants to see in the answer, literally."""
    relevant: tuple[tuple[str, int], ...] = ()
    """Ids of relevant passages with their grades."""
    conversation: str | None = None
    """Cases of one conversation are drawn together."""
    scope: tuple[str, ...] = ()
    """Paths of the only documents that may be searched; empty for all."""
    place: str = field(default="", compare=False)
    """`file:line` that it was read from, for messages."""


@dataclass(frozen=True, slots=True)
class Source:
    """A document that a data set brings along."""

    id: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Dataset:
    """Questions, and the documents they are about where the set has its own."""

    name: str
    digest: str
    """SHA-256 of the files it was read from, shortened to 16 digits."""
    cases: tuple[Case, ...]
    documents: tuple[Source, ...] = ()
    """Indexed as files `<id>.txt`; empty where the user's index holds the documents."""
    task: Literal["answer", "search"] = "answer"
    """Whether its questions are answered, or only searched."""


@dataclass(frozen=True, slots=True)
class Offered:
    """A passage that the answering system had before it."""

    number: int
    """That the answer cites it by."""
    document: str
    """Path, or whatever names the source."""
    text: str
    title: str = ""
    id: str | None = None
    """The data set's id of the passage."""
    start: int | None = None
    """Where `text` stands in the document, in characters; None where it isn't known."""


@dataclass(frozen=True, slots=True)
class Citation:
    """One citation of a sentence."""

    number: int | None
    """As the answer wrote it; None where it names its source otherwise."""
    document: str | None
    """None where the number or source was invented: nothing of that name was offered."""
    quote: str = ""
    """The cited words; empty where a whole passage or document is cited."""
    start: int | None = None
    end: int | None = None
    passage: Offered | None = None
    """What was offered under its number."""
    named: str = ""
    """What an invented citation calls its source."""

    @property
    def text(self) -> str:
        """What it rests on: the quote, else the passage under its title (as ALCE shows passages to its judge)."""
        if self.quote or self.passage is None:
            return self.quote
        return f"Title: {self.passage.title}\n{self.passage.text}" if self.passage.title else self.passage.text


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of an answer with its citations."""

    text: str
    """Without markers."""
    citations: tuple[Citation, ...] = ()
    verdict: str | None = None
    """What the answering system itself said of it; None where it says nothing."""

    @property
    def shown(self) -> bool:
        """Whether the reader of the answer sees it."""
        return self.verdict in (None, "quoted", "supported")


@dataclass(frozen=True, slots=True)
class Response:
    """What any system answered to a case."""

    id: str
    """Of the case."""
    text: str = ""
    refused: bool = False
    sentences: tuple[Sentence, ...] = ()
    """With those that weren't shown."""
    passages: tuple[Offered, ...] = ()
    ranking: tuple[tuple[str, float], ...] | None = None
    """Passage ids with scores, best first, as retrieval gave them; None where they aren't known."""
    confidence: float | None = None
    """In [0, 1], that the question can be answered and is answered rightly; also of a refusal."""
    seconds: float | None = None
    tokens: int | None = None
    """That were generated."""
    error: str | None = None
    """Why there is no answer: the system crashed."""
    place: str = field(default="", compare=False)
    """`file:line` that it was read from, for messages."""

    @property
    def shown(self) -> tuple[Sentence, ...]:
        """The sentences that the reader sees; none of a refusal."""
        return () if self.refused else tuple(s for s in self.sentences if s.shown)

    @property
    def citations(self) -> tuple[Citation, ...]:
        """Of the sentences that the reader sees, in order, as often as they stand there."""
        return tuple(c for s in self.shown for c in s.citations)


@dataclass(frozen=True, slots=True)
class Scorer:
    """A measure under a name that parses back to it."""

    name: str
    columns: Callable[[Case, Response], tuple[float, ...] | None]
    """What it measures on one case, the case's own score first; None where it doesn't apply. Never sees an error."""
    failed: Callable[[Case], tuple[float, ...] | None]
    """The same for a crash, which counts as a failure; None where it wouldn't apply to the case either."""
    aggregate: Callable[[Columns, Weights], NDArray[np.float64]]
    """From all cases to one figure for each draw, shape (draws,); NaN for a draw in which it isn't defined."""
    better: Literal["higher", "lower", "neither"] = "higher"
    applies: Callable[[Case], bool] = lambda _: True
    """Whether it can apply to the case at all, whatever is answered."""
    rate: bool = False
    """Whether it is the share of cases of which something is true."""

    def measure(self, case: Case, response: Response) -> tuple[float, ...] | None:
        """The columns of one case, crash or not."""
        return self.failed(case) if response.error is not None else self.columns(case, response)


@dataclass(frozen=True, slots=True)
class CaseResult:
    """A case, what was answered, and what that scored."""

    case: Case
    response: Response
    scores: dict[str, float | None] = field(default_factory=dict)
    """By scorer that is a mean over cases, as a curve isn't; None where it doesn't apply."""


@dataclass(frozen=True, slots=True)
class Score:
    """One measure over the cases to which it applies."""

    name: str
    value: float | None
    """None where it applies to no case."""
    low: float | None
    """Lower end of the 95 % interval; None where the cases tell nothing of it."""
    high: float | None
    cases: int
    """To which it applies: the denominator."""
    interval: Literal["bootstrap", "wilson"] | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """An evaluated run."""

    dataset: dict[str, Any]
    """Name, digest, number of cases."""
    system: dict[str, Any]
    """What answered: generator, reranker, embedder, generation of the index; or the name of the answers' file."""
    scores: tuple[Score, ...]
    kinds: dict[str, tuple[Score, ...]]
    """The same by kind of question, where there are several."""
    results: tuple[CaseResult, ...]
    """In the order of the data set."""
    thresholds: tuple[dict[str, Any], ...] = ()
    """Each bound that was asked for, with whether it is `met`."""
