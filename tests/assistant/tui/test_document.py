"""The whole document: searched, its cited places stepped through, its address asked about before it is opened."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from textual.app import App
from textual.pilot import Pilot
from textual.widgets import OptionList, Static

import assistant.tui
from assistant.api import Assistant
from assistant.originals import original
from assistant.tui.document import Address, CitedSpan, DocumentScreen
from assistant.tui.link import LinkScreen
from assistant.tui.prompt import Line
from assistant.tui.widgets.text import SourceText
from corpus.types import Document, Page

pytestmark = pytest.mark.asyncio
STYLES = Path(assistant.tui.__path__[0]) / "styles"
CLOSES = "Tarn Bridge closes to traffic on 6 May 2024 for repairs to its deck."
COSTS = "The repairs cost £412,000 and take nine weeks."
PAGE = """<html><head><title>Harbour [/] news</title>
<link rel="canonical" href="https://münster.example/a?q=1"></head>
<body><article><h1>Harbour [/] news</h1><p>The harbour wall was mended in spring, and the boats are back. Visitors find
the café of the harbour open from noon, and the museum from two. All are welcome to both of them every day.</p>
</article></body></html>"""

TEXT = "Members noted the report and thanked the officers for it, and for all of their work.\n" * 60_000
LONG = Document(
    "1", "long.txt", "Long", None, None, TEXT + "The last words.\n" + "It ends.\n" * 200,
    pages=(Page(1, 0, len(TEXT) // 2), Page(2, len(TEXT) // 2, len(TEXT) + 1_816)),
)  # fmt: skip


class Host(App[None]):
    CSS_PATH = [STYLES / "check.tcss", STYLES / "steer.tcss"]  # noqa: RUF012 - declared by Textual


@pytest.fixture
def desk(index: Path) -> Iterator[Assistant]:
    with Assistant.open(index, embedder="hashing", reranker="none") as opened:
        yield opened


def id_of(desk: Assistant, path: str) -> str:
    return next(document.id for document in desk.documents() if document.path == path)


def spans(desk: Assistant) -> list[CitedSpan]:
    text = desk.document(id_of(desk, "bridge.md")).text
    places = [(text.index(quote), text.index(quote) + len(quote)) for quote in (COSTS, CLOSES)]
    return [CitedSpan(*place, number, f"Question {number} [/]?") for number, place in enumerate(places, 1)]


def said(screen: DocumentScreen, part: str) -> str:
    shown = screen.query_one(f".document--{part}", Static)
    return "" if shown.has_class("-empty") else str(shown.content)


def marked(screen: DocumentScreen) -> str:
    text = screen.query_one(SourceText)
    strips = [text.render_line(y) for y in range(text.size.height)]
    return " ".join(s.text.strip() for strip in strips for s in strip if s.style and s.style.reverse)


async def settled(pilot: Pilot[None]) -> None:
    while not all(worker.is_finished for worker in pilot.app.workers):
        await pilot.pause()
    await pilot.pause()
    await pilot.pause()


async def opened(pilot: Pilot[None], screen: DocumentScreen) -> DocumentScreen:
    pilot.app.push_screen(screen)
    await pilot.pause()
    await settled(pilot)
    return screen


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_cited_places_are_listed_marked_and_stepped_through(desk: Assistant, size: tuple[int, int]) -> None:
    cited = spans(desk)
    app = Host()
    async with app.run_test(size=size) as pilot:
        at = (cited[0].start, cited[0].end)
        screen = await opened(pilot, DocumentScreen(desk, id_of(desk, "bridge.md"), cited, at))
        assert said(screen, "title") == "Closure of Tarn Bridge"
        assert said(screen, "about") == "5 Mar 2024 · Markdown · bridge.md"
        assert marked(screen) == COSTS and isinstance(app.focused, SourceText)
        listed = screen.query_one(OptionList)
        lines = [str(listed.get_option_at_index(n).prompt) for n in range(listed.option_count)]
        assert lines == [f"[2] {CLOSES} — Question 2 [/]?", f"[1] {COSTS} — Question 1 [/]?"]  # as they stand there
        assert listed.highlighted == 1
        await pilot.press("]")
        assert marked(screen) == CLOSES and listed.highlighted == 0
        await pilot.press("[")
        assert marked(screen) == COSTS
        await pilot.press("ctrl+n", "c")
        assert app.clipboard == f"“{CLOSES}” (Closure of Tarn Bridge, 5 March 2024, bridge.md)"
        listed.focus()
        await pilot.press("down")
        assert marked(screen) == COSTS
        await pilot.press("escape")
        assert isinstance(app.focused, SourceText) and app.screen is screen
        await pilot.press("escape")
        assert app.screen is not screen


async def test_a_search_counts_and_steps_through_its_matches(desk: Assistant) -> None:
    app = Host()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot, DocumentScreen(desk, id_of(desk, "bridge.md")))
        assert screen.document is not None
        text = screen.document.text
        places = [match.start() for match in re.finditer("thanked the officers", text)]
        await pilot.press("slash")
        assert isinstance(app.focused, Line)
        screen.query_one(Line).value = "THANKED  the\tofficers"
        await settled(pilot)
        assert said(screen, "count") == f"1 of {len(places)}" and marked(screen) == "thanked the officers"
        await pilot.press("enter", "n", "n", "N")
        assert said(screen, "count") == f"2 of {len(places)}"
        assert text[slice(*screen._current)] == "thanked the officers" and screen._current[0] == places[1]
        await pilot.press("N", "N")
        assert said(screen, "count") == f"{len(places)} of {len(places)}"
        await pilot.press("n", "c")
        assert app.clipboard.startswith("“thanked the officers” (")
        screen.query_one(SourceText).scroll_to(y=len(text) // 160, animate=False)
        await pilot.pause()
        top = screen.query_one(SourceText).offset_in_view
        await pilot.press("slash")
        screen.query_one(Line).value = "the officers"
        await settled(pilot)
        assert top <= screen._current[0]  # it goes on from where the reader is
        for pattern in (".*", "(", "[a-z]", "zebra"):
            screen.query_one(Line).value = pattern
            await settled(pilot)
            assert said(screen, "count") == "no match"
        screen.query_one(Line).value = " "
        await settled(pilot)
        assert said(screen, "count") == ""


async def test_only_the_last_search_is_shown(desk: Assistant) -> None:
    app = Host()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot, DocumentScreen(desk, id_of(desk, "bridge.md")))
        for sought in ("m", "me", "members", "deck"):
            screen.query_one(Line).value = sought
        await settled(pilot)
        assert said(screen, "count") == "1 of 1" and marked(screen) == "deck"


async def test_a_document_that_is_not_indexed_is_said(desk: Assistant) -> None:
    app = Host()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot, DocumentScreen(desk, "[/]nothing", spans(desk)))
        assert said(screen, "title") == "✗ no document '[/]nothing' in the index"
        await pilot.press("n", "]", "c", "o", "slash", "x", "escape", "escape")
        await settled(pilot)
        assert app.is_running and app.screen is not screen


@pytest.mark.parametrize("way", ["u", "enter", "click"])
async def test_its_web_address_is_asked_about(way: str, tmp_path: Path) -> None:
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "harbour.html").write_text(PAGE, encoding="utf-8")
    Assistant.build(tmp_path / "documents", index=tmp_path / "index", embedder="hashing")
    app = Host()
    with Assistant.open(tmp_path / "index", embedder="hashing", reranker="none") as desk:
        async with app.run_test(size=(80, 24)) as pilot:
            screen = await opened(pilot, DocumentScreen(desk, desk.documents()[0].id))
            assert said(screen, "title") == "Harbour [/] news"
            assert said(screen, "address") == "↗ https://münster.example/a?q=1"
            if way == "enter":
                screen.query_one(Address).focus()
            await (pilot.click(Address) if way == "click" else pilot.press(way))
            await settled(pilot)
            assert isinstance(app.screen, LinkScreen)
            assert "https://xn--mnster-3ya.example/a?q=1" in [str(s.content) for s in app.screen.query(Static)]


async def test_the_original_is_looked_for_in_its_folder() -> None:
    app = Host()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, DocumentScreen(Shelf(replace(LONG, path="../../etc/passwd")), "1"))  # type: ignore[arg-type]
        await pilot.press("o")
        await settled(pilot)
        (told,) = app._notifications
        assert "../../etc/passwd" in told.message


@pytest.mark.parametrize("size", [(80, 24), (20, 5), (300, 90)])
async def test_a_long_document_is_read_searched_and_left(size: tuple[int, int]) -> None:
    app = Host()
    async with app.run_test(size=size) as pilot:
        screen = await opened(pilot, DocumentScreen(Shelf(LONG), "1"))  # type: ignore[arg-type]
        assert said(screen, "page") == "page 1 of 2 · 0 %" and screen.query_one(SourceText).size.height > 2
        await pilot.press("slash")
        screen.query_one(Line).value = "THE LAST\twords"
        await settled(pilot)
        assert marked(screen) == "The last words" and said(screen, "count") == "1 of 1"
        screen.query_one(Line).value = "o"
        await settled(pilot)
        assert said(screen, "count").endswith(" of 100,000+")
        await pilot.press("enter", "end")
        screen.query_one(SourceText).scroll_end(animate=False)
        await settled(pilot)
        assert said(screen, "page").startswith("page 2 of 2 · ")
        await pilot.resize_terminal(20, 5)
        await settled(pilot)
        await pilot.press("escape")
        assert app.screen is not screen


class Shelf:
    """Holds one document, as a desk does."""

    folders = (Path(__file__).parent,)

    def __init__(self, document: Document) -> None:
        self._document = document

    def document(self, document_id: str) -> Document:
        assert document_id == self._document.id
        return self._document

    def original(self, path: str) -> Path:
        return original(path, self.folders)
