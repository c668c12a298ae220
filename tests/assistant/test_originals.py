"""The file behind a document: found inside its folder, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant.api import Assistant
from assistant.originals import original
from corpus.errors import UsageError


def test_folders_and_originals_of_an_index(tmp_path: Path) -> None:
    for name in ("east", "west"):
        (tmp_path / name / "notes").mkdir(parents=True)
        (tmp_path / name / "corpus.toml").write_text("")
        (tmp_path / name / "notes" / "mill.md").write_text(f"# The {name} mill\n\nIt grinds corn for the {name}.\n")
    folders = (tmp_path / "east", tmp_path / "west")
    for indexed, path in ((folders[:1], "notes/mill.md"), (folders, "east/notes/mill.md")):
        index = tmp_path / f"index-{len(indexed)}"
        Assistant.build(*indexed, index=index, embedder="hashing")
        with Assistant.open(index, reranker="none", history=":memory:") as desk:
            assert desk.folders == indexed
            assert {d.path for d in desk.documents()} >= {path}
            assert desk.original(path) == tmp_path / "east" / "notes" / "mill.md"
            (tmp_path / "east" / "notes" / "mill.json").write_text("{}")
            for other in ("north/mill.md", "corpus.toml", "east/corpus.toml", path.replace(".md", ".json")):
                with pytest.raises(UsageError, match=f"no document at '{other}' in the index"):
                    desk.original(other)
            (tmp_path / "east" / "notes" / "mill.md").rename(tmp_path / "mill.md")
            with pytest.raises(UsageError, match=r"mill.md' is no longer in .*: put it back"):
                desk.original(path)
            (tmp_path / "mill.md").rename(tmp_path / "east" / "notes" / "mill.md")


@pytest.mark.parametrize("path", ["../secret.txt", "notes/../../secret.txt", "link.txt", "linked/secret.txt"])
def test_what_lies_outside_is_not_opened(path: str, tmp_path: Path) -> None:
    outside, folder = tmp_path / "outside", tmp_path / "documents"
    outside.mkdir()
    folder.mkdir()
    (folder / "notes").mkdir()
    for secret in (outside / "secret.txt", tmp_path / "secret.txt"):
        secret.write_text("secret")
    (folder / "link.txt").symlink_to(outside / "secret.txt")
    (folder / "linked").symlink_to(outside)
    with pytest.raises(UsageError, match=r"lies outside of the folder '.*documents': it isn't opened"):
        original(path, [folder])


@pytest.mark.parametrize("path", ["gone.txt", "notes", "", "a\0b", "x" * 5000, "loop"])
def test_what_is_no_file_any_more_says_what_to_do(path: str, tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(UsageError, match=r"is no longer in .*: put it back, or index the folder again"):
        original(path, [tmp_path])


def test_a_link_inside_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real.txt").write_text("text")
    (tmp_path / "link.txt").symlink_to("real.txt")
    assert original("link.txt", [tmp_path]) == tmp_path / "real.txt"
