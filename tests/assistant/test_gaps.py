"""What people asked that the documents couldn't answer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from assistant.answering import STOPPED
from assistant.api import Assistant
from assistant.records.gaps import Gap, gaps, render_gaps
from assistant.records.history import Context, Record
from embeddings.types import Where

DAY = datetime(2024, 3, 1, 12, tzinfo=UTC)


def asked(day: int, question: str, reason: str | None, context: Context | None = None, **refusal: Any) -> Record:
    """A record of the given day of March 2024; without a reason, an answer."""
    kept = None if reason is None else {"reason": reason, "explanation": "", **refusal}
    answer = {"standalone_question": question, "refusal": kept}
    return Record(day, "talk", DAY.replace(day=day), question, answer, context)


def test_refusals_of_one_question_are_one_gap_most_asked_first() -> None:
    found = gaps([
        asked(1, "When is the toy library open?", "weak_evidence", missing=["toy"]),
        asked(2, "Who keeps bees?", "nothing_found"),
        asked(3, "The toy library: when is it open?", "nothing_found", missing=[]),
        asked(4, "Who mends clocks?", "weak_evidence", missing=["clocks"]),
    ])  # fmt: skip
    assert found == [
        Gap("The toy library: when is it open?", 2, DAY.replace(day=3), "nothing_found", ()),
        Gap("Who mends clocks?", 1, DAY.replace(day=4), "weak_evidence", ("clocks",)),
        Gap("Who keeps bees?", 1, DAY.replace(day=2), "nothing_found", ()),
    ]


def test_an_answer_closes_a_gap_and_a_later_refusal_opens_it_again() -> None:
    refused, answered = asked(1, "Who keeps bees?", "weak_evidence"), asked(2, "Who keeps the bees?", None)
    assert gaps([refused, answered]) == []
    assert [(g.question, g.count) for g in gaps([answered, refused])] == [("Who keeps bees?", 1)]
    assert [g.count for g in gaps([refused, refused, answered, refused])] == [1]


def test_what_says_nothing_of_the_documents_is_no_gap() -> None:
    assert gaps([]) == []
    assert gaps([
        asked(1, "Hello, who are you?", "out_of_scope"),
        asked(2, "Which library opens?", "underspecified"),
        asked(3, "And it?", "weak_evidence"),
        asked(4, "Who keeps bees?", "weak_evidence", Context(where=Where(paths=("minutes/*",)))),
        asked(4, "Who keeps ducks?", "unsupported_draft", explanation=STOPPED),
        asked(5, "Who keeps goats?", "weak_evidence", Context(as_of=date(2020, 1, 1))),
    ]) == []  # fmt: skip


def test_an_old_refusal_that_names_nothing_counts() -> None:
    (gap,) = gaps([asked(1, "Who keeps bees?", "weak_evidence")])
    assert gap.missing == ()
    assert gap.to_dict() == {
        "question": "Who keeps bees?", "count": 1, "last": "2024-03-01T12:00:00+00:00", "reason": "weak_evidence",
        "missing": [],
    }  # fmt: skip


def test_gaps_of_real_conversations_as_text(open_museum: Callable[..., Assistant], tmp_path: Path) -> None:
    with open_museum() as desk:
        for question in ("Who is the mayor of Leeds?", "What is it?", "Who was the mayor of Leeds?"):
            assert desk.ask(question).refused
        assert not desk.ask("How much did the repairs to the roof cost?").refused
        records = desk.history()
    day = records[2].asked.astimezone().date()
    assert render_gaps(gaps(records)) == (
        f"2 × Who was the mayor of Leeds?\n       last asked {day}: no document mentions Leeds, mayor"
    )
    assert render_gaps([]) == "Every question was answered, or none was asked."
