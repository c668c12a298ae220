"""Hostile strings, answers made of nothing else, and what must not be on a screen that shows them."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path

import pytest
from textual.app import App
from textual.geometry import Region
from textual.screen import Screen
from textual.scroll_view import ScrollView
from textual.widget import Widget

from assistant.records.history import Record
from assistant.tui.app import AssistantApp
from assistant.types import Answer, Citation, Conflict, ConflictingValue, Passage, Refusal, Statement
from corpus.types import Chunk, Document, Metadata, Section
from embeddings.types import Snapshot

HOSTILE = Path(__file__).parents[3].parent / "shared" / "data" / "hostile"
without_data = pytest.mark.skipif(not HOSTILE.is_dir(), reason=f"no hostile strings in {HOSTILE}")
ACTIONS = "[@click=app.pwned]press[/] [/] [bold]x[/bold] [link=http://evil.test]y[/link] [$primary]"
MARKED = "\x1b[31m[@click=app.pwned]\x9b2J"
"""Shows, and shows no more than, that outside text has come to a place."""
TRACE = "\u241b"
"""What an escape is shown as."""
MADE = (
    ACTIONS, MARKED, "\ud83d", "a\udc9b2Jb", "\ue000\U000e0041", "\x1b", "\x9b", "[/", "[", "\\[/]", "$x[$y",
    "\r\n\x85\u2028",
)  # fmt: skip
OURS = {"citation", "offset", "option"}
"""Keys of a style's meta data that our own widgets, and Textual's for selecting, put there."""
TEXTUALS = {("@mouse.down", "grab"), ("@mouse.down", "scroll_up"), ("@mouse.down", "scroll_down")}
"""Of its scrollbars and switches."""
LINES = 900
"""Of a widget that are looked at."""


@cache
def strings() -> tuple[str, ...]:
    """Those made here, and all of the development data: each once."""
    if not HOSTILE.is_dir():
        return MADE
    read = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(HOSTILE.rglob("*.json"))]
    lists = [x if isinstance(x, list) else x.get("payloads", x.values()) for x in read]
    prose = [path.read_text(encoding="utf-8") for path in (*HOSTILE.rglob("*.txt"), *HOSTILE.glob("*.md"))]
    lines = (line for text in prose for line in text.splitlines() if not line.isascii())
    texts = (text for texts in lists for text in texts if isinstance(text, str))
    return tuple(dict.fromkeys((*MADE, *texts, *lines)))


def batches(texts: list[str], size: int) -> list[list[str]]:
    return [texts[first : first + size] for first in range(0, len(texts), size)]


def document_of(text: str, number: int = 1) -> Document:
    """A document in which everything is that text; it holds it twice."""
    held = f"{text}\n{text} before {text} after {text}"
    heading = Section("heading", 1, 0, len(text))
    metadata = Metadata((text, text), (text,), text)
    return Document(f"{number:032}", text, text, date(2024, 3, 5), "text", held, (heading,), (), metadata)


def answer_of(texts: list[str], refused: bool = False) -> Answer:
    """An answer in which every field that comes from outside is one of `texts`."""
    statements, passages = [], []
    for number, text in enumerate(texts, 1):
        document = document_of(text, number)
        start = document.text.index(" before ") + len(" before ")
        chunk = Chunk(document.id, start, start + len(text), text, (text,))
        passage = Passage(number, chunk, document, 1.0)
        passages.append(passage)
        citation = Citation(number, passage, start, start + len(text), text, 3)
        statements.append(Statement(text, "quoted", 1.0, (citation,)))
        statements.append(Statement(text, "unsupported", 0.1, (), text))
    cited = [c for statement in statements for c in statement.citations]
    values = tuple(ConflictingValue(c.quote, (c,), date(2024, 3, 5), n == 0) for n, c in enumerate(cited))
    answer = Answer(
        "1", texts[0], texts[-1], tuple(statements), None, (Conflict("\n".join(texts), tuple(cited), values),),
        (*passages, *(replace(p, number=p.number + len(texts)) for p in passages)),
        texts[0], Snapshot(1, texts[0], texts[0], 1, 1), confidence=0.9, notes=tuple(texts),
    )  # fmt: skip
    refusal = Refusal("weak_evidence", "\n".join(texts), tuple(passages), tuple(texts), 3, tuple(texts))
    return replace(answer, statements=(), refusal=refusal, conflicts=()) if refused else answer


def record_of(texts: list[str], refused: bool = False) -> Record:
    answer = answer_of(texts, refused).to_dict()
    return Record(1, "c", datetime.now(UTC), "\n".join(texts), json.loads(json.dumps(answer)))


class Bare(AssistantApp):
    """The application without the net under `plain`; notes whether text from outside ran an action."""

    fired = 0
    get_line_filters = App.get_line_filters

    def action_pwned(self, *_: object) -> None:
        self.fired += 1


@cache
def control(character: str) -> bool:
    """Whether a character moves the cursor, reorders or hides something; joiners stay after letters."""
    joiner = character in "\u200c\u200d"
    return unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") and not joiner


def shown(widget: Widget) -> str:
    """What a widget draws itself, in view or not; nothing of it may be in force."""
    size = widget.outer_size
    words = []
    for strip in widget.render_lines(Region(0, 0, size.width, min(size.height, LINES))):
        for text, style, sequence in strip:
            bad = [] if text.isascii() and text.isprintable() else [c for c in text if control(c)]
            assert not bad and not sequence, f"{bad} {sequence} in {text!r} of {widget}"
            if style is not None and (style.link or style._meta):
                meta = {key for key, value in style.meta.items() if (key, value) not in TEXTUALS}
                assert not style.link and meta <= OURS, (widget, text, style.link, style.meta)
            words.append(text)
    return "".join(words)


def check(widgets: Iterable[Widget]) -> None:
    for widget in widgets:
        shown(widget)


def check_screen(screen: Screen[object]) -> None:
    """Every line of every widget, scrolled through where it is drawn by line."""
    check((screen, *screen.query("*")))
    for widget in screen.query(ScrollView):
        for top in range(0, widget.virtual_size.height, max(widget.size.height, 1)):
            widget.scroll_to(y=top, animate=False, force=True, immediate=True)
            check([widget])
