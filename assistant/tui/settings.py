"""Every setting with what it does, written to the settings file."""

from __future__ import annotations

import ast
import asyncio
import inspect
from collections.abc import Iterable
from dataclasses import fields, replace
from pathlib import Path
from types import NoneType
from typing import Any, ClassVar, Literal, TypeVar, get_args, get_origin, get_type_hints

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.events import DescendantBlur, DescendantFocus
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Footer, Input, Select, Static, Switch

from assistant.config import ApplicationSettings, Settings
from assistant.secrets import redact
from assistant.tui.choice import ChoiceScreen
from assistant.tui.errors import told
from assistant.tui.plain import one_line, plain
from assistant.tui.prompt import Line
from corpus.errors import AssistantError, UsageError
from corpus.sanitizing import sanitize

Held = Settings | ApplicationSettings
_Kind = TypeVar("_Kind", Settings, ApplicationSettings)
Control = Switch | Select[str] | Line
_CONTROLS = "Switch, Select, Line"
IN_PLACE = frozenset(("generator", "strictness", "theme", "watch"))
"""Settings that hold from the next question on; the others once the application is started again."""
_LATER = "From the next start on."


def documented(kind: type[Held]) -> dict[str, str]:
    """What the source says under each field of a class."""
    (definition,) = ast.parse(inspect.getsource(kind)).body
    assert isinstance(definition, ast.ClassDef)
    beside = zip(definition.body, definition.body[1:], strict=False)
    return {
        field.target.id: " ".join(said.value.value.split())
        for field, said in beside
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if isinstance(said, ast.Expr) and isinstance(said.value, ast.Constant) and isinstance(said.value.value, str)
    }


class Field(Widget):
    """One setting: its name, what it is, what it does, and what is wrong with it."""

    def __init__(self, held: Held, name: str, about: str, themes: Iterable[str]) -> None:
        super().__init__()
        self.field = name
        self._held = held
        self._about = about
        self._kinds = _kinds(type(held), name)
        if get_origin(kind := get_type_hints(type(held))[name]) is Literal:
            self._offered: tuple[str, ...] = get_args(kind)
        else:
            self._offered = tuple(themes) if name == "theme" else ()

    def compose(self) -> ComposeResult:
        yield Static(plain(self.field), classes="field--name", markup=False)
        yield self._control()
        yield Static(classes="field--note", markup=False)

    def on_mount(self) -> None:
        self.note()

    def _control(self) -> Control:
        value = getattr(self._held, self.field)
        if bool in self._kinds:
            return Switch(value, animate=False)
        if self._offered:
            names = dict.fromkeys((*self._offered, value))
            return Select([(one_line(name), name) for name in names], value=value, allow_blank=False, compact=True)
        return Line("" if value is None else redact(str(value)))

    @on(DescendantFocus)
    @on(DescendantBlur)
    def _on_moved(self, message: DescendantFocus | DescendantBlur) -> None:
        # A rule with `:focus-within` is late for what lies beside the control.
        self.query_one(".field--name").set_class(isinstance(message, DescendantFocus), "-here")

    def note(self, complaint: str = "") -> None:
        """Says under the value what it does, and what is wrong with it."""
        control = self.query_one(_CONTROLS)
        state = f"{'☑ on' if control.value else '☐ off'}. " if isinstance(control, Switch) else ""
        about = self._about.replace("None for", "empty for").replace("`", "")
        when = "" if self.field in IN_PLACE else f" {_LATER}"
        lines = [
            one_line(state + about + when),
            *([one_line(f"✗ {complaint}").stylize("$text-error")] if complaint else []),
        ]
        self.query_one(".field--note", Static).update(Content("\n").join(lines))

    def value(self) -> object:
        """What is entered, as the setting's kind. Raises `UsageError` where the setting can't be that."""
        held = getattr(self._held, self.field)
        control = self.query_one(_CONTROLS)
        assert isinstance(control, Switch | Select | Line)
        value: object = control.value
        if isinstance(value, str):
            text = value.strip()
            shown = "" if held is None else redact(str(held))
            value = held if text == shown else _read(text, self._kinds)
        if isinstance(value, str) and redact(value) != value:
            raise UsageError(
                f"{redact(value)!r} holds a key or a password, which is never stored here: take it out, and set it in "
                "the environment (OPENAI_API_KEY, ANTHROPIC_API_KEY) or in the system's keyring"
            )
        values: dict[str, Any] = {self.field: value}
        replace(self._held, **values)  # checks it
        return value

    @property
    def changed(self) -> bool:
        """Whether something else is entered than what was there."""
        try:
            return bool(self.value() != getattr(self._held, self.field))
        except UsageError:
            return True


class SettingsScreen(Screen[tuple[Settings, ApplicationSettings] | None]):
    """Gives the settings as they were written, or None where the user goes back."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "save", "Save", priority=True),
        Binding("escape", "back", "Back"),
    ]

    HORIZONTAL_BREAKPOINTS = [(0, "-tight"), (50, "-roomy")]  # noqa: RUF012 - declared by Textual

    def __init__(self, settings: Settings, application: ApplicationSettings, file: Path) -> None:
        super().__init__()
        self._settings = settings
        self._application = application
        self._file = file
        self._filled = False
        """Whether every setting has its row."""

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="settings", can_focus=False):
            yield Static("Settings", classes="dialog--title", markup=False)
            yield Static(one_line(f"Written to {self._file}"), classes="dialog--about", markup=False)
        yield Static(classes="dialog--said -complaint", markup=False)
        yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        self._fill()

    @work(exclusive=True, exit_on_error=False)
    async def _fill(self) -> None:
        # One after the other: all at once would hold up the screen.
        rows = self.query_one("#settings")
        for held in (self._settings, self._application):
            about = await asyncio.to_thread(documented, type(held))
            for field in fields(held):
                await rows.mount(Field(held, field.name, about.get(field.name, ""), sorted(self.app.available_themes)))
                if not self.focused:
                    self.focus_next()
        self._filled = True
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002 - as Textual calls it
        return action != "save" or self._filled

    @on(Input.Submitted)
    def _on_submitted(self) -> None:
        self.focus_next()

    @on(Input.Changed)
    @on(Switch.Changed)
    @on(Select.Changed)
    def _on_changed(self, message: Input.Changed | Switch.Changed | Select.Changed) -> None:
        for field in message.control.ancestors:
            if isinstance(field, Field):
                self._checked(field)

    def _checked(self, field: Field) -> object:
        """Its value; where that can't be, the reason is shown at the field and raised."""
        try:
            value = field.value()
        except UsageError as error:
            field.note(str(error))
            return error
        field.note()
        return value

    @work(exclusive=True, exit_on_error=False)
    async def action_save(self) -> None:
        """Writes the file and leaves, unless something is wrong."""
        given = {field: self._checked(field) for field in self.query(Field)}
        wrong = next((field for field, value in given.items() if isinstance(value, UsageError)), None)
        if wrong is not None:
            wrong.query_one(_CONTROLS).focus()
            wrong.scroll_visible(animate=False)
            self._say("not saved: see the marked setting")
            return
        values: dict[str, Any] = {field.field: value for field, value in given.items()}
        later = [field.field for field in given if field.changed and field.field not in IN_PLACE]
        settings, application = _with(self._settings, values), _with(self._application, values)
        try:
            await asyncio.to_thread(settings.write, self._file)
            await asyncio.to_thread(application.write, self._file)
        except (AssistantError, OSError) as error:
            self._say(told(error))
            return
        once = f" From the next start on: {', '.join(later)}." if later else ""
        self.app.notify(sanitize(f"Saved in {self._file}.{once}"), title="Settings", markup=False)
        self.dismiss((settings, application))

    @work(exclusive=True, exit_on_error=False)
    async def action_back(self) -> None:
        """Leaves; what isn't saved is asked about."""
        if not any(field.changed for field in self.query(Field)):
            self.dismiss(None)
            return
        offers = [("Save", "and go back"), ("Discard", "the settings stay as they were"), ("Stay", "and go on here")]
        chosen = await self.app.push_screen_wait(ChoiceScreen("There are changes that aren't saved", offers))
        if chosen == "Save":
            self.action_save()
        elif chosen == "Discard":
            self.dismiss(None)

    def _say(self, text: str) -> None:
        line = self.query_one(".dialog--said", Static)
        line.update(one_line(f"✗ {text}"))
        line.display = True


def _with(held: _Kind, values: dict[str, Any]) -> _Kind:
    return replace(held, **{field.name: values[field.name] for field in fields(held)})


def _kinds(kind: type[Held], name: str) -> tuple[type, ...]:
    hint = get_type_hints(kind)[name]
    return get_args(hint) or (hint,)


def _read(text: str, kinds: tuple[type, ...]) -> object:
    if not text and NoneType in kinds:
        return None
    for kind in (int, float):
        if kind in kinds:
            try:
                return kind(text)
            except ValueError as error:
                wanted = "a whole number" if kind is int else "a number"
                raise UsageError(f"{text!r} must be {wanted}") from error
    return text
