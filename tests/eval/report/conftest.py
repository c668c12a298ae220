"""A report of invented cases, and a real browser to open it in."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from eval.report import render
from eval.types import Case, CaseResult, Citation, Evidence, Offered, Report, Response, Score, Sentence

LIBRARY = (
    "Marram Library\n\nThe library on Quill Street opens at 9am from Monday to Friday and at 10am on Saturday. "
    + "It has a reading room, a room for children and a shelf of local history. " * 6
    + "Loans are free for everyone who lives in Skell. Reserving a book costs 60p. "
    + "The building was repaired in 2021 after a flood reached the cellar. " * 5
)
HALL = """Hire of halls

Hire of the hall at Skell costs £30 an hour. Bring a coat: the heating is off from May to September."""
PARKING = "Parking permits\n\nA first permit costs £45 a year, a second £80. Permits for carers are free."
TEXTS = {"library.html": LIBRARY, "hall.txt": HALL, "parking.pdf": PARKING}
TITLES = {"library.html": "Marram Library", "hall.txt": "Hire of halls", "parking.pdf": "Parking permits"}
NAMES = (
    "facts",
    "citation_f1[sentence]",
    "citation_recall[alce,lexical]",
    "false_refusals",
    "false_answers",
    "words",
    "seconds",
)


def cited(number: int, document: str, quote: str) -> Citation:
    """A citation of words of a document, which was offered without its title line."""
    text = TEXTS[document]
    start, body = text.index(quote), text.index("\n\n") + 2
    offered = Offered(number, document, text[body:], TITLES[document], start=body)
    return Citation(number, document, quote, start, start + len(quote), offered)


def result(
    number: int, kind: str, question: str, response: Response, gold: tuple[str, str] | None = None, **known: Any
) -> CaseResult:
    evidence = (Evidence(*gold),) if gold else ()
    known = {"answerable": bool(gold), **known}
    case = Case(f"q{number:02}", kind, question, evidence=evidence, **known)
    right = response.error is None and case.answerable != response.refused
    values = (
        float(right) if gold else None,
        (0.8 if right else 0.0) if gold else None,
        (1.0 if right else 0.0) if not response.refused else None,
        float(not right) if gold else None,
        None if gold else float(not right),
        float(len(response.text.split())),
        response.seconds,
    )
    return CaseResult(case, replace(response, id=case.id), dict(zip(NAMES, values, strict=True)))


def answer(*sentences: Sentence, confidence: float = 0.9, seconds: float = 0.2) -> Response:
    text = " ".join(s.text for s in sentences if s.shown)
    return Response("", text, False, sentences, confidence=confidence, seconds=seconds)


def refusal(text: str, confidence: float = 0.2, seconds: float = 0.1) -> Response:
    return Response("", text, True, confidence=confidence, seconds=seconds)


@pytest.fixture(scope="session")
def council() -> Report:
    """Invented cases of each kind of outcome."""
    opening = "The library on Quill Street opens at 9am from Monday to Friday and at 10am on Saturday."
    hire, free, permit = (
        "Hire of the hall at Skell costs £30 an hour.",
        "Loans are free for everyone who lives in Skell.",
        "A first permit costs £45 a year, a second £80.",
    )

    def said(text: str, *citations: Citation, verdict: str | None = "quoted") -> Sentence:
        return Sentence(text, citations, verdict)

    by_hall, by_library, by_permit = (
        cited(1, "hall.txt", hire),
        cited(2, "library.html", opening),
        cited(1, "parking.pdf", permit),
    )
    nothing = "The documents say nothing of this (3 documents searched)."
    results = (
        result(
            1,
            "lookup",
            "What does hire of the hall cost?",
            answer(said(hire, by_hall)),
            ("hall.txt", hire),
            references=("£30 an hour.",),
        ),
        result(
            2,
            "lookup",
            "When does the library open on Saturday?",
            answer(
                said("It opens at 10am on Saturday.", by_library, verdict="supported"),
                said("It shuts at noon.", by_library, verdict="unsupported"),
                said("Many enjoy it.", verdict="uncited"),
                seconds=0.45,
            ),
            ("library.html", opening),
        ),
        result(
            3,
            "follow-up",
            "And on a Friday?",
            answer(said(opening, by_library), confidence=0.7),
            ("library.html", opening),
            history=("When does the library open?", "On Saturday?"),
        ),
        result(
            4,
            "lookup",
            "What is a permit for a second car?",
            answer(
                said("A second permit costs £80.", by_permit, Citation(7, None), verdict="supported"), confidence=0.6
            ),
            ("parking.pdf", permit),
        ),
        result(5, "unanswerable", "Who designed the library?", refusal(nothing)),
        result(6, "unanswerable", "How many seats has the hall?", refusal(nothing, 0.3)),
        result(
            7,
            "unanswerable",
            "What did the flood cost?",
            answer(
                said(
                    "The building was repaired in 2021.",
                    cited(3, "library.html", "The building was repaired in 2021 after a flood"),
                    verdict="supported",
                ),
                confidence=0.55,
            ),
        ),
        result(
            8,
            "comparison",
            "Is hiring the hall dearer than a permit?",
            refusal("The passages nearest to this question don’t compare the two.", 0.4),
            ("hall.txt", hire),
        ),
        result(
            9,
            "comparison",
            "Which is free, loans or permits?",
            answer(
                said(free, cited(2, "library.html", free)),
                said(
                    "Permits for carers are free.",
                    replace(by_permit, quote="Permits for carers are free of charge", start=None, end=None),
                ),
                confidence=0.8,
                seconds=1.4,
            ),
            ("library.html", free),
        ),
        result(
            10,
            "lookup",
            "What does reserving a book cost?",
            Response("", error="ModelUnavailable: the reranker stopped answering after 30 s"),
            ("library.html", "Reserving a book costs 60p."),
        ),
        result(
            11,
            "follow-up",
            "Who may borrow?",
            answer(
                said(
                    "Everyone who lives in Skell.",
                    replace(cited(1, "library.html", free), quote="", start=None, end=None),
                    verdict=None,
                ),
                confidence=0.75,
                seconds=0.6,
            ),
            ("library.html", free),
            history=("Are loans free?",),
        ),
        result(
            12,
            "lookup",
            "When is the heating off?",
            answer(
                said(
                    "The heating is off from May to September.",
                    cited(1, "hall.txt", "the heating is off from May to September"),
                    verdict="supported",
                ),
                confidence=0.95,
                seconds=0.3,
            ),
            ("hall.txt", "Bring a coat: the heating is off from May to September."),
        ),
    )
    values = (
        (0.75, 0.467, 0.911),
        (0.6, 0.36, 0.78),
        (0.83, 0.6, 1.0),
        (0.25, 0.089, 0.533),
        (1 / 3, 0.06, 0.79),
        (7.4, 5.1, 9.6),
        (0.38, 0.2, 0.61),
    )
    scores = tuple(Score(n, v, low, high, 12, "bootstrap") for n, (v, low, high) in zip(NAMES, values, strict=True))
    kinds = {
        kind: tuple(
            replace(
                s,
                value=s.value and s.value * share,
                low=s.low and s.low * share,
                high=s.high and s.high * share,
                cases=n,
            )
            for s in scores
        )
        for kind, share, n in (("lookup", 1.0, 5), ("follow-up", 0.97, 2), ("comparison", 0.6, 2))
    }
    kinds["unanswerable"] = tuple(Score(s.name, None, None, None, 0) for s in scores)
    return Report(
        {"name": "council", "digest": "5f2c9b1e07aa34d1", "cases": len(results), "task": "answer"},
        {"generator": "extractive", "reranker": "MiniLM-L-6", "embedder": "all-MiniLM-L6-v2", "generation": 4},
        (*scores, Score("rouge_l", None, None, None, 0)),
        kinds,
        results,
        (
            {"name": "facts", "at_least": 0.7, "value": 0.75, "met": True},
            {"name": "false_answers", "at_most": 0.1, "value": 1 / 3, "met": False},
        ),
    )


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Headless Chromium."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("no Chromium: none is on the path")
    root = sys.platform == "linux" and os.geteuid() == 0
    with playwright.sync_playwright() as running:
        opened = running.chromium.launch(executable_path=chromium, args=["--no-sandbox"] if root else [])
        yield opened
        opened.close()


@pytest.fixture
def visit(browser: Any, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Opens a report in a page of its own. At the end: nothing was complained of, asked for or run."""
    told: list[str] = []
    contexts = []

    def opened(report: Report, fragment: str = "", **settings: Any) -> Any:
        path = tmp_path / "report.html"
        path.write_text(render(report), encoding="utf-8")
        context = browser.new_context(**settings)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: told.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: told.append(f"error: {error}"))
        page.on("dialog", lambda dialog: (told.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on("request", lambda request: None if request.url.startswith(path.as_uri()) else told.append(request.url))
        page.goto(path.as_uri() + fragment)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert told == []
