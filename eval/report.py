"""A report as one HTML file that needs nothing else: no request leaves it, and no text of others is markup in it."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections import Counter
from collections.abc import Iterable
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote as encoded

from corpus.errors import AssistantError, UsageError
from corpus.sanitizing import sanitize
from eval import charts
from eval.judges import judge_named
from eval.scorers import scorer_named, shared_judge
from eval.scorers.abstention import calibration, risk_coverage
from eval.scorers.citations import passages, sentences
from eval.scorers.support import label
from eval.types import CaseResult, Citation, Evidence, Report, Sentence

_AROUND = 240
"""Characters of a passage on each side of the cited words."""
_LONG = 6_000
"""Characters of an answer, question or quote that are shown; the file's size is theirs."""
_MANY = 50
"""Sentences, citations of one sentence, pieces of evidence, and the like, that are shown."""
_COLUMNS = 4
"""Measures in the table of questions."""
_FIRST = ("facts", "citation_f1[sentence]", "citation_recall[alce", "citation_precision[alce", "nDCG@10", "token_f1")
"""Beginnings of the measures that are shown there before others."""
_JUDGED = re.compile(r"citation_\w+\[(?:alce|trec),(.+)\]")
_AMOUNTS = frozenset(("words", "tokens", "seconds"))
"""Measures without full marks."""


def render(report: Report) -> str:
    """One HTML5 file. All text of documents, questions and models is sanitised as it is printed, and escaped."""
    try:
        # Deferred: of the extra `eval`, and scores without a report need none of it.
        from jinja2 import Environment, StrictUndefined
        from markupsafe import Markup
    except ImportError as error:
        raise UsageError("A report needs the extra eval: pip install 'passim-assistant[eval]'.") from error

    def printed(value: Any) -> Any:
        return value if isinstance(value, Markup) else sanitize(value if isinstance(value, str) else str(value))

    pages = Environment(autoescape=True, finalize=printed, undefined=StrictUndefined)
    pages.trim_blocks = pages.lstrip_blocks = True
    pages.filters |= {"digest": _digest, "cut": _cut, "figure": charts.number, "plain": _plain, "image": Markup}
    page = pages.from_string(Path(__file__).with_name("report.html.jinja").read_text(encoding="utf-8"))
    shares = [s.name for s in report.scores if s.value is not None and _direction(s.name) != "neither"]
    first = [name for start in _FIRST for name in shares if name.startswith(start)]
    names = [name for name in dict.fromkeys([*first, *shares]) if name not in _AMOUNTS][:_COLUMNS]
    judged = next((m[1] for s in report.scores if (m := _JUDGED.fullmatch(s.name))), None)
    kinds = list(dict.fromkeys(r.case.kind for r in report.results))
    return page.render(
        dataset=report.dataset,
        system=report.system,
        scores=[
            (
                s,
                _direction(s.name),
                "" if s.name in _AMOUNTS else charts.interval(s),
                [bound for bound in report.thresholds if bound["name"] == s.name],
            )
            for s in report.scores
        ],
        thresholds=report.thresholds,
        counts=Counter(_outcome(r) for r in report.results),
        charts=_charts(report, names),
        columns=names,
        kinds=kinds,
        judge=judged,
        rows=[_row(r, names, kinds.index(r.case.kind), judged) for r in report.results],
        many=_MANY,
    )


def _charts(report: Report, names: Iterable[str]) -> list[charts.Chart]:
    cases, responses = [r.case for r in report.results], [r.response for r in report.results]
    found = [
        charts.risk_coverage(risk_coverage(cases, responses)),
        charts.calibration(calibration(cases, responses)),
        charts.latency(r.seconds for r in responses if r.seconds is not None),
    ]
    for name in names if report.kinds else ():
        of = [(kind, s) for kind, scores in report.kinds.items() for s in scores if s.name == name]
        label = name if len(of) <= _MANY else f"{name} (first {_MANY} of {len(of)})"
        found.append(charts.by_kind(label, of[:_MANY]))
    return found


def _row(result: CaseResult, columns: Iterable[str], kind: int, judge: str | None) -> dict[str, Any]:
    """What the template shows of one case."""
    case, response = result.case, result.response
    shown = () if response.refused else response.sentences
    cited = [(number, c) for number, s in enumerate(shown, 1) if s.shown for c in s.citations]
    return {
        "case": case,
        "response": response,
        "kind": kind,
        "outcome": _outcome(result),
        "wrong": _wrong(result),
        "lost": _lost(result, columns),
        "target": sanitize(case.id),
        "link": "#" + encoded(sanitize(case.id)),
        "scores": result.scores,
        "sentences": [
            (s, judge and s in response.shown and _label(s, judge), [(c, *_excerpt(c)) for c in s.citations[:_MANY]])
            for s in response.sentences[:_MANY]
        ],
        "evidence": [(e, _covering(e, cited)) for e in case.evidence[:_MANY]],
    }


def _label(sentence: Sentence, judge: str) -> str | None:
    """What the judge says of a sentence, as it was asked for the scores; None where it can't say."""
    try:
        return label(sentence, shared_judge(judge))
    except AssistantError:
        return None


def _outcome(result: CaseResult) -> str:
    return "crashed" if result.response.error is not None else "refused" if result.response.refused else "answered"


def _wrong(result: CaseResult) -> bool:
    """Crashed, refused what has an answer, or answered what has none."""
    case, response = result.case, result.response
    return response.error is not None or (case.answerable is not None and case.answerable == response.refused)


def _lost(result: CaseResult, columns: Iterable[str]) -> bool:
    """Went wrong, or has less than full marks in a measure of the table."""
    marks = [(value, _direction(name)) for name in columns if (value := result.scores.get(name)) is not None]
    return _wrong(result) or any(value < 1 if direction == "higher" else value > 0 for value, direction in marks)


def _excerpt(citation: Citation) -> tuple[str, str, str]:
    """A passage before the cited words, those words, and after; none are cited where it hasn't got them."""
    passage = citation.passage
    if passage is None:
        return "", "", ""
    start = end = 0
    if None not in (citation.start, citation.end, passage.start):
        start, end = citation.start - passage.start, citation.end - passage.start  # type: ignore[operator]
    if not 0 <= start < end <= len(passage.text) or (citation.quote and passage.text[start:end] != citation.quote):
        start, end = _found(citation.quote, passage.text)
    before, cited, after = passage.text[:start], passage.text[start:end], passage.text[end:]
    if len(before) > _AROUND:
        before = "… " + (before[-_AROUND:].partition(" ")[2] or before[-_AROUND:])
    most = _AROUND if cited else 2 * _AROUND
    if len(after) > most:
        after = (after[:most].rpartition(" ")[0] or after[:most]) + " …"
    return before, _cut(cited, _LONG // 2), after


def _found(quote: str, text: str) -> tuple[int, int]:
    """Where a text holds the words of a quote, whatever white space is between them; (0, 0) where it doesn't."""
    words = " ".join(quote.split())
    place = re.sub(r"\s+", " ", text).find(words) if words else -1
    if place < 0:
        return 0, 0
    origin = [m.start() for m in re.finditer(r"\S|\s+", text)]
    return origin[place], origin[place + len(words) - 1] + 1


def _covering(evidence: Evidence, cited: Iterable[tuple[int, Citation]]) -> list[str]:
    """The statements and citations that lie on a piece of evidence, as the scorers see it."""
    lies = sentences if evidence.quote else passages
    found = [(n, c.number) for n, c in cited if lies((evidence,), (c,))[2]]
    return [f"statement {n}" + ("" if c is None else f" [{c}]") for n, c in dict.fromkeys(found)]


@cache
def _direction(name: str) -> str:
    """Which way a measure is better; "neither" for one that isn't known here. No judge's model is loaded for it."""
    try:
        return scorer_named(name, lambda _: judge_named("lexical")).better
    except UsageError:
        return "neither"


def _digest(text: str) -> str:
    """As a Content-Security-Policy names what may run."""
    return "sha256-" + b64encode(sha256(text.encode()).digest()).decode()


def _cut(text: str, limit: int = _LONG) -> str:
    return text if len(text) <= limit else f"{text[:limit]} … ({len(text) - limit:,} more characters)"


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
