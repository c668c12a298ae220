"""The extractive generator chooses, merges and declines."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from assistant.api import Assistant
from assistant.generators.extractive import ExtractiveGenerator, choose
from assistant.generators.sources import MOST
from assistant.questions import analyse
from assistant.reading import Reading
from assistant.types import Passage, Prompt
from embeddings.hashing import HashingEmbedder

OPENS = "The hall opens on 6 May 2024 after repairs to its floor."


@pytest.fixture
def generator() -> ExtractiveGenerator:
    return ExtractiveGenerator(None, HashingEmbedder())


def reading_of(question: str, *passages: Passage) -> Reading:
    return Reading(analyse(question), passages, frozenset(), None, HashingEmbedder())


def draft(generator: ExtractiveGenerator, question: str, *passages: Passage) -> str:
    return "".join(generator.generate(Prompt(question, passages)))


def test_one_statement_cites_every_document_that_says_the_same(
    generator: ExtractiveGenerator, passage_of: Callable[..., Passage]
) -> None:
    passages = [passage_of(OPENS, 1), passage_of(f"Good news! {OPENS}", 2, "News"), passage_of("Bring a coat.", 3)]
    assert draft(generator, "When does the hall open after repairs?", *passages) == f"{OPENS} [1][2]\n"


def test_a_duplicate_is_one_statement_of_the_answer_with_a_span_in_each_document(desk: Assistant) -> None:
    answer = desk.ask("On which date does the Marram Museum open after repairs to its roof?")
    statement = next(s for s in answer.shown if "6 May 2024" in s.text)
    assert {c.passage.document.path for c in statement.citations if c.passage} == {"opening.md", "news.txt"}
    assert {c.quote for c in statement.citations} == {
        "The Marram Museum opens on 6 May 2024 after repairs to its roof."
    }
    assert len([s for s in answer.shown if "6 May 2024" in s.text]) == 1


@pytest.mark.parametrize(
    ("question", "answered"),
    [
        ("How much does it cost to hire the hall?", "Hire of the hall costs £30 an hour."),
        ("Who cares for the hall?", "Tom Orrin cares for the hall."),
        ("How many chairs does the hall have?", "The hall has 80 chairs."),
        ("What share of the hall is let?", "About 40% of the hall is let."),
        ("What time does the hall close?", "The hall closes at 9pm."),
    ],
)
def test_the_sentence_with_the_shape_asked_for_is_quoted(
    question: str, answered: str, generator: ExtractiveGenerator, passage_of: Callable[..., Passage]
) -> None:
    text = (
        "The hall stands by the green. Hire of the hall costs £30 an hour. The hall has 80 chairs. "
        "Tom Orrin cares for the hall. About 40% of the hall is let. The hall closes at 9pm."
    )
    assert draft(generator, question, passage_of(text)).splitlines()[0] == f"{answered} [1]"


def test_every_part_of_a_joined_question_is_answered(
    generator: ExtractiveGenerator, passage_of: Callable[..., Passage]
) -> None:
    passage = passage_of("Tom Orrin cares for the hall. It rains. Hire of the hall costs £30 an hour.")
    question = "Who cares for the hall and how much does it cost to hire the hall?"
    assert draft(generator, question, passage) == (
        "Tom Orrin cares for the hall. [1]\nHire of the hall costs £30 an hour. [1]\n"
    )


def test_no_more_than_a_few_statements_however_many_documents(passage_of: Callable[..., Passage]) -> None:
    kinds = ("oak", "elm", "ash", "fir", "yew", "box")
    passages = [passage_of(f"The {k} hall opens on {n} May for {k} growers.", n) for n, k in enumerate(kinds, 1)]
    groups = choose(reading_of("When does the hall open for growers?", *passages))
    assert 1 <= len(groups) <= MOST


def test_choices_are_sentences_of_their_passages(passage_of: Callable[..., Passage]) -> None:
    passage = passage_of(f"Good news! {OPENS} Bring a coat.")
    ((chosen,),) = choose(reading_of("When does the hall open after repairs?", passage))
    assert passage.document.text[chosen.start : chosen.end] == chosen.text == OPENS


def test_white_space_inside_a_sentence_is_quoted_as_one_space(
    generator: ExtractiveGenerator, passage_of: Callable[..., Passage]
) -> None:
    passage = passage_of(OPENS.replace("after ", "after \u00a0 "))
    assert draft(generator, "When does the hall open after repairs?", passage) == f"{OPENS} [1]\n"
