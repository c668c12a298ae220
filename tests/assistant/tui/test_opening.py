"""Files and addresses are handed to the system's program: by no shell, in a session of its own, and failure is told."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from textual.app import App
from textual.widgets import Static

import assistant.tui
from assistant.tui.link import LinkScreen, address
from assistant.tui.opening import open_file, reference
from assistant.types import Citation, Passage
from corpus.errors import UnavailableError, UsageError
from corpus.types import Chunk, Document

linux = pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="the program is xdg-open on Linux")
STYLES = Path(assistant.tui.__path__[0]) / "styles"


class Host(App[None]):
    CSS_PATH = [STYLES / "check.tcss", STYLES / "steer.tcss"]  # noqa: RUF012 - declared by Textual


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What is found as xdg-open, on a machine with a desktop; writes its arguments into a file beside it."""
    folder = tmp_path / "programs"
    folder.mkdir()
    made = folder / "xdg-open"
    made.write_text(f"#!/bin/sh\nprintf %s \"$@\" > '{folder}/opened'\n", encoding="utf-8")
    made.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    return made


@pytest.fixture
def opened_with(program: Path) -> Path:
    """Holds the argument that the program was given; isn't there before."""
    return program.with_name("opened")


@linux
def test_a_file_is_handed_over_as_one_argument(tmp_path: Path, opened_with: Path) -> None:
    file = tmp_path / "-a $(touch pwned); 'b'.txt"
    file.write_text("x", encoding="utf-8")
    open_file(file)
    assert opened_with.read_text(encoding="utf-8") == str(file)
    assert not (tmp_path / "pwned").exists()


@linux
def test_the_program_has_no_terminal_and_its_own_session(tmp_path: Path, program: Path, capfd: object) -> None:
    told = tmp_path / "told"
    program.write_text(f"#!/bin/sh\necho noise; echo noise >&2\nps -o sid= -p $$ > {told}\ncat\n", encoding="utf-8")
    open_file(program)
    assert int(told.read_text(encoding="utf-8")) != os.getsid(0)
    assert capfd.readouterr() == ("", "")  # type: ignore[attr-defined]  # a fixture of pytest without a public type


@linux
def test_a_program_that_stays_open_is_not_waited_for(tmp_path: Path, program: Path) -> None:
    fifo = tmp_path / "wait"
    os.mkfifo(fifo)
    program.write_text(f"#!/bin/sh\nread line < {fifo}\nexit 1\n", encoding="utf-8")
    open_file(program)
    fifo.write_text("over\n", encoding="utf-8")


@linux
def test_failure_names_the_file(tmp_path: Path, program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a.txt"
    with pytest.raises(UnavailableError, match=r"a\.txt' is not a file"):
        open_file(file)
    with pytest.raises(UnavailableError, match="is not a file"):
        open_file(tmp_path)
    file.write_text("x", encoding="utf-8")
    program.write_text("#!/bin/sh\nexit 3\n", encoding="utf-8")
    with pytest.raises(UnavailableError, match=r"a\.txt' could not be opened, .* exit code 3: open it by hand"):
        open_file(file)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UnavailableError, match=r"a\.txt' can't be opened from here, no xdg-open .*: open it by hand"):
        open_file(file)
    monkeypatch.setenv("PATH", str(program.parent))
    monkeypatch.delenv("DISPLAY")
    with pytest.raises(UnavailableError, match=r"a\.txt' can't be opened from here, this terminal has no desktop"):
        open_file(file)


def test_a_quote_is_copied_with_where_it_stands() -> None:
    document = Document("1", "a/b.txt", "The \x1b[2Jtitle", None, None, "One\n two.")
    citation = Citation(1, Passage(1, Chunk("1", 0, 9, "One\n two."), document, 1.0), 0, 9, "One\n two.", 4)
    assert reference(citation) == "“One two.” (The ␛[2Jtitle, page 4, a/b.txt)"
    assert reference(Citation(7, None)) == ""


@linux
@pytest.mark.asyncio
async def test_an_address_is_shown_whole_and_opened_when_confirmed(opened_with: Path) -> None:
    app = Host()
    url = address("https://bücher.example/ä?" + "b=" * 200)
    async with app.run_test(size=(80, 24)) as pilot:
        for key, chosen in (("escape", None), ("enter", True)):
            given: list[bool | None] = []
            await app.push_screen(LinkScreen(url), given.append)
            lines = [str(shown.content) for shown in app.screen.query(Static)]
            assert "Host: xn--bcher-kva.example" in lines and url in lines
            assert not opened_with.exists()
            await pilot.press(key)
            while not given:
                await pilot.pause()
            assert given == [chosen]
        assert opened_with.read_text(encoding="utf-8") == url


@linux
@pytest.mark.asyncio
async def test_an_address_that_can_not_be_opened_stays_to_be_copied(program: Path) -> None:
    program.write_text("#!/bin/sh\nexit 4\n", encoding="utf-8")
    app = Host()
    async with app.run_test(size=(80, 24)) as pilot:
        await app.push_screen(LinkScreen("https://a.example/"))
        await pilot.press("enter")
        while not all(worker.is_finished for worker in app.workers):
            await pilot.pause()
        assert isinstance(app.screen, LinkScreen)
        assert "exit code 4: open it by hand" in str(app.screen.query_one(".dialog--said", Static).content)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a.example/x", "javascript:alert(1)", "https:///x", "http://user@a.example", "a.example",
        "http://a.example\\@b.example", "http://a.example\\.b.example/", "https://a.exa\u202emple/", "http://a..b/",
        "https://a.example/\nx", "ssh://-oProxyCommand=x", "http://a.example:99999/", "http://[::1", "file:///etc/x",
        "https://a.example/" + "x" * 3000, "", "http://-x/", "https://a.example:8o/",
    ],
)  # fmt: skip
def test_an_address_that_reads_otherwise_than_it_is_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="it isn't opened"):
        address(url)


@pytest.mark.parametrize(
    ("url", "plain"),
    [
        ("HTTPS://A.example/ü?q=ä#ö", "https://a.example/%C3%BC?q=%C3%A4#%C3%B6"),
        ("http://bücher.example:8080", "http://xn--bcher-kva.example:8080"),
        ("https://a.example/%20x?a=1&b=2", "https://a.example/%20x?a=1&b=2"),
        ("http://[::1]:80/x", "http://[::1]:80/x"),
        ("https://аpple.example/", "https://xn--pple-43d.example/"),  # a Cyrillic letter
    ],
)
def test_an_address_is_made_plain(url: str, plain: str) -> None:
    assert address(url) == plain == address(plain)
