"""JSON lines: one object a line, lines ending at "\\n" only, since texts may hold U+2028."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from corpus.errors import UsageError


def read_rows(path: str | Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each object of a file with the number of its line, from 1; empty lines are passed over.

    Raises `UsageError` with file and line for what isn't UTF-8, isn't JSON, or isn't an object.
    """
    yield from rows_in(read_bytes(path), str(path))


def rows_in(content: bytes, name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """The same from the content of a file of that name."""
    for number, line in enumerate(content.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        if not line.strip():
            continue
        place = f"{name}:{number}"
        try:
            row = encodable(json.loads(line.decode(), parse_constant=_refuse))
        except UnicodeDecodeError as error:
            raise UsageError(f"{place}: not UTF-8 from byte {error.start + 1} on: save the file as UTF-8") from error
        except RecursionError as error:
            raise UsageError(f"{place}: nested too deeply") from error
        except ValueError as error:
            raise UsageError(f"{place}: not JSON ({error})") from error
        if not isinstance(row, dict):
            raise UsageError(f"{place}: {str(row)[:40]!r} stands where a JSON object is expected")
        yield number, row


def read_bytes(path: str | Path) -> bytes:
    """The bytes of a file, unpacked if it ends in .gz. Raises `UsageError`."""
    try:
        content = Path(path).read_bytes()
        return gzip.decompress(content) if str(path).endswith(".gz") else content
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"the file {str(path)!r} can't be read: {reason}") from error


def encodable(value: Any) -> Any:
    """The value with every string such that UTF-8 can hold it: half of a surrogate pair becomes "?"."""
    match value:
        case str():
            return value.encode("utf-8", "replace").decode()
        case list():
            return [encodable(one) for one in value]
        case dict():
            return {encodable(name): encodable(one) for name, one in value.items()}
    return value


def written(rows: Iterable[Any]) -> str:
    """The rows as JSON lines."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is no number of JSON")
