"""`python -m corpus.worker`: reads files in a process with limits; a JSON line in, a JSON line out."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import signal
import stat
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from corpus.chunking import ChunkSettings, chunk_document
from corpus.documents import build_document
from corpus.errors import AssistantError, UnreadableFile
from corpus.interchange import to_json
from corpus.readers import reader_for

MAX_MEMORY = 2 * 1024**3
"""Bytes of address space."""
MAX_FILES = 64
"""Open files."""


class _OutOfReach(UnreadableFile):
    """The file wasn't to be had as it was listed; another time it may be."""


def main() -> None:
    """Serves requests until the parent closes its end."""
    # Readers' libraries may print: only this module writes to the parent.
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    for limit, value in (
        (resource.RLIMIT_AS, MAX_MEMORY),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, MAX_FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        # Some systems refuse some limits; the parent's clock still holds.
        with suppress(ValueError, OSError):
            resource.setrlimit(limit, (value, value))
    for line in sys.stdin:
        request = json.loads(line)
        # The kernel ends a file that takes too long even when the parent is gone.
        signal.alarm(request["seconds"])
        reply = _reply(request)
        signal.alarm(0)
        replies.write(json.dumps(reply) + "\n")
        replies.flush()


def _reply(request: dict[str, Any]) -> dict[str, Any]:
    try:
        return _loaded(request)
    except MemoryError:
        reason = f"needs more than {MAX_MEMORY // 1024**3} GB of memory to read"
        return {"reason": reason, "lasting": False, "exhausted": True}
    except RecursionError:
        return {"reason": "is nested too deeply to read", "lasting": True}
    except AssistantError as error:
        return {"reason": str(error), "lasting": not isinstance(error, _OutOfReach)}
    except Exception as error:
        # Reported for this one file, by its class: a library failed on it in a way nobody foresaw.
        reason = f"can't be read: {type(error).__name__} ({str(error)[:200]})"
        return {"reason": reason, "lasting": not isinstance(error, OSError | ImportError)}


def _loaded(request: dict[str, Any]) -> dict[str, Any]:
    root, path = Path(request["root"]), request["path"]
    file = root / path
    data = _bytes(root, file, request["size"], request["mtime_ns"])
    extracted = reader_for(file.suffix).read(file)
    _check(file.stat(follow_symlinks=False), request["size"], request["mtime_ns"])
    document = build_document(extracted, path, hashlib.sha256(data).hexdigest())
    return to_json(document, chunk_document(document, ChunkSettings(**request["settings"])))


def _bytes(root: Path, file: Path, size: int, mtime_ns: int) -> bytes:
    """The file's content; raises unless it is the regular file that was listed, inside the folder."""
    if not file.resolve().is_relative_to(root.resolve()):
        raise _OutOfReach("lies outside the folder")
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as opened:
            _check(os.fstat(opened.fileno()), size, mtime_ns)
            return opened.read(size + 1)
    except PermissionError as error:
        raise _OutOfReach("no permission to read it") from error
    except FileNotFoundError as error:
        raise _OutOfReach("is gone; it was there a moment ago") from error
    except OSError as error:
        raise _OutOfReach(f"can't be read: {error.strerror}") from error


def _check(status: os.stat_result, size: int, mtime_ns: int) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise _OutOfReach("isn't a regular file")
    if (status.st_size, status.st_mtime_ns) != (size, mtime_ns):
        raise _OutOfReach("changed while being read; index again")


if __name__ == "__main__":
    main()
