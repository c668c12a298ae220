"""Pictures of the application on the sample documents, as SVG.

python bench/screenshot.py [--out docs] [--embedder default] [--reranker auto]
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from dataclasses import dataclass
from pathlib import Path

from assistant.api import Assistant
from assistant.tui.app import AssistantApp
from assistant.tui.widgets.composer import Composer

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Picture:
    """A question asked, and keys pressed after its answer."""

    name: str
    size: tuple[int, int]
    question: str
    keys: tuple[str, ...]
    theme: str = "textual-dark"


WIDE = "Which school will have its solar panels connected first, and what will the nine schools save in a year?"
PICTURES = (
    Picture("application", (112, 32), WIDE, ("ctrl+n", "enter")),
    Picture(
        "application-narrow",
        (80, 24),
        "What do we charge to take away an old fridge?",
        ("ctrl+n", "enter"),
        "textual-light",
    ),
    Picture(
        "application-refusal", (80, 24), "What salary is offered to the Assistant Director of Housing?", ("ctrl+n",)
    ),
)


async def take(picture: Picture, index: Path, reranker: str, folder: Path) -> None:
    """Asks, waits for the answer, presses the keys and writes the screen."""
    app = AssistantApp(lambda _: Assistant.open(index, reranker=reranker))
    async with app.run_test(size=picture.size) as pilot:
        app.theme = picture.theme
        app.query_one(Composer).insert(picture.question)
        await pilot.press("enter")
        while running := [worker for worker in app.workers if not worker.is_finished]:
            await app.workers.wait_for_complete(running)
            await pilot.pause()
        for key in picture.keys:
            await pilot.press(key)
            await pilot.pause()
        await pilot.pause()
        svg = app.export_screenshot(title="assistant chat")
        (folder / f"{picture.name}.svg").write_text(svg, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "docs")
    parser.add_argument("--embedder", default="default")
    parser.add_argument("--reranker", default="auto")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as index:
        Assistant.build(ROOT / "corpus" / "samples", index=index, embedder=options.embedder)
        for picture in PICTURES:
            asyncio.run(take(picture, Path(index), options.reranker, options.out))
            print(options.out / f"{picture.name}.svg")


if __name__ == "__main__":
    main()
