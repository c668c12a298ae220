"""Calls of the system that fail, full disks, limits and rights: a clear line, nothing lost, and answers throughout."""

from __future__ import annotations

import errno
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from children import Children, Fault
from made_index import lost, spread, state, texts_of
from trials import OPERATIONS, calls, filled, limited, published

POINTS = 3
"""Of each kind of call, with each of two errors, at times once and at times from then on."""


@pytest.fixture
def faulty(children: Children) -> Children:
    if not children.faults:
        pytest.skip("no C compiler for faults.c")
    return children


@pytest.fixture
def folder(base: Path, tmp_path: Path) -> Path:
    return shutil.copytree(base, tmp_path / "index")


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_failing_call_loses_nothing(faulty: Children, base: Path, tmp_path: Path, operation: str) -> None:
    folder = tmp_path / "index"
    for number, at in enumerate(spread(calls(faulty, base, folder, operation), POINTS)):
        for error in (errno.ENOSPC, errno.EIO):
            fault = Fault(str(folder), operation, at, error, lasting=bool(number % 2))
            assert published(faulty, base, folder, fault=fault) == [], fault


def test_a_folder_that_cannot_be_synced_is_used_where_it_never_can(faulty: Children, folder: Path) -> None:
    fault = Fault(str(folder), "fsync-folder", 1, errno.EINVAL, lasting=True)
    ended = faulty.run("publishes", folder, 2, 4, 12, fault=fault)
    assert ended.said("published") == ["2", "3"]
    assert ended.problems == []
    fault = Fault(str(folder), "fsync-folder", 1, errno.EIO, lasting=True)
    (line,) = faulty.run("publishes", folder, 4, 5, 12, fault=fault).said("refused")
    assert line == (
        f"the index {str(folder)!r} cannot be used (Input/output error): check the free space and the permissions "
        "of the folder, then run again; what was indexed is kept"
    )


def test_a_disk_that_is_full_and_a_derived_file_that_is_gone(faulty: Children, folder: Path) -> None:
    expected = faulty.run("asks", folder).lines
    (lexical,) = folder.glob("lexical-*")
    lexical.unlink()
    ended = faulty.run("asks", folder, fault=Fault(str(folder), "write", 1, errno.ENOSPC, lasting=True))
    assert ended.problems == []
    assert {line for line in ended.lines if line.startswith("answered")} <= set(expected)
    assert all("No space left on device" in line for line in ended.said("refused"))
    assert faulty.run("asks", folder).lines == expected


@pytest.mark.parametrize("limit", [1, 1_000, 40_000, 120_000, 300_000])
def test_a_limit_on_the_size_of_files(children: Children, tmp_path: Path, limit: int) -> None:
    assert limited(children, tmp_path / "index", limit, 200) == []


def test_a_full_file_system(children: Children, tmp_path: Path) -> None:
    problems = filled(children, tmp_path, 200)
    if problems is None:
        pytest.skip("no file system can be mounted here")
    assert problems == []


@pytest.fixture
def others(base: Path) -> Iterator[Path]:
    """An index in a folder that every user may enter."""
    with tempfile.TemporaryDirectory() as home:
        Path(home).chmod(0o755)
        yield shutil.copytree(base, Path(home) / "index")
        Path(home, "index").chmod(0o755)


@pytest.mark.parametrize(("folder_mode", "file_mode"), [(0o555, 0o444), (0o555, 0o000), (0o000, 0o444)])
def test_rights(children: Children, others: Path, folder_mode: int, file_mode: int) -> None:
    expected = children.run("asks", others).lines
    for path in others.iterdir():
        path.chmod(file_mode)
    others.chmod(folder_mode)
    asked = children.run("unprivileged", "asks", others)
    if asked.said("may"):
        pytest.skip("no user without the right to write can be had here")
    assert asked.problems == []
    if (folder_mode, file_mode) == (0o555, 0o444):
        assert asked.lines[1:] == expected
    else:
        assert len(asked.said("refused")) == len(expected)
        assert all("cannot be used" in line and "permissions" in line for line in asked.said("refused"))
    ended = children.run("unprivileged", "publishes_over", others, 2, 12)
    assert ended.problems == []
    (line,) = ended.said("refused")
    assert "the permissions of the folder" in line
    others.chmod(0o755)
    for path in others.iterdir():
        path.chmod(0o644)
    assert lost(others, 1, 1, 12) == []


def test_a_log_left_in_a_read_only_folder_is_refused_not_passed_over(faulty: Children, others: Path) -> None:
    """Reading the file without its log would miss what was acknowledged."""
    faulty.run("publishes", others, 2, 3, 12, fault=Fault(str(others), "rename", 2))
    log = next(others.glob("*-wal"))
    assert log.stat().st_size > 0
    next(others.glob("*-shm")).unlink()
    others.chmod(0o555)
    asked = faulty.run("unprivileged", "asks", others)
    if asked.said("may"):
        pytest.skip("no user without the right to write can be had here")
    assert asked.problems == []
    assert asked.said("answered") == []
    assert all("permissions of the folder" in line for line in asked.said("refused"))
    others.chmod(0o755)
    assert state(others) == texts_of(1)
