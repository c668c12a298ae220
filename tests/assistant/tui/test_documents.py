"""The list of documents, its filter, and the restriction of a conversation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.app import App
from textual.pilot import Pilot
from textual.widgets import Footer, Static

from assistant.api import Assistant
from assistant.tui.documents import DocumentsScreen
from assistant.tui.prompt import Line
from assistant.tui.scope import MOST_PATHS, Filter, Scope, filtered, listed
from assistant.tui.widgets.rows import Rows
from assistant.tui.widgets.scope import ScopeChip
from corpus.errors import UsageError
from corpus.types import ReadFailure
from embeddings.types import Where
from embeddings.view import DocumentSummary
from tests.assistant.conftest import filled
from tests.assistant.tui.pushing import Pushing

FILES = {
    "minutes/[1] café*.md": "---\ntags: [minutes, finance]\n---\n# Budget meeting\n\n31 January 2024\n\nThe fee is £4.",
    "minutes/june.md": "---\ntags: [minutes]\n---\n# June meeting\n\n1 June 2023\n\nThe hall was let.",
    "news/opening.txt": "The hall opens\n\n6 May 2024\n\nThe hall opens at noon.",
    "news/undated.txt": "Of the hall\n\nThe hall has a roof.",
    "broken.pdf": "no PDF at all",
    "empty.txt": "",
}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("documents")
    Assistant.build(filled(root / "files", FILES), index=root / "index", embedder="hashing")
    return root / "index"


@pytest.fixture(scope="module")
def desk(index: Path) -> Iterator[Assistant]:
    with Assistant.open(index, embedder="hashing", reranker="none") as opened:
        yield opened


async def settled(pilot: Pilot[None]) -> list[str]:
    """What the list shows, once nothing runs any more."""
    await pilot.pause()
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()
    rows = next(iter(pilot.app.screen.query(Rows)), None)
    return [rows.render_line(y).text.strip() for y in range(1, rows.size.height)] if rows else []


async def searched(pilot: Pilot[None], text: str) -> list[str]:
    pilot.app.screen.query_one(Line).value = text
    return [line for line in await settled(pilot) if line]


def said(pilot: Pilot[None], part: str) -> str:
    return str(pilot.app.screen.query_one(f".browsing--{part}", Static).content)


async def test_documents_are_listed_filtered_and_sorted(desk: Assistant) -> None:
    app = Pushing(DocumentsScreen(desk, None))
    async with app.run_test(size=(100, 24)) as pilot:
        lines = [line for line in await settled(pilot) if line]
        assert [line.split("  ")[0].lstrip("▸ ☐") for line in lines] == [
            "Budget meeting",
            "June meeting",
            "Of the hall",
            "The hall opens",
        ]
        assert "2024-01-31" in lines[0] and "Markdown" in lines[0] and "minutes, finance" in lines[0]
        assert "–" in lines[2] and said(pilot, "detail") == "minutes/[1] café*.md"
        await pilot.press("s")
        assert [line.lstrip("▸ ☐")[:6] for line in await settled(pilot)][:2] == ["The ha", "Budget"]
        assert len(await searched(pilot, "HALL news")) == 2 and "2 of 4" in said(pilot, "heading")
        assert len(await searched(pilot, "tag:minutes to:2023")) == 1
        assert await searched(pilot, "nothing such") == ["Nothing passes this filter."]


async def test_a_wrong_date_is_told_and_the_list_stays(desk: Assistant) -> None:
    app = Pushing(DocumentsScreen(desk, None))
    async with app.run_test(size=(100, 24)) as pilot:
        await settled(pilot)
        assert len(await searched(pilot, "from:2024-02-31")) == 4
        assert said(pilot, "said") == "✗ '2024-02-31' is no date: write 2024, 2024-01 or 2024-01-31"
        await pilot.press("r")
        await settled(pilot)
        assert app.given == [] and "is no date" in said(pilot, "said")
        assert len(await searched(pilot, "from:2024-02")) == 1
        assert not app.screen.query_one(".browsing--said").display


async def test_the_marked_documents_are_what_is_asked(desk: Assistant) -> None:
    app = Pushing(DocumentsScreen(desk, None))
    async with app.run_test(size=(100, 24)) as pilot:
        await settled(pilot)
        await pilot.press("space", "space")
        assert "☑ 2 marked" in said(pilot, "heading")
        await searched(pilot, "opens")  # what is marked stays so
        await pilot.press("r")
        await settled(pilot)
        (scope,) = app.given
        assert scope is not None and scope.label == "2 documents: Budget meeting, June meeting"
        paths = [document.path for document in desk.documents() if scope.where.admits(document.path, None, ())]
        assert paths == ["minutes/[1] café*.md", "minutes/june.md"]
        assert not scope.where.admits("minutes/1 café.md", None, ())  # the name is no pattern
        app.push_screen(DocumentsScreen(desk, scope), app.given.append)
        lines = await settled(pilot)
        assert sum("☑" in line for line in lines) == 2 and "now only 2 documents" in said(pilot, "heading")
        await pilot.press("space", "escape")
        await settled(pilot)
        assert app.given == [scope, None]


@pytest.mark.parametrize(
    ("text", "where", "label"),
    [
        ("tag:MIN from:2024-01", Where((), ("minutes",), date(2024, 1, 1)), "tag minutes, from 2024-01-01"),
        ("to:2023", Where((), (), None, date(2023, 12, 31)), "to 2023-12-31"),
        (
            "kind:mark",
            Where(("minutes/[[]1] café[*].md", "minutes/june.md")),
            "2 documents: Budget meeting, June meeting",
        ),
        ("opening", Where(("news/opening.txt",)), "1 document: The hall opens"),
    ],
)
async def test_with_none_marked_the_filter_is_what_is_asked(
    desk: Assistant, text: str, where: Where, label: str
) -> None:
    app = Pushing(DocumentsScreen(desk, None))
    async with app.run_test(size=(100, 24)) as pilot:
        await settled(pilot)
        await searched(pilot, text)
        await pilot.press("r")
        await settled(pilot)
        assert app.given == [Scope(where, label)]


@pytest.mark.parametrize(("text", "complaint"), [("", "nothing is marked or filtered"), ("zzz", "no document is left")])
async def test_nothing_to_restrict_to_is_told(desk: Assistant, text: str, complaint: str) -> None:
    app = Pushing(DocumentsScreen(desk, None))
    async with app.run_test(size=(100, 24)) as pilot:
        await settled(pilot)
        await searched(pilot, text)
        await pilot.press("r")
        await settled(pilot)
        assert app.given == [] and complaint in said(pilot, "said")


async def test_problems_are_listed_with_their_reasons(desk: Assistant) -> None:
    app = Pushing(DocumentsScreen(desk, None))
    async with app.run_test(size=(100, 24)) as pilot:
        await settled(pilot)
        assert "Problems (2)" in said(pilot, "heading")
        await pilot.press("p")
        lines = await settled(pilot)
        assert lines[0].startswith("▸ broken.pdf") and lines[1].startswith("empty.txt")
        reason = desk.failures()[0].reason
        assert said(pilot, "detail") == f"broken.pdf\n⚠ {reason}" and reason[:20] in lines[0]
        assert not {"r", "s", "space", "enter"} & app.screen.active_bindings.keys()
        assert len(await searched(pilot, "empty")) == 1 and said(pilot, "heading").startswith("Problems (1 of 2)")
        await pilot.press("enter", "p")
        app.screen.query_one(Line).value = ""
        assert len([line for line in await settled(pilot) if line]) == 4


@pytest.mark.parametrize("size", [(20, 5), (80, 24), (160, 48)])
async def test_the_screen_fits_any_terminal(desk: Assistant, size: tuple[int, int]) -> None:
    app = Pushing(DocumentsScreen(desk, None))
    async with app.run_test(size=size) as pilot:
        lines = await settled(pilot)
        assert lines[0].startswith("▸ ☐ Budget") and app.screen.query_one(Footer).region.bottom == size[1]
        await pilot.press("slash", "h", "a", "l", "l", "enter", "end")
        assert any(line.startswith("▸ ☐ The") for line in await settled(pilot))


class Large:
    """As many documents as an index may hold, as an assistant gives them."""

    def documents(self) -> list[DocumentSummary]:
        return MANY

    def failures(self) -> list[ReadFailure]:
        return []


MANY = [
    DocumentSummary(
        f"{n:032x}",
        f"committee/{n:06}.pdf",
        f"Minutes number {(n * 7919) % 100_000}",
        date(2000 + n % 25, 1 + n % 12, 1 + n % 28),
        n % 90,
        None,
        ("minutes",) if n % 2 else ("news",),
        "PDF",
    )
    for n in range(100_000)
]


async def test_of_many_searches_at_once_the_last_is_shown() -> None:
    app = Pushing(DocumentsScreen(cast(Assistant, Large()), None))
    async with app.run_test(size=(100, 24)) as pilot:
        await settled(pilot)
        await pilot.press("s", "slash")
        for end in range(len(text := 'tag:minutes "number 12345"')):
            app.screen.query_one(Line).value = text[: end + 1]
        lines = [line for line in await settled(pilot) if line]
        assert len(lines) == 1 and "Minutes number 12345" in lines[0] and "1 of 100,000" in said(pilot, "heading")


class Refusing(Large):
    """An index that was taken away."""

    def documents(self) -> list[DocumentSummary]:
        raise OSError("the index\x1b[2J is gone")


async def test_an_index_that_cannot_be_read_is_told() -> None:
    app = Pushing(DocumentsScreen(cast(Assistant, Refusing()), None))
    async with app.run_test(size=(100, 24)) as pilot:
        await settled(pilot)
        assert "the index␛[2J is gone" in said(pilot, "said")
        await pilot.press("s", "p", "p", "r", "space", "enter", "end")
        await settled(pilot)
        await pilot.press("escape")
        assert app.given == [None]


def named(*titles: str) -> list[DocumentSummary]:
    return [DocumentSummary(str(n), f"{title}.txt", title, None, 1, None) for n, title in enumerate(titles)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  Budget  2024 ", Filter(("budget", "2024"))),
        ('tag:"Town Hall" TAG:x kind:pdf', Filter((), ("town hall", "x"), ("pdf",))),
        ("tag: from: a:b", Filter(("a:b",))),
        ("from:2024-2 to:2024-02", Filter((), (), (), date(2024, 2, 1), date(2024, 2, 29))),
        ("from:2020 from:2021-03-05", Filter((), (), (), date(2021, 3, 5))),
        ('"two words', Filter(("two words",))),
    ],
)
def test_a_filter_is_read(text: str, expected: Filter) -> None:
    assert Filter.read(text) == expected


@pytest.mark.parametrize("text", ["from:2024-13", "to:0000", "from:yesterday", "to:2023-02-29", "from:2024 to:2023"])
def test_what_is_no_period_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"is no date: write|no day lies"):
        Filter.read(text)


@given(st.text(max_size=40))
def test_any_line_is_a_filter_or_refused(text: str) -> None:
    try:
        assert set(Filter.read(text).chosen(MANY[:50])) <= set(MANY[:50])
    except UsageError as error:
        assert str(error)


@given(
    st.lists(st.sampled_from(["budget", "tag:minutes", "tag:new", "kind:pdf", "from:2010", "to:2012-06"]), min_size=1)
)
def test_the_restriction_admits_what_the_filter_shows(terms: list[str]) -> None:
    documents = MANY[::997]
    by = Filter.read(" ".join(terms))
    if chosen := by.chosen(documents):
        where = filtered(by, documents).where
        assert [d for d in documents if where.admits(d.path, d.date, d.tags)] == chosen


@given(st.lists(st.text(st.sampled_from("ab*?[]!-\\/é"), min_size=1, max_size=6), min_size=1, max_size=6, unique=True))
def test_a_path_is_no_pattern(names: list[str]) -> None:
    documents = named(*names)
    chosen = documents[: len(documents) // 2 + 1]
    where = listed(chosen).where
    assert [d for d in documents if where.admits(d.path, d.date, d.tags)] == chosen


def test_too_many_documents_are_not_listed() -> None:
    with pytest.raises(UsageError, match=r"2,001 documents are too many to list"):
        listed(MANY[: MOST_PATHS + 1])
    assert listed(MANY[:20]).label.endswith(", …")


class Chipped(App[None]):
    AUTO_FOCUS = None
    CSS_PATH = Pushing.CSS_PATH

    def __init__(self, scope: Scope | None) -> None:
        super().__init__()
        self.chip = ScopeChip()
        self.chip.scope = scope
        self.lifted = 0

    def compose(self) -> Sequence[ScopeChip]:
        return [self.chip]

    def on_scope_chip_lifted(self) -> None:
        self.lifted += 1
        self.chip.scope = None


@pytest.mark.parametrize("size", [(80, 5), (20, 5), (3, 3)])
async def test_the_chip_shows_the_restriction_and_lifts_it(size: tuple[int, int]) -> None:
    app = Chipped(listed(named("Budget [/] 2024", "\x1b]0;x\x07" + "漢" * 90)))
    async with app.run_test(size=size) as pilot:
        line = app.chip.render()
        assert app.chip.display and line.cell_length <= size[0] and "\x1b" not in line.plain
        if size[0] >= 80:
            assert line.plain.startswith("⊂ only 2 documents: Budget [/] 2024, ␛]0;x")
            assert line.plain.endswith("… · Ctrl+R lifts")
        app.chip.focus()
        await pilot.pause()
        assert app.chip.render().plain[:1] in ("▸", "")  # the focus is told by a symbol too
        await pilot.press("enter")
        assert app.lifted == 1 and not app.chip.display
        app.chip.scope = listed(named("a"))
        await pilot.pause()
        await pilot.click(app.chip)
        assert app.lifted == 2
        app.chip.action_lift()
        await pilot.pause()
        assert app.lifted == 2
