"""OpenAI's chat completions: its messages as a question, and an answer as its message."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from assistant.service.operations import MOST_TURNS
from assistant.service.problems import Problem
from assistant.telemetry import label
from assistant.types import SHOWN, Answer, Citation, ConflictingValue, Turn

MODEL = "passim"
Link = Callable[[Citation], str]
"""Address of what a citation names."""


def question_of(messages: Sequence[Mapping[str, Any]]) -> tuple[str, list[Turn]]:
    """The last user message, and what was said before it. What other roles say asks nothing."""
    said = [(m["role"], _text(m.get("content"))) for m in messages if m["role"] in ("user", "assistant")]
    asked = [number for number, (role, _) in enumerate(said) if role == "user"]
    if not asked:
        raise Problem(422, "no message has the role user: send the question as one", "messages")
    turns: list[Turn] = []
    for role, text in said[: asked[-1]]:
        if role == "user":
            turns.append(Turn(text))
        elif turns:
            turns[-1] = Turn(turns[-1].question, f"{turns[-1].answer} {text}".strip())
    return said[asked[-1]][1], turns[-MOST_TURNS:]


def content(answer: Answer) -> str:
    """The answer's text, and below it all that its reader must know: choices, differing sources, notes."""
    parts = [answer.text]
    if answer.refusal is not None and answer.refusal.choices:
        parts.append("\n".join(f"{number}. {choice}" for number, choice in enumerate(answer.refusal.choices, 1)))
    for conflict in answer.conflicts:
        parts.append("\n".join([conflict.explanation, *map(_value, conflict.values)]))
    parts += [f"Note: {note}" for note in answer.notes]
    return "\n\n".join(parts)


def cited(answer: Answer, link: Link) -> list[dict[str, Any]]:
    """A `url_citation` for each citation of the shown statements; its indices are those of the marker in `content`."""
    made: list[dict[str, Any]] = []
    place = 0
    for statement in answer.shown if answer.refusal is None else ():
        marked = place + len(statement.marked) - len(statement.markers)
        for citation in statement.citations:
            if citation.passage is not None:
                sign = f"[{citation.number}]"
                start = marked + statement.markers.index(sign)
                title = citation.passage.document.title
                where = {"start_index": start, "end_index": start + len(sign), "url": link(citation), "title": title}
                made.append({"type": "url_citation", "url_citation": where})
        place += len(statement.marked) + 1
    return made


@dataclass(frozen=True, slots=True)
class Completion:
    """One completion, whole or as chunks of a stream."""

    id: str
    created: int
    """Unix time."""

    @classmethod
    def begun(cls) -> Completion:
        return cls(f"chatcmpl-{uuid.uuid4().hex}", int(time.time()))

    def whole(self, answer: Answer, link: Link) -> dict[str, Any]:
        message = {
            "role": "assistant",
            "content": content(answer),
            "refusal": None,  # clients take it for a model's policy, and show it in the place of the content
            "annotations": cited(answer, link),
        }
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
        return self._value("chat.completion", [choice], usage=_usage(answer), passim=_own(answer))

    def delta(self, delta: Mapping[str, Any], finish: str | None = None, own: Answer | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        more = {} if own is None else {"passim": _own(own)}
        return event(self._value("chat.completion.chunk", [choice], **more))

    def usage(self, answer: Answer) -> bytes:
        return event(self._value("chat.completion.chunk", [], usage=_usage(answer)))

    def _value(self, kind: str, choices: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
        made = {"id": self.id, "object": kind, "created": self.created, "model": MODEL, "choices": choices}
        return made | more


def event(value: Any) -> bytes:
    """One server-sent event."""
    return f"data: {value if isinstance(value, str) else json.dumps(value)}\n\n".encode()


def model() -> dict[str, Any]:
    return {"id": MODEL, "object": "model", "created": 0, "owned_by": "passim-assistant"}


def told(answer: Answer) -> dict[str, Any]:
    """All of an answer that clients get; where a model's file lies isn't theirs to know."""
    return answer.to_dict() | {"generator": label(answer.generator)}


def _text(content: Any) -> str:
    return content if isinstance(content, str) else "\n".join(part["text"] for part in content or ())


def _value(value: ConflictingValue) -> str:
    return f"- {value.text}{' (newest)' if value.newest else ''} {value.markers}".rstrip()


def _usage(answer: Answer) -> dict[str, int]:
    read, written = (answer.tokens.read, answer.tokens.written) if answer.tokens else (0, 0)
    return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}


def _own(answer: Answer) -> dict[str, Any]:
    """What OpenAI's form has no place for; of what was written only what was found to hold."""
    values = told(answer)
    shown = [statement for statement in values["statements"] if statement["verdict"] in SHOWN]
    names = "id refused refusal conflicts confidence notes generator snapshot".split()
    return {name: values[name] for name in names} | {"statements": shown}
