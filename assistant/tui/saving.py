"""A conversation written to a file."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Input, OptionList, Static

from assistant.tui.choice import Offers
from assistant.tui.dialog import Dialog
from assistant.tui.errors import told
from assistant.tui.plain import plain
from assistant.tui.prompt import Line
from corpus.errors import UsageError
from corpus.sanitizing import sanitize

if TYPE_CHECKING:
    from assistant.api import Assistant
    from assistant.records.exporting import Format

_FORMATS: dict[Format, tuple[str, str]] = {
    "markdown": (".md", "Markdown"),
    "html": (".html", "web page"),
    "json": (".json", "JSON, for programs"),
}
_LONGEST_NAME = 60
"""Characters: at four bytes each they fit into the 255 that a file system allows."""


def file_name(title: str, form: Format) -> str:
    """A name that every file system takes, made of a conversation's title."""
    words = re.sub(r"[^\w-]+", "-", sanitize(title))[:_LONGEST_NAME].strip("-_")
    return (words or "conversation") + _FORMATS[form][0]


class SavingScreen(Dialog[Path]):
    """Up and down choose the format, the line takes the file; gives the file that was written, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", "Up", show=False),
        Binding("down", "move(1)", "Down", show=False),
    ]

    def __init__(self, desk: Assistant, conversation: str, title: str) -> None:
        super().__init__("Export", f"“{' '.join(title.split())}”, with every document, place and quote that is cited.")
        self._desk = desk
        self._conversation = conversation
        self._subject = title
        self._form: Format = "markdown"
        self._replaces: Path | None = None
        """The file that stands there already, once that was told."""

    def body(self) -> Iterable[Widget]:
        yield Static(plain(f"Into {_here()}, as"), markup=False)
        yield Line(file_name(self._subject, self._form))
        offers = Offers([(label, "") for _, label in _FORMATS.values()])
        offers.can_focus = False
        yield offers

    def action_move(self, by: int) -> None:
        """Means the next or previous format."""
        offers = self.query_one(Offers)
        offers.highlighted = min(max((offers.highlighted or 0) + by, 0), len(_FORMATS) - 1)

    @on(OptionList.OptionHighlighted)
    def _on_format(self, message: OptionList.OptionHighlighted) -> None:
        line, self._form = self.query_one(Line), list(_FORMATS)[message.option_index]
        ending = next((ending for ending, _ in _FORMATS.values() if line.value.endswith(ending)), "")
        line.value = line.value.removesuffix(ending) + _FORMATS[self._form][0]
        line.cursor_position = len(line.value)

    @on(Input.Changed)
    def _on_changed(self) -> None:
        self._replaces = None
        if self.query_one(".dialog--said").display:
            self.say()
        self._show_line()

    def on_mount(self) -> None:
        self._show_line()

    def _show_line(self) -> None:
        # On a low screen the offers scroll themselves into view; what is typed has to be seen.
        self.call_after_refresh(self.query_one(Line).scroll_visible, animate=False)

    @on(Input.Submitted)
    def _on_submitted(self, message: Input.Submitted) -> None:
        self._save(message.value.strip())

    @work(exclusive=True, group="save", exit_on_error=False)
    async def _save(self, value: str) -> None:
        self.say("writing…", complaint=False)
        try:
            path = await asyncio.to_thread(self._write, value)
        except Exception as error:  # told, and the dialog stays
            self.say(told(error))
        else:
            self.dismiss(path)

    def _write(self, value: str) -> Path:
        from assistant.records.exporting import (  # brings NumPy, which the first screen does without
            export,
            write_export,
        )

        path = _checked(value)
        if path.exists() and path != self._replaces:
            self._replaces = path
            raise UsageError(f"{str(path)!r} exists: press Enter again to replace it, or give another name")
        records = self._desk.conversations.records(self._conversation)
        if not records:
            raise UsageError("nothing of this conversation is kept, so there is nothing to write: ask something first")
        write_export(path, export(self._subject, records, self._form))
        return path


def _here() -> Path:
    """Where a name without a folder goes; the user's own folder where the current one is gone."""
    try:
        return Path.cwd()
    except OSError:
        return Path.home()


def _checked(value: str) -> Path:
    """The file that is meant. Raises `UsageError` where none can be."""
    path = _here() / Path(value).expanduser()
    if not value or path.is_dir():
        raise UsageError(f"{str(path)!r} is a folder: give the name of a file in it")
    if not path.parent.is_dir():
        raise UsageError(f"there is no folder {str(path.parent)!r}: give one that exists")
    if path.exists() and not path.is_file():
        raise UsageError(f"{str(path)!r} is no ordinary file: give another name")
    return path
