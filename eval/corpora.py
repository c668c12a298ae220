"""A data set's own documents as an index, and the places of its gold quotes in whatever is indexed."""

from __future__ import annotations

import hashlib
import json
import re
from bisect import bisect_left
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

from assistant.api import Assistant
from corpus.errors import UnavailableError, UsageError
from corpus.files import write_file
from corpus.sanitizing import sanitize
from embeddings.build import Progress
from embeddings.embedder import embedder_named
from embeddings.types import Embedder
from eval.adapters import file_name
from eval.jsonl import read_bytes
from eval.rows import shown
from eval.types import Case, Dataset, Evidence

_RECORD = "dataset.json"
# What cleaning, typesetting and tokenising change: white space, quotation marks, dashes, bullets and ellipses.
_DROPPED = re.compile(r"[\s\"'`´‘’‚‛“”„‟«»‹›′″\-‐-―−·•▪●○…>\x00-\x1f\ufffd]+")


def index_documents(
    dataset: Dataset, folder: str | Path, embedder: str | Embedder = "default", progress: Progress | None = None
) -> Path:
    """Writes the set's documents to `folder/documents` and brings `folder/index` up to date with them.

    What is there of the same set and embedder is used again. A document's title is its first line, unless its text
    begins with it.

    Raises:
        UsageError: the set has no documents, or the folder holds something else.
    """
    home = Path(folder)
    documents, index, record = home / "documents", home / "index", home / _RECORD
    if not dataset.documents:
        raise UsageError(f"the dataset {dataset.name!r} has no documents of its own: name the index to be asked")
    model = embedder_named(embedder) if isinstance(embedder, str) else embedder
    named = model.fingerprint
    texts = {file_name(d.id): _written(d.title, d.text) for d in dataset.documents}
    digest = hashlib.sha256("\0".join(part for pair in texts.items() for part in pair).encode()).hexdigest()
    try:
        before = json.loads(read_bytes(record)) if record.is_file() else {}
        if not isinstance(before, dict) or ("embedder" not in before and home.is_dir() and any(home.iterdir())):
            raise UsageError(f"{str(home)!r} holds something else than a data set: give an empty or new folder")
        if before.get("documents") != digest:
            home.mkdir(parents=True, exist_ok=True)
            _record(record, "", before.get("embedder", named))
            documents.mkdir(exist_ok=True)
            for path in documents.iterdir():
                if path.name not in texts:
                    path.unlink()
            for name, text in texts.items():
                (documents / name).write_text(text, encoding="utf-8")
        other = before.get("embedder", named) != named
        Assistant.build(documents, index=index, embedder=model, replace=True, rebuild=other, progress=progress)
        _record(record, digest, named)
    except OSError as error:
        raise UnavailableError(f"{str(home)!r} can't be written: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"{str(record)!r} is damaged ({error}): delete the folder {str(home)!r}") from error
    return index


def _record(path: Path, documents: str, embedder: str) -> None:
    write_file(path, json.dumps({"documents": documents, "embedder": embedder}))


def _written(title: str, text: str) -> str:
    # A reader takes a file with many U+FFFD for no text at all.
    title, text = " ".join(sanitize(title).split()), sanitize(text).replace("\ufffd", " ")
    return text if text.startswith(title) else f"{title}\n\n{text}"


def located(dataset: Dataset, desk: Assistant) -> Dataset:
    """The set with each gold quote's span in the indexed document, and with documents by their indexed paths.

    A quote is found as it stands, else but for white space, quotation marks, dashes and bullets. Of several places
    the nearest to the evidence's own `start` counts, the first where it has none.

    A quote of a set that brings its documents stays without a span where cleaning has taken its words away.

    Raises:
        UsageError: a document isn't indexed, or a quote isn't in its document; with the case's file and line.
    """
    paths = _Paths({summary.path: summary.id for summary in desk.documents()})
    sources = {file_name(source.id): source for source in dataset.documents}
    texts: dict[str, _Text] = {}
    cases = []
    for case in dataset.cases:
        found = []
        for gold in case.evidence:
            path = paths.resolve(gold.document, case)
            if path not in texts:
                document = desk.document(paths.ids[path])
                own = sources.get(gold.document)
                texts[path] = _Text(document.path, document.text, own.text if own else None)
            text = texts[path]
            if gold.quote or gold.start is not None:
                span = text.span(gold)
                if span is None and not dataset.documents:
                    at = "" if gold.start is None else f" at {gold.start} to {gold.end}"
                    quote = f"the gold quote {shown(gold.quote)} isn't in the document {path!r}{at}"
                    raise UsageError(f"{case.place}: {quote}; correct it, or index the document that holds it")
                start, end = span or (None, None)
                gold = replace(gold, start=start, end=end)
            copied = text.path != path and gold.passage is not None and text.path in sources
            passage = sources[text.path].id if copied else gold.passage
            found.append(replace(gold, document=text.path, passage=passage, exact=True))
        scope = tuple(paths.resolve(path, case) for path in case.scope)
        cases.append(replace(case, evidence=tuple(found), scope=scope))
    return replace(dataset, cases=tuple(cases))


class _Paths:
    """Indexed paths by their last parts."""

    def __init__(self, ids: dict[str, str]) -> None:
        self.ids = ids
        """Of documents, by path."""
        self._by_name: dict[str, list[str]] = defaultdict(list)
        for path in ids:
            self._by_name[path.rpartition("/")[2]].append(path)

    def resolve(self, document: str, case: Case) -> str:
        """The indexed path that a case means by `document`, which may be given in more parts or in fewer."""
        if document in self.ids:
            return document
        parts = Path(document).parts
        alike = [(path, Path(path).parts) for path in self._by_name.get(parts[-1] if parts else "", ())]
        fitting = [path for path, of in alike if of[-len(parts) :] == parts] or [
            path for path, of in alike if parts[-len(of) :] == of
        ]
        if len(fitting) == 1:
            return fitting[0]
        if fitting:
            raise UsageError(
                f"{case.place}: the document {document!r} may be {fitting[0]!r} or {fitting[1]!r}; name its folder too"
            )
        raise UsageError(f"{case.place}: the document {document!r} isn't indexed; index it, or correct its name")


class _Text:
    """An indexed document's text, to be searched for quotes."""

    def __init__(self, path: str, text: str, source: str | None) -> None:
        self.path = path
        """That answers name it by: the first of several under which the same bytes are indexed."""
        self._text = text
        self._source = source
        """The text as the data set has it, which a quote's own span counts in; None where that is the indexed one."""
        self._bare: tuple[str, list[int]] | None = None

    def span(self, gold: Evidence) -> tuple[int, int] | None:
        if self._source is None and gold.start is not None and gold.end is not None:
            fits = gold.start < gold.end <= len(self._text)
            same = not gold.quote or self._text[gold.start : gold.end] == gold.quote
            return (gold.start, gold.end) if fits and same else None
        if places := _places(self._text, gold.quote):
            start = self._nearest(places, gold.start)
            return start, start + len(gold.quote)
        quote = _bare(sanitize(gold.quote))[0]
        if self._bare is None:
            self._bare = _bare(self._text)
        bare, offsets = self._bare
        if not (places := _places(bare, quote)):
            return None
        spans = {offsets[place]: offsets[place + len(quote) - 1] + 1 for place in places}
        start = self._nearest(list(spans), gold.start)
        return start, spans[start]

    def _nearest(self, places: list[int], wanted: int | None) -> int:
        """Of places in the text the one that has as many visible characters before it as the source has."""
        if len(places) == 1 or wanted is None or self._source is None:
            return places[0]
        before = _visible(self._source[:wanted])
        at = bisect_left(places, before, key=lambda place: _visible(self._text[:place]))
        return min(places[max(0, at - 1) : at + 1], key=lambda place: abs(_visible(self._text[:place]) - before))


def _places(text: str, quote: str) -> list[int]:
    """Where a quote starts, in order, without overlaps."""
    found, at = [], text.find(quote) if quote else -1
    while at >= 0:
        found.append(at)
        at = text.find(quote, at + len(quote))
    return found


def _visible(text: str) -> int:
    return sum(map(len, text.split()))


def _bare(text: str) -> tuple[str, list[int]]:
    """A text without what `_DROPPED` names, and where each of its characters stood."""
    offsets: list[int] = []
    at = 0
    for gap in _DROPPED.finditer(text):
        offsets += range(at, gap.start())
        at = gap.end()
    offsets += range(at, len(text))
    return _DROPPED.sub("", text), offsets
