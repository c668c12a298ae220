"""Examines every file and row of an index, and repairs what can be made again."""

from __future__ import annotations

import contextlib
import itertools
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from corpus.errors import AssistantError, ModelUnavailable
from embeddings import derived, generation
from embeddings.catalogue import (
    FILE,
    FileRecord,
    check_schema,
    is_damage,
    open_reader,
    open_writer,
    readable_errors,
    rebuild_command,
    transaction,
    update_command,
    writable_errors,
    writer_lock,
)
from embeddings.embedder import embedder_named
from embeddings.rows import (
    CHECKED_CHUNK,
    DOCUMENT_COLUMNS,
    DamagedRow,
    chunk_from,
    document_from,
    meta,
    passage_text,
    published_files,
    vector_digest,
    verified,
)
from embeddings.search import Index
from embeddings.writer import IndexWriter

_HALF_PRECISION = 1e-3
"""Error of a vector's components in the exact index."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that isn't as it should be."""

    what: str
    mends: str
    """What mends it: `repair`, `index` (the next run that finds a change), or a sentence for the user."""


def examine(folder: Path) -> list[Finding]:
    """What is wrong with the index, most serious first; reads all of it, and loads the model for one question.

    Raises:
        IndexUnavailable: there is no index, one of another program or version, or it can't be read now.
    """
    try:
        about, damaged, findings = _examined(folder)
    except _Damaged as error:
        return [Finding(f"{FILE}: {error}", "repair")]
    findings = [*(Finding(reason, "repair") for reason in damaged.values()), *findings]
    return findings + (list(_model(folder, about)) if "generation" in about else [])


def repair(folder: Path) -> list[str]:
    """Makes derived files again and drops damaged rows; returns what was done, and what the user must do.

    Whatever of the catalogue can't be trusted is kept aside under another name.

    Raises:
        IndexUnavailable: as `examine`, or it can't be written.
    """
    try:
        about, damaged, findings = _examined(folder)
    except _Damaged:
        return _salvaged(folder)
    if "generation" not in about:
        return _salvaged(folder) if damaged else []
    if not damaged and all(finding.mends != "repair" for finding in findings):
        return []
    reason = "its index was damaged; index again"
    with IndexWriter(folder, embedder_named(about["embedder_name"]), about["chunker"]) as writer:
        files = list(writer.files().values())
        dropped = [record.path for record in files if record.document_key in damaged]
        failed = FileRecord("", None, 0, -1, "", "failed", reason)
        kept = (replace(failed, path=r.path, labels=r.labels) if r.path in dropped else r for r in files)
        writer.publish(kept, afresh=True)
    done = ["the derived files were made again"]
    if dropped:
        done.append(f"dropped as damaged: {', '.join(dropped)}; read again with `{update_command(folder, about)}`")
    return done


class _Damaged(Exception):
    """The catalogue can't be trusted as a whole."""


def _examined(folder: Path) -> tuple[dict[str, str], dict[int, str], list[Finding]]:
    """`meta`, reasons by key of damaged documents, and other findings."""
    with readable_errors(folder):
        try:
            with _reading(folder) as connection:
                if problem := next(_structure(connection), None):
                    raise _Damaged(problem)
                about = meta(connection)
                published_files(connection, about)
                damaged = _damaged_documents(connection)
                findings = [*_derived(folder, connection, about, compare=not damaged), *_leftovers(folder, connection)]
                return about, damaged, findings
        except DamagedRow as error:
            raise _Damaged(str(error)) from error
        except sqlite3.DatabaseError as error:
            if is_damage(error):
                raise _Damaged(str(error)) from error
            raise


@contextlib.contextmanager
def _reading(folder: Path) -> Iterator[sqlite3.Connection]:
    connection, _ = open_reader(folder)
    try:
        with transaction(connection, "DEFERRED"):
            check_schema(connection, folder)
            yield connection
    finally:
        connection.close()


def _structure(connection: sqlite3.Connection) -> Iterator[str]:
    """What is wrong with SQLite's pages and references."""
    for (problem,) in connection.execute("PRAGMA integrity_check(10)"):
        if problem != "ok":
            yield problem
    for table, row, parent, _ in connection.execute("PRAGMA foreign_key_check"):
        yield f"row {row} of {table} refers to a row of {parent} that is missing"


def _damaged_documents(connection: sqlite3.Connection) -> dict[int, str]:
    """Reasons by document key: every row of documents, chunks and vectors is verified, and their relations."""
    damaged: dict[int, str] = {}
    broken: set[int] = set()
    for row in connection.execute("SELECT vector_key, digest, vector, checksum FROM vectors"):
        try:
            verified("vectors", row)
        except DamagedRow:
            broken.add(row[0])
    chunks = connection.cursor()
    for document_key, *columns in connection.execute(
        f"SELECT document_key, document_key, path, recipe, {DOCUMENT_COLUMNS}, checksum FROM documents"
    ):
        try:
            _, path, recipe, *rest = verified("documents", columns)
            document = document_from(path, rest)
            for row in chunks.execute(
                f"SELECT digest, {CHECKED_CHUNK}, chunks.checksum FROM chunks JOIN documents USING (document_key) "
                "LEFT JOIN vectors USING (vector_key) WHERE document_key = ?",
                (document_key,),
            ):
                _, _, *values, vector_key, _, _ = verified("chunks", row[1:])
                chunk = chunk_from(document.id, values)
                if document.text[chunk.start : chunk.end] != chunk.text:
                    raise DamagedRow(f"row {row[1]} of chunks isn't the text of its document")
                embedder = recipe.partition("|")[2].rpartition("|")[0]  # of these rows, published or not
                if vector_key in broken or row[0] != vector_digest(embedder, passage_text(document.title, chunk)):
                    raise DamagedRow(f"row {vector_key} of vectors isn't that of its text")
        except DamagedRow as error:
            damaged[document_key] = f"{FILE}: {error}"
    return damaged


def _derived(
    folder: Path, connection: sqlite3.Connection, about: dict[str, str], *, compare: bool
) -> Iterator[Finding]:
    if "generation" not in about:
        yield Finding("the index was never finished", "index")
        return
    parts = derived.recorded(connection, int(about["generation"]))
    files = {part: derived.opened(folder, parts.get(part)) for part in generation.PARTS}
    for part, file in files.items():
        if file is None:
            name = parts[part].file if part in parts else f"the file of {part}"
            yield Finding(f"{name} is missing or isn't as it was written", "repair")
    if not all(files.values()) or not compare:
        return
    expected = generation.all_words(folder, connection)
    loaded = generation.load(folder, connection, about)
    if any(not np.array_equal(loaded.lexical.arrays[name], expected.arrays[name]) for name in expected.arrays):
        yield Finding(f"{parts['lexical'].file} doesn't hold the words of the catalogue", "repair")
    if len(loaded.dense) != len(expected) or not _agree(connection, loaded):
        yield Finding(f"{parts['vectors'].file} doesn't hold the vectors of the catalogue", "repair")


def _agree(connection: sqlite3.Connection, loaded: generation.Generation) -> bool:
    """Whether an exact index gives every vector of the catalogue back; lists keep less of them."""
    if not loaded.dense.is_exact:
        return True
    return all(
        np.allclose(loaded.dense.vectors(np.searchsorted(loaded.chunks, ids)), rows, atol=_HALF_PRECISION)
        for ids, rows in generation.vector_batches(connection, loaded.chunks)
    )


def _leftovers(folder: Path, connection: sqlite3.Connection) -> Iterator[Finding]:
    unseen = "document_key NOT IN (SELECT document_key FROM files WHERE document_key IS NOT NULL)"
    if count := connection.execute(f"SELECT count(*) FROM documents WHERE {unseen}").fetchone()[0]:
        yield Finding(f"{count} documents were read by a run that didn't finish", "index")
    orphans = "SELECT count(*) FROM vectors WHERE vector_key NOT IN (SELECT vector_key FROM chunks)"
    if count := connection.execute(orphans).fetchone()[0]:
        yield Finding(f"{count} vectors belong to no passage", "index")
    named = {row[0] for row in connection.execute("SELECT file FROM derived")}
    if derived.newest(folder) > int(meta(connection).get("generation", 0)):
        why = "a run was killed, or the catalogue lost its log or is an older copy"
        yield Finding(f"files of a later generation than the catalogue's lie here: {why}", "index")
    if names := sorted(derived.files(folder) - named):
        yield Finding(f"left over: {', '.join(names)}", "index")


def _model(folder: Path, about: dict[str, str]) -> Iterator[Finding]:
    try:
        embedder = embedder_named(about["embedder_name"])
        with Index.open(folder, embedder.fingerprint) as index:
            index.check(embedder)
    except ModelUnavailable as error:
        yield Finding(str(error), "install the model that the index was made with")
    except AssistantError as error:
        yield Finding(str(error), f"index again with `{rebuild_command(folder, about)}`")


def _salvaged(folder: Path) -> list[str]:
    """A new catalogue with the vectors that can still be read; the old one is kept aside."""
    with writer_lock(folder), writable_errors(folder):
        numbers = (f"{FILE}.damaged-{number}" for number in itertools.count(1))
        kept = folder / next(name for name in numbers if not (folder / name).exists())
        for suffix in ("", "-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                Path(f"{folder / FILE}{suffix}").rename(f"{kept}{suffix}")
        with contextlib.closing(open_writer(folder)) as connection, transaction(connection):
            connection.executemany("INSERT OR IGNORE INTO vectors VALUES (?, ?, ?, ?)", _readable_vectors(kept))
            (count,) = connection.execute("SELECT count(*) FROM vectors").fetchone()
        derived.remove_old(folder, set())
    return [
        f"the catalogue can't be mended: it is kept as {kept.name}, and a new one was begun with {count:,} vectors "
        f"of it; read the documents again with `{update_command(folder, {})}`"
    ]


def _readable_vectors(catalogue: Path) -> Iterator[tuple[Any, ...]]:
    with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(catalogue)) as connection:
        rows = connection.execute("SELECT vector_key, digest, vector, checksum FROM vectors")
        while row := rows.fetchone():
            with contextlib.suppress(DamagedRow):
                verified("vectors", row)
                yield row
