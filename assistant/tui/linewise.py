"""Question and answer a line at a time, where the terminal can't show the application."""

from __future__ import annotations

import curses
import os
import sys
from typing import TYPE_CHECKING
from uuid import uuid4

from assistant.tui.errors import told
from corpus.errors import AssistantError
from corpus.sanitizing import sanitize

if TYPE_CHECKING:
    from assistant.api import Assistant

_ENDS = ("quit", "exit")


def unsuited() -> str:
    """Why this terminal can't show the application; empty where it can, or isn't known to be unable to."""
    term = os.environ.get("TERM") or "dumb"
    try:
        curses.setupterm(term, sys.__stdout__.fileno() if sys.__stdout__ else -1)
        able = bool(curses.tigetstr("cup"))
    except curses.error:  # not described here, as newer ones often aren't
        able = term != "dumb"
    return "" if able else f"the terminal (TERM={sanitize(term)!r}) can't move its cursor"


def chat(desk: Assistant, reason: str) -> None:
    """Reads questions and prints answers until `quit` or the end of the input. `reason` is told first."""
    from assistant.render import render_answer  # deferred: with what follows it brings NumPy
    from assistant.types import Turn

    print(f"Line by line, because {reason}. Type a question and Enter; {_ENDS[0]!r} or Ctrl-D ends.", file=sys.stderr)
    conversation, turns = uuid4().hex, list[Turn]()
    while question := _asked():
        if not question.strip():
            continue
        try:
            answer = desk.ask(question, turns, conversation=conversation)
        except AssistantError as error:
            print(told(error), file=sys.stderr)
        except KeyboardInterrupt:
            print("\nStopped.", file=sys.stderr)
        else:
            print(f"\n{render_answer(answer)}\n", flush=True)
            turns.append(answer.turn)


def _asked() -> str:
    """The next line with its end; empty where there are no more."""
    print("> ", end="", file=sys.stderr, flush=True)
    line = sys.stdin.readline()
    return "" if line.strip().lower() in _ENDS else line
