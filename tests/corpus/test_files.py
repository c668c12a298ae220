"""A file is written whole or stays as it was."""

from __future__ import annotations

import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from corpus.errors import UnavailableError
from corpus.files import write_file


@contextmanager
def full_disk(at: int) -> Iterator[None]:
    """No file of this process grows beyond so many bytes."""
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (at, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_file_and_its_folders_are_made_and_replaced(tmp_path: Path) -> None:
    file = tmp_path / "new" / "folder" / "notes.txt"
    write_file(file, "one\n")
    file.chmod(0o640)
    write_file(file, "zwölf €\n")
    assert (file.read_bytes(), file.stat().st_mode & 0o777) == ("zwölf €\n".encode(), 0o640)
    assert [f.name for f in file.parent.iterdir()] == ["notes.txt"]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real.txt").write_text("old")
    (tmp_path / "link.txt").symlink_to("real.txt")
    write_file(tmp_path / "link.txt", "new")
    assert ((tmp_path / "link.txt").is_symlink(), (tmp_path / "real.txt").read_text()) == (True, "new")


def test_on_a_full_disk_the_old_file_stays_and_nothing_is_left_behind(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    write_file(file, "old")
    with full_disk(10), pytest.raises(UnavailableError, match=r"notes.txt' can't be written: File too .*; free space"):
        write_file(file, "new " * 10)
    assert (file.read_text(), [f.name for f in tmp_path.iterdir()]) == ("old", ["notes.txt"])


def test_what_can_not_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UnavailableError, match=r"file/notes.txt' can't be written: .*name a place"):
        write_file(tmp_path / "file" / "notes.txt", "text")
    with pytest.raises(UnavailableError, match="can't be written"):
        write_file(tmp_path, "a folder is no file")
    with pytest.raises(UnavailableError, match=r"half.txt' can't be written: .*surrogates"):
        write_file(tmp_path / "half.txt", "\ud800")
    assert [f.name for f in tmp_path.iterdir()] == ["file"]
