"""From a document in the index to its file, and from a file to the document again."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

from corpus.errors import UsageError
from corpus.loading import Loaded, SourceFile, load_documents, scan
from corpus.types import Document, ReadFailure


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


Key = tuple[str, str]
"""Id and path of a document."""


def reread(folder: Path, wanted: Iterable[Key]) -> tuple[dict[Key, Document], dict[Key, str]]:
    """Documents read again from the files of a folder that have their bytes, and why others weren't.

    A file is looked for under its path, also where that begins with the folder's own name, then everywhere inside.
    Only regular files that the folder lists are opened; no link is followed.

    Raises:
        UsageError: there is no such folder, or it holds no files.
    """
    sources = {source.path: source for source in scan(folder)[0]}
    id_of = cache(lambda path: _id(sources[path]))
    by_id = cache(lambda: {id_of(place): place for place in reversed(sources)})
    chosen, problems = dict[Key, str](), dict[Key, str]()
    for id, path in wanted:
        near = [place for place in (path, path.removeprefix(f"{folder.resolve().name}/")) if place in sources]
        found = next((place for place in near if id_of(place) == id), None) or by_id().get(id)
        if found is not None:
            chosen[id, path] = found
        elif near:
            problems[id, path] = f"{path!r} was changed: no file in {str(folder)!r} has the bytes that it had"
        else:
            problems[id, path] = f"{path!r} is gone: no file in {str(folder)!r} has its bytes ({id})"
    files = [sources[place] for place in dict.fromkeys(chosen.values())]
    read = {source.path: loaded for source, loaded in load_documents(files)} if files else {}
    documents = {}
    for key, place in chosen.items():
        match read[place]:
            case Loaded(document=document) if document.id == key[0]:
                documents[key] = document
            case ReadFailure(reason=reason):
                problems[key] = f"{place!r} can't be read: {reason}"
            case _:
                problems[key] = f"{place!r} changed while it was read: try again"
    return documents, problems


def _id(source: SourceFile) -> str:
    """The beginning of the SHA-256 of a file's bytes; empty where it can't be read."""
    try:
        descriptor = os.open(source.root / source.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()[:32]
    except OSError:
        return ""
