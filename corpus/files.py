"""Files that are written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from uuid import uuid4

from corpus.errors import UnavailableError


def write_file(path: Path, text: str) -> None:
    """Put a text, as UTF-8, in the place of a file or where there is none; its folder is made.

    Raises:
        UnavailableError: it can't be written; what was there stays as it was.
    """
    temporary = None
    try:
        target = Path(os.path.realpath(path))  # a link stays one
        content = text.encode()
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists() and not (target.is_file() and os.access(target, os.W_OK)):
            raise PermissionError(0, "it is read-only, or no file")
        hidden = target.with_name(f".{target.name[:50]}.{uuid4().hex[:8]}")
        with hidden.open("xb") as file:
            temporary = hidden
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            temporary.chmod(target.stat().st_mode & 0o777)
        temporary.replace(target)
    except (OSError, ValueError) as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        reason = getattr(error, "strerror", None) or error
        raise UnavailableError(
            f"{str(path)!r} can't be written: {reason}; free space, or name a place that you may write to"
        ) from error
