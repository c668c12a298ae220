"""Every registered generator, without a network: what it yields, which numbers it uses, whether it repeats itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from assistant.api import Assistant
from assistant.citations import parse_draft
from assistant.config import Settings
from assistant.generators import ENTRY_POINTS, generator_named, names
from assistant.types import Passage, Prompt, Retrieved, TextGenerator
from corpus.errors import AssistantError, UsageError
from embeddings.hashing import HashingEmbedder
from tests.assistant.generators.servers import quoting, serving

QUESTIONS = (
    "How much did the repairs to the roof cost?",
    "When does the Marram Museum open?",
    "Who is the director of the Marram Museum, and when does the museum open?",
)


@pytest.fixture(params=[*(name for name in names() if ":" not in name), "openai:any", "anthropic:any"])
def generator(request: pytest.FixtureRequest) -> Iterator[TextGenerator]:
    with serving(quoting) as server:
        try:
            made = generator_named(request.param, Settings(base_url=server.address), None, HashingEmbedder())
        except AssistantError as error:
            pytest.skip(str(error))
        yield made
        made.close()


@pytest.fixture
def prompts(desk: Assistant) -> list[Prompt]:
    retrieved = [next(iter(desk.stream(question))) for question in QUESTIONS]
    return [Prompt(r.standalone_question, r.passages) for r in retrieved if isinstance(r, Retrieved)]


def test_its_name_finds_it_again(generator: TextGenerator) -> None:
    assert generator.name.partition(":")[0] in {name.partition(":")[0] for name in names()}


def test_it_yields_strings_with_numbers_that_were_offered(generator: TextGenerator, prompts: list[Prompt]) -> None:
    for prompt in prompts:
        deltas = list(generator.generate(prompt))
        assert deltas
        assert {type(delta) for delta in deltas} == {str}
        cited = {number for _, numbers in parse_draft("".join(deltas)) for number in numbers}
        assert cited
        assert cited <= {p.number for p in prompt.passages}


def test_it_writes_no_location(generator: TextGenerator, prompts: list[Prompt]) -> None:
    for prompt in prompts:
        draft = "".join(generator.generate(prompt))
        assert not [p for p in prompt.passages if p.document.id in draft or p.document.path in draft]


def test_the_same_prompt_has_the_same_draft(generator: TextGenerator, prompts: list[Prompt]) -> None:
    for prompt in prompts:
        assert list(generator.generate(prompt)) == list(generator.generate(prompt))


def test_without_passages_it_cites_nothing(generator: TextGenerator) -> None:
    assert not re.search(r"\[\d+\]", "".join(generator.generate(Prompt(QUESTIONS[0], ()))))


def test_it_can_be_left_early_and_closed_twice(generator: TextGenerator, prompts: list[Prompt]) -> None:
    draft = generator.generate(prompts[2])
    assert next(draft)
    draft.close()  # type: ignore[attr-defined]
    assert list(draft) == []
    generator.close()
    generator.close()


def test_brackets_of_a_document_are_not_taken_for_citations(
    generator: TextGenerator, passage_of: Callable[..., Passage]
) -> None:
    prompt = Prompt("How long is the wall?", (passage_of("The wall is 640 metres long [7], by one account [12, 13]."),))
    cited = {
        number for _, numbers in parse_draft("".join(generator.generate(prompt)), prompt.passages) for number in numbers
    }
    assert cited == {1}


def test_names_are_listed_and_an_unknown_one_is_refused_with_them() -> None:
    assert "extractive" in names()
    with pytest.raises(UsageError, match=r"no generator 'oracle'.*extractive"):
        generator_named("oracle", Settings(), None, HashingEmbedder())


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("raise OSError('no libx')", r"can't be made \(OSError: no libx\): mend or remove"),
        ("def made(model, settings): raise ValueError('bad ' + model)", r"can't be made \(ValueError: bad m\): mend"),
        ("import corpus.errors as e\ndef made(*_): raise e.UsageError('give a model')", "^give a model$"),
        ("other = 1", r"can't be made \(AttributeError: .*made"),
    ],
)
def test_a_third_party_that_fails_is_named(
    code: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    module = f"passim_third_party_{abs(hash(request.node.name))}"
    (tmp_path / f"{module}.py").write_text(code, encoding="utf-8")
    about = tmp_path / f"{module}-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1\n", encoding="utf-8")
    (about / "entry_points.txt").write_text(f"[{ENTRY_POINTS}]\nthird = {module}:made\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    assert "third" in names()
    with pytest.raises(UsageError, match=said) as raised:
        generator_named("third:m", Settings(), None, HashingEmbedder())
    assert said.startswith("^") or f"the generator 'third' of '{module}:made'" in str(raised.value)
