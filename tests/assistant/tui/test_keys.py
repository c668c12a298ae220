"""Bytes from a terminal, in any pieces."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from assistant.tui.keys import Keys

PASTE = "\x1b[200~one\x1b[Atwo\x11\x1b\r\x1b]0;x\x07\x1b[201~"


def decoded(data: bytes, cuts: list[int], encoding: str = "utf-8") -> str:
    keys, places = Keys(encoding), sorted({min(cut, len(data)) for cut in cuts} | {0, len(data)})
    return "".join(keys.decode(data[a:b]) for a, b in pairwise(places)) + keys.decode(b"", True)


@given(st.lists(st.integers(0, 60)))
def test_a_paste_holds_no_key_however_it_is_cut(cuts: list[int]) -> None:
    text = decoded(f"a\x1b[B{PASTE}\x1b[Cé{PASTE}\x1b".encode(), cuts)
    paste = "\x1b[200~one␛[Atwo\x11␛\r␛]0;x\x07\x1b[201~"
    assert text == f"a\x1b[B{paste}\x1b[Cé{paste}\x1b"


PARTS = ("\x1b", "[", "2", "0", "1", "~", "a", "\x1b[200~", "\x1b[201~")


@given(st.lists(st.sampled_from(PARTS)), st.lists(st.integers(0, 90)))
def test_the_pieces_make_no_difference(parts: list[str], cuts: list[int]) -> None:
    data = "".join(parts).encode()
    assert decoded(data, cuts) == decoded(data, [])


def test_a_lone_escape_does_not_wait() -> None:
    keys = Keys("utf-8")
    assert keys.decode(b"\x1b") == "\x1b" and keys.decode(b"x\x1b[") == "x\x1b[" and keys.decode(b"A") == "A"


def test_stray_bytes_are_replaced() -> None:
    assert decoded(b"a\xff\xfeb", [2]) == "a\ufffd\ufffdb"
    assert decoded(b"\xa3", [], "iso-8859-1") == "£"
