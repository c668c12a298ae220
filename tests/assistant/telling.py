"""Everything that a caller can be told: what is hidden doesn't show in it, and has no influence on it."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, is_dataclass
from datetime import date
from functools import partial

from assistant.api import Assistant
from assistant.audit.auditor import render_audit
from assistant.records.exporting import FORMATS, export
from assistant.records.gaps import gaps, render_gaps
from assistant.render import render_answer
from assistant.types import Answer, Turn
from corpus.errors import AssistantError
from embeddings.types import Where

AS_OF = date(1903, 4, 2)
"""After some documents, and of none."""
_GIVEN = "∎"
"""Stands for what the caller gave: to say that again tells nothing."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a caller asks with. Of each pair the first exists, hidden from the caller, and the second doesn't."""

    questions: tuple[str, ...]
    ids: tuple[str, str]
    paths: tuple[str, str]
    words: tuple[str, str]
    tags: tuple[str, str]
    days: tuple[date, date]
    groups: tuple[str, str]
    answers: tuple[str, str]
    conversations: tuple[str, str]


def told(value: object) -> str:
    """All that can be read of what a call gave or raised."""
    match value:
        case AssistantError():
            return f"{value!r} {value} {value.__cause__ and told(value.__cause__)}"
        case Answer():
            proof = [] if value.link is None else [value.export_proof()]
            shown = render_answer(value, left_out=True, verbose=True)
            return "\n".join([json.dumps(value.to_dict(), ensure_ascii=False), repr(value), shown, *proof])
        case str() | bytes():
            return value if isinstance(value, str) else value.decode()
        case list() | tuple() | set() | frozenset():
            return "\n".join(map(told, value))
        case dict():
            return json.dumps(value, default=repr, ensure_ascii=False)
    more = value.to_dict() if hasattr(value, "to_dict") else asdict(value) if is_dataclass(value) else None  # type: ignore[call-overload]
    return f"{value!r} {told(more) if more is not None else ''}"


def tried(call: Callable[[], object]) -> object:
    """What it gives, or the error that users see."""
    try:
        return call()
    except AssistantError as error:
        return error


def _audited(desk: Assistant) -> object:
    stale: list[object] = []
    report = desk.audit(on_stale=stale.append)
    return [report, render_audit(report), stale]


# By the name of a public method or property; each call gives what it returns or raises.
CALLS: dict[str, Callable[[Assistant, Asked], object]] = {
    "ask": lambda desk, a: [
        *(tried(lambda q=q: desk.ask(q)) for q in a.questions),
        desk.ask(a.questions[0], anyway=True),
        desk.ask("And what about the others?", [Turn(a.questions[0], "Yes.")]),
        desk.ask(a.questions[0], as_of=AS_OF),
    ],
    "stream": lambda desk, a: list(desk.stream(a.questions[-1])),
    "search": lambda desk, a: [c for q in a.questions for c in desk.search(q, 40)],
    "explain": lambda desk, a: desk.explain(a.questions[0], "the"),
    "documents": lambda desk, a: desk.documents(),
    "document": lambda desk, a: [desk.document(one.id) for one in desk.documents()],
    "document_at": lambda desk, a: [desk.document_at(one.path) for one in desk.documents()],
    "original": lambda desk, a: [desk.original(one.path).name for one in desk.documents()],
    "failures": lambda desk, a: desk.failures(),
    "suggestions": lambda desk, a: desk.suggestions(2),
    "snapshot": lambda desk, a: desk.snapshot,
    "folders": lambda desk, a: desk.folders,
    "history": lambda desk, a: [*map(told, desk.history()), render_gaps(gaps(desk.history())), *gaps(desk.history())],
    "conversations": lambda desk, a: [
        desk.conversations.listed(),
        *(desk.conversations.find(word) for q in a.questions for word in q.split()),
        *(
            export(c.title, desk.conversations.records(c.id), form)
            for c in desk.conversations.listed()
            for form in FORMATS
        ),
        desk.conversations.erase(),
    ],
    "conversation": lambda desk, a: [(d := desk.conversation()).ask(a.questions[0]), d.id, d.turns],
    "feedback": lambda desk, a: [
        [desk.feedback.add(r.answer["id"], "wrong", "said by a caller") for r in desk.history()[-1:]],
        desk.feedback.listed(),
        desk.feedback.cases(),
    ],
    "audit": lambda desk, a: _audited(desk),
    "proof": lambda desk, a: [desk.proof(record.answer["id"]) for record in desk.history()[-8:]],
    "seen_by": lambda desk, a: [desk.seen_by(desk.audience).documents(), desk.seen_by(set()).documents()],
    "audience": lambda desk, a: sorted(desk.audience or ()),
    "bound": lambda desk, a: desk.bound,
    "generator": lambda desk, a: desk.generator,
    "limits": lambda desk, a: desk.limits,
    "ready": lambda desk, a: desk.ready,
    "reranker": lambda desk, a: desk.reranker,
    "settings": lambda desk, a: desk.settings,
    "unkept": lambda desk, a: desk.unkept,
    "use": lambda desk, a: [tried(lambda: desk.use("extractive"))],
    "warm": lambda desk, a: desk.warm(),
    "close": lambda desk, a: desk.close(),
}
UNRESTRICTED = {"build", "open"}
"""Calls of the operator."""

# Calls that name something; they must say the same of what is hidden as of what doesn't exist.
BLIND: dict[str, Callable[[Assistant, Asked, int], tuple[object, object]]] = {
    "document": lambda desk, a, at: (a.ids[at], tried(lambda: desk.document(a.ids[at]))),
    "document_at": lambda desk, a, at: (a.paths[at], tried(lambda: desk.document_at(a.paths[at]))),
    "original": lambda desk, a, at: (a.paths[at], tried(lambda: desk.original(a.paths[at]))),
    "explain path": lambda desk, a, at: (a.paths[at], tried(lambda: desk.explain(a.questions[0], a.paths[at]))),
    "explain words": lambda desk, a, at: (a.words[at], tried(lambda: desk.explain(a.questions[0], a.words[at]))),
    "ask paths": lambda desk, a, at: (a.paths[at], _filtered(desk, a, Where(paths=(a.paths[at],)))),
    "ask tags": lambda desk, a, at: (a.tags[at], _filtered(desk, a, Where(tags=(a.tags[at],)))),
    "ask days": lambda desk, a, at: (a.days[at], _filtered(desk, a, Where(date_from=a.days[at], date_to=a.days[at]))),
    "audience": lambda desk, a, at: (a.groups[at], tried(lambda: desk.ask(a.questions[0], audience={a.groups[at]}))),
    "seen_by": lambda desk, a, at: (a.groups[at], tried(lambda: desk.seen_by({a.groups[at]}))),
    "proof": lambda desk, a, at: (a.answers[at], tried(lambda: desk.proof(a.answers[at]))),
    "feedback": lambda desk, a, at: (a.answers[at], tried(lambda: desk.feedback.add(a.answers[at], "right"))),
    "unjudged": lambda desk, a, at: (a.answers[at], tried(lambda: desk.feedback.remove(a.answers[at]))),
    "history": lambda desk, a, at: (a.conversations[at], desk.history(a.conversations[at])),
    "records": lambda desk, a, at: (a.conversations[at], desk.conversations.records(a.conversations[at])),
    "named": lambda desk, a, at: (a.conversations[at], tried(lambda: desk.conversations.named(a.conversations[at]))),
    "rename": lambda desk, a, at: (
        a.conversations[at],
        tried(lambda: desk.conversations.rename(a.conversations[at], "x")),
    ),
    "delete": lambda desk, a, at: (a.conversations[at], tried(lambda: desk.conversations.delete(a.conversations[at]))),
    "restore": lambda desk, a, at: (
        a.conversations[at],
        tried(lambda: desk.conversations.restore(a.conversations[at])),
    ),
    "find": lambda desk, a, at: (a.words[at], desk.conversations.find(a.words[at])),
}


def _filtered(desk: Assistant, asked: Asked, where: Where) -> object:
    answer = desk.ask(asked.questions[0], where=where, conversation="filtered")
    desk.conversations.delete("filtered")  # it holds what was given
    desk.conversations.erase()
    return [
        stable(answer),
        desk.search(asked.questions[0], where=where),
        desk.documents(where),
    ]


def stable(value: object) -> str:
    """What must be the same for the same visible documents: no timings, and nothing that counts generations."""
    if isinstance(value, Answer):
        values = value.to_dict() | {"timings": None, "id": None}
        values["snapshot"]["generation"] = None
        return json.dumps(values, ensure_ascii=False)
    if isinstance(value, list | tuple):
        return "\n".join(map(stable, value))
    return re.sub(r"\b(generation|since)\b(\W+)\d+", r"\1\2", told(value))


def problems(
    desk: Assistant, asked: Asked, secret: frozenset[str], fronts: Callable[[], list[tuple[str, str, str | None]]]
) -> Iterator[str]:
    """What a restricted desk, or what stands before it, tells though it must not."""
    with listened() as heard:
        for name, call in CALLS.items():
            value = tried(partial(call, desk, asked))
            if isinstance(value, AssistantError):
                yield f"{name} fails: {value}"
            yield from _found(secret, name, told(value))
        for name, blind in BLIND.items():
            (given, value), (other, missing) = blind(desk, asked, 0), blind(desk, asked, 1)
            said = stable(value).replace(f"{given}", _GIVEN), stable(missing).replace(f"{other}", _GIVEN)
            yield from _compared(secret, f"{name} (hidden)", *said)
        for name, hidden, unknown in fronts():
            yield from _compared(secret, name, hidden, unknown)
        yield from _found(secret, "logs", "\n".join(heard))


def _found(secret: frozenset[str], name: str, text: str) -> Iterator[str]:
    lower = text.lower()
    if (sign := next((one for one in secret if one in lower), None)) is not None:
        at = lower.index(sign)
        yield f"{name} tells {sign!r}: …{lower[max(0, at - 80) : at + 60]}…"


def _compared(secret: frozenset[str], name: str, hidden: str, unknown: str | None) -> Iterator[str]:
    yield from _found(secret, name, hidden)
    if unknown is not None and hidden != unknown:
        yield f"{name}: hidden and missing differ: {_difference(hidden, unknown)}"


def _difference(one: str, other: str) -> str:
    at = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    return f"…{one[max(0, at - 60) : at + 60]}… against …{other[max(0, at - 60) : at + 60]}…"


@contextmanager
def listened() -> Iterator[list[str]]:
    """Everything that is logged within the block."""
    heard: list[str] = []

    class Hearing(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            heard.append(f"{record.getMessage()} {vars(record)!r}")

    root, handler = logging.getLogger(), Hearing()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield heard
    finally:
        root.removeHandler(handler)
        root.setLevel(level)


def influences(desk: Assistant, alone: Assistant, questions: Sequence[str]) -> Iterator[str]:
    """Where a restricted desk says another thing than one of an index without what is hidden."""
    calls: dict[str, Callable[[Assistant], object]] = {
        "ask": lambda d: [d.ask(q) for q in questions],
        "anyway": lambda d: [d.ask(q, anyway=True) for q in questions],
        "follow-up": lambda d: d.ask("And what about the others?", [questions[0]]),
        "search": lambda d: [d.search(q, 30) for q in questions],
        "explain": lambda d: [d.explain(q, one.path) for q, one in zip(questions, d.documents(), strict=False)],
        "documents": lambda d: d.documents(),
        "failures": lambda d: d.failures(),
        "suggestions": lambda d: d.suggestions(),
        "snapshot": lambda d: d.snapshot,
    }
    for name, call in calls.items():
        one, other = (stable(tried(partial(call, each))) for each in (desk, alone))
        if one != other:
            yield f"{name}: what is hidden has an influence: {_difference(one, other)}"
