"""Wrong arguments: one clear error each, in threads, in an event loop and in a conversation alike."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from types import FunctionType
from typing import Any, get_type_hints

import pytest

from assistant import Assistant, AsyncAssistant, Dialogue, Turn, UsageError, Where
from assistant.library import Library
from assistant.records.conversations import Conversations
from assistant.records.feedback import FeedbackLog

Q = "What does entry to the museum cost?"
ASKED: list[tuple[dict[str, Any], str]] = [
    ({"question": 5}, "question=5: give a text"),
    ({"question": None}, "question=None: give a text"),
    ({"question": b"cost"}, "question=b'cost': give a text"),
    ({"as_of": "2024-01-01"}, "as_of='2024-01-01': give a `datetime.date` or None"),
    ({"as_of": datetime(2024, 1, 1, tzinfo=UTC)}, "give a `datetime.date` or None"),
    ({"where": {"paths": ["*.md"]}}, "where={'paths': ['*.md']}: give a `Where` or None"),
    ({"anyway": 1}, "anyway=1: give True or False"),
    ({"timeout": "3"}, "timeout='3': give a number of seconds above 0, or None"),
]
"""Of a desk and of a conversation."""
CALLS: list[tuple[str, dict[str, Any], str]] = [
    *(("ask", {"question": Q} | wrong, message) for wrong, message in ASKED),
    ("ask", {"question": Q, "conversation": 5}, "conversation=5: give a text or None"),
    ("ask", {"question": Q, "conversation": ""}, "'' can't name a conversation: give 1 to 200 characters on one line"),
    ("ask", {"question": Q, "conversation": "x" * 201}, "x' can't name a conversation"),
    ("ask", {"question": Q, "history": Q}, f"history={Q!r}: give a list of texts or `Turn(question, answer)`"),
    ("ask", {"question": Q, "history": {Q}}, "give a list of texts or `Turn(question, answer)`"),
    ("ask", {"question": Q, "history": [5]}, "the history holds 5: give earlier questions as texts"),
    ("ask", {"question": Q, "history": [Turn(Q, 5)]}, "answer=5): give earlier questions as texts"),  # type: ignore[arg-type]
    ("ask", {"question": Q, "audience": "public"}, "the audience 'public' is no set of names"),
    ("conversation", {"id": 5}, "id=5: give a text or None"),
    ("conversation", {"id": "a\nb"}, r"'a\nb' can't name a conversation"),
    ("seen_by", {"audience": "public"}, "the audience 'public' is no set of names"),
    ("seen_by", {"audience": None, "conversations": "a\0"}, r"can't name a conversation"),
    ("search", {"question": Q, "limit": "3"}, "limit='3': give a whole number from 1"),
    ("search", {"question": Q, "limit": True}, "limit=True: give a whole number from 1"),
    ("search", {"question": Q, "limit": 0}, "limit=0: give a whole number from 1"),
    ("suggestions", {"limit": 2.5}, "limit=2.5: give a whole number from 1"),
    ("audit", {"since": date(2024, 1, 1)}, "give a `datetime.datetime` with its zone or None"),
    ("audit", {"since": datetime(2024, 1, 1)}, "since=datetime.datetime(2024, 1, 1, 0, 0): give"),
    ("audit", {"on_stale": "mail"}, "on_stale='mail': give a function or None"),
    ("document", {"document_id": 5}, "document_id=5: give a text"),
    ("document_at", {"path": 5}, "path=5: give a text"),
    ("original", {"path": Path("mill.md")}, "mill.md'): give a text"),
    ("explain", {"question": Q, "sought": None}, "sought=None: give a text"),
    ("documents", {"where": "*.md"}, "where='*.md': give a `Where` or None"),
    ("history", {"conversation": 5}, "conversation=5: give a text or None"),
    ("use", {"generator": 5}, "generator=5: give a text or None"),
]
OPENED: list[tuple[dict[str, Any], str]] = [
    ({"index": 7}, "index=7: give a text, a `pathlib.Path` or None"),
    ({"index": "a\0b"}, r"index='a\x00b': give a text, a `pathlib.Path` or None"),
    ({"settings": {"strictness": "strict"}}, "give a `Settings` or None"),
    ({"generator": 5}, "generator=5: give a text, an object with name, generate, close or None"),
    ({"embedder": Assistant}, "give a text, an object with name, fingerprint, dimension, max_tokens, embed_passages"),
    ({"reranker": 5}, "reranker=5: give a text, an object with name, scores or None"),
    ({"history": 5}, "history=5: give a text, a `pathlib.Path` or None"),
    ({"limits": 5}, "limits=5: give a `Limits` or None"),
    ({"on_stale": "mail"}, "on_stale='mail': give a function or None"),
]


def check_refused(message: str, *calls: Callable[[], object]) -> None:
    for call in calls:
        with pytest.raises(UsageError) as raised:
            call()
        assert message in str(raised.value) and "\n" not in str(raised.value)


@pytest.mark.parametrize(("method", "arguments", "message"), CALLS)
def test_a_wrong_argument_is_one_clear_error(
    desk: Assistant, method: str, arguments: dict[str, Any], message: str
) -> None:
    async def awaited() -> object:
        return await getattr(AsyncAssistant(desk), method)(**arguments)

    check_refused(message, lambda: getattr(desk, method)(**arguments), lambda: asyncio.run(awaited()))


@pytest.mark.parametrize(("arguments", "message"), ASKED)
def test_so_is_one_in_a_conversation(desk: Assistant, arguments: dict[str, Any], message: str) -> None:
    given: dict[str, Any] = {"question": Q} | arguments

    async def awaited() -> object:
        return await (await AsyncAssistant(desk).conversation()).ask(**given)

    check_refused(message, lambda: desk.conversation().stream(**given), lambda: asyncio.run(awaited()))


@pytest.mark.parametrize(("arguments", "message"), OPENED)
def test_so_is_one_on_opening(museum: Path, arguments: dict[str, Any], message: str) -> None:
    given: dict[str, Any] = {
        "index": museum,
        "embedder": "hashing",
        "reranker": None,
        "history": ":memory:",
    } | arguments

    async def awaited() -> AsyncAssistant:
        return await AsyncAssistant.open(**given)

    check_refused(message, lambda: Assistant.open(**given), lambda: asyncio.run(awaited()))


@pytest.mark.parametrize(
    ("folder", "arguments", "message"),
    [
        ([Path("documents")], {}, "folders=[PosixPath('documents')]: give a text or a `pathlib.Path`"),
        (None, {}, "folders=None: give a text or a `pathlib.Path`"),
        ("documents", {"labels": "staff"}, "labels='staff': give a function or None"),
        ("documents", {"progress": True}, "progress=True: give a function or None"),
        ("documents", {"replace": "no"}, "replace='no': give True or False"),
    ],
)
def test_so_is_one_on_indexing(tmp_path: Path, folder: Any, arguments: dict[str, Any], message: str) -> None:
    async def awaited() -> object:
        return await AsyncAssistant.build(folder, index=tmp_path, **arguments)

    check_refused(message, lambda: Assistant.build(folder, index=tmp_path, **arguments), lambda: asyncio.run(awaited()))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda desk: desk.conversations.listed(-1), "limit=-1: give a whole number from 1 or None"),
        (lambda desk: desk.conversations.find(5), "text=5: give a text"),
        (lambda desk: desk.conversations.rename("c", None), "title=None: give a text"),
        (lambda desk: desk.feedback.listed(datetime(2024, 1, 1)), "with its zone or None"),
        (lambda desk: desk.feedback.add("a", "citation", citation="123"), "a tuple of whole numbers or None"),
        (lambda _: Where(date_from="2024-01-01"), "date_from of a filter is '2024-01-01': give a `datetime.date`"),  # type: ignore[arg-type]
        (lambda _: Where(date_to=datetime(2024, 1, 1, tzinfo=UTC)), "date_to of a filter is datetime.datetime(2024"),
        (lambda _: Where(paths=5), 'paths of a filter is 5: give several texts, such as ("minutes/*",)'),  # type: ignore[arg-type]
        (lambda _: Where(tags="fees"), "tags of a filter is 'fees': give several texts, such as ('fees',)"),  # type: ignore[arg-type]
    ],
)
def test_so_is_one_elsewhere(desk: Assistant, call: Callable[[Assistant], object], message: str) -> None:
    check_refused(message, lambda: call(desk))


@pytest.mark.parametrize("kind", [Assistant, Library, Dialogue, Conversations, FeedbackLog])
def test_annotations_of_public_methods_can_be_read(kind: type) -> None:
    methods = [member for name, member in vars(kind).items() if isinstance(member, FunctionType) and name[0] != "_"]
    assert methods and all(isinstance(get_type_hints(method), dict) for method in methods)


def test_what_fits_is_taken(desk: Assistant) -> None:
    where = Where(paths=(path for path in ("*.md",)), date_from=date(2024, 1, 1))  # type: ignore[arg-type]
    assert where.paths == ("*.md",)
    answer = desk.ask("And for children?", [Q, Turn(Q, "£4 [1]")], where=where, as_of=date.max, conversation="x" * 200)
    assert answer.link is not None
    assert desk.audit(datetime.min.replace(tzinfo=UTC), print).generation == 1
    assert desk.seen_by(None, conversations="shop:").conversation("shop:" + "é" * 200).turns == ()


def test_an_assistant_that_was_not_awaited_says_so() -> None:
    opening = AsyncAssistant.open("anywhere")
    with pytest.raises(
        UsageError, match=r"no 'ask': write `desk = await AsyncAssistant\.open\(\.\.\.\)`, or `async with"
    ):
        opening.ask(Q)  # type: ignore[attr-defined]
    assert not hasattr(opening, "desk")
