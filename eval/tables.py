"""Reports and comparisons for a terminal. Text of documents and models is sanitised: it holds no control sequence."""

from __future__ import annotations

import io
import shutil

from corpus.sanitizing import sanitize
from eval.comparison import Change, Comparison
from eval.types import Report, Response, Score

_LONG = 800
"""Characters of an answer, or of the reason of a crash, that are shown."""


def render_scores(report: Report) -> str:
    """A line for each measure that applies: value, 95 % interval, denominator."""
    count, crashes = len(report.results), [r.response.error for r in report.results if r.response.error is not None]
    failed = f", {len(crashes)} failed, the first: {_cut(crashes[0])}" if crashes else ""
    lines = [sanitize(f"{report.dataset['name']}: {count} question{'s' * (count != 1)}{failed}")]
    known = [score for score in report.scores if score.value is not None]
    width = max((len(score.name) for score in known), default=0)
    lines += [f"{score.name:<{width}}  {_value(score)}   over {score.cases}" for score in known]
    if not known:
        lines.append("none of the measures applies to these questions and answers")
    for one in report.thresholds:
        bound = f"at least {one['at_least']}" if "at_least" in one else f"at most {one['at_most']}"
        lines.append(f"{'met   ' if one['met'] else 'MISSED'}  {one['name']} {bound}: {_number(one['value'])}")
    return "\n".join(lines)


def _value(score: Score) -> str:
    if score.low is None or score.high is None:
        return f"{_number(score.value):>8}" + " " * 26
    return f"{_number(score.value):>8}   95 % {_number(score.low):>7} to {_number(score.high):>7}"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}" if abs(value) < 1000 else f"{value:,.0f}"


def render_comparison(found: Comparison, most: int) -> str:
    """The paired differences, and the first `most` changed questions with both answers side by side."""
    width = max((len(one.name) for one in found.differences), default=0)
    lines = [f"{'':<{width}}  {'first':>8} {'second':>8} {'paired difference':>18}  {'95 % interval':<20} p"]
    for one in found.differences:
        interval = "" if one.low is None or one.high is None else f"{one.low:+.3f} to {one.high:+.3f}"
        value = f"{one.difference:+.3f} ({one.cases})"
        p = "–" if one.p is None else f"{one.p:.4f}"
        lines.append(
            f"{one.name:<{width}}  {_number(one.first):>8} {_number(one.second):>8} {value:>18}  {interval:<20} {p}"
        )
    lines.append(f"\n{len(found.changes)} of {len(found.first.results)} questions changed")
    return "\n".join([*lines, *(_beside(change) for change in found.changes[: max(most, 0)])])


def _beside(change: Change) -> str:
    from rich.console import Console  # deferred: drawn in a comparison only
    from rich.table import Table
    from rich.text import Text

    case = change.first.case
    scores = ", ".join(
        f"{name} {_number(change.first.scores.get(name))} → {_number(change.second.scores.get(name))}"
        for name in change.scores
    )
    table = Table(title=Text(sanitize(f"{case.id}: {case.question}")), title_justify="left", caption=Text(scores))
    for heading in ("first", "second"):
        table.add_column(heading, ratio=1, overflow="fold")
    table.add_row(*(Text(sanitize(_said(side.response))) for side in (change.first, change.second)))
    drawn = io.StringIO()
    width = min(shutil.get_terminal_size((100, 24)).columns, 160)
    Console(file=drawn, width=width, color_system=None).print(table)
    return "\n" + drawn.getvalue().rstrip()


def _said(response: Response) -> str:
    if response.error is not None:
        return _cut(f"failed: {response.error}")
    return _cut(f"refused: {response.text}" if response.refused else response.text)


def _cut(text: str) -> str:
    return text if len(text) <= _LONG else text[:_LONG] + " …"
