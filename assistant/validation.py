"""What callers give: arguments held against their annotations, and questions made fit to be read."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Callable, Sequence, Set
from datetime import date, datetime
from inspect import Parameter, signature
from pathlib import Path
from types import FunctionType, NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from assistant.config import MOST_QUESTION_CHARACTERS
from assistant.types import Turn
from corpus.errors import UsageError
from corpus.sanitizing import sanitize

C = TypeVar("C", bound=type)
MOST_ID_CHARACTERS = 200
_NO_ID = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""Control characters, ends of lines and halves of characters."""
_WORDS = {
    bool: "True or False",
    date: "a `datetime.date`",
    datetime: "a `datetime.datetime` with its zone",
    int: "a whole number from 1",
    str: "a text",
    tuple: "a tuple of whole numbers",
    Callable: "a function",
    NoneType: "None",
    Path: "a `pathlib.Path`",
    Sequence: "a list of texts or `Turn(question, answer)`",
}


def validated(kind: C) -> C:
    """The class, with public methods that raise `UsageError` for an argument that isn't what it is annotated as."""
    for name, member in list(vars(kind).items()):
        if name.startswith("_"):
            continue
        if isinstance(member, FunctionType):
            setattr(kind, name, _checking(member))
        elif isinstance(member, staticmethod | classmethod):
            setattr(kind, name, type(member)(_checking(member.__func__)))
    return kind


def _checking(method: Callable[..., Any]) -> Callable[..., Any]:
    taken = functools.cache(lambda: (signature(method), get_type_hints(method)))  # once all its names are imported

    @functools.wraps(method)
    def call(*args: Any, **named: Any) -> Any:
        form, kinds = taken()
        for name, value in form.bind(*args, **named).arguments.items():
            several = form.parameters[name].kind is Parameter.VAR_POSITIONAL
            for one in value if several else (value,):
                if name in kinds:
                    _check(name, one, kinds[name])
        return method(*args, **named)

    return call


def _check(name: str, value: Any, annotated: Any) -> None:
    kinds = get_args(annotated) if get_origin(annotated) in (Union, UnionType) else (annotated,)
    if not any(_fits(value, kind) for kind in kinds) or (Path in kinds and "\0" in str(value)):
        *others, last = map(_described, kinds)
        wanted = f"{', '.join(others)} or {last}" if others else last
        raise UsageError(f"{name}={' '.join(repr(value).split())[:100]}: give {wanted}")


def _fits(value: Any, kind: Any) -> bool:
    origin = get_origin(kind) or kind
    if origin in (Set, Literal, float):  # audiences, choices and seconds are checked where they are read
        return True
    if origin is Callable:
        return callable(value)
    if origin is Sequence:
        return isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray)
    if origin is tuple:
        return isinstance(value, tuple) and tuple(map(type, value)) == get_args(kind)
    if origin is int:
        return type(value) is int and 0 < value < 1e9
    if members := _members(kind):
        return not isinstance(value, type) and all(name in dir(value) or hasattr(value, name) for name in members)
    if origin in (date, datetime):
        zone = isinstance(value, datetime) and value.utcoffset() is not None
        return zone if origin is datetime else isinstance(value, date) and not isinstance(value, datetime)
    return isinstance(value, os.PathLike if origin is Path else origin)


def _described(kind: Any) -> str:
    origin = get_origin(kind) or kind
    if members := _members(kind):
        return f"an object with {', '.join(members)}"
    return _WORDS.get(origin) or f"a{'n' * (origin.__name__[0] in 'AEIO')} `{origin.__name__}`"


def _members(kind: Any) -> list[str]:
    """What an object of a protocol has; nothing of other kinds."""
    return [name for name in vars(kind) if name[0] != "_"] if getattr(kind, "_is_protocol", False) else []


def check_id(conversation: str, beginning: str = "") -> None:
    """Raises `UsageError` unless it can name a conversation; of what it must begin with nothing is counted."""
    if not len(beginning) < len(conversation) <= len(beginning) + MOST_ID_CHARACTERS or _NO_ID.search(conversation):
        raise UsageError(
            f"{conversation[:80]!r} can't name a conversation: give 1 to {MOST_ID_CHARACTERS} characters on one line"
        )


def turn_of(earlier: str | Turn) -> Turn:
    """An earlier question, cut to the length of one. Raises `UsageError` for anything else."""
    turn = Turn(earlier) if isinstance(earlier, str) else earlier
    if not isinstance(turn, Turn) or not all(isinstance(text, str) for text in (turn.question, turn.answer)):
        raise UsageError(f"the history holds {earlier!r}: give earlier questions as texts, or `Turn(question, answer)`")
    question, answer = (" ".join(sanitize(t[:MOST_QUESTION_CHARACTERS]).split()) for t in (turn.question, turn.answer))
    return Turn(question, answer)


def checked(question: str) -> str:
    """The question in one line. Raises `UsageError` for an empty or long one."""
    long = len(question) > 10 * MOST_QUESTION_CHARACTERS  # too much to clean, and too much to read
    text = question if long else " ".join(sanitize(question).split())
    if not text:
        raise UsageError("the question is empty: type what you want to know")
    if len(text) > MOST_QUESTION_CHARACTERS:
        raise UsageError(
            f"the question has {len(text):,} characters, at most {MOST_QUESTION_CHARACTERS:,} are read: "
            f"ask for one thing at a time ({sanitize(text[:40])!r}…)"
        )
    return text
