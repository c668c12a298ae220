"""Where things are, and the settings that are used where nothing is said."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from types import NoneType
from typing import Any, Literal, Self, TypeVar, get_args, get_origin, get_type_hints

from corpus.errors import UsageError
from corpus.files import write_file

INDEX_VARIABLE = "ASSISTANT_INDEX"
SETTINGS_VARIABLE = "ASSISTANT_SETTINGS"
DEFAULT_INDEX = ".assistant"
MOST_QUESTION_CHARACTERS = 2000
Strictness = Literal["strict", "normal", "lenient"]
APPLICATION = "application"
"""Table of the settings file that is the application's own."""


def index_folder(named: str | Path | None) -> Path:
    """The index folder: as named, else `$ASSISTANT_INDEX`, else `.assistant` in the current folder."""
    return Path(named or os.environ.get(INDEX_VARIABLE) or DEFAULT_INDEX)


@dataclass(frozen=True, slots=True)
class Settings:
    """How answers are made. Keys have a place of their own and never stand here: see `assistant.secrets`."""

    generator: str = "extractive"
    """`extractive`, `openai:MODEL`, `anthropic:MODEL`, `gguf:FILE`, or one of a third party."""
    base_url: str | None = None
    """Address of the server of `openai:` or `anthropic:`; None for the maker's own."""
    reranker: str = "auto"
    """`auto` (what is installed), `none`, or a cross-encoder's name or folder."""
    entailment: str = "lexical"
    """What checks written sentences: `lexical`, or `nli:` with a cross-encoder's name or folder."""
    fallback: bool = False
    """Whether `extractive` answers where the generator fails; the answer then says so."""
    rewrite: bool = True
    """Whether a generator that writes also makes follow-up questions whole."""
    passage_tokens: int = 5000
    """Most tokens of passages in a prompt, by cl100k_base."""
    output_tokens: int = 500
    """Most tokens that a generator may write."""
    connect_timeout: float = 10.0
    """Seconds."""
    read_timeout: float = 60.0
    """Seconds without a word from the server."""
    retries: int = 3
    """After 429, 5xx or a lost connection, before the first word has come."""
    calibration: str | None = None
    """File that `assistant calibrate` wrote; None for the one that is shipped."""
    strictness: Strictness = "normal"
    """`strict` answers only with high confidence, `normal` from where the calibration's bound holds, `lenient` also
    with less, and no bound is promised; what is written is verified under each."""
    log_text: bool = False
    """Whether logs also hold questions, answers and the texts of errors."""

    def __post_init__(self) -> None:
        _check(self)

    @classmethod
    def read(cls, file: str | Path | None = None) -> Self:
        """The settings of a TOML file: as named, else `$ASSISTANT_SETTINGS`, else the user's own if there is one.

        Raises:
            UsageError: the named file isn't there, or one holds what isn't a setting.
        """
        path = settings_path(file)
        values = _values(path, bool(file or os.environ.get(SETTINGS_VARIABLE)))
        values.pop(APPLICATION, None)
        return _made(cls, values, path)

    def write(self, file: str | Path | None = None) -> Path:
        """Write what differs from the default or stands in the file; all else in it stays. Returns the file.

        Raises:
            UsageError: what is there is no TOML, and stays as it is.
            UnavailableError: it can't be written.
        """
        return _write(self, file, None)


@dataclass(frozen=True, slots=True)
class ApplicationSettings:
    """How the terminal application looks and what it does by itself: the table `[application]` of the settings."""

    theme: str = "textual-dark"
    """Name of a theme."""
    watch: bool = False
    """Whether indexed folders are watched, and the index brought up to date when they change."""

    def __post_init__(self) -> None:
        _check(self)

    @classmethod
    def read(cls, file: str | Path | None = None) -> Self:
        """From the same file as `Settings.read`, defaults where it isn't there. Raises `UsageError` as that does."""
        path = settings_path(file)
        return _made(cls, _table(_values(path, False), APPLICATION, path), path)

    def write(self, file: str | Path | None = None) -> Path:
        """As `Settings.write` does."""
        return _write(self, file, APPLICATION)


def settings_path(file: str | Path | None = None) -> Path:
    """The file that is read and written: as named, else `$ASSISTANT_SETTINGS`, else the user's own."""
    named = file or os.environ.get(SETTINGS_VARIABLE)
    return Path(named) if named else settings_file()


def settings_file() -> Path:
    """The user's own settings."""
    from platformdirs import user_config_path  # deferred: not needed for `--help`

    return user_config_path("passim-assistant") / "settings.toml"


def _text(path: Path, needed: bool) -> str:
    """With its line ends."""
    try:
        return path.read_bytes().decode("utf-8-sig")  # some editors begin a file with a byte order mark
    except FileNotFoundError as error:
        if needed:
            raise UsageError(f"no settings file {str(path)!r}: make it, or name another") from error
        return ""
    except OSError as error:
        raise UsageError(f"the settings file {str(path)!r} can't be read: {error.strerror}") from error
    except ValueError as error:
        raise _broken(path, error) from error


def _values(path: Path, needed: bool) -> dict[str, Any]:
    try:
        return tomllib.loads(_text(path, needed))
    except (ValueError, RecursionError) as error:
        raise _broken(path, error) from error


def _table(values: dict[str, Any], name: str, path: Path) -> dict[str, Any]:
    found = values.get(name, {})
    if not isinstance(found, dict):
        raise UsageError(f"in {str(path)!r}: {name} = {found!r} must be a table, headed [{name}]: mend it")
    return found


def _broken(path: Path, error: Exception) -> UsageError:
    return UsageError(f"the settings file {str(path)!r} is not TOML: {error}; mend it, or move it away")


def _made(kind: type[_Held], values: dict[str, Any], path: Path) -> _Held:
    known = [f.name for f in fields(kind)]
    if unknown := [name for name in values if name not in known]:
        raise UsageError(f"{str(path)!r} sets {unknown[0]!r}, which isn't known; known are {', '.join(known)}")
    try:
        return kind(**values)
    except UsageError as error:
        raise UsageError(f"in {str(path)!r}: {error}") from error


def _check(held: Settings | ApplicationSettings) -> None:
    for name, kind in get_type_hints(type(held)).items():
        value = getattr(held, name)
        kinds = get_args(kind) or (kind,)
        if get_origin(kind) is Literal:
            if value not in kinds:
                raise UsageError(f"the setting {name} = {value!r} must be one of {', '.join(kinds)}")
            continue
        if type(value) not in kinds and not (float in kinds and type(value) is int):
            wanted = " or ".join(_KINDS[k] for k in kinds if k is not NoneType)
            raise UsageError(f"the setting {name} = {value!r} must be {wanted}")
        if type(value) in (int, float) and not (0 if name == "retries" else 1e-3) <= value <= 1e9:
            raise UsageError(f"the setting {name} = {value!r} must be a number above 0")


def _write(held: Settings | ApplicationSettings, file: str | Path | None, table: str | None) -> Path:
    import tomlkit  # deferred: only what changes settings needs it
    from tomlkit.exceptions import TOMLKitError

    path = settings_path(file)
    try:
        source = _text(path, False)
        document = tomlkit.parse(source)
        before: dict[str, Any] = document.unwrap()
        part: Any = document
        if table is not None:
            before = _table(before, table, path)
            part = document.setdefault(table, tomlkit.table())
        for one in fields(held):
            name, value = one.name, getattr(held, one.name)
            old = before.get(name)
            if value is None:  # TOML has no word for it
                part.pop(name, None)
            elif (type(old), old) != (type(value), value) and (name in before or value != one.default):
                part[name] = value
        text = tomlkit.dumps(document)
        if "\r\n" in source:  # lines that were added end like the others
            text = text.replace("\r\n", "\n").replace("\n", "\r\n")
        tomllib.loads(text)
    except (TOMLKitError, ValueError, RecursionError) as error:
        raise _broken(path, error) from error
    write_file(path, text)
    return path


_Held = TypeVar("_Held", bound=Settings | ApplicationSettings)
_KINDS = {str: "a text", bool: "true or false", int: "a whole number", float: "a number"}
