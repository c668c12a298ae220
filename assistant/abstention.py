"""Saying that the documents don't hold the answer, and why."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from assistant.evidence import missing_names, sentences_of
from assistant.prompting import refuses
from assistant.questions import STOPWORDS, AnswerKind, Question, has_kind, holds, name_words, stems, words
from assistant.retrieval import Retrieval
from assistant.types import Passage, Refusal, RefusalReason, Statement
from corpus.sanitizing import sanitize

NEAREST = 3
"""Passages shown with a refusal."""
_MOST_LISTED = 3
_MOST_QUOTED = 60
"""Characters of a name or title that an explanation repeats."""
_LEAST_WORD = 4
"""Letters of a word whose absence says something."""
_VALUE = re.compile(r"(?<=^the )(\w+) .*(?= (?:isn't|belongs) )|,? ['\"].*['\"]", re.S)
"""What a reason for leaving a sentence out repeats of the sentence or of its source."""
_MOST_REASON = 80
"""Characters."""

_KINDS: dict[AnswerKind, str] = {
    "name": "a name",
    "place": "a place",
    "date": "a date",
    "time": "a time of day",
    "money": "an amount of money",
    "percentage": "a share or percentage",
    "number": "a number",
    "duration": "a length of time or distance",
    "phone": "a telephone number",
    "email": "an e-mail address",
    "url": "a web address",
}


def refuse(
    question: Question,
    found: Retrieval,
    statements: Sequence[Statement] = (),
    *,
    searched: int | None = None,
) -> Refusal:
    """The refusal that fits.

    Args:
        statements: what the generator wrote, none of which passed verification.
        searched: documents that a filter left; None for all.
    """
    documents = found.snapshot.documents
    searched = documents if searched is None else searched
    if not question.terms:
        why = "This isn’t a question that documents can answer. Ask about something they say."
        return Refusal("out_of_scope", why, searched=searched)
    missing = _missing(question, found)
    if not searched:
        why = f"The filter leaves none of {_counted(documents)}" if documents else "The index holds no documents"
        return Refusal("nothing_found", f"{why}.", missing=missing)
    written = [s for s in statements if not refuses(s.text)]
    reason: RefusalReason = "unsupported_draft" if written else "weak_evidence" if found.passages else "nothing_found"
    why = _left_out(written) if written else _why(question, found, missing)
    scope = f"{searched:,} of {_counted(documents)}" if searched < documents else _counted(documents)
    return Refusal(reason, f"{why} ({scope} searched).", found.passages[:NEAREST], missing, searched)


def _missing(question: Question, found: Retrieval) -> tuple[str, ...]:
    """Names, then words, that no document holds; a word of such a name isn't repeated."""
    names = [n for n in question.names if not found.counts.get(n)]
    named = stems(" ".join(question.names))
    return (*names, *(w for w in _words(question) if not found.counts.get(w, 1) and not holds(w, named)))


def _words(question: Question) -> list[str]:
    """Content words as they were typed, each once."""
    found = (w for w in words(question.text) if w.lower() not in STOPWORDS and len(w) >= _LEAST_WORD)
    return list({w.lower(): w for w in found}.values())


def _why(question: Question, found: Retrieval, missing: Sequence[str]) -> str:
    if unknown := [name for name in missing if name in question.names]:
        return f"No document mentions {_listed(unknown, 'or')}"
    if not found.passages:
        return "Nothing in the documents matches this question"
    read = [e for p in found.passages[:NEAREST] for e in sentences_of(p)]
    about = [e for e in read if not missing_names(question, e, found.common)]
    shapeless = question.kind != "any" and not any(has_kind(question.kind, e.text, question) for e in about)
    if not about and (names := [n for n in question.names if n not in found.common]):
        return _apart(names, found)
    if missing and (question.kind == "name" or not shapeless):
        return f"No document mentions {_listed(missing, 'or')}"
    if shapeless:
        return f"The passages nearest to this question don’t give {_KINDS[question.kind]} for it"
    nearest = found.passages[0]
    lacking = [w for w in _words(question) if not holds(w, _said(nearest))]
    if lacking:
        return f"What comes nearest, in {_quoted(nearest.document.title)}, doesn’t mention {_listed(lacking, 'or')}"
    return f"What comes nearest, in {_quoted(nearest.document.title)}, is on this but doesn’t say what was asked"


def _apart(names: Sequence[str], found: Retrieval) -> str:
    """Which of the names, all of which documents mention, the passages found don't bring together."""
    near = [_said(p) for p in found.passages]
    absent = [n for n in names if not any(all(holds(w, said) for w in name_words(n)) for said in near)]
    present = [n for n in names if n not in absent]
    if not absent:
        together = "none says anything of them together" if len(present) > 1 else "none says this of it"
        return f"Passages mention {_listed(present)}, but {together}"
    beside = f" together with {_listed(present)}" if present else ""
    return f"Documents mention {_listed(absent)}, but no passage near to this question does{beside}"


def _said(passage: Passage) -> set[str]:
    return stems(" ".join((passage.document.title, *passage.chunk.headings, passage.chunk.text)))


def _left_out(written: Sequence[Statement]) -> str:
    """How many sentences were written, and why none is shown; nothing that they say."""
    plain = [_VALUE.sub(lambda m: m[1] or " …", s.reason or "the cited text doesn't say it") for s in written]
    reasons = Counter(reason if len(reason) <= _MOST_REASON else "the cited text doesn't say it" for reason in plain)
    listed = "; ".join(reason if len(reasons) == 1 else f"{n}: {reason}" for reason, n in reasons.most_common())
    counted = "1 sentence was" if len(written) == 1 else f"{len(written)} sentences were"
    return f"{counted} written, but none that the documents support ({listed})"


def _counted(documents: int) -> str:
    return f"{documents:,} document{'s' if documents != 1 else ''}"


def _listed(names: Iterable[str], joined: str = "and") -> str:
    *first, last = [_quoted(n) for n in names]
    if len(first) >= _MOST_LISTED:
        return f"{', '.join(first[:_MOST_LISTED])} {joined} {len(first) + 1 - _MOST_LISTED} more"
    return f"{', '.join(first)} {joined} {last}" if first else last


def _quoted(text: str) -> str:
    text = " ".join(sanitize(text).split())
    return f"“{text if len(text) <= _MOST_QUOTED else text[: _MOST_QUOTED - 1] + '…'}”"
