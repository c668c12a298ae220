"""Tags and audiences of documents: what a file declares, what `corpus.toml` says over it, what a callback has last."""

from __future__ import annotations

import fnmatch
import os
import re
import tomllib
import unicodedata
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from corpus.errors import UsageError
from corpus.sanitizing import sanitize
from corpus.types import Metadata

SIDECAR = "corpus.toml"
"""At the top of an indexed folder, and only there; it is no document."""
_MAX_BYTES = 1_000_000
_NO_PATH = re.compile(r"^\.{0,2}/|/$|\\")
"""In a pattern that fits no document: a rule that is passed over may leave open what it was to close."""


@dataclass(frozen=True, slots=True)
class Labels:
    """What a document is found by and who may see it; no audience: nobody whose audience is restricted."""

    tags: tuple[str, ...] = ()
    audience: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "tags", _names(self.tags, "tags"))
        object.__setattr__(self, "audience", _groups(self.audience, "audience"))

    @classmethod
    def told(cls, tags: Iterable[str], audience: Iterable[str]) -> Self:
        """Of what a document says of itself, which is put in order and never fails."""
        return cls(tuple(tags), tuple(name for name in _names(tuple(audience), "audience") if "," not in name))


Labeller = Callable[[str, Metadata], Labels]
"""From a path in the index, and what file and sidecar say, to the labels that hold."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One `[[documents]]` of a sidecar."""

    paths: tuple[str, ...]
    """Shell patterns of paths in the folder; `*` goes through `/`."""
    tags: tuple[str, ...] = ()
    audience: tuple[str, ...] | None = None
    """None: says nothing of it; empty: nobody."""


@dataclass(frozen=True, slots=True)
class Sidecar:
    """What `corpus.toml` says of the documents of its folder."""

    rules: tuple[Rule, ...] = ()
    audiences: frozenset[str] = frozenset()
    """All names that it knows, with those of its rules."""

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Raises `UsageError` for what isn't a sidecar; where there is none, no rules."""
        path = folder / SIDECAR
        if not os.path.lexists(path):
            return cls()
        try:
            if not path.is_file() or path.stat().st_size > _MAX_BYTES:
                raise UsageError(f"isn't a file of at most {_MAX_BYTES:,} bytes")
            values = tomllib.loads(path.read_text(encoding="utf-8"))
            _check_keys(values, {"audiences", "documents"}, "at the top")
            documents = values.get("documents", [])
            if not isinstance(documents, list) or not all(isinstance(rule, dict) for rule in documents):
                raise UsageError(f"'documents' is {documents!r}: write [[documents]] before each rule")
            rules = tuple(_rule(number, rule) for number, rule in enumerate(documents, 1))
            known = {*_groups(values.get("audiences", ()), "audiences"), *(n for r in rules for n in r.audience or ())}
        except UnicodeDecodeError as error:
            raise UsageError(f"{str(path)!r} isn't UTF-8 text: write it again") from error
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            raise UsageError(f"{str(path)!r} isn't TOML: {sanitize(str(error))}: mend that place") from error
        except OSError as error:
            raise UsageError(f"{str(path)!r} can't be read: {error.strerror}: it decides who may see what") from error
        except UsageError as error:
            raise UsageError(f"{str(path)!r}: {error}") from error
        return cls(rules, frozenset(known))

    def rule_for(self, path: str) -> Rule:
        """All rules for a path as one: the last that names an audience decides it, tags add up."""
        path = _composed(path)
        found = [rule for rule in self.rules if any(fnmatch.fnmatchcase(path, pattern) for pattern in rule.paths)]
        audiences = [rule.audience for rule in found if rule.audience is not None]
        tags = tuple(dict.fromkeys(tag for rule in found for tag in rule.tags))
        return Rule((), tags, audiences[-1] if audiences else None)

    def labels(self, path: str, declared: Metadata) -> Labels:
        """Of a path in the folder: an administrator's audience stands over what the document says of itself."""
        rule = self.rule_for(path)
        audience = declared.audience if rule.audience is None else rule.audience
        return Labels.told((*declared.tags, *rule.tags), audience)

    def unused(self, paths: Iterable[str]) -> Iterator[tuple[int, str]]:
        """Patterns that fit none of the paths in the folder, each with the number of its rule."""
        there = [*map(_composed, paths)]
        for number, rule in enumerate(self.rules, 1):
            yield from ((number, pattern) for pattern in rule.paths if not fnmatch.filter(there, pattern))


@dataclass(frozen=True, slots=True)
class Labelling:
    """The labels of an indexing run."""

    sidecars: Mapping[str, Sidecar] = field(default_factory=lambda: {"": Sidecar()})
    """By what paths in the index begin with: nothing, or a folder's name and `/`."""
    labeller: Labeller | None = None

    @property
    def audiences(self) -> list[str]:
        """What the sidecars know, sorted."""
        return sorted(frozenset[str]().union(*(sidecar.audiences for sidecar in self.sidecars.values())))

    def kind(self, path: str) -> Hashable:
        """Two files of the same bytes and kind have the same labels."""
        if self.labeller:
            return path
        sidecar, inside = self._sidecar(path)
        return sidecar.rule_for(inside)

    def unread(self, path: str) -> Labels:
        """Of a file that couldn't be read, so that only the sidecar speaks."""
        sidecar, inside = self._sidecar(path)
        return Labels() if self.labeller else sidecar.labels(inside, Metadata())

    def of(self, path: str, declared: Metadata) -> Labels:
        """Raises `UsageError` where the callback fails or doesn't return labels."""
        sidecar, inside = self._sidecar(path)
        labels = sidecar.labels(inside, declared)
        if self.labeller is None:
            return labels
        try:
            given = self.labeller(path, replace(declared, tags=labels.tags, audience=labels.audience))
        except Exception as error:
            raise UsageError(
                f"the callback for labels failed on {path!r} ({type(error).__name__}: {error}): mend it and index "
                "again; the index is as it was"
            ) from error
        if not isinstance(given, Labels):
            raise UsageError(
                f"the callback for labels returned {given!r} for {path!r}: return Labels(tags=(...), audience=(...)); "
                "the index is as it was"
            )
        return given

    def remarks(self, files: Mapping[str, tuple[Metadata, Labels]]) -> Iterator[str]:
        """What in the sidecars and in the files, by path in the index, may not have the effect that was meant."""
        for prefix, sidecar in self.sidecars.items():
            inside = (path.removeprefix(prefix) for path in files if path.startswith(prefix))
            for number, pattern in sidecar.unused(inside):
                yield f"{prefix}{SIDECAR}: the rule {number} for {pattern!r} fits no file (letters' case counts)"
        for path, (declared, labels) in files.items():
            if declared.problem:
                seen = "" if labels.audience else "; no restricted reader sees it"
                yield f"{path}: its front matter isn't understood ({declared.problem}){seen}"

    def _sidecar(self, path: str) -> tuple[Sidecar, str]:
        """The one for a path in the index, and the path in its folder."""
        prefix = next(prefix for prefix in self.sidecars if path.startswith(prefix))
        return self.sidecars[prefix], path.removeprefix(prefix)


def _rule(number: int, values: dict[str, Any]) -> Rule:
    where = f"in rule {number} of [[documents]]"
    _check_keys(values, {"paths", "tags", "audience"}, where)
    paths = values.get("paths")
    if not isinstance(paths, list) or not paths or not all(isinstance(path, str) and path for path in paths):
        raise UsageError(f"'paths' is {paths!r} {where}: give a list of patterns such as [\"minutes/*\"]")
    paths = [_composed(path) for path in paths]
    if wrong := next((path for path in paths if _NO_PATH.search(path)), None):
        raise UsageError(
            f"{wrong!r} {where} is the path of no document: write patterns such as 'minutes/*', from the folder on "
            "and without \\"
        )
    audience = _groups(values["audience"], "audience", where) if "audience" in values else None
    return Rule(tuple(paths), _names(values.get("tags", ()), "tags", where), audience)


def _composed(path: str) -> str:
    """With one code point for each letter that has one, however a system writes the names of files."""
    return unicodedata.normalize("NFC", path)


def _check_keys(values: Mapping[str, Any], known: set[str], where: str) -> None:
    if unknown := sorted(values.keys() - known):
        raise UsageError(f"unknown key {unknown[0]!r} {where}; known are {', '.join(sorted(known))}")


def _groups(value: Iterable[str], name: str, where: str = "") -> tuple[str, ...]:
    """Raises `UsageError` for names that nobody would find again as they are written, too."""
    names = _names(value, name, where)
    if (wrong := next((one for one in value if one not in names or "," in one), None)) is not None:
        at = f" {where}" if where else ""
        raise UsageError(
            f"{name!r} holds {wrong!r}{at}: give names that aren't blank, without commas and without spaces around them"
        )
    return names


def _names(value: Iterable[str], name: str, where: str = "") -> tuple[str, ...]:
    """Each once and as one line; raises `UsageError` unless they are several texts."""
    if isinstance(value, list | tuple | Set) and all(isinstance(one, str) for one in value):
        ordered = sorted(value) if isinstance(value, Set) else value
        return tuple(dict.fromkeys(filter(None, (" ".join(sanitize(one).split()) for one in ordered))))
    at = f" {where}" if where else ""
    raise UsageError(f'{name!r} is {value!r}{at}: give a list of names, such as ["staff"]')
