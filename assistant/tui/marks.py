"""The symbols that tell a state beside its colour: drawn by the widgets, explained by the help screen."""

from __future__ import annotations

from typing import NamedTuple


class Mark(NamedTuple):
    """A symbol and what it says."""

    symbol: str
    meaning: str


MARKS = {
    "quoted": Mark("❝", "quoted: the sentence stands in the source, word for word"),
    "supported": Mark("✓", "supported: the cited words say it, every number, date and name in it checked"),
    "citation": Mark("[1]", "the passage that a sentence comes from; press it, or Enter on its line, to read it"),
    "disagree": Mark("≠", "sources disagree: each value with its source and date, the newest first"),
    "left-out": Mark("–", "left out: no source supports the sentence, and it is no part of the answer"),
    "nearest": Mark("↳", "nearest: a passage that came close, and is no answer"),
    "refused": Mark("⊘", "no answer: the documents don't hold one, or not surely enough"),
    "rewritten": Mark("↪", "your follow-up question as it was searched, made whole from the conversation"),
    "cut": Mark("✂", "stopped: the answer is not complete"),
    "failed": Mark("✗", "something failed; the line says what, and what to do"),
    "waiting": Mark("⧗", "waits its turn"),
    "busy": Mark("○", "at work"),
    "ready": Mark("●", "ready for a question"),
    "notice": Mark("⚠", "something to know: files that could not be read, for one"),
    "open": Mark("▸", "the one that is open, or meant"),
    "chosen": Mark("☑", "chosen"),
}
