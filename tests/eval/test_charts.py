"""Charts are well-formed images whose marks stand where the figures say."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as some

from eval import charts
from eval.types import Score

SHARE = some.floats(0, 1)


def marks(chart: charts.Chart, tag: str, kind: str) -> list[dict[str, str]]:
    return [e.attrib for e in ElementTree.fromstring(chart.svg).iter(tag) if e.get("class") == kind]


def texts(chart: charts.Chart) -> list[str]:
    return [e.text or "" for e in ElementTree.fromstring(chart.svg).iter("text")]


def test_risk_falls_where_the_figures_say() -> None:
    chart = charts.risk_coverage([(0.5, 0.0, 0.9), (1.0, 0.25, 0.2)])
    (line,) = marks(chart, "polyline", "line")
    assert line["points"] == "220.0,208.0 386.0,14.0"
    assert chart.rows == (("0.500", "0.000", "0.900"), ("1.000", "0.250", "0.200"))
    assert [t for t in texts(chart) if t.startswith("share")] == ["share of answers given", "share of them wrong"]


def test_calibration_counts_its_answers() -> None:
    chart = charts.calibration([(0.25, 0.5, 1), (0.9, 1.0, 4)])
    small, large = marks(chart, "circle", "dot")
    assert (small["cx"], small["cy"], small["r"]) == ("137.0", "111.0", "6.5")
    assert (large["cy"], large["r"]) == ("14.0", "10.0")
    assert {"1", "4"} <= set(texts(chart))


def test_latency_marks_median_and_tail() -> None:
    chart = charts.latency([0.1] * 10 + [0.4] * 9 + [2.0])
    assert {"median 0.250 s", "95th percentile 0.480 s"} <= set(texts(chart))
    heights = [float(bar["height"]) for bar in marks(chart, "rect", "bar")]
    assert [h / max(heights) for h in heights if h] == pytest.approx([1, 0.9, 0.1], abs=0.01)


def test_bars_by_kind_have_whiskers_and_gaps() -> None:
    chart = charts.by_kind(
        "facts", [("a<b", Score("facts", 0.5, 0.2, 0.8, 7)), ("none", Score("facts", None, None, None, 0))]
    )
    (bar,) = marks(chart, "rect", "bar")
    (whisker,) = marks(chart, "path", "whisker")
    full = 302 - 132
    assert float(bar["width"]) == full * 0.5
    assert whisker["d"].startswith(f"M{132 + full * 0.2:.1f} 18H{132 + full * 0.8:.1f}")
    assert {"a<b", "0.500, n 7", "does not apply"} <= set(texts(chart))


def test_no_data_says_why() -> None:
    for chart in (charts.risk_coverage([]), charts.calibration([]), charts.latency([math.nan])):
        assert (chart.svg, chart.missing.split(":")[0]) == ("", "no data")


def test_interval_is_drawn_for_shares_only() -> None:
    assert 'd="M15.2 8H60.0"' in charts.interval(Score("x", 0.3, 0.1, 0.5, 9))
    assert charts.interval(Score("x", 7.0, 5.0, 9.0, 9)) == charts.interval(Score("x", None, None, None, 0)) == ""


@given(some.lists(some.tuples(SHARE, SHARE, SHARE), min_size=1, max_size=60))
def test_any_curve_stays_in_its_frame(points: list[tuple[float, float, float]]) -> None:
    (line,) = marks(charts.risk_coverage(points), "polyline", "line")
    for place in line["points"].split():
        x, y = map(float, place.split(","))
        assert 54 <= x <= 386 and 14 <= y <= 208


@given(some.lists(some.floats(0, 1e9), min_size=1, max_size=60))
def test_every_latency_is_in_some_bar(seconds: list[float]) -> None:
    chart = charts.latency(seconds)
    assert any(float(bar["height"]) > 0 for bar in marks(chart, "rect", "bar"))
    assert len(texts(chart)) < 24


@given(some.text(), some.none() | some.floats(0, 2))
def test_any_kind_is_well_formed(kind: str, value: float | None) -> None:
    chart = charts.by_kind(kind, [(kind, Score(kind, value, value, value, 1))])
    assert ElementTree.fromstring(chart.svg).tag == "svg"


@pytest.mark.parametrize(
    ("value", "shown"), [(0.5, "0.500"), (12.34, "12.3"), (12345.6, "12,346"), (None, "–"), (math.inf, "–")]
)
def test_number(value: float | None, shown: str) -> None:
    assert charts.number(value) == shown
