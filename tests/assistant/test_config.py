"""Settings on the disk: what is written is read again, and the rest of the file stays."""

from __future__ import annotations

import tomllib
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.config import ApplicationSettings, Settings, settings_file
from corpus.errors import UnavailableError, UsageError

HELD = """\
# made by hand
retries = 5   # the line is bad
generator = 'gguf:C:\\model.gguf'
future = { a = 1 } # of a later version

[application]
theme = "nord"
font = 12

[other]
list = [
  1, # one
]
"""


def test_comments_unknown_keys_and_other_tables_stay(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(HELD, encoding="utf-8")
    written = Settings(generator="gguf:C:\\model.gguf", retries=2, strictness="strict").write(file)
    assert written == file
    assert file.read_text(encoding="utf-8") == HELD.replace("retries = 5", "retries = 2").replace(
        "later version\n", 'later version\nstrictness = "strict"\n'
    )
    ApplicationSettings("textual-light", watch=True).write(file)
    held = tomllib.loads(file.read_text(encoding="utf-8"))
    assert held["application"] == {"theme": "textual-light", "font": 12, "watch": True}
    assert "list = [\n  1, # one\n]" in file.read_text(encoding="utf-8")


def test_only_what_differs_is_written_and_what_stands_there_is_kept_up_to_date(tmp_path: Path) -> None:
    file = tmp_path / "made" / "settings.toml"
    Settings(retries=0).write(file)
    assert file.read_text() == "retries = 0\n"
    Settings(base_url="http://127.0.0.1:1/v1").write(file)
    assert file.read_text() == 'retries = 3\nbase_url = "http://127.0.0.1:1/v1"\n'
    Settings().write(file)
    assert file.read_text() == "retries = 3\n"


def test_lines_end_as_they_did_and_a_byte_order_mark_is_no_text(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_bytes(b"\xef\xbb\xbf# mine\r\nretries = 5\r\n\r\n[application]\r\nwatch = true\r\n")
    assert Settings.read(file) == Settings(retries=5)
    Settings(retries=5, strictness="strict").write(file)
    ApplicationSettings("nord", watch=True).write(file)
    assert file.read_bytes() == (
        b'# mine\r\nretries = 5\r\nstrictness = "strict"\r\n\r\n[application]\r\nwatch = true\r\ntheme = "nord"\r\n'
    )


def test_without_a_name_it_is_the_users_own_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert Settings(retries=1).write() == settings_file()
    assert (Settings.read().retries, ApplicationSettings.read()) == (1, ApplicationSettings())
    settings_file().unlink()
    monkeypatch.setenv("ASSISTANT_SETTINGS", str(tmp_path / "named.toml"))
    assert ApplicationSettings(watch=True).write() == tmp_path / "named.toml"
    assert (Settings.read(), ApplicationSettings.read().watch) == (Settings(), True)


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
settings = st.builds(
    Settings,
    generator=texts,
    base_url=st.none() | texts,
    fallback=st.booleans(),
    retries=st.integers(0, 9),
    read_timeout=st.floats(0.001, 1e6) | st.integers(1, 99),
    strictness=st.sampled_from(["strict", "normal", "lenient"]),
)


@given(first=settings, then=settings, theme=texts, watch=st.booleans())
def test_what_is_written_is_read_again(
    tmp_path_factory: pytest.TempPathFactory, first: Settings, then: Settings, theme: str, watch: bool
) -> None:
    file = tmp_path_factory.mktemp("settings") / "settings.toml"
    first.write(file)
    ApplicationSettings(theme, watch).write(file)
    then.write(file)
    assert (Settings.read(file), ApplicationSettings.read(file)) == (then, ApplicationSettings(theme, watch))


@pytest.mark.parametrize("content", [b"retries = = 5\n", b"\xff\xfe", b"a = 1\na = 2\n", b"[application\n"])
def test_a_broken_file_is_told_and_not_overwritten(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "settings.toml"
    file.write_bytes(content)
    for held in (Settings(retries=1), ApplicationSettings("nord")):
        with pytest.raises(UsageError, match=r"settings.toml' is not TOML: .*; mend it, or move it away"):
            held.write(file)
    assert file.read_bytes() == content


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("application = 3\n", r"application = 3 must be a table, headed \[application\]"),
        ("[application]\ncolour = 1\n", r"sets 'colour', which isn't known; known are theme, watch"),
        ("[application]\nwatch = 1\n", r"in .*settings.toml': the setting watch = 1 must be true or false"),
    ],
)
def test_an_application_table_of_another_form_is_told(tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(content)
    with pytest.raises(UsageError, match=message):
        ApplicationSettings.read(file)
    assert Settings.read(file) == Settings()  # answers don't depend on it


@pytest.mark.parametrize("value", ["loose", "", "Strict", 1, None, ["strict"]])
def test_a_strictness_that_isnt_one_is_told(value: Any) -> None:
    with pytest.raises(UsageError, match=r"the setting strictness = .* must be one of strict, normal, lenient"):
        Settings(**asdict(Settings()) | {"strictness": value})


def test_a_folder_in_the_place_of_the_file_is_told(tmp_path: Path) -> None:
    with pytest.raises((UsageError, UnavailableError), match="can't be read"):
        Settings(retries=1).write(tmp_path)
