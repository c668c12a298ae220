from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from assistant.tui.wrapping import Lines
from corpus.sanitizing import sanitize

TEXTS = st.text(st.sampled_from("ab ü漢😀\u0301\n-"), max_size=200) | st.text(max_size=80).map(sanitize)


def spans_of(lines: Lines) -> list[tuple[int, int]]:
    return [lines[number] for number in range(len(lines))]


def texts_of(lines: Lines) -> list[str]:
    return [lines.text[start:end] for start, end in spans_of(lines)]


@given(TEXTS, st.integers(2, 40), st.integers(1, 300))
def test_lines_fit_and_leave_out_white_space_only(text: str, width: int, times: int) -> None:
    lines = Lines(text * times, width)  # more than is wrapped at once, in some
    spans = spans_of(lines)
    assert all(cell_len(line.replace("\t", " ")) <= width for line in texts_of(lines))
    ends, starts = [0, *(end for _, end in spans)], [*(start for start, _ in spans), len(lines.text)]
    assert all(not lines.text[end:start].strip() for end, start in zip(ends, starts, strict=True))
    assert all(lines.at(start) == number for number, (start, _) in enumerate(spans))


def test_breaks_at_white_space() -> None:
    assert texts_of(Lines("one two three\n\nfour-and-twenty", 8)) == ["one two", "three", "", "four-and", "-twenty"]


def test_long_paragraphs_are_wrapped_as_one() -> None:
    words = "twelve cells " * 5_000
    assert set(texts_of(Lines(words, 12))) == {"twelve cells"}
    assert set(texts_of(Lines("漢字" * 20_000 + "\nabcd" * 20_000, 4))) == {"漢字", "abcd"}
    assert len(Lines("x" * 100_000, 10)) == 10_000


def test_a_stretch_has_the_lines_of_the_whole() -> None:
    text = "The members noted the report and thanked the officers.\n" * 400
    whole, part = Lines(text, 30), Lines(text, 30, 55 * 100, 55 * 110)
    first = whole.at(55 * 100)
    assert spans_of(part) == [whole[first + line] for line in range(len(part))]


def test_wrapping_stops_when_told() -> None:
    assert len(Lines("word " * 100_000, 20, stop=lambda: True)) == 0
