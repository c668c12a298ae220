"""Files made from the catalogue: immutable, named by generation, checked when opened, and made again when damaged."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import logging
import os
import re
import sqlite3
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from embeddings.rows import DamagedRow, checksum, verified

_LOG = logging.getLogger(__name__)
_TEMPORARY = ".assistant-part-"
_OURS = re.compile(rf"(?:vectors|lexical)-(\d{{8,}})-[0-9a-f]{{16}}\.(?:faiss|safetensors)|{re.escape(_TEMPORARY)}\w+")


@dataclass(frozen=True, slots=True)
class Derived:
    """One file of one generation, as `derived` in the catalogue has it."""

    generation: int
    part: str
    """`vectors` or `lexical`."""
    file: str
    sha256: str
    bytes: int
    details: Mapping[str, Any]
    """What the part measured of itself when it was made."""


class DerivedFile:
    """An open file that no writer removes; `path` may be mapped into memory."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor

    def __del__(self) -> None:
        os.close(self._descriptor)


def publish(
    folder: Path, generation: int, part: str, suffix: str, write: Callable[[IO[bytes]], Mapping[str, Any]]
) -> Derived:
    """Writes a file under a temporary name, syncs it, and gives it its own name; `write` returns the details.

    Raises:
        OSError: any step failed; nothing has the file's own name then.
    """
    descriptor, temporary = tempfile.mkstemp(prefix=_TEMPORARY, dir=folder)
    try:
        with os.fdopen(descriptor, "w+b") as file:
            os.fchmod(file.fileno(), 0o644)
            details = write(file)
            file.flush()
            os.fsync(file.fileno())
            file.seek(0)
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            size = file.tell()
        name = f"{part}-{generation:08}-{digest[:16]}{suffix}"
        Path(temporary).rename(folder / name)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    _sync_folder(folder)
    return Derived(generation, part, name, digest, size, details)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some file systems sync no folders
            raise
    finally:
        os.close(descriptor)


def record(connection: sqlite3.Connection, derived: Derived) -> None:
    """Inside the transaction that publishes the generation."""
    row = (derived.generation, derived.part, derived.file, derived.sha256, derived.bytes, json.dumps(derived.details))
    connection.execute("INSERT OR REPLACE INTO derived VALUES (?, ?, ?, ?, ?, ?, ?)", (*row, checksum(*row)))


def recorded(connection: sqlite3.Connection, generation: int) -> dict[str, Derived]:
    """By part; a file whose row is damaged counts as missing."""
    parts = {}
    for row in connection.execute("SELECT * FROM derived WHERE generation = ?", (generation,)):
        with contextlib.suppress(DamagedRow):
            _, part, file, sha256, size, details = verified("derived", row)
            parts[part] = Derived(generation, part, file, sha256, size, json.loads(details))
    return parts


def opened(folder: Path, derived: Derived | None) -> DerivedFile | None:
    """The file if it is as it was published; None where it is missing, damaged or just being removed."""
    if derived is None or "/" in derived.file:
        return None
    path = folder / derived.file
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except (OSError, ValueError):
        return None
    held = DerivedFile(path, descriptor)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        with os.fdopen(os.dup(descriptor), "rb") as file:
            whole = hashlib.file_digest(file, "sha256").hexdigest() == derived.sha256
        return held if whole and os.fstat(descriptor).st_nlink else None
    except OSError:
        return None


def files(folder: Path) -> set[str]:
    """Names of all derived files, and of what a killed writer left."""
    return {path.name for path in folder.iterdir() if _OURS.fullmatch(path.name) and path.is_file()}


def newest(folder: Path) -> int:
    """The latest generation of which there is a file; 0 without any."""
    names = (_OURS.fullmatch(name) for name in files(folder))
    return max((int(name[1]) for name in names if name and name[1]), default=0)


def remove_old(folder: Path, keep: set[str]) -> None:
    """Removes files that no kept generation names and no reader holds, and what a killed writer left."""
    for name in files(folder) - keep:
        with contextlib.suppress(FileNotFoundError, BlockingIOError):
            descriptor = os.open(folder / name, os.O_RDONLY | os.O_CLOEXEC)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                (folder / name).unlink()
            finally:
                os.close(descriptor)
