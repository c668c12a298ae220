"""The assistant as a Python object: what the command line, the application and the harness all call."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self

from assistant.abstention import refuse
from assistant.citations import bind, parse_draft
from assistant.config import MOST_QUESTION_CHARACTERS, Settings, index_folder
from assistant.explanation import explain
from assistant.followups import standalone
from assistant.generators import generator_named
from assistant.history import FILE as HISTORY_FILE
from assistant.history import History, Record
from assistant.questions import Question, analyse
from assistant.reading import Reading
from assistant.retrieval import CANDIDATES, Candidate, Retrieval, candidates, corrected, retrieve
from assistant.types import (
    SHOWN,
    Answer,
    Event,
    Finished,
    Passage,
    Prompt,
    Retrieved,
    Statement,
    TextDelta,
    TextGenerator,
    Verified,
)
from assistant.verification import Entailment, LexicalEntailment, verify
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

    def __init__(
        self,
        index: Index,
        embedder: Embedder,
        reranker: Reranker | None,
        generator: TextGenerator,
        history: History,
        entailment: Entailment | None = None,
    ) -> None:
        self._index = index
        self._embedder = embedder
        self._reranker = reranker
        self._generator = generator
        self._history = history
        self._entailment: Entailment = entailment or LexicalEntailment()
        self._ready = threading.Event()

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
        kept = History(Path(history or folder / HISTORY_FILE))
        return cls(Index.open(folder, model.fingerprint), model, ranker, writer, kept)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop the generator and let go of the files. The object can't be used afterwards."""
        self._generator.close()
        self._index.close()
        self._history.close()

    def warm(self) -> None:
        """Load the models side by side, in seconds; further calls return at once."""
        if self.ready:
            return
        with ThreadPoolExecutor(1) as beside:
            ranked = self._reranker and beside.submit(self._reranker.scores, "ready", ["ready"])
            self._index.check(self._embedder)
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
        return self._generator.name

    @property
    def reranker(self) -> str:
        """Name of the reranker; `none` without one."""
        return "none" if self._reranker is None else self._reranker.name

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
            found = candidates(text, view, self._embedder, self._reranker, where, max(limit, CANDIDATES))
        return found[:limit]

    def explain(self, question: str, sought: str, where: Where | None = None) -> str:
        """Why a passage, known by its document's path or by its words, was or wasn't returned."""
        text = _checked(question)
        self.warm()
        with self._index.view() as view:
            return explain(text, sought, view, self._embedder, self._reranker, where)

    def documents(self) -> list[DocumentSummary]:
        """What is indexed, by path."""
        return self._index.documents()

    def failures(self) -> list[ReadFailure]:
        """Files that could not be read, with the reasons."""
        return self._index.failures()

    def document(self, document_id: str) -> Document:
        """One document. Raises `UsageError` for an id that the index doesn't hold."""
        return self._index.document(document_id)

    def history(self, conversation: str | None = None) -> list[Record]:
        """Questions and answers as they were given, oldest first."""
        return self._history.records(conversation)

    def ask(
        self,
        question: str,
        history: Sequence[str] = (),
        *,
        where: Where | None = None,
        conversation: str | None = None,
    ) -> Answer:
        """Answer one question.

        Args:
            history: earlier questions of the conversation, oldest first, so that follow-ups are understood.
            where: the only documents that passages are taken from.
            conversation: id under which the answer is kept; None for one of its own.

        Raises:
            UsageError: the question is empty or too long.
        """
        for event in self.stream(question, history, where=where, conversation=conversation):
            if isinstance(event, Finished):
                return event.answer
        raise AssertionError("a stream ends with Finished")

    def stream(
        self,
        question: str,
        history: Sequence[str] = (),
        *,
        where: Where | None = None,
        conversation: str | None = None,
    ) -> Iterator[Event]:
        """The same, event by event; the last is `Finished`. Closing the iterator stops the generator."""
        asked = _checked(question)
        earlier = tuple(" ".join(sanitize(h[:MOST_QUESTION_CHARACTERS]).split()) for h in history)
        return self._events(asked, earlier, where, conversation)

    def _events(
        self, asked: str, history: tuple[str, ...], where: Where | None, conversation: str | None
    ) -> Iterator[Event]:
        self.warm()
        timings: dict[str, float] = {}
        clock = time.perf_counter()
        whole = standalone(asked, history)
        question = analyse(whole)
        with self._index.view() as view:
            found = retrieve(question, view, self._embedder, self._reranker, where)
            if (mended := corrected(whole, found.passages, view)) != whole:
                whole, question = mended, analyse(mended)
                found = retrieve(question, view, self._embedder, self._reranker, where)
        timings["retrieve"], clock = _lap(clock)
        yield Retrieved(whole, found.passages)

        statements: list[Statement] = []
        unfinished = ""
        reading = Reading(question, found.passages, found.common, self._reranker, self._embedder)
        prompt = Prompt(whole, found.passages, found.common, reading)
        drafting = self._generator.generate(prompt) if found.passages else iter(())
        with contextlib.closing(_Closing(drafting)) as draft:
            for delta in draft:
                yield TextDelta(delta)
                # A line is checked once the next has begun: numbers alone on it belong to this one.
                *lines, unfinished = re.split(r"\n(?=\s*[^\s\[])", unfinished + delta)
                checked = tuple(self._checked_sentences("\n".join(lines), found.passages))
                for statement in checked:
                    statements.append(statement)
                    yield Verified(statement)
                if not checked:  # numbers that no sentence has yet
                    unfinished = "\n".join([*lines, unfinished])
        for statement in self._checked_sentences(unfinished, found.passages):
            statements.append(statement)
            yield Verified(statement)
        timings["generate"], clock = _lap(clock)

        answer = self._compose(asked, question, (history, where), tuple(statements), found, timings)
        with contextlib.suppress(UnavailableError):  # a folder that can't be written still answers
            self._history.add(conversation or uuid.uuid4().hex, answer)
        yield Finished(answer)

    def _checked_sentences(self, draft: str, passages: tuple[Passage, ...]) -> Iterator[Statement]:
        for text, numbers in parse_draft(sanitize(draft), passages):
            cited = tuple(bind(text, n, passages, self._entailment) for n in numbers)
            yield verify(text, cited, self._entailment)

    def _compose(
        self,
        asked: str,
        question: Question,
        context: tuple[tuple[str, ...], Where | None],
        statements: tuple[Statement, ...],
        found: Retrieval,
        timings: dict[str, float],
    ) -> Answer:
        passed = any(s.verdict in SHOWN for s in statements)
        history, where = context
        key = json.dumps([asked, history, self._generator.name, found.snapshot.generation, found.snapshot.embedder])
        if where is not None:
            key += repr(where)
        return Answer(
            id=hashlib.sha256(key.encode()).hexdigest()[:24],
            question=asked,
            standalone_question=question.text,
            statements=statements,
            refusal=None if passed else refuse(question, found, drafted=bool(statements)),
            conflicts=(),
            passages=found.passages,
            generator=self._generator.name,
            snapshot=found.snapshot,
            timings={stage: round(seconds, 4) for stage, seconds in timings.items()},
        )


class _Closing:
    """A generator's iterator, closed with the stream where it can be."""

    def __init__(self, iterator: Iterator[str]) -> None:
        self._iterator = iterator

    def __iter__(self) -> Iterator[str]:
        return self._iterator

    def close(self) -> None:
        if (close := getattr(self._iterator, "close", None)) is not None:
            close()


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


def _lap(since: float) -> tuple[float, float]:
    now = time.perf_counter()
    return now - since, now
