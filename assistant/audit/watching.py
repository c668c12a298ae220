"""Tells of answers that have become stale, as the index changes."""

from __future__ import annotations

import hashlib
import json
import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from assistant.audit.auditor import AuditedAnswer
from assistant.records.history import History
from assistant.telemetry import log

if TYPE_CHECKING:
    from assistant.api import Assistant  # which starts it
    from embeddings.types import Snapshot

_log = logging.getLogger(__name__)
_OVERLAP = timedelta(minutes=1)
"""By which two looks for new answers overlap: one may be kept some time after its moment."""
_PATIENCE = 10.0
"""Seconds that `stop` waits for an audit or a callback to come to its end."""


class Watching:
    """A thread that audits each new generation, and calls back once for each answer that has become stale.

    What was told stands in the history, so that a restart doesn't repeat it; it is told again when the answer's state
    has changed, or the callback raised. Neither that nor an index, history or model that can't be used ends the thread.
    """

    def __init__(
        self, desk: Assistant, history: History, callback: Callable[[AuditedAnswer], object], seconds: float = 5.0
    ) -> None:
        """
        Args:
            history: of all audiences; what was told is kept for each audience of a desk.
            seconds: between two looks at the index.
        """
        self._desk = desk
        self._history = history
        self._callback = callback
        self._seconds = seconds
        self._audience = json.dumps(None if desk.audience is None else sorted(desk.audience))
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watching for stale answers", daemon=True)
        self._snapshot: Snapshot | None = None
        """Of the last audit of all answers."""
        self._until = datetime.min.replace(tzinfo=UTC)
        """Answers that were given before were audited."""
        self._newest: int | None = None
        """Number of the last answer that was audited."""
        self._untold: dict[int, AuditedAnswer] = {}
        """By number."""
        self._trouble = ""

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends it, from any thread, also from the callback."""
        self._stopped.set()
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join(_PATIENCE)

    def look(self) -> None:
        """What the thread does every few seconds. Raises `AssistantError` where index or history can't be read."""
        seen, self._snapshot = self._snapshot, None  # until it is through: where it fails, all is done again
        snapshot, moment = self._desk.snapshot, datetime.now(UTC)
        newest = next(iter(self._history.rows("SELECT max(number) FROM answers")), (None,))[0]
        anew = snapshot != seen
        if anew or newest != self._newest:
            report = self._desk.audit(None if anew else self._until - _OVERLAP)
            told = self._told()
            stale = {answer.number: answer for answer in report.stale}
            for number in told.keys() - stale.keys() if anew else ():  # they hold again, or are no more
                self._history.change("DELETE FROM told WHERE number = ? AND audience = ?", (number, self._audience))
            self._untold = ({} if anew else self._untold) | {
                number: answer for number, answer in stale.items() if told.get(number) != _state(answer)
            }
            self._until, self._newest = moment, newest
        self._snapshot = snapshot
        for number, answer in list(self._untold.items()):
            if self._stopped.is_set():
                return
            if self._tell(answer):
                del self._untold[number]

    def _tell(self, answer: AuditedAnswer) -> bool:
        with self._desk._core.used():  # it may close the desk, and that it was told must be kept
            try:
                self._callback(answer)
            except Exception:  # whatever it is, it is the application's own, which reads it in its log
                _log.exception("the callback for stale answers failed for %r; it is called again", answer.id)
                return False
            self._history.change(
                "INSERT OR REPLACE INTO told (number, audience, state) VALUES (?, ?, ?)",
                (answer.number, self._audience, _state(answer)),
            )
        affected = sum(statement.finding != "supported" for statement in answer.statements)
        log("stale", logging.WARNING, answer=answer.id, conversation=answer.conversation, statements=affected)
        return True

    def _told(self) -> dict[int, str]:
        return dict(self._history.rows("SELECT number, state FROM told WHERE audience = ?", (self._audience,)))

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self.look()
                self._trouble = ""
            except Exception as error:  # a plug-in may raise anything, and be well again the next time
                if not self._stopped.is_set() and str(error) != self._trouble:
                    self._trouble = str(error)
                    said = self._trouble if self._desk.settings.log_text else None  # it names paths
                    log("unaudited", logging.WARNING, error=type(error).__qualname__, message=said)
            self._stopped.wait(self._seconds)


def _state(answer: AuditedAnswer) -> str:
    """The same as long as nothing new is to be told of an answer."""
    found = [
        (s.finding, s.contradiction and s.contradiction.quote, [(c.state, c.path) for c in s.citations])
        for s in answer.statements
    ]
    return hashlib.sha256(json.dumps(found).encode(errors="surrogatepass")).hexdigest()
