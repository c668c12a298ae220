from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.dating import document_date, parse_date
from corpus.types import Block, Extracted

NOTHING = Extracted(())


def dated(*lines: str, name: str = "a.txt", extracted: Extracted = NOTHING) -> object:
    return document_date(extracted, [Block("paragraph", line) for line in lines], name)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("28 April 2023", date(2023, 4, 28)),
        ("Tuesday, 3rd May 2022 at 7.30pm", date(2022, 5, 3)),
        ("March 5, 2024", date(2024, 3, 5)),
        ("2024-05-01T10:00:00Z", date(2024, 5, 1)),
        ("01/05/2024", date(2024, 5, 1)),
        ("Sept 2023", date(2023, 9, 1)),
        ("this 7th day of March 2024", None),
        ("31/02/2024", None),
        ("2024", None),
        ("5 March", None),
        ("1 May 3024", None),
    ],
)
def test_dates_are_read_day_first(text: str, expected: date | None) -> None:
    assert parse_date(text) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("28 April 2023", date(2023, 4, 28)),
        ("Published on 3 May 2022", date(2022, 5, 3)),
        ("Published: 3 May 2022 | By Jane Doe", date(2022, 5, 3)),
        ("Page last updated: 2 April 2024", date(2024, 4, 2)),
        ("Date: Wed, 14 Feb 2024 16:12:00 +0000", date(2024, 2, 14)),
        ("Dated this 7th day of March 2024", date(2024, 3, 7)),
        ("Minutes of the Planning Committee held on Tuesday 12 March 2024 at the Town Hall", date(2024, 3, 12)),
        ("The Gazette – 3 May 2024", date(2024, 5, 3)),
        ("A leaflet for residents, revised April 2024", date(2024, 4, 1)),
        ("The report was published on 14 July 2017 and can be found here", None),
        ("The inspection was held on 28 April – 25 May 2017.", None),
        ("Consultation closes: 5 May 2024", None),
        ("The next meeting will be held on 5 May 2024", None),
        ("We met on 3 May 2022 and agreed.", None),
    ],
)
def test_only_a_line_that_dates_the_document_counts(line: str, expected: date | None) -> None:
    assert dated("A title", line, "Some text.") == ((expected, "text") if expected else (None, None))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("in/2024-05-01 minutes.txt", date(2024, 5, 1)),
        ("minutes_20240501.pdf", date(2024, 5, 1)),
        ("01-05-2024.md", date(2024, 5, 1)),
        ("fees May 2024.csv", date(2024, 5, 1)),
        ("12march2024.txt", date(2024, 3, 12)),
        ("report_2024-03.txt", date(2024, 3, 1)),
        ("2024/minutes.txt", None),
        ("1068aff8827432ad.txt", None),
        ("policy-2023.md", None),
        ("20231332.txt", None),
    ],
)
def test_a_date_in_the_name(name: str, expected: date | None) -> None:
    assert dated("Some text.", name=name) == ((expected, "name") if expected else (None, None))


def test_what_is_declared_goes_before_text_before_name_before_stamp() -> None:
    declared = Extracted((), date=date(2020, 1, 1), created=date(2021, 1, 1))
    stamped = Extracted((), created=date(2021, 1, 1))
    assert dated("1 May 2022", name="2023-01-01.txt", extracted=declared) == (date(2020, 1, 1), "metadata")
    assert dated("1 May 2022", name="2023-01-01.txt", extracted=stamped) == (date(2022, 5, 1), "text")
    assert dated("Text.", name="2023-01-01.txt", extracted=stamped) == (date(2023, 1, 1), "name")
    assert dated("Text.", extracted=stamped) == (date(2021, 1, 1), "metadata")


def test_a_date_line_in_the_middle_is_not_the_documents() -> None:
    assert dated(*["Some text."] * 20, "1 May 2022", *["Some text."] * 20) == (None, None)
    assert dated(*["Some text."] * 20, "Last updated: 1 May 2022") == (date(2022, 5, 1), "text")


@given(st.dates(date(1900, 1, 1), date(2100, 12, 31)))
def test_every_day_is_read_in_every_form(day: date) -> None:
    for form in ("%d %B %Y", "%-d %b %Y", "%B %d, %Y", "%Y-%m-%d", "%d/%m/%Y", "%A %d %B %Y"):
        assert parse_date(day.strftime(form)) == day


@given(st.text(max_size=200), st.text(max_size=60))
def test_no_text_is_an_error(text: str, name: str) -> None:
    found, source = document_date(NOTHING, [Block("paragraph", text)], name)
    assert (found is None) == (source is None)
