"""The inverted index: merged in any order it equals one made at once; phrases; a file any safetensors reader reads."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file

from embeddings import lexical
from embeddings.lexical import LexicalIndex, Passage, mapped, question_terms, words, write

WORDS = ("delta", "kiwi", "lemon", "mango")
PHRASES = ("delta kiwi", "kiwi kiwi", "mango lemon delta", "lemon", "absent", "lemon absent", "")
sentences = st.lists(st.sampled_from(WORDS), max_size=9).map(" ".join)
rounds = st.lists(
    st.tuples(st.lists(st.tuples(sentences, sentences), max_size=9), st.integers(0, 99)), min_size=1, max_size=4
)


@settings(max_examples=60, deadline=None)
@given(rounds)
def test_changes_give_the_index_that_is_made_at_once(changes: list[tuple[list[tuple[str, str]], int]]) -> None:
    held: dict[int, Passage] = {}
    index: LexicalIndex | None = None
    number = 0
    with tempfile.TemporaryDirectory() as folder:
        for turn, (added, seed) in enumerate(changes):
            gone = [key for key in held if (key * 31 + seed) % 3 == 0]
            new = [Passage(number + i, (number + i) // 2, *texts) for i, texts in enumerate(added, 1)]
            number += len(added)
            path = Path(folder, f"{turn}.safetensors")
            with path.open("w+b") as file:
                write(file, Path(folder), index, gone, new, rows=4, postings=7)
                index = mapped(file)
            held = {key: passage for key, passage in held.items() if key not in gone} | {p.chunk_id: p for p in new}
            fresh = Path(folder, "fresh.safetensors")
            with fresh.open("w+b") as file:
                write(file, Path(folder), None, (), held.values())
            assert path.read_bytes() == fresh.read_bytes()
            arrays = load_file(path)
            assert arrays["chunks"].tolist() == list(held)
            for phrase in PHRASES:
                texts = ((f" {p.heading} ", f" {p.text} ") for p in held.values())
                expected = [row for row, parts in enumerate(texts) if phrase and any(f" {phrase} " in t for t in parts)]
                assert index.rows_with(phrase).tolist() == expected


def test_rows_that_are_not_allowed_influence_nothing(tmp_path: Path) -> None:
    passages = [Passage(i, i, "", text) for i, text in enumerate(["kiwi", "kiwi delta", "lemon", "kiwi kiwi mango"])]
    allowed = np.array([True, True, True, False])
    whole, part = lexical.made(tmp_path, passages), lexical.made(tmp_path, passages[:3])
    scores = whole.bm25("kiwi mango", allowed)
    assert scores[:3].tolist() == part.bm25("kiwi mango").tolist()
    assert scores[3] == 0
    assert whole.bm25("kiwi", np.zeros(4, np.bool_)).tolist() == [0, 0, 0, 0]


def test_words_are_folded_and_stopwords_left_out() -> None:
    assert words("Café-Straße n°5, it's ISLINGTON_2017") == [
        "cafe",
        "strasse",
        "n",
        "5",
        "it",
        "s",
        "islington",
        "2017",
    ]
    assert question_terms("What are the Fees of the library?") == ["fees", "library"]
    assert question_terms("Who is it?") == ["who", "is", "it"]
    assert question_terms("…?") == []


def test_a_passage_longer_than_its_positions_is_found(tmp_path: Path) -> None:
    long = Passage(1, 1, "heading", "kiwi " * 70_000)
    index = lexical.made(tmp_path, [long, Passage(2, 2, "", "lemon kiwi")])
    assert index.rows_with("kiwi").tolist() == [0, 1]
    assert index.rows_with("heading kiwi").tolist() == []
    assert index.rows_with("lemon kiwi").tolist() == [1]
    assert index.arrays["lengths"].tolist() == [0xFFFE - 2, 2]
