"""Charts as inline SVG: numbers in, an image out, the same figures beside it as a table.

Colours, type and line widths are the page's: everything here carries a class and no style.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from corpus.sanitizing import sanitize
from eval.types import Score

_WIDTH, _HEIGHT = 400, 250
_LEFT, _RIGHT, _TOP, _BOTTOM = 54, 386, 14, 208
"""The plot's edges, in units of the view box."""
_ROWS = 12
"""At most, of a curve's table: a long one gives points at even distance."""
_NO_CONFIDENCE = "no data: no answer that can be told right or wrong states its confidence"


@dataclass(frozen=True, slots=True)
class Chart:
    """An image with its figures, or the reason why there is none."""

    title: str
    svg: str = ""
    header: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    missing: str = ""


def number(value: float | None) -> str:
    """Three decimals for what lies near 1, fewer for what is larger."""
    if value is None or not math.isfinite(value):
        return "–"
    return f"{value:.3f}" if abs(value) < 10 else f"{value:,.1f}" if abs(value) < 1000 else f"{value:,.0f}"


def risk_coverage(points: Sequence[tuple[float, float, float]]) -> Chart:
    """The share of errors, were only the most confident answered; points of (coverage, risk, least confidence)."""
    if not points:
        return Chart("Risk against coverage", missing=_NO_CONFIDENCE)
    up = _ticks(max(risk for _, risk, _ in points))
    places = [(_x(coverage), _y(risk, up[-1])) for coverage, risk, _ in points]
    body = f'<polyline class="line" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in places)}"/>'
    body += "".join(_dot(x, y, 3) for x, y in places) if len(places) < 25 else ""
    kept = {round(i) for i in np.linspace(0, len(points) - 1, _ROWS)}
    rows = tuple(tuple(map(number, points[i])) for i in sorted(kept))
    names = ("share of answers given", "share of them wrong")
    return _plot("Risk against coverage", names, _ticks(1), up, body, ("coverage", "risk", "confidence from"), rows)


def calibration(bins: Sequence[tuple[float, float, int]]) -> Chart:
    """How often answers of some confidence are right; bins of (mean confidence, share correct, count)."""
    if not bins:
        return Chart("Calibration", missing=_NO_CONFIDENCE)
    most = max(count for *_, count in bins)
    body = _line("guide", _x(0), _y(0), _x(1), _y(1))
    for confidence, share, count in bins:
        x, y, radius = _x(confidence), _y(share), 3 + 7 * math.sqrt(count / most)
        body += _line("gap", x, y, x, _y(confidence)) + _dot(x, y, radius)
        body += _text(x, y - radius - 4 if y > _TOP + 24 else y + radius + 13, str(count), "value")
    rows = tuple((number(confidence), number(share), str(count)) for confidence, share, count in bins)
    names, header = ("confidence", "share correct"), ("mean confidence", "share correct", "answers")
    return _plot("Calibration", names, _ticks(1), _ticks(1), body, header, rows)


def latency(seconds: Iterable[float]) -> Chart:
    """A histogram of seconds, with the median and the 95th percentile."""
    times = np.array([s for s in seconds if math.isfinite(s) and s >= 0])
    if not len(times):
        return Chart("Latency", missing="no data: the responses don't say how long they took")
    median, late = (float(np.percentile(times, p)) for p in (50, 95))
    across = _ticks(float(times.max()))
    counts, edges = np.histogram(np.minimum(times, across[-1]), bins=24, range=(0, across[-1]))
    up = _ticks(1.3 * int(counts.max()), least=4)
    width = (_RIGHT - _LEFT) / 24 - 1
    body = "".join(
        _bar(_x(edge, across[-1]), _y(count, up[-1]), width, _BOTTOM - _y(count, up[-1]))
        for count, edge in zip(counts.tolist(), edges[:-1].tolist(), strict=True)
    )
    body += "".join(
        _line("mark", _x(place, across[-1]), _TOP, _x(place, across[-1]), _BOTTOM) for place in (median, late)
    )
    for place, name, y in ((median, "median", _TOP + 8), (late, "95th percentile", _TOP + 25)):
        x = _x(place, across[-1])
        side, gap = ("end", -5) if x > (_LEFT + _RIGHT) / 2 else ("start", 5)
        body += _text(x + gap, y, f"{name} {number(place)} s", f"value {side}")
    rows = (("median", number(median)), ("95th percentile", number(late)), ("slowest", number(times.max())))
    return _plot("Latency", ("seconds", "questions"), across, up, body, ("", "seconds"), rows)


def by_kind(name: str, scores: Sequence[tuple[str, Score]]) -> Chart:
    """A bar with its interval for each kind of question."""
    ticks = _ticks(max((s.high or s.value or 0 for _, s in scores), default=1), least=1)
    left, right, bottom = 132, 302, 6 + 26 * len(scores)
    places = [(tick, _x(tick, ticks[-1], left, right)) for tick in ticks]
    body = "".join(_line("grid", x, 4, x, bottom) + _text(x, bottom + 16, f"{tick:g}", "tick") for tick, x in places)
    for y, (kind, score) in enumerate(scores):
        y = 18 + 26 * y
        body += _text(left - 8, y + 4, kind if len(kind) < 18 else kind[:16] + "…", "label end")
        if score.value is None:
            body += _text(left + 6, y + 4, "does not apply", "tick start")
            continue
        body += _bar(left, y - 7, max(_x(score.value, ticks[-1], left, right) - left, 1), 14)
        if score.low is not None and score.high is not None:
            low, high = (_x(v, ticks[-1], left, right) for v in (score.low, score.high))
            body += f'<path class="whisker" d="M{low:.1f} {y}H{high:.1f}M{low:.1f} {y - 4}v8M{high:.1f} {y - 4}v8"/>'
        body += _text(right + 10, y + 4, f"{number(score.value)}, n {score.cases}", "value start")
    title = f"{name} by kind"
    rows = tuple((k, number(s.value), f"{number(s.low)} to {number(s.high)}", str(s.cases)) for k, s in scores)
    image = _svg(title, "Bars with 95 % intervals.", body, bottom + 24)
    return Chart(title, image, ("kind", "value", "95 % interval", "questions"), rows)


def interval(score: Score) -> str:
    """A dot on its interval between 0 and 1; empty for figures of another range. The figures stand beside it."""
    low, value, high = score.low, score.value, score.high
    if low is None or value is None or high is None or not 0 <= low <= value <= high <= 1:
        return ""
    a, x, b = (4 + 112 * v for v in (low, value, high))
    body = f'<path class="grid" d="M4 8h112M4 4v8M116 4v8"/><path class="whisker" d="M{a:.1f} 8H{b:.1f}"/>'
    return f'<svg class="interval" viewBox="0 0 120 16" aria-hidden="true">{body}{_dot(x, 8, 4)}</svg>'


def _plot(
    title: str,
    names: tuple[str, str],
    across: Sequence[float],
    up: Sequence[float],
    body: str,
    header: tuple[str, ...],
    rows: tuple[tuple[str, ...], ...],
) -> Chart:
    """A body between two named axes."""
    middle = (_TOP + _BOTTOM) / 2
    frame = "".join(_line("grid", _LEFT, _y(t, up[-1]), _RIGHT, _y(t, up[-1])) for t in up)
    frame += "".join(_text(_LEFT - 6, _y(t, up[-1]) + 4, f"{t:g}", "tick end") for t in up)
    frame += "".join(_text(_x(t, across[-1]), _BOTTOM + 17, f"{t:g}", "tick") for t in across)
    frame += _line("axis", _LEFT, _BOTTOM, _RIGHT, _BOTTOM) + _text(_x(0.5), _HEIGHT - 6, names[0], "label")
    frame += f'<text class="label" transform="rotate(-90 11 {middle})" x="11" y="{middle}">{escape(names[1])}</text>'
    return Chart(title, _svg(title, f"Across: {names[0]}. Up: {names[1]}.", frame + body, _HEIGHT), header, rows)


def _svg(title: str, about: str, body: str, height: float) -> str:
    head = f"<title>{escape(sanitize(title))}</title><desc>{escape(about)} The figures follow as a table.</desc>"
    return f'<svg class="chart" role="img" viewBox="0 0 {_WIDTH} {height:g}">{head}{body}</svg>'


def _text(x: float, y: float, text: str, kind: str) -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}">{escape(sanitize(text))}</text>'


def _line(kind: str, x: float, y: float, to_x: float, to_y: float) -> str:
    return f'<line class="{kind}" x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}"/>'


def _bar(x: float, y: float, width: float, height: float) -> str:
    return f'<rect class="bar" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"/>'


def _dot(x: float, y: float, radius: float) -> str:
    return f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}"/>'


def _x(value: float, top: float = 1, left: float = _LEFT, right: float = _RIGHT) -> float:
    return left + (right - left) * value / top


def _y(value: float, top: float = 1) -> float:
    return _BOTTOM - (_BOTTOM - _TOP) * value / top


def _ticks(top: float, least: float = 1e-6) -> list[float]:
    """Three to six round figures from 0 to `top`, or to `least` where that is more."""
    top = max(top, least)
    power = 10.0 ** math.floor(math.log10(top / 5))
    step = next(power * m for m in (1, 2, 5, 10) if top <= 5 * power * m * (1 + 1e-9))
    return [round(i * step, 12) for i in range(math.ceil(top / step - 1e-9) + 1)]
