"""Questions with gold evidence, from JSONL.

A line: {"id", "kind", "question", "history": [...], "answerable": bool, "answers": [[...], ...],
"evidence": [{"document", "quote"}, ...]}. Lines end at "\\n" only: texts may hold U+2028.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from corpus.errors import UsageError
from eval.types import Case, Evidence


def load_cases(path: str | Path) -> list[Case]:
    """Every case of a file. Raises `UsageError` with file and line for what can't be understood."""
    try:
        text = Path(path).read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the dataset {str(path)!r} can't be read: {error}") from error
    cases = [_case(line, f"{path}:{number}") for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    if not cases:
        raise UsageError(f"the dataset {str(path)!r} holds no questions")
    doubled = {c.id for c in cases if sum(d.id == c.id for d in cases) > 1}
    if doubled:
        raise UsageError(f"the dataset {str(path)!r} has an id twice: {sorted(doubled)[0]!r}")
    return cases


def _case(line: str, place: str) -> Case:
    try:
        row: dict[str, Any] = json.loads(line)
        return Case(
            id=str(row["id"]),
            kind=str(row.get("kind", "")),
            question=str(row["question"]),
            history=tuple(str(h) for h in row.get("history", ())),
            answerable=bool(row["answerable"]),
            facts=tuple(tuple(str(v) for v in fact) for fact in row.get("answers", ())),
            evidence=tuple(Evidence(str(e["document"]), str(e["quote"])) for e in row.get("evidence", ())),
        )
    except KeyError as error:
        raise UsageError(f"{place}: the field {error} is missing") from error
    except (ValueError, TypeError, AttributeError) as error:
        raise UsageError(f"{place}: not a question in this format ({error})") from error
