"""What `assistant chat` is to open."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assistant.api import Assistant


@dataclass(frozen=True, slots=True)
class Launch:
    """How the application gets its assistant, and what it may do with the index."""

    open: Callable[[], Assistant]
    """Opens the index; runs in a thread, and raises `AssistantError` where there is none."""
    index: Path
    """Folder of the index; it need not exist yet."""
    folders: tuple[Path, ...] = ()
    """To be brought up to date at the start, by a child process; empty where the index is taken as it is."""
    options: tuple[str, ...] = ()
    """For that child's command line: `--embedder`, `--replace`, `--rebuild`."""
    watch: bool = False
    """Whether the indexed folders are watched from the start."""
    spare: Callable[[], Assistant] | None = None
    """Opens the index with a generator that needs nothing, where the chosen one can't be had."""
    settings_file: Path | None = None
    """The TOML file that settings are read from and written to; None for the user's own."""


def command(*arguments: str) -> list[str]:
    """The command line of this program in a process of its own, which takes no module from the current folder."""
    root = str(Path(__file__).resolve().parents[2])
    return [sys.executable, "-P", "-c", _PROGRAM, root, *arguments]


_PROGRAM = "import sys; sys.path.append(sys.argv.pop(1)); from assistant.cli import main; sys.exit(main())"
