from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.phrases import occurrences


@given(st.text(st.sampled_from("ab \n.*(["), max_size=60), st.text(st.sampled_from("ab .*("), max_size=4))
def test_finds_what_stands_there_white_space_apart(text: str, sought: str) -> None:
    words = " ".join(sought.split())
    for start, end in occurrences(text, sought):
        assert " ".join(text[start:end].split()) == words
    places = list(occurrences(text, sought))
    assert all(end <= start for (_, end), (start, _) in pairwise(places))
    assert bool(places) is bool(words and words in " ".join(text.split()))


@pytest.mark.parametrize("sought", ["[a-z]+", "(", "\\", ".*", "a|b", "$^", "x{9999999}"])
def test_a_pattern_is_only_words(sought: str) -> None:
    assert list(occurrences(f"one {sought} two", sought)) == [(4, 4 + len(sought))]
    assert not list(occurrences("abc", sought))


def test_a_long_text_is_searched_whole() -> None:
    text = "The  Tarn\nBridge stands. " * 20_000
    found = list(occurrences(text, "tarn bridge", ignoring_case=True))
    assert found == [match.span() for match in re.finditer(r"Tarn\nBridge", text)]
    assert not list(occurrences(text, "tarn bridge"))


def test_stops_when_told() -> None:
    asked = iter([False, False, True])
    assert not list(occurrences("x" * 1_000_000 + "y", "y", stop=lambda: next(asked)))
    assert next(asked, None) is None
