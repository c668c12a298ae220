from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from assistant.tui.wrapping import line_spans
from corpus.sanitizing import sanitize

TEXTS = st.text(st.sampled_from("ab ü漢😀\u0301\n-"), max_size=200) | st.text(max_size=80).map(sanitize)


@given(TEXTS, st.integers(2, 40))
def test_lines_fit_and_leave_out_white_space_only(text: str, width: int) -> None:
    lines = line_spans(text, width)
    assert all(cell_len(text[start:end].replace("\t", " ")) <= width for start, end in lines)
    ends = [0, *(end for _, end in lines)]
    starts = [*(start for start, _ in lines), len(text)]
    assert all(not text[end:start].strip() for end, start in zip(ends, starts, strict=True))


def test_breaks_at_white_space() -> None:
    text = "one two three\n\nfour-and-twenty"
    assert [text[a:b] for a, b in line_spans(text, 8)] == ["one two", "three", "", "four-and", "-twenty"]
