"""The source of a citation: read in a thread, its words marked and in view, what has become of it said."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.widgets import Static

import assistant.tui
from assistant.api import Assistant
from assistant.audit.citations import Standing, standing
from assistant.tui.widgets.citation import CitationChip
from assistant.tui.widgets.source import SourcePane
from assistant.tui.widgets.text import Matches, SourceText
from assistant.types import Citation, Passage
from corpus.errors import IndexUnavailable
from corpus.types import Chunk, Document, Page

pytestmark = pytest.mark.asyncio
STYLES = Path(assistant.tui.__path__[0]) / "styles" / "check.tcss"
CLOSES = "Tarn Bridge closes to traffic on 6 May 2024 for repairs to its deck."
COSTS = "The repairs cost £412,000 and take nine weeks."
LINE = "Members noted the report and thanked the officers for it, and for all of their work.\n"


class Host(App[None]):
    CSS_PATH = STYLES
    CSS = "CitationChip { height: 1; }"

    def __init__(self, *citations: Citation, load: Callable[[Citation], Standing] | None = None) -> None:
        super().__init__()
        self.citations = citations
        self.load = load

    def compose(self) -> ComposeResult:
        for citation in self.citations:
            yield CitationChip(citation, "quoted")
        yield SourcePane()

    def on_mount(self) -> None:
        self.query_one(SourcePane).load = self.load

    @property
    def chips(self) -> list[CitationChip]:
        return list(self.query(CitationChip))

    @property
    def pane(self) -> SourcePane:
        return self.query_one(SourcePane)


def cited(document: Document, quote: str, number: int = 1) -> Citation:
    start = document.text.index(quote)
    end = start + len(quote)
    passage = Passage(number, Chunk(document.id, start, end, quote), document, 1.0)
    return Citation(number, passage, start, end, quote, document.page_at(start))


def without_text(citation: Citation) -> Citation:
    """As an answer that was kept comes back."""
    assert citation.passage is not None
    emptied = replace(citation.passage.document, text="", sections=(), pages=())
    return replace(citation, passage=replace(citation.passage, document=emptied))


def said(pane: SourcePane, part: str) -> str:
    shown = pane.query_one(f".source--{part}", Static)
    return str(shown.content) if shown.display else ""


def segments(text: SourceText) -> list[tuple[str, str]]:
    """Text in view, and how it is set apart without colour."""
    styles = ("bold", "reverse", "underline")
    strips = [text.render_line(y) for y in range(text.size.height)]
    return [(s.text, " ".join(k for k in styles if s.style and getattr(s.style, k))) for strip in strips for s in strip]


def marked(pane: SourcePane) -> str:
    return " ".join(text.strip() for text, style in segments(pane.query_one(SourceText)) if "reverse" in style)


async def settled(pilot: Pilot[None]) -> None:
    while not all(worker.is_finished for worker in pilot.app.workers):  # waiting for one fails where it is cancelled
        await pilot.pause()
    await pilot.pause()
    await pilot.pause()


@pytest.fixture
def documents(index: Path) -> dict[str, Document]:
    with Assistant.open(index, embedder="hashing", reranker="none") as desk:
        return {document.path: desk.document(document.id) for document in desk.documents()}


async def test_says_what_where_and_how_surely(documents: dict[str, Document]) -> None:
    document = replace(documents["bridge.md"], pages=(Page(7, 0, 100_000),))
    app = Host(cited(document, COSTS, 3))
    async with app.run_test(size=(80, 24)) as pilot:
        app.pane.open(app.chips[0], place="2 of 5")
        await settled(pilot)
        assert said(app.pane, "title") == "Closure of Tarn Bridge"
        assert said(app.pane, "place") == "[3] quoted · 2 of 5 · 5 Mar 2024 · page 7 · bridge.md"
        assert said(app.pane, "notice") == "" and marked(app.pane) == COSTS
        assert app.pane.standing is not None and app.pane.standing.state == "intact"
        app.pane.close()
        assert not app.pane.display and repr((app.pane.chip, app.pane.standing)) == "(None, None)"


async def test_marks_are_told_apart_without_colour() -> None:
    app = Host()
    async with app.run_test(size=(80, 24)) as pilot:
        text = app.pane.query_one(SourceText)
        app.pane.display = True
        await pilot.pause()
        found = Matches()
        for place in ((0, 3), (21, 26)):
            found.add(place)
        text.show("one two three\n\nfour, five six\n\nseven", (4, 7), cited=[(15, 19), (20, 30)])
        text.mark(found)
        assert [(t, style) for t, style in segments(text)[:14] if t.strip()] == [
            ("▌ ", ""), ("one", "underline"), ("two", "bold reverse"), (" three", ""),
            ("│ ", ""), ("four", "bold underline"), (",", ""), ("five ", "underline"), ("six", "bold underline"),
        ]  # fmt: skip


async def test_what_was_kept_without_text_is_read_in_a_thread(index: Path) -> None:
    release, threads = threading.Event(), []
    with Assistant.open(index, embedder="hashing", reranker="none") as desk:
        documents = {d.path: desk.document(d.id) for d in desk.documents()}

        def load(citation: Citation) -> Standing:
            threads.append(threading.current_thread())
            release.wait()
            return standing(desk, citation)

        app = Host(*(without_text(cited(documents["bridge.md"], quote)) for quote in (CLOSES, COSTS)), load=load)
        async with app.run_test(size=(80, 24)) as pilot:
            app.pane.open(app.chips[0])
            await pilot.pause()
            assert said(app.pane, "title") == "Closure of Tarn Bridge"
            assert said(app.pane, "notice") == "Opening…" and app.pane.standing is None
            app.pane.close()
            app.pane.open(app.chips[0])
            release.set()
            await settled(pilot)
            assert said(app.pane, "notice") == "" and marked(app.pane) == CLOSES
            reads = len(threads)
            app.pane.open(app.chips[1])
            await settled(pilot)
            assert marked(app.pane) == COSTS and len(threads) == reads  # the same document
            app.pane.forget()
            app.pane.open(app.chips[0])
            await settled(pilot)
            assert marked(app.pane) == CLOSES and len(threads) == reads + 1
            assert threading.main_thread() not in threads


async def test_a_source_that_was_overtaken_is_not_shown(documents: dict[str, Document]) -> None:
    release = threading.Event()
    bridge, harbour = documents["bridge.md"], documents["harbour.txt"]

    def load(citation: Citation) -> Standing:
        if citation.quote == COSTS:
            release.wait()
        document = bridge if citation.quote == COSTS else harbour
        start = document.text.index(citation.quote)
        return Standing("intact", document, start, start + len(citation.quote))

    app = Host(without_text(cited(bridge, COSTS)), without_text(cited(harbour, CLOSES)), load=load)
    async with app.run_test(size=(80, 24)) as pilot:
        app.pane.open(app.chips[0])
        await pilot.pause()
        app.pane.open(app.chips[1])
        while app.pane.standing is None:
            await pilot.pause()
        release.set()
        await settled(pilot)
        assert marked(app.pane) == CLOSES and said(app.pane, "title") == "Harbour news"


@pytest.mark.parametrize(
    ("now", "notice", "shown"),
    [
        ("New!\n\nThe hall opens at nine\nand seats 200.", "the words below are where they stand now", True),
        (
            "The hall is closed.",
            "no longer holds these words; they were: “The hall opens at nine and seats 200.”",
            False,
        ),
        (None, "no longer indexed; the words were:", True),
    ],
)
async def test_what_has_become_of_a_source_is_said(now: str | None, notice: str, shown: bool, tmp_path: Path) -> None:
    quote = "The hall opens at nine and seats 200."
    folder = tmp_path / "documents"
    folder.mkdir()
    for name, text in (("hall.txt", quote), ("mill.txt", "The mill grinds flour.")):
        (folder / name).write_text(text, encoding="utf-8")
    Assistant.build(folder, index=tmp_path / "index", embedder="hashing")
    with Assistant.open(tmp_path / "index", embedder="hashing", reranker="none") as desk:
        (hall,) = (desk.document(d.id) for d in desk.documents() if d.path == "hall.txt")
        (folder / "hall.txt").unlink()
        if now is not None:
            (folder / "hall.txt").write_text(now, encoding="utf-8")
        Assistant.build(folder, index=tmp_path / "index", embedder="hashing")
        app = Host(without_text(cited(hall, quote)), load=lambda citation: standing(desk, citation))
        async with app.run_test(size=(120, 24)) as pilot:
            app.pane.open(app.chips[0])
            await settled(pilot)
            assert notice in said(app.pane, "notice")
            assert marked(app.pane) == (quote if shown else "")


async def test_why_a_source_can_not_be_read_is_said(documents: dict[str, Document]) -> None:
    def load(citation: Citation) -> Standing:
        raise IndexUnavailable("the index 'x' is [/] gone\x1b[2J: index again")

    app = Host(without_text(cited(documents["bridge.md"], COSTS)), load=load)
    async with app.run_test(size=(80, 24)) as pilot:
        app.pane.open(app.chips[0])
        await settled(pilot)
        assert said(app.pane, "notice") == "✗ the index 'x' is [/] gone␛[2J: index again"
        assert marked(app.pane) == COSTS  # the words as they were kept


@pytest.mark.parametrize("size", [(120, 40), (60, 20), (20, 8), (20, 5)])
async def test_the_words_are_in_view_at_any_size(documents: dict[str, Document], size: tuple[int, int]) -> None:
    app = Host(cited(documents["bridge.md"], CLOSES))
    async with app.run_test(size=(80, 24)) as pilot:
        app.pane.open(app.chips[0])
        await settled(pilot)
        await pilot.resize_terminal(*size)
        await settled(pilot)
        assert "Tarn Bridge closes" in marked(app.pane)


async def test_resizing_keeps_the_place_of_the_reader(documents: dict[str, Document]) -> None:
    app = Host(cited(documents["bridge.md"], CLOSES))
    async with app.run_test(size=(80, 24)) as pilot:
        app.pane.open(app.chips[0])
        await settled(pilot)
        text = app.pane.query_one(SourceText)
        text.scroll_to(y=20, animate=False)
        await pilot.pause()
        before = text.offset_in_view
        for size in ((50, 24), (110, 30), (80, 24)):
            await pilot.resize_terminal(*size)
            await settled(pilot)
        assert text.offset_in_view == before


@pytest.mark.parametrize(
    "line", [LINE, LINE.replace("\n", " "), "漢字 ab\n" * 3, "\n" * 9], ids=["lines", "one line", "wide", "empty lines"]
)
async def test_a_long_text_opens_at_its_words_and_is_whole_soon(line: str) -> None:
    text = f"First{line * 100_000}The span. {line * 20_000}The end."
    start = text.index("The span.")
    app = Host()
    async with app.run_test(size=(100, 40)) as pilot:
        app.pane.display = True
        await pilot.pause()
        source = app.pane.query_one(SourceText)
        source.show(text, (start, start + 9))
        await pilot.pause()
        assert marked(app.pane) == "The span."
        source.go((0, 5))  # while the text is being wrapped
        await pilot.pause()
        assert marked(app.pane) == "First"
        source.go((start, start + 9))
        await settled(pilot)
        assert marked(app.pane) == "The span."
        source.scroll_end(animate=False)
        await pilot.resize_terminal(60, 20)
        await settled(pilot)
        source.scroll_end(animate=False)
        await pilot.pause()
        assert source.render_line(source.size.height - 1).text.rstrip().endswith("The end.")
