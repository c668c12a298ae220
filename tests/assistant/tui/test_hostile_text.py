"""Always true 6: outside text reaches the terminal with no control sequence and no markup of its own in force."""

from __future__ import annotations

import ast
import io
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from markdown_it import MarkdownIt
from textual.content import Content
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input, OptionList, Static, TextArea

import assistant.tui
from assistant.records.exporting import FORMATS, Format, export
from assistant.tui import linewise
from assistant.tui.app import AssistantApp
from assistant.tui.help import nodes
from assistant.tui.launch import Launch
from assistant.types import Answer
from corpus.errors import UsageError
from corpus.sanitizing import sanitize
from tests.assistant.test_exporting import Page
from tests.assistant.tui.hostile import (
    ACTIONS,
    MARKED,
    TRACE,
    Bare,
    answer_of,
    batches,
    check_screen,
    control,
    record_of,
    shown,
    strings,
    without_data,
)  # fmt: skip
from tests.assistant.tui.played import Careless
from tests.assistant.tui.pushing import settled
from tests.assistant.tui.showings import SHOWINGS, Showing, chat

(FOLDER,) = assistant.tui.__path__
OF_OUR_OWN_WORDS = {"AssistantApp", "HelpScreen", "LinkScreen"}
"""What draws no text from outside, nothing at all, or addresses in plain ASCII alone."""


@pytest.fixture
def launch(make_app: Callable[..., AssistantApp]) -> Launch:
    return make_app().launch


@without_data
@pytest.mark.parametrize("showing", SHOWINGS, ids=lambda showing: showing.__name__)
async def test_no_string_is_in_force_anywhere(showing: Showing, launch: Launch) -> None:
    assert len(strings()) > 700
    async for screen in showing(list(strings()), launch):
        check_screen(screen)
        assert screen.app.is_running and not getattr(screen.app, "fired", 0)


async def test_every_widget_and_screen_shows_outside_text_here(launch: Launch) -> None:
    """A new one must be added to the showings, or to those that have none."""
    seen: set[type] = set()

    def note(screen: Screen[Any]) -> None:
        for widget in (screen, *screen.query("*")):
            if TRACE in shown(widget):
                seen.update(kind for owner in (widget, *widget.ancestors) for kind in type(owner).__mro__)

    for showing in SHOWINGS:
        async for screen in showing([MARKED] * 5, launch):
            note(screen)
    assert {kind.__name__ for kind in nodes() if kind not in seen} <= OF_OUR_OWN_WORDS


async def test_a_click_on_action_markup_runs_nothing(launch: Launch) -> None:
    showing, clicked = chat([ACTIONS] * 2, launch), 0
    async for screen in showing:
        places = [
            (widget.region.x + at, widget.region.y + y)
            for widget in screen.query("*")
            for y, strip in enumerate(widget.render_lines(widget.size.region))
            if (at := strip.text.find("press")) >= 0
        ]
        for place in places[:6]:
            if place in screen.region:
                await Pilot(screen.app).click(offset=place)
                clicked += 1
            if screen.app.screen is not screen:
                break
        assert isinstance(screen.app, Bare) and screen.app.fired == 0 and screen.app.is_running
    assert clicked > 5


class Netted(AssistantApp):
    """The application as it is, net and all."""


@without_data
@pytest.mark.parametrize("kind", [Netted, Bare])
async def test_the_net_alone_holds(kind: type[AssistantApp], launch: Launch) -> None:
    """Under widgets that clean nothing; the same without it lets everything through."""
    app, held = kind(launch), True
    async with app.run_test(size=(120, 60)) as pilot:
        await settled(pilot)
        careless, titled = Careless(), Static(markup=False)
        titled.styles.border = ("solid", "red")
        options, line, area = OptionList(markup=False), Input(), TextArea()
        widgets: list[Widget] = [careless, titled, options, line, area]
        await app.chat.mount(*widgets, before=0)
        for widget in widgets:
            widget.styles.height = 5
        careless.styles.height = 40
        await pilot.pause()
        for batch in batches(list(strings()), 40):
            careless.texts = tuple(batch)
            titled.border_title = Content(batch[0])
            titled.update(Content("\n".join(batch)))
            options.set_options(Content(text) for text in batch)
            line.value, area.text = batch[-1], "\n".join(batch)
            careless.refresh()
            try:
                for widget in widgets:
                    shown(widget)
            except AssertionError:
                held = False
            else:
                assert kind is Netted or all(text.isprintable() for text in batch)
    assert held is (kind is Netted)


@without_data
@pytest.mark.parametrize("form", FORMATS)
def test_an_export_has_nothing_of_them_in_force(form: Format) -> None:
    for batch in batches(list(strings()), 100):
        for refused in (False, True):
            text = export("\n".join(batch), [record_of(batch, refused)], form)
            assert text == sanitize(text) and text.encode()
            if form == "html":
                page = Page(text)
                assert {tag for tag, _ in page.elements} <= {
                    "meta", "style", "title", "h1", "h2", "h3", "p", "small", "blockquote",
                }  # fmt: skip
                assert all(not attributes for tag, attributes in page.elements if tag != "meta")
            elif form == "markdown":
                parsed = MarkdownIt().parse(text)
                assert {c.type for token in parsed for c in token.children or ()} == {"text"}
                assert "html_block" not in {token.type for token in parsed}


@without_data
def test_line_by_line_nothing_is_in_force(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def ask(question: str, turns: object, conversation: str) -> Answer:
        told.append(question)
        if len(told) % 3 == 0:
            raise UsageError(question * 2)
        return answer_of([question], refused=len(told) % 3 == 1)

    told: list[str] = []
    lines = "".join(f"{' '.join(text.splitlines())}.\n" for text in strings() for _ in range(3))
    monkeypatch.setattr(sys, "stdin", io.StringIO(lines))
    desk: Any = SimpleNamespace(ask=ask)
    linewise.chat(desk, sanitize(ACTIONS))
    written = capsys.readouterr()
    assert len(told) > 2 * len(strings())
    for said in (written.out, written.err):
        assert TRACE in said and not [c for c in set(said) if control(c) and c != "\n"]


# What the source says.

SAFE = {"Footer", "Input", "OptionList", "ProgressBar", "Select", "Static", "Switch", "TextArea"}
"""Widgets of Textual's that read no markup, or none where `markup=False` is said."""
READING = {"Label", "OptionList", "Static", "notify"}
"""What reads markup where that isn't said."""
TITLES = {"border_title", "border_subtitle", "tooltip", "title", "sub_title"}
"""Attributes in which markup is read."""
OURS_TITLED = {("composer.py", "border_subtitle")}
"""Those that are set, from words of our own."""


def sources() -> Iterator[tuple[Path, ast.Module]]:
    return ((path, ast.parse(path.read_text(encoding="utf-8"))) for path in sorted(Path(FOLDER).rglob("*.py")))


def name_of(node: ast.AST) -> str:
    return str(getattr(node, "id", getattr(node, "attr", "")))


def test_no_widget_of_ours_reads_markup() -> None:
    trees = dict(sources())
    classes = [node for tree in trees.values() for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    reading = {kind.name for kind in classes if READING & set(map(name_of, kind.bases))}
    made = {kind.name for kind in classes if kind.name in reading and "__init__" in {name_of_def(n) for n in kind.body}}
    for path, tree in trees.items():
        starts = [
            call
            for kind in ast.walk(tree)
            if isinstance(kind, ast.ClassDef) and kind.name in made
            for call in ast.walk(kind)
            if isinstance(call, ast.Call) and ast.unparse(call.func) == "super().__init__"
        ]
        calls = [call for call in ast.walk(tree) if isinstance(call, ast.Call)]
        for call in (*starts, *(c for c in calls if name_of(c.func) in (READING | reading) - made)):
            without = any(k.arg == "markup" and ast.unparse(k.value) == "False" for k in call.keywords)
            assert without, f"{path.name}:{call.lineno}: {ast.unparse(call)} may read markup: pass markup=False"
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module is not None:
                names = {alias.name for alias in node.names}
                assert node.module != "textual.widgets" or names <= SAFE, f"{path.name}: {names - SAFE}"
                assert not {"markdown", "markup"} & set(node.module.split(".")), f"{path.name}: {node.module}"
            if isinstance(node, ast.Attribute):
                assert node.attr not in ("from_markup", "markup"), f"{path.name}:{node.lineno}"
                titled = isinstance(node.ctx, ast.Store) and node.attr in TITLES
                assert not titled or (path.name, node.attr) in OURS_TITLED, f"{path.name}:{node.lineno}"


def name_of_def(node: ast.stmt) -> str:
    return node.name if isinstance(node, ast.FunctionDef) else ""
