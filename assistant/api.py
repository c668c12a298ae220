"""The assistant as a Python object: what the command line, the application and the harness all call."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Sequence, Set
from datetime import date, datetime
from pathlib import Path
from typing import Self

from assistant.audit.auditor import AuditedAnswer, AuditReport, audit
from assistant.audit.watching import Watching
from assistant.config import Settings, Strictness, index_folder
from assistant.core import Core
from assistant.dialogue import Dialogue
from assistant.library import Library
from assistant.limits import Limits
from assistant.permissions import Audience, narrowed
from assistant.records.conversations import Conversations
from assistant.records.feedback import FeedbackLog
from assistant.records.history import Kept, Record
from assistant.streaming import Stream, streamed
from assistant.suggestions import suggestions
from assistant.types import Answer, TextGenerator, Turn
from assistant.validation import check_id, validated
from corpus.errors import UsageError
from corpus.labels import Labeller
from embeddings.build import BuildReport, Progress, build_index
from embeddings.embedder import embedder_named
from embeddings.types import Embedder, Reranker, Where


@validated
class Assistant(Library):
    """Answers questions from one index folder. Safe to use from many threads.

    With an audience it is as if other documents, and what was answered from them, didn't exist; `audience=` of a method
    narrows it for this call. Every method but `close` raises `UsageError` once it is closed.
    """

    def __init__(self, core: Core, audience: Audience = None, *, conversations: str = "", owned: bool = True) -> None:
        """`owned`: whether the generator can be changed here, and whether `close` closes the files."""
        super().__init__(core, audience)
        self._within = conversations
        self._owned = owned
        self._watching: Watching | None = None

    @staticmethod
    def build(
        *folders: str | Path,
        index: str | Path | None = None,
        embedder: str | Embedder = "default",
        replace: bool = False,
        rebuild: bool = False,
        progress: Progress | None = None,
        labels: Labeller | None = None,
    ) -> BuildReport:
        """Index folders, or bring their index up to date. Files that can't be read are in the report's `failures`.

        Args:
            labels: has the last word on tags and audience of each document, over its own and those of `corpus.toml`.

        Raises:
            UsageError: no such folder, or the index holds other folders and `replace` isn't set.
            IndexUnavailable: it can't be written, or was made with another model and `rebuild` isn't set.
        """
        model = embedder_named(embedder) if isinstance(embedder, str) else embedder
        return build_index(
            folders, index_folder(index), model, replace=replace, rebuild=rebuild, progress=progress, labels=labels
        )

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
        audience: Set[str] | None = None,
        on_stale: Callable[[AuditedAnswer], object] | None = None,
        limits: Limits | None = None,
    ) -> Self:
        """Open an index. Loads no model: the first question does, or `warm`.

        Args:
            settings: what holds where the other arguments say nothing; None for the user's own.
            generator: its name, or one; None for that of the settings.
            embedder: None for the one that the index was made with.
            reranker: `settings` for that of the settings, `auto` (what is installed), `none`, a cross-encoder by name,
                or a reranker; None for none.
            history: file of the conversations; None for one in the index folder.
            audience: groups that the callers belong to: only documents for one of them are seen; None for all.
            on_stale: called in a thread, once for each kept answer that no longer holds; it may be slow or raise.
            limits: how many questions are answered and wait at once.

        Raises:
            IndexUnavailable: there is no index, or it was made by another version or model.
            UsageError: a name isn't known.
        """
        core = Core.open(index, settings, generator, embedder, reranker, history, limits)
        try:
            desk = cls(core, narrowed(None, audience, core.audiences))
        except BaseException:
            core.close()
            raise
        if on_stale is not None:
            desk._watching = Watching(desk, core.history, on_stale)
            desk._watching.start()
        return desk

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop the generator, and let go of the files once nothing is being answered; any number of times."""
        if self._watching is not None:
            self._watching.stop()
        if self._owned:
            self._core.close()

    def seen_by(self, audience: Set[str] | None, *, conversations: str = "") -> Assistant:
        """The same assistant for readers of these groups. It shares everything with this one, and closing it does
        nothing.

        Args:
            conversations: of the past it sees only those whose ids begin so, added to what this one's begin with.

        Raises:
            UnknownAudience: no document is for a group of that name, or this assistant isn't.
        """
        within = self._within + conversations
        check_id(f"{within}-", self._within)  # as of the shortest id that begins so
        return Assistant(self._core, self._narrowed(audience), conversations=within, owned=False)

    def warm(self) -> None:
        """Load the models side by side, in seconds; further calls return at once."""
        with self._core.used():
            self._core.warm()

    @property
    def limits(self) -> Limits:
        """How many questions are answered and wait at once."""
        return self._core.gate.limits

    @property
    def ready(self) -> bool:
        """Whether the models are loaded."""
        return self._core.ready.is_set()

    @property
    def unkept(self) -> str:
        """Why the latest answer of all could not be kept; empty where it was. Of one answer, `Answer.link` says it."""
        return self._core.unkept

    @property
    def generator(self) -> str:
        """Name of the generator."""
        return self._core.means.generator.name

    @property
    def settings(self) -> Settings:
        """By which the next question is answered; generator and reranker as they were found."""
        return self._core.means.settings

    def use(self, generator: str | None = None, *, strictness: Strictness | None = None) -> None:
        """Answer from now on with the generator of that name, or this strictly; what is None stays.

        Answers that are being written are written to their end.

        Raises:
            UsageError: either isn't known; both stay as they were. Or this is one that `seen_by` made.
        """
        if not self._owned:
            raise UsageError("the generator is the same for all audiences: change it on the assistant that was opened")
        self._core.use(generator, strictness)

    @property
    def reranker(self) -> str:
        """Name of the reranker; `none` without one."""
        return self._core.reranker

    @property
    def bound(self) -> str:
        """What is promised of the questions that it answers, and by what; of a lenient one that nothing is."""
        return self._core.means.calibration.bound(self.reranker, self.settings.strictness)

    def suggestions(self, limit: int = 4, stop: threading.Event | None = None) -> list[str]:
        """Questions that the documents answer, each tried; the same for the same index, and kept nowhere.

        Args:
            stop: ends the search for more, between two questions.
        """
        with self._core.reading(self._audience) as (view, means):
            return suggestions(view, means, limit, stop or threading.Event())

    @property
    def conversations(self) -> Conversations:
        """What was asked and answered, by conversation."""
        return Conversations(self._core.kept(self._audience, self._within))

    @property
    def feedback(self) -> FeedbackLog:
        """What was said of the answers."""
        return FeedbackLog(self._core.kept(self._audience, self._within))

    def history(self, conversation: str | None = None) -> list[Record]:
        """Questions and answers as they were given, oldest first."""
        return self._core.kept(self._audience, self._within).records(conversation)

    def proof(self, answer: Kept) -> str:
        """What `assistant verify-proof` checks without this index: an answer of the history, and its place in it.

        Args:
            answer: one that was given, or its number in the history; an id means the newest answer with it.

        Raises:
            UsageError: no such answer was kept.
            UnavailableError: it isn't as it was kept, or the history can't be read.
        """
        return self._core.kept(self._audience, self._within).proof(answer)

    def audit(
        self,
        since: datetime | None = None,
        on_stale: Callable[[AuditedAnswer], object] | None = None,
        *,
        audience: Set[str] | None = None,
    ) -> AuditReport:
        """Hold kept answers against the documents of today.

        Args:
            since: with its zone; only answers given since then.
            on_stale: called with each answer that no longer holds.

        Raises:
            UnavailableError: the history can't be read.
        """
        readers = self._narrowed(audience)
        with self._core.reading(readers) as (view, means):
            histories = self._core.kept(readers, self._within), self._core.asked(readers, self._within)
            report = audit(view, means, *histories, since)
        if on_stale is not None:
            for answer in report.stale:
                on_stale(answer)
        return report

    def conversation(self, id: str | None = None, *, audience: Set[str] | None = None) -> Dialogue:
        """Questions that go on from each other, and are kept together.

        Args:
            id: one that was kept is gone on with; any other begins; None for a new one.

        Raises:
            UsageError: it was kept, and isn't this audience's to see.
        """
        return Dialogue(self._core, self._narrowed(audience), self._own(id))

    def ask(
        self,
        question: str,
        history: Sequence[str | Turn] = (),
        *,
        where: Where | None = None,
        as_of: date | None = None,
        conversation: str | None = None,
        anyway: bool = False,
        audience: Set[str] | None = None,
        timeout: float | None = None,
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
            audience: groups of whoever asks; None for those of this assistant.
            timeout: seconds for everything, waiting for its turn too; None for as long as it takes. A plug-in that
                can't be interrupted is waited for.

        Raises:
            UsageError: the question is empty or too long, or the audience isn't known.
            UnavailableError: the generator failed, and the settings allow no other in its place.
            Overloaded: too many questions wait already, or this one has waited too long.
            DeadlineExceeded: the time is over; nothing is kept.
        """
        return self.stream(
            question, history, where=where, as_of=as_of, conversation=conversation, anyway=anyway, audience=audience,
            timeout=timeout,
        ).answer()  # fmt: skip

    def stream(
        self,
        question: str,
        history: Sequence[str | Turn] = (),
        *,
        where: Where | None = None,
        as_of: date | None = None,
        conversation: str | None = None,
        anyway: bool = False,
        audience: Set[str] | None = None,
        timeout: float | None = None,
    ) -> Stream:
        """The same, event by event; the last is `Finished`. `stop()` ends it from any thread."""
        readers = self._narrowed(audience)
        own = self._own(conversation)
        return streamed(self._core, readers, question, history, where, as_of, own, anyway, timeout)

    def _own(self, conversation: str | None) -> str:
        """The id of one that it may go on with; without a name a new one."""
        named = self._within + uuid.uuid4().hex if conversation is None else conversation
        if not named.startswith(self._within):
            raise UsageError(f"the conversation {named!r} can't be gone on with here: begin another")
        check_id(named, self._within)
        return named
