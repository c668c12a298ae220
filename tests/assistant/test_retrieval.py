"""Candidates, neighbours offered as one passage, near-duplicates as one hit, filters, and why a passage isn't there."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from assistant.api import Assistant
from assistant.retrieval import MOST_MERGED
from embeddings.types import Where

NOTICE = (
    "The ferry to Skell leaves the north pier every hour from six in the morning until ten at night. Tickets are sold "
    "on board, by card only; dogs and bicycles travel free of charge when there is room, and nobody is left behind on "
    "the last crossing of the day."
)
LONG = " ".join(
    f"Rule {n} of the harbour says that vessel number {n} keeps to berth {n} until noon." for n in range(40)
)


@pytest.fixture(scope="module")
def harbour(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assistant]:
    root = tmp_path_factory.mktemp("harbour")
    folder = root / "documents"
    (folder / "minutes").mkdir(parents=True)
    (folder / "notice.txt").write_text(f"Ferry notice\n\n1 May 2024\n\n{NOTICE}\n", encoding="utf-8")
    (folder / "copy.txt").write_text(f"Ferry notice\n\n1 May 2024\n\n{NOTICE} Thanks.\n", encoding="utf-8")
    (folder / "later.txt").write_text(
        f"Ferry notice\n\n1 May 2025\n\n{NOTICE.replace('every hour', 'every 2 hours')}\n", encoding="utf-8"
    )
    (folder / "minutes" / "rules.txt").write_text(f"Harbour rules\n\n3 June 2020\n\n{LONG}\n", encoding="utf-8")
    Assistant.build(folder, index=root / "index", embedder="hashing")
    with Assistant.open(root / "index", reranker="none") as opened:
        yield opened


def test_a_near_duplicate_is_one_hit_with_its_places(harbour: Assistant) -> None:
    found = harbour.search("When does the ferry to Skell leave?", limit=3)
    texts = [candidate.hit.chunk.text for candidate in found]
    assert sum("every hour" in text for text in texts) == 1
    hit = next(c.hit for c in found if "every hour" in c.hit.chunk.text)
    assert [place.document_id != hit.chunk.document_id for place in hit.places] == [True]
    assert "every hour" in hit.places[0].text


def test_the_same_words_with_another_figure_are_another_hit(harbour: Assistant) -> None:
    texts = [c.hit.chunk.text for c in harbour.search("When does the ferry to Skell leave?", limit=3)]
    assert any("every 2 hours" in text for text in texts)


def test_neighbours_are_offered_as_one_passage(harbour: Assistant) -> None:
    answer = harbour.ask("What does rule 7 of the harbour say?")
    passages = [p for p in answer.passages if p.document.path == "minutes/rules.txt"]
    chunks = {
        c.hit.chunk.id for c in harbour.search("What does rule 7 of the harbour say?") if "Rule" in c.hit.chunk.text
    }
    assert len(passages) < len(chunks)
    assert any(passage.chunk.id not in chunks for passage in passages)
    spans = sorted((p.chunk.start, p.chunk.end) for p in passages)
    assert all(end <= start for (_, end), (start, _) in itertools.pairwise(spans))
    for passage in passages:
        chunk, text = passage.chunk, passage.document.text
        assert text[chunk.start : chunk.end] == chunk.text
        assert len(chunk.text) <= MOST_MERGED
        assert all(text[first:last].endswith((".", "2020", "rules")) for first, last in chunk.sentences)


@pytest.mark.parametrize(
    ("where", "paths"),
    [
        (Where(paths=("minutes/*",)), {"minutes/rules.txt"}),
        (Where(date_from=date(2025, 1, 1)), {"later.txt"}),
        (Where(date_from=date(2020, 6, 3), date_to=date(2020, 6, 3)), {"minutes/rules.txt"}),
        (Where(tags=("absent",)), set()),
        (Where(), {"notice.txt", "copy.txt", "later.txt", "minutes/rules.txt"}),
    ],
)
def test_a_filter_leaves_out_what_it_should(harbour: Assistant, where: Where, paths: set[str]) -> None:
    found = harbour.search("the ferry and the harbour", where=where)
    ids = {c.document.path for c in found} | {
        harbour.document(place.document_id).path for c in found for place in c.hit.places
    }
    assert ids == paths


def test_a_passage_that_is_returned_is_explained(harbour: Assistant) -> None:
    said = " ".join(harbour.explain("When does the ferry to Skell leave?", "every 2 hours").split())
    assert "later.txt" in said
    assert "it holds ferry, skell, leave" in said
    assert "Returned, as hit" in said


def test_a_passage_that_is_not_returned_is_explained(harbour: Assistant) -> None:
    question = "When does the ferry to Skell leave?"
    said = [" ".join(harbour.explain(question, path).split()) for path in ("notice.txt", "copy.txt")]
    assert sum("Not returned: it says the same as hit" in line for line in said) == 1
    assert "no passage has these words" in " ".join(harbour.explain(question, "unicorns at dawn").split())
    assert "The filter leaves its document out." in harbour.explain(question, "minutes/rules.txt", Where(paths=("l*",)))


def test_a_file_that_could_not_be_read_is_explained(tmp_path: Path) -> None:
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "good.txt").write_text("The hall opens at nine.\n", encoding="utf-8")
    (tmp_path / "documents" / "bad.pdf").write_bytes(b"no PDF")
    Assistant.build(tmp_path / "documents", index=tmp_path / "index", embedder="hashing")
    with Assistant.open(tmp_path / "index", reranker="none") as desk:
        assert "bad.pdf could not be read: isn't a PDF" in desk.explain("when does it open", "bad.pdf")
