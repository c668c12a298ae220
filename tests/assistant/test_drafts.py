"""A draft read as it is written: every form of marker, markdown undone, and no cut between deltas that matters."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from assistant.drafts import DraftParser, parse_draft
from assistant.types import Passage

TEXT = "The hall opens at nine. It closes at six on Fridays. See Smith v Jones [2019] today."


@pytest.mark.parametrize(
    ("marker", "numbers"),
    [
        ("[1]", (1,)),
        ("[1][2]", (1, 2)),
        ("[1,2,3]", (1, 2, 3)),
        ("[1; 2]", (1, 2)),
        ("[1 and 2]", (1, 2)),
        ("[1-3]", (1, 2, 3)),
        ("[1–3]", (1, 2, 3)),
        ("[1, 3-5]", (1, 3, 4, 5)),
        ("[3-1]", (3, 1)),
        ("[1-999999]", (1, 999999)),
        ("［1］", (1,)),
        ("［１］", (1,)),
        ("【1】", (1,)),
        ("【4†source】", (4,)),
        ("[^1]", (1,)),
        ("[Passage 1]", (1,)),
        ("[passages 1 and 2]", (1, 2)),
        ("(Passage 2)", (2,)),
        ("[1](https://example.org)", (1,)),
        ("[99]", (99,)),
        ("(1)", ()),
        ("[see 1]", ()),
        ("[1234567]", ()),
    ],
)
def test_every_form_of_marker(marker: str, numbers: tuple[int, ...]) -> None:
    after = parse_draft(f"The hall opens. {marker} It closes.")
    before = parse_draft(f"The hall opens {marker}. It closes.")
    alone = parse_draft(f"The hall opens.\n{marker}\nIt closes.")
    for parsed in (after, before, alone) if numbers else ():
        assert parsed == [("The hall opens.", numbers), ("It closes.", ())]
    assert [n for _, many in after for n in many] == list(numbers)


@pytest.mark.parametrize(
    ("draft", "sentences"),
    [
        ("[2] The hall opens.", [("The hall opens.", (2,))]),
        ("Tea is hot [1] and cake cold [2]. Both sell.", [("Tea is hot and cake cold.", (1, 2)), ("Both sell.", ())]),
        ("It opens.\n[2] It closes.", [("It opens.", ()), ("It closes.", (2,))]),
        ("Use `x[0]` there. [2]", [("Use x[0] there.", (2,))]),
        ("It opens. [1]\n```\nx[5]\n```\nIt closes. [2]", [("It opens.", (1,)), ("x[5]", ()), ("It closes.", (2,))]),
        ("# Hours\nIt opens. [1]", [("It opens.", (1,))]),
        ("**Hours:**\n- It *opens*. [1]\n2. It __closes__. [2]", [("It opens.", (1,)), ("It closes.", (2,))]),
        ("The hours are:\n* nine [1]", [("nine", (1,))]),
        ("See [the site](https://a.example/x) ![logo](https://b.example). [1]", [("See the site.", (1,))]),
        ("It is <b>open</b>. [1]", [("It is <b>open</b>.", (1,))]),
        ("It opens. [1]\n\nSources: [1] [2]", [("It opens.", (1,))]),
        ("It opens.[^1]\n[^1]: Hall guide", [("It opens.", (1,))]),
        ("The passages do not hold the answer.", []),
        ("大会は開かれる。[1]入場は無料です[2]。", [("大会は開かれる。", (1,)), ("入場は無料です。", (2,))]),
        ("यह खुला है। [1] वह बंद है। [2]", [("यह खुला है।", (1,)), ("वह बंद है।", (2,))]),
        ("Es öffnet um 9. [1] Es schließt um 5. [2]", [("Es öffnet um 9.", (1,)), ("Es schließt um 5.", (2,))]),
    ],
)  # fmt: skip
def test_markdown_is_undone(draft: str, sentences: list[tuple[str, tuple[int, ...]]]) -> None:
    assert parse_draft(draft) == sentences


def test_a_sentence_comes_out_once_the_next_has_begun() -> None:
    parser = DraftParser()
    assert parser.feed("The hall opens at nine [1]. It") == []
    assert parser.feed(" closes late") == [("The hall opens at nine.", (1,))]
    assert parser.feed(". [2]\n") == []
    assert parser.feed("[3]\n") == []
    assert parser.finish() == [("It closes late.", (2, 3))]
    assert parser.finish() == []


pieces = st.sampled_from(
    (
        "The hall opens at nine. |It closes at six on Fridays.|[1]| [2, 3]|[99]|\n|\r\n|**|*|`|`x[0]`|# |- |1. |```"
        "| Dr. |word | Smith said so. |[text](http://a.example)|![i](u)|3.5|(passage 1)|大会は。|開く。|[1-3]|: |. "
        "|! |[|]|(|)|I'm sorry. |See Smith v Jones [2019] today.|\u2028|U.S. |No. 5 |... "
    ).split("|")
)


@settings(max_examples=300, deadline=None)
@example(draft="The hall opens at nine. [1]\n", cuts=[26])
@given(draft=st.lists(pieces | st.text(max_size=4), max_size=14).map("".join), cuts=st.lists(st.integers(0, 200)))
def test_the_cuts_between_deltas_change_nothing(
    draft: str, cuts: list[int], passage_of: Callable[..., Passage]
) -> None:
    passages = [passage_of(TEXT)]
    for places in (sorted({min(cut, len(draft)) for cut in cuts} | {0, len(draft)}), range(len(draft) + 1)):
        parser = DraftParser(passages)
        found = [s for a, b in pairwise(places) for s in parser.feed(draft[a:b])]
        assert [*found, *parser.finish()] == parse_draft(draft, passages)


@pytest.mark.parametrize(
    ("draft", "kept"),
    [
        ("It opens in May [1]. It costs £4", ["It opens in May."]),
        ("It opens in May [1]. It costs £4 [1]", ["It opens in May.", "It costs £4"]),
        ("It opens in May [1].", ["It opens in May."]),
        ("It opens", []),
    ],
)
def test_a_cut_draft_loses_the_sentence_without_an_end(draft: str, kept: list[str]) -> None:
    parser = DraftParser()
    assert [text for text, _ in [*parser.feed(draft), *parser.finish(cut=True)]] == kept


def test_a_quotation_that_sounds_like_a_refusal_stays() -> None:
    said = "I cannot accept the report, the chair said."
    assert parse_draft(f"{said} [1]") == [(said, (1,))]
