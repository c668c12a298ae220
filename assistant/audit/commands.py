"""What the commands that look at answers of the past do."""

from __future__ import annotations

import argparse

from assistant.commands import Exit, chosen_settings, print_result, readers
from assistant.config import Settings
from assistant.records.commands import kept_history


def audit(options: argparse.Namespace) -> int:
    from assistant.api import Assistant  # deferred: numpy must not slow `--help`
    from assistant.audit.auditor import render_audit

    settings = Settings.read(options.settings)
    with Assistant.open(options.index, settings=settings, audience=readers(options)) as desk:
        report = desk.audit(options.since)
    print_result(options, report.to_dict(), lambda: render_audit(report))
    return Exit.BELOW_THRESHOLD if report.stale else Exit.DONE


def replay(options: argparse.Namespace) -> int:
    from assistant.api import Assistant  # deferred: numpy must not slow `--help`
    from assistant.audit.replay import render_replay, settings_of
    from assistant.audit.replay import replay as replayed
    from assistant.entailment import entailment_named

    record = kept_history(options).record(options.id)
    with Assistant.open(options.index, settings=settings_of(record), history=":memory:") as desk:
        found = replayed(desk, record, entailment_named(chosen_settings(options).entailment))
    print_result(options, found.to_dict(), lambda: render_replay(found))
    return Exit.DONE if found.holds else Exit.BELOW_THRESHOLD
