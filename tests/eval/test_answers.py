"""Lines of answers, in each of the forms that systems write them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.errors import UsageError
from eval.answers import ranked, read_answers, response_from, row_of, same_document, sentences_of
from eval.types import Citation, Offered, Response, Sentence

WALL, COST = "The wall is 640 metres long.", "Each camera costs £18,000."
PASSAGES = [
    {"document": "minutes/march.txt", "title": "Minutes", "text": f"Item 45. {WALL}", "start": 100},
    {"document": "budget.txt", "text": COST, "id": "b-7"},
]
FIRST = Offered(1, "minutes/march.txt", f"Item 45. {WALL}", "Minutes", start=100)
SECOND = Offered(2, "budget.txt", COST, id="b-7")


def test_markers_in_a_text_are_its_citations() -> None:
    response = response_from(
        {"id": 7, "text": f"{WALL} [1] It costs much [2][9]. Really.", "passages": PASSAGES}, "a:1"
    )
    assert response.id == "7"
    assert response.sentences == (
        Sentence(WALL, (Citation(1, "minutes/march.txt", passage=FIRST),)),
        Sentence("It costs much.", (Citation(2, "budget.txt", passage=SECOND), Citation(9, None))),
        Sentence("Really."),
    )
    assert response.citations[0].text == f"Title: Minutes\nItem 45. {WALL}"
    assert response.citations[1].text == COST


def test_statements_come_with_quotes_and_places() -> None:
    statements = [
        {"text": WALL, "citations": [{"number": 1, "quote": WALL, "start": 109, "end": 137}], "verdict": "quoted"},
        {"text": "It is blue.", "citations": [{"document": "made-up.txt", "quote": "blue"}], "verdict": "unsupported"},
        {"text": COST, "citations": [{"document": "papers/budget.txt", "quote": "£18,000"}]},
    ]
    response = response_from({"id": "a", "statements": statements, "passages": PASSAGES}, "a:1")
    wall, blue, cost = response.sentences
    assert wall.citations == (Citation(1, "minutes/march.txt", WALL, 109, 137, FIRST),)
    assert blue.citations == (Citation(None, None, named="made-up.txt"),)  # nothing of that name was offered
    assert cost.citations == (Citation(None, "budget.txt", "£18,000", passage=SECOND),)
    assert [s.text for s in response.shown] == [WALL, COST]
    assert response.text == f"{WALL} {COST}"


def test_citations_of_a_whole_answer_and_refusals() -> None:
    row = {"id": "a", "text": f"{WALL} {COST}", "citations": [{"document": "x/m.txt", "quote": WALL}]}
    assert response_from(row, "a:1").sentences == (
        Sentence(f"{WALL} {COST}", (Citation(None, "x/m.txt", WALL),)),
    )  # fmt: skip
    refused = response_from({"id": "a", "text": "I can't say [1].", "refused": True, "passages": PASSAGES}, "a:1")
    assert (refused.refused, refused.sentences, refused.citations) == (True, (), ())


def test_a_crash_needs_no_text() -> None:
    assert response_from({"id": "a", "error": "timed out"}, "a:1") == Response("a", error="timed out")


def test_rankings_with_and_without_scores() -> None:
    assert response_from({"id": "a", "text": "", "ranking": ["x", "y"]}, "a:1").ranking == (("x", 2.0), ("y", 1.0))
    scored = response_from({"id": "a", "text": "", "ranking": [["x", 0.5], ["y", 1]]}, "a:1").ranking
    assert scored == (("y", 1.0), ("x", 0.5))  # by score
    assert response_from({"id": "a", "text": "", "ranking": []}, "a:1").ranking == ()
    assert response_from({"id": "a", "text": ""}, "a:1").ranking is None
    assert ranked(["x", "y", "x"]) == [("x", 2.0), ("y", 1.0)]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"text": "x"}, "field 'id' is missing"),
        ({"id": ""}, "field 'id' is missing"),
        ({"id": "a"}, "field 'text' is missing"),
        ({"id": "a", "text": 7}, "field 'text' is 7: give a text"),
        ({"id": True, "text": ""}, "field 'id' is true: give the id"),
        ({"id": "a", "text": "", "refused": "no"}, "field 'refused' is \"no\": give true or false"),
        ({"id": "a", "text": "", "confidence": 1.5}, "field 'confidence' is 1.5: give a number between 0 and 1"),
        ({"id": "a", "text": "", "seconds": -1}, "field 'seconds' is -1: give a number"),
        ({"id": "a", "text": "", "passages": "p"}, "field 'passages' is \"p\": give a list"),
        ({"id": "a", "text": "", "passages": ["p"]}, "give a list of objects"),
        ({"id": "a", "text": "", "passages": [{"number": 1}, {"number": 1}]}, "two passages have the same number"),
        ({"id": "a", "text": "", "ranking": [["x", "y"]]}, "'ranking' holds"),
        ({"id": "a", "text": "", "ranking": ["x", "x"]}, "'ranking' holds a passage twice"),
        ({"id": "a", "text": "", "ranking": [["x", 10**400]]}, "'ranking' holds"),
        ({"id": "a", "text": "", "tokens": 10**400}, "field 'tokens' is"),
        ({"id": "a", "statements": [{"text": "x", "verdict": "SUPPORTED"}]}, "field 'verdict' is .*: give quoted"),
        (
            {"id": "a", "statements": [{"text": "x", "citations": [{"document": "d", "start": 9, "end": 3}]}]},
            "field 'end' is 3: give one behind",
        ),
        ({"id": "a", "statements": [{"text": "x", "citations": [{"document": 7}]}]}, "field 'document' is 7"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(row: dict[str, object], reason: str) -> None:
    with pytest.raises(UsageError, match=rf"^a\.jsonl:3.*{reason}"):
        response_from(row, "a.jsonl:3")


def test_a_file_of_answers(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    rows = [{"id": "a", "text": "one\u2028two"}, {"id": "b", "text": "x"}]
    path.write_bytes(b"\n".join(json.dumps(r, ensure_ascii=False).encode() for r in rows))
    assert [r.text for r in read_answers(path).values()] == ["one\u2028two", "x"]
    path.write_text('{"id": "a", "text": ""}\n\n{"id": "a", "text": ""}\n')
    with pytest.raises(UsageError, match=r"a\.jsonl:3: the id 'a' stands at .*a\.jsonl:1 already"):
        read_answers(path)
    path.write_text("\n")
    with pytest.raises(UsageError, match="holds no answers"):
        read_answers(path)


words = st.text(alphabet="abc .[]12\u2028£é", max_size=20)
passages = st.lists(st.fixed_dictionaries({"document": words, "text": words}), max_size=3)
statements = st.lists(
    st.fixed_dictionaries(
        {
            "text": words,
            "citations": st.lists(st.fixed_dictionaries({"number": st.integers(1, 4), "quote": words}), max_size=3),
        },
        optional={"verdict": st.sampled_from(["quoted", "unsupported"])},
    ),
    min_size=1,
    max_size=3,
)


@given(passages, statements, st.booleans(), st.none() | st.floats(0, 1))
def test_a_response_reads_back_from_its_line(
    offered: list[object], said: list[object], refused: bool, sure: float | None
) -> None:
    row = {"id": "a", "statements": said, "passages": offered, "refused": refused, "confidence": sure}
    response = response_from(row, "a:1")
    again = json.loads(json.dumps(row_of(response)))
    assert response_from(again, "a:1") == response


@given(passages, words, st.booleans())
def test_a_text_reads_back_from_its_line(offered: list[object], text: str, refused: bool) -> None:
    response = response_from({"id": "a", "text": text, "passages": offered, "refused": refused}, "a:1")
    assert response_from(json.loads(json.dumps(row_of(response))), "a:1") == response


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("a/b.txt", "b.txt", True), ("b.txt", "x/a/b.txt", True), ("a/b.txt", "c/b.txt", False),
        ("ab.txt", "b.txt", False), ("", "b.txt", False),
    ],
)  # fmt: skip
def test_documents_are_the_same_by_whole_parts_of_their_paths(one: str, other: str, same: bool) -> None:
    assert same_document(one, other) is same


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One thing [1]. Another [2][3]!", [("One thing.", (1,)), ("Another!", (2, 3))]),
        ("According to it [1], walls are long [1][2].", [("According to it, walls are long.", (1, 2))]),
        ("It is long. [1] It is high. [2]", [("It is long.", (1,)), ("It is high.", (2,))]),
        ("[4] It is long.", [("It is long.", (4,))]),
        ("As said [1], will be 640 metres [1]; [2].", [("As said, will be 640 metres;.", (1, 2))]),
        ("Long [1, 3; 5], high [2-4] and wide [^7]【8】【9†source】.", [
            ("Long, high and wide.", (1, 3, 5, 2, 4, 7, 8, 9)),
        ]),
        ("In [2019] it rained [1-999].", [("In [2019] it rained.", (1, 999))]),
        ("- First item [1]\n- Second item [2]\n", [("- First item", (1,)), ("- Second item", (2,))]),
        ("Key points:\n\n[1] The wall is long.\n[2] The fee is £3.\n", [
            ("Key points:", ()), ("The wall is long.", (1,)), ("The fee is £3.", (2,)),
        ]),
        ("It is long.\n[1]\n\nIt is high.\n\n[2][3]", [("It is long.", (1,)), ("It is high.", (2, 3))]),
        ("[1]\n[2] First.", [("First.", (1, 2))]),
        ("X is y.[^1]\n\n[^1]: minutes.txt", [("X is y.", (1,))]),
        ("See [1](https://mill.example/a) there.", [("See there.", (1,))]),
        ("[1]", []),
        ("", []),
    ],
)  # fmt: skip
def test_a_marker_belongs_to_the_sentence_before_it(text: str, sentences: list[tuple[str, tuple[int, ...]]]) -> None:
    assert sentences_of(text) == sentences


def test_hostile_texts_are_read_at_once() -> None:
    for text in (" " * 300_000, "[1]" * 100_000, "a [1]. " * 30_000, "[" * 300_000, "【1†" * 50_000):
        assert len(sentences_of(text + "x")) >= 1
        row = {"id": "a", "statements": [{"text": text + "x", "citations": []}]}
        assert response_from(row, "a:1").sentences[0].text.endswith("x")


def test_markers_are_no_part_of_a_claim() -> None:
    whole = {"id": "a", "text": f"{WALL[:-1]} [3].", "citations": [{"document": "m.txt", "quote": WALL}]}
    assert [s.text for s in response_from(whole, "a:1").sentences] == [WALL]
    stated = {"id": "a", "statements": [{"text": "It is note [2] of 640 [1].", "citations": []}]}
    assert [s.text for s in response_from(stated, "a:1").sentences] == ["It is note [2] of 640."]


def test_what_the_reader_sees_is_scored_whatever_is_said_of_it() -> None:
    row = {
        "id": "a",
        "text": "The moon is cheese.",
        "statements": [{"text": "The moon is cheese.", "verdict": "unsupported"}],
    }
    assert len(response_from(row, "a:1").shown) == 1
    assert response_from(row | {"text": "Nothing."}, "a:1").shown == ()


def test_passages_may_be_numbered_from_zero() -> None:
    row = {"id": "a", "text": "Long [0].", "passages": [{"number": 0, "document": "x"}, {"number": 1, "document": "y"}]}
    assert [c.document for c in response_from(row, "a:1").citations] == ["x"]


def test_the_very_name_is_meant_before_one_that_ends_alike() -> None:
    passages = [{"document": "b/minutes.txt", "text": ""}, {"document": "minutes.txt", "text": ""}]
    row = {"id": "a", "statements": [{"text": "x", "citations": [{"document": "minutes.txt"}]}], "passages": passages}
    assert [c.document for c in response_from(row, "a:1").citations] == ["minutes.txt"]


def test_an_empty_error_is_none() -> None:
    assert response_from({"id": "a", "text": "Yes.", "error": ""}, "a:1").error is None


def test_statements_may_cite_by_markers_alone() -> None:
    row = {"id": "a", "statements": [{"text": f"{WALL[:-1]} [1]. It rains [9]."}], "passages": PASSAGES}
    assert response_from(row, "a:1").sentences == (
        Sentence(WALL, (Citation(1, "minutes/march.txt", passage=FIRST),)),
        Sentence("It rains.", (Citation(9, None),)),
    )


def test_left_out_sentences_are_looked_for_without_markers() -> None:
    row = {
        "id": "a",
        "text": "The wall is long [1]. It is  blue [2].",
        "statements": [
            {"text": "The wall is long.", "citations": [], "verdict": "supported"},
            {"text": "It is blue.", "citations": [], "verdict": "unsupported"},
        ],
    }
    assert len(response_from(row, "a:1").shown) == 2


def test_a_place_without_a_quote_is_read_in_its_passage() -> None:
    def cited(start: int, end: int) -> Citation:
        row = {"id": "a", "statements": [{"text": "x", "citations": [{"number": 1, "start": start, "end": end}]}]}
        return response_from(row | {"passages": PASSAGES}, "a:1").citations[0]

    assert cited(109, 137) == Citation(1, "minutes/march.txt", WALL, 109, 137, FIRST)
    assert cited(900, 910) == Citation(1, "minutes/march.txt", passage=FIRST)
