"""An edition gives way to the next; what merely has the same name doesn't."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.editions import superseded, superseded_by
from corpus.types import Document
from embeddings.view import DocumentSummary


def document(number: int, title: str, text: str = "", day: date | None = None) -> Document:
    return Document(f"id-{number}", f"{number}.txt", title, day, None, text)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (document(1, "Parking policy 2019"), document(2, "Parking policy 2023")),
        (document(1, "Parking Policy v1.9"), document(2, "Parking policy v1.10")),
        (document(1, "Parking policy (draft)"), document(2, "Parking policy (final)")),
        (document(1, "Parking policy", day=date(2019, 1, 1)), document(2, "Parking policy", day=date(2023, 1, 1))),
        (document(1, "Fees and charges 2023/24"), document(2, "Fees and charges 2024/25")),
        (document(1, "Bus timetable, March 2023"), document(2, "Bus timetable, 5 August 2024")),
        (document(1, "Section 10 guidance (1st edition, 2019)"), document(2, "Section 10 guidance, 2nd edition 2021")),
        (document(1, "Stalls", "This policy was replaced by the Market Handbook."), document(2, "Market Handbook")),
        (document(1, "Rules for stalls"), document(2, "Market Handbook", "It replaces the Rules for Stalls of 2011.")),
    ],
)
def test_the_newer_edition_supersedes(old: Document, new: Document) -> None:
    assert superseded_by([old, new]) == superseded_by([new, old]) == {old.id: new.id}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (document(1, "Minutes, 5 March 2019"), document(2, "Minutes, 6 March 2023")),
        (document(1, "Parking policy 2019"), document(2, "Housing policy 2023")),
        (document(1, "Parking policy"), document(2, "Parking policy")),
        (document(1, ""), document(2, "")),
        (document(1, "Parking policy 2019 final"), document(2, "Parking policy 2023 draft")),
        (document(1, "Rules for stalls 2015"), document(2, "Handbook", "It replaces the Rules for Stalls of 2011.")),
    ],
)
def test_other_documents_dont(one: Document, other: Document) -> None:
    assert superseded_by([one, other]) == {}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Section 10 guidance", "Section 21 guidance"),
        ("Key Stage 1 handbook", "Key Stage 2 handbook"),
        ("Parking charges, Zone 3", "Parking charges, Zone 4"),
        ("Year 5 handbook 2023", "Year 6 handbook 2024"),
        ("Local plan, Part 3", "Local plan, Part 4"),
        ("Local plan: 12 High Street", "Local plan: 40 High Street"),
        ("March timetable", "August timetable"),
    ],
)
def test_a_number_or_month_without_a_year_tells_titles_apart(one: str, other: str) -> None:
    assert superseded_by([document(1, one, day=date(2023, 1, 1)), document(2, other, day=date(2024, 1, 1))]) == {}


@pytest.mark.parametrize(
    "text",
    [
        "Nothing here replaces the parking charges policy.",
        "This note does not say that it replaces the parking charges policy.",
        "It was never said that this\nreplaces the parking charges policy.",
        "If adopted, it replaces the parking charges policy.",
    ],
)
def test_what_is_denied_or_proposed_isnt_replaced(text: str) -> None:
    old = document(1, "Parking charges policy")
    assert superseded_by([old, document(2, "Market note", text)]) == {}
    said = document(2, "Market note", f"{text.split('.')[0]}, not yet. It replaces the parking charges policy.")
    assert superseded_by([old, said]) == {old.id: said.id}


def test_the_newest_of_three_is_named_once_for_each_older_one() -> None:
    documents = [document(y, f"Parking policy {y}", day=date(y, 5, 18)) for y in (2021, 2024, 2019)]
    assert tuple(said for said, _ in superseded(documents).values()) == (
        "“Parking policy 2019” (18 May 2019) is superseded by “Parking policy 2024” (18 May 2024).",
        "“Parking policy 2021” (18 May 2021) is superseded by “Parking policy 2024” (18 May 2024).",
    )


def test_a_newer_edition_is_found_in_the_list_of_what_is_indexed() -> None:
    listed = [DocumentSummary(f"id-{y}", f"{y}.txt", f"Parking policy {y}", None, 1, None) for y in (2019, 2023)]
    listed.append(DocumentSummary("id-9", "9.txt", "Housing policy 2024", None, 1, None))
    old = document(2019, "Parking policy 2019")
    said = "“Parking policy 2019” is superseded by “Parking policy 2023”."
    assert superseded([old], listed) == {old.id: (said, listed[1])}
    assert superseded([document(2023, "Parking policy 2023")], listed) == {}


@given(st.lists(st.tuples(st.text(), st.text(), st.none() | st.dates()), max_size=4))
def test_any_documents_are_compared(rows: list[tuple[str, str, date | None]]) -> None:
    documents = [document(n, *row) for n, row in enumerate(rows)]
    found = superseded_by(documents)
    assert all(old != new and found.get(new) != old for old, new in found.items())
