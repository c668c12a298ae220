"""A document as a web page: its text, the span, and nothing that is in force."""

from __future__ import annotations

import html
import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.service.pages import page
from corpus.types import Document, Page, Section

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&amp; [a](javascript:1) \u202e\x1b[31m"


def _document(
    text: str, pages: tuple[Page, ...] = (), sections: tuple[Section, ...] = (), title: str = "A"
) -> Document:
    return Document("a" * 32, "folder/a.pdf", title, date(2024, 3, 5), "text", text, sections, pages)


def _main(made: str) -> str:
    return re.search(r"<main>(.*)</main>", made, re.S)[1]


@given(st.data())
def test_whole_text_is_there_and_the_span_is_marked(data: st.DataObject) -> None:
    text = data.draw(st.text("ab<&\"' \n", min_size=1, max_size=60))
    places = sorted(data.draw(st.lists(st.integers(0, len(text)), min_size=6, max_size=6)))
    start, end = sorted(data.draw(st.tuples(st.integers(0, len(text)), st.integers(0, len(text)))))
    pages = (Page(1, 0, places[0]), Page(2, places[0], len(text)))
    sections = (Section("heading", 1, places[1], places[2]), Section("heading", 2, places[3], places[4]))
    shown = re.sub(r"<small>Page \d</small>", "", _main(page(_document(text, pages, sections), start, end)))
    assert html.unescape(re.sub(r"</?(?:b|mark)(?: id=\"cited\")?>", "", shown)) == text
    marked = "".join(re.findall(r"<mark[^>]*>(.*?)</mark>", shown, re.S))
    assert html.unescape(re.sub("</?b>", "", marked)) == text[start:end]
    assert shown.count('id="cited"') == (end > start)


def test_page_says_what_it_shows() -> None:
    made = page(_document("One. Two.", (Page(1, 0, 5), Page(2, 5, 9)), title="Roof & walls"), 5, 9)
    assert "<title>Roof &amp; walls</title>" in made
    assert "folder/a.pdf, 5 March 2024, page 2 of 2" in made
    assert "<small>Page 2</small><mark" in made


def test_nothing_of_a_document_is_in_force() -> None:
    made = page(_document(HOSTILE, title=HOSTILE), 0, 10)
    assert "<script" not in made and "<img" not in made and "\x1b" not in made and "\u202e" not in made


def test_page_and_its_values(service) -> None:
    cited = service.ask("When does the Marram Museum open?")["statements"][0]["citations"][0]
    address = f"/documents/{cited['document']['id']}?start={cited['start']}&end={cited['end']}"
    shown = service.get(address, Accept="text/html,application/xhtml+xml,*/*;q=0.8")
    assert shown.headers["content-type"] == "text/html; charset=utf-8"
    policy = shown.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-") and "script-src" not in policy
    assert shown.headers["referrer-policy"] == "no-referrer"
    values = service.get(address, Accept="application/json").json
    assert values["quote"] == cited["quote"] and values["title"] == cited["document"]["title"]


def test_span_is_in_sight_in_a_browser(service, tmp_path) -> None:
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        try:
            browser = driver.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        except playwright.Error as error:
            pytest.skip(f"no browser: {error}")
        opened = browser.new_page(viewport={"width": 800, "height": 500})
        complaints: list[str] = []
        opened.on("console", lambda message: complaints.append(message.text))
        opened.on("requestfailed", lambda request: complaints.append(request.url))
        link = next(iter(service.ask("When does the Marram Museum open?")["links"].values()))
        opened.goto(link)
        mark = opened.locator("#cited")
        assert mark.is_visible() and mark.evaluate("e => getComputedStyle(e).backgroundColor") == "rgb(255, 226, 122)"
        box = mark.bounding_box()
        assert box is not None and 0 <= box["y"] < 500
        assert complaints == []
        browser.close()
