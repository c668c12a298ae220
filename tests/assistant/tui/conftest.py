"""A small index of invented documents, and an application on it whose generator the test writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import pytest
from textual.pilot import Pilot

from assistant.api import Assistant
from assistant.tui.app import AssistantApp
from assistant.tui.launch import Launch
from assistant.types import Prompt, TextGenerator
from tests.assistant.conftest import filled

FILLER = "\n\n".join(f"Item {n}. The members noted report number {n} and thanked the officers." for n in range(1, 120))
DOCUMENTS = {
    "bridge.md": "# Closure of Tarn Bridge\n\n5 March 2024\n\n" + FILLER + "\n\nTarn Bridge closes to traffic on 6 May "
    "2024 for repairs to its deck.\n\nThe repairs cost £412,000 and take nine weeks.\n\n" + FILLER,
    "harbour.txt": "Harbour news\n\n7 March 2024\n\n"
    "Tarn Bridge closes to traffic on 6 May 2024 for repairs to its deck.\n\n"
    "Drivers follow the signs along Quay Road while Tarn Bridge is shut.\n",
}


@pytest.fixture(scope="session")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("tui")
    Assistant.build(filled(root / "documents", DOCUMENTS), index=root / "index", embedder="hashing")
    return root / "index"


class Scripted:
    """Writes what the test says, from the passages it is given."""

    name = "scripted"

    def __init__(self, write: Callable[[Prompt], Iterator[str]]) -> None:
        self._write = write

    def generate(self, prompt: Prompt) -> Iterator[str]:
        return self._write(prompt) if prompt.instruction is None else iter(())  # rules make follow-ups whole

    def close(self) -> None:
        return


def two_statements(prompt: Prompt) -> Iterator[str]:
    """Quotes the closure with every passage that holds it, then the cost, then invents a third."""
    holding = [p.number for p in prompt.passages if "closes to traffic" in p.chunk.text]
    (cost,) = (p.number for p in prompt.passages if "£412,000" in p.chunk.text)
    markers = "".join(f"[{n}]" for n in holding)
    yield f"Tarn Bridge closes to traffic on 6 May 2024 for repairs to its deck. {markers}\n"
    yield f"The repairs cost £412,000 and take nine weeks. [{cost}]\n"
    yield f"The mayor opened it in 1931. [{cost}]\n"


@pytest.fixture(name="two_statements")
def _two_statements() -> Callable[[Prompt], Iterator[str]]:
    return two_statements


def launched(index: Path, writer: str | TextGenerator) -> Launch:
    """Opens the index with a generator of the test's; the history is that of this test alone."""
    return Launch(
        lambda: Assistant.open(index, generator=writer, embedder="hashing", reranker="none", history=":memory:"),
        index,
        settings_file=index.parent / "settings.toml",
    )


@pytest.fixture
def make_app(index: Path) -> Callable[..., AssistantApp]:
    def make(generator: str | TextGenerator | Callable[[Prompt], Iterator[str]] = two_statements) -> AssistantApp:
        writer = Scripted(generator) if callable(generator) else generator
        return AssistantApp(launched(index, writer))

    return make


async def settle(pilot: Pilot[None]) -> None:
    """Waits for every worker, for the messages they sent, and until no question is left to answer."""
    app = cast(AssistantApp, pilot.app)
    while (running := [worker for worker in app.workers if not worker.is_finished]) or not app.idle:
        if running:
            await app.workers.wait_for_complete(running)
        await pilot.pause()
    await pilot.pause()
    await pilot.pause()


@pytest.fixture
def settled() -> Callable[[Pilot[None]], object]:
    return settle
