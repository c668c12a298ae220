"""Citations against gold evidence: values worked out by hand, and the public scorer of the gold file."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.scorers import scorer_named
from eval.scorers.matching import match
from eval.types import Case, Citation, Evidence, Offered, Response, Sentence

WALL = "The wall is 640 metres long and shelters 312 homes."
COST = "Each camera costs £18,000."


def case(*evidence: Evidence, answerable: bool | None = True, facts: tuple[tuple[str, ...], ...] = ()) -> Case:
    return Case("1", "lookup", "How long?", answerable=answerable, facts=facts, evidence=evidence)


def response(*citations: Citation, refused: bool = False, verdict: str | None = None, text: str = "x") -> Response:
    return Response("1", text, refused, () if refused else (Sentence(text, citations, verdict),))


def quote(text: str, document: str = "a/minutes.pdf") -> Citation:
    return Citation(1, document, text)


def score(name: str, one: Case, answer: Response) -> float | None:
    columns = scorer_named(name).measure(one, answer)
    return None if columns is None else columns[0]


def scores(level: str, one: Case, answer: Response) -> list[float | None]:
    return [score(f"citation_{name}[{level}]", one, answer) for name in ("precision", "recall", "f1")]


GOLD = case(Evidence("minutes.pdf", WALL), Evidence("minutes.pdf", COST))
INVENTED = Citation(9, None)


@pytest.mark.parametrize("level", ["document", "passage", "sentence", "character"])
def test_perfect_nothing_refused_and_crashed(level: str) -> None:
    assert scores(level, GOLD, response(quote(WALL), quote(COST))) == [1.0, 1.0, 1.0]
    assert scores(level, GOLD, response()) == [None, 0.0, 0.0]
    assert scores(level, GOLD, response(refused=True)) == [None, 0.0, 0.0]
    assert scores(level, GOLD, Response("1", error="it broke")) == [None, 0.0, 0.0]
    assert scores(level, GOLD, response(INVENTED)) == [0.0, 0.0, 0.0]
    assert scores(level, GOLD, response(quote(WALL), verdict="unsupported")) == [None, 0.0, 0.0]
    for other in (case(*GOLD.evidence, answerable=False), case(*GOLD.evidence, answerable=None), case()):
        assert scores(level, other, response(quote(WALL))) == [None, None, None]


@pytest.mark.parametrize("level", ["sentence", "character"])
def test_without_gold_quotes_there_is_nothing_to_say_of_sentences(level: str) -> None:
    assert scores(level, case(Evidence("minutes.pdf")), response(quote(WALL))) == [None, None, None]


def test_documents() -> None:
    one = case(Evidence("minutes.pdf", WALL), Evidence("minutes.pdf", COST), Evidence("b/news.txt"))
    # Cited: minutes twice (one document), other/news.txt (not b/news.txt), one invented number twice: 1 of 3 right.
    answer = response(quote(WALL), quote("y"), quote("z", "other/news.txt"), INVENTED, INVENTED)
    # Gold: minutes and b/news.txt: 1 of 2 found. F1 = 2 * 1/3 * 1/2 / (1/3 + 1/2) = 0.4.
    assert scores("document", one, answer) == pytest.approx([1 / 3, 1 / 2, 0.4])
    assert scores("document", case(Evidence("b/news.txt")), response(quote("", "news.txt"))) == [1.0, 1.0, 1.0]
    assert scores("document", case(Evidence("ews.txt")), response(quote("", "news.txt"))) == [0.0, 0.0, 0.0]


def cite(passage: Offered) -> Citation:
    return Citation(passage.number, passage.document, passage=passage)


@pytest.mark.parametrize(
    ("gold", "offered", "right"),
    [
        (Evidence("d", "q", passage="p1"), Offered(1, "elsewhere", "other words", id="p1"), True),
        (Evidence("d", passage="p1"), Offered(1, "d", "text", id="p2"), False),
        (Evidence("d", passage="p1"), Offered(1, "d", "text"), True),  # its id isn't known: the document is enough
        (Evidence("d"), Offered(1, "x/d", "text", id="p2"), True),
        (Evidence("d", "q" * 10, start=10, end=20), Offered(1, "d", "t" * 15, start=0), True),  # 5 of 10 characters
        (Evidence("d", "q" * 10, start=10, end=20), Offered(1, "d", "t" * 14, start=0), False),  # 4 of 10
        (Evidence("d", "q" * 10, start=10, end=20), Offered(1, "e", "t" * 15, start=0), False),
        (Evidence("d", WALL, start=10, end=60), Offered(1, "d", f"Then. {WALL} Now."), True),  # by its words
        (Evidence("d", WALL), Offered(1, "d", COST, start=0), False),
    ],
)
def test_a_passage_is_right(gold: Evidence, offered: Offered, right: bool) -> None:
    assert scores("passage", case(gold), response(cite(offered))) == [float(right)] * 3


def test_passages_count_once() -> None:
    first, second = Offered(1, "d", "one", id="p1"), Offered(2, "d", "two", id="p2")
    one = case(Evidence("d", "a", "p1"), Evidence("d", "b", "p1"), Evidence("d", "c", "p3"))
    # Cited: p1 (three times), p2, an invented number: 1 of 3. Gold: p1 (two quotes) and p3: 1 of 2.
    answer = response(cite(first), cite(second), cite(first), INVENTED, cite(first))
    assert scores("passage", one, answer) == pytest.approx([1 / 3, 1 / 2, 0.4])


def test_sentences_count_as_often_as_they_are_cited() -> None:
    # Right: WALL twice; wrong: rain, bees, another document, an invented number: 2 of 6. Gold: 1 of 2. F1 = 0.4.
    answer = response(quote(WALL), quote("It rained."), quote("Bees dance in the sun."), quote(WALL),
                      quote(COST, "b/other.pdf"), INVENTED)  # fmt: skip
    assert scores("sentence", GOLD, answer) == pytest.approx([2 / 6, 1 / 2, 0.4])


def test_a_passage_stands_for_a_quote_that_is_missing() -> None:
    answer = response(cite(Offered(1, "minutes.pdf", f"Before. {WALL} After.")))
    assert scores("sentence", GOLD, answer) == pytest.approx([1.0, 0.5, 2 / 3])


def test_characters_by_their_places() -> None:
    one = case(Evidence("d", "g" * 100, start=0, end=100))
    # Cited 50-150 and 80-160, together 110 characters, of which 50-100 are gold: 50/110 and 50/100.
    answer = response(Citation(1, "d", "c" * 100, 50, 150), Citation(2, "d", "c" * 80, 80, 160))
    assert scores("character", one, answer) == pytest.approx([50 / 110, 0.5, 2 * 50 / 210])
    # An invented one beside two weighs half of their 110 characters.
    invented = response(*answer.citations, INVENTED)
    assert scores("character", one, invented)[:2] == pytest.approx([50 / 165, 0.5])
    whole = response(cite(Offered(1, "d", "c" * 200, start=0)))
    assert scores("character", one, whole) == pytest.approx([0.5, 1.0, 2 / 3])
    assert scores("character", one, response(Citation(1, "e", "c" * 100, 0, 100))) == [0.0, 0.0, 0.0]


def test_characters_by_their_words() -> None:
    one = case(Evidence("d", "the wall is long"))
    # "the wall " + "is" runs on: "the wall is" is 11 of the gold's 16 characters; cited "so the wall is" has 14.
    assert scores("character", one, response(quote("so the wall is", "d")))[:2] == pytest.approx([11 / 14, 11 / 16])
    # A lone word is no run.
    assert scores("character", one, response(quote("wall", "d"))) == [0.0, 0.0, 0.0]
    assert scores("character", one, response(quote("“The wall is long.”", "d"))) == [1.0, 1.0, 1.0]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (WALL, WALL, True),
        ("the wall is long", "It says the wall is 640 metres.", True),  # "the wall is": 3 of 4 words
        ("the wall costs money", "the wall is long", True),  # 2 of 4
        ("the wall costs much money", "the wall is very long", False),  # 2 of 5
        ("wall the is long", "long is the wall", False),  # no run of two in order
        ("wall", "wall", True),  # the same
        ("Да.", "да", True),
        ("wall", "walls", False),  # one word is no run
        ("", "", False),
    ],
)
def test_two_texts_match_by_runs_of_words(one: str, other: str, same: bool) -> None:
    assert match(one, other) is same


def test_resolution_and_exactness() -> None:
    known = Offered(1, "d", "The wall is\n long. It rains.", start=100)
    spans = [
        Citation(1, "d", "The wall is long.", 100, 118, known),  # at its place, white space apart
        Citation(1, "d", "It rains.", 100, 109, known),  # elsewhere
        Citation(1, "d", "It rains.", passage=known),  # anywhere
        Citation(1, "d", "it rains.", passage=known),  # case differs
        Citation(1, "d", passage=known),  # no quote: not counted
        Citation(None, "d", "The wall"),  # its passage isn't known: not counted
        INVENTED,
        INVENTED,
    ]
    for answerable in (True, False, None):
        one = case(answerable=answerable)
        assert score("citation_resolution", one, response(*spans)) == 5 / 7  # by name, nothing can be looked up
        assert score("citation_resolution", one, replace(response(*spans), passages=(known,))) == 6 / 8
        assert score("quote_exactness", one, response(*spans)) == 2 / 4
    for nothing in (response(), response(refused=True), Response("1", error="it broke")):
        assert score("citation_resolution", case(), nothing) is None
        assert score("quote_exactness", case(), nothing) is None
    assert score("quote_exactness", case(), response(Citation(1, "d", "The wall", 90, 98, known))) == 0.0


words = st.lists(st.sampled_from((WALL + " " + COST + " It rained on the wall.").split()), max_size=14).map(" ".join)
rows = st.tuples(words, st.lists(words, max_size=3), st.booleans(), st.booleans())
FACTS = (("640", "six hundred"), ("312",))


@given(plan=st.lists(rows, min_size=1, max_size=5))
def test_scores_agree_with_the_public_scorer(plan: list[tuple[str, list[str], bool, bool]], shared: Path) -> None:
    tool = shared / "tools" / "score_gold.py"
    if not tool.exists():
        pytest.skip(f"no public scorer: {str(tool)!r} is missing")
    spec = importlib.util.spec_from_file_location("score_gold", tool)
    assert spec
    assert spec.loader
    public = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(public)

    pairs, gold, answers = [], [], {}
    for number, (text, quotes, refused, answerable) in enumerate(plan):
        one = case(*(GOLD.evidence if answerable else ()), answerable=answerable, facts=FACTS)
        pairs.append((one, response(*map(quote, quotes), refused=refused, text=text)))
        gold.append({
            "id": number, "answerable": answerable, "question": "", "answers": FACTS,
            "evidence": [{"document": e.document, "quote": e.quote} for e in one.evidence],
        })  # fmt: skip
        answers[number] = {
            "text": text, "refused": refused,
            "citations": [] if refused else [{"document": "a/minutes.pdf", "quote": q} for q in quotes],
        }  # fmt: skip
    ours = {
        "facts": "facts", "evidence": "citation_recall[sentence]", "precision": "citation_precision[sentence]",
        "words": "words", "false_refusals": "false_refusals", "false_answers": "false_answers",
    }  # fmt: skip
    expected, _ = public.score(gold, answers)
    assert ours.keys() == expected.keys()
    for name, value in expected.items():
        found = [v for one, answer in pairs if (v := score(ours[name], one, answer)) is not None]
        assert (round(sum(found) / len(found), 3) if found else None) == value, name


def test_a_short_quote_lies_where_it_stands_a_long_one_wherever_its_words_do() -> None:
    for text, elsewhere in (("Chair: Yes, indeed.", 0.0), (WALL * 2, 1.0)):
        one = case(Evidence("d", text, start=100, end=100 + len(text), exact=True))
        there = Citation(1, "d", text, 100, 100 + len(text))
        again = Citation(1, "d", text, 900, 900 + len(text))
        assert score("citation_precision[sentence]", one, response(there)) == 1.0
        assert score("citation_precision[sentence]", one, response(again)) == elsewhere
        assert score("citation_recall[sentence]", one, response(again)) == elsewhere
        assert score("citation_precision[character]", one, response(again)) == 0.0


def test_a_namesake_in_another_folder_is_another_document_where_paths_are_known() -> None:
    namesake = response(Citation(1, "2019/minutes.txt", WALL))
    for exact, right in ((True, 0.0), (False, 1.0)):
        one = case(Evidence("minutes.txt", WALL, exact=exact))
        assert score("citation_f1[document]", one, namesake) == right
        assert score("citation_f1[sentence]", one, namesake) == right


def test_offsets_that_hold_other_words_are_not_believed() -> None:
    one = case(Evidence("d", "The wall is long and blue today.", start=10, end=42))
    known = Offered(1, "d", "Bananas. The wall is long and blue today.", start=1)
    assert score("citation_precision[character]", one, response(Citation(1, "d", "Bananas", 10, 42))) == 0.0
    assert score("citation_precision[character]", one, response(Citation(1, "d", "Bananas.", 10, 18, known))) == 0.0
    right = Citation(1, "d", "The wall is long and blue today.", 10, 42, known)
    assert score("citation_precision[character]", one, response(right)) == 1.0


def test_gold_without_offsets_is_found_in_what_was_cited() -> None:
    known = Offered(1, "d", f"It rains. {WALL} It rains.", start=100)
    one = case(Evidence("d", WALL))
    half = Citation(1, "d", WALL[: len(WALL) // 2], 110, 110 + len(WALL) // 2, known)
    assert score("citation_recall[character]", one, response(half)) == pytest.approx(0.5, abs=0.02)
    assert score("citation_recall[character]", one, response(Citation(1, "d", "It rains.", 100, 109, known))) == 0.0


def test_spans_of_any_length_are_counted_at_once() -> None:
    one = case(Evidence("d", "x", start=0, end=10**11))
    assert score("citation_recall[character]", one, response(Citation(1, "d", "", 0, 10**10))) == pytest.approx(0.1)


def test_one_word_of_gold_is_found_where_it_stands() -> None:
    one = case(Evidence("d", "1907"))
    passage = Offered(1, "d", "It was built in 1907.")
    assert score("citation_recall[sentence]", one, response(Citation(1, "d", passage=passage))) == 1.0
    assert score("citation_recall[character]", one, response(Citation(1, "d", passage=passage))) == 1.0
    other = Offered(1, "d", "It was built in 1908.")
    assert score("citation_recall[sentence]", one, response(Citation(1, "d", passage=other))) == 0.0


def test_the_same_words_in_two_documents_are_two_places() -> None:
    both = response(Citation(None, "a", WALL), Citation(None, "b", WALL))
    assert score("citation_precision[character]", case(Evidence("a", WALL)), both) == 0.5
    one = response(Citation(None, "a", WALL))
    assert score("citation_recall[character]", case(Evidence("a", WALL), Evidence("b", WALL)), one) == 0.5


def test_each_invented_name_counts() -> None:
    cites = (Citation(None, "d", WALL), Citation(None, None, named="n1"), Citation(None, None, named="n2"))
    for level in ("document", "passage", "sentence"):
        assert score(f"citation_precision[{level}]", case(Evidence("d", WALL)), response(*cites)) == pytest.approx(
            1 / 3
        )


def test_a_passage_with_a_place_lies_there() -> None:
    text = "The old bridge was opened by the mayor in 1907. "
    passage = Offered(1, "d", text, start=0)
    one = case(Evidence("d", "The bridge was opened.", start=100, end=122))
    for cited in (Citation(1, "d", passage=passage), Citation(1, "d", "The old bridge was opened", passage=passage)):
        for level in ("sentence", "passage", "character"):
            assert score(f"citation_recall[{level}]", one, response(cited)) == 0.0
