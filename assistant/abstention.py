"""Saying that the documents don't hold the answer, and why."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.evidence import missing_names, sentences_of
from assistant.questions import AnswerKind, Question, has_kind
from assistant.retrieval import Retrieval
from assistant.types import Refusal, RefusalReason

NEAREST = 3
"""Passages shown with a refusal."""

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


def refuse(question: Question, found: Retrieval, *, drafted: bool) -> Refusal:
    """The refusal that fits.

    Args:
        drafted: the generator wrote something, and nothing of it passed verification.
    """
    passages, documents = found.passages, found.snapshot.documents
    nearest = tuple(passages[:NEAREST])
    searched = f"{documents:,} document{'s' if documents != 1 else ''} searched"
    reason: RefusalReason = "weak_evidence"
    if not question.terms:
        return Refusal("out_of_scope", "This isn’t a question that documents can answer. Ask about something they say.")
    if not passages:
        return Refusal("nothing_found", f"Nothing in the documents matches this question ({searched}).")
    unknown = [n for n in question.names if not found.counts.get(n)]
    if drafted:
        reason, why = "unsupported_draft", "An answer was drafted, but the documents don’t say what it says"
    elif unknown:
        why = f"No document mentions {_listed(unknown)}"
    else:
        read = [e for p in passages[:NEAREST] for e in sentences_of(p)]
        about = [e for e in read if not missing_names(question, e, found.common)]
        shapeless = question.kind != "any" and not any(has_kind(question.kind, e.text, question) for e in about)
        unheard = [w for w, count in found.counts.items() if not count and len(w) > 3]
        if question.names and not about:
            why = f"The documents mention {_listed(question.names)}, but not in what comes nearest to this question"
        elif unheard and (question.kind == "name" or not shapeless):
            why = f"No document mentions {_listed(unheard[:3])}"
        elif shapeless:
            why = f"The passages nearest to this question don’t give {_KINDS[question.kind]} for it"
        else:
            why = "The documents touch on this, but none of them says what was asked"
    return Refusal(reason, f"{why} ({searched}).", nearest)


def _listed(names: Sequence[str]) -> str:
    quoted = [f"“{n}”" for n in names]
    return quoted[0] if len(quoted) == 1 else ", ".join(quoted[:-1]) + " and " + quoted[-1]
