"""The values that an answer is made of. `to_dict` of `Answer` is what `--json` prints."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, Literal, Protocol

from corpus.types import Chunk, Document

if TYPE_CHECKING:
    from assistant.reading import Reading
    from assistant.records.chain import Link
    from embeddings.types import Snapshot  # brings NumPy, which a first screen needn't wait for


def _describe(document: Document) -> dict[str, Any]:
    return {
        "id": document.id,
        "path": document.path,
        "title": document.title,
        "date": document.date.isoformat() if document.date else None,
    }


Verdict = Literal["quoted", "supported", "unsupported", "uncited"]
SHOWN: frozenset[Verdict] = frozenset(("quoted", "supported"))
"""Verdicts of the statements that an answer shows."""
RefusalReason = Literal["nothing_found", "weak_evidence", "unsupported_draft", "out_of_scope", "underspecified"]


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk offered to the generator under a number."""

    number: int
    """From 1, in the order of retrieval."""
    chunk: Chunk
    document: Document
    score: float

    def to_dict(self) -> dict[str, Any]:
        return {
            "number": self.number,
            "document": _describe(self.document),
            "start": self.chunk.start,
            "end": self.chunk.end,
            "text": self.chunk.text,
            "headings": list(self.chunk.headings),
            "page": self.chunk.page,
            "score": round(self.score, 4),
        }


@dataclass(frozen=True, slots=True)
class Citation:
    """An exact span of a document: `document.text[start:end] == quote`."""

    number: int
    """The passage number that the generator wrote."""
    passage: Passage | None
    """None where the generator invented the number; such a citation has an empty span and quote."""
    start: int = 0
    end: int = 0
    quote: str = ""
    page: int | None = None

    def to_dict(self) -> dict[str, Any]:
        return {
            "number": self.number,
            "document": None if self.passage is None else _describe(self.passage.document),
            "start": self.start,
            "end": self.end,
            "quote": self.quote,
            "page": self.page,
        }


@dataclass(frozen=True, slots=True)
class Statement:
    """One sentence of an answer, checked."""

    text: str
    verdict: Verdict
    support: float
    """How far the cited spans support the text, 0 to 1."""
    citations: tuple[Citation, ...] = ()
    reason: str | None = None
    """Why it is left out of the answer; None where it is shown."""

    @property
    def markers(self) -> str:
        """`[1][3]`: the numbers of the offered passages that it cites."""
        return _markers(self.citations)

    @property
    def marked(self) -> str:
        """The text with its markers, as an answer shows it."""
        return f"{self.text} {self.markers}".strip()


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why there is no answer."""

    reason: RefusalReason
    explanation: str
    nearest: tuple[Passage, ...] = ()
    """The passages that came closest, best first."""
    missing: tuple[str, ...] = ()
    """Names and words of the question that no passage holds."""
    searched: int = 0
    """Documents."""
    choices: tuple[str, ...] = ()
    """What an underspecified question may mean, each a question that can be asked instead."""


@dataclass(frozen=True, slots=True)
class ConflictingValue:
    """One of the values that sources give; reprints of one text count once."""

    text: str
    """As its source has it: "£4.2 million"."""
    citations: tuple[Citation, ...]
    date: date | None
    """Of its newest source."""
    newest: bool
    """Whether no other value has a newer source."""

    @property
    def markers(self) -> str:
        """As those of a statement."""
        return _markers(self.citations)

    def to_dict(self) -> dict[str, Any]:
        return {
            "text": self.text,
            "citations": [c.to_dict() for c in self.citations],
            "date": self.date.isoformat() if self.date else None,
            "newest": self.newest,
        }


@dataclass(frozen=True, slots=True)
class Conflict:
    """Sources that say different things about the asked."""

    explanation: str
    citations: tuple[Citation, ...]
    values: tuple[ConflictingValue, ...] = ()
    """Newest first, undated last."""

    def to_dict(self) -> dict[str, Any]:
        return {
            "explanation": self.explanation,
            "citations": [c.to_dict() for c in self.citations],
            "values": [v.to_dict() for v in self.values],
        }


@dataclass(frozen=True, slots=True)
class Turn:
    """What was asked before in a conversation, and what was answered."""

    question: str
    answer: str = ""
    """Shown text; empty where it isn't known."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a model read and wrote for an answer, by cl100k_base; its own tokenizer may count otherwise."""

    read: int
    """Every prompt: instructions, passages, question, and the conversation where it made a question whole."""
    written: int
    """Its draft, sentences that were left out too."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a question got: statements, or a refusal."""

    id: str
    question: str
    standalone_question: str
    """The question as it was searched, made whole from the conversation."""
    statements: tuple[Statement, ...]
    refusal: Refusal | None
    conflicts: tuple[Conflict, ...]
    passages: tuple[Passage, ...]
    generator: str
    snapshot: Snapshot
    timings: dict[str, float] = field(default_factory=dict)
    """Seconds by stage."""
    confidence: float | None = None
    """Calibrated chance, 0 to 1, that the documents hold an answer; None where it wasn't estimated."""
    notes: tuple[str, ...] = ()
    """What a reader should know of how it was made: what was left out, what replaced a failed generator, what is
    superseded."""
    tokens: Tokens | None = None
    """None where no model wrote."""
    newer: tuple[Document, ...] = ()
    """Editions that the notes name as superseding what is cited, without their text."""
    link: Link | None = field(default=None, compare=False, repr=False)
    """Its place in the chain of the history; None where it wasn't kept."""

    @property
    def refused(self) -> bool:
        return self.refusal is not None

    @property
    def shown(self) -> tuple[Statement, ...]:
        """The statements that passed: quoted or supported."""
        return tuple(s for s in self.statements if s.verdict in SHOWN)

    @property
    def left_out(self) -> tuple[Statement, ...]:
        """The statements that didn't pass, each with its reason."""
        return tuple(s for s in self.statements if s.verdict not in SHOWN)

    @property
    def text(self) -> str:
        """The shown statements as prose, each followed by its markers; the explanation of a refusal."""
        if self.refusal is not None:
            return self.refusal.explanation
        return " ".join(s.marked for s in self.shown)

    @property
    def turn(self) -> Turn:
        """As a follow-up remembers it: a refusal answered nothing."""
        return Turn(self.question, "" if self.refused else self.text)

    def export_proof(self) -> str:
        """What `assistant verify-proof` checks without index and history. Raises `UsageError` where it wasn't kept."""
        from assistant.records.proof import (
            proof_of,  # deferred: only who asks for a proof needs it, and it reads answers
        )

        return proof_of(self.link)

    def to_dict(self) -> dict[str, Any]:
        """What `--json` prints: values of JSON only."""
        return {
            "id": self.id,
            "question": self.question,
            "standalone_question": self.standalone_question,
            "text": self.text,
            "refused": self.refused,
            "refusal": None
            if self.refusal is None
            else {
                "reason": self.refusal.reason,
                "explanation": self.refusal.explanation,
                "nearest": [p.to_dict() for p in self.refusal.nearest],
                "missing": list(self.refusal.missing),
                "searched": self.refusal.searched,
                "choices": list(self.refusal.choices),
            },
            "statements": [
                {
                    "text": s.text,
                    "verdict": s.verdict,
                    "support": s.support,
                    "citations": [c.to_dict() for c in s.citations],
                    "reason": s.reason,
                }
                for s in self.statements
            ],
            "conflicts": [c.to_dict() for c in self.conflicts],
            "passages": [p.to_dict() for p in self.passages],
            "generator": self.generator,
            "snapshot": asdict(self.snapshot),
            "timings": self.timings,
            "confidence": self.confidence,
            "notes": list(self.notes),
            "tokens": None if self.tokens is None else asdict(self.tokens),
            "newer": [_describe(d) for d in self.newer],
        }


@dataclass(frozen=True, slots=True)
class Retrieved:
    """The passages are known."""

    standalone_question: str
    passages: tuple[Passage, ...]


@dataclass(frozen=True, slots=True)
class TextDelta:
    """The generator wrote more; unchecked text."""

    text: str


@dataclass(frozen=True, slots=True)
class Verified:
    """A sentence has been checked."""

    statement: Statement


@dataclass(frozen=True, slots=True)
class Finished:
    """The last event."""

    answer: Answer


Event = Retrieved | TextDelta | Verified | Finished


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a generator is given."""

    question: str
    """Standalone."""
    passages: tuple[Passage, ...]
    common: frozenset[str] = frozenset()
    """Names in the question that most documents mention, so that a passage need not repeat them."""
    reading: Reading | None = None
    """The passages' sentences, scored; what `extractive` chooses from."""
    instruction: str | None = None
    """What to do with the passages instead of answering; a generator that writes puts it in the place of its own
    instructions."""


def _markers(citations: Sequence[Citation]) -> str:
    return "".join(f"[{n}]" for n in dict.fromkeys(c.number for c in citations if c.passage is not None))


class TextGenerator(Protocol):
    """Writes a draft with passage numbers as `[n]` after each sentence; never a location."""

    @property
    def name(self) -> str: ...

    def generate(self, prompt: Prompt) -> Iterator[str]: ...

    def close(self) -> None:
        """Stops the model, also while `generate` runs in another thread."""
        ...
