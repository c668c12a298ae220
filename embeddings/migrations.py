"""The catalogue's schema, as the steps that lead to it: each raises `user_version` by one."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from embeddings.rows import CHECKED_CHUNK, DOCUMENT_COLUMNS, checksum, seal

APPLICATION_ID = 0x50534D41

_SCHEMA_1 = """
    CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE documents (
        document_key INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL, path TEXT NOT NULL, recipe TEXT NOT NULL,
        title TEXT NOT NULL, date TEXT, date_source TEXT, text TEXT NOT NULL,
        sections TEXT NOT NULL, pages TEXT NOT NULL, metadata TEXT NOT NULL,
        UNIQUE (id, path, recipe)
    );
    CREATE TABLE vectors (
        vector_key INTEGER PRIMARY KEY AUTOINCREMENT, digest BLOB NOT NULL UNIQUE, vector BLOB NOT NULL
    );
    CREATE TABLE chunks (
        chunk_id INTEGER PRIMARY KEY AUTOINCREMENT,
        document_key INTEGER NOT NULL REFERENCES documents ON DELETE CASCADE,
        start INTEGER NOT NULL, "end" INTEGER NOT NULL, text TEXT NOT NULL,
        headings TEXT NOT NULL, page INTEGER, sentences TEXT NOT NULL,
        vector_key INTEGER NOT NULL REFERENCES vectors,
        UNIQUE (document_key, start, "end")
    );
    CREATE INDEX chunks_by_vector ON chunks (vector_key);
    CREATE TABLE files (
        path TEXT PRIMARY KEY, document_key INTEGER REFERENCES documents,
        size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, sha256 TEXT NOT NULL,
        status TEXT NOT NULL CHECK (status IN ('ok', 'stale', 'failed')), reason TEXT
    ) WITHOUT ROWID;
    CREATE INDEX files_by_document ON files (document_key);
"""
"""documents, chunks and vectors are immutable rows, which a long build commits before they are visible. Visible
is what `files` refers to; `files`, `derived` and `meta` change together, in the transaction that publishes a
generation. AUTOINCREMENT: an id is never used again, so no old file of vectors points at another text."""

_SCHEMA_2 = f"""
    DROP TABLE IF EXISTS snaps;
    DROP TABLE IF EXISTS lexical;
    CREATE TABLE derived (
        generation INTEGER NOT NULL, part TEXT NOT NULL, file TEXT NOT NULL, sha256 TEXT NOT NULL,
        bytes INTEGER NOT NULL, details TEXT NOT NULL, checksum BLOB NOT NULL, PRIMARY KEY (generation, part)
    ) WITHOUT ROWID;
    ALTER TABLE documents ADD COLUMN checksum BLOB NOT NULL DEFAULT x'';
    ALTER TABLE vectors ADD COLUMN checksum BLOB NOT NULL DEFAULT x'';
    ALTER TABLE chunks ADD COLUMN checksum BLOB NOT NULL DEFAULT x'';
    UPDATE documents SET checksum = checksum(document_key, path, recipe, {DOCUMENT_COLUMNS});
    UPDATE vectors SET checksum = checksum(vector_key, digest, vector);
    UPDATE chunks SET checksum = (
        SELECT checksum({CHECKED_CHUNK}) FROM documents WHERE documents.document_key = chunks.document_key
    );
"""
"""A checksum in every row; the lexical index moves to a file, the FAISS files are described with it."""

_SCHEMA_3 = """
    ALTER TABLE files ADD COLUMN date TEXT;
    ALTER TABLE files ADD COLUMN declared TEXT NOT NULL DEFAULT '{"tags": [], "audience": [], "url": null}';
    ALTER TABLE files ADD COLUMN labels TEXT NOT NULL DEFAULT '{"tags": [], "audience": []}';
    ALTER TABLE files ADD COLUMN since INTEGER NOT NULL DEFAULT 0;
    UPDATE files SET
        (date, declared) = (SELECT date, metadata FROM documents WHERE documents.document_key = files.document_key),
        since = (SELECT value FROM meta WHERE key = 'generation')
    WHERE document_key IN (SELECT document_key FROM documents) AND EXISTS (SELECT 1 FROM meta WHERE key = 'generation');
    UPDATE files SET labels = json_remove(declared, '$.url');
"""
"""Labels of each file, and its document's date, so that filters read no documents; when it came to its content."""

_STEPS: tuple[str, ...] = (_SCHEMA_1, _SCHEMA_2, _SCHEMA_3)
SCHEMA = len(_STEPS)
GROUPS = "SELECT json_group_array(DISTINCT value) FROM files, json_each(files.labels, '$.audience')"
"""Names of all audiences of files, as JSON."""


def migrate(connection: sqlite3.Connection, folder: Path) -> None:
    """Brings the schema up to date; an older catalogue is copied first, and the copy removed once all is checked."""
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version == SCHEMA:
        return
    connection.create_function("checksum", -1, checksum, deterministic=True)
    copy = folder / f"catalogue-schema-{version}.sqlite3"
    if version:
        copy.unlink(missing_ok=True)  # of a migration that was killed: the catalogue is still as it was
        connection.execute("VACUUM INTO ?", (str(copy),))
    try:
        # One script: each begins by committing what is open.
        connection.executescript(
            f"BEGIN IMMEDIATE; {''.join(_STEPS[version:])}"
            f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {SCHEMA};"
        )
        counts = {
            "chunks": "SELECT count(*) FROM chunks WHERE document_key IN (SELECT document_key FROM files)",
            "documents": "SELECT count(DISTINCT document_key) FROM files",
            "groups": GROUPS,
        }
        seal(connection, {name: str(connection.execute(counts[name]).fetchone()[0]) for name in counts if version})
        connection.execute("COMMIT")
    except sqlite3.Error:
        connection.close()  # which rolls back
        raise
    if connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok":
        copy.unlink(missing_ok=True)
