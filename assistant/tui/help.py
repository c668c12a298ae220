"""Which keys do what, and what the marks mean; made from the bindings themselves."""

from __future__ import annotations

import asyncio
import importlib
import pkgutil
import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from textual import work
from textual.binding import Binding
from textual.content import Content
from textual.dom import DOMNode
from textual.keys import format_key
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

import assistant.tui
from assistant.tui.dialog import Dialog
from assistant.tui.errors import told
from assistant.tui.marks import MARKS

_COLUMN = 18
"""Cells for the keys, where there is room."""
_FIRST = ("SteeredApp", "ChatScreen", "CitingScreen", "Composer", "CitationChip", "SourcePane")
_TITLES = {
    "AssistantApp": "Everywhere",
    "SteeredApp": "Everywhere",
    "ChatScreen": "Conversation",
    "CitingScreen": "Answers and their sources",
    "Composer": "Question",
    "CitationChip": "Citation",
    "SourcePane": "Source",
    "BrowsingScreen": "Every list",
    "Dialog": "Every dialog",
}
_WORDS = {"enter": "Enter", "escape": "Esc", "pageup": "PgUp", "pagedown": "PgDn"}
_CLIENTS = ("serving", "launching", "linewise")
"""Modules that start something else than a screen of this application."""


class Keys(NamedTuple):
    """The bindings of one screen or widget."""

    of: type[DOMNode]
    bindings: tuple[Binding, ...]

    @property
    def title(self) -> str:
        """As `_TITLES` has it, or the name of the class in words."""
        if self.of.__name__ in _TITLES:
            return _TITLES[self.of.__name__]
        words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", self.of.__name__.removesuffix("Screen"))
        return words[:1] + words[1:].lower() + (" screen" if issubclass(self.of, Screen) else "")

    def rows(self) -> Iterator[tuple[str, str]]:
        """Keys and what they do, one row an action."""
        actions: dict[str, list[Binding]] = {}
        for binding in self.bindings:
            actions.setdefault(binding.action, []).append(binding)
        for same in actions.values():
            if says := dict.fromkeys(text for b in same if (text := said(b))):
                yield ", ".join(named(b.key) for b in same), "; ".join(says)


def said(binding: Binding) -> str:
    """What a binding does, in as many words as it gives; empty for one without any."""
    short, long = binding.description, binding.tooltip
    return long if short.casefold() in long.casefold() else f"{short}: {long}" if long else short


def named(key: str) -> str:
    """`Ctrl+N` for `ctrl+n`, `Esc` for `escape`; a letter without another key as it is typed."""
    *held, last = key.split("+")
    shown = _WORDS.get(last) or format_key(last)
    if held or len(shown) > 1:
        shown = shown[:1].upper() + shown[1:]
    return "+".join((*(part.capitalize() for part in held), shown))


def nodes() -> list[type[DOMNode]]:
    """Every class of the application that is drawn."""
    modules = [
        importlib.import_module(module.name)
        for module in pkgutil.walk_packages(assistant.tui.__path__, "assistant.tui.")
        if module.name.rpartition(".")[2] not in _CLIENTS
    ]
    return [
        kind
        for module in modules
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, DOMNode) and kind.__module__ == module.__name__
    ]


def bound() -> list[Keys]:
    """The screens and widgets of the application that have bindings of their own: everywhere's first."""
    return sorted((Keys(kind, own(kind)) for kind in nodes() if "BINDINGS" in vars(kind)), key=_place)


def _place(keys: Keys) -> tuple[int, bool, str]:
    name = keys.of.__name__
    return _FIRST.index(name) if name in _FIRST else len(_FIRST), not issubclass(keys.of, Screen), keys.title


def own(kind: type) -> tuple[Binding, ...]:
    """The bindings that the class itself declares, one a key."""
    return tuple(Binding.make_bindings(vars(kind).get("BINDINGS", ())))


class HelpScreen(Dialog[None]):
    """Every key with what it does, by screen, and every mark."""

    READ_ONLY = True

    def __init__(self) -> None:
        super().__init__("Help", "The footer shows the keys that work now; all else is in the commands (Ctrl+O).")

    def body(self) -> Iterable[Widget]:
        yield Static(id="help", markup=False)

    def on_resize(self) -> None:
        self._show()

    @work(exclusive=True, exit_on_error=False)
    async def _show(self) -> None:
        # In a thread: screens that weren't opened yet are imported for their bindings.
        page = self.query_one("#help", Static)
        width = self.query_one(".dialog").scrollable_content_region.width
        try:
            page.update(await asyncio.to_thread(lambda: _page(bound(), width)))
        except ImportError as error:
            self.say(told(error))


def _page(sections: Sequence[Keys], width: int) -> Content:
    """What the screen shows, its lines no longer than `width`."""
    keys = [(section.title, list(section.rows())) for section in sections]
    marks = ("What the marks mean", [(mark.symbol, mark.meaning) for mark in MARKS.values()])
    lines = []
    for title, rows in (*keys[:2], marks, *keys[2:]):
        if rows:
            lines += [Content.styled(title, "bold underline"), *(_row(*row, width) for row in rows), Content("")]
    return Content("\n").join(lines)


def _row(key: str, does: str, width: int) -> Content:
    column = _COLUMN if width >= 2 * _COLUMN else 0
    lines = textwrap.wrap(f"{key:{column}}  {does}", max(width, 8), subsequent_indent=" " * (column + 2))
    return Content("\n".join(lines)).stylize("bold", 0, len(key))
