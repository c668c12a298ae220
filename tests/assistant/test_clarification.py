"""A question that leaves open which of several it means is asked back, and nearly no other."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assistant.api import Assistant
from assistant.clarification import asked_back, clarification
from assistant.questions import analyse
from assistant.reading import Reading
from assistant.retrieval import retrieve
from embeddings.hashing import HashingEmbedder
from embeddings.search import Index
from tests.assistant.conftest import filled

DOCUMENTS = {
    "skell.md": "# Skell Library\n\nSkell Library opens at 9am on weekdays. It lends tools and toys.\n",
    "tarn.md": "# Tarn Library\n\nTarn Library opens at 11am, and on Saturdays at noon. It has a map room.\n",
    "bins.md": "# Garden waste\n\nThe garden waste fee is £40 a year. Sacks are brought in April.\n",
    "stalls.md": "# Market stalls\n\nThe market stall fee is £18 for each Saturday. Bring your own table.\n",
    "pitch.md": "# Allotments\n\nThe allotment fee is £75, half of it for pensioners. Water is free.\n",
    "mill.md": "# The mill\n\nThe mill was built in 1812. Its wheel turns on Sundays.\n",
}
Choices = Callable[[str], tuple[str, ...]]


@pytest.fixture(scope="module")
def choices(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Choices]:
    """What a question may mean in `DOCUMENTS`."""
    root = tmp_path_factory.mktemp("clarification")
    Assistant.build(filled(root / "documents", DOCUMENTS), index=root / "index", embedder="hashing")
    embedder = HashingEmbedder()
    with Index.open(root / "index", embedder.fingerprint) as index, index.view() as view:

        def asked(text: str) -> tuple[str, ...]:
            question = analyse(text)
            found = retrieve(question, view, embedder, None)
            return clarification(question, found, Reading(question, found.passages, found.common, None, embedder))

        yield asked


def test_it_asks_which_fee_or_library_is_meant(choices: Choices) -> None:
    assert sorted(choices("What is the fee?")) == [
        "What is the allotment fee?",
        "What is the garden waste fee?",
        "What is the market stall fee?",
    ]
    assert sorted(choices("When does the library open?")) == [
        "When does Skell Library open?",
        "When does Tarn Library open?",
    ]


def test_a_choice_needs_no_further_question(choices: Choices) -> None:
    for question in ("What is the fee?", "When does the library open?"):
        assert [choices(choice) for choice in choices(question)] == [()] * len(choices(question))


@pytest.mark.parametrize(
    "question",
    ["When does Skell Library open?", "What is the garden waste fee?", "When was the mill built?", "What is a fee?",
     "Who is the mayor?", "What is the fee for a stall on Saturdays?", "What is the highest fee?", "The fee.", ""],
)  # fmt: skip
def test_what_is_clear_or_not_known_is_not_asked_back(choices: Choices, question: str) -> None:
    assert choices(question) == ()


def test_the_question_back_names_the_choices() -> None:
    assert asked_back(("What is the bin fee?", "What is the stall fee?")) == (
        "Which do you mean: “What is the bin fee?” or “What is the stall fee?”"
    )


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.one_of(st.text(max_size=60), st.from_regex(r"(What|When) (is|was) the [a-z\[\]<>]{1,9}\?", fullmatch=True))
)
def test_any_text_is_accepted(choices: Choices, text: str) -> None:
    found = choices(text)
    assert len(found) != 1
    assert all(found)
