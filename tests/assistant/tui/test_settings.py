"""The settings screen: every field with its text, refused values, keys kept out, the file written."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import pytest
from textual.widgets import Input, Select, Static, Switch

from assistant.config import ApplicationSettings, Settings
from assistant.tui.choice import ChoiceScreen
from assistant.tui.settings import Field, SettingsScreen, documented
from tests.assistant.generators.test_secrets import SHAPES
from tests.assistant.tui.pushing import Pushing, said, settled

Opened = Callable[..., Pushing]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "settings.toml"


@pytest.fixture
def opened(file: Path) -> Opened:
    return lambda settings=None: Pushing(SettingsScreen(settings or Settings(), ApplicationSettings(), file))


def row(app: Pushing, name: str) -> Field:
    (found,) = (field for field in app.screen.query(Field) if field.field == name)
    return found


def wrong(app: Pushing, name: str) -> str:
    return note(app, name).partition("✗ ")[2]


def note(app: Pushing, name: str) -> str:
    return str(row(app, name).query_one(".field--note", Static).content)


@pytest.mark.parametrize("kind", [Settings, ApplicationSettings])
def test_every_setting_has_its_text(kind: type[Settings]) -> None:
    about = documented(kind)
    assert list(about) == [field.name for field in fields(kind)]
    assert all(text.endswith(".") for text in about.values())


@pytest.mark.parametrize("size", [(80, 24), (20, 5)])
async def test_a_row_a_field_and_inputs_by_kind(opened: Opened, size: tuple[int, int]) -> None:
    app = opened()
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        rows = {field.field: field.query_one("Switch, Select, Line") for field in app.screen.query(Field)}
        assert list(rows) == [field.name for kind in (Settings, ApplicationSettings) for field in fields(kind)]
        assert {name for name, control in rows.items() if isinstance(control, Switch)} == {
            "fallback",
            "log_text",
            "rewrite",
            "watch",
        }
        assert {name for name, control in rows.items() if isinstance(control, Select)} == {"strictness", "theme"}
        for control in rows.values():
            assert app.screen.focused is control
            assert [field.field for field in app.screen.query(Field) if field.query(".-here")] == [control.parent.field]
            control.scroll_visible(animate=False)  # as the focus does, in its own time
            await pilot.pause()
            assert control.region.overlaps(app.screen.region)
            await pilot.press("tab")


async def test_saved_values_stand_in_the_file_and_the_rest_of_it_stays(opened: Opened, file: Path) -> None:
    file.write_text('# ours\nreranker = "none"\n', encoding="utf-8")
    app = opened(Settings(reranker="none"))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        row(app, "passage_tokens").query_one(Input).value = " 3000 "
        row(app, "base_url").query_one(Input).value = "http://localhost:8080/v1"
        row(app, "fallback").query_one(Switch).toggle()
        row(app, "strictness").query_one(Select).value = "strict"
        row(app, "theme").query_one(Select).value = "nord"
        await settled(pilot)
        assert note(app, "fallback").startswith("☑ on. ") and note(app, "rewrite").startswith("☑ on. ")
        assert note(app, "watch").startswith("☐ off. ")
        await pilot.press("ctrl+s")
        await settled(pilot)
        (told,) = app.told
    assert told == f"Saved in {file}. From the next start on: base_url, fallback, passage_tokens."
    settings = Settings(
        reranker="none", base_url="http://localhost:8080/v1", fallback=True, passage_tokens=3000, strictness="strict"
    )
    assert app.given == [(settings, ApplicationSettings(theme="nord"))]
    assert (Settings.read(file), ApplicationSettings.read(file)) == app.given[0]
    assert file.read_text(encoding="utf-8").startswith("# ours\n")


@pytest.mark.parametrize(
    ("name", "entered", "complaint"),
    [
        ("passage_tokens", "many", "'many' must be a whole number"),
        ("passage_tokens", "", "'' must be a whole number"),
        ("retries", "-1", "the setting retries = -1 must be a number above 0"),
        ("read_timeout", "nan", "the setting read_timeout = nan must be a number above 0"),
        ("read_timeout", "0", "the setting read_timeout = 0.0 must be a number above 0"),
    ],
)
async def test_what_cannot_be_is_told_at_its_field_and_not_saved(
    opened: Opened, file: Path, name: str, entered: str, complaint: str
) -> None:
    app = opened()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        row(app, name).query_one(Input).value = entered
        await settled(pilot)
        assert wrong(app, name) == complaint
        await pilot.press("ctrl+s")
        await settled(pilot)
        assert said(app).startswith("✗ not saved") and app.given == [] and not file.exists()
        assert app.screen.focused is row(app, name).query_one(Input)


async def test_no_key_is_stored_or_shown(opened: Opened, file: Path) -> None:
    app = opened()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        for key in (*SHAPES, "https://user:hunter2hunter2@host/v1"):
            row(app, "base_url").query_one(Input).value = key
            await settled(pilot)
            assert "holds a key or a password" in wrong(app, "base_url") and key not in wrong(app, "base_url")
            await pilot.press("ctrl+s")
            await settled(pilot)
            assert app.given == [] and not file.exists()


async def test_a_password_in_the_file_is_not_shown(opened: Opened) -> None:
    app = opened(Settings(base_url="https://user:hunter2@host/v1"))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert row(app, "base_url").query_one(Input).value == "https://[key]@host/v1"
        await pilot.press("ctrl+s")
        await settled(pilot)
        assert "holds a key or a password" in wrong(app, "base_url") and app.given == []


async def test_escape_leaves_where_nothing_was_changed(opened: Opened, file: Path) -> None:
    app = opened()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("escape")
        await settled(pilot)
    assert app.given == [None] and not file.exists()


@pytest.mark.parametrize(
    ("keys", "given"), [(["enter"], "saved"), (["down", "enter"], None), (["end", "enter"], ...), (["escape"], ...)]
)
async def test_unsaved_changes_are_asked_about(opened: Opened, file: Path, keys: list[str], given: object) -> None:
    app = opened()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        row(app, "retries").query_one(Input).value = "5"
        await settled(pilot)
        await pilot.press("escape")
        await pilot.pause()
        assert isinstance(app.screen, ChoiceScreen)
        await pilot.press(*keys)
        await settled(pilot)
    if given is ...:
        assert app.given == []
    else:
        assert app.given == ([None] if given is None else [(Settings(retries=5), ApplicationSettings())])
    assert file.exists() is (given == "saved")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
async def test_a_folder_that_cannot_be_written_is_told(opened: Opened, file: Path) -> None:
    file.parent.chmod(0o500)
    app = opened()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        row(app, "retries").query_one(Input).value = "5"
        await pilot.press("ctrl+s")
        await settled(pilot)
        assert str(file) in said(app) and app.given == []


async def test_a_file_that_is_not_toml_is_told_and_stays(opened: Opened, file: Path) -> None:
    file.write_text("= [", encoding="utf-8")
    app = opened()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        row(app, "retries").query_one(Input).value = "5"
        await pilot.press("ctrl+s")
        await settled(pilot)
        assert "is not TOML" in said(app) and app.given == []
    assert file.read_text(encoding="utf-8") == "= ["
