"""A document's date, and where it was found."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

from corpus.types import Block, DateSource, Extracted

TOP_LINES = 15
"""Lines below the start of a document in which its own date may stand."""
BOTTOM_LINES = 8

_MONTH_NAMES = (
    ("january", "jan"),
    ("february", "feb"),
    ("march", "mar"),
    ("april", "apr"),
    ("may",),
    ("june", "jun"),
    ("july", "jul"),
    ("august", "aug"),
    ("september", "sept", "sep"),
    ("october", "oct"),
    ("november", "nov"),
    ("december", "dec"),
)
_MONTHS = {name: number for number, names in enumerate(_MONTH_NAMES, 1) for name in names}
_MONTH = "(?:" + "|".join(sorted(_MONTHS, key=len, reverse=True)) + r")\.?"
_WEEKDAY = r"(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?\.?,?\s+)?"
_ORDINAL = r"(?:st|nd|rd|th)?"
_DATE = (
    rf"(?:{_WEEKDAY}(?P<day>\d{{1,2}}){_ORDINAL}(?:\s+day)?(?:\s+of)?[\s-]+(?P<month>{_MONTH}),?[\s-]+"
    r"(?P<year>\d{4})"
    rf"|{_WEEKDAY}(?P<month2>{_MONTH})\s+(?P<day2>\d{{1,2}}){_ORDINAL},?\s+(?P<year2>\d{{4}})"
    r"|(?P<year3>\d{4})[-/.](?P<month3>\d{1,2})[-/.](?P<day3>\d{1,2})(?:T[\d:.]+Z?)?"
    r"|(?P<day4>\d{1,2})[-/.](?P<month4>\d{1,2})[-/.](?P<year4>\d{4})"
    rf"|(?P<month5>{_MONTH}),?\s+(?P<year5>\d{{4}}))"
)
_TIME = (
    r"(?:\s*\d\d:\d\d:\d\d(?:\s*[+-]\d{4}|\s*[A-Z]{3})?"
    r"|\s*(?:,|at|from|-|–)?\s*\d{1,2}(?:[:.]\d\d)?\s*(?:[ap]\.?m\.?|hrs)?(?:\s*(?:-|–|to)\s*\d{1,2}[:.]\d\d.{0,6})?)?"
)
_LABEL = (
    r"(?:(?:first|last|originally|date|page last)?\s*(?:published|updated|reviewed|revised|modified|issued|"
    r"posted|adopted|approved|released|dated|sent)(?:\s+on|\s+this)?"
    r"|(?:publication|meeting|issue|release|review|effective|posting)\s+date"
    r"|date(?:\s+(?:of\s+)?(?:meeting|publication|issue|report))?"
    r"|in force from|effective(?:\s+from)?|with effect from|as at)"
)
_KIND = (
    r"\b(?:minutes|meeting|agenda|newsletter|bulletin|(?:press|news|media)\s+(?:release|statement)|report|notice|"
    r"briefing|memo(?:randum)?|statement|circular|edition|issue|version|policy|published|updated|issued|adopted|"
    r"approved|revised|leaflet|guide|fact\s?sheet|brochure|plan|strategy|guidance)\b"
)
_DATE_ALONE = re.compile(rf"\W*{_DATE}{_TIME}\W*", re.I)
_LABELLED = re.compile(rf"\W*{_LABEL}\s*[:–-]?\s*{_DATE}{_TIME}(?:\W*|\s*[|·•(,;–-].*)", re.I)
_OTHER_EVENT = r"\b(?:will|to be|was|were|next|clos\w+|deadline|until|before|by|since|after)\b"
_IN_TITLE = re.compile(
    rf"(?=.*{_KIND})(?!.*{_OTHER_EVENT})[^.]*?[\s(,:|–-]{_DATE}{_TIME}(?:\W*|\s*(?:,|at|in|\||·|–|-)\s*[^.]*)",
    re.I,
)
_BESIDE = re.compile(rf"(?:.{{1,60}}\s[|·•–—]\s)?{_DATE}{_TIME}(?:\s[|·•–—]\s.{{1,60}})?", re.I)
_PLACE_AND_DATE = re.compile(rf"[A-Z][\w'’ ]{{1,30}},\s*{_DATE}", re.I)

_NAME_PATTERNS = (
    re.compile(r"(?<!\d)(?P<year>\d{4})[-_. ]?(?P<month>\d{2})[-_. ]?(?P<day>\d{2})(?!\d)"),
    re.compile(r"(?<!\d)(?P<day>\d{1,2})[-_. ](?P<month>\d{1,2})[-_. ](?P<year>\d{4})(?!\d)"),
    re.compile(
        rf"(?<!\d)(?P<day>\d{{1,2}})(?:st|nd|rd|th)?[-_. ]*(?P<month>{_MONTH})[-_. ]*(?P<year>\d{{4}})(?!\d)",
        re.I,
    ),
    re.compile(rf"(?<![a-z])(?P<month>{_MONTH})[-_. ]*(?P<year>\d{{4}})(?!\d)", re.I),
    re.compile(r"(?<!\d)(?P<year>\d{4})[-_](?P<month>\d{2})(?!\d)"),
)


def document_date(extracted: Extracted, blocks: Sequence[Block], name: str) -> tuple[date | None, DateSource | None]:
    """The date that a document gives itself.

    Tried in turn: what the file declares, the lines at its top and bottom, its name, the stamp of the program
    that made it. A date within a sentence belongs to what the sentence tells of, so only lines that are a
    date, or name the document beside one, count. The time of the file's last change isn't used.
    """
    if extracted.date:
        return extracted.date, "metadata"
    if found := _from_text(blocks):
        return found, "text"
    if found := _from_name(name):
        return found, "name"
    return (extracted.created, "metadata") if extracted.created else (None, None)


def parse_date(text: str) -> date | None:
    """The date that is the whole of `text`, day before month; the first of a month without a day."""
    match = _DATE_ALONE.fullmatch(text.strip()[:80])
    return _date(match) if match else None


def in_words(day: date) -> str:
    """As in 3 May 2024, which `parse_date` reads again."""
    return f"{day.day} {day:%B %Y}"


def _from_text(blocks: Sequence[Block]) -> date | None:
    lines = [line for block in blocks if block.kind != "row" for line in block.text.split("\n")]
    top = [line for line in lines[:TOP_LINES] if len(line) <= 160]
    bottom = [line for line in lines[max(TOP_LINES, len(lines) - BOTTOM_LINES) :] if len(line) <= 160]
    everywhere = (_LABELLED, _DATE_ALONE)
    for patterns, candidates in (
        (everywhere, top),
        ((_BESIDE, _PLACE_AND_DATE, _IN_TITLE), top),
        (everywhere, bottom),
    ):
        for line in candidates:
            for pattern in patterns:
                if (match := pattern.fullmatch(line)) and (found := _date(match)):
                    return found
    return None


def _from_name(name: str) -> date | None:
    stem = name.rsplit("/", 1)[-1].rsplit(".", 1)[0]
    for pattern in _NAME_PATTERNS:
        for match in pattern.finditer(stem):
            if found := _date(match):
                return found
    return None


def _date(match: re.Match[str]) -> date | None:
    parts = {name.rstrip("2345"): value for name, value in match.groupdict().items() if value}
    month = parts["month"].rstrip(".").lower()
    try:
        found = date(int(parts["year"]), _MONTHS.get(month) or int(month), int(parts.get("day", 1)))
    except ValueError:
        return None
    return found if 1900 <= found.year <= 2100 else None
