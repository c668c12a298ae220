"""How long an audit of many stored citations takes, and whether it finds what was done to the documents.

    python bench/audit.py [--documents 2000] [--samples]

Each document holds five facts about a hall of its own among sentences of the samples, and each fact is cited once. Then
one document in twenty is edited, each in one of six ways, and as many are added: news with other values of what was
cited, and the same of other halls. What that does to every citation and statement is known.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import re
import tempfile
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from assistant.api import Assistant
from assistant.config import Settings
from assistant.figures import figures_in
from assistant.records.history import Context, History
from assistant.types import Answer, Citation, Passage, Statement
from corpus.sentences import split_sentences
from embeddings.hashing import HashingEmbedder
from embeddings.search import Index

ROOT = Path(__file__).parents[1]
SAMPLES, EVAL = ROOT / "corpus" / "samples", ROOT / "eval" / "datasets"
PLAIN = Settings(reranker="none")
EDITED = 0.05
WAYS = ("kept", "moved", "changed", "deleted", "renamed", "renamed and edited")
"""Kept: another sentence is added at the end; moved: at the beginning; changed: each fact gets another value."""
STATES = dict(zip(WAYS, ("moved", "moved", "changed", "gone", "intact", "moved"), strict=True))
FINDINGS = {"changed": "contradicted", "deleted": "unsupported"}
FACTS = (
    ("How much does a ticket for the {hall} cost?", "A ticket for the {hall} costs £{n}."),
    ("How many people does the {hall} seat?", "The {hall} seats {n} people."),
    ("When does the {hall} open?", "The {hall} opens on {day} May 2026."),
    ("Who is the manager of the {hall}?", "The manager of the {hall} is {name}."),
    ("What percentage of the income of the {hall} is rent?", "About {n}% of the income of the {hall} is rent."),
)
SYLLABLES = "ba dor fen gil har kel lun mar nor pel quin ros sel tav ul ven wex yar zel orr".split()
PEOPLE = [f"{a} {b}" for a in ("Ada", "Bo", "Cyril", "Dina", "Eve", "Finn") for b in ("Quill", "Reed", "Ott", "Lowe")]


@dataclass(frozen=True, slots=True)
class Hall:
    """A document to be, and what it says."""

    path: str
    name: str
    facts: tuple[str, ...]
    body: tuple[str, ...]
    """Sentences after each fact."""

    @property
    def text(self) -> str:
        told = "\n\n".join(f"{fact} {more}" for fact, more in zip(self.facts, self.body, strict=True))
        return f"About the {self.name}\n\n{told}\n"


def drawn(name: str, draw: random.Random) -> tuple[str, ...]:
    return tuple(
        text.format(hall=name, n=draw.randint(11, 98), day=draw.randint(1, 28), name=draw.choice(PEOPLE))
        for _, text in FACTS
    )


def other(hall: Hall, draw: random.Random) -> tuple[str, ...]:
    """The same facts, each with another value."""
    found: list[str] = []
    for place, fact in enumerate(hall.facts):
        while (new := drawn(hall.name, draw)[place]) == fact:
            pass
        found.append(new)
    return tuple(found)


def made(count: int, draw: random.Random) -> list[Hall]:
    names = ("".join(s).capitalize() + " Hall" for s in itertools.product(SYLLABLES, repeat=3))
    texts = [path.read_text("utf-8", "replace") for path in sorted(SAMPLES.glob("*.txt"))]
    filler = [" ".join(text[a:b].split()) for text in texts for a, b in split_sentences(text)]
    filler = [s for s in filler if 40 < len(s) < 300 and s[0].isupper() and s.endswith(".")]
    return [
        Hall(f"{n % 40}/{n}.txt", name, drawn(name, draw), tuple(" ".join(draw.sample(filler, 3)) for _ in FACTS))
        for n, name in enumerate(itertools.islice(names, count))
    ]


def answered(index: Path, halls: list[Hall]) -> int:
    """Keeps three answers for each document, two of them to two questions at once. Returns how many citations."""
    history, numbers = History(index / "history.sqlite3"), itertools.count()
    with Index.open(index) as opened, opened.view() as view:
        snapshot = view.snapshot()
        for hall in halls:
            document = view.document_at(hall.path)
            assert document is not None
            chunks = [view.chunk_at(row) for row in view.rows_of(hall.path)]
            for places in ((0, 1), (2, 3), (4,)):
                statements, passages = [], []
                for number, fact in enumerate((hall.facts[p] for p in places), 1):
                    start = document.text.index(fact)
                    chunk = next(c for c in chunks if c.start <= start < c.end)
                    passages.append(Passage(number, chunk, document, 1.0))
                    cited = Citation(number, passages[-1], start, start + len(fact), fact)
                    statements.append(Statement(fact, "quoted", 1.0, (cited,)))
                asked = [FACTS[p][0].format(hall=hall.name).rstrip("?") for p in places]
                question = ", and ".join([asked[0], *(a[0].lower() + a[1:] for a in asked[1:])]) + "?"
                identity, shown = f"{next(numbers):024x}", tuple(statements)
                answer = Answer(identity, question, question, shown, None, (), tuple(passages), "extractive", snapshot)
                history.add(identity, answer, Context(settings=asdict(PLAIN)))
    history.close()
    return len(halls) * len(FACTS)


def edited(folder: Path, halls: list[Hall], draw: random.Random) -> dict[str, tuple[str, str]]:
    """Edits the folder. Returns what is to be found of each fact that is affected: state and finding."""
    expected: dict[str, tuple[str, str]] = {}
    chosen = draw.sample(halls, int(EDITED * len(halls)))
    for hall, way in zip(chosen, itertools.cycle(WAYS)):
        file, first = folder / hall.path, f"As of June, the {hall.name} has another roof."
        new = {
            "kept": f"{hall.text}\n{first}\n",
            "moved": f"{first}\n\n{hall.text}",
            "changed": replace(hall, facts=other(hall, draw)).text,
            "renamed": hall.text,
            "renamed and edited": f"{hall.text}\n{first}\n",
        }.get(way)
        file.unlink()
        if new is not None:
            (file.with_name(f"new-{file.name}") if way.startswith("renamed") else file).write_text(new, "utf-8")
        if way != "renamed":
            expected |= dict.fromkeys(hall.facts, (STATES[way], FINDINGS.get(way, "supported")))
    left = [hall for hall in halls if hall not in chosen]
    for number, hall in enumerate(draw.sample(left, len(chosen))):
        told = other(hall, draw)
        if number % 2:  # of another hall that nobody asked about: the same sentences with other values
            told = tuple(fact.replace(hall.name, f"{hall.name[::-1].capitalize()} Barn") for fact in told)
        else:
            expected |= dict.fromkeys(hall.facts, ("intact", "contradicted"))
        news = "\n\n".join(("News", *told, *hall.body[:1]))
        (folder / f"news-{number}.txt").write_text(news + "\n", "utf-8")
    return expected


def measure(root: Path, count: int) -> None:
    draw = random.Random(1)
    folder, index = root / "documents", root / "index"
    halls = made(count, draw)
    for hall in halls:
        file = folder / hall.path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(hall.text, "utf-8")
    started = time.perf_counter()
    report = Assistant.build(folder, index=index, embedder="hashing")
    print(f"{report.added:,} documents, {report.chunks:,} passages indexed in {time.perf_counter() - started:.0f} s")
    started = time.perf_counter()
    citations = answered(index, halls)
    print(f"{citations:,} citations kept in {time.perf_counter() - started:.0f} s")
    audited("as they were", index, {}, citations)
    expected = edited(folder, halls, draw)
    started = time.perf_counter()
    report = Assistant.build(folder, index=index, embedder="hashing")
    seconds = time.perf_counter() - started
    print(f"{report.changed} changed, {report.added} added, {report.removed} removed: indexed in {seconds:.0f} s")
    audited("edited", index, expected, citations)


def audited(name: str, index: Path, expected: dict[str, tuple[str, str]], citations: int) -> None:
    with Assistant.open(index, settings=PLAIN, embedder=HashingEmbedder()) as desk:
        for again in ("first", "again"):
            started, busy = time.perf_counter(), time.process_time()
            report = desk.audit()
            seconds, busy = time.perf_counter() - started, time.process_time() - busy
            print(f"{name}, {again}: {report.answers:,} answers in {seconds:.1f} s, {busy:.1f} s of a processor")
    found = {
        s.text: (c.state, s.finding)
        for answer in report.affected
        for s in answer.statements
        for c in s.citations
        if (c.state, s.finding) != ("intact", "supported")
    }
    assert sum(report.citations.values()) == citations
    right = sum(found.get(fact) == truth for fact, truth in expected.items())
    false = [fact for fact in found if fact not in expected]
    print(f"  {report.citations} {report.statements}")
    print(f"  of {len(expected):,} affected citations {right:,} found and classed rightly, {len(false)} false alarms")
    for fact in [fact for fact, truth in expected.items() if found.get(fact) != truth][:5] + false[:5]:
        print(f"  {fact!r} taken for {found.get(fact)}, and is {expected.get(fact)}")


def with_samples(root: Path) -> None:
    """Edits the samples, one way at a time, and counts the statements that are said to be contradicted."""
    folder, index = root / "documents", root / "index"
    folder.mkdir(parents=True)
    Assistant.build(SAMPLES, index=root / "samples", embedder="hashing")
    with Index.open(root / "samples") as opened, opened.view() as view:
        texts = {f"{listed.path}.txt": view.document(listed.id).text for listed in view.documents()}
    write(folder, index, texts)
    questions = [json.loads(line) for line in (EVAL / "samples.jsonl").read_text("utf-8").splitlines()]
    quotes: dict[str, str] = {}
    with Assistant.open(index, embedder=HashingEmbedder()) as desk:
        print(f"the samples, reranker {desk.reranker}:")
        for case in questions:
            answer = desk.ask(case["question"], case["history"])
            for statement in () if answer.refused else answer.shown[:1]:
                cited = statement.citations[0]
                if revalued(cited.quote) != cited.quote:
                    quotes[answer.id] = cited.quote
    for name, contradicted, edit in (
        ("another value in its place", True, revalued),
        ("a newer copy beside it with another value", True, revalued),
        ("the sentence alone in a new document, with another value", True, revalued),
        ("reworded", False, lambda quote: f"{quote.replace(' the ', ' this ').rstrip('.')}, as before."),
        ("deleted", False, lambda _: ""),
        (
            "the sentence in a new document, of another place",
            False,
            lambda q: f"In Fenmarket, {first_small(revalued(q))}",
        ),
        ("the sentence in a new document, of another year", False, lambda q: f"In 1987, {first_small(revalued(q))}"),
    ):
        now = dict(texts)
        for number, (quote, new) in enumerate((quote, edit(quote)) for quote in quotes.values()):
            path, text = next(pair for pair in texts.items() if quote in pair[1])
            if "new document" in name:
                now[f"news-{number}.txt"] = f"News\n\n1 June 2026\n\n{new}\n"
            elif "copy" in name:
                now[f"new-{path}"] = f"{now.get(f'new-{path}', text).replace(quote, new)}\n\n1 June 2026\n"
            else:
                now[path] = now[path].replace(quote, new)
        write(folder, index, now)
        with Assistant.open(index, embedder=HashingEmbedder()) as desk:
            report = desk.audit()
        found = {a.id: a for a in report.stale if any(s.finding == "contradicted" for s in a.statements)}
        print(f"  {name}: {len(found.keys() & quotes.keys())} of {len(quotes)} contradicted, {len(report.stale)} stale")
        for answer_id in quotes.keys() - found.keys() if contradicted else found:
            print(f"    {quotes.get(answer_id)!r}")
        write(folder, index, texts)


def first_small(text: str) -> str:
    return text[0].lower() + text[1:]


def revalued(quote: str) -> str:
    """Its first figure with other digits."""
    for figure in figures_in(quote):
        if figure.kind in ("money", "percent", "number") and (digits := re.search(r"\d", figure.text)):
            at = figure.start + digits.start()
            return f"{quote[:at]}{(int(quote[at]) + 3) % 9 + 1}{quote[at + 1 :]}"
    return quote


def write(folder: Path, index: Path, texts: dict[str, str]) -> None:
    for file in folder.iterdir():
        file.unlink()
    for path, text in texts.items():
        (folder / path).write_text(text, "utf-8")
    Assistant.build(folder, index=index, embedder="hashing")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--documents", type=int, default=2000, help="each with five citations")
    parser.add_argument("--samples", action="store_true", help="edit the sample documents instead")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        if arguments.samples:
            with_samples(Path(temporary))
        else:
            measure(Path(temporary), arguments.documents)


if __name__ == "__main__":
    main()
