"""Always true 6: outside text reaches the terminal with no control sequence and no markup of its own in force."""

from __future__ import annotations

import ast
import json
import os
import pty
import re
import subprocess
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from pathlib import Path

import pytest
from textual.geometry import Region
from textual.widget import Widget

import assistant.tui
from assistant.tui.app import AssistantApp
from assistant.tui.widgets.citation import CitationChip
from assistant.tui.widgets.composer import Composer
from assistant.tui.widgets.conversation import Conversation
from assistant.tui.widgets.source import SourcePane
from assistant.tui.widgets.status import StatusLine
from assistant.types import Answer, Citation, Conflict, Passage, Refusal, Statement
from corpus.types import Chunk, Document, ReadFailure
from embeddings.types import Snapshot

HOSTILE = Path(__file__).parents[3].parent / "shared" / "data" / "hostile"
ACTIONS = "[@click=app.pwned]press[/] [/] [bold]x[/bold] [link=http://evil.test]y[/link] [$primary]"
OURS = {"citation", "offset"}
"""Keys of a style's meta data that our own widgets, and Textual for selecting text, put there."""


def strings() -> list[str]:
    if not HOSTILE.is_dir():
        return []
    read = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(HOSTILE.rglob("*.json"))]
    lists = [x if isinstance(x, list) else x.get("payloads", x.values()) for x in read]
    prose = [path.read_text(encoding="utf-8") for path in (*HOSTILE.rglob("*.txt"), *HOSTILE.glob("*.md"))]
    lines = dict.fromkeys(line for text in prose for line in text.splitlines() if not line.isascii())
    return [ACTIONS, *(text for texts in lists for text in texts if isinstance(text, str)), *lines]


def answer_of(texts: list[str], refused: bool = False) -> Answer:
    """An answer in which every field that comes from outside is one of `texts`."""
    statements, passages = [], []
    for number, text in enumerate(texts, 1):
        document = Document(f"{number:032}", text, text, date(2024, 3, 5), "text", f"{text} before {text} after {text}")
        start = len(text) + 8
        passage = Passage(number, Chunk(document.id, start, start + len(text), text), document, 1.0)
        passages.append(passage)
        citation = Citation(number, passage, start, start + len(text), text, 3)
        statements.append(Statement(text, "quoted", 1.0, (citation,)))
    refusal = Refusal("weak_evidence", texts[0], tuple(passages)) if refused else None
    conflict = Conflict(texts[-1], tuple(c for s in statements[:2] for c in s.citations))
    return Answer(
        "1", texts[0], texts[0], () if refused else tuple(statements), refusal, () if refused else (conflict,),
        tuple(passages), texts[0], Snapshot(1, texts[0], texts[0], 1, 1),
    )  # fmt: skip


def control(character: str) -> bool:
    joiner = character in "\u200c\u200d"
    return unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") and not joiner


def check(app: AssistantApp) -> None:
    """Every line of every widget, in view or not."""
    for screen in app.screen_stack:
        check_widgets((screen, *screen.query("*")))


def check_widgets(widgets: Iterable[Widget]) -> None:
    for widget in widgets:
        for strip in widget.render_lines(Region(0, 0, widget.size.width, min(widget.size.height, 400))):
            for segment in strip:
                bad = [f"{c!r} in {widget}" for c in segment.text if control(c)]
                assert not bad, bad
                assert segment.style is None or set(segment.style.meta) <= OURS, (widget, segment.style.meta)
                assert segment.style is None or not segment.style.link, widget


class Watched(AssistantApp):
    """Notes whether text from outside ran an action."""

    fired = 0

    def action_pwned(self, *_: object) -> None:
        self.fired += 1


async def show(app: AssistantApp, texts: list[str]) -> None:
    """Puts texts into everything that shows what users, documents and models write."""
    conversation, status = app.query_one(Conversation), app.query_one(StatusLine)
    await conversation.clear("\n".join(texts))
    check_widgets(conversation.query("Welcome *"))
    for text in texts:
        app.query_one(Composer).insert(text)
        status.activity = status.index = status.generator = text
        check_widgets([status])
    for refused in (False, True):
        answer = answer_of(texts, refused)
        exchange = await conversation.add("\n".join(texts))
        exchange.answer.retrieved(texts[0], 3)
        exchange.answer.write("\n".join(texts))
        if not refused:
            check_widgets(exchange.query("*"))
            for statement in answer.statements[:2]:  # each is laid out anew; the rest come with the finished answer
                exchange.answer.verified(statement)
        exchange.answer.finish(answer, 0.1)
    failed = await conversation.add(texts[0])
    failed.answer.fail(" ".join(texts))
    app._unread = [ReadFailure(text, text) for text in texts[:3]]
    app.action_list_unread()


@pytest.mark.skipif(not HOSTILE.is_dir(), reason=f"no hostile strings in {HOSTILE}")
@pytest.mark.asyncio
async def test_no_string_is_in_force_in_any_widget(make_app: Callable[..., AssistantApp]) -> None:
    texts = strings()
    assert len(texts) > 600
    app = Watched(make_app()._opener)
    async with app.run_test(size=(100, 40), notifications=True) as pilot:
        for batch in range(0, len(texts), 40):
            app.query_one(SourcePane).close()
            app.query_one(Composer).clear()
            await show(app, texts[batch : batch + 40])
            await pilot.pause()
            check(app)
            app.clear_notifications()
            chips = list(app.query(CitationChip))[:40]
            app.query_one(SourcePane).open(chips[0])
            await pilot.pause()
            for chip in chips:
                app.query_one(SourcePane).open(chip)
                check_widgets(app.query("SourcePane, SourcePane *"))
    assert app.fired == 0


@pytest.mark.asyncio
async def test_a_click_on_action_markup_runs_nothing(make_app: Callable[..., AssistantApp]) -> None:
    app = Watched(make_app()._opener)
    async with app.run_test(size=(100, 40)) as pilot:
        await show(app, [ACTIONS])
        await pilot.pause()
        app.query_one(SourcePane).open(app.query(CitationChip).last())
        await pilot.pause()
        inside = Region(0, 0, 100, 40)
        for widget in app.query("Static, CitationChip, SourceText, StatusLine, Composer"):
            for x in (2, 9):
                if (place := (widget.region.x + x, widget.region.y)) in inside and widget.size.width > x:
                    await pilot.click(offset=place)
        assert app.fired == 0 and app.is_running


@pytest.mark.asyncio
@pytest.mark.parametrize("text", ["\x1b]52;c;cHduZWQ=\x07", "a\u202eb\u200bc", "\x9b2J[/]", "[@click=app.pwned]x[/]"])
async def test_a_sequence_split_between_deltas_stays_harmless(make_app: Callable[..., AssistantApp], text: str) -> None:
    app = Watched(make_app()._opener)
    async with app.run_test(size=(80, 24)) as pilot:
        for at in range(len(text) + 1):
            exchange = await app.query_one(Conversation).add("?")
            exchange.answer.write(text[:at])
            await pilot.pause()
            check(app)
            exchange.answer.write(text[at:])
            await pilot.pause()
            check(app)


PROGRAM = """
import asyncio, sys
sys.path.insert(0, sys.argv[1])
from test_hostile_text import ACTIONS, answer_of, strings
from assistant.tui.app import AssistantApp
from assistant.tui.widgets.conversation import Conversation
from assistant.tui.widgets.citation import CitationChip
from assistant.tui.widgets.source import SourcePane
from corpus.errors import UsageError
from corpus.sanitizing import sanitize

texts = [text for text in strings() if sanitize(text) != text] or [ACTIONS + "\\x1b]52;c;cHduZWQ=\\x07"]
if sys.argv[2] == "harmless":
    texts = ["harmless"] * 80

def opener(progress):
    raise UsageError("\\x1b]0;title\\x07[/]" if sys.argv[2] == "hostile" else "harmless")

class Shown(AssistantApp):
    async def on_ready(self):
        self.run_worker(self.play())

    async def painted(self):
        for _ in range(3):  # mounted, laid out, drawn
            refreshed = asyncio.Event()
            self.call_after_refresh(refreshed.set)
            await refreshed.wait()

    async def play(self):
        for at in range(0, len(texts), 40):
            await self.query_one(Conversation).clear(texts[at])
            exchange = await self.query_one(Conversation).add(texts[at])
            exchange.answer.finish(answer_of(texts[at : at + 40], refused=at % 80 == 40), 0.1)
            await self.painted()
            for chip in list(exchange.query(CitationChip))[-2:]:
                self.query_one(SourcePane).open(chip)
                await self.painted()
        self.exit()

app = Shown(opener)
app.run()
sys.exit(app.return_code)
"""
SEQUENCE = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[PX^_\]].*?(?:\x07|\x1b\\|\Z)|\x1b.|[\x00-\x1f\x7f-\x9f]", re.DOTALL
)
DRAWING = re.compile(r"\x1b\[[0-9;]*[mH]")


def in_a_terminal(kind: str, program_file: Path) -> str:
    """All that the application writes to a real pseudo-terminal while it shows texts of a kind."""
    parent, child = pty.openpty()
    os.set_blocking(parent, True)
    program_file.write_text(PROGRAM, encoding="utf-8")
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(__file__).parents[3]),
        "TERM": "xterm-256color",
        "COLUMNS": "90",
        "LINES": "250",
    }
    program = subprocess.Popen(
        [sys.executable, str(program_file), str(Path(__file__).parent), kind],
        stdin=child, stdout=child, stderr=child, env=environment, cwd=Path(__file__).parents[3],
    )  # fmt: skip
    os.close(child)
    written = bytearray()
    try:
        while piece := os.read(parent, 1 << 16):
            written += piece
    except OSError:  # how Linux says that the other end is closed
        pass
    finally:
        os.close(parent)
    assert program.wait(30) == 0, written[-2000:]
    return written.decode("utf-8")


def test_a_real_terminal_gets_the_sequences_of_harmless_text_only(tmp_path: Path) -> None:
    written = {kind: in_a_terminal(kind, tmp_path / "program.py") for kind in ("hostile", "harmless")}
    seen = {
        kind: {s for s in SEQUENCE.findall(text) if not DRAWING.fullmatch(s) and s not in "\r\n"}
        for kind, text in written.items()
    }
    assert "harmless" in written["harmless"] and "\u241b]52" in written["hostile"]
    assert seen["hostile"] <= seen["harmless"]
    assert not re.search("[\u061c\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]", written["hostile"])


def _calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def test_no_widget_of_ours_reads_markup() -> None:
    (folder,) = assistant.tui.__path__
    for path in Path(folder).rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        assert "from_markup" not in source and "border_title" not in source and "Markdown" not in source, path
        for call in _calls(ast.parse(source)):
            name = getattr(call.func, "id", getattr(call.func, "attr", ""))
            if name not in ("Static", "Label", "notify"):
                continue
            without = any(k.arg == "markup" and ast.unparse(k.value) == "False" for k in call.keywords)
            assert without, f"{path.name}:{call.lineno}: {ast.unparse(call)} may read markup: pass markup=False"
