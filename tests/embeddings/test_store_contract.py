"""The passage store against a dictionary and brute force: BM25, cosines and their fusion worked out by hand."""

from __future__ import annotations

import contextlib
import math
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from corpus.errors import UsageError
from corpus.labels import Labels
from corpus.types import Chunk, Document, Metadata, Page, Section
from embeddings.catalogue import FileRecord, open_reader
from embeddings.fusion import DENSE_WEIGHT, FEEDBACK, FEEDBACK_WEIGHT, LEXICAL_WEIGHT
from embeddings.generation import load, vector_batches
from embeddings.hashing import HashingEmbedder
from embeddings.rows import document_from, document_row, passage_text
from embeddings.search import Index
from embeddings.types import Where
from embeddings.vectors import DenseIndex, lists
from embeddings.view import View
from embeddings.writer import IndexWriter

EMBEDDER = HashingEmbedder(32)
WORDS = ("delta", "kiwi", "lemon", "mango", "abba", "piano")
"""Their own Porter stems."""
texts = st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map(" ".join)
Store = dict[str, tuple[Document, list[Chunk]]]


def made(path: str, title: str, parts: list[str]) -> tuple[Document, list[Chunk]]:
    document = Document(f"{path}:{title}:{parts}", path, title, None, None, "\n\n".join(parts))
    chunks, at = [], 0
    for part in parts:
        chunks.append(Chunk(document.id, at, at + len(part), part, ("kiwi",)))
        at += len(part) + 2
    return document, chunks


def bm25(question: str, passages: list[str]) -> list[float]:
    """As in Lucene, with k1 .9 and b .5."""
    bags = [Counter(passage.split()) for passage in passages]
    average = sum(map(Counter.total, bags)) / max(len(bags), 1)
    scores = [0.0] * len(bags)
    for term in dict.fromkeys(question.split()):
        holding = sum(term in bag for bag in bags)
        idf = math.log1p((len(bags) - holding + 0.5) / (holding + 0.5))
        for row, bag in enumerate(bags):
            norm = 0.9 * (0.5 + 0.5 * bag.total() / average)
            scores[row] += idf * bag[term] * 1.9 / (bag[term] + norm)
    return scores


def z(scores: list[float]) -> np.ndarray:
    values = np.round(np.array(scores, np.float64), 6)
    return (values - values.mean()) / max(values.std(), 1e-4)


class StoreMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.model: Store = {}
        self.writer = IndexWriter(Path(self.folder.name), EMBEDDER, "by hand").__enter__()

    def teardown(self) -> None:
        self.writer.__exit__(None, None, None)
        self.folder.cleanup()

    @rule(path=st.sampled_from("abc"), title=texts, parts=st.lists(texts, min_size=1, max_size=4))
    def add(self, path: str, title: str, parts: list[str]) -> None:
        document, chunks = made(path, title, parts)
        rows = EMBEDDER.embed_passages([passage_text(title, chunk) for chunk in chunks])
        self.writer.add([(document, chunks, rows)])
        self.model[path] = document, chunks

    @rule(path=st.sampled_from("abc"))
    def delete(self, path: str) -> None:
        gone = self.model.pop(path, None)
        self.writer.delete([gone[0].id if gone else "unknown"])

    @rule(question=texts, limit=st.integers(1, 6))
    def search(self, question: str, limit: int) -> None:
        if not self.model:
            return
        passages = [(document, chunk) for document, chunks in self.model.values() for chunk in chunks]
        read = [passage_text(document.title, chunk) for document, chunk in passages]
        query = EMBEDDER.embed_query(question)
        rows = EMBEDDER.embed_passages(read).astype(np.float64)
        dense = (rows @ query[0]).tolist()
        twice = [f"{document.title}\nkiwi\n{passage_text(document.title, chunk)}" for document, chunk in passages]
        lexical = bm25(question, twice)
        first = DENSE_WEIGHT * z(dense) + LEXICAL_WEIGHT * z(lexical)
        keys = sorted(range(len(passages)), key=lambda row: -round(first[row], 6))
        nearest = rows[keys[:FEEDBACK]]
        towards = query[0] + FEEDBACK_WEIGHT * nearest.mean(axis=0)
        fused = DENSE_WEIGHT * z((rows @ (towards / np.linalg.norm(towards))).tolist()) + LEXICAL_WEIGHT * z(lexical)
        expected = {chunk.id: row for row, (_, chunk) in enumerate(passages)}
        hits = self.writer.search(question, query, limit)
        said = len({chunk.text for _, chunk in passages})
        assert len(hits) == limit or len(hits) >= min(limit, said)
        for hit in hits:
            row = expected[hit.chunk.id]
            for place in hit.places:
                assert place.text == hit.chunk.text
                assert fused[expected[place.id]] <= fused[row] + 0.02
            assert hit.chunk == passages[row][1]
            assert hit.score == pytest.approx(fused[row], abs=0.02)
            assert hit.dense == pytest.approx(dense[row], abs=1e-5)
            assert hit.lexical == (pytest.approx(lexical[row], abs=1e-5) if lexical[row] else None)
        assert hits == sorted(hits, key=lambda hit: (-hit.score, hit.chunk.id))
        shown = {chunk.id for hit in hits for chunk in (hit.chunk, *hit.places)}
        left = [fused[row] for id_, row in expected.items() if id_ not in shown]
        assert max(left, default=-math.inf) <= hits[-1].score + 0.02

    @invariant()
    def holds_what_was_added(self) -> None:
        if "generation" not in self.writer.meta():
            return
        snapshot = self.writer.snapshot()
        assert snapshot.documents == len(self.model)
        assert snapshot.chunks == sum(len(chunks) for _, chunks in self.model.values())
        with Index.open(Path(self.folder.name)) as index, index.view() as view:
            assert {summary.path: summary.chunks for summary in view.documents()} == {
                path: len(chunks) for path, (_, chunks) in self.model.items()
            }
            for document, _ in self.model.values():
                assert view.document(document.id) == document
            counts = view.document_frequencies(WORDS)
            for word in WORDS:
                held = (
                    any(word in passage_text(document.title, chunk).split() for chunk in chunks)
                    for document, chunks in self.model.values()
                )
                assert counts[word] == sum(held)


StoreMachine.TestCase.settings = settings(
    derandomize=True, max_examples=20, stateful_step_count=8, deadline=None, suppress_health_check=list(HealthCheck)
)
TestStore = StoreMachine.TestCase


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    folder = tmp_path_factory.mktemp("index")
    with IndexWriter(folder, EMBEDDER, "by hand") as writer:
        for path in ("one", "two"):
            document, chunks = made(path, "piano", ["mango lemon", "delta", "mango lemon"])
            writer.add([(document, chunks, EMBEDDER.embed_passages([passage_text("piano", c) for c in chunks]))])
    return Index.open(folder, EMBEDDER.fingerprint)


@settings(max_examples=60, deadline=None)
@given(
    question=st.text(max_size=60) | st.sampled_from(['"', "AND", "NEAR(a b)", "a*", "-x", "^a", "{heading}: b", "\0"])
)
def test_any_question_is_answered(index: Index, question: str) -> None:
    hits = index.search(question, EMBEDDER.embed_query(question), 3)
    assert [len(hit.places) for hit in hits] in ([3, 1], [1, 3])
    assert index.document_frequencies([question]).keys() == {question}


def test_long_questions_are_answered(index: Index) -> None:
    question = " ".join(f"word{number}" for number in range(3_000)) + ' "mango" OR'
    assert len(index.search(question, EMBEDDER.embed_query(question), 2)) == 2


def test_equal_scores_come_in_order_of_chunk_id(index: Index) -> None:
    (hit,) = index.search("mango", EMBEDDER.embed_query("mango"), 1)
    ids = [chunk.id for chunk in (hit.chunk, *hit.places)]
    assert len(ids) == 4
    assert ids == sorted(ids)


def test_phrases_are_counted_as_phrases(index: Index) -> None:
    counts = index.document_frequencies(["mango lemon", "lemon mango", "Mangos", "", '"'])
    assert counts == {"mango lemon": 2, "lemon mango": 0, "Mangos": 2, "": 0, '"': 0}


def test_wrong_shapes_are_refused(index: Index) -> None:
    with pytest.raises(UsageError, match=r"\(1, 31\)"):
        index.search("mango", np.zeros((1, 31), np.float32), 3)
    with pytest.raises(UsageError, match="0 chunks"):
        index.search("mango", EMBEDDER.embed_query("mango"), 0)
    with pytest.raises(UsageError, match="'unknown'"):
        index.document("unknown")


@pytest.mark.parametrize("count", [0, 1, 2, 2_000, 20_000])  # the last two in several slices
def test_a_document_of_any_number_of_parts_is_read_as_it_was_written(count: int) -> None:
    spans = [(number, number * 7, number * 7 + 5) for number in range(count)]
    document = Document("id", "a.txt", "A", None, None, "text")
    document = replace(document, sections=tuple(Section("paragraph", *span) for span in spans))
    document = replace(document, pages=tuple(Page(*span) for span in spans))
    assert document_from("a.txt", document_row(document)) == document


GROUPS = ("public", "staff", "board")
audiences = st.frozensets(st.sampled_from(GROUPS), max_size=3)
assigned = st.dictionaries(
    st.sampled_from("abcdefgh"),
    st.tuples(st.integers(0, 4), audiences, st.sampled_from(["", "2024-01-02", "2024-03-04"]), st.sampled_from(WORDS)),
    min_size=1,
    max_size=8,
)
"""By path: which of five texts it holds, whom it is for, its date and a tag."""


def indexed(folder: Path, files: dict[str, tuple[int, frozenset[str], str, str]], bodies: list[list[str]]) -> Index:
    """Files of the same bytes share a row where their labels are the same, under the first of their paths."""
    with IndexWriter(folder, EMBEDDER, "by hand") as writer:
        keys: dict[object, int] = {}
        records = []
        for path, (number, audience, day, tag) in sorted(files.items()):
            document, chunks = made("", f"piano {WORDS[number]}", bodies[number])
            labels = Labels((tag,), tuple(sorted(audience)))
            document = replace(document, path=path, date=date.fromisoformat(day) if day else None)
            if (shared := (number, labels, day)) not in keys:
                read = [passage_text(document.title, chunk) for chunk in chunks]
                writer.keep_vectors(read, EMBEDDER.embed_passages(read))
                (keys[shared],) = writer.stage([(document, chunks)])
            records.append(replace(FileRecord.of(document, keys[shared]), labels=labels))
            if number == 4:  # its newest version can't be read
                records[-1] = replace(records[-1], status="stale", reason="is empty")
        writer.publish(records)
    return Index.open(folder, EMBEDDER.fingerprint)


def seen(view: View, questions: list[str], ids: set[str]) -> Iterator[object]:
    """All that a view tells."""
    filters = [None, Where(tags=("kiwi", "lemon")), Where(date_from=date(2024, 2, 1)), Where(paths=("[a-d]",))]
    yield view.snapshot()
    yield [replace(summary, audience=()) for summary in view.documents()]
    yield view.documents() == view.since(0)
    yield view.failures()
    for question in questions:
        for where in filters:
            yield view.search(question, EMBEDDER.embed_query(question), 4, where)
            ranking = view.ranking(question, EMBEDDER.embed_query(question), 9, where)
            yield ranking.score.tolist(), [view.chunk_at(row) for row in ranking.rows.tolist()]
            yield where and view.searched(where)
        yield view.weights(question), view.document_frequencies([*question.split(), question])
        yield [view.chunk_at(row) for row in view.rows_of(question)]
    for path in "abcdefgh":
        found = view.document_at(path)
        yield found and replace(found, metadata=Metadata()), [view.chunk_at(row) for row in view.rows_of(path)]
    for identifier in sorted(ids):
        try:
            document = view.document(identifier)
            yield replace(document, metadata=Metadata(document.metadata.tags))
        except UsageError as error:
            yield str(error)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    files=assigned,
    bodies=st.lists(st.lists(texts, min_size=1, max_size=3), min_size=5, max_size=5),
    audience=audiences,
    questions=st.lists(texts, min_size=1, max_size=2),
)
def test_a_restricted_view_is_that_of_an_index_of_what_it_may_see(
    files: dict[str, tuple[int, frozenset[str], str, str]],
    bodies: list[list[str]],
    audience: frozenset[str],
    questions: list[str],
) -> None:
    visible = {path: file for path, file in files.items() if file[1] & audience}
    ids = {made("", f"piano {WORDS[number]}", bodies[number])[0].id for number in range(5)}
    with (
        tempfile.TemporaryDirectory() as whole,
        tempfile.TemporaryDirectory() as alone,
        indexed(Path(whole), files, bodies) as index,
        indexed(Path(alone), visible, bodies) as fresh,
    ):
        assert index.audiences() == frozenset[str]().union(*(file[1] for file in files.values()))
        with index.view(audience) as view, fresh.view() as expected:
            assert list(seen(view, questions, ids)) == list(seen(expected, questions, ids))
            assert [s.audience for s in view.documents()] == [
                tuple(sorted(visible[s.path][1] & audience)) for s in expected.documents()
            ]
            for path, (number, groups, *_) in files.items():
                identifier = made("", f"piano {WORDS[number]}", bodies[number])[0].id
                assert view.hides(identifier, path) == (not groups & audience)
                assert view.hides(identifier, "elsewhere") == all(f[0] != number for f in visible.values())
                assert not expected.hides(identifier, path)


def many(count: int) -> Iterator[tuple[Document, list[Chunk]]]:
    """Of ten passages each."""
    chance = np.random.default_rng(3)
    for number in range(count // 10):
        parts = [" ".join(chance.choice([*WORDS, *map(str, range(40))], 9).tolist()) for _ in range(10)]
        yield made(f"{number:05}", "piano", parts)


@pytest.mark.parametrize("dense", ["exact", "lists"])
def test_a_restricted_view_of_many_passages(tmp_path: Path, dense: str) -> None:
    """As above, where not all passages are compared, and where inverted lists are read."""
    everything = list(many(5_000))
    visible = [pair for pair in everything if int(pair[0].path) % 10]
    for name, pairs in (("whole", everything), ("alone", visible)):
        with IndexWriter(tmp_path / name, EMBEDDER, "by hand") as writer:
            read = [passage_text("piano", chunk) for _, chunks in pairs for chunk in chunks]
            writer.keep_vectors(read, EMBEDDER.embed_passages(read))
            keys = writer.stage(pairs)
            writer.publish(
                replace(
                    FileRecord.of(document, key),
                    labels=Labels((f"tag {int(document.path) % 50}",), ("all",) if int(document.path) % 10 else ()),
                )
                for (document, _), key in zip(pairs, keys, strict=True)
            )
    few = Where(tags=("tag 7",))
    with (
        Index.open(tmp_path / "whole") as index,
        Index.open(tmp_path / "alone") as fresh,
        contextlib.closing(open_reader(tmp_path / "whole")[0]) as connection,
        fresh.view() as expected,
    ):
        generation = load(tmp_path / "whole", connection, index.about())
        if dense == "lists":
            batches = list(vector_batches(connection, generation.chunks))
            made_lists, _ = lists(EMBEDDER.dimension, 5_000, batches[0][1], batches)
            generation = replace(generation, dense=DenseIndex(made_lists, generation.chunks))
        view = View(connection, index.about(), lambda: generation, frozenset({"all"}))
        for question in ("mango 7", "abba delta 12 31", "kiwi"):
            query = EMBEDDER.embed_query(question)
            assert view.search(question, query, 10, few) == expected.search(question, query, 10, few)
            found, wanted = (v.search(question, query, 10) for v in (view, expected))
            if dense == "exact":
                assert found == wanted
            assert len({hit.chunk.id for hit in found} & {hit.chunk.id for hit in wanted}) >= 9
            assert view.weights(question) == expected.weights(question)
