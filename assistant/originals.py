"""From a document in the index to its file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from corpus.errors import UsageError


def original(path: str, folders: Sequence[Path]) -> Path:
    """The file behind a path in the index, links resolved.

    Args:
        path: with several folders, it begins with the name of its folder.

    Raises:
        UsageError: the folder isn't indexed, the file isn't there, or it lies outside its folder.
    """
    folder, inside = folders[0], path
    if len(folders) > 1:
        name, _, inside = path.partition("/")
        known = {f.name: f for f in folders}
        if name not in known:
            raise UsageError(f"no indexed folder holds {path!r}: index its folder again")
        folder = known[name]
    try:
        found = (folder / inside).resolve(strict=True)
        if not found.is_relative_to(folder.resolve()):
            raise UsageError(f"the file {path!r} lies outside of the folder {str(folder)!r}: it isn't opened")
        if not found.is_file():
            raise FileNotFoundError
    except (OSError, ValueError, RuntimeError) as error:
        raise UsageError(
            f"the file {path!r} is no longer in {str(folder)!r}: put it back, or index the folder again"
        ) from error
    return found
