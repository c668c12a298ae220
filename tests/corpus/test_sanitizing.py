from __future__ import annotations

import json
import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.sanitizing import MAX_COMBINING_MARKS, sanitize

HOSTILE = Path(__file__).parents[2].parent / "shared" / "data" / "hostile"
FORBIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
    "|[\U000e0000-\U000e007f]"
)


def strings_in(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return [string for child in children for string in strings_in(child)]


def assert_harmless(text: str) -> None:
    shown = sanitize(text)
    assert not FORBIDDEN.search(shown)
    assert sanitize(shown) == shown
    shown.encode("utf-8")
    marks = 0
    for character in shown:
        marks = marks + 1 if unicodedata.category(character)[0] == "M" else 0
        assert marks <= MAX_COMBINING_MARKS


@given(st.text(st.characters(exclude_categories=())))
def test_any_text_becomes_harmless_and_stays_so(text: str) -> None:
    assert_harmless(text)


def test_every_hostile_string_becomes_harmless() -> None:
    if not HOSTILE.is_dir():
        pytest.skip(f"the hostile strings aren't beside the project: {HOSTILE}")
    strings = [s for file in sorted(HOSTILE.rglob("*.json")) for s in strings_in(json.loads(file.read_text("utf-8")))]
    assert len(strings) > 590
    for string in strings:
        assert_harmless(string)


def test_the_fast_path_leaves_only_what_the_slow_path_leaves() -> None:
    # A NUL before each character takes the slow path for it; joiners depend on what stands before them.
    points = [chr(point) for point in range(0x110000) if chr(point) not in "\u200c\u200d"]
    slow = sanitize("".join(f"\0.{character}" for character in points)).split("␀.")[1:]
    assert [point for point, shown in zip(points, slow, strict=True) if sanitize(point) != shown] == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain – “text”, £5 café\n\tnext", "plain – “text”, £5 café\n\tnext"),
        ("a\r\nb\rc\x85d\u2028e\u2029f", "a\nb\nc\nd\ne\nf"),
        ("\x1b]52;c;cHduZWQ=\x07", "␛]52;c;cHduZWQ=␇"),
        ("a\x00b\x7fc\x9bd", "a␀b␡c\ufffdd"),
        ("\u202eevil\u2066", "\ufffdevil\ufffd"),
        ("zero\u200bwidth\ufeff\u2060", "zerowidth"),
        ("tag\U000e0041\U000e007f", "tag"),
        ("soft\u00adhyphen", "softhyphen"),
        ("क्\u200dष and \U0001f469\u200d\U0001f4bb", "क्\u200dष and \U0001f469\u200d\U0001f4bb"),
        (" \u200dx", " x"),
        ("x\ud800y\ue000z\uffff", "x\ufffdy\ufffdz\ufffd"),
        ("e" + "\u0301" * 20, "e" + "\u0301" * 8),
    ],
)
def test_what_becomes_of_each_kind_of_character(text: str, shown: str) -> None:
    assert sanitize(text) == shown
