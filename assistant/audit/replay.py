"""Whether an answer of the past is still given, and still holds."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from assistant.audit.citations import STATES, State, cited_of, reverified, standing
from assistant.config import Settings
from assistant.entailment import Entailment
from assistant.records.history import Record
from assistant.render import wrapped
from assistant.types import SHOWN, Answer, Verdict
from corpus.dating import in_words

if TYPE_CHECKING:
    from assistant.api import Assistant  # which offers `replay`

_INSTALLED = "onnx"
"""Reranker that `auto` stands for where it is installed, and that must not keep a record from being verified."""


@dataclass(frozen=True, slots=True)
class Span:
    """What has become of a citation."""

    number: int
    path: str
    quote: str
    state: State


@dataclass(frozen=True, slots=True)
class Check:
    """A shown statement, verified again with what its spans say now."""

    text: str
    then: Verdict
    now: Verdict
    spans: tuple[Span, ...]

    @property
    def holds(self) -> bool:
        """Whether it would still be shown."""
        return self.now in SHOWN


@dataclass(frozen=True, slots=True)
class Replay:
    """An answer of the past and the present."""

    record: Record
    generation: int
    """Of the index now."""
    checks: tuple[Check, ...]
    again: Answer | None
    """The answer to the same question now; None where it isn't asked again."""
    differences: tuple[str, ...] = ()
    """Fields of `Answer.to_dict`, as far as the record has them, in which `again` differs; id and timings apart."""
    rerankers: tuple[str, str] | None = None
    """Of the answer and of `again`, where they aren't the same."""

    @property
    def generation_then(self) -> int:
        return int(self.record.answer["snapshot"]["generation"])

    @property
    def reproduced(self) -> bool | None:
        """Whether it is given again byte for byte; None where it wasn't asked again."""
        return None if self.again is None else not self.differences

    @property
    def holds(self) -> bool:
        """Whether every shown statement holds and, unless index or reranker has changed, the answer is given again."""
        stable = self.reproduced is not False or self.generation != self.generation_then or self.rerankers is not None
        return stable and all(check.holds for check in self.checks)

    def to_dict(self) -> dict[str, Any]:
        """What `assistant replay --json` prints."""
        return {
            "id": self.record.answer["id"],
            "question": self.record.question,
            "asked": self.record.asked.isoformat(),
            "generator": self.record.answer["generator"],
            "generation": {"then": self.generation_then, "now": self.generation},
            "holds": self.holds,
            "reranker": self.rerankers and dict(zip(("then", "now"), self.rerankers, strict=True)),
            "reproduced": self.reproduced,
            "differences": list(self.differences),
            "statements": [{**asdict(c), "spans": [asdict(s) for s in c.spans], "holds": c.holds} for c in self.checks],
            "again": None if self.again is None else self.again.to_dict(),
        }


def reproducible(record: Record) -> bool:
    """Whether the same answer must come again: it was quoted without a model, and how it was asked is known.

    What `extractive` answered in the place of a generator that failed isn't: that one may have had a part in it.
    """
    wanted = record.context.settings.get("generator") if record.context else None
    return bool(record.answer["generator"] == wanted == "extractive")


def settings_of(record: Record) -> Settings:
    """The settings to open a desk with for `replay`: those of the answer, as far as they are known and needed."""
    if not reproducible(record) or record.context is None:
        return Settings(reranker="none")
    known = {f.name for f in fields(Settings)}
    settings = Settings(**{name: value for name, value in record.context.settings.items() if name in known})
    return replace(settings, reranker="auto") if settings.reranker == _INSTALLED else settings


def replay(desk: Assistant, record: Record, entailment: Entailment) -> Replay:
    """Look up what an answer cited and verify its statements again; ask again what is `reproducible`.

    Args:
        desk: opened with `settings_of(record)`, and with a history of its own, which the second answer goes to.
    """
    again = None
    if record.context is not None and reproducible(record):
        asked = record.context
        again = desk.ask(record.question, asked.history, where=asked.where, as_of=asked.as_of, anyway=asked.anyway)
    checks = tuple(_checked(desk, record, entailment))
    if again is None or record.context is None:
        return Replay(record, desk.snapshot.generation, checks, None)
    differences = _differences(record.answer, json.loads(json.dumps(again.to_dict())))
    ranked = record.context.settings.get("reranker", "auto"), desk.reranker
    rerankers = None if ranked[0] in ("auto", ranked[1]) else ranked
    return Replay(record, desk.snapshot.generation, checks, again, differences, rerankers)


def _differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[str, ...]:
    """The id is a digest of what else is compared, by a formula that isn't the same in every version."""
    return tuple(key for key in then if key not in ("id", "timings") and not _same(then[key], now.get(key)))


def _same(then: Any, now: Any) -> bool:
    """Whether both are equal, apart from keys that an earlier version didn't write."""
    if isinstance(then, dict) and isinstance(now, dict):
        return all(key in now and _same(value, now[key]) for key, value in then.items())
    if isinstance(then, list) and isinstance(now, list):
        return len(then) == len(now) and all(map(_same, then, now))
    return bool(then == now)


def _checked(desk: Assistant, record: Record, entailment: Entailment) -> Iterator[Check]:
    offered = {passage["number"]: passage for passage in record.answer["passages"]}
    for statement in record.answer["statements"]:
        if statement["verdict"] in SHOWN and record.answer["refusal"] is None:
            cited = cited_of(statement)
            found = [standing(desk, c) for c in cited]
            now = reverified(statement, found, offered, entailment).verdict
            spans = tuple(
                Span(c["number"], c["document"]["path"], c["quote"], at.state)
                for c, at in zip(cited, found, strict=True)
            )
            yield Check(statement["text"], statement["verdict"], now, spans)


def render_replay(found: Replay) -> str:
    """What came of it as plain text; no trailing newline."""
    return "\n".join(wrapped(line, indent) for line, indent in _lines(found))


def _lines(found: Replay) -> Iterator[tuple[str, int]]:
    record, answer = found.record, found.record.answer
    asked = record.asked.astimezone()
    yield f"“{record.question}”, asked on {in_words(asked)} at {asked:%H:%M}, answered by {answer['generator']}", 0
    if found.generation != found.generation_then:
        yield f"The index has changed since: generation {found.generation_then} then, {found.generation} now.", 0
    if found.rerankers is not None:
        yield "The reranker was {} then, and is {} now.".format(*found.rerankers), 0
    if found.again is None:
        why = "only an extractive answer comes again as it was" if record.context else "how it was asked was not kept"
        yield f"Not asked again ({why}), but verified again.", 0
        if answer["refused"]:
            yield "It was a refusal: there is nothing to verify.", 0
    elif found.reproduced:
        yield "Asked again: the same answer, byte for byte but for the timings.", 0
    else:
        yield f"Asked again, it differs in {', '.join(found.differences)}.", 0
        same = found.again.text == answer["text"]
        yield "Its text is the same." if same else f"Its text now: {found.again.text}", 0
    yield from _verified(found.checks)


def _verified(checks: Sequence[Check]) -> Iterator[tuple[str, int]]:
    if not checks:
        return
    states = [span.state for check in checks for span in check.spans]
    holding, intact = sum(c.holds for c in checks), states.count("intact")
    yield f"{holding} of {len(checks)} statements hold; {intact} of {len(states)} cited spans still stand.", 0
    for check in checks:
        yield f"{'holds' if check.holds else 'no longer holds'}: {check.text}", 0
        for span in check.spans:
            yield f"[{span.number}] {span.path}: {STATES[span.state]}", 4
