"""What the application knows of its index being brought up to date, and the watch on the folders. Knows no Textual."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Sequence
from fnmatch import fnmatch
from pathlib import Path

from assistant.tui.errors import told
from assistant.tui.indexer import Indexer, Outcome, Progress
from corpus.errors import AssistantError, UnavailableError

__all__ = ["Indexing", "Outcome", "Progress", "watch"]

Listener = Callable[[Progress | Outcome | None], None]
_PASSING = ("~$*", "*~", "#*#", "*.tmp", "*.temp", "*.swp", "*.part", "*.crdownload", "*.lock")
"""Names of files that programs make and remove while they work."""


class Indexing:
    """The indexing of one index, a run at a time, and the watch on its folders. Lives in the event loop."""

    def __init__(self, index: Path, options: Sequence[str] = ()) -> None:
        """The options are for the first run; those after it go on with the embedder of the index."""
        self.index = index
        self.folders: tuple[Path, ...] = ()
        """What the index holds, as far as was looked or asked for."""
        self.progress: Progress | None = None
        """Of the run that goes on."""
        self.outcome: Outcome | None = None
        """Of the last run."""
        self.trouble = ""
        """Why watching has ended by itself."""
        self._options, self._for_next = options, bool(options)
        self._listeners: list[Listener] = []
        self._indexer: Indexer | None = None
        self._run: asyncio.Task[None] | None = None
        self._watch: asyncio.Task[None] | None = None
        self._watched: tuple[Path, ...] = ()
        self._again = False
        """Whether another run was asked for while one goes on."""

    @property
    def running(self) -> bool:
        return self.progress is not None

    @property
    def watching(self) -> bool:
        return self._watch is not None

    def observe(self, listener: Listener) -> Callable[[], None]:
        """Calls `listener` with a run's progress or outcome, or None for what else changes; gives what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def look(self) -> None:
        """Finds out which folders the index holds."""
        if self.folders == ():
            recorded = await asyncio.to_thread(_recorded, self.index)
            self.folders = self.folders or (recorded[0] if recorded else ())
            self._tell(None)

    def start(self, folders: Sequence[Path] = ()) -> None:
        """Brings the index up to date; where a run goes on, another follows it.

        Args:
            folders: all that the index is to hold; empty for those that it holds.
        """
        self.folders = tuple(folders) or self.folders
        if self.running:
            self._again = True
        else:
            self.progress = Progress()
            self._run = asyncio.create_task(self._runs())
            self._tell(self.progress)

    def cancel(self) -> None:
        """Ends the run; the index stays as it was."""
        self._again = False
        if self._indexer is not None:
            self._indexer.cancel()

    def watch(self, on: bool) -> None:
        """Whether a change in a folder brings the index up to date."""
        if self._watch is not None:
            self._watch.cancel()
        self.trouble = ""
        self._watch = asyncio.create_task(self._watches()) if on else None
        self._tell(None)

    async def close(self) -> None:
        """Ends the run and the watch, and waits for that."""
        tasks = [task for task in (self._run, self._watch) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _runs(self) -> None:
        while self.progress is not None:
            self._again = False
            folders, self._indexer = self.folders, Indexer(self.index)
            recorded = await asyncio.to_thread(_recorded, self.index)
            try:
                options = self._options if self._for_next or recorded is None else ("--embedder", recorded[1])
                self._for_next = False
                self.outcome = await self._indexer.run(folders, self._note, options)
            except AssistantError as error:
                self.outcome = Outcome(error=told(error))
                if recorded and self.folders == folders:  # what was asked for has not come about
                    self.folders = recorded[0]
            self.progress = Progress() if self._again else None
            self._tell(self.outcome)
            if self.watching and self._watched not in ((), self.folders):
                self.watch(True)

    async def _watches(self) -> None:
        try:
            await self.look()
            self._watched = self.folders
            async for _ in watch(self._watched, self.index):
                self.start()
        except AssistantError as error:
            self.trouble, self._watch = told(error), None
            self._tell(None)

    def _note(self, progress: Progress) -> None:
        self.progress = progress
        self._tell(progress)

    def _tell(self, state: Progress | Outcome | None) -> None:
        for listener in tuple(self._listeners):
            listener(state)


async def watch(folders: Sequence[Path], index: Path) -> AsyncGenerator[None, None]:
    """Yields after files in the folders have changed and come to rest; not for the index, hidden or passing files.

    Raises:
        UnavailableError: a folder is gone, or can't be watched.
    """
    from watchfiles import awatch  # deferred: only needed where a folder is watched

    roots, home = await asyncio.to_thread(lambda: ([folder.resolve() for folder in folders], index.resolve()))

    def lasting(changed: str) -> bool:
        path = Path(changed)
        root = next((root for root in roots if path.is_relative_to(root)), path)
        hidden = any(part.startswith(".") for part in path.relative_to(root).parts)
        passing = any(fnmatch(path.name.lower(), pattern) for pattern in _PASSING)
        return not (hidden or passing or path.is_relative_to(home))

    def check() -> None:
        if gone := next((root for root in roots if not root.is_dir()), None):
            raise UnavailableError(f"the folder {str(gone)!r} is gone, so the folders are no longer watched")

    try:
        await asyncio.to_thread(check)
        async for changes in awatch(*roots, watch_filter=None, yield_on_timeout=True, rust_timeout=2_000):
            # In threads: there may be many, and a network drive may not answer.
            await asyncio.to_thread(check)
            if await asyncio.to_thread(any, (lasting(changed) for _, changed in changes)):
                yield
    except (OSError, RuntimeError) as error:  # RuntimeError: watchfiles', of a limit of the system for one
        raise UnavailableError(f"the folders can't be watched: {error}") from error


def _recorded(index: Path) -> tuple[tuple[Path, ...], str] | None:
    """Folders and embedder of an index; None where there is none that can be read."""
    from embeddings.search import Index  # deferred: it brings NumPy, which the first screen does without

    try:
        with Index.open(index) as found:
            about = found.about()
    except AssistantError:
        return None
    return tuple(map(Path, json.loads(about.get("folders", "[]")))), about["embedder_name"]
