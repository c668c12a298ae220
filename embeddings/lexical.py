"""The lexical index: questions to FTS5 queries, BM25 scores, how often a term occurs."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

_WORD = re.compile(r"\w+")
_MAX_TERMS = 256
"""Distinct words of a question that are looked up."""
_STOPWORDS = frozenset(
    """
    a about after all also an and any are as at be been before but by can could did do does for from had
    has have he her his how i if in into is it its me my of on or our she should so such than that the
    their them then there these they this those to us was we were what when where which while who whom
    whose why will with would you your
    """.split()
)


def question_terms(question: str) -> list[str]:
    """The question's distinct words in order, without stopwords unless nothing else is left."""
    words = list(dict.fromkeys(_WORD.findall(question.casefold().encode(errors="replace").decode())))
    return ([word for word in words if word not in _STOPWORDS] or words)[:_MAX_TERMS]


def _quoted(term: str) -> str:
    """A term as a phrase without operators; FTS5 ends a query at a NUL."""
    clean = term.encode(errors="replace").decode().replace("\0", " ").replace('"', '""')
    return f'"{clean}"'


def bm25_scores(connection: sqlite3.Connection, question: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Ids, ascending, and BM25 (k1 1.2, b .75; higher is better) of chunks with a word of the question."""
    terms = question_terms(question)
    if not terms:
        return np.zeros(0, np.int64), np.zeros(0, np.float64)
    rows = connection.execute(
        "SELECT rowid, -bm25(lexical) FROM lexical WHERE lexical MATCH ? ORDER BY rowid",
        (" OR ".join(map(_quoted, terms)),),
    ).fetchall()
    table = np.array(rows, np.float64).reshape(-1, 2)
    return table[:, 0].astype(np.int64), table[:, 1]


def document_counts(connection: sqlite3.Connection, terms: Iterable[str]) -> dict[str, int]:
    """For each term, a word or a phrase, the number of documents whose text or headings hold it, stemmed."""
    query = (
        "SELECT count(DISTINCT document_key) FROM chunks"
        " WHERE chunk_id IN (SELECT rowid FROM lexical WHERE lexical MATCH ?)"
    )
    return {
        term: connection.execute(query, (_quoted(term),)).fetchone()[0] if _WORD.search(term) else 0
        for term in dict.fromkeys(terms)
    }
