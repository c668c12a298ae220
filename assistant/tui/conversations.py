"""What was asked before: found, resumed, renamed, deleted and exported."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType

from assistant.tui.browsing import BrowsingScreen
from assistant.tui.errors import told
from assistant.tui.prompt import PromptScreen
from assistant.tui.widgets.rows import Column, Rows, fitted

if TYPE_CHECKING:
    from assistant.api import Assistant
    from assistant.records.conversations import Conversation

_COLUMNS = (Column("Conversation"), Column("Last", 16), Column("Questions", 9, right=True))
_NAMED = 30
"""Cells of a title in a notice."""
_FOUND = (Column("Conversation"), Column("Found", share=2), Column("Last", 16))


class ConversationsScreen(BrowsingScreen[str | None]):
    """Gives the id of the conversation to resume; None where the user goes back."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "rename", "Rename"),
        Binding("d", "delete", "Delete"),
        Binding("u", "undo", "Undo", tooltip="Take the last deleted conversation back"),
        Binding("e", "export", "Export"),
    ]
    PLACEHOLDER = "words of questions, answers and titles"

    def __init__(self, desk: Assistant, current: str, deleted: list[Conversation] | None = None) -> None:
        """What is deleted is added to `deleted`, the last one at the end; what is undone is taken from there."""
        super().__init__(Rows(*_COLUMNS, empty="Reading the conversations…"))
        self._desk = desk
        self._current = current
        self._listed: list[tuple[Conversation, str]] = []
        """What is shown, and where the words of the field were found in it."""
        self._deleted = [] if deleted is None else deleted

    def find(self, text: str) -> tuple[list[tuple[Conversation, str]], list[str]]:
        kept = self._desk.conversations
        if text.strip():
            found: dict[str, tuple[Conversation, str]] = {}
            for match in kept.find(text):
                found.setdefault(match.conversation.id, (match.conversation, match.snippet))
            listed = list(found.values())
        else:
            listed = [(conversation, "") for conversation in kept.listed()]
        return listed, [conversation.id for conversation, _ in listed]

    def show(self, found: tuple[list[tuple[Conversation, str]], list[str]]) -> None:
        self._listed, ids = found
        searched = bool(self.searched.strip())
        self.rows.columns = _FOUND if searched else _COLUMNS
        self.rows.empty = "Nothing was found." if searched else "Nothing was asked yet."
        self.rows.set_rows(self._listed, ids, self._found_cells if searched else self._cells)
        self.head(f"Conversations ({len(ids):,}{' found' if searched else ''})")
        self.refresh_bindings()

    def detail(self) -> str:
        if self._here is None:
            return ""
        open_now = "● open now: " if self._here.id == self._current else ""
        return f"{open_now}{self._here.title}\n{self._listed[self.rows.cursor][1]}".strip()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "undo":
            return bool(self._deleted)
        if action in ("rename", "delete", "export"):
            return self._here is not None
        return super().check_action(action, parameters)

    @property
    def _here(self) -> Conversation | None:
        cursor = self.rows.cursor
        return self._listed[cursor][0] if cursor < len(self._listed) else None

    @on(Rows.Opened)
    def _on_opened(self, message: Rows.Opened) -> None:
        self.dismiss(message.key)

    @work(group="keep", exit_on_error=False)
    async def action_rename(self) -> None:
        here = self._here
        if here is None:
            return

        def renamed(title: str) -> str:
            if not title:
                return "a conversation needs a title: type one, or go back with Escape"
            self._desk.conversations.rename(here.id, title)
            return ""

        if await self.app.push_screen_wait(PromptScreen("Rename the conversation", here.title, check=renamed)):
            self.look()

    @work(group="keep", exit_on_error=False)
    async def action_delete(self) -> None:
        """At once: what was deleted can be had back as long as the application runs."""
        here = self._here
        if here is None or here in self._deleted:
            return
        if here.id == self._current:
            self.say("✗ this conversation is open: begin another with Ctrl+L, then delete it")
            return
        self._deleted.append(here)
        if await self._kept(self._desk.conversations.delete, here.id):
            self.say(f"Deleted “{_short(here.title)}”. u undoes")
        else:
            self._deleted.remove(here)

    @work(group="keep", exit_on_error=False)
    async def action_undo(self) -> None:
        """Takes back the last deleted conversation, then the one before."""
        if self._deleted:
            last = self._deleted.pop()
            if await self._kept(self._desk.conversations.restore, last.id):
                self.say(f"“{_short(last.title)}” is back")
            else:
                self._deleted.append(last)

    @work(group="keep", exit_on_error=False)
    async def action_export(self) -> None:
        from assistant.tui.saving import SavingScreen  # a screen is imported when it is opened

        if (here := self._here) is not None:
            written: Path | None = await self.app.push_screen_wait(SavingScreen(self._desk, here.id, here.title))
            if written is not None:
                self.say(f"Written to {written}")

    async def _kept(self, change: Callable[[str], None], conversation: str) -> bool:
        """Whether the change was made; the list shows it, or what was wrong is told."""
        try:
            await asyncio.to_thread(change, conversation)
        except Exception as error:  # told, and the list stays
            self.say(f"✗ {told(error)}")
            return False
        self.look()
        return True

    def _cells(self, row: tuple[Conversation, str]) -> tuple[str, ...]:
        conversation, _ = row
        return self._title(conversation), _when(conversation), f"{conversation.questions:,}"

    def _found_cells(self, row: tuple[Conversation, str]) -> tuple[str, ...]:
        conversation, snippet = row
        return self._title(conversation), snippet, _when(conversation)

    def _title(self, conversation: Conversation) -> str:
        return f"● {conversation.title}" if conversation.id == self._current else conversation.title


def _when(conversation: Conversation) -> str:
    return f"{conversation.last.astimezone():%Y-%m-%d %H:%M}"


def _short(title: str) -> str:
    return fitted(title, _NAMED).rstrip()
