"""The application on this terminal, as `assistant chat` opens it."""

from __future__ import annotations

import codecs
import contextlib
import gc
import io
import os
import sys
import threading
from argparse import Namespace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from textual.drivers import linux_driver

from assistant import commands
from assistant.config import index_folder
from assistant.tui import linewise
from assistant.tui.keys import Keys
from assistant.tui.launch import Launch
from corpus.errors import UnavailableError

if TYPE_CHECKING:
    from assistant.api import Assistant


def run(options: Namespace) -> None:
    """Runs the application in this terminal, or line by line where that can't show it, until the user leaves.

    Args:
        options: of `assistant chat`: folder, index, embedder, replace, rebuild; `Settings` as settings; settings_file.
    """
    index = index_folder(options.index)

    def opened(generator: str | None = None) -> Assistant:
        from assistant.api import Assistant  # brings NumPy and the index, which the first screen does without

        return Assistant.open(index, settings=options.settings, generator=generator)

    in_browser = "TEXTUAL_DRIVER" in os.environ
    if not in_browser and (reason := linewise.unsuited()):
        if options.folder is not None:
            commands.index(Namespace(**vars(options), folders=[options.folder], json=False))
        with opened() as desk:
            linewise.chat(desk, reason)
        return
    from assistant.tui.app import AssistantApp  # deferred: a terminal without it doesn't wait for it

    _forgive_bytes()
    gc.set_threshold(1000, 10, 10_000)  # full collections, which hold up keys, are the application's own to make
    flags = [f"--{name}" for name in ("replace", "rebuild") if getattr(options, name)]
    app = AssistantApp(
        Launch(
            opened,
            index,
            folders=() if options.folder is None else (Path(options.folder),),
            options=() if options.folder is None else ("--embedder", options.embedder, *flags),
            spare=partial(opened, "extractive"),
            settings_file=options.settings_file and Path(options.settings_file),
        )
    )
    try:
        app.run()
    finally:
        if app.desk is not None:
            with app.desk as desk, contextlib.suppress(UnavailableError):  # it is erased when the next one leaves
                desk.conversations.erase()
    if threading.active_count() > 1:  # one that hangs must not keep the process: all that is kept is on the disk
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(app.return_code or 0)


def _forgive_bytes() -> None:
    """What the terminal's encoding lacks is replaced, coming and going: Textual would end with a traceback."""
    for stream in (sys.__stdout__, sys.__stderr__):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    encoding = getattr(sys.__stdin__, "encoding", None) or "utf-8"
    known = "utf-8" if codecs.lookup(encoding).name == "ascii" else encoding
    # Textual reads keys as UTF-8, and has no place where another decoder can be given.
    vars(linux_driver)["getincrementaldecoder"] = lambda _: partial(Keys, known)
