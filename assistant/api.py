"""The assistant as a Python object: what the command line, the application and the harness all call."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from typing import Self

from assistant.answering import Answering, Means, Stream
from assistant.confidence import Calibration
from assistant.config import MOST_QUESTION_CHARACTERS, Settings, Strictness, index_folder
from assistant.conversations import Conversations
from assistant.entailment import entailment_named
from assistant.explanation import explain
from assistant.feedback import FeedbackLog
from assistant.generators import generator_named
from assistant.history import FILE as HISTORY_FILE
from assistant.history import Context, History, Record
from assistant.originals import original
from assistant.retrieval import CANDIDATES, Candidate, candidates
from assistant.suggestions import suggestions
from assistant.types import Answer, Event, Finished, TextGenerator, Turn
from corpus.errors import UnavailableError, UsageError
from corpus.sanitizing import sanitize
from corpus.types import Document, ReadFailure
from embeddings.build import BuildReport, Progress, build_index
from embeddings.embedder import embedder_named
from embeddings.rerank import reranker_named
from embeddings.search import Index
from embeddings.types import Embedder, Reranker, Snapshot, Where
from embeddings.view import DocumentSummary


class Assistant:
    """Answers questions from one index folder. Safe to use from many threads."""

    def __init__(self, index: Index, means: Means, history: History) -> None:
        self._index = index
        self._means = means
        self._history = history
        self._ready = threading.Event()
        self.unkept = ""
        """Why the last answer could not be kept; empty where it was."""

    @staticmethod
    def build(
        *folders: str | Path,
        index: str | Path | None = None,
        embedder: str | Embedder = "default",
        replace: bool = False,
        rebuild: bool = False,
        progress: Progress | None = None,
    ) -> BuildReport:
        """Index folders, or bring their index up to date. Files that can't be read are in the report's `failures`.

        Raises:
            UsageError: no such folder, or the index holds other folders and `replace` isn't set.
            IndexUnavailable: it can't be written, or was made with another model and `rebuild` isn't set.
        """
        model = embedder_named(embedder) if isinstance(embedder, str) else embedder
        return build_index(folders, index_folder(index), model, replace=replace, rebuild=rebuild, progress=progress)

    @classmethod
    def open(
        cls,
        index: str | Path | None = None,
        *,
        settings: Settings | None = None,
        generator: str | TextGenerator | None = None,
        embedder: str | Embedder | None = None,
        reranker: str | Reranker | None = "settings",
        history: str | Path | None = None,
    ) -> Self:
        """Open an index. Loads no model: the first question does, or `warm`.

        Args:
            settings: what holds where the other arguments say nothing; None for the user's own.
            generator: its name, or one; None for that of the settings.
            embedder: None for the one that the index was made with.
            reranker: `settings` for that of the settings, `auto` (what is installed), `none`, a cross-encoder by name,
                or a reranker; None for none.
            history: file of the conversations; None for one in the index folder.

        Raises:
            IndexUnavailable: there is no index, or it was made by another version or model.
            UsageError: a name isn't known.
        """
        settings = settings or Settings.read()
        folder = index_folder(index)
        with Index.open(folder) as found:
            recorded = found.about()["embedder_name"]
        model = embedder_named(embedder or recorded) if embedder is None or isinstance(embedder, str) else embedder
        if reranker == "settings":
            reranker = settings.reranker
        ranker = reranker_named(reranker) if isinstance(reranker, str) else reranker
        named = settings.generator if generator is None else generator
        writer = generator_named(named, settings, ranker, model) if isinstance(named, str) else named
        asked = reranker if isinstance(reranker, str) else "none" if ranker is None else ranker.name
        settings = replace(settings, generator=writer.name, reranker=asked)
        fallback = generator_named("extractive", settings, ranker, model) if settings.fallback else None
        checked_by = entailment_named(settings.entailment)
        calibration = Calibration.read(settings.calibration)
        means = Means(model, ranker, writer, fallback, checked_by, calibration, settings)
        return cls(Index.open(folder, model.fingerprint), means, History(Path(history or folder / HISTORY_FILE)))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop the generator and let go of the files. The object can't be used afterwards."""
        self._means.generator.close()
        self._index.close()
        self._history.close()

    def warm(self) -> None:
        """Load the models side by side, in seconds; further calls return at once."""
        if self.ready:
            return
        with ThreadPoolExecutor(1) as beside:
            reranker = self._means.reranker
            ranked = reranker and beside.submit(reranker.scores, "ready", ["ready"])
            self._index.check(self._means.embedder)
            if ranked:
                ranked.result()
        self._ready.set()

    @property
    def ready(self) -> bool:
        """Whether the models are loaded."""
        return self._ready.is_set()

    @property
    def generator(self) -> str:
        """Name of the generator."""
        return self._means.generator.name

    @property
    def settings(self) -> Settings:
        """By which the next question is answered; generator and reranker as they were found."""
        return self._means.settings

    def use(self, generator: str | None = None, *, strictness: Strictness | None = None) -> None:
        """Answer from now on with the generator of that name, or this strictly; what is None stays.

        Raises:
            UsageError: either isn't known; both stay as they were.
        """
        means = self._means
        settings = means.settings if strictness is None else replace(means.settings, strictness=strictness)
        writer = means.generator
        if generator is not None:
            writer = generator_named(generator, settings, means.reranker, means.embedder)
            settings = replace(settings, generator=writer.name)
        self._means = replace(means, generator=writer, settings=settings)
        if writer is not means.generator:
            means.generator.close()

    @property
    def reranker(self) -> str:
        """Name of the reranker; `none` without one."""
        return "none" if self._means.reranker is None else self._means.reranker.name

    @property
    def bound(self) -> str:
        """What is promised of the questions that it answers, and by what; of a lenient one that nothing is."""
        return self._means.calibration.bound(self.reranker, self.settings.strictness)

    @property
    def folders(self) -> tuple[Path, ...]:
        """The indexed folders."""
        return tuple(map(Path, json.loads(self._index.about()["folders"])))

    @property
    def snapshot(self) -> Snapshot:
        """The generation that the next question will see."""
        return self._index.snapshot()

    def search(self, question: str, limit: int = 10, where: Where | None = None) -> list[Candidate]:
        """The passages nearest to a question, best first, and what each retriever gave; nothing is generated.

        Raises:
            UsageError: the question is empty or too long, or no passage is asked for.
        """
        text = _checked(question)
        if limit < 1:
            raise UsageError(f"{limit!r} passages are asked for: give 1 or more")
        self.warm()
        with self._index.view() as view:
            found = candidates(text, view, self._means.embedder, self._means.reranker, where, max(limit, CANDIDATES))
        return found[:limit]

    def explain(self, question: str, sought: str, where: Where | None = None) -> str:
        """Why a passage, known by its document's path or by its words, was or wasn't returned."""
        text = _checked(question)
        self.warm()
        with self._index.view() as view:
            return explain(text, sought, view, self._means.embedder, self._means.reranker, where)

    def documents(self) -> list[DocumentSummary]:
        """What is indexed, by path."""
        return self._index.documents()

    def failures(self) -> list[ReadFailure]:
        """Files that could not be read, with the reasons."""
        return self._index.failures()

    def document(self, document_id: str) -> Document:
        """One document. Raises `UsageError` for an id that the index doesn't hold."""
        return self._index.document(document_id)

    def document_at(self, path: str) -> Document | None:
        """What lies at a path in the index now; None where nothing does."""
        return self._index.document_at(path)

    def original(self, path: str) -> Path:
        """The file of a document, given by its path in the index.

        Raises:
            UsageError: it isn't there, or doesn't lie in its folder.
        """
        return original(path, self.folders)

    def suggestions(self, limit: int = 4, stop: threading.Event | None = None) -> list[str]:
        """Questions that the documents answer, each tried; the same for the same index, and kept nowhere.

        Args:
            stop: ends the search for more, between two questions.
        """
        self.warm()
        with self._index.view() as view:
            return suggestions(view, self._means, limit, stop or threading.Event())

    @property
    def conversations(self) -> Conversations:
        """What was asked and answered, by conversation."""
        return Conversations(self._history)

    @property
    def feedback(self) -> FeedbackLog:
        """What was said of the answers."""
        return FeedbackLog(self._history)

    def history(self, conversation: str | None = None) -> list[Record]:
        """Questions and answers as they were given, oldest first."""
        return self._history.records(conversation)

    def ask(
        self,
        question: str,
        history: Sequence[str | Turn] = (),
        *,
        where: Where | None = None,
        as_of: date | None = None,
        conversation: str | None = None,
        anyway: bool = False,
    ) -> Answer:
        """Answer one question.

        Args:
            history: the conversation before it, oldest first, so that follow-ups are understood: what was asked, or
                with what was answered.
            where: the only documents that passages are taken from.
            as_of: nothing that is dated later, or not dated, is read; None for the day that the question names, if any.
            conversation: id under which the answer is kept; None for one of its own.
            anyway: answer from the nearest passages, those that a refusal shows, however low the confidence; every
                sentence is verified as always.

        Raises:
            UsageError: the question is empty or too long.
            UnavailableError: the generator failed, and the settings allow no other in its place.
        """
        asked = self.stream(question, history, where=where, as_of=as_of, conversation=conversation, anyway=anyway)
        for event in asked:
            if isinstance(event, Finished):
                return event.answer
        raise AssertionError("a stream ends with Finished")

    def stream(
        self,
        question: str,
        history: Sequence[str | Turn] = (),
        *,
        where: Where | None = None,
        as_of: date | None = None,
        conversation: str | None = None,
        anyway: bool = False,
    ) -> Stream:
        """The same, event by event; the last is `Finished`. `stop()` ends it from any thread."""
        asked = _checked(question)
        turns = tuple(_turn(earlier) for earlier in history)
        made_with = asdict(self._means.settings) | {"reranker": self.reranker}  # by its own name, not `auto`
        answering = Answering(self._means, asked, Context(turns, where, as_of, made_with, anyway))
        return Stream(answering, self._events(answering, conversation or uuid.uuid4().hex))

    def _events(self, answering: Answering, conversation: str) -> Iterator[Event]:
        self.warm()
        with self._index.view() as view:
            for event in answering.events(view):
                if isinstance(event, Finished):
                    self._keep(conversation, event.answer, answering.context)
                yield event

    def _keep(self, conversation: str, answer: Answer, context: Context) -> None:
        """Adds to the history; a folder that can't be written still answers."""
        try:
            self._history.add(conversation, answer, context)
            self.unkept = ""
        except UnavailableError as error:
            self.unkept = str(error)


def _turn(earlier: str | Turn) -> Turn:
    turn = Turn(earlier) if isinstance(earlier, str) else earlier
    if not isinstance(turn, Turn):
        raise UsageError(f"the history holds {earlier!r}: give earlier questions as texts, or `Turn(question, answer)`")
    question, answer = (" ".join(sanitize(t[:MOST_QUESTION_CHARACTERS]).split()) for t in (turn.question, turn.answer))
    return Turn(question, answer)


def _checked(question: str) -> str:
    text = " ".join(sanitize(question).split())
    if not text:
        raise UsageError("the question is empty: type what you want to know")
    if len(text) > MOST_QUESTION_CHARACTERS:
        raise UsageError(
            f"the question has {len(text):,} characters, at most {MOST_QUESTION_CHARACTERS:,} are read: "
            f"ask for one thing at a time ({text[:40]!r}…)"
        )
    return text
