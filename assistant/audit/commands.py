"""What the command `audit` does."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import datetime, time
from typing import TYPE_CHECKING

from assistant.commands import Exit, print_json
from assistant.config import Settings

if TYPE_CHECKING:
    from assistant.audit.auditor import AuditedAnswer, AuditReport

_FINDINGS = {"supported": "holds", "unsupported": "no longer supported", "contradicted": "contradicted"}


def audit(options: argparse.Namespace) -> int:
    from assistant.api import Assistant  # deferred: numpy must not slow `--help`

    since = options.since and datetime.combine(options.since, time()).astimezone()
    with Assistant.open(options.index, settings=Settings.read(options.settings)) as desk:
        report = desk.audit(since)
    if options.json:
        print_json(report.to_dict())
    else:
        print(render_audit(report))
    return Exit.BELOW_THRESHOLD if report.stale else Exit.DONE


def render_audit(report: AuditReport) -> str:
    """The counts, and every stale answer with why; plain text, no trailing newline."""
    from assistant.render import wrapped  # deferred: numpy must not slow `--help`

    return "\n".join(wrapped(line, indent) for line, indent in _lines(report))


def _lines(report: AuditReport) -> Iterator[tuple[str, int]]:
    yield f"Answers: {report.answers:,}, {len(report.stale):,} stale; held against generation {report.generation}.", 0
    if report.answers:
        yield f"Citations: {', '.join(f'{n:,} {state}' for state, n in report.citations.items())}.", 0
        yield f"Statements: {', '.join(f'{n:,} {finding}' for finding, n in report.statements.items())}.", 0
    for answer in report.stale:
        yield "", 0
        yield from _stale(answer)


def _stale(answer: AuditedAnswer) -> Iterator[tuple[str, int]]:
    from assistant.audit.citations import STATES  # deferred: numpy must not slow `--help`

    asked = answer.asked.astimezone()
    yield f"{answer.id}: “{answer.question}”, asked on {asked.day} {asked:%B %Y at %H:%M}", 0
    for statement in answer.statements:
        yield f"{_FINDINGS[statement.finding]}: {statement.text}", 4
        if (newer := statement.contradiction) is not None:
            day = f" ({newer.date.day} {newer.date:%B %Y})" if newer.date else ""
            yield f"{newer.path}{day} says: “{newer.quote}”", 8
        for citation in statement.citations:
            if citation.state != "intact":
                yield f"[{citation.number}] {citation.path}: {STATES[citation.state]}", 8
