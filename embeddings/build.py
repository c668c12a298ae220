"""From folders to an index, and from a changed folder to an index that is up to date again."""

from __future__ import annotations

import hashlib
import json
import time
from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from corpus.chunking import ChunkSettings
from corpus.errors import IndexUnavailable, UsageError
from corpus.labels import Labeller, Labelling, Labels, Sidecar
from corpus.loading import SourceFile, load_documents, scan
from corpus.types import Metadata, ReadFailure
from embeddings.catalogue import FileRecord, is_index, rebuild_command
from embeddings.staging import Staging
from embeddings.types import Embedder
from embeddings.writer import IndexWriter

Content = tuple[str, str, Hashable]
"""SHA-256, suffix and kind of labels: files that have all in common share a document."""
Progress = Callable[[int, int, int], None]
"""Called with files read and encoded, files in all, chunks encoded."""

_SETTLED_NS = 2_000_000_000
"""A file changed within this time before the scan may change again without another time."""
_TOKENS_PER_TOKEN = 0.7
"""Chunk tokens for each token of the embedder: the rest is for title, headings and a coarser tokenizer."""


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What an indexing run did, in files; each is in exactly one of the first five."""

    added: int
    changed: int
    unchanged: int
    removed: int
    failures: tuple[ReadFailure, ...]
    """By path. A file that was indexed and fails now keeps its last good version."""
    embedded: int
    """Chunks that the encoder had to read."""
    chunks: int
    """Of the whole index."""
    generation: int
    seconds: float
    remarks: tuple[str, ...] = ()
    """Rules and front matter that may not have the effect that was meant."""


def build_index(
    folders: Sequence[str | Path],
    index: str | Path,
    embedder: Embedder,
    settings: ChunkSettings | None = None,
    *,
    replace: bool = False,
    rebuild: bool = False,
    progress: Progress | None = None,
    labels: Labeller | None = None,
) -> BuildReport:
    """Makes the index of `folders`, or brings it up to date; what is unchanged isn't read or encoded.

    Killed at any point, the index stays as it was, and the next run uses what this one had encoded.

    Args:
        index: folder of the index; it may lie inside an indexed folder.
        replace: drop what the index holds of folders not named now, and labels that a callback gave.
        rebuild: read every file again, and go over to another embedder.
        labels: has the last word on each file's tags and audience, after the file itself and `corpus.toml`.

    Raises:
        UsageError: no such folder, it lies in the index's, the index holds other folders, labels are wrong, or those of
            the index were given by a callback and there is none now.
        IndexUnavailable: the index was made with another embedder, is being written, or can't be written.
    """
    started = time.perf_counter()
    home = Path(index).resolve()
    roots = list(dict.fromkeys(Path(folder).resolve() for folder in folders))
    fitted = _fitted(settings or ChunkSettings(), embedder)
    sources, unlisted = _listed(roots, home)
    labelling = Labelling({_prefix(root, roots): Sidecar.read(root) for root in roots}, labels)
    with IndexWriter(home, embedder, fitted.fingerprint, rebuild=rebuild) as writer:
        about, before = writer.meta(), writer.files()
        _check_same_index(about, home, roots, embedder, replace=replace, rebuild=rebuild)
        if about.get("labelled") and labels is None and not replace:
            raise UsageError(
                f"the labels in the index {str(home)!r} come from a callback: index where labels= gives it, or with "
                "--replace to go by the files and corpus.toml alone, which may open documents to more"
            )
        read_alike = about.get("chunker") == fitted.fingerprint and not rebuild
        run = _Run(writer, embedder, fitted, labelling, progress or _silent)
        now = run.records(sources, unlisted, before, read_alike=read_alike)
        said = {"folders": json.dumps([str(root) for root in roots]), "audiences": json.dumps(labelling.audiences)}
        if labels or about.get("labelled"):
            said["labelled"] = "callback" if labels else ""
        if _shown(before) != _shown(now) or said.items() - about.items() or not writer.is_whole():
            writer.publish(now.values(), said)
        elif touched := [record for path, record in now.items() if record != before[path]]:
            writer.touch(touched)
        snapshot = writer.snapshot()
    good = {path for path, record in now.items() if record.status == "ok"}
    held = {path for path, record in before.items() if record.document_key is not None}
    changed = {path for path in good & held if before[path].sha256 != now[path].sha256}
    return BuildReport(
        added=len(good - held),
        changed=len(changed),
        unchanged=len(good & held - changed),
        removed=len(held - now.keys()),
        failures=tuple(ReadFailure(path, r.reason or "") for path, r in now.items() if r.status != "ok"),
        embedded=run.embedded,
        chunks=snapshot.chunks,
        generation=snapshot.generation,
        seconds=time.perf_counter() - started,
        remarks=tuple(labelling.remarks({path: (r.declared, r.labels) for path, r in now.items()})),
    )


class _Run:
    """One indexing run: decides what each file needs, reads and encodes that, stages it."""

    def __init__(
        self,
        writer: IndexWriter,
        embedder: Embedder,
        settings: ChunkSettings,
        labelling: Labelling,
        progress: Progress,
    ) -> None:
        self._writer = writer
        self._settings = settings
        self._labelling = labelling
        self._progress = progress
        self._staging = Staging(writer, embedder, self._report)
        self._keys: dict[Hashable, int] = {}
        """Of documents that an earlier run has staged, by content; of those that are only kept, by path."""
        self._described: dict[Content, tuple[date | None, Metadata]] = {}
        """Date and metadata of each content's document."""
        self._done = self._total = 0

    @property
    def embedded(self) -> int:
        """Chunks."""
        return self._staging.embedded

    def records(
        self,
        sources: dict[str, SourceFile],
        unlisted: dict[str, str],
        known: dict[str, FileRecord],
        *,
        read_alike: bool,
    ) -> dict[str, FileRecord]:
        """What the index is to hold. All are by path.

        Args:
            unlisted: reasons why files can't be read.
            known: what the index holds.
            read_alike: a file that couldn't be read can't be now either, where neither size nor time has changed.
        """
        problems = {path: _failed(path, reason) for path, reason in unlisted.items()}
        hashed: dict[str, FileRecord] = {}
        settled = time.time_ns() - _SETTLED_NS
        for path, source in sources.items():
            old = known.get(path)
            same = old and (old.size, old.mtime_ns) == (source.size, source.mtime_ns)
            if old and same and old.status != "ok" and read_alike:
                problems[path] = _failed(path, old.reason or "", old.size, old.mtime_ns)
                continue
            try:
                digest = old.sha256 if old and same and old.status == "ok" else _sha256(source)
            except OSError as error:
                problems[path] = _failed(path, f"can't be read: {error.strerror}")
                continue
            # -1 where a change could still hide behind the same time.
            mtime_ns = source.mtime_ns if source.mtime_ns < settled else -1
            hashed[path] = FileRecord(path, None, source.size, mtime_ns, digest, "ok")
        self._total = len(sources) + len(unlisted)
        with self._staging:
            failures = self._read(sources, self._by_content(hashed), known)
            for path, record in hashed.items():
                if failure := failures.get(self._content(record)):
                    when = (record.size, record.mtime_ns) if failure.lasting else ()
                    problems[path] = _failed(path, failure.reason, *when)
            kept = {path: old for path in problems if (old := known.get(path)) and old.document_key is not None}
            for old in kept.values():
                self._keep(old)
            self._staging.finish()
        keys = self._keys | self._staging.keys
        records = {path: replace(problem, labels=self._labelling.unread(path)) for path, problem in problems.items()}
        for path, old in kept.items():
            # Of a version that nobody has read it isn't known whom it is for: nobody is let in that wasn't before.
            said = self._labelling.of(path, old.declared)
            labels = Labels(said.tags, tuple(name for name in said.audience if name in old.labels.audience))
            now = problems[path]
            seen = replace(old, size=now.size, mtime_ns=now.mtime_ns, status="stale", reason=now.reason)
            records[path] = replace(seen, document_key=keys[path], labels=labels)
        for path in sorted(hashed.keys() - problems.keys()):
            content = self._content(hashed[path])
            day, declared = self._described[content]
            labels = self._labelling.of(path, declared)
            records[path] = replace(
                hashed[path], document_key=keys[content], date=day, declared=declared, labels=labels
            )
        since = {path: known[path].since if path in known else 0 for path in records}
        return {path: replace(record, since=since[path]) for path, record in sorted(records.items())}

    def _content(self, record: FileRecord) -> Content:
        return record.sha256, Path(record.path).suffix.lower(), self._labelling.kind(record.path)

    def _by_content(self, records: dict[str, FileRecord]) -> dict[Content, list[str]]:
        """Paths by content, both in order of path."""
        paths: defaultdict[Content, list[str]] = defaultdict(list)
        for path, record in sorted(records.items()):
            paths[self._content(record)].append(path)
        return dict(paths)

    def _read(
        self, sources: dict[str, SourceFile], contents: dict[Content, list[str]], known: dict[str, FileRecord]
    ) -> dict[Content, ReadFailure]:
        """Stages each content once, from its first path; returns failures."""
        described = {record.document_key: (record.date, record.declared) for record in known.values()}
        unread: dict[SourceFile, Content] = {}
        for content, paths in contents.items():
            staged = (self._writer.staged_key(content[0][:32], path) for path in paths)
            if (key := next((key for key in staged if key is not None), None)) is not None:
                self._keys[content] = key
                if key not in described:
                    document, _ = self._writer.document(key)
                    described[key] = document.date, document.metadata
                self._described[content] = described[key]
            else:
                unread[sources[paths[0]]] = content
        self._done = self._total - sum(len(contents[content]) for content in unread.values())
        self._report()
        failures: dict[Content, ReadFailure] = {}
        with closing(load_documents(unread, self._settings)) as loading:
            for source, loaded in loading:
                content = unread[source]
                path = contents[content][0]
                if isinstance(loaded, ReadFailure):
                    failures[content] = loaded
                elif loaded.document.id != content[0][:32]:
                    failures[content] = ReadFailure(path, "changed while being read; index again")
                else:
                    self._described[content] = loaded.document.date, loaded.document.metadata
                    self._staging.add(content, replace(loaded.document, path=path), loaded.chunks)
                self._done += len(contents[content])
                self._report()
        return failures

    def _keep(self, old: FileRecord) -> None:
        """Stages a document's last good version again where today's chunker or embedder didn't make it."""
        if old.document_key is None:
            return
        document, chunks = self._writer.document(old.document_key)
        staged = (self._writer.staged_key(document.id, path) for path in (document.path, old.path))
        if (key := next((key for key in staged if key is not None), None)) is not None:
            self._keys[old.path] = key
        else:
            self._staging.add(old.path, replace(document, path=old.path), chunks)

    def _report(self) -> None:
        self._progress(max(self._done - self._staging.behind, 0), self._total, self.embedded)


def _listed(roots: Sequence[Path], home: Path) -> tuple[dict[str, SourceFile], dict[str, str]]:
    """Files, and reasons why others can't be read, by path in the index; none of an index.

    With several folders, a path begins with the name of its folder.
    """
    if not roots:
        raise UsageError("no folder to index: name one")
    names = [root.name for root in roots]
    if len(set(names)) < len(names):
        raise UsageError(f"two folders have the same name ({', '.join(map(str, roots))}): give each its own --index")
    if below := next((root for root in roots if root.is_relative_to(home)), None):
        raise UsageError(
            f"the index {str(home)!r} would lie on top of the documents {str(below)!r}: name another --index"
        )
    sources: dict[str, SourceFile] = {}
    unlisted: dict[str, str] = {}
    for root in roots:
        files, failures = scan(root, lambda folder: folder == home or is_index(folder))
        prefix = _prefix(root, roots)
        sources |= {prefix + file.path: file for file in files}
        unlisted |= {prefix + failure.path: failure.reason for failure in failures}
    return sources, unlisted


def _prefix(root: Path, roots: Sequence[Path]) -> str:
    """What paths in the index begin with of a folder's files."""
    return f"{root.name}/" if len(roots) > 1 else ""


def _check_same_index(
    about: dict[str, str],
    home: Path,
    roots: Sequence[Path],
    embedder: Embedder,
    *,
    replace: bool,
    rebuild: bool,
) -> None:
    held = json.loads(about.get("folders", "[]"))
    if (dropped := [folder for folder in held if Path(folder) not in roots]) and not replace:
        raise UsageError(
            f"the index {str(home)!r} also holds {', '.join(map(repr, dropped))}: name that too, choose "
            "another folder with --index, or drop it with --replace"
        )
    if about.get("embedder", embedder.fingerprint) != embedder.fingerprint and not rebuild:
        raise IndexUnavailable(
            f"the index {str(home)!r} was made with the embedder {about['embedder']!r}, not "
            f"{embedder.fingerprint!r}: choose that embedder, or index again with "
            f"`{rebuild_command(home, about)}`"
        )


def _fitted(settings: ChunkSettings, embedder: Embedder) -> ChunkSettings:
    """Chunks that the embedder reads to their end."""
    most = max(16, int(embedder.max_tokens * _TOKENS_PER_TOKEN))
    return replace(settings, max_tokens=min(settings.max_tokens, most), min_tokens=min(settings.min_tokens, most // 2))


def _failed(path: str, reason: str, size: int = 0, mtime_ns: int = -1) -> FileRecord:
    """Size and time are given where the reason holds until one of them changes."""
    return FileRecord(path, None, size, mtime_ns, "", "failed", reason)


def _sha256(source: SourceFile) -> str:
    with (source.root / source.path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _shown(records: dict[str, FileRecord]) -> dict[str, FileRecord]:
    """What a reader of the index can tell of its files."""
    return {path: replace(record, size=0, mtime_ns=0, sha256="") for path, record in records.items()}


def _silent(done: int, total: int, embedded: int) -> None:
    """Reports nothing."""
