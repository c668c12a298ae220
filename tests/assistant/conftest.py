"""A small index of invented documents without a model, and a generator that writes what a test says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from assistant.api import Assistant
from assistant.types import Passage, Prompt, TextGenerator
from corpus.sentences import split_sentences
from corpus.types import Chunk, Document
from embeddings.hashing import HashingEmbedder

DOCUMENTS = {
    "opening.md": """# Opening of the Marram Museum

5 March 2024

The Marram Museum opens on 6 May 2024 after repairs to its roof. Entry costs £4 for adults and is free for children \
under 12. The museum is closed on Mondays.

## Staff

The director of the Marram Museum is Ada Quill. She joined from the Fenland Trust in 2019.
""",
    "news.txt": """Marram Museum reopens

7 March 2024

The Marram Museum opens on 6 May 2024 after repairs to its roof. Visitors should book a timed ticket on the museum \
website.
""",
    "repairs.txt": """Repairs to the roof

2 February 2024

The repairs to the roof cost £412,000 and took nine weeks. About 38% of the sum came from the Lottery. The slates came \
from a quarry near Skell.
""",
    "mill.md": """# The café at Skell Mill

1 June 2023

The café at Skell Mill serves soup from noon until 3pm. It was not damaged in the flood of 1998. Pauline Orrin runs it \
with two helpers.
""",
}
Draft = Callable[[Prompt], Iterable[str]]


def filled(folder: Path, texts: Mapping[str, str]) -> Path:
    """The folder, with a file of each text by its path."""
    for path, text in texts.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return folder


class Scripted:
    """Writes what `draft` gives for a prompt, and remembers what happened to it."""

    name = "scripted"

    def __init__(self, draft: Draft, rewrites: bool = False) -> None:
        self._draft = draft
        self._rewrites = rewrites
        self.prompts: list[Prompt] = []
        self.written = 0
        """Deltas that were asked for."""
        self.abandoned = False
        """Whether the draft was closed before its end."""
        self.closed = False

    def generate(self, prompt: Prompt) -> Iterator[str]:
        if prompt.instruction is not None and not self._rewrites:  # to make a follow-up whole: the rules do
            return
        self.prompts.append(prompt)
        try:
            for delta in self._draft(prompt):
                self.written += 1
                yield delta
        except GeneratorExit:
            self.abandoned = True
            raise

    def close(self) -> None:
        self.closed = True


@pytest.fixture(scope="session")
def scripted() -> type[Scripted]:
    return Scripted


@pytest.fixture(scope="session")
def museum(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Index of `DOCUMENTS`."""
    root = tmp_path_factory.mktemp("museum")
    Assistant.build(filled(root / "documents", DOCUMENTS), index=root / "index", embedder="hashing")
    return root / "index"


@pytest.fixture(scope="session")
def open_museum(museum: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Assistant]:
    """Opens the index without any model, with conversations in a file of its own."""

    def opened(generator: str | TextGenerator = "extractive", index: Path | None = None, **others: Any) -> Assistant:
        history = tmp_path_factory.mktemp("history") / "history.sqlite3"
        given = {"embedder": HashingEmbedder(), "reranker": None, "history": history} | others
        return Assistant.open(index or museum, generator=generator, **given)

    return opened


@pytest.fixture(scope="session")
def desk(open_museum: Callable[..., Assistant]) -> Iterator[Assistant]:
    with open_museum() as opened:
        yield opened


@pytest.fixture(scope="session")
def passage_of() -> Callable[..., Passage]:
    """Makes a passage of a text that is a whole document."""

    def made(text: str, number: int = 1, title: str = "Note", headings: Sequence[str] = ()) -> Passage:
        document = Document(f"id-{number}-{title}", f"{number}.txt", title, None, None, text)
        spans = tuple(split_sentences(text))
        return Passage(
            number, Chunk(document.id, 0, len(text), text, headings=tuple(headings), sentences=spans), document, 1.0
        )

    return made
