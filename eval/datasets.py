"""Questions with gold evidence: our own JSONL, and public sets by their adapters.

A line of ours is described by `datasets/case.schema.json`, which is also what it is checked against.
"""

from __future__ import annotations

import functools
import json
from importlib.resources import files
from pathlib import Path
from typing import Any

from corpus.errors import UsageError
from eval.adapters import ADAPTERS, Read
from eval.rows import Files, Row
from eval.types import Case, Dataset, Evidence

_OWN = "jsonl"


def formats() -> tuple[str, ...]:
    """Names of what `load` reads."""
    return (_OWN, *ADAPTERS)


def load(path: str | Path, format: str = "auto") -> Dataset:
    """A data set from its file or folder.

    Args:
        format: one of `formats()`; `auto` tells it by the first row and the files beside it.

    Raises:
        UsageError: what can't be read or understood, with file and line.
    """
    source = Path(path)
    if format not in ("auto", *formats()):
        raise UsageError(f"unknown format {format!r}; known are auto, {', '.join(formats())}")
    chosen = _detected(source) if format == "auto" else format
    reading = Files()
    if chosen == _OWN:
        read = Read([_case(row) for row in reading.rows(_only_file(source))])
    else:
        read = ADAPTERS[chosen].read(_only_file(source) if ADAPTERS[chosen].keys else source, reading)
    _check(read.cases, source)
    name = source.name if chosen == _OWN else f"{chosen} {source.name}"
    return Dataset(name, reading.digest, tuple(read.cases), tuple(read.documents), read.task)


def _check(cases: list[Case], source: Path) -> None:
    if not cases:
        raise UsageError(f"the dataset {str(source)!r} holds no questions; give a file with one on each line")
    places: dict[str, str] = {}
    for case in cases:
        if not case.question.strip() or not case.id.strip():
            raise UsageError(f"{case.place}: the question or its id is empty; fill it in or take the line out")
        if case.id in places:
            raise UsageError(f"{case.place}: the id {case.id!r} stands already in {places[case.id]}; give each its own")
        places[case.id] = case.place


def _only_file(source: Path) -> Path:
    """The file itself, or the only JSONL file of a folder."""
    if not source.is_dir():
        return source
    found = sorted(p for p in source.iterdir() if p.name.endswith((".jsonl", ".jsonl.gz")))
    if len(found) == 1:
        return found[0]
    names = ", ".join(p.name for p in found) or "none"
    raise UsageError(f"the folder {str(source)!r} holds several or no JSONL files ({names}): give the path of one")


def _detected(source: Path) -> str:
    """The format of a data set; raises `UsageError` that lists the known ones."""
    for name, adapter in ADAPTERS.items():
        if not adapter.keys and adapter.fits(source):
            return name
    row = next(Files().rows(_only_file(source)), None)
    if row is None:
        raise UsageError(f"the dataset {str(source)!r} holds no questions; give a file with one on each line")
    fitting = (name for name, adapter in ADAPTERS.items() if adapter.keys and adapter.keys <= row.values.keys())
    if (found := next(fitting, None)) or row.values.keys() & {"question", "answerable"}:
        return found or _OWN
    raise row.refused(
        f"no known format has the fields {', '.join(row.values) or '(none)'}; known are {', '.join(formats())}"
    )


def _case(row: Row) -> Case:
    if (problem := _problem(row.values)) is not None:
        raise row.refused(problem)
    values = row.values
    return Case(
        id=values["id"],
        kind=values.get("kind", ""),
        question=values["question"],
        answerable=values["answerable"],
        facts=tuple(map(tuple, values.get("answers", ()))),
        evidence=tuple(Evidence(**{**e, **{k: int(e[k]) for k in ("start", "end") if k in e}})
                       for e in values.get("evidence", ())),
        relevant=tuple((passage, int(grade)) for passage, grade in values.get("relevant", {}).items()),
        conversation=values.get("conversation"),
        place=row.place,
        **{name: tuple(values.get(name, ())) for name in ("history", "references", "wrong", "marks", "scope")},
    )  # fmt: skip


def _problem(values: dict[str, Any]) -> str | None:
    """What the schema has against a line."""
    error = next(_validator().iter_errors(values), None)
    if error is None:
        return None
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path)
    message = error.message if len(error.message) <= 90 else error.message[:89] + "…"
    return f"field {where[1:]!r}: {message}" if where else message


@functools.cache
def _validator() -> Any:
    try:
        from jsonschema import Draft202012Validator  # deferred: it comes with the extra `eval`
    except ImportError as error:
        raise UsageError("data sets of ours need the extra eval: pip install 'passim-assistant[eval]'") from error
    return Draft202012Validator(json.loads((files("eval") / "datasets" / "case.schema.json").read_text("utf-8")))
