"""A made index, what can be learnt from it, and what must be true of it whatever was done to it."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path

from corpus.errors import IndexUnavailable
from corpus.types import Chunk, Document, Metadata, Page, Section
from embeddings.catalogue import FileRecord
from embeddings.hashing import HashingEmbedder
from embeddings.rows import passage_text
from embeddings.search import Index
from embeddings.types import Where
from embeddings.view import View
from embeddings.writer import IndexWriter

EMBEDDER = HashingEmbedder(32)
QUESTIONS = ("ferry to the island", "How many pounds is a ticket?", "committee of harbour 7", "nothing of this kind")
FILTERS = (Where(tags=("fares",)), Where(date_from=date(2024, 3, 1)), Where(paths=("harbour-1*",)))
Texts = dict[str, str]
"""Of an index's documents, by path."""


def texts_of(version: int, count: int = 12) -> Texts:
    """Each version adds a document, drops some and changes some."""
    numbers = (number for number in range(version + count) if (number + version) % 7)
    return {f"harbour-{number}.txt": _text(number, version - version % (number % 5 + 1)) for number in numbers}


def _text(number: int, version: int) -> str:
    return (
        f"# Harbour {number}\n\nThe ferry from harbour {number} to the island runs {version + 2} times a day.\n\n"
        f"# Fares\n\nA ticket is {number + version} pounds, as committee {version} of harbour {number} has decided."
    )


def document_of(path: str, text: str) -> tuple[Document, list[Chunk]]:
    """Of two chunks, with something in every field."""
    number = int("".join(filter(str.isdigit, path)))
    middle = text.index("# Fares")
    document = Document(
        id=hashlib.sha256(f"{path}\n{text}".encode()).hexdigest()[:32],
        path=path,
        title=f"Timetable of harbour {number}",
        date=date(2024, number % 12 + 1, number % 28 + 1) if number % 3 else None,
        date_source="name" if number % 3 else None,
        text=text,
        sections=(Section("heading", 1, 0, text.index("\n")), Section("heading", 1, middle, middle + 7)),
        pages=(Page(1, 0, middle), Page(2, middle, len(text))),
        metadata=Metadata(("fares",) if number % 2 else ("ferries", "islands")),
    )
    halves = ((0, middle - 2, "Ferries", 1), (middle, len(text), "Fares", 2))
    return document, [
        Chunk(document.id, start, end, text[start:end], (heading,), page, ((start, end),))
        for start, end, heading, page in halves
    ]


def publish(writer: IndexWriter, texts: Texts) -> int:
    """Makes exactly these texts the index, in one generation."""
    made = [document_of(path, text) for path, text in texts.items()]
    passages = [passage_text(document.title, chunk) for document, chunks in made for chunk in chunks]
    if missing := writer.without_vector(passages):
        writer.keep_vectors(missing, EMBEDDER.embed_passages(missing))
    keys = {document.path: writer.staged_key(document.id, document.path) for document, _ in made}
    new = [(document, chunks) for document, chunks in made if keys[document.path] is None]
    keys |= dict(zip((document.path for document, _ in new), writer.stage(new), strict=True))
    return writer.publish(FileRecord.of(d, keys[d.path]) for d, _ in made)


def write(folder: Path, texts: Texts) -> int:
    with IndexWriter(folder, EMBEDDER, "by hand") as writer:
        return publish(writer, texts)


def texts_in(view: View) -> Texts:
    """What a generation holds, checked: every chunk is found once, and is cut from its document."""
    documents = {summary.path: view.document(summary.id) for summary in view.documents()}
    by_id = {document.id: document for document in documents.values()}
    hits = view.search(QUESTIONS[0], EMBEDDER.embed_query(QUESTIONS[0]), 10_000)
    chunks = [chunk for hit in hits for chunk in (hit.chunk, *hit.places)]
    assert len(chunks) == view.snapshot().chunks == sum(summary.chunks for summary in view.documents())
    assert len({chunk.id for chunk in chunks}) == len(chunks)
    assert all(by_id[chunk.document_id].text[chunk.start : chunk.end] == chunk.text for chunk in chunks)
    return {path: document.text for path, document in documents.items()}


def state(folder: Path) -> Texts:
    """`texts_in` of the newest generation."""
    with Index.open(folder, EMBEDDER.fingerprint) as index, index.view() as view:
        return texts_in(view)


def answers(folder: Path) -> Iterator[str]:
    """What a reader can learn from an index, each thing in an index opened for it: a digest, or why it is refused."""

    def search(view: View, filters: Sequence[Where | None]) -> list[object]:
        seen: list[object] = []
        for question, where in zip(QUESTIONS, filters, strict=False):
            hits = view.search(question, EMBEDDER.embed_query(question), 6, where)
            seen += [(h.chunk, h.places, round(h.score, 4), round(h.dense or 0, 4), h.lexical) for h in hits]
            seen += [view.document(hit.chunk.document_id) for hit in hits]
        return seen

    asked: dict[str, Callable[[View], object]] = {
        "documents": View.documents,
        "failures": View.failures,
        "snapshot": View.snapshot,
        "frequencies": lambda view: view.document_frequencies(["ferry", "ticket", "harbour 7", "zeppelin"]),
        "searches": lambda view: search(view, [None] * len(QUESTIONS)),
        "filtered": lambda view: search(view, FILTERS),
    }
    for name, ask in asked.items():
        try:
            with Index.open(folder, EMBEDDER.fingerprint) as index, index.view() as view:
                digest = hashlib.sha256(repr(ask(view)).encode()).hexdigest()
            yield f"answered {name} {digest[:12]}"
        except IndexUnavailable as error:
            yield f"refused {error}"


def lost(folder: Path, published: int, last: int, count: int, *, exists: bool = True) -> list[str]:
    """What is wrong with an index after versions up to `published` were acknowledged and `last` was tried at most.

    It must hold one of them whole, and take the next.
    """
    problems = []
    try:
        if state(folder) not in [texts_of(version, count) for version in range(published, last + 1)]:
            problems.append(f"neither version {published} nor a later one")
    except IndexUnavailable as error:
        if exists:
            problems.append(str(error))
    write(folder, texts_of(last + 1, count))
    if state(folder) != texts_of(last + 1, count):
        problems.append(f"not version {last + 1}, which was published afterwards")
    names = sorted(path.name.split("-")[0] for path in folder.iterdir())
    if names.count("vectors") > 2 or names.count("lexical") > 2 or len(names) > 6:
        problems.append(f"left over: {names}")
    return problems


def damaged(content: bytes, chance: random.Random) -> tuple[str, bytes]:
    """What was done, and the result: a flipped bit, a cut, a run of zeros, or bytes of elsewhere."""
    kind, at = chance.choice(("flip", "flip", "flip", "cut", "zeros", "moved")), chance.randrange(len(content))
    changed = bytearray(content)
    if kind == "flip":
        changed[at] ^= 1 << chance.randrange(8)
    elif kind == "cut":
        del changed[at:]
    else:
        size = min(chance.choice((16, 512, 4096)), len(content) - at)
        start = chance.randrange(len(content) - size + 1)
        changed[at : at + size] = bytes(size) if kind == "zeros" else content[start : start + size]
    return f"{kind} at {at}", bytes(changed)


def spread(total: int, most: int) -> Sequence[int]:
    """At most `most` of the numbers from 1 to `total`, evenly spaced."""
    return sorted({1 + number * total // most for number in range(most)} if total > most else range(1, total + 1))
