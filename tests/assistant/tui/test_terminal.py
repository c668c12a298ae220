"""The real program in real terminals: poor ones, and tmux."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import shlex
import shutil
import signal
import struct
import subprocess
import termios
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic, sleep

import pytest

from assistant.tui.launch import command

SECONDS = 60
QUESTION = "When does Tarn Bridge close to traffic?"
ANSWER = "closes to traffic on 6 May 2024"
SAMPLES = Path(__file__).parents[3] / "corpus" / "samples"
POSIX = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


class Terminal:
    """A program in a pseudo-terminal of 100 by 30."""

    def __init__(self, line: list[str], environment: dict[str, str]) -> None:
        self._parent, child = pty.openpty()
        fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("LC_", "LANG", "PYTHON", "NO_COLOR"))}
        self._program = subprocess.Popen(
            line, stdin=child, stdout=child, stderr=child, start_new_session=True,
            env={**inherited, "TERM": "xterm-256color", "COLORTERM": "truecolor", **environment},
        )  # fmt: skip
        os.close(child)
        self.written = b""

    def type(self, keys: bytes) -> None:
        os.write(self._parent, keys)

    def until(self, text: str) -> None:
        """Reads until the program has written `text`."""
        ends = monotonic() + SECONDS
        while text.encode() not in re.sub(rb"\x1b\[[0-9;?]*[A-Za-z]", b"", self.written):
            assert monotonic() < ends and self._read(), self.written[-3000:].decode(errors="replace")

    def ended(self) -> int:
        """Reads to the end; gives the exit code."""
        while self._read():
            pass
        return self._program.wait(SECONDS)

    def hang_up(self) -> int:
        """Takes the terminal away; gives the exit code."""
        os.close(self._parent)
        self._parent = os.open(os.devnull, os.O_RDONLY)
        return self._program.wait(SECONDS)

    def close(self) -> None:
        self._program.kill()
        self._program.wait()
        os.close(self._parent)

    def _read(self) -> bool:
        try:
            if not select.select([self._parent], [], [], SECONDS)[0]:
                return False
            piece = os.read(self._parent, 1 << 16)
        except OSError:  # how Linux says that the other end is closed
            return False
        self.written += piece
        return bool(piece)


@pytest.fixture
def chat(index: Path) -> Iterator[Callable[..., Terminal]]:
    opened: list[Terminal] = []

    def run(**environment: str) -> Terminal:
        opened.append(Terminal(command("chat", "--index", str(index), "--reranker", "none"), environment))
        return opened[-1]

    yield run
    for terminal in opened:
        terminal.close()


@pytest.mark.parametrize(
    ("environment", "encoding"),
    [
        ({}, "utf-8"),
        ({"NO_COLOR": "1"}, "utf-8"),
        ({"LANG": "C", "PYTHONUTF8": "0"}, "utf-8"),
        (POSIX, "ascii"),
        ({"PYTHONIOENCODING": "ascii"}, "ascii"),
        ({"LC_ALL": "en_US.ISO-8859-1", "PYTHONIOENCODING": "iso-8859-1"}, "iso-8859-1"),
        ({"TERM": "vt100"}, "utf-8"),
        ({"TERM": "of-a-name-never-heard"}, "utf-8"),
    ],
    ids=str,
)
def test_a_poor_terminal_gets_its_answer(
    environment: dict[str, str], encoding: str, chat: Callable[..., Terminal]
) -> None:
    terminal = chat(**environment)
    terminal.until("ready")
    terminal.type(b"zebra \xe9\xff \x1b[200~\xc3\x1b[2J\x1b[201~")  # no UTF-8, typed and pasted
    terminal.until("zebra")
    terminal.type(b"\r")
    terminal.until("No answer")
    terminal.type(QUESTION.encode() + b"\r")
    terminal.until(ANSWER)
    terminal.type(b"\x11\x11")
    assert terminal.ended() == 0
    written = terminal.written.decode(encoding)
    assert "Traceback" not in written and "\\u" not in written
    if "NO_COLOR" in environment:
        colours = re.findall(r"[34]8;2;(\d+);(\d+);(\d+)", written)
        assert colours and all(red == green == blue for red, green, blue in colours)


def test_a_terminal_without_a_cursor_is_asked_line_by_line(chat: Callable[..., Terminal]) -> None:
    terminal = chat(TERM="dumb")
    terminal.until("Line by line, because the terminal (TERM='dumb') can't move its cursor.")
    terminal.type(b"\n" + b"\xff\n" + QUESTION.encode() + b"\n")
    terminal.until(ANSWER)
    terminal.type(b"x" * 3000 + b"\n")
    terminal.until("the question has 3,000 characters")
    terminal.type(b"quit\n")
    assert terminal.ended() == 0 and b"\x1b" not in terminal.written and b"Traceback" not in terminal.written


def test_a_dumb_terminal_ends_with_the_input(chat: Callable[..., Terminal]) -> None:
    terminal = chat(TERM="dumb")
    terminal.until("> ")
    terminal.type(b"\x04")
    assert terminal.ended() == 0


@pytest.fixture
def tmux(tmp_path: Path) -> Iterator[Callable[..., str]]:
    program = shutil.which("tmux")
    if program is None:
        pytest.skip("no real terminal: `tmux` is not installed")

    def run(*arguments: str) -> str:
        line = [program, "-f", os.devnull, "-S", str(tmp_path / "socket"), *arguments]
        return subprocess.run(line, capture_output=True, text=True, check=True, timeout=SECONDS).stdout

    yield run
    subprocess.run([program, "-S", str(tmp_path / "socket"), "kill-server"], capture_output=True, check=False)


@pytest.mark.parametrize("size", ["80x24", "160x48"])
def test_a_real_question_in_a_real_terminal(tmux: Callable[..., str], tmp_path: Path, size: str) -> None:
    index = str(tmp_path / "index")
    subprocess.run(command("index", str(SAMPLES), "--index", index, "--embedder", "hashing"), check=True)
    line = shlex.join(command("chat", "--index", index, "--reranker", "none"))
    width, height = size.split("x")
    sized = f"unset COLUMNS LINES; {line}; echo ended with $?; sleep {SECONDS}"
    tmux("-u", "new-session", "-d", "-x", width, "-y", height, sized)

    def until(*texts: str) -> str:
        ends = monotonic() + SECONDS
        while any(text not in " ".join((pane := tmux("capture-pane", "-p")).split()) for text in texts):
            assert monotonic() < ends, pane
            sleep(0.1)  # tmux has no way to wait for what a program draws
        return pane

    until("ready", "19 documents", "1 not read")
    tmux("send-keys", "-l", "How much does the garden waste service cost a year?")
    tmux("send-keys", "Enter")
    until("The garden waste service costs £52 a year", "Bins and recycling")
    tmux("send-keys", "C-n")
    until("Open source")
    tmux("send-keys", "Enter")
    until("Bins and recycling: questions and charges", "fortnight")  # a word beside the quote
    tmux("send-keys", "C-q")
    until("ended with 0")


def test_a_terminal_that_goes_away_takes_the_program_with_it(chat: Callable[..., Terminal]) -> None:
    terminal = chat()
    terminal.until("ready")
    assert terminal.hang_up() == -signal.SIGHUP
