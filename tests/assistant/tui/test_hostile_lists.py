"""Hostile strings in every field of the lists: nothing of them is in force."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from textual.screen import Screen
from textual.widgets import Static

from assistant.conversations import Conversation, Match
from assistant.tui.conversations import ConversationsScreen
from assistant.tui.documents import DocumentsScreen
from assistant.tui.prompt import Line
from assistant.tui.saving import SavingScreen
from assistant.tui.scope import listed
from assistant.tui.widgets.rows import Rows
from assistant.tui.widgets.scope import ScopeChip
from corpus.errors import UnavailableError
from corpus.types import ReadFailure
from embeddings.view import DocumentSummary
from tests.assistant.tui.pushing import Pushing, settled
from tests.assistant.tui.test_hostile_dialogs import check
from tests.assistant.tui.test_hostile_text import HOSTILE, check_widgets, strings

pytestmark = pytest.mark.skipif(not HOSTILE.is_dir(), reason=f"no hostile strings in {HOSTILE}")
STRINGS = strings()
NOW = datetime.now(UTC)


class Hostile:
    """An assistant whose documents, problems and conversations are named by the strings."""

    def __init__(self) -> None:
        self.listing = [DocumentSummary(str(n), f"{n}{s}", s, None, 1, s, (s, s), s) for n, s in enumerate(STRINGS)]
        self.kept = [Conversation(str(n), s, NOW, NOW, 1) for n, s in enumerate(STRINGS)]
        self.conversations = SimpleNamespace(listed=lambda: self.kept, find=self.find, delete=self.delete)

    def documents(self) -> list[DocumentSummary]:
        return self.listing

    def failures(self) -> list[ReadFailure]:
        return [ReadFailure(f"{n}{s}", s) for n, s in enumerate(STRINGS)]

    def find(self, text: str) -> list[Match]:
        return [Match(one, 1, one.title, one.title) for one in self.kept]

    def delete(self, id: str) -> None:
        raise UnavailableError(STRINGS[int(id)])


@pytest.mark.parametrize("other", [False, True])
@pytest.mark.parametrize("screen", [DocumentsScreen, ConversationsScreen])
async def test_lists(screen: type[Screen[Any]], other: bool) -> None:
    """Also the problems, and what a search found."""
    desk: Any = Hostile()
    of_documents = screen is DocumentsScreen
    app = Pushing(DocumentsScreen(desk, listed(desk.listing[:30])) if of_documents else ConversationsScreen(desk, "3"))
    async with app.run_test(size=(90, len(STRINGS) + 20)) as pilot:
        await settled(pilot)
        if other and of_documents:
            await pilot.press("p")
        elif other:
            app.screen.query_one(Line).value = STRINGS[0]
        await settled(pilot)
        check(app)
        rows = app.screen.query_one(Rows)
        for place in range(len(STRINGS)):
            rows.cursor = place
            app.screen._say_detail()  # type: ignore[attr-defined]
            app.screen.say(STRINGS[place])  # type: ignore[attr-defined]
            check_widgets(app.screen.query(Static))
        await pilot.press("d")
        await settled(pilot)
        check(app)


async def test_the_export_and_the_chip() -> None:
    desk: Any = Hostile()
    app = Pushing(SavingScreen(desk, "1", "\n".join(STRINGS[:80])))
    async with app.run_test(size=(90, 200)) as pilot:
        await settled(pilot)
        check(app)
        chip = ScopeChip()
        await app.screen.mount(chip)
        for document in desk.listing:
            chip.scope = listed([document])
            check_widgets([chip])
