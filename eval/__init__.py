"""Scores of answers and of their citations, offline: of our assistant's, and of any other system's from a file.

from eval import run, score, compare
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from eval.comparison import compare as compare
    from eval.running import run as run
    from eval.scoring import score as score

__all__ = ["compare", "run", "score"]
_MODULES = {"compare": "eval.comparison", "run": "eval.running", "score": "eval.scoring"}


def __getattr__(name: str) -> Any:
    # A part of the harness must not wait for the others: the assistant is only needed by `run`.
    if name in _MODULES:
        return getattr(import_module(_MODULES[name]), name)
    raise AttributeError(f"module 'eval' has no attribute {name!r}")
