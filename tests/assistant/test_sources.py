"""What several documents say of one question."""

from __future__ import annotations

from datetime import date

import pytest

from assistant.evidence import sentences_of
from assistant.generators.sources import MOST, across, containment
from assistant.questions import analyse
from assistant.reading import Scored
from assistant.types import Passage
from corpus.sentences import split_sentences
from corpus.types import Chunk, Document

BORN = "When was Ada Quill born?"
LIFE = (
    "Ada Quill (born {}) was a bridge engineer of the Fenland line. She drew the viaduct at Skell and taught at the"
    " school of her village for nine years before she left for the coast with her two sisters."
)


def source(number: int, text: str, score: float, title: str = "Ada Quill", day: date | None = None) -> list[Scored]:
    document = Document(f"id-{number}", f"{number}.txt", title, day, None, text)
    chunk = Chunk(document.id, 0, len(text), text, sentences=tuple(split_sentences(text)))
    read = sentences_of(Passage(number, chunk, document, 1.0))
    return [Scored(e, score - 3 * n) for n, e in enumerate(read)]


def said(question: str, *sources: list[Scored]) -> list[tuple[str, list[int]]]:
    able = sorted((s for one in sources for s in one), key=lambda s: -s.score)
    return [(g[0].text, [e.passage.number for e in g]) for g in across(analyse(question), able)]


def test_namesakes_each_answer_for_their_own() -> None:
    assert said(
        BORN,
        source(1, "Ada Quill, the engineer, was born on 8 May 1900.", 9),
        source(2, "Ada Quill the swimmer swam to Skell. She was born in 1931.", 2, "Ada Quill, swimmer"),
        source(3, "Ada Quill (born 8 May 1900) drew bridges.", 5),
    ) == [
        ("Ada Quill, the engineer, was born on 8 May 1900.", [1, 3]),
        ("She was born in 1931.", [2]),
    ]


def test_a_document_about_something_else_is_no_namesake() -> None:
    other = source(2, "Tom Orrin was born in 1931, as Ada would say.", -1, "Tom Orrin")
    assert said(BORN, source(1, "Ada Quill was born on 8 May 1900.", 9), other) == [
        ("Ada Quill was born on 8 May 1900.", [1])
    ]


def test_of_copies_that_differ_the_one_with_other_sources_is_kept() -> None:
    copies = source(1, LIFE.format("2 June 1905"), 9), source(2, LIFE.format("8 May 1900"), 8)
    other = source(3, "Parish book of Skell. Ada Quill, daughter of Tom, was born on 8 May 1900 and baptised.", 3)
    texts = [text for text, _ in said(BORN, *copies, other)]
    assert any("8 May 1900" in t for t in texts)
    assert not any("1905" in t for t in texts)


@pytest.mark.parametrize(
    ("first", "second", "kept"), [(2020, 2024, "1905"), (2024, 2020, "1900"), (None, None, "1900")]
)
def test_of_copies_alone_the_newer_is_kept(first: int | None, second: int | None, kept: str) -> None:
    days = [date(year, 1, 1) if year else None for year in (first, second)]
    one = source(1, LIFE.format("8 May 1900"), 9, day=days[0])
    other = source(2, LIFE.format("2 June 1905"), 8, day=days[1])
    ((text, _),) = said(BORN, one, other)
    assert kept in text


def test_the_superseded_edition_isnt_quoted_unless_it_is_asked_for() -> None:
    old = source(1, "The fee for a stall is £20 a day.", 8, "Market charges 2021", date(2021, 4, 1))
    new = source(2, "A stall costs £30 a day on all days, fee and all.", 8, "Market charges 2024", date(2024, 4, 1))
    assert [n for _, n in said("What is the fee for a stall?", old, new)] == [[2]]
    assert [1] in [n for _, n in said("What was the fee for a stall in 2021?", old, new)]


@pytest.mark.parametrize("role", ["deputy mayor", "acting mayor", "former mayor", "vice-mayor", "shadow mayor"])
def test_another_role_is_quoted_only_where_nobody_has_the_asked_one(role: str) -> None:
    other = source(2, f"The {role} of Skell is Tom Orrin.", 9, "Fair", date(2024, 6, 7))
    plain = source(1, "The mayor of Skell is Ada Quill.", 8, "Council", date(2023, 3, 5))
    assert [n for _, n in said("Who is the mayor of Skell?", plain, other)] == [[1]]
    assert [n for _, n in said("Who is the mayor of Skell?", other)] == [[2]]
    assert [2] in [n for _, n in said(f"Who is the {role} of Skell?", plain, other)]


def test_the_second_isnt_quoted_for_the_first() -> None:
    first = source(1, "The first consultation had 312 replies.", 8, "Square")
    second = source(2, "The second consultation had 511 replies.", 9, "Square again")
    assert [n for _, n in said("How many replies did the first consultation have?", first, second)] == [[1]]


def test_forms_with_titles_of_their_own_are_no_copies() -> None:
    form = "Zone {}. " + LIFE.format("8 May {}")
    one, other = (source(n, form.format(n, 1900 + n), 9, f"Zone {n}", date(2000 + n, 1, 1)) for n in (3, 4))
    assert sorted(n for _, n in said("When was she born?", one, other)) == [[3], [4]]


def test_a_reprint_joins_the_group_of_its_text() -> None:
    text = LIFE.format("8 May 1900")
    assert [n for _, n in said(BORN, source(1, text, 9), source(2, text, 9))] == [[1, 2]]


def test_no_more_statements_than_the_limit() -> None:
    many = [source(n, f"Ada Quill of house {n} was born in {1900 + n}.", 9) for n in range(1, 8)]
    assert len(said(BORN, *many)) == MOST


def test_containment_is_of_the_shorter_text() -> None:
    assert containment("one two three four", "zero one two three four five six") == 1.0
    assert containment("one two three four", "four three two one") == 0.0
    assert containment("", "") == 1.0
