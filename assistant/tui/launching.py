"""The application on this terminal, as `assistant chat` opens it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assistant.tui.app import AssistantApp, Progress

if TYPE_CHECKING:
    from argparse import Namespace

    from assistant.api import Assistant


def run(options: Namespace) -> None:
    """Runs the application in this terminal until the user leaves.

    Args:
        options: of `assistant chat`: folder, index, embedder, replace, rebuild, and the `Settings` as settings.
    """

    def opener(progress: Progress) -> Assistant:
        from assistant.api import Assistant  # brings NumPy and the index, which the first screen does without

        if options.folder is not None:
            Assistant.build(
                options.folder,
                index=options.index,
                embedder=options.embedder,
                replace=options.replace,
                rebuild=options.rebuild,
                progress=progress,
            )
        return Assistant.open(options.index, settings=options.settings)

    app = AssistantApp(opener)
    try:
        app.run()
    finally:
        if app.desk is not None:
            app.desk.close()
