"""Pictures of the application on the sample documents, as SVG, for README and docs/staff.md.

python bench/screenshot.py [--out docs/pictures] [--embedder default] [--reranker auto]
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from dataclasses import dataclass
from pathlib import Path

from textual.pilot import Pilot

from assistant.api import Assistant
from assistant.tui.app import AssistantApp
from assistant.tui.launch import Launch
from assistant.tui.widgets.composer import Composer

ROOT = Path(__file__).parents[1]
SOLAR = "Which school will have its solar panels connected first, and what will the nine schools save in a year?"
FRIDGE = "What do we charge to take away an old fridge?"
SALARY = "What salary is offered to the Assistant Director of Housing?"


@dataclass(frozen=True, slots=True)
class Picture:
    """Questions asked one after the other, and keys pressed after their answers."""

    name: str
    size: tuple[int, int]
    questions: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    theme: str = "textual-dark"


PICTURES = (
    Picture("start", (100, 28), theme="textual-light"),
    Picture("answer", (112, 32), (SOLAR,), ("ctrl+n", "enter")),
    Picture("narrow", (80, 24), (FRIDGE,), ("ctrl+n", "enter"), "textual-light"),
    Picture("refusal", (80, 26), (SALARY,), ("ctrl+n",)),
    Picture("details", (100, 32), (SOLAR,), ("ctrl+t",), "textual-light"),
    Picture("document", (112, 32), (SOLAR,), ("ctrl+n", "enter", "w")),
    Picture("documents", (100, 28), (), ("f2", "space", "down", "down", "space")),
    Picture("conversations", (100, 20), (), ("f3",), "textual-light"),
    Picture("help", (100, 32), (), ("f1",)),
)
"""In this order: the list of conversations shows what was asked for the pictures before it."""


async def quiet(app: AssistantApp, pilot: Pilot[None]) -> None:
    """Waits until nothing is being done or waits to be done."""
    while (running := [worker for worker in app.workers if not worker.is_finished]) or not (app.ready and app.idle):
        if running:
            await app.workers.wait_for_complete(running)
        await pilot.pause()
    for _ in range(3):
        await pilot.pause(0.1)


async def take(picture: Picture, index: Path, reranker: str, folder: Path) -> Path:
    """Asks, waits for the answers, presses the keys and writes the screen."""
    settings = index.parent / "settings.toml"
    launch = Launch(lambda: Assistant.open(index, reranker=reranker), index, settings_file=settings)
    app = AssistantApp(launch)
    async with app.run_test(size=picture.size) as pilot:
        await quiet(app, pilot)
        app.theme = picture.theme
        for question in picture.questions:
            app.query_one(Composer).insert(question)
            await pilot.press("enter")
            await quiet(app, pilot)
        for key in picture.keys:
            await pilot.press(key)
            await pilot.pause(0.3)
        await pilot.pause(0.5)
        file = folder / f"{picture.name}.svg"
        file.write_text(app.export_screenshot(title="assistant chat"), encoding="utf-8")
    app.opened.close()
    return file


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "pictures")
    parser.add_argument("--embedder", default="default")
    parser.add_argument("--reranker", default="auto")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        index = Path(work)
        (index / "settings.toml").touch()
        Assistant.build(ROOT / "corpus" / "samples", index=index / "index", embedder=options.embedder)
        for picture in PICTURES:
            print(asyncio.run(take(picture, index / "index", options.reranker, options.out)))


if __name__ == "__main__":
    main()
