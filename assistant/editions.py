"""Editions of one document: which is superseded by which."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from assistant.questions import stem, stems, words
from corpus.dating import in_words
from corpus.types import Document

if TYPE_CHECKING:
    from embeddings.view import DocumentSummary  # brings NumPy

    Edition = Document | DocumentSummary

OPENING = 3000
"""Characters at the start of a document in which it may say what it replaces, or what has replaced it."""
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)"
)
_EDITION = re.compile(
    r"\b(?:(?:v|ver|version|revision|rev|edition|issue)\.? ?\d+(?:\.\d+)*|\d+(?:st|nd|rd|th) edition"
    r"|draft|final|revised|updated|superseded|(?:19|20)\d\d-\d\d-\d\d|\d\d?[./-]\d\d?[./-](?:(?:19|20)\d\d|\d\d)"
    rf"|(?:(?:\d\d?(?:st|nd|rd|th)? )?{_MONTH},? )?(?:19|20)\d\d(?:[-–/](?:19|20)?\d\d)?"
    rf"|{_MONTH} \d\d?(?:st|nd|rd|th)?,? (?:19|20)\d\d)\b",
    re.I,
)
"""What tells the editions of one title apart; other numbers, as in "Zone 3", are of another thing."""
_SERIES = re.compile(
    r"\b(?:policy|policies|plan|strategy|guidance|guidelines?|procedures?|rules?|terms|handbook|manual|code|framework|"
    r"charter|protocol|standards?|fees|charges|tariffs?|prices|timetable|constitution|scheme)\b",
    re.I,
)
"""What has editions: minutes, bulletins and reports of the same name don't replace each other."""
_VERSION = re.compile(r"\b(?:v|ver|version|revision|rev|edition|issue)\.? ?(?P<number>\d+(?:\.\d+)*)\b", re.I)
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_REPLACES = re.compile(r"\b(?:replaces|supersedes|takes the place of|replacing|superseding|is a revision of)\b", re.I)
_REPLACED = re.compile(
    r"\b(?:this (?:\w+ ){1,3}(?:has been|was|is|is now) |^)(?:superseded|replaced|withdrawn and replaced) by\b", re.I
)

_DENIED = re.compile(
    r"\b(?:not|cannot|never|no(?! longer)|nothing|none|neither|nor|without|if|would|could|might|propos\w*"
    r"|consider\w*)\b|n[’']t\b",
    re.I,
)
"""Before the verb of its sentence: nothing is replaced, or not yet."""


def superseded_by(documents: Sequence[Document], listed: Sequence[Edition] = ()) -> dict[str, str]:
    """Id of each superseded document, with the id of the newest of these and the listed that supersedes it.

    It is said in the opening of either, or both have one title but for draft or final, version, year or date, and it
    is the title of something that has editions.

    Args:
        listed: what else is indexed; only the titles are looked at.
    """
    found: dict[str, str] = {}
    for old in documents:
        newest: Edition | None = None
        for new in (*documents, *(d for d in listed if same_title(d, old))):
            if _supersedes(new, old) and not _supersedes(old, new) and (newest is None or _supersedes(new, newest)):
                newest = new
        if newest is not None:
            found[old.id] = newest.id
    return found


def superseded(documents: Sequence[Document], listed: Sequence[Edition] = ()) -> dict[str, tuple[str, Edition]]:
    """Id of each superseded document, with a sentence that tells it to the reader, and what supersedes it; by path."""
    known: dict[str, Edition] = {d.id: d for d in (*listed, *documents)}
    found = sorted(superseded_by(documents, listed).items(), key=lambda pair: known[pair[0]].path)
    return {old: (f"{_named(known[old])} is superseded by {_named(known[new])}.", known[new]) for old, new in found}


def same_title(one: Edition, other: Edition) -> bool:
    """Whether two titles differ in nothing but draft or final, version, year or date."""
    return bare_title(one.title) == bare_title(other.title)


def has_editions(document: Edition) -> bool:
    """Whether its title names something that is published anew from time to time, as policies are."""
    return _SERIES.search(document.title) is not None


def says_replacing(document: Document) -> bool:
    """Whether its opening speaks of what it replaces."""
    return _REPLACES.search(document.text[:OPENING]) is not None


def _named(document: Edition) -> str:
    day = document.date
    return f"“{document.title}”" + (f" ({in_words(day)})" if day else "")


def _supersedes(new: Edition, old: Edition) -> bool:
    if new.id == old.id:
        return False
    if _says(_REPLACES, new, old) or _says(_REPLACED, old, new):
        return True
    if not _SERIES.search(old.title) or not same_title(new, old) or not bare_title(old.title):
        return False
    ours, theirs = _edition(new), _edition(old)
    return any(a > b for a, b in zip(ours, theirs, strict=True) if a and b and a != b) and not any(
        a < b for a, b in zip(ours, theirs, strict=True) if a and b
    )


def _says(verb: re.Pattern[str], document: Edition, other: Edition) -> bool:
    """Whether a sentence doesn't deny the verb and after it names the other by its title, with its year."""
    if not isinstance(document, Document):
        return False
    wanted = stems(_EDITION.sub(" ", other.title)) - {"the", "of", "and", "for", "to"}
    years = _YEAR.findall(other.title)
    for match in verb.finditer(document.text[:OPENING]):
        after = re.split(r"[.;\n]\s", document.text[match.end() : match.end() + 200])[0]
        if _DENIED.search(re.split(r"[.;!?]\s|\n\s*\n", document.text[: match.start()])[-1]):
            continue
        if len(wanted) > 1 and wanted <= stems(after) and (not years or not _YEAR.search(after) or years[0] in after):
            return True
    return False


@lru_cache(20_000)
def bare_title(title: str) -> str:
    """Stems of a title without draft or final, version, year or date: the same for the editions of one document."""
    return " ".join(stem(w) for w in words(_EDITION.sub(" ", title)))


def _edition(document: Edition) -> tuple[tuple[int, ...], ...]:
    """Version, whether it is more than a draft, year of the title, date: greater for the later; empty where unknown."""
    version, title = _VERSION.search(document.title), document.title.lower()
    return (
        tuple(int(n) for n in version["number"].split(".")) if version else (),
        (1,) if re.search(r"\bdraft\b", title) else (2,),
        tuple(int(y) for y in _YEAR.findall(title)[-1:]),
        document.date.timetuple()[:3] if document.date else (),
    )
