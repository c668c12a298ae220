"""Tags and audiences from the folder to the view: twins, files that fail, changed rules, callbacks."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from corpus.errors import UsageError
from corpus.labels import SIDECAR, Labels
from corpus.types import Metadata
from embeddings.build import BuildReport, build_index
from embeddings.hashing import HashingEmbedder
from embeddings.search import Index
from embeddings.types import Embedder, Where

PUBLIC, STAFF = frozenset({"public"}), frozenset({"staff"})
RULES = """
audiences = ["board"]
[[documents]]
paths = ["open/*"]
audience = ["public"]
[[documents]]
paths = ["closed/*"]
audience = ["staff"]
tags = ["closed"]
"""
Build = Callable[..., BuildReport]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "papers"
    for name in ("open", "closed", "loose"):
        (folder / name).mkdir(parents=True)
    (folder / SIDECAR).write_text(RULES)
    (folder / "open" / "fees.txt").write_text("Library fees rise by 2 pounds in April, the panel decided.\n")
    (folder / "closed" / "plan.txt").write_text("The library closes for good in June, says the secret plan.\n")
    (folder / "loose" / "note.md").write_text(
        "---\naudience: staff, tenants\ntags: [note]\ndate: 2024-05-01\n---\n\nThe tenants' meeting is on Monday.\n"
    )
    return folder


@pytest.fixture
def build(folder: Path, tmp_path: Path, counting: Embedder) -> Build:
    return lambda **options: build_index([folder], tmp_path / "index", counting, **options)


def test_rules_and_front_matter_that_have_no_effect_are_told_each_time(folder: Path, build: Build) -> None:
    assert build().remarks == ()
    (folder / SIDECAR).write_text(RULES.replace("closed/*", "Closed/*"))
    for name, front in {
        "number": "audience: 7",
        "typo": "audiences: staff",
        "list": "audience: [staff, public",
        "commas": "audience: ['staff, public']",
        "colon": "audience:staff",
        "closed": "audience: 7",
        "empty": "audience: []",
        "two": "audience: staff, public",
    }.items():
        (folder / "loose" / f"{name}.md").write_text(f"---\n{front}\n---\n\nThe {name} fair is on Monday.\n")
    (folder / "loose" / "closed.md").rename(folder / "open" / "closed.md")
    kind = "'audience' is neither a name nor a list of names"
    for _ in range(2):  # the second run reads no file
        assert build().remarks == (
            "corpus.toml: the rule 2 for 'Closed/*' fits no file (letters' case counts)",
            "loose/colon.md: its front matter isn't understood (it has no `name: value`); no restricted reader sees it",
            f"loose/commas.md: its front matter isn't understood ({kind}); no restricted reader sees it",
            "loose/list.md: its front matter isn't understood (it isn't YAML); no restricted reader sees it",
            f"loose/number.md: its front matter isn't understood ({kind}); no restricted reader sees it",
            "loose/typo.md: its front matter isn't understood ('audiences': write 'audience'); "
            "no restricted reader sees it",
            f"open/closed.md: its front matter isn't understood ({kind})",
        )


def paths(index: Path, audience: frozenset[str] | None, where: Where | None = None) -> list[str]:
    """Of all documents that a search finds, and the list shows."""
    with Index.open(index) as opened, opened.view(audience) as view:
        hits = view.search("library", HashingEmbedder(64).embed_query("library"), 50, where)
        found = sorted({view.document(hit.chunk.document_id).path for hit in hits})
        assert where or found == sorted({view.document(one.id).path for one in view.documents()})
        return found


def test_labels_come_from_file_and_sidecar(build: Build, tmp_path: Path) -> None:
    build()
    assert paths(tmp_path / "index", None) == ["closed/plan.txt", "loose/note.md", "open/fees.txt"]
    assert paths(tmp_path / "index", PUBLIC) == ["open/fees.txt"]
    assert paths(tmp_path / "index", STAFF) == ["closed/plan.txt", "loose/note.md"]
    assert paths(tmp_path / "index", PUBLIC | STAFF, Where(tags=("closed",))) == ["closed/plan.txt"]
    assert paths(tmp_path / "index", frozenset()) == []
    with Index.open(tmp_path / "index") as index:
        assert index.audiences() == {"public", "staff", "tenants", "board"}
        with index.view(STAFF) as view:
            assert [(one.path, one.tags, one.audience, one.date) for one in view.documents()] == [
                ("closed/plan.txt", ("closed",), ("staff",), None),
                ("loose/note.md", ("note",), ("staff",), date(2024, 5, 1)),
            ]
            note = view.document_at("loose/note.md")
            assert note and note.metadata == Metadata(("note",), ("staff",))


def test_what_is_hidden_is_answered_as_what_is_not_there(build: Build, tmp_path: Path) -> None:
    build()
    with Index.open(tmp_path / "index") as index, index.view() as everything, index.view(PUBLIC) as view:
        hidden = next(one for one in everything.documents() if one.path == "closed/plan.txt")
        row = everything.rows_of("closed/plan.txt")[0]
        for name in (hidden.id, "0" * 32):
            with pytest.raises(UsageError, match=f"^no document '{name}' in the index$"):
                view.document(name)
        for number in (row, 999, -1):
            with pytest.raises(UsageError, match=f"^no passage {number} in the index$"):
                view.chunk_at(number)
        assert view.document_at("closed/plan.txt") is None and view.rows_of("closed/plan.txt") == []
        assert view.rows_of("secret plan") == [] and view.document_frequencies(["secret"]) == {"secret": 0}
        assert (view.snapshot().documents, view.searched(Where(tags=("closed",)))) == (1, (0, 0))
        assert view.hides(hidden.id, "x") and view.hides("x", hidden.path) and not view.hides("x", "x")
        assert not everything.hides(hidden.id, hidden.path)


def test_other_rules_cost_no_reading_and_make_a_generation(build: Build, folder: Path, tmp_path: Path) -> None:
    first = build()
    assert build().generation == first.generation
    (folder / SIDECAR).write_text(RULES + '[[documents]]\npaths = ["closed/plan.txt"]\naudience = ["public"]\n')
    report = build()
    assert (report.embedded, report.unchanged, report.generation) == (0, 3, first.generation + 1)
    assert paths(tmp_path / "index", PUBLIC) == ["closed/plan.txt", "open/fees.txt"]
    with Index.open(tmp_path / "index") as index, index.view() as view:
        assert [one.path for one in view.since(first.generation)] == ["closed/plan.txt"]
        assert view.since(report.generation) == []
    (folder / SIDECAR).write_text('audiences = ["other"]\n')
    build()
    with Index.open(tmp_path / "index") as index:
        assert index.audiences() == {"staff", "tenants", "other"}
    (folder / SIDECAR).write_text("[[documents]]\n")
    with pytest.raises(UsageError, match=r"corpus\.toml'.*'paths' is None in rule 1"):
        build()


def test_a_view_says_what_changed(build: Build, folder: Path, tmp_path: Path) -> None:
    first = build().generation
    (folder / "open" / "fees.txt").write_text("Library fees fall in April.\n")
    second = build().generation
    (folder / "open" / "more.txt").write_text("Library hours stay.\n")
    build()
    with Index.open(tmp_path / "index") as index, index.view(PUBLIC) as view:
        assert [one.path for one in view.since(first)] == ["open/fees.txt", "open/more.txt"]
        assert [one.path for one in view.since(second)] == ["open/more.txt"]


def test_the_same_bytes_are_as_visible_as_each_of_their_paths(build: Build, folder: Path, tmp_path: Path) -> None:
    text = "---\naudience: board\n---\n\nThe same bytes lie in several places.\n"
    for name in ("closed/a 2024-01-02.txt", "open/b 2023-03-04.txt", "loose/c.md", "loose/d.txt"):
        (folder / name).write_text(text)
    build()
    with Index.open(tmp_path / "index") as index:
        for audience, path, day in (
            (PUBLIC, "open/b 2023-03-04.txt", date(2023, 3, 4)),
            (STAFF, "closed/a 2024-01-02.txt", date(2024, 1, 2)),
            (frozenset({"board"}), "loose/c.md", None),
        ):
            with index.view(audience) as view:
                (one,) = [one for one in view.documents() if "bytes lie" in view.document(one.id).text]
                document = view.document(one.id)
                assert (document.path, document.date) == (one.path, one.date) == (path, day)
                hits = view.search("same bytes", HashingEmbedder(64).embed_query("same bytes"), 9)
                (hit,) = [hit for hit in hits if hit.chunk.document_id == one.id]
                assert document.text[hit.chunk.start : hit.chunk.end] == hit.chunk.text and hit.places == ()
        with index.view() as view:
            assert len({one.id for one in view.documents()}) == view.snapshot().documents == 4
            assert len([one for one in view.documents() if one.id == hit.chunk.document_id]) == 4


def test_a_file_that_fails_is_seen_by_those_who_would_see_it(build: Build, folder: Path, tmp_path: Path) -> None:
    (folder / "loose" / "plain.txt").write_bytes(b"\0" * 40)
    (folder / "open" / "bad.txt").write_bytes(b"\0" * 40)
    (folder / "closed" / "sheet.xyz").write_text("x")
    build()
    with Index.open(tmp_path / "index") as index:
        for audience, failures in (
            (PUBLIC, ["open/bad.txt"]),
            (STAFF, ["closed/sheet.xyz"]),
            (None, ["closed/sheet.xyz", "loose/plain.txt", "open/bad.txt"]),
        ):
            with index.view(audience) as view:
                assert [failure.path for failure in view.failures()] == failures
                assert view.hides("x", "loose/plain.txt") == (audience is not None)


def test_a_kept_version_is_never_seen_by_more_than_before(build: Build, folder: Path, tmp_path: Path) -> None:
    build()
    (folder / "loose" / "note.md").write_bytes(b"")
    build()
    index = tmp_path / "index"
    assert [paths(index, frozenset({name})) for name in ("tenants", "board")] == [["loose/note.md"], []]
    (folder / SIDECAR).write_text(RULES + '[[documents]]\npaths = ["loose/*"]\naudience = ["board", "staff"]\n')
    build()
    assert [paths(index, frozenset({name})) for name in ("tenants", "board")] == [[], []]
    assert "loose/note.md" in paths(index, STAFF)


def test_each_folder_has_its_own_sidecar(build: Build, folder: Path, tmp_path: Path, counting: Embedder) -> None:
    build()
    other = tmp_path / "other"
    (other / "open").mkdir(parents=True)
    (other / "open" / "fees.txt").write_text("Library fees of another town.\n")
    build_index([folder, other], tmp_path / "index", counting)
    assert paths(tmp_path / "index", PUBLIC) == ["papers/open/fees.txt"]
    (other / SIDECAR).write_text('[[documents]]\npaths = ["open/*"]\naudience = ["public"]\n')
    build_index([folder, other], tmp_path / "index", counting)
    assert paths(tmp_path / "index", PUBLIC) == ["other/open/fees.txt", "papers/open/fees.txt"]


def test_a_callback_labels_each_path(build: Build, folder: Path, tmp_path: Path) -> None:
    (folder / "closed" / "fees.txt").write_bytes((folder / "open" / "fees.txt").read_bytes())
    build(labels=lambda path, said: Labels(said.tags, ("public",) if path == "closed/fees.txt" else ()))
    assert paths(tmp_path / "index", PUBLIC) == ["closed/fees.txt"]
    assert paths(tmp_path / "index", None) == ["closed/fees.txt", "closed/plan.txt", "loose/note.md"]
    with pytest.raises(UsageError, match=r"failed on '.*' \(RuntimeError: no such user\)"):
        build(labels=failing)
    with pytest.raises(UsageError, match=r"returned None for 'closed/fees.txt'"):
        build(labels=lambda path, said: None)
    assert paths(tmp_path / "index", PUBLIC) == ["closed/fees.txt"]
    os.utime(folder / "open" / "fees.txt")
    with pytest.raises(UsageError, match="come from a callback"):
        build()
    assert paths(tmp_path / "index", PUBLIC) == ["closed/fees.txt"]
    for replace in (True, False):
        build(replace=replace)
        assert paths(tmp_path / "index", PUBLIC) == ["open/fees.txt"]


def failing(path: str, said: Metadata) -> Labels:
    raise RuntimeError("no such user")
