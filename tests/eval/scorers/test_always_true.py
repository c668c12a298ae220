"""What holds of every measure on any case and answer."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.scorers import DEFAULT, scorer_named
from eval.types import Case, Citation, Evidence, Offered, Response, Sentence

SCORERS = {name: scorer_named(name) for name in (*DEFAULT, "refusal_accuracy", "citation_precision[character]")}
UNBOUNDED = {"words", "seconds", "tokens"}
QUOTES = ("The wall is 640 metres long.", "Each camera costs £18,000.", "It rained on the wall.", "Bees.", "İİ wall is")
DOCUMENTS = ("a/minutes.pdf", "minutes.pdf", "b/news.txt")

quotes = st.sampled_from(QUOTES)
documents = st.sampled_from(DOCUMENTS)
starts = st.none() | st.integers(0, 30)


@st.composite
def evidence(draw: st.DrawFn) -> Evidence:
    quote, start = draw(quotes | st.just("")), draw(starts)
    end = None if start is None else start + len(quote)
    return Evidence(
        draw(documents), quote, draw(st.none() | st.just("p1")), start if quote else None, end if quote else None
    )


@st.composite
def citations(draw: st.DrawFn) -> Citation:
    document, quote, start = draw(st.none() | documents), draw(quotes | st.just("")), draw(starts)
    if document is None:
        return Citation(draw(st.integers(7, 9)), None)
    passage = draw(
        st.none() | st.builds(Offered, st.integers(1, 3), st.just(document), quotes, id=st.just("p1"), start=starts)
    )
    if start is None or not quote:
        return Citation(1, document, quote, passage=passage)
    return Citation(1, document, quote, start, start + len(quote), passage)


cases = st.builds(
    Case, id=st.just("1"), kind=st.just(""), question=st.just("?"),
    answerable=st.sampled_from([True, True, False, None]), facts=st.sampled_from([(), (("640",), ("18,000", "big"))]),
    evidence=st.lists(evidence(), max_size=3).map(tuple),
    references=st.lists(quotes, max_size=2).map(tuple), wrong=st.lists(quotes, max_size=1).map(tuple),
    marks=st.sampled_from([(), ("wall",)]), relevant=st.sampled_from([(), (("p1", 2), ("p2", 0))]),
)  # fmt: skip
sentences = st.builds(
    Sentence, quotes, st.lists(citations(), max_size=3).map(tuple), st.sampled_from([None, "quoted", "unsupported"])
)
responses = st.builds(
    Response, id=st.just("1"), text=quotes, refused=st.booleans(), sentences=st.lists(sentences, max_size=3).map(tuple),
    ranking=st.sampled_from([(), (("p2", 2.0), ("p1", 1.0))]), confidence=st.none() | st.floats(0, 1),
    seconds=st.none() | st.floats(0, 9), error=st.sampled_from([None, None, None, "it broke"]),
)  # fmt: skip


@settings(deadline=None)
@given(st.lists(st.tuples(cases, responses), min_size=1, max_size=5), st.randoms())
def test_figures_are_within_bounds_and_ignore_order(pairs: list[tuple[Case, Response]], random: object) -> None:
    for name, scorer in SCORERS.items():
        rows = [row for case, response in pairs if (row := scorer.measure(case, response)) is not None]
        if not rows:
            continue
        ones = np.ones((1, len(rows)))
        figure = scorer.aggregate(np.array(rows), ones)
        random.shuffle(rows)  # type: ignore[attr-defined]
        assert scorer.aggregate(np.array(rows), ones) == pytest.approx(figure, nan_ok=True), name
        if name not in UNBOUNDED:
            assert all(np.isnan(value) or 0.0 <= value <= 1.0 for row in rows for value in row), name
            assert np.isnan(figure[0]) or -1e-12 <= figure[0] <= 1 + 1e-12, name


@given(st.lists(st.sampled_from(QUOTES[:3]), min_size=1, max_size=3, unique=True), st.booleans())
def test_a_perfect_answer_scores_best(said: list[str], located: bool) -> None:
    text = " ".join(said)
    spans = [(text.index(one), text.index(one) + len(one)) if located else (None, None) for one in said]
    passage = Offered(1, "a/minutes.pdf", text, id="p1", start=0 if located else None)
    case = Case(
        "1", "", "?", answerable=True, facts=tuple((one,) for one in said), references=(text,), marks=("BANANA",),
        evidence=tuple(Evidence("minutes.pdf", q, "p1", *at) for q, at in zip(said, spans, strict=True)),
        relevant=(("p1", 1),),
    )  # fmt: skip
    response = Response(
        "1", text, confidence=1.0, passages=(passage,), ranking=(("p1", 1.0),), sentences=tuple(
            Sentence(q, (Citation(1, "a/minutes.pdf", q, *at, passage=passage),))
            for q, at in zip(said, spans, strict=True)
        ),
    )  # fmt: skip
    for name, scorer in SCORERS.items():
        row = scorer.measure(case, response)
        if row is not None and name not in UNBOUNDED:
            figure = scorer.aggregate(np.array([row]), np.ones((1, 1)))[0]
            assert np.isnan(figure) or figure == (0.0 if scorer.better == "lower" else 1.0), name
    applied = {name for name, scorer in SCORERS.items() if scorer.measure(case, response) is not None}
    silent = {"false_answers", "refusal_precision", "refusal_recall", "tokens", "seconds"}
    assert applied == SCORERS.keys() - silent
