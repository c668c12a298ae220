"""The way from a question to its answer, event by event."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial

from assistant.abstention import NEAREST, refuse
from assistant.citations import DraftParser, bind
from assistant.clarification import asked_back, clarification
from assistant.confidence import Calibration
from assistant.config import Settings
from assistant.conflicts import conflicts
from assistant.dates import as_of_in, without_as_of
from assistant.editions import has_editions, superseded
from assistant.followups import leans_only, standalone
from assistant.instructions import without_instructed
from assistant.prompting import fit, messages
from assistant.questions import Question, analyse
from assistant.reading import Reading
from assistant.records.history import Context
from assistant.retrieval import Retrieval, sought
from assistant.rewriting import rewritten_by
from assistant.secrets import redact
from assistant.smalltalk import small_talk
from assistant.telemetry import Span, current, drafted, label, span
from assistant.types import (
    SHOWN,
    Answer,
    Conflict,
    Event,
    Finished,
    Prompt,
    Refusal,
    Retrieved,
    Statement,
    TextDelta,
    TextGenerator,
    Tokens,
    Verified,
)
from assistant.verification import Entailment, verify
from corpus.chunking import count_tokens
from corpus.errors import AssistantError, UnavailableError
from corpus.sanitizing import sanitize
from corpus.types import Document
from embeddings.types import Embedder, Reranker, Snapshot, Where
from embeddings.view import DocumentSummary, View

ALONE = "This goes on from an earlier question, and there is none. Ask for the thing itself."
STOPPED = "It was stopped before its end."
UNSURE = (
    "The documents may hold an answer, but it isn't as sure as strict answers must be. See the nearest passages, ask "
    "about them anyway, or answer less strictly."
)
ANYWAY = (
    "Asked anyway: only the nearest passages were read, and whether they are likely to hold the answer was not weighed."
)


@dataclass(frozen=True, slots=True)
class Means:
    """What answers are made with."""

    embedder: Embedder
    reranker: Reranker | None
    generator: TextGenerator
    fallback: TextGenerator | None
    """Answers where the generator fails; None where the failure is told instead."""
    entailment: Entailment
    calibration: Calibration
    settings: Settings


class Answering:
    """One question on its way: an iterator of events that any thread may stop."""

    def __init__(self, means: Means, asked: str, context: Context) -> None:
        self.means = means
        self.asked = asked
        self.context = context
        """With the day of "as of" questions once they are read."""
        self.generator = means.generator.name
        """Of the one that wrote."""
        self.error: AssistantError | None = None
        """Why there will be no answer."""
        self.notes: list[str] = []
        self.timings: dict[str, float] = {}
        self.span = Span(context=current())
        """Under which those of its stages stand."""
        self._stopped = threading.Event()
        self._draft: Iterator[str] = iter(())
        self._statements: list[Statement] = []
        self._read: list[str] = []
        """Prompts of a model."""
        self._wrote: list[str] = []
        """What it wrote."""
        self._newer: dict[str, Document] = {}
        """Editions that the notes name, by id."""
        self._clock = time.perf_counter()

    def stop(self) -> None:
        """Stop the generator: what it has written is checked, and the answer ends there."""
        self._stopped.set()
        close(self._draft)

    def check(self) -> None:
        """Raises `error`."""
        if self.error is not None:
            raise self.error

    def events(self, opened: AbstractContextManager[View]) -> Iterator[Event]:
        """The last is `Finished`. Raises what the generator raises where nothing may answer in its place.

        Args:
            opened: entered once, and let go of before a model writes or an event is read: both may take minutes, for
                which a writer could not fold its log into the catalogue.
        """
        reply = ALONE if not self.context.history and leans_only(self.asked) else None
        if (reply := small_talk(self.asked) or reply) is not None:
            with opened as view:
                snapshot = view.snapshot()
            yield Finished(self._answer(snapshot, analyse(self.asked), refusal=Refusal("out_of_scope", reply)))
            return
        whole = self._standalone()
        where = self._where(whole)
        whole = without_as_of(whole)
        with span("retrieve", self.span.context) as seen, opened as view:
            question, found = sought(whole, view, self.means.embedder, self.means.reranker, where)
            listed = view.documents() if any(has_editions(p.document) for p in found.passages) else []
            searched, undated = view.searched(where) if where else (None, 0)
            seen.set(passages=len(found.passages))
        if self.context.as_of is not None and undated:
            count = f"{undated:,} document{'s' if undated > 1 else ''} without a date"
            self.notes.append(f"Only documents up to {self.context.as_of} were searched; {count} could not be.")
        self._lap("retrieve")
        anyway = self.context.anyway
        offered = replace(found, passages=found.passages[:NEAREST]) if anyway else found
        yield Retrieved(question.text, offered.passages)

        with span("read", self.span.context):
            reading = Reading(question, found.passages, found.common, self.means.reranker, self.means.embedder)
            choices = clarification(question, found, reading) if whole == self.asked and not anyway else ()
            weighed = found.passages and not choices
            confidence = self.means.calibration.confidence(question, found, reading) if weighed else None
        if choices:
            unclear = Refusal("underspecified", asked_back(choices), found.passages[:NEAREST], choices=choices)
            yield Finished(self._answer(found.snapshot, question, found, unclear))
            return
        if anyway:
            found, reading = offered, reading.telling(offered.passages)
            self.notes += [ANYWAY] if found.passages else []
        self._lap("read")
        ranked_by = None if self.means.reranker is None else self.means.reranker.name
        least = self.means.calibration.threshold(ranked_by, self.means.settings.strictness)
        if confidence is not None and (anyway or confidence >= least):
            yield from self._written(question, found, reading)
        self._lap("generate")

        refusal: Refusal | None = None
        differing: tuple[Conflict, ...] = ()
        if any(s.verdict in SHOWN for s in self._statements):
            differing = conflicts(question, self._statements, reading)
            self._superseded(listed, found, differing)
        elif self._stopped.is_set():
            refusal = Refusal("unsupported_draft", STOPPED, found.passages[:NEAREST])
        else:
            refusal = refuse(question, found, self._statements, searched=searched)
            calibrated = self.means.calibration.threshold(ranked_by)
            if confidence is not None and not self._statements and calibrated <= confidence < least and not anyway:
                refusal = replace(refusal, explanation=UNSURE)
            elif confidence is not None:  # it would be answered, but for what was asked: no surer than at the threshold
                confidence = min(confidence, calibrated)
        yield Finished(self._answer(found.snapshot, question, found, refusal, differing, confidence))

    def _standalone(self) -> str:
        turns = self.context.history
        whole = None
        if turns and self.means.settings.rewrite and _writes(self.means.generator):
            with span("rewrite", self.span.context, generator=label(self.means.generator.name)):
                whole = rewritten_by(partial(self._begin, self.means.generator), self.asked, turns)
        return whole or standalone(self.asked, turns)

    def _where(self, question: str) -> Where | None:
        """The filter, narrowed to what was there on the day that is asked about."""
        where, day = self.context.where, self.context.as_of or as_of_in(question)
        if day is None:
            return where
        self.context = replace(self.context, as_of=day)
        given = where or Where()
        return replace(given, date_to=min(given.date_to or day, day))

    def _superseded(self, listed: Sequence[DocumentSummary], found: Retrieval, differing: tuple[Conflict, ...]) -> None:
        """Notes each document that is cited, and that a newer edition, of those listed, supersedes."""
        shown = (c for s in self._statements if s.verdict in SHOWN for c in s.citations)
        citations = (*shown, *(c for conflict in differing for c in conflict.citations))
        cited = {c.passage.document.id: c.passage.document for c in citations if c.passage is not None}
        listed = listed if any(has_editions(d) for d in cited.values()) else []
        if (day := self.context.as_of) is not None:  # what came later isn't known yet
            listed = [d for d in listed if d.date is not None and d.date <= day]
        documents = list({p.document.id: p.document for p in found.passages}.values())
        for old, (said, new) in superseded(documents, listed).items():
            if old in cited:
                self.notes.append(said)
                self._newer[new.id] = Document(new.id, new.path, new.title, new.date, None, "")

    def _written(self, question: Question, found: Retrieval, reading: Reading) -> Iterator[Event]:
        """What the generator writes, and each sentence of it once it is checked."""
        try:
            yield from self._drafted(self.means.generator, question, found, reading)
        except AssistantError as error:
            if self.means.fallback is None or self._stopped.is_set():
                raise
            self._statements.clear()
            self.generator = self.means.fallback.name
            why = f": {error}" if self.context.audience is None else "."  # it names addresses and files
            self.notes.append(f"{label(self.means.generator.name)} failed, and {self.generator} answered instead{why}")
            yield from self._drafted(self.means.fallback, question, found, reading)

    def _drafted(
        self, generator: TextGenerator, question: Question, found: Retrieval, reading: Reading
    ) -> Iterator[Event]:
        passages = found.passages
        if _writes(generator):
            passages = fit(passages, self.means.settings.passage_tokens)
            if len(passages) < len(found.passages):
                left = len(found.passages) - len(passages)
                self.notes.append(
                    f"{left} of {len(found.passages)} passages did not fit into {self.means.settings.passage_tokens:,} "
                    "tokens: the model did not read them."
                )
        prompt = Prompt(question.text, passages, found.common, reading)
        draft = self._begin(generator, prompt)
        parser = DraftParser(passages)
        try:
            for delta in drafted(generator.name, self.span.context, _told(generator.name, draft)):
                if self._stopped.is_set():
                    break
                self._wrote += [delta] if _writes(generator) else []
                yield TextDelta(delta)
                yield from self._verified(parser.feed(delta), prompt, draft)
        finally:
            close(draft)
        cut = STOPPED if self._stopped.is_set() else getattr(draft, "cut", None)
        if cut:
            self.notes.append(f"{cut[0].upper()}{cut[1:].rstrip('.')}.")
        yield from self._verified(parser.finish(bool(cut)), prompt, draft)

    def _begin(self, generator: TextGenerator, prompt: Prompt) -> Iterator[str]:
        self._read += messages(prompt) if _writes(generator) else ()
        with _telling(generator.name):
            self._draft = draft = generator.generate(prompt)
        if self._stopped.is_set():  # while it began
            close(draft)
        return draft

    def _verified(
        self, sentences: list[tuple[str, tuple[int, ...]]], prompt: Prompt, draft: Iterator[str]
    ) -> Iterator[Verified]:
        named: dict[tuple[str, int], tuple[int, int]] = getattr(draft, "spans", {})
        for raw, numbers in sentences:
            with span("verify", self.span.context, citations=len(numbers)) as seen:
                text = sanitize(raw)
                cited = [bind(text, n, prompt.passages, self.means.entailment, named.get((raw, n))) for n in numbers]
                statement = without_instructed(verify(text, cited, self.means.entailment), prompt.question)
                seen.set(verdict=statement.verdict)
            self._statements.append(statement)
            yield Verified(statement)

    def _answer(
        self,
        snapshot: Snapshot,
        question: Question,
        found: Retrieval | None = None,
        refusal: Refusal | None = None,
        differing: tuple[Conflict, ...] = (),
        confidence: float | None = None,
    ) -> Answer:
        answer = Answer(
            id="",
            question=self.asked,
            standalone_question=question.text,
            statements=tuple(self._statements),
            refusal=refusal,
            conflicts=differing,
            passages=found.passages if found else (),
            generator=self.generator,
            snapshot=snapshot,
            timings=self.timings,
            confidence=None if confidence is None else round(confidence, 4),
            notes=tuple(dict.fromkeys(self.notes)),
            tokens=self._tokens(),
            newer=tuple(self._newer.values()),
        )
        asked = self.asked, self.context.to_json(), self.generator, snapshot.generation, snapshot.embedder
        key = json.dumps([*asked, _said(answer)]).encode()
        return replace(answer, id=hashlib.sha256(key).hexdigest()[:24])

    def _tokens(self) -> Tokens | None:
        """None without loading a tokenizer where no model was asked."""
        return Tokens(sum(map(count_tokens, self._read)), count_tokens("".join(self._wrote))) if self._read else None

    def _lap(self, stage: str) -> None:
        self.check()
        now = time.perf_counter()
        self.timings[stage], self._clock = round(now - self._clock, 4), now


def _said(answer: Answer) -> list[object]:
    """What an answer says and rests on: an index that was made again counts its generations from the beginning."""
    cited = [(c.number, c.start, c.end) for s in answer.statements for c in s.citations]
    read = [(p.number, p.document.id, p.chunk.start, p.chunk.end) for p in answer.passages]
    return [answer.text, cited, read]


def _told(name: str, draft: Iterator[str]) -> Iterator[str]:
    with _telling(name):
        for delta in draft:  # noqa: UP028 - `yield from` would close it a second time
            yield delta


@contextmanager
def _telling(name: str) -> Iterator[None]:
    """Whatever a generator raises as an error for people, and without keys."""
    try:
        yield
    except AssistantError:
        raise
    except Exception as error:  # a plug-in may raise anything
        raise UnavailableError(redact(f"the generator {name!r} failed with {type(error).__name__}: {error}")) from error


def close(iterator: Iterator[object]) -> None:
    """Closes what can be closed; a Python generator that runs in another thread ends at its next step."""
    closing: Callable[[], object] | None = getattr(iterator, "close", None)
    if closing is not None:
        with suppress(ValueError):  # it is running
            closing()


def _writes(generator: TextGenerator) -> bool:
    return generator.name != "extractive"
