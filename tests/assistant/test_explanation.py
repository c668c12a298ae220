"""The list of documents as text."""

from __future__ import annotations

from datetime import date

from assistant.explanation import render_documents
from corpus.types import ReadFailure
from embeddings.view import DocumentSummary


def test_a_line_says_what_a_document_is_found_by_and_who_may_see_it() -> None:
    day = date(2024, 5, 1)
    documents = [
        DocumentSummary("1", "a.md", "Fees", day, 12, None, ("money", "halls"), "Markdown", ("public", "staff")),
        DocumentSummary("2", "b.txt", "Plan", None, 1, "is empty", (), "text", ("staff\x1b[2J",)),
    ]
    assert render_documents(documents, [ReadFailure("b.txt", "is empty"), ReadFailure("c.pdf", "isn't a PDF")]) == (
        "    12  2024-05-01  a.md  Fees  #money #halls @public @staff\n"
        "     1  -           b.txt  Plan  @staff␛[2J  (is empty)\n"
        "     -  -           c.pdf  (isn't a PDF)\n"
        "2 documents, 13 passages, 2 not read"
    )
