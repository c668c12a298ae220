"""What reaches the terminal: as many cells as before, no sequence, and only what its encoding has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.color import Color

import assistant.tui
from assistant.tui.filters import _SIGNS, Cleaned, Spoken, line_filters
from corpus.sanitizing import sanitize

BLACK = Color(0, 0, 0)
HOSTILE = [
    "\x1b]52;c;cm0=\x07",
    "\x9b2J",
    "a\u202eb",
    "\x1b[31mred",
    "one\ntwo\tthree",
    "\ud800",
    "\u200bx\u200b",
    "日\x1b本",
]


def through(line_filter: Cleaned | Spoken, text: str) -> str:
    (segment,) = line_filter.apply([Segment(text, Style(bold=True))], BLACK)
    assert segment.style == Style(bold=True)
    return segment.text


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_hostile_passes_and_the_cells_stay(text: str) -> None:
    shown = through(Cleaned(), text)
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u202e\ud800]", shown) and sanitize(shown) == shown
    assert cell_len(shown) == cell_len(text)


@given(st.text(max_size=40))
def test_any_text_is_cleaned_in_as_many_cells(text: str) -> None:
    shown = through(Cleaned(), text)
    assert sanitize(shown) == shown and not set("\n\t\x1b") & set(shown)
    assert cell_len(shown) == cell_len(text)
    assert through(Cleaned(), shown) == shown


@given(st.text(max_size=40), st.sampled_from(["ascii", "iso-8859-1", "koi8-r", "shift_jis"]))
def test_any_text_is_spoken_in_as_many_cells(text: str, encoding: str) -> None:
    cleaned = through(Cleaned(), text)
    shown = through(Spoken(encoding), cleaned)
    shown.encode(encoding)
    assert cell_len(shown) == cell_len(cleaned)


def test_a_link_is_not_in_force() -> None:
    linked = Segment("press", Style(link="http://evil.test"))
    (segment,) = Cleaned().apply([linked], BLACK)
    assert segment.text == "press" and segment.style is not None and segment.style.link is None


def test_plain_text_is_left_as_it_is() -> None:
    segments = [Segment("Tarn Bridge closes on 6 May 2024."), Segment(" ", Style(bold=True))]
    assert Cleaned().apply(segments, BLACK) is segments
    assert through(Spoken("iso-8859-1"), "The café costs £4 · a cup") == "The café costs £4 · a cup"


def test_what_an_encoding_lacks_has_a_stand_in() -> None:
    assert through(Spoken("ascii"), "❝ quoted · ✓ supported — ⧗ café ½ 日") == '" quoted . + supported - ~ cafe ? ??'
    assert through(Spoken("ascii"), "╭──╮│▌▔") == "+--+||-"
    assert through(Spoken("iso-8859-1"), "☑ “a” · ☐ 5 €") == 'x "a" · _ 5 ?'


def test_every_sign_of_ours_has_a_stand_in_of_one_cell() -> None:
    assert all(cell_len(sign) == cell_len(ascii) == 1 and ascii.isascii() for sign, ascii in _SIGNS.items())
    folder = Path(assistant.tui.__file__).parent
    used = set("".join(file.read_text(encoding="utf-8") for file in folder.rglob("*.py")))
    signs = {character for character in used if "\u2190" <= character <= "\u2bff"}
    assert {sign for sign in signs if through(Spoken("ascii"), sign) == "?"} == set()


def test_the_filters_are_the_same_objects_each_time() -> None:
    assert all(a is b for a, b in zip(line_filters(), line_filters(), strict=True))
