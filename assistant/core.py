"""What an assistant and the narrower ones made of it share: the files, the models, and who uses them now."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Self

from assistant.answering import Means
from assistant.confidence import Calibration
from assistant.config import Settings, Strictness, index_folder
from assistant.entailment import entailment_named
from assistant.generators import generator_named
from assistant.limits import Gate, Limits, Place
from assistant.permissions import Audience, asked_within, deciding
from assistant.records.history import FILE as HISTORY_FILE
from assistant.records.history import Context, History
from assistant.telemetry import Telemetry
from assistant.types import Answer, TextGenerator
from corpus.errors import Closed, UnavailableError, UsageError
from embeddings.embedder import embedder_named
from embeddings.rerank import reranker_named
from embeddings.search import Index
from embeddings.types import Embedder, Reranker
from embeddings.view import View


class Core:
    """Closed once it is told to be and nobody uses it any more; so is each generator that was replaced."""

    def __init__(self, index: Index, means: Means, history: History, limits: Limits) -> None:
        self.index = index
        self.means = means
        self.history = history
        self.gate = Gate(limits)
        self.telemetry = Telemetry()
        self.ready = threading.Event()
        self.unkept = ""
        self._lock = threading.RLock()
        self._closed = False
        self._users: dict[object, TextGenerator] = {}
        """What is being done, and the generator that it may write with."""
        self._replaced: list[TextGenerator] = []

    @classmethod
    def open(
        cls,
        index: str | Path | None,
        settings: Settings | None,
        generator: str | TextGenerator | None,
        embedder: str | Embedder | None,
        reranker: str | Reranker | None,
        history: str | Path | None,
        limits: Limits | None,
    ) -> Self:
        """As `Assistant.open` says."""
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
        kept = History(Path(history or folder / HISTORY_FILE))
        return cls(Index.open(folder, model.fingerprint), means, kept, limits or Limits())

    def begin(self) -> tuple[object, Means]:
        """Until `end` of the first, nothing that is being used is closed. Raises `UsageError` once it is closed."""
        user = object()
        with self._lock:
            self.check()
            self._users[user] = self.means.generator
            return user, self.means

    def end(self, user: object) -> None:
        """Any number of times."""
        with self._lock:
            self._users.pop(user, None)
            in_use = {id(generator) for generator in self._users.values()}
            unused = [generator for generator in self._replaced if id(generator) not in in_use]
            self._replaced = [generator for generator in self._replaced if id(generator) in in_use]
            over = self._closed and not self._users
        for generator in unused:
            generator.close()
        if over:
            self.index.close()
            self.history.close()

    @contextmanager
    def used(self) -> Iterator[Means]:
        user, means = self.begin()
        try:
            yield means
        finally:
            self.end(user)

    @contextmanager
    def view(self, audience: Audience) -> Iterator[View]:
        with self.used(), self.index.view(audience) as view:
            yield view

    @contextmanager
    def reading(self, audience: Audience) -> Iterator[tuple[View, Means]]:
        """A view, and the models, loaded."""
        with self.used() as means:
            self.warm()
            with self.index.view(audience) as view:
                yield view, means

    def audiences(self) -> frozenset[str]:
        """As `Index.audiences`."""
        with self.used():
            return self.index.audiences()

    def kept(self, audience: Audience, conversations: str = "") -> History:
        """The history as far as an audience may see it, and of the conversations whose ids begin so."""
        self.check()
        history = self.history.within(conversations)
        if audience is None:
            return history
        return history.permitted(lambda: deciding(audience, self.view(audience)))

    def asked(self, audience: Audience, conversations: str = "") -> History:
        """The same with what an audience may no longer see of what it was answered: none of it may be shown."""
        history = self.history.within(conversations)
        return history if audience is None else history.permitted(lambda: nullcontext(partial(asked_within, audience)))

    def may_continue(self, conversation: str, audience: Audience) -> None:
        """Raises `UsageError` where anything of the conversation isn't the audience's to see."""
        kept = self.kept(audience)
        hidden = f"SELECT 1 FROM answers WHERE conversation = ? AND NOT {kept.visible('answers.conversation')} LIMIT 1"
        if audience is not None and kept.rows(hidden, (conversation,)):
            raise UsageError(f"the conversation {conversation!r} can't be gone on with here: begin another")

    @property
    def reranker(self) -> str:
        """Its name; `none` without one."""
        return "none" if self.means.reranker is None else self.means.reranker.name

    def check(self) -> None:
        if self._closed:
            raise Closed("the assistant is closed: open it again with `Assistant.open`")

    def close(self) -> None:
        """Answers being written end where they are; the files are let go of after the last of them."""
        with self._lock:
            closed, self._closed = self._closed, True
            generators = [] if closed else [self.means.generator, *self._replaced]
        try:
            for generator in generators:
                generator.close()
        finally:  # a plug-in's may raise anything
            self.end(None)

    def use(self, generator: str | None, strictness: Strictness | None) -> None:
        with self._lock:
            self.check()
            means = self.means
            settings = means.settings if strictness is None else replace(means.settings, strictness=strictness)
            writer = means.generator
            if generator is not None:
                writer = generator_named(generator, settings, means.reranker, means.embedder)
                settings = replace(settings, generator=writer.name)
            self.means = replace(means, generator=writer, settings=settings)
            self._replaced += [] if writer is means.generator else [means.generator]
        self.end(None)

    def warm(self) -> None:
        """Load the models side by side."""
        if self.ready.is_set():
            return
        means = self.means
        with ThreadPoolExecutor(1) as beside:
            ranked = means.reranker and beside.submit(means.reranker.scores, "ready", ["ready"])
            self.index.check(means.embedder)
            if ranked:
                ranked.result()
        self.ready.set()

    def place(self, generator: str) -> Place:
        return Place(self.gate, self.gate.limits.at_once(generator))

    def keep(self, conversation: str, answer: Answer, context: Context, patience: float) -> Answer:
        """Adds to the history; a folder that can't be written still answers."""
        try:
            link = self.history.add(conversation, answer, context, patience)
            self.unkept = ""
        except UnavailableError as error:
            self.unkept = str(error)
            return answer
        return replace(answer, link=link)
