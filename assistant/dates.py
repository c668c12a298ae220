"""The day as of which a question wants to be answered: "as of March 2019" is not to know what came later."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date, timedelta

from corpus.dating import parse_date

_WHEN = (
    r"(?P<when>(?:[^\W\d]+ )?(?:\d{1,2}(?:st|nd|rd|th)? )?(?:of )?(?:[^\W\d]+\.?,? )?(?:\d{1,2}(?:st|nd|rd|th)?,? )?"
    r"\d{4}\b|\d{4}-\d\d?-\d\d?|\d\d?[/.]\d\d?[/.]\d{4})"
)
_EDGE = r"(?:the )?(?P<edge>(?:end|close|start|beginning) of )?(?:the year )?"
_CLAUSE = r"who|whom|whose|what|which|where|when|how|is|are|was|were|has|have|had|does|do|did"
_STATE = re.compile(
    r"(?:\bas (?:of|at|on|it stood (?:in|at|on)|things stood (?:in|at|on)|known (?:in|at|on))"
    r"|\b(?:documents|papers|sources|information) (?:up to|until|dated up to)|^at(?= the (?:end|start)))"
    rf" {_EDGE}{_WHEN}(?=\W*$|[,;:)?]|\s+(?:{_CLAUSE})\b)",
    re.I,
)
_BEFORE = re.compile(rf"^(?:just )?(?P<before>before|prior to) {_EDGE}{_WHEN},", re.I)
_AHEAD = re.compile(r"\b(?:will|shall|would|going to|payable|comes? into|takes? effect)\b", re.I)
"""Where "as of" means "from"."""


def as_of_in(question: str) -> date | None:
    """The last day whose documents may answer: "as of 2019", "as at 5 May 2020", "Before March 2021, who …?".

    A month or year is over at its last day, unless its start is meant. None where no such day is named, where it
    can't be told, and where the question is about what is to come.
    """
    text = " ".join(question.split())
    match = _STATE.search(text) or _BEFORE.search(text)
    if match is None or _AHEAD.search(text):
        return None
    period = _period(match["when"].strip())
    if period is None:
        return None
    first, last = period
    starts = (match["edge"] or "").lower().startswith(("start", "beginning"))
    if match.groupdict().get("before"):
        day = last + timedelta(1) if match["edge"] and not starts else first
        return day - timedelta(1)
    return first if starts else last


def without_as_of(question: str) -> str:
    """The question without the words that name the day, which its answer needn't have; as it is where none is read."""
    if as_of_in(question) is None:
        return question
    text = " ".join(question.split())
    rest = (_STATE if _STATE.search(text) else _BEFORE).sub("", text)
    rest = re.sub(r"\s+([?,.])", r"\1", rest).strip(" ,;:")
    return rest[:1].upper() + rest[1:] if len(rest.split()) > 1 else question


def _period(text: str) -> tuple[date, date] | None:
    """First and last day of a day, a month or a year."""
    if text.isdigit():
        year = int(text)
        return (date(year, 1, 1), date(year, 12, 31)) if 1900 <= year <= 2100 else None
    day = parse_date(text)
    if day is None:
        return None
    if len(re.findall(r"\d+", text)) > 1:
        return day, day
    return day, day.replace(day=monthrange(day.year, day.month)[1])
