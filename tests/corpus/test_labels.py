"""Tags and audiences: what a sidecar says, over what a document says of itself, and a callback over both."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.errors import UsageError
from corpus.labels import SIDECAR, Labelling, Labels, Sidecar
from corpus.loading import scan
from corpus.types import Metadata

RULES = """
audiences = ["public", "board"]

[[documents]]
paths = ["*"]
audience = ["staff"]
tags = ["all"]

[[documents]]
paths = ["minutes/*", "agenda.txt"]
audience = ["public", "staff"]
tags = ["minutes", "all"]

[[documents]]
paths = ["minutes/closed/*"]
audience = []
"""
DECLARED = Metadata(tags=("roads", "all"), audience=("tenants",))


def test_later_rules_win_and_tags_add_up(tmp_path: Path) -> None:
    (tmp_path / SIDECAR).write_text(RULES)
    sidecar = Sidecar.read(tmp_path)
    assert sidecar.audiences == {"public", "board", "staff"}
    assert sidecar.labels("a.txt", DECLARED) == Labels(("roads", "all"), ("staff",))
    assert sidecar.labels("minutes/2024/may.md", DECLARED) == Labels(("roads", "all", "minutes"), ("public", "staff"))
    assert sidecar.labels("minutes/closed/may.md", DECLARED) == Labels(("roads", "all", "minutes"), ())


def test_letters_are_the_same_however_they_are_put_together(tmp_path: Path) -> None:
    for written, there in (("é", "e\u0301"), ("e\u0301", "é")):
        (tmp_path / SIDECAR).write_text(f'[[documents]]\npaths = ["{written}/*"]\naudience = []\n', encoding="utf-8")
        assert Sidecar.read(tmp_path).labels(f"{there}/a.md", DECLARED).audience == ()


def test_without_a_sidecar_the_document_speaks(tmp_path: Path) -> None:
    assert Sidecar.read(tmp_path) == Sidecar()
    assert Sidecar.read(tmp_path).labels("a.md", DECLARED) == Labels(("roads", "all"), ("tenants",))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("audiences = 3 3", "isn't TOML: .*line 1"),
        ("audience = ['staff']", "unknown key 'audience' at the top; known are audiences, documents"),
        ("audiences = 'staff'", "'audiences' is 'staff'"),
        ("audiences = [1]", r"'audiences' is \[1\]"),
        ("documents = 3", r"'documents' is 3: write \[\[documents\]\]"),
        ("[documents]\npaths = ['a']", "write"),
        ("[[documents]]\naudience = ['a']", r"'paths' is None in rule 1"),
        ("[[documents]]\npaths = ['a']\n[[documents]]\npaths = 'a'", "'paths' is 'a' in rule 2"),
        ("[[documents]]\npaths = ['a']\naudience = 'staff'", "'audience' is 'staff' in rule 1"),
        *(
            (f"audiences = ['staff', {name!r}]", f"'audiences' holds {name!r}: give names that aren't blank")
            for name in ("", " ", " staff", "staff ", "staff,public")
        ),
        ("[[documents]]\npaths = ['a']\naudience = ['x ']", "'audience' holds 'x ' in rule 1"),
        ("[[documents]]\npaths = ['a']\nowner = 'x'", "unknown key 'owner' in rule 1"),
        *(
            (f"[[documents]]\npaths = ['a', '{path}']", "in rule 1 of .* is the path of no document")
            for path in ("/minutes/*", "./minutes/*", "../minutes", "minutes/", r"minutes\*")
        ),
        ("audiences = " + "[" * 5000, "isn't TOML"),
        ("\udcff", "isn't UTF-8"),
        ("#" * 1_000_001, "at most 1,000,000 bytes"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / SIDECAR).write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(UsageError, match=f"{re.escape(str(tmp_path / SIDECAR))}.*{said}"):
        Sidecar.read(tmp_path)


def test_a_sidecar_that_is_there_and_cannot_be_read_is_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / SIDECAR).symlink_to(tmp_path / "gone")
    with pytest.raises(UsageError, match="isn't a file"):
        Sidecar.read(tmp_path)


def test_the_sidecar_at_the_top_is_no_document(tmp_path: Path) -> None:
    (tmp_path / "inside").mkdir()
    for path in (tmp_path / SIDECAR, tmp_path / "inside" / SIDECAR, tmp_path / "a.txt"):
        path.write_text("x")
    files, failures = scan(tmp_path)
    assert [file.path for file in files] == ["a.txt"]
    assert [failure.path for failure in failures] == [f"inside/{SIDECAR}"]


@pytest.mark.parametrize("wrong", ["staff", 3, ("staff", 3), None, {"a": 1}])
def test_labels_are_several_texts(wrong: object) -> None:
    with pytest.raises(UsageError, match="'audience' is"):
        Labels(audience=wrong)  # type: ignore[arg-type]
    assert Labels(["b", "a", "b"], {"y", "x"}) == Labels(("b", "a"), ("x", "y"))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["", "\t", " staff", "staff\n", "a,b", "a\u200bb"])
def test_names_of_groups_are_as_they_are_shown(name: str) -> None:
    with pytest.raises(UsageError, match=f"'audience' holds {re.escape(repr(name))}: give names that aren't blank"):
        Labels(audience=("public", name))
    with pytest.raises(UsageError, match="'audience' holds"):
        Labels(audience={name})  # type: ignore[arg-type]
    assert Labels(tags=(" a, b ", " ")) == Labels(("a, b",))
    assert Labels.told((), ("public", " x ", "a,b", "")) == Labels((), ("public", "x"))


def test_a_rule_that_fits_no_file_is_told(tmp_path: Path) -> None:
    (tmp_path / SIDECAR).write_text(
        "[[documents]]\npaths = ['a/*', 'b/*']\n[[documents]]\npaths = ['Minutes/*', 'minutes/*']\n"
    )
    labelling = Labelling({"papers/": Sidecar.read(tmp_path), "other/": Sidecar()})
    files = dict.fromkeys(("papers/a/1.md", "papers/minutes/x.md", "other/b/1.md"), (Metadata(), Labels()))
    assert [*labelling.remarks(files)] == [
        "papers/corpus.toml: the rule 1 for 'b/*' fits no file (letters' case counts)",
        "papers/corpus.toml: the rule 2 for 'Minutes/*' fits no file (letters' case counts)",
    ]


@given(st.lists(st.text()), st.lists(st.text()))
def test_what_documents_declare_never_fails(tags: list[str], audience: list[str]) -> None:
    labels = Sidecar().labels("a.md", Metadata(tuple(tags), tuple(audience)))
    assert Labels(labels.tags, labels.audience) == labels
    assert all(name == " ".join(name.split()) != "" for name in (*labels.tags, *labels.audience))


def test_a_callback_has_the_last_word_and_sees_the_words_before(tmp_path: Path) -> None:
    (tmp_path / SIDECAR).write_text(RULES)
    asked = []

    def labeller(path: str, said: Metadata) -> Labels:
        asked.append((path, said))
        return Labels(said.tags[:1], ("board",))

    labelling = Labelling({"papers/": Sidecar.read(tmp_path), "other/": Sidecar()}, labeller)
    assert labelling.of("papers/a.txt", DECLARED) == Labels(("roads",), ("board",))
    assert labelling.of("other/a.txt", DECLARED) == Labels(("roads",), ("board",))
    assert asked == [
        ("papers/a.txt", Metadata(("roads", "all"), ("staff",))),
        ("other/a.txt", Metadata(("roads", "all"), ("tenants",))),
    ]
    assert labelling.unread("papers/a.txt") == Labels()
    assert Labelling({"papers/": Sidecar.read(tmp_path)}).unread("papers/a.txt") == Labels(("all",), ("staff",))


def test_a_callback_that_fails_is_named_with_the_path() -> None:
    with pytest.raises(UsageError, match=r"failed on 'a.txt' \(KeyError: 'x'\)"):
        Labelling(labeller=lambda path, said: {}["x"]).of("a.txt", Metadata())
    with pytest.raises(UsageError, match=r"returned 'staff' for 'a.txt': return Labels"):
        Labelling(labeller=lambda path, said: "staff").of("a.txt", Metadata())  # type: ignore[arg-type, return-value]
