"""Asking the assistant every question of a dataset."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from assistant.api import Assistant
from assistant.types import SHOWN
from corpus.errors import AssistantError, UnavailableError
from eval.types import Case, CaseResult


def run(
    desk: Assistant, cases: Sequence[Case], progress: Callable[[CaseResult], None] | None = None
) -> list[CaseResult]:
    """Ask each case with its history. A case that fails is a result with its reason."""
    results = []
    for case in cases:
        started = time.perf_counter()
        try:
            answer, error = desk.ask(case.question, case.history).to_dict(), None
        except AssistantError as failure:
            answer, error = None, str(failure)
        except Exception as failure:  # a crash on one question is a result, and the others are still asked
            answer, error = None, f"{type(failure).__name__}: {failure}"
        results.append(CaseResult(case, answer, error, time.perf_counter() - started))
        if progress is not None:
            progress(results[-1])
    return results


def write_answers(results: Sequence[CaseResult], path: Path) -> None:
    """A line a case: {"id", "text", "refused", "citations": [{"document", "quote"}], "answer": as `to_dict`}."""
    try:
        with path.open("w", encoding="utf-8", newline="\n") as file:
            for result in results:
                answer = result.answer or {"text": "", "refused": True, "statements": []}
                shown = [s for s in answer["statements"] if s["verdict"] in SHOWN]
                citations = [
                    {"document": c["document"]["path"], "quote": c["quote"]}
                    for s in shown
                    for c in s["citations"]
                    if c["document"] and not answer["refused"]
                ]
                row = {
                    "id": result.case.id,
                    "text": answer["text"],
                    "refused": answer["refused"],
                    "citations": citations,
                }
                file.write(json.dumps(row | {"error": result.error, "answer": result.answer}) + "\n")
    except OSError as error:
        raise UnavailableError(f"the answers can't be written to {str(path)!r}: {error.strerror}") from error
