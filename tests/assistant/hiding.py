"""Marked documents, random audiences over them, and trials of what callers can be told of them."""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from glob import escape
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory

from assistant.api import Assistant
from assistant.config import Settings
from corpus.labels import SIDECAR, Labels
from corpus.types import Metadata
from tests.assistant.fronts import fronts
from tests.assistant.telling import Asked, influences, problems

Text = tuple[str, str]
"""Title and text."""
Audiences = Mapping[str, frozenset[str]]
"""Of each document, by path."""
_FIRST_DAY = date(1903, 3, 2)


@dataclass(frozen=True, slots=True)
class Marked:
    """A document of which nothing stands anywhere else. What is hidden with it is in lower case."""

    path: str
    content: bytes
    named: frozenset[str]
    """What only its path holds."""
    said: frozenset[str] = frozenset()
    """What only its content holds, or is made of that."""
    word: str = ""
    """Of its text."""
    tag: str = ""
    day: date = _FIRST_DAY
    declared: frozenset[str] = frozenset()
    """Audience that it names itself."""

    @property
    def id(self) -> str:
        return hashlib.sha256(self.content).hexdigest()[:32]


def govt(data: Path, most: int | None = None) -> tuple[list[Text], list[str]]:
    """Passages of a folder of test data that answer its questions, the first so many, and those questions."""
    relevant = [line.split("\t")[:2] for line in (data / "qrels_dev.tsv").read_text(encoding="utf-8").splitlines()[1:]]
    chosen = dict.fromkeys([*(passage for _, passage in relevant), *(row["_id"] for row in _rows(data, "passages"))])
    texts = {row["_id"]: (row["title"], row["text"].partition("\n")[2]) for row in _rows(data, "passages")}
    kept = [*chosen][:most]
    queries = {row["_id"]: row["text"].removeprefix("|user|: ") for row in _rows(data, "queries_rewrite")}
    asked = dict.fromkeys(queries[query] for query, passage in relevant if passage in set(kept))
    return [texts[passage] for passage in kept], list(asked)


def samples(home: Path) -> tuple[list[Text], list[str]]:
    """The sample documents, and questions that they answer."""
    root = Path(__file__).parents[2]
    Assistant.build(root / "corpus" / "samples", index=home / "samples", embedder="hashing")
    with Assistant.open(home / "samples", settings=Settings(), reranker=None, history=":memory:") as desk:
        texts = [(one.title, desk.document(one.id).text) for one in desk.documents()]
    lines = (root / "eval" / "datasets" / "samples.jsonl").read_text(encoding="utf-8").splitlines()
    return texts, [case["question"] for case in map(json.loads, lines) if not case["history"]]


def _rows(data: Path, name: str) -> Iterator[dict[str, str]]:
    for line in (data / f"{name}.jsonl").read_text(encoding="utf-8").split("\n"):
        if line:
            yield json.loads(line)


class Words:
    """Words of no language, each once."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._made: set[str] = set()

    def new(self) -> str:
        word = "".join(self._chance.choice("bdfgklmnprtvz") + self._chance.choice("aeiou") for _ in range(6)) + "x"
        if word in self._made:
            return self.new()
        self._made.add(word)
        return word


def marked(texts: Sequence[Text], groups: Sequence[str], words: Words) -> list[Marked]:
    """A document of each title and text, every sentence marked; some under two paths, some that can't be read."""
    made = []
    for number, (title, text) in enumerate(texts):
        word, heading, tag, day = words.new(), words.new(), words.new(), _FIRST_DAY + timedelta(days=2 * number)
        declared = frozenset({groups[number % len(groups)]}) if number % 3 == 0 else frozenset[str]()
        front = [f"title: {json.dumps(f'{heading} {title}')}", f"date: {day}", f"tags: [{tag}]"]
        front += [f"audience: [{', '.join(declared)}]"] if declared else []
        sentences = re.sub(r"(\w)([.!?])(?=\s|$)", rf"\1 {word}\2", text)
        content = "\n".join(["---", *front, "---", "", f"{sentences} {word}.", ""]).encode()
        digest = hashlib.sha256(content).hexdigest()[:12]
        said = frozenset({word, heading, tag, digest, f"{day}", f"{day:%d %B %Y}".lower()})  # "02 May" is never written
        for folder in ("", "sub/")[: 2 if number % 7 == 3 else 1]:
            name = words.new()
            made.append(Marked(f"{folder}{name}.md", content, frozenset({name}), said, word, tag, day, declared))
        if number % 15 == 5:
            name = words.new()
            made.append(Marked(f"{name}.pdf", f"no PDF: {name}".encode(), frozenset({name})))
    return made


def written(documents: Iterable[Marked], folder: Path) -> None:
    for one in documents:
        path = folder / one.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(one.content)


def assigned(documents: Sequence[Marked], groups: Sequence[str], chance: random.Random) -> Audiences:
    """Random audiences; some documents keep what they name themselves, some are for nobody."""
    chosen = {one.path: frozenset(g for g in groups if chance.random() < 0.35) for one in documents}
    return {one.path: one.declared if one.declared and chance.random() < 0.5 else chosen[one.path] for one in documents}


def labelled(documents: Sequence[Marked], audiences: Audiences, groups: Sequence[str], folder: Path) -> None:
    """Writes the audiences into `corpus.toml`, where a document doesn't name the same."""
    rules = [
        f"[[documents]]\npaths = [{json.dumps(escape(one.path))}]\naudience = {json.dumps(sorted(audiences[one.path]))}"
        for one in documents
        if audiences[one.path] != one.declared or not one.declared
    ]
    text = "\n\n".join([f"audiences = {json.dumps(sorted(groups))}", *rules])
    (folder / SIDECAR).write_text(f"{text}\n", encoding="utf-8")


def labeller(audiences: Audiences) -> Callable[[str, Metadata], Labels]:
    """The same as a callback."""
    return lambda path, declared: Labels(declared.tags, tuple(sorted(audiences[path])))


def signs(documents: Iterable[Marked], visible: Callable[[Marked], bool]) -> frozenset[str]:
    """What must not be told to a caller who sees only some."""
    listed = list(documents)
    shown = frozenset[str]().union(*(one.said for one in listed if visible(one)))
    return frozenset[str]().union(*(one.named | (one.said - shown) for one in listed if not visible(one)))


class Trials:
    """One index of marked documents, whose audiences change from trial to trial; nothing is encoded again."""

    def __init__(
        self, texts: Sequence[Text], questions: Sequence[str], home: Path, seed: int, embedder: str = "hashing"
    ) -> None:
        """`embedder`: by its name; another than `hashing` comes with the reranker that is installed."""
        self._embedder = embedder
        self._chance = random.Random(seed)
        self._words = Words(self._chance)
        self._questions = questions
        self._home = home
        self.groups = [self._words.new() for _ in range(4)]
        self.documents = marked(texts, self.groups, self._words)
        self.audiences: Audiences = {}
        self._number = 0
        written(self.documents, self.folder)

    @property
    def folder(self) -> Path:
        return self._home / "documents"

    @property
    def index(self) -> Path:
        return self._home / "index"

    def assign(self) -> int:
        """Other audiences, by `corpus.toml` and by a callback in turn. Returns how many passages were encoded."""
        self._number += 1
        self.audiences = assigned(self.documents, self.groups, self._chance)
        by_callback = self._number % 2 == 0
        labelled([] if by_callback else self.documents, self.audiences, self.groups, self.folder)
        labels = labeller(self.audiences) if by_callback else None
        report = Assistant.build(
            self.folder, index=self.index, embedder=self._embedder, labels=labels, replace=not by_callback
        )
        return report.embedded

    def open(self, history: Path, index: Path | None = None) -> Assistant:
        return Assistant.open(
            index or self.index,
            settings=Settings(strictness="lenient"),  # answers most
            reranker="none" if self._embedder == "hashing" else "auto",
            history=history,
        )

    def caller(self) -> frozenset[str]:
        """Groups of one; sometimes none, or all."""
        return frozenset(group for group in self.groups if self._chance.random() < 0.4)

    def visible(self, one: Marked, audience: frozenset[str]) -> bool:
        unread_by_callback = self._number % 2 == 0 and one.path.endswith(".pdf")  # it isn't called for these
        return not unread_by_callback and not audience.isdisjoint(self.audiences[one.path])

    def problems(self, desk: Assistant, audience: frozenset[str], seen: Assistant | None = None) -> Iterator[str]:
        """What is told to a caller of these groups though it must not be; `seen` instead of the restricted desk."""
        hidden = [one for one in self.documents if one.said and not self.visible(one, audience)]
        by_id = [one for one in hidden if not any(self.visible(o, audience) for o in self.documents if o.id == one.id)]
        if not by_id:
            return
        said, one, new = self._words.new(), self._chance.choice(by_id), self._words.new
        kept = desk.ask(f"{self._chance.choice(self._questions)} {said}", conversation=new())
        missing = hashlib.sha256(said.encode()).hexdigest()
        group = next((g for g in self.groups if g not in audience), new())
        asked = Asked(
            questions=tuple(self._chance.sample(self._questions, 2)),
            ids=(one.id, missing[:32]),
            paths=(one.path, one.path.replace(*one.named, new())),
            words=(one.word, new()),
            tags=(one.tag, new()),
            days=(one.day, date(1851, 3, 2)),
            groups=(group, new()),
            answers=(kept.id, missing[:24]),
            conversations=(desk.history()[-1].conversation, new()),
        )
        secret = signs(self.documents, lambda one: self.visible(one, audience))
        secret |= {said, kept.id, asked.conversations[0], *self.groups} - audience
        seen = seen or desk.seen_by(audience)
        yield from problems(seen, asked, secret, lambda: fronts(desk, seen, asked))

    def influences(self, desk: Assistant, audience: frozenset[str]) -> Iterator[str]:
        """Where a caller of these groups is told other than by an index of what it sees."""
        alone = [one for one in self.documents if self.visible(one, audience)]
        if not any(one.said for one in alone):  # no index without documents
            return
        with TemporaryDirectory(dir=self._home) as temporary:
            home = Path(temporary)
            (home / "documents").mkdir()
            written(alone, home / "documents")
            labelled(alone, self.audiences, self.groups, home / "documents")
            if self._embedder != "hashing":  # the last digits of a model's vectors differ from run to run: keep them
                copytree(self.index, home / "index")
            Assistant.build(home / "documents", index=home / "index", embedder=self._embedder, replace=True)
            with self.open(home / "history", home / "index") as other:
                questions = self._chance.sample(self._questions, 3)
                yield from influences(desk.seen_by(audience), other.seen_by(audience), questions)
