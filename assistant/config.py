"""Where things are, and what is used where nothing is said."""

from __future__ import annotations

import os
from pathlib import Path

INDEX_VARIABLE = "ASSISTANT_INDEX"
DEFAULT_INDEX = ".assistant"
MOST_QUESTION_CHARACTERS = 2000


def index_folder(named: str | Path | None) -> Path:
    """The index folder: as named, else `$ASSISTANT_INDEX`, else `.assistant` in the current folder."""
    return Path(named or os.environ.get(INDEX_VARIABLE) or DEFAULT_INDEX)
