"""What is handed to other programs: files and addresses to open, quotes to paste."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from corpus.dating import in_words
from corpus.errors import UnavailableError
from corpus.sanitizing import sanitize

if TYPE_CHECKING:
    from assistant.types import Citation
    from corpus.types import Document

_WAIT = 1.0
"""Seconds within which a program that can't open something says so."""


def open_file(path: Path) -> None:
    """Open a file in the program that the system has for its kind; waits for a second to hear of failure.

    Raises:
        UnavailableError: it is not a file, or nothing here opens it; the text names it.
    """
    if not path.is_file():
        raise UnavailableError(f"{str(path)!r} is not a file: index its folder again if it was moved")
    _open(str(path.resolve()))


def open_address(address: str) -> None:
    """Open the address of a web page, as `link.address` gives it. Raises `UnavailableError` as `open_file` does."""
    _open(address)


def _open(target: str) -> None:
    if sys.platform == "win32":
        os.startfile(target)
        return
    name = "open" if sys.platform == "darwin" else "xdg-open"
    program = shutil.which(name)
    # Without a screen, xdg-open falls back on browsers that draw in a terminal.
    if program is None or (name == "xdg-open" and not {"DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys()):
        missing = f"no {name} is installed" if program is None else "this terminal has no desktop"
        raise UnavailableError(f"{target!r} can't be opened from here, {missing}: open it by hand")
    nothing = subprocess.DEVNULL
    child = subprocess.Popen([program, target], stdin=nothing, stdout=nothing, stderr=nothing, start_new_session=True)
    try:
        code = child.wait(_WAIT)
    except subprocess.TimeoutExpired:
        threading.Thread(target=child.wait, daemon=True).start()  # so that no dead process is left behind
        return
    if code:
        raise UnavailableError(f"{target!r} could not be opened, {name} ended with exit code {code}: open it by hand")


def reference(citation: Citation) -> str:
    """The quote of a citation and where it stands, in one line of plain text."""
    if citation.passage is None:
        return ""
    return quoted(citation.quote, citation.passage.document, citation.page)


def quoted(quote: str, document: Document, page: int | None) -> str:
    """Words of a document in quotation marks, with its title, date, page and path."""
    day = in_words(document.date) if document.date else ""
    parts = (document.title, day, f"page {page}" if page else "", document.path)
    return " ".join(sanitize(f"“{quote}” ({', '.join(part for part in parts if part)})").split())
