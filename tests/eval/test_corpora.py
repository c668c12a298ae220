"""A set's documents become an index, and gold quotes are found in what is indexed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from assistant.api import Assistant
from corpus.errors import UnavailableError, UsageError
from embeddings.hashing import HashingEmbedder
from eval.corpora import index_documents, located
from eval.datasets import load
from eval.types import Case, Dataset, Evidence, Source

TURNS = ["Chair: Thank you.", "Ada: The roof – “all of it” – costs  £4.", "Chair: Thank you.", "Bob: No.", "Eva: Yes."]
TURNS += ["Chair: Thank you.", "Chair: Thank you."]
TEXTS = {
    "turns": "\n\n".join(TURNS),
    "marks": "> - Soup is served\u2028from noon.\x00\n\n• It is\u202e closed on \ufffdMondays.\n\nSkip to content",
    "tokens": "A `` mill '' , it 's said , isn\xadt ruined . " * 2,
}
SET = Dataset("made", "0" * 16, (), tuple(Source(name, f"Title of {name}", text) for name, text in TEXTS.items()))


def case(*evidence: Evidence, scope: tuple[str, ...] = ()) -> Case:
    return Case("a", "", "Who?", answerable=True, evidence=evidence, scope=scope, place="d.jsonl:3")


def gold(name: str, quote: str, nth: int = 0) -> Evidence:
    """A quote at its `nth` place in a document of the set."""
    at = -1
    for _ in range(nth + 1):
        at = TEXTS[name].index(quote, at + 1)
    return Evidence(f"{name}.txt", quote, name, at, at + len(quote))


def opened(index: Path) -> Assistant:
    return Assistant.open(index, embedder=HashingEmbedder(), reranker=None)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return index_documents(SET, tmp_path_factory.mktemp("made"), "hashing")


@pytest.fixture(scope="module")
def place(made: Path) -> Callable[..., list[tuple[str, int, str]]]:
    """Document, start and text of each place that evidence is found at."""

    def places(*evidence: Evidence, documents: tuple[Source, ...] = SET.documents) -> list[tuple[str, int, str]]:
        with opened(made) as desk:
            texts = {summary.path: desk.document(summary.id).text for summary in desk.documents()}
            (found,) = located(replace(SET, cases=(case(*evidence),), documents=documents), desk).cases
        return [(e.document, e.start or 0, texts[e.document][e.start : e.end]) for e in found.evidence]

    return places


def test_titles_stand_above_the_text_unless_it_begins_with_them(made: Path, tmp_path: Path) -> None:
    folder = made.parent / "documents"
    assert sorted(path.name for path in folder.iterdir()) == ["marks.txt", "tokens.txt", "turns.txt"]
    assert (folder / "turns.txt").read_text().startswith("Title of turns\n\nChair: Thank you.\n\nAda")
    twice = replace(SET, documents=(Source("a", "Mill  of\nSkell", "Mill of Skell\nsoup"), Source("b", "", "Roof")))
    index_documents(twice, tmp_path, "hashing")
    assert (tmp_path / "documents" / "a.txt").read_text() == "Mill of Skell\nsoup"
    assert (tmp_path / "documents" / "b.txt").read_text() == "Roof"


def test_a_quote_that_stands_several_times_is_found_at_its_own_place(place: Callable[..., list[tuple]]) -> None:
    thanks = place(*(gold("turns", "Chair: Thank you.", n) for n in range(3)))
    assert [text for _, _, text in thanks] == ["Chair: Thank you."] * 3
    starts = [start for _, start, _ in thanks]
    assert starts == sorted(set(starts))
    # The last is one of two that follow each other, of which cleaning keeps one.
    assert place(gold("turns", "Chair: Thank you.", 3)) == thanks[2:]


def test_what_cleaning_and_typesetting_change_makes_no_difference(place: Callable[..., list[tuple]]) -> None:
    assert [text for _, _, text in place(
        gold("turns", "The roof – “all of it” – costs  £4."),
        Evidence("turns.txt", 'The roof - "all of it" - costs £4.'),
        gold("marks", "> - Soup is served\u2028from noon."),
        gold("marks", "It is\u202e closed on \ufffdMondays."),
        Evidence("tokens.txt", "A \"mill\", it's said, isnt ruined."),
    )] == [
        "The roof – “all of it” – costs £4.", "The roof – “all of it” – costs £4.", "Soup is served\nfrom noon.",
        "It is closed on Mondays.", "A `` mill '' , it 's said , isnt ruined .",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("evidence", "reason"),
    [
        (
            gold("marks", "Skip to content"),
            "the gold quote \"Skip to content\" isn't in the document 'marks.txt' at 62 to 77; correct",
        ),
        (Evidence("turns.txt", "costs £5."), "the gold quote \"costs £5.\" isn't in the document 'turns.txt'; correct"),
        (Evidence("turns.txt", "…"), "the gold quote \"…\" isn't in the document 'turns.txt'"),
        (Evidence("soup.txt"), "the document 'soup.txt' isn't indexed; index it, or correct its name"),
        (Evidence("urns.txt"), "the document 'urns.txt' isn't indexed"),
        (Evidence("."), "the document '.' isn't indexed"),
    ],
)
def test_what_is_not_there_is_named_with_file_and_line(
    evidence: Evidence, reason: str, place: Callable[..., object]
) -> None:
    with pytest.raises(UsageError) as refused:
        place(evidence, documents=())
    assert str(refused.value).startswith(f"d.jsonl:3: {reason}")


def test_spans_without_documents_of_the_set_count_in_the_indexed_text(place: Callable[..., list[tuple]]) -> None:
    assert place(Evidence("turns.txt", "", None, 0, 8), documents=()) == [("turns.txt", 0, "Title of")]
    assert place(Evidence("turns.txt", "of", None, 6, 8), documents=()) == [("turns.txt", 6, "of")]
    for span, quote in (((5, 7), "of"), ((3, 3), ""), ((0, 9999), "")):
        with pytest.raises(
            UsageError, match=f"isn't in the document 'turns.txt' at {span[0]} to {span[1]}; correct it"
        ):
            place(Evidence("turns.txt", quote, None, *span), documents=())


def test_documents_are_known_by_their_last_parts(tmp_path: Path) -> None:
    for name in ("a/x.txt", "b/x.txt", "b/y.txt"):
        (tmp_path / "d" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "d" / name).write_text(f"The text of {name}.")
    Assistant.build(tmp_path / "d", index=tmp_path / "i", embedder="hashing")
    with opened(tmp_path / "i") as desk:

        def found(*names: str) -> tuple[list[str], tuple[str, ...]]:
            (one,) = located(replace(SET, cases=(case(*map(Evidence, names), scope=names),), documents=()), desk).cases
            return [e.document for e in one.evidence], one.scope

        resolved = ["b/y.txt", "b/y.txt", "a/x.txt", "a/x.txt"]
        assert found("y.txt", "b/y.txt", "a/x.txt", "/home/d/a/x.txt") == (resolved, tuple(resolved))
        with pytest.raises(
            UsageError, match=r"^d\.jsonl:3: the document 'x\.txt' may be 'a/x\.txt' or 'b/x\.txt'; name"
        ):
            found("x.txt")  # fmt: skip


def test_an_index_is_used_again_and_follows_its_set(tmp_path: Path) -> None:
    index = index_documents(SET, tmp_path, "hashing")
    with opened(index) as desk:
        first = desk.snapshot
    before = (tmp_path / "documents" / "turns.txt").stat().st_mtime_ns
    assert index_documents(replace(SET, digest="other"), tmp_path, HashingEmbedder()) == index
    with opened(index) as desk:
        assert desk.snapshot == first
    assert (tmp_path / "documents" / "turns.txt").stat().st_mtime_ns == before
    index_documents(replace(SET, documents=(Source("new", "", "New words."), *SET.documents[1:])), tmp_path, "hashing")
    with opened(index) as desk:
        assert [summary.path for summary in desk.documents()] == ["marks.txt", "new.txt", "tokens.txt"]


def test_another_embedder_makes_the_index_anew_and_half_an_index_is_finished(tmp_path: Path) -> None:
    index_documents(SET, tmp_path, HashingEmbedder(64))
    index = index_documents(SET, tmp_path, "hashing")
    with opened(index) as desk:
        assert len(desk.documents()) == 3
    # As a run leaves it that was killed while it wrote the documents.
    (tmp_path / "dataset.json").write_text(json.dumps({"documents": "", "embedder": HashingEmbedder().fingerprint}))
    (tmp_path / "documents" / "turns.txt").unlink()
    (tmp_path / "documents" / "marks.txt").write_text("cut o")
    with opened(index_documents(SET, tmp_path, "hashing")) as desk:
        assert [desk.document(s.id).text[:8] for s in desk.documents()] == ["Title of"] * 3


def test_a_folder_of_something_else_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "mine.txt").write_text("Mine.")
    with pytest.raises(UsageError, match="holds something else than a data set: give an empty or new"):
        index_documents(SET, tmp_path, "hashing")
    assert (tmp_path / "documents" / "mine.txt").read_text() == "Mine."
    Assistant.build(tmp_path / "documents", index=tmp_path / "other" / "index", embedder="hashing")
    with pytest.raises(UsageError, match="holds something else than a data set"):
        index_documents(SET, tmp_path / "other", "hashing")
    (tmp_path / "file").write_text("")
    with pytest.raises(UnavailableError, match=r"file.*can't be written"):
        index_documents(SET, tmp_path / "file", "hashing")
    (tmp_path / "dataset.json").write_text("{")
    with pytest.raises(UsageError, match=r"is damaged .*: delete the folder"):
        index_documents(SET, tmp_path, "hashing")
    with pytest.raises(UsageError, match="'made' has no documents of its own: name the index to be asked"):
        index_documents(replace(SET, documents=()), tmp_path, "hashing")


def verbatim(dataset: Dataset, index: Path) -> tuple[int, int]:
    """Quotes that stand where they were located, but for white space; and how many there are."""
    with Assistant.open(index, reranker=None) as desk:
        ids = {summary.path: summary.id for summary in desk.documents()}
        texts = {path: desk.document(identifier).text for path, identifier in ids.items()}
        found = [e for c in located(dataset, desk).cases for e in c.evidence if e.quote]
    same = [e for e in found if texts[e.document][e.start : e.end].split() == e.quote.split()]
    return len(same), len(found)


def test_every_gold_quote_of_the_samples_is_located(samples_index: Path) -> None:
    dataset = load(Path(__file__).parents[2] / "eval" / "datasets" / "samples.jsonl")
    assert verbatim(dataset, samples_index) == (40, 40)


def test_every_gold_quote_of_the_seeds_is_located(shared: Path, tmp_path: Path) -> None:
    Assistant.build(shared / "seeds", index=tmp_path, embedder="hashing")
    found, quotes = verbatim(load(shared / "gold" / "islington_dev.jsonl"), tmp_path)
    assert (found, quotes) == (30, 30)


@pytest.mark.parametrize(("name", "quotes"), [("clapnq", 454), ("qmsum_committee/val.jsonl.gz", 679)])
def test_every_gold_quote_of_public_sets_is_located(name: str, quotes: int, shared: Path, tmp_path: Path) -> None:
    dataset = load(shared / "data" / name)
    found, of = verbatim(dataset, index_documents(dataset, tmp_path, "hashing"))
    assert of == quotes and found > 0.98 * quotes
