"""What a report shows, as a file and in a real browser, with and without scripts."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from eval.report import render
from eval.scorers import DEFAULT as SCORES
from eval.types import Case, CaseResult, Citation, Evidence, Offered, Report, Response, Sentence

ROOT = Path(__file__).parents[3]


def test_table_of_scores_tells_absent_from_zero(council: Report) -> None:
    page = render(council)
    text = re.sub(r"\s+", " ", re.sub(r"<(?!/?t[hd])[^>]*>", "", page))
    assert re.search(
        r"facts</th> <td[^>]*>0\.750</td>.*?0\.467 to 0\.911</td> <td[^>]*>12 questions</td>.*?↑ higher", text
    )
    assert re.search(r"rouge_l</th> <td[^>]*>does not apply</td> <td[^>]*>0 questions", text)
    assert "✓ met, at least 0.7" in text and "✗ missed, at most 0.1" in text and "1 of 2 thresholds met" in text


TEXT = "One line of a page.\nThe fee is  £30\nan hour. The fee is £30 an hour, they said."


@pytest.mark.parametrize(
    ("quote", "start", "end", "marked"),
    [
        ("The fee is £30 an hour", 145, 167, "The fee is £30 an hour"),
        ("The fee is £30 an hour", None, None, "The fee is  £30\nan hour"),
        ("The fee is £30 an hour", 100, 122, "The fee is  £30\nan hour"),
        ("", 104, 108, "line"),
        ("", 90, 120, None),
        ("The fee is £31", None, None, "The fee is £31"),
    ],
)
def test_marked_are_the_cited_words(
    council: Report, quote: str, start: int | None, end: int | None, marked: str | None
) -> None:
    """Where the passage, whose text starts at character 100, hasn't got the words, the quote is marked beside it."""
    citation = Citation(1, "fees.txt", quote, start, end, Offered(1, "fees.txt", TEXT, start=100))
    case = CaseResult(Case("1", "", "?"), Response("1", "", False, (Sentence("It is £30.", (citation,)),)))
    page = render(replace(council, results=(case,)))
    assert re.findall("<mark>(.*?)</mark>", page, re.S) == ([] if marked is None else [marked])
    assert ("does not hold these words" in page) == (quote.endswith("31"))


def test_missing_extra_is_named() -> None:
    tried = "import sys; sys.modules['jinja2'] = None; from eval.report import render; render(None)"
    run = subprocess.run([sys.executable, "-c", tried], cwd=ROOT, capture_output=True, text=True)
    assert "UsageError: A report needs the extra eval: pip install 'passim-assistant[eval]'." in run.stderr


def test_same_report_same_bytes(council: Report) -> None:
    assert render(council) == render(council)


def test_long_texts_are_cut_and_say_so(council: Report) -> None:
    long = "The budget rose. " * 70_000
    case = CaseResult(Case("1", long, long), Response("1", long, False, (Sentence(long),)))
    page = render(replace(council, results=(case,)))
    assert len(page) < 100_000
    assert f"({len(long) - 6000:,} more characters)" in page


def test_thousand_questions_stay_small(council: Report) -> None:
    document = "A sentence of the minutes that says what was decided and why. " * 60
    quote = document[620:800]
    offered = [Offered(n, f"minutes-{n}.pdf", document, "Minutes", start=0) for n in range(1, 4)]
    cites = tuple(Citation(o.number, o.document, quote, 620, 800, o) for o in offered)
    response = Response("", quote, False, (Sentence(quote, cites, "quoted"),) * 3, seconds=0.2)
    gold = (Evidence("minutes-1.pdf", quote),)
    cases = [Case(str(n), f"kind {n % 7}", f"What was decided in item {n}?", evidence=gold) for n in range(1000)]
    results = tuple(CaseResult(case, response, dict.fromkeys(SCORES, 0.5)) for case in cases)
    assert len(render(replace(council, results=results)).encode()) < 15_000_000


def opened_row(page: Any, identifier: str) -> Any:
    row = page.locator(f".case:has(#{identifier})")
    row.locator("summary").click()
    return row


def test_row_opens_and_shows_the_span_in_its_passage(visit: Callable[..., Any], council: Report) -> None:
    row = opened_row(visit(council), "q03")
    assert (
        row.locator("mark").inner_text()
        == "The library on Quill Street opens at 9am from Monday to Friday and at 10am on Saturday."
    )
    assert "It has a reading room" in row.locator("blockquote").first.inner_text()
    assert "cited by statement 1 [2]" in row.inner_text()
    assert row.locator("ol").first.locator("li").all_inner_texts() == ["When does the library open?", "On Saturday?"]


def test_row_shows_what_is_wrong(visit: Callable[..., Any], council: Report) -> None:
    page = visit(council)
    assert "✗ invented [7]: nothing of that name was offered" in opened_row(page, "q04").inner_text()
    left_out = opened_row(page, "q02").locator(".out").all_inner_texts()
    assert ["left out: unsupported" in left_out[0], "left out: uncited" in left_out[1]] == [True, True]
    assert "does not hold these words" in opened_row(page, "q09").inner_text()
    crash = opened_row(page, "q10").inner_text()
    assert "the reranker stopped answering after 30 s" in crash and "✗ not cited" in crash
    refusal = opened_row(page, "q05").inner_text()
    assert "The documents say nothing of this" in refusal and "refusing was right" in refusal
    assert re.search(r"Does not apply: facts, citation_f1", refusal)
    assert "the whole passage" in opened_row(page, "q11").inner_text()


def shown(page: Any) -> list[str]:
    return page.locator(".case:visible .id").all_inner_texts()


def test_filters_order_and_search(visit: Callable[..., Any], council: Report) -> None:
    page = visit(council)
    page.get_by_role("button", name="Refused").click()
    assert shown(page) == ["q05", "q06", "q08"]
    page.get_by_role("combobox", name="Kind").select_option(label="comparison")
    assert shown(page) == ["q08"]
    page.get_by_role("combobox", name="Kind").select_option(label="every kind")
    page.get_by_role("button", name="Crashed").click()
    assert shown(page) == ["q10"]
    page.get_by_role("button", name="Lost a point").click()
    assert {"q07", "q08", "q10"} <= set(shown(page)) and not {"q05", "q06"} & set(shown(page))
    page.get_by_role("button", name="All", exact=True).click()
    page.get_by_role("searchbox", name="Search").fill("CARERS")
    assert shown(page) == ["q04", "q09"]
    assert page.locator("output").inner_text() == "2 of 12 questions"
    page.get_by_role("searchbox", name="Search").fill("")
    page.get_by_role("combobox", name="Order").select_option(label="facts, lowest first")
    assert shown(page)[:2] == ["q08", "q10"] and shown(page)[-3:] == ["q05", "q06", "q07"]
    page.get_by_role("combobox", name="Order").select_option(label="of the data set")
    assert shown(page) == [f"q{n:02}" for n in range(1, 13)]


@pytest.mark.parametrize("scripts", [True, False])
def test_link_opens_its_question(visit: Callable[..., Any], council: Report, scripts: bool) -> None:
    page = visit(council, "#q07", java_script_enabled=scripts)
    assert page.locator(".case:has(#q07)").get_attribute("open") is not None
    assert page.locator(".case[open]").count() == 1


def test_readable_without_scripts(visit: Callable[..., Any], council: Report) -> None:
    page = visit(council, java_script_enabled=False)
    assert not page.locator(".controls").is_visible()
    assert opened_row(page, "q12").locator("mark").inner_text() == "the heating is off from May to September"


def luminance(colour: str) -> float:
    """Of `#rrggbb`, as WCAG 2 has it."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast_of_text(visit: Callable[..., Any], council: Report, scheme: str) -> None:
    page = visit(council, color_scheme=scheme)
    colours = "ink soft accent good bad paper wash mark marked".split()
    style = "getComputedStyle(document.documentElement)"
    values = page.evaluate(f"names => names.map(name => {style}.getPropertyValue('--' + name).trim())", colours)
    light = {name: luminance(value) for name, value in zip(colours, values, strict=True)}
    pairs = [("marked", "mark"), *((ink, paper) for ink in colours[:5] for paper in ("paper", "wash"))]
    for one, other in pairs:
        low, high = sorted((light[one], light[other]))
        assert (high + 0.05) / (low + 0.05) >= 4.5, (one, other)


@pytest.mark.parametrize("width", [320, 400, 800, 1600])
def test_nothing_runs_off_the_side(visit: Callable[..., Any], council: Report, width: int) -> None:
    long = "W" * 400
    citation = Citation(1, long, long, passage=Offered(1, long, long, long))
    case = Case(long, long, long, evidence=(Evidence(long, long),), references=(long,))
    extra = CaseResult(case, Response("", long, False, (Sentence(long, (citation,), long),)), {long: 0.5})
    page = visit(replace(council, results=(*council.results, extra)), viewport={"width": width, "height": 800})
    page.get_by_role("button", name="Open all").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_works_with_the_keyboard(visit: Callable[..., Any], council: Report) -> None:
    page = visit(council)
    page.locator(".case summary").first.focus()
    page.keyboard.press("Enter")
    assert page.locator(".case[open] .id").first.inner_text() == "q01"
    levels = [int(page.evaluate("e => e.tagName[1]", h)) for h in page.query_selector_all("h1, h2, h3")]
    assert levels[0] == 1 and all(after - before <= 1 for before, after in pairwise(levels))
