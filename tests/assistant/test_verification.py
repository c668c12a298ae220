"""The exact gate, and the verdict of a sentence with its citations."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.citations import bind
from assistant.types import Citation, Passage
from assistant.verification import SUPPORTED, LexicalEntailment, figures, passes_gate, verify

NOTE = "The wall costs £2.4 million and is 640 metres long. It shelters 312 homes, 38% of the quay."


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("It costs £412,000.", {"£412000"}),
        ("It costs £ 30.00 a day.", {"£30"}),
        ("38% of 1,250 homes", {"38%", "1250"}),
        ("26 per cent", {"26%"}),
        ("nine helpers and a dozen chairs", {"9", "12"}),
        ("at 12:30 on 16/5/2024", {"12:30", "16-5-2024"}),
        ("2.5 metres. Then 7.", {"2.5", "7"}),
        ("no number at all", set()),
    ],
)
def test_figures_have_one_spelling(text: str, found: set[str]) -> None:
    assert figures(text) == found


@pytest.mark.parametrize(
    ("premise", "claim"),
    [
        ("It raised £412,000 in nine weeks.", "It raised £412000 in 9 weeks."),
        ("It rose by 26 per cent.", "It rose by 26%."),
        ("It rose by 26%.", "It rose by 26 per cent."),
        ("Ada Quill’s team repaired the roof.", "Ada Quill repaired the roof."),
        ("The panel did not agree.", "The panel never agreed."),
        ("It is 640 metres long.", "It is long."),
    ],
)
def test_the_gate_lets_through_what_is_said(premise: str, claim: str) -> None:
    assert passes_gate(premise, claim)


@pytest.mark.parametrize(
    ("premise", "claim"),
    [
        ("It raised £412,000.", "It raised £412."),
        ("It raised 412,000 stamps.", "It raised £412,000."),
        ("It raised £5.", "It raised €5."),
        ("It rose by 5 points.", "It rose by 5%."),
        ("It lasted nine weeks.", "It lasted 10 weeks."),
        ("Ada Quill repaired the roof.", "Tom Quill repaired the roof."),
        ("The panel agreed.", "The panel did not agree."),
        ("The panel refused.", "The panel agreed."),
        ("It opened on 6 June 2024.", "It opened on 6 May 2024."),
        ("It opened on 6 May 2024.", "It opened on 6 May 2023."),
        ("It costs £5bn.", "It costs £5m."),
        ("It heard that two children wait.", "It heard that one child waits."),
        ("The fee is 5%.", "The fee is .5%."),
    ],
)
def test_the_gate_stops_what_is_not_said(premise: str, claim: str) -> None:
    assert not passes_gate(premise, claim)


@given(value=st.integers(0, 10**9), other=st.integers(0, 10**9))
def test_a_number_passes_only_where_it_stands(value: int, other: int) -> None:
    assert passes_gate(f"They counted {value:,} homes.", f"They counted {value} homes.")
    assert passes_gate(f"They counted {value:,} homes.", f"They counted {other} homes.") is (value == other)


def cited(claim: str, *passages: Passage) -> tuple[str, float]:
    entailment = LexicalEntailment()
    statement = verify(claim, [bind(claim, p.number, passages, entailment) for p in passages], entailment)
    return statement.verdict, statement.support


def test_verdicts(passage_of: Callable[..., Passage]) -> None:
    note = passage_of(NOTE)
    assert cited("The wall costs £2.4 million and is 640 metres long.", note) == ("quoted", 1.0)
    assert cited("The wall is 640 metres long.", note) == ("supported", 1.0)
    assert cited("The wall is 641 metres long.", note) == ("unsupported", 0.0)
    assert cited("The wall pleases everybody who walks past it.", note)[0] == "unsupported"
    assert cited("The wall is 640 metres long.") == ("uncited", 0.0)


def test_support_is_the_share_of_content_words_and_enough_where_all_are_held() -> None:
    support = LexicalEntailment().scores([NOTE] * 2, ["The long wall shelters old homes.", "The wall shelters homes."])
    assert support == pytest.approx([4 / 5 * SUPPORTED, 1.0])


DIRECTOR = "The director of the Marram Museum is Ada Quill."


@pytest.mark.parametrize(
    ("premise", "claim"),
    [
        (DIRECTOR, "ada orrin is the director of the Marram Museum."),
        (DIRECTOR, "The director of the Marram Museum is ada quill from london."),
        (DIRECTOR, "The director of the Marram Museum was sacked."),
        ("The site is unsafe.", "The site is safe."),
        ("The roof of the old mill at Skell was repaired by two helpers from the Fenland Trust.",
         "The roof of the old mill at Skell was burnt by two helpers from the Fenland Trust."),
    ],
)  # fmt: skip
def test_a_word_that_the_text_lacks_is_not_absorbed(
    premise: str, claim: str, passage_of: Callable[..., Passage]
) -> None:
    assert cited(claim, passage_of(premise))[0] == "unsupported"


@pytest.mark.parametrize(
    ("premise", "claim"),
    [
        (DIRECTOR, "However, Ada Quill is the director of the Marram Museum."),
        (DIRECTOR, "Ms Quill is the director of the museum."),
        ("They begin to sell tickets in May.", "They began selling tickets in May."),
        ("You get a ticket at the desk.", "You receive a ticket at the desk."),
        ("It rose by 26% in ten weeks.", "It rose by twenty-six percent in 10 weeks."),
        ("Observe and obey all traffic laws, signs and signals near the quay.",
         "It is important to observe and obey all traffic laws, signs and signals near the quay."),
    ],
)  # fmt: skip
def test_inflection_light_words_and_spelling_of_figures_cost_nothing(
    premise: str, claim: str, passage_of: Callable[..., Passage]
) -> None:
    assert cited(claim, passage_of(premise))[0] == "supported"


def test_citations_are_read_together(passage_of: Callable[..., Passage]) -> None:
    one, two = passage_of("The wall is long."), passage_of("The quay has homes.", 2)
    both = "The wall is long and the quay has homes."
    assert cited(both, one)[0] == "unsupported"
    assert cited(both, one, two) == ("supported", 1.0)
    assert cited("The long wall has homes.", one, two)[0] == "unsupported"  # neither says it


def test_an_invented_number_beside_a_real_one_changes_no_verdict(passage_of: Callable[..., Passage]) -> None:
    entailment, claim = LexicalEntailment(), "The wall is 640 metres long."
    real, invented = bind(claim, 1, [passage_of(NOTE)], entailment), Citation(9, None)
    statement = verify(claim, [invented, real], entailment)
    assert (statement.verdict, statement.citations, statement.markers) == ("supported", (invented, real), "[1]")
    assert verify(claim, [invented], entailment).verdict == "uncited"


@pytest.mark.parametrize(
    ("premise", "claim", "passes"),
    [
        ("Mary Jones and John Smith spoke.", "Mary Smith spoke.", False),
        ("Mary Jones and John Smith spoke.", "John Smith spoke.", True),
        ("It met on 6 June 2024 and on 7 May 2023.", "It met on 6 May 2024.", False),
        ("It met on 6 June 2024 and on 7 May 2023.", "It met on 6 June 2024.", True),
        ("It met on 6 June 2024.", "It met on 6 June.", True),
        ("It met on 6 June.", "It met on 6 June 2024.", False),
        ("It met on June 6, 2024.", "It met on 6 June 2024.", True),
        ("The first phase is done.", "The second phase is done.", False),
    ],
)
def test_words_of_a_name_or_a_date_stand_together(premise: str, claim: str, passes: bool) -> None:
    assert passes_gate(premise, claim) is passes


@pytest.mark.parametrize(
    ("numbers", "reason"),
    [((), "it cites no passage"), ((9,), "it cites passage 9, which wasn't offered")],
)
def test_an_uncited_sentence_says_why(numbers: tuple[int, ...], reason: str) -> None:
    statement = verify("The wall is long.", [Citation(n, None) for n in numbers], LexicalEntailment())
    assert (statement.verdict, statement.support, statement.reason) == ("uncited", 0.0, reason)


def test_what_is_shown_has_no_reason_and_what_is_left_out_has_one(passage_of: Callable[..., Passage]) -> None:
    entailment, note = LexicalEntailment(), passage_of(NOTE)

    def reason(claim: str) -> str | None:
        return verify(claim, [bind(claim, 1, [note], entailment)], entailment).reason

    assert reason("The wall is 640 metres long.") is None
    assert reason("The wall is 42 metres long.") == "the number 42 isn't in the cited text"
    assert reason("Ada Quill built the wall.") == "the name 'Ada Quill' isn't in the cited text"
    assert reason("The wall pleases people who walk past it.") == "the cited text says too little of it"


def test_a_citation_that_adds_nothing_is_dropped(passage_of: Callable[..., Passage]) -> None:
    entailment = LexicalEntailment()
    offered = [passage_of(NOTE), passage_of("Bees dance.", 2), passage_of("Gulls nest there.", 3)]

    def numbers(claim: str, *cited: int) -> list[int]:
        statement = verify(claim, [bind(claim, n, offered, entailment) for n in cited], entailment)
        return [c.number for c in statement.citations]

    assert numbers("The wall is 640 metres long.", 2, 1) == [1]
    assert numbers("It shelters 312 homes, 38% of the quay.", 1, 2) == [1]
    assert numbers("The wall is 640 metres long.", 1, 9) == [1, 9]
    assert numbers("Gulls nest at the long wall.", 1, 3) == [1, 3]
    assert numbers("The wall is 641 metres long.", 1, 2) == [1, 2]
