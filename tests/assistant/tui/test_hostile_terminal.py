"""The application in a real pseudo-terminal, its documents, their names and its answers hostile."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from assistant.api import Assistant
from tests.assistant.tui.hostile import strings, without_data
from tests.assistant.tui.played import files

ROOT = Path(__file__).parents[3]
SEQUENCE = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[PX^_\]].*?(?:\x07|\x1b\\|\Z)|\x1b.|[\x00-\x1f\x7f-\x9f]", re.DOTALL
)
DRAWING = re.compile(r"\x1b\[(?:\d+;\d+H|(?:(?:[0-479]|[34]8;2;\d+;\d+;\d+)(?:;(?!m)|(?=m)))*m)")
"""Where to draw and, in full colours, how: differs from text to text."""
HIDDEN = re.compile("[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e007f]")


def in_a_terminal(kind: str, folder: Path) -> str:
    """All that the application writes to a pseudo-terminal while it is played with texts of a kind."""
    (folder / "documents").mkdir(parents=True)
    named = Counter[bool]()
    for name, text in files(kind):
        try:
            (folder / "documents" / name).write_text(text, encoding="utf-8")
        except (OSError, ValueError):
            named[False] += 1
        else:
            named[True] += 1
    assert named[True] > 20 * named[False], named
    report = Assistant.build(folder / "documents", index=folder / "index", embedder="hashing")
    assert report.added + len(report.failures) == named[True] and report.added > 0.9 * named[True], report.failures[:5]
    parent, child = pty.openpty()
    fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 60, 120, 0, 0))
    environment = {"PYTHONPATH": str(ROOT), "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    program = subprocess.Popen(
        [sys.executable, "-m", "tests.assistant.tui.played", kind, str(folder)],
        stdin=child, stdout=child, stderr=child, env={**os.environ, **environment}, cwd=ROOT, start_new_session=True,
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
    assert program.wait(30) == 0, written[-3000:].decode(errors="replace")
    return written.decode("utf-8")


def sequences(text: str) -> set[str]:
    return {found for found in SEQUENCE.findall(text) if not DRAWING.fullmatch(found)}


@without_data
def test_a_real_terminal_gets_the_sequences_of_harmless_text_only(tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as beside:
        hostile, harmless = beside.map(lambda kind: in_a_terminal(kind, tmp_path / kind), ("hostile", "harmless"))
    assert "harmless" in harmless and "\u241b]52" in hostile
    assert sequences(hostile) <= sequences(harmless)
    foreign = {found for text in strings() for found in SEQUENCE.findall(text) if found not in harmless}
    assert len(foreign) > 40 and not [found for found in foreign if found in hostile]
    assert not HIDDEN.search(hostile)
