"""What every screen leans on: what goes wrong is told, how answers are made is chosen, commands are found by name."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from textual import work
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen

from assistant.tui.errors import told
from assistant.tui.palette import COMMANDS
from corpus.sanitizing import sanitize

if TYPE_CHECKING:
    from assistant.api import Assistant
    from assistant.config import Strictness
    from assistant.tui.chat import ChatScreen
    from assistant.tui.indexing import Indexing
    from assistant.tui.launch import Launch

_Result = TypeVar("_Result")


class SteeredApp(App[None]):
    """Generator, strictness, theme and settings, chosen in place; commands by name."""

    COMMAND_PALETTE_BINDING = "ctrl+o"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1", "help", "Help", tooltip="Keys, marks, and what they mean", priority=True),
        Binding("ctrl+o", "command_palette", "Commands", tooltip="All that can be done, by name", priority=True),
        Binding("ctrl+q", "leave", "Quit", priority=True),
    ]

    launch: Launch
    chat: ChatScreen
    desk: Assistant | None
    indexing: Indexing
    _leaving = False
    """Whether it was told that a question has no answer yet."""

    @property
    def opened(self) -> Assistant:
        """The desk, where one is open."""
        assert self.desk is not None
        return self.desk

    @contextmanager
    def telling(self, title: str) -> Iterator[None]:
        """Shows what goes wrong inside as a notification, from any thread."""
        try:
            yield
        except Exception as error:  # a plug-in's too: nothing that a generator or a disk does may end the application
            self.notify(told(error), title=title, severity="error", markup=False)

    async def in_thread(self, work: Callable[[], _Result]) -> _Result:
        """What a blocking call gives, without holding up the screen."""
        return await asyncio.to_thread(work)

    def tell_means(self) -> None:
        """Shows what writes the answers, and how strictly."""
        self.chat.status.generator = self.opened.generator
        self.chat.status.strictness = self.opened.settings.strictness
        self.chat.refresh_bindings()

    def action_leave(self) -> None:
        """Ends the application; once more where a question has no answer yet."""
        if self.chat.questions.idle or self._leaving:
            self.exit()
        else:
            self._leaving = True
            said = "A question has no answer yet, and would be lost: Ctrl+Q again leaves."
            self.notify(said, title="Quit", severity="warning", markup=False)
            self.set_timer(5, partial(setattr, self, "_leaving", False))

    def action_help(self) -> None:
        from assistant.tui.help import HelpScreen

        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen())

    def action_choose_generator(self) -> None:
        """Asks what is to write the answers from now on."""
        if (desk := self.desk) is not None:
            from assistant.generators import names  # brings NumPy, which the first screen does without
            from assistant.tui.generator import GeneratorScreen

            def use(name: str) -> None:  # in a thread, also when the user has gone back meanwhile
                desk.use(name)
                self.call_from_thread(self.tell_means)

            self.push_screen(GeneratorScreen(desk.generator, names(), use))

    @work(exit_on_error=False)
    async def action_choose_strictness(self) -> None:
        """Asks how sure is sure enough, from the next question on."""
        if self.desk is not None:
            from assistant.tui.choice import strictness_screen

            chosen = await self.push_screen_wait(strictness_screen(self.desk.settings.strictness))
            if chosen is not None:
                await self._use(None, cast("Strictness", chosen))

    @work(exit_on_error=False)
    async def action_choose_theme(self) -> None:
        """Asks for the colours, shows each at once, and keeps the one that is chosen."""
        from assistant.config import ApplicationSettings
        from assistant.tui.choice import theme_screen

        chosen = await self.push_screen_wait(theme_screen(self.available_themes, self.theme, self.wear))
        if chosen is not None:
            file = self.launch.settings_file
            with self.telling("Theme"):
                await self.in_thread(lambda: replace(ApplicationSettings.read(file), theme=chosen).write(file))

    @work(exit_on_error=False)
    async def action_settings(self) -> None:
        """Asks for all settings, from those that hold now; generator, strictness, theme and watching hold at once."""
        from assistant.config import ApplicationSettings, Settings, settings_path
        from assistant.tui.settings import SettingsScreen

        with self.telling("Settings"):
            settings = Settings.read(self.launch.settings_file)
            if self.desk is not None:
                held = self.desk.settings
                settings = replace(settings, generator=held.generator, strictness=held.strictness)
            former = settings, ApplicationSettings(self.theme, self.indexing.watching)
            chosen = await self.push_screen_wait(SettingsScreen(*former, settings_path(self.launch.settings_file)))
            if chosen is None:
                return
            settings, application = chosen
            self.wear(application.theme)
            if application.watch != former[1].watch:
                self.indexing.watch(application.watch)
            if (settings.generator, settings.strictness) != (former[0].generator, former[0].strictness):
                await self._use(settings.generator, settings.strictness)

    def wear(self, theme: str) -> None:
        """Takes a theme, where there is one of that name: the file may name any."""
        if theme in self.available_themes:
            self.theme = theme

    async def _use(self, generator: str | None, strictness: Strictness | None) -> None:
        if (desk := self.desk) is not None:
            with self.telling("Settings"):
                await self.in_thread(lambda: desk.use(generator, strictness=strictness))
            self.tell_means()

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        for title, about, action in COMMANDS:
            if screen is self.chat or action.startswith("app."):
                yield SystemCommand(title, about, partial(self._command, title, action, screen))

    async def _command(self, title: str, action: str, screen: Screen[Any]) -> None:
        """Does it, or says that there is nothing to do it to."""
        where, _, name = action.partition(".")
        if where == "screen" and not screen.check_action(name, ()):
            said = f"“{title}” has nothing to act on now. Ctrl+N chooses a citation."
            self.notify(sanitize(said), markup=False)
        else:
            await self.run_action(action, screen)
