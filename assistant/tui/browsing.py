"""A screen with a list and a field that narrows it."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from typing import Any, ClassVar, Generic, TypeVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Footer, Input, Static

from assistant.tui.errors import told
from assistant.tui.plain import one_line, plain
from assistant.tui.prompt import Line
from assistant.tui.widgets.rows import Rows

Result = TypeVar("Result")
_LOOKED_FOR = 300
"""Characters of the field that are searched for."""


class BrowsingScreen(Screen[Result], Generic[Result]):
    """Heading, search field, list, what there is to say of the row of the cursor, and the keys."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "search", "Search", priority=True),  # so that what is typed at once after it comes after it
        Binding("down", "list", show=False),
        Binding("escape", "back", "Back"),
    ]
    VERTICAL_BREAKPOINTS = [(0, "-low"), (14, "-high")]  # noqa: RUF012 - declared by Textual
    PLACEHOLDER = ""

    def __init__(self, rows: Rows) -> None:
        super().__init__(classes="browsing")
        self.rows = rows
        self._asked = 0
        self._looking = False
        self._complained = False
        """Whether the last search failed."""

    def compose(self) -> ComposeResult:
        yield Static(classes="browsing--heading", markup=False)
        yield Line(placeholder=self.PLACEHOLDER)
        yield Static(classes="browsing--said", markup=False)
        yield self.rows
        yield Static(classes="browsing--detail", markup=False)
        yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        self.head("…")
        self.rows.focus()
        self.look()

    @abstractmethod
    def find(self, text: str) -> Any:
        """What the list is to show for the words in the field. Runs in a thread: touches no widget."""

    @abstractmethod
    def show(self, found: Any) -> None:
        """Shows what `find` gave."""

    def detail(self) -> str:
        """What is said of the row of the cursor."""
        return ""

    @property
    def searched(self) -> str:
        """What stands in the field."""
        return self.query_one(Line).value[:_LOOKED_FOR]

    def look(self) -> None:
        """Asks for the list anew. One search runs at a time; of those asked for meanwhile only the last follows."""
        self._asked += 1
        if not self._looking:
            self._looking = True
            self._look()

    @work(group="look", exit_on_error=False)
    async def _look(self) -> None:
        try:
            while True:
                asked = self._asked
                try:
                    found = await asyncio.to_thread(self.find, self.searched)
                except Exception as error:  # told, and the list stays as it was
                    found, complaint = None, told(error)
                else:
                    complaint = ""
                if asked == self._asked:
                    break
        finally:
            self._looking = False
        if complaint or self._complained:
            self.say(f"✗ {complaint}" if complaint else "")
        self._complained = bool(complaint)
        if found is not None:
            self.show(found)
            self._say_detail()

    def head(self, text: str, more: str = "") -> None:
        """What the list holds, and in what order."""
        parts = [one_line(text).stylize("bold"), *([one_line(more)] if more else ())]
        self.query_one(".browsing--heading", Static).update(Content(" · ").join(parts))

    def say(self, text: str) -> None:
        """One line under the field, until the next one or until the field changes; none where `text` is empty."""
        said = self.query_one(".browsing--said", Static)
        said.update(one_line(text))
        said.set_class(text.startswith("✗"), "-complaint")
        said.display = bool(text)

    def _say_detail(self) -> None:
        self.query_one(".browsing--detail", Static).update(plain(self.detail()))

    @on(Input.Changed)
    def _on_changed(self) -> None:
        self.say("")
        self.look()

    @on(Input.Submitted)
    def _on_submitted(self) -> None:
        self.rows.focus()

    @on(Rows.Moved)
    def _on_moved(self) -> None:
        self._say_detail()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002 - as Textual calls it
        return action != "search" or not isinstance(self.focused, Line)

    def action_search(self) -> None:
        self.set_focus(self.query_one(Line))

    def action_list(self) -> None:
        self.rows.focus()

    def action_back(self) -> None:
        self.dismiss(None)
