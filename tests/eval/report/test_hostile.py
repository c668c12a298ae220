"""What text of documents, questions and models can't do to a report."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from eval.types import Case, CaseResult, Citation, Evidence, Offered, Report, Response, Score, Sentence

HOSTILE = (
    "</script><script>pwned = 1</script>",
    "</style><script>pwned = 1</script>",
    '"><img src=x onerror="pwned = 1">',
    "'><svg onload=pwned=1>",
    "</title><script>alert(1)</script>",
    "</details></div><iframe src='javascript:alert(1)'></iframe>",
    "javascript:alert(1)",
    "[x](javascript:alert(1)) ![y](http://198.51.100.7/y.png)",
    "<a href='http://198.51.100.7/'>z</a><base href='http://198.51.100.7/'>",
    "<meta http-equiv=refresh content='0;url=http://198.51.100.7/'>",
    "<link rel=stylesheet href=http://198.51.100.7/s.css>",
    "{{ 7 * 191 }}{% raw %}",
    "a\x00b\x1b]0;title\x07\ud800\udfffc",
    "ab\u202ecd\u2066ef\u200bgh\u2028ij",
    "<!-- --!> <![CDATA[ ]]> &lt;b&gt; &#x3c;",
)


def hostile_report(strings: tuple[str, ...]) -> Report:
    """Each string at each place where text of others stands."""
    results = []
    for number, text in enumerate(strings):
        offered = Offered(1, text, f"Before {text} after.", text, text, 0)
        place = Citation(1, text, text, 7, 7 + len(text), offered)
        sentences = (Sentence(text, (place, Citation(9, None, text)), text), Sentence(text, (place,)))
        response = Response(text, text, False, sentences, (offered,), confidence=0.5, seconds=0.1)
        broken = replace(response, error=text) if number % 3 == 0 else replace(response, refused=number % 3 == 1)
        case = Case(
            text, text, text, (text,), True, ((text,),), (Evidence(text, text, text),), (text,), conversation=text
        )
        results.append(CaseResult(case, broken, {"facts": 1.0, text: None}))
    text = " ".join(strings[:20])
    kinds = {t: (Score("facts", 0.5, 0.1, 0.9, 3, "wilson"), Score(t, 0.5, 0.1, 0.9, 3)) for t in strings[:20]}
    scores = (Score("facts", 0.5, 0.1, 0.9, 3), *(Score(t, 0.5, 0.1, 0.9, 3) for t in strings[:20]))
    return Report({"name": text, text: {text: [text, None]}}, {"generator": text}, scores, kinds, tuple(results))


def check_hostile(page: Any, count: int) -> None:
    assert page.locator(".case").count() == count
    page.get_by_role("button", name="Open all").click()
    assert page.evaluate("typeof window.pwned") == "undefined"
    assert page.locator("script").count() == 1 and page.locator("style").count() == 1
    assert page.locator("img, iframe, base, link, object, embed, form, video, svg [onload], [onerror]").count() == 0
    assert all(
        link.startswith("#") for link in page.eval_on_selector_all("a", "all => all.map(a => a.getAttribute('href'))")
    )
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200b\ufeff]", page.content())


def test_hostile_text_stays_text(visit: Callable[..., Any]) -> None:
    page = visit(hostile_report(HOSTILE))
    check_hostile(page, len(HOSTILE))
    row = page.locator(".case").nth(2)
    assert row.locator(".question").inner_text() == '"><img src=x onerror="pwned = 1">'
    assert row.locator("mark").first.inner_text() == '"><img src=x onerror="pwned = 1">'
    assert page.locator(".case").nth(11).locator(".id").inner_text() == "{{ 7 * 191 }}{% raw %}"


def test_hostile_text_that_others_collected(visit: Callable[..., Any], shared: Path) -> None:
    folder = shared / "data" / "hostile"
    if not folder.is_dir():
        pytest.skip(f"no hostile texts: {str(folder)!r} is missing")

    def strings(value: Any) -> Iterator[str]:
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict | list):
            for one in value.values() if isinstance(value, dict) else value:
                yield from strings(one)

    found = [s for path in sorted(folder.rglob("*.json")) for s in strings(json.loads(path.read_text("utf-8")))]
    kept = tuple(s[:2000] for s in dict.fromkeys(found) if s)[:1000]
    check_hostile(visit(hostile_report(kept)), len(kept))
