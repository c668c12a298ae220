"""Who may see what: audiences as callers name them, and answers of the past."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Set
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from typing import TYPE_CHECKING

from corpus.errors import UnknownAudience, UsageError
from corpus.sanitizing import sanitize

if TYPE_CHECKING:
    from assistant.records.storage import Seen
    from embeddings.view import View

Audience = frozenset[str] | None
"""Groups that the caller belongs to; None for one who may see everything."""


def narrowed(held: Audience, asked: Set[str] | None, known: Callable[[], Set[str]]) -> Audience:
    """The audience that is asked for, of a desk that is restricted to `held`.

    Args:
        known: every name that a document or `corpus.toml` has.

    Raises:
        UsageError: it is no set of texts.
        UnknownAudience: a name isn't known, or not to this desk: which of the two isn't told.
    """
    if asked is None:
        return held
    if not isinstance(asked, Set) or not all(isinstance(name, str) for name in asked):
        raise UsageError(f'the audience {asked!r} is no set of names: give {{"public"}}, or set() for nobody')
    audience = frozenset(asked)
    if unknown := sorted(audience - (held if held is not None else known() if audience else audience)):
        raise UnknownAudience(
            f"unknown audience {sanitize(unknown[0])[:80]!r}: give names that documents or `corpus.toml` have"
        )
    return audience


def asked_within(audience: frozenset[str], seen: Seen) -> bool:
    """Whether a kept answer was asked with no wider audience."""
    return seen.audience is not None and seen.audience <= audience


@contextmanager
def deciding(audience: frozenset[str], view: AbstractContextManager[View]) -> Iterator[Callable[[Seen], bool]]:
    """Whether a kept answer may be shown: it was asked with no wider audience, and all that it names may be.

    Args:
        view: one that is restricted to the audience.
    """
    with view as now:
        hides = cache(now.hides)

        def predicate(seen: Seen) -> bool:
            return asked_within(audience, seen) and not any(hides(*document) for document in seen.documents)

        yield predicate
