"""How long it takes to list, find, rename, delete and erase among many conversations, and how large their file is.

    python bench/history.py [--conversations 10000] [--keep FILE]

The answers are sentences of the sample documents at random, two to four to an answer, each cited, with eight passages
as they are offered. Every figure is taken in a process that has just opened the file, the first call shown apart.
"""

from __future__ import annotations

import argparse
import json
import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from assistant.records.chain import Row, append
from assistant.records.conversations import Conversations
from assistant.records.history import Context, History
from assistant.records.storage import Seen
from assistant.types import Answer, Citation, Passage, Statement, Turn
from corpus.sentences import split_sentences
from corpus.types import Chunk, Document
from embeddings.types import Snapshot

SAMPLES = Path(__file__).parents[1] / "corpus" / "samples"
QUERIES = {
    "common word": ("the", "and the of", "council", "school"),
    "letter or two": ("a", "c", "co", "th", "s t a"),
    "some words": ("children panel", "council tax support", "places in the school", "members of the committee"),
    "rare word": ("leaflet", "quorum", "£18,000", "non-pecuniary"),
    "in no answer": ("xylophone", "the xylophone", "zzz the"),
    "not words": ('"*^() OR NEAR(', "NOT AND", "the " * 1200, "\0;--", "…!?"),
}


def answers(count: int, seed: int) -> list[Answer]:
    """Answers of the right size, their words from the samples."""
    draw = random.Random(seed)
    texts = [
        path.read_text(encoding="utf-8", errors="replace")
        for path in sorted(SAMPLES.glob("*.txt")) + sorted(SAMPLES.glob("*.md"))
    ]
    sentences = [" ".join(text[a:b].split()) for text in texts for a, b in split_sentences(text)]
    sentences = [s for s in sentences if 40 < len(s) < 300]
    snapshot, made = Snapshot(1, "embedder", "chunker", 40, 400), []
    for number in range(count):
        passages = []
        for n in range(1, 9):
            text = " ".join(draw.sample(sentences, 6))
            document = Document(f"{draw.getrandbits(128):032x}", f"minutes/{n}.txt", f"Minutes {n}", None, None, text)
            passages.append(Passage(n, Chunk(document.id, 0, len(text), text, ("Item 4",)), document, 0.5))
        shown = tuple(
            Statement(text, "quoted", 1.0, (Citation(p.number, p, 0, len(text), text),))
            for p in draw.sample(passages, draw.randint(2, 4))
            for text in [draw.choice(sentences)]
        )
        words = draw.choice(sentences).rstrip(".").split()[:12]
        question = f"What of {' '.join(words)}?"
        identity = f"{number:024x}"
        made.append(Answer(identity, question, question, shown, None, (), tuple(passages), "extractive", snapshot))
    return made


def fill(file: Path, conversations: int) -> float:
    """Three answers to a conversation. Returns the seconds of one `History.add`."""
    history, pool = History(file), answers(3000, 1)
    started = time.perf_counter()
    for answer in pool[:200]:
        history.add("first", answer, Context((Turn(answer.question, answer.text),)))
    each = (time.perf_counter() - started) / 200
    history.close()
    asked = Context(audience=("public",)).to_json()
    kept, began = [(a.question, json.dumps(a.to_dict()), asked) for a in pool], datetime.now(UTC)
    with sqlite3.connect(file) as connection:  # in one transaction
        for n in range(3 * conversations):
            moment = (began + timedelta(minutes=n)).isoformat()
            append(connection, Row(f"{n // 3:032x}", moment, *kept[n % len(kept)]))
    return each


def timed(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return (time.perf_counter() - started) * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--conversations", type=int, default=10_000)
    parser.add_argument("--keep", type=Path, help="file to make, or to measure again where it exists")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        file = arguments.keep or Path(temporary) / "history.sqlite3"
        if not file.exists():
            print(f"an answer is added in {fill(file, arguments.conversations) * 1000:.1f} ms")
        measure(file)


def measure(file: Path) -> None:
    history = History(file)
    measure_reading(history)
    draw = random.Random(2)
    hidden = {f"{draw.getrandbits(128):032x}" for _ in range(1000)}
    public = frozenset(("public",))

    def half(seen: Seen) -> bool:
        """As a desk decides: by audience, then document by document; half of the answers are shown."""
        if seen.audience is None or not seen.audience <= public:
            return False
        return not any(id in hidden for id, _ in seen.documents) and min(seen.documents)[0] > "1"

    for kind, predicate in (("all that is public", half), ("nothing", lambda seen: seen.audience == {"staff"})):
        print(f"-- for a caller who may see {kind}")
        measure_reading(history.permitted(partial(nullcontext, predicate)))
    kept = Conversations(history)
    one = kept.listed(1)[0].id
    print("-- for all")
    print(f"records of one: {timed(lambda: kept.records(one)):.1f} ms")
    print(f"rename: {timed(lambda: kept.rename(one, 'Named')):.1f} ms")
    print(f"delete: {timed(lambda: kept.delete(one)):.1f} ms; find then: {timed(lambda: kept.find('the')):.1f} ms")
    print(f"erase: {timed(kept.erase):.0f} ms")
    started = time.perf_counter()
    found = history.verify()
    print(f"chain verified: {time.perf_counter() - started:.1f} s, {len(found)} problems")
    history.close()
    with sqlite3.connect(file) as connection:
        sizes = dict(connection.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY name"))
    full = sum(size for name, size in sizes.items() if name.startswith("searched"))
    print(f"file: {file.stat().st_size / 1e6:.0f} MB, of which full text {full / 1e6:.0f} MB")


def measure_reading(history: History) -> None:
    kept = Conversations(history)
    first = timed(kept.listed)
    again = [timed(kept.listed) for _ in range(7)]
    then = f"best {min(again):.0f}, median {statistics.median(again):.0f}, worst {max(again):.0f} ms"
    print(f"{len(kept.listed()):,} conversations listed: first {first:.0f} ms, then {then}")
    print(f"the newest 100: {timed(lambda: kept.listed(100)):.1f} ms")
    every = []
    for kind, queries in QUERIES.items():
        for query in queries:
            times = [timed(lambda query=query: kept.find(query)) for _ in range(7)]  # type: ignore[misc]
            every += times
            shown = query if len(query) < 30 else f"{query[:20]}… ({len(query)} characters)"
            median, worst = statistics.median(times), max(times)
            count = len(kept.find(query))
            print(f"{kind:<14} {shown!r:<42} {count:>4} found, median {median:5.1f}, worst {worst:5.1f} ms")
    print(f"find: median {statistics.median(every):.1f} ms, worst {max(every):.1f} ms over {len(every)} calls")


if __name__ == "__main__":
    main()
