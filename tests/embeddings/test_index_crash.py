"""kill -9 at random moments and inside writes: the index opens, holds one published state, and the next run goes on."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from children import Children, Fault
from made_index import spread, texts_of
from trials import OPERATIONS, built, calls, published

RANDOM_KILLS = 28
"""Of publications; of them a quarter while the first index is made."""
KILLS_IN_CALLS = 3
"""Of each kind of call."""
BUILD_KILLS = 6


def test_killed_at_a_random_moment(children: Children, base: Path, tmp_path: Path) -> None:
    chance = random.Random(7)
    problems = [
        published(children, base if kill % 4 else None, tmp_path / "index", seconds=chance.uniform(0.0, 0.3))
        for kill in range(RANDOM_KILLS)
    ]
    assert problems == [[]] * RANDOM_KILLS


@pytest.mark.parametrize("operation", OPERATIONS)
def test_killed_inside_a_call(children: Children, base: Path, tmp_path: Path, operation: str) -> None:
    if not children.faults:
        pytest.skip("no C compiler for faults.c")
    folder = tmp_path / "index"
    for at in spread(calls(children, base, folder, operation), KILLS_IN_CALLS):
        assert published(children, base, folder, fault=Fault(str(folder), operation, at)) == [], f"{operation} {at}"


def test_killed_while_building(children: Children, tmp_path: Path) -> None:
    chance = random.Random(8)
    before: dict[str, str] = {}
    for version in range(BUILD_KILLS):
        after = texts_of(version)
        assert built(children, tmp_path / str(version // 2), before, after, chance.uniform(0.0, 0.8)) == []
        before = after if version % 2 == 0 else {}
