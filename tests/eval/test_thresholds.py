"""Bounds from a TOML file."""

from __future__ import annotations

from pathlib import Path

import pytest

from corpus.errors import UsageError
from eval.thresholds import Threshold, checked, read_thresholds
from eval.types import Score


def written(folder: Path, text: str) -> Path:
    path = folder / "bounds.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_bounds_are_met_missed_or_have_nothing_to_meet_them(tmp_path: Path) -> None:
    text = '[at_least]\nfacts = 0.8\n"citation_precision[sentence]" = 0.9\nMRR = 0.5\n[at_most]\nfalse_answers = 0\n'
    bounds = read_thresholds(written(tmp_path, text))
    assert bounds[0] == Threshold("facts", 0.8, True)
    assert bounds[2].name == "RR"
    values = {"facts": 0.8, "citation_precision[sentence]": 0.89, "RR": None, "false_answers": 0.0}
    found = checked(bounds, [Score(name, value, None, None, 5) for name, value in values.items()])
    assert [one["met"] for one in found] == [True, False, False, True]
    assert found[1] == {"name": "citation_precision[sentence]", "at_least": 0.9, "value": 0.89, "met": False}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("facts = 1", "'facts' is not a table of bounds"),
        ("[minimum]\nfacts = 1", "'minimum' is not a table of bounds"),
        ("[at_least]\nfact = 1", "there is no scorer 'fact'"),
        ("[at_least]\nfacts = 'high'", "the bound of 'facts' is 'high', not a number"),
        ("[at_least]\nfacts = true", "the bound of 'facts' is 'True', not a number"),
        ("[at_least]\nfacts = nan", "the bound of 'facts' is 'nan', not a number"),
        ("[at_least]\nfacts = 1e999", "the bound of 'facts' is 'inf', not a number"),
        ("[at_least]", "holds no bound"),
        ("[at_least", "is not TOML"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(UsageError, match=rf"bounds\.toml': .*{reason}|bounds\.toml' .*{reason}"):
        read_thresholds(written(tmp_path, text))


def test_a_file_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.toml' can't be read: No such file"):
        read_thresholds(tmp_path / "none.toml")
