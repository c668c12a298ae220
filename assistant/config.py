"""Where things are, and the settings that are used where nothing is said."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from types import NoneType
from typing import Any, Self, get_args, get_type_hints

from corpus.errors import UsageError

INDEX_VARIABLE = "ASSISTANT_INDEX"
SETTINGS_VARIABLE = "ASSISTANT_SETTINGS"
DEFAULT_INDEX = ".assistant"
MOST_QUESTION_CHARACTERS = 2000


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

    def __post_init__(self) -> None:
        for name, kind in get_type_hints(type(self)).items():
            value = getattr(self, name)
            kinds = get_args(kind) or (kind,)
            fits = type(value) in kinds or (float in kinds and type(value) is int)
            if not fits:
                wanted = " or ".join(_KINDS[k] for k in kinds if k is not NoneType)
                raise UsageError(f"the setting {name} = {value!r} must be {wanted}")
            if type(value) in (int, float) and not (0 if name == "retries" else 1e-3) <= value <= 1e9:
                raise UsageError(f"the setting {name} = {value!r} must be a number above 0")

    @classmethod
    def read(cls, file: str | Path | None = None) -> Self:
        """The settings of a TOML file: as named, else `$ASSISTANT_SETTINGS`, else the user's own if there is one.

        Raises:
            UsageError: the named file isn't there, or one holds what isn't a setting.
        """
        named = file or os.environ.get(SETTINGS_VARIABLE)
        path = Path(named) if named else settings_file()
        try:
            values: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            if named:
                raise UsageError(f"no settings file {str(path)!r}: make it, or name another") from error
            return cls()
        except OSError as error:
            raise UsageError(f"the settings file {str(path)!r} can't be read: {error.strerror}") from error
        except ValueError as error:  # TOML's and Unicode's
            raise UsageError(f"the settings file {str(path)!r} is not TOML: {error}") from error
        known = [f.name for f in fields(cls)]
        if unknown := [name for name in values if name not in known]:
            raise UsageError(f"{str(path)!r} sets {unknown[0]!r}, which isn't known; known are {', '.join(known)}")
        try:
            return cls(**values)
        except UsageError as error:
            raise UsageError(f"in {str(path)!r}: {error}") from error


def settings_file() -> Path:
    """The user's own settings."""
    from platformdirs import user_config_path  # deferred: not needed for `--help`

    return user_config_path("passim-assistant") / "settings.toml"


_KINDS = {str: "a text", bool: "true or false", int: "a whole number", float: "a number"}
