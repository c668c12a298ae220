"""The application in this terminal, which asks, reads and opens things by itself: `played.py KIND FOLDER`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

from rich.segment import Segment
from textual.pilot import Pilot
from textual.strip import Strip
from textual.widget import Widget

from assistant.api import Assistant
from assistant.tui.app import AssistantApp
from assistant.tui.launch import Launch
from assistant.tui.widgets.citation import CitationChip
from assistant.tui.widgets.conversation import Conversation
from assistant.tui.widgets.rows import Rows
from assistant.types import Prompt
from corpus.errors import UsageError
from tests.assistant.tui.conftest import Scripted
from tests.assistant.tui.hostile import batches, strings
from tests.assistant.tui.test_hostile_streams import bytes_of, decoded

ASKED = 2
"""Questions; the answers to them bring every text between them."""
OPENED = 3
"""Citations of each answer that are opened."""
ROOM = 40
"""Lines of the widget that cleans nothing."""


def texts_of(kind: str) -> list[str]:
    """The hostile strings, or as many harmless ones of the same lengths."""
    return list(strings()) if kind == "hostile" else [("harmless words " * 400)[: len(text)] for text in strings()]


def files(kind: str) -> Iterator[tuple[str, str]]:
    """Name and text of a document for each, as far as a file system takes the name."""
    for number, text in enumerate(texts_of(kind)):
        cut = text.encode(errors="surrogateescape" if "\udc9b" in text else "replace")[:180]
        name = cut.decode(errors="surrogateescape").replace("/", "∕").replace("\0", "")
        shown = text.encode(errors="replace").decode()
        yield f"{number} {name}.md", f"# {shown}\n\n5 March 2024\n\nTarn Bridge {number} closes. {shown}\n"


class Careless(Widget):
    """Draws what it is given as it is."""

    DEFAULT_CSS = f"Careless {{ height: {ROOM}; width: 1fr; }}"
    texts: tuple[str, ...] = ()

    def render_line(self, y: int) -> Strip:
        return Strip([Segment(text) for text in self.texts[y : y + 1]])


class Played(AssistantApp):
    """Leaves by itself; its exit code says whether text from outside ran an action."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.texts = texts_of(kind)
        opened = lambda: Assistant.open(  # noqa: E731
            folder / "index", generator=Scripted(self.write), embedder="hashing", reranker="none"
        )
        super().__init__(Launch(opened, folder / "index", settings_file=folder / "settings.toml"))
        self.asked = 0

    def action_pwned(self, *_: object) -> None:
        self.exit(return_code=9)

    def write(self, prompt: Prompt) -> Iterator[str]:
        """Quotes every passage, then a part of the texts, in pieces of bytes."""
        quoted = "".join(f"{p.chunk.text} [{p.number}]\n" for p in prompt.passages)
        part = self.texts[self.asked % ASKED :: ASKED]
        raw = bytes_of(quoted + "\n".join(part))
        yield from decoded([raw[at : at + 41] for at in range(0, len(raw), 41)])

    def on_mount(self) -> None:
        super().on_mount()
        self.run_worker(self.play())

    async def painted(self) -> None:
        for _ in range(3):  # mounted, laid out, drawn
            refreshed = asyncio.Event()
            self.call_after_refresh(refreshed.set)
            await refreshed.wait()

    async def play(self) -> None:
        pilot = Pilot(self)
        while not (self.ready and self.idle):
            await asyncio.sleep(0.01)
        self.set_focus(None)
        conversation = self.chat.query_one(Conversation)
        for self.asked in range(ASKED):
            part = self.texts[self.asked :: ASKED]
            await self.chat.ask(f"Tarn Bridge {self.asked} closes {part[0]}\n{part[1]}")
            while not self.idle:
                await self.painted()
            await pilot.press("ctrl+t")
            await self.painted()
            for chip in [*conversation.query(CitationChip)][-OPENED:]:
                self.chat._open(chip)
                await self.painted()
            await pilot.press("w")
            await self.painted()
            await pilot.press("slash", *"tarn", "enter", "n", "]", "escape", "escape", "escape")
            with self.telling("Reading"):
                raise UsageError(" ".join(part))
            await self.painted()
        careless = Careless()
        await self.chat.mount(careless, before=0)
        for careless.texts in map(tuple, batches(self.texts, ROOM)):
            careless.refresh()
            await self.painted()
        await careless.remove()
        for key in ("f1", "f2", "f3", "f4", "f8", "ctrl+g"):
            await pilot.press(key)
            await self.painted()
            for rows in self.screen.query(Rows):
                for _ in range(0, len(self.texts), max(rows.size.height - 2, 1)):
                    await pilot.press("pagedown")
                    await self.painted()
            await pilot.press("escape")
            await self.painted()
        self.exit()


if __name__ == "__main__":
    app = Played(sys.argv[1], Path(sys.argv[2]))
    app.run()
    sys.exit(app.return_code)
