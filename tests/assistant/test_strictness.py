"""How sure it must be: strict, normal, lenient, and asked anyway. Nothing of it switches verification off."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from assistant.abstention import NEAREST
from assistant.answering import ANYWAY, UNSURE
from assistant.api import Assistant
from assistant.audit.replay import replay, settings_of
from assistant.confidence import HIGH
from assistant.config import Settings
from assistant.entailment import LexicalEntailment
from assistant.records.history import Context
from assistant.types import SHOWN, Finished, Prompt, Retrieved
from corpus.chunking import count_tokens
from corpus.errors import UsageError
from embeddings.types import Where

SURE = "How much did the repairs to the roof cost?"
FAIRLY = "Where did the slates come from?"
HARDLY = "Tell me about tickets"
NOT = "flood damage"


def test_each_level_answers_what_it_is_sure_enough_of(open_museum: Callable[..., Assistant]) -> None:
    with open_museum() as desk:
        refused = {}
        for level in ("strict", "normal", "lenient"):
            desk.use(strictness=level)
            assert desk.settings.strictness == level
            refused[level] = [desk.ask(question).refused for question in (SURE, FAIRLY, HARDLY, NOT)]
    assert refused == {
        "strict": [False, True, True, True],
        "normal": [False, False, True, True],
        "lenient": [False, False, False, True],
    }


def test_a_strict_refusal_says_that_it_is_one_and_how_sure_it_was(open_museum: Callable[..., Assistant]) -> None:
    with open_museum() as desk:
        normal = desk.ask(FAIRLY)
        desk.use(strictness="strict")
        strict, unsure = desk.ask(FAIRLY), desk.ask(NOT)
    assert strict.refusal is not None and strict.refusal.nearest == normal.passages[:NEAREST]
    assert (strict.refusal.reason, strict.refusal.explanation) == ("weak_evidence", UNSURE)
    assert strict.confidence == normal.confidence and (normal.confidence or 1) < HIGH
    assert unsure.refusal is not None and unsure.refusal.explanation != UNSURE


def test_an_unknown_level_changes_nothing(open_museum: Callable[..., Assistant]) -> None:
    with open_museum() as desk:
        with pytest.raises(UsageError, match="'loose' must be one of strict, normal, lenient"):
            desk.use(strictness="loose")  # type: ignore[arg-type]  # as from a settings file
        assert desk.settings.strictness == "normal"
        desk.use("extractive", strictness="lenient")
        assert (desk.generator, desk.settings.generator, desk.settings.strictness) == ("extractive",) * 2 + ("lenient",)
        assert desk.bound.startswith("no bound is promised")


def test_changing_strictness_keeps_the_generator_running(
    open_museum: Callable[..., Assistant], scripted: Callable[..., object]
) -> None:
    writer = scripted(lambda prompt: ["The café was not damaged in the flood of 1999 [1]."])
    with open_museum(writer) as desk:
        desk.use(strictness="strict")
        assert not writer.closed  # type: ignore[attr-defined]


def test_only_an_answer_that_was_asked_otherwise_has_another_id(open_museum: Callable[..., Assistant]) -> None:
    assert "strictness" not in Context(settings={"strictness": "normal"}).to_json()
    assert "anyway" not in Context().to_json()
    with open_museum() as desk:
        ids = [desk.ask(SURE).id, desk.ask(SURE, anyway=True).id]
        desk.use(strictness="strict")
        assert len({*ids, desk.ask(SURE).id}) == 3


def test_asked_anyway_it_reads_the_passages_that_the_refusal_showed(open_museum: Callable[..., Assistant]) -> None:
    with open_museum() as desk:
        refusal = desk.ask(NOT).refusal
        assert refusal is not None
        events = list(desk.stream(NOT, anyway=True))
        answer = events[-1].answer if isinstance(events[-1], Finished) else None
        again = desk.ask(NOT, anyway=True)
    assert answer is not None and isinstance(events[0], Retrieved)
    assert answer.passages == events[0].passages == refusal.nearest
    assert (answer.text, answer.notes) == ("It was not damaged in the flood of 1998. [1]", (ANYWAY,))
    assert (answer.confidence or 1) < 0.3
    assert {**again.to_dict(), "timings": {}} == {**answer.to_dict(), "timings": {}}


def test_asked_anyway_what_does_not_pass_is_still_left_out(
    open_museum: Callable[..., Assistant], scripted: Callable[..., object]
) -> None:
    writer = scripted(lambda prompt: ["The café was damaged in the flood of 1953 [1]. ", "Ring the mill [9]."])
    with open_museum(writer) as desk:
        answer = desk.ask(NOT, anyway=True)
    assert answer.refusal is not None and answer.refusal.reason == "unsupported_draft"
    assert [s.verdict in SHOWN for s in answer.statements] == [False, False]
    assert answer.notes == (ANYWAY,)


def test_asked_anyway_no_date_line_or_signature_is_quoted(tmp_path: Path) -> None:
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / "letter.txt").write_text("Date: 3 May 2024\n\nThe mill sells soup.\n\nWith regards\n\nHamid\n")
    (folder / "note.txt").write_text("Tuesday\n\nParking: east gate\n\nHamid\n")
    Assistant.build(folder, index=tmp_path / "index", embedder="hashing")
    with Assistant.open(tmp_path / "index", reranker="none", history=":memory:") as desk:
        letter, note = Where(paths=("letter.txt",)), Where(paths=("note.txt",))
        assert desk.ask("flood damage", where=letter, anyway=True).text == "The mill sells soup. [1]"
        assert desk.ask("flood damage", where=note, anyway=True).refused
        assert desk.ask("parking fine", where=note, anyway=True).text == "Parking: east gate [1]"


def test_asked_anyway_without_passages_it_is_a_refusal(open_museum: Callable[..., Assistant]) -> None:
    with open_museum() as desk:
        answer = desk.ask(NOT, where=Where(paths=("absent/*",)), anyway=True)
        thanks = desk.ask("Thanks!", anyway=True)
    assert answer.refusal is not None and (answer.refusal.reason, answer.notes) == ("nothing_found", ())
    assert thanks.refusal is not None and thanks.refusal.reason == "out_of_scope"


def test_a_replay_asks_anyway_and_as_strictly_again(tmp_path: Path) -> None:
    folder, index = tmp_path / "documents", tmp_path / "index"
    folder.mkdir()
    (folder / "mill.txt").write_text("The mill was not damaged in the flood of 1998. It sells soup.\n")
    Assistant.build(folder, index=index, embedder="hashing")
    settings = Settings(reranker="none", strictness="strict")
    with Assistant.open(index, settings=settings, history=":memory:") as desk:
        desk.ask(NOT, anyway=True)
        (record,) = desk.history()
    assert record.context is not None and record.context.anyway
    assert Context.from_json(record.context.to_json()) == record.context
    assert settings_of(record).strictness == "strict"
    with Assistant.open(index, settings=settings_of(record), history=":memory:") as desk:
        assert replay(desk, record, LexicalEntailment()).reproduced


def test_tokens_are_counted_where_a_model_wrote(
    open_museum: Callable[..., Assistant], scripted: Callable[..., object]
) -> None:
    draft = "The repairs to the roof cost £412,000 [1]. They took ten weeks [1]."
    prompts: list[Prompt] = []

    def write(prompt: Prompt) -> list[str]:
        prompts.append(prompt)
        return [draft[:20], draft[20:]]

    with open_museum(scripted(write)) as desk:
        written, refused = desk.ask(SURE), desk.ask(NOT)
    with open_museum() as desk:
        quoted = desk.ask(SURE)
    assert written.tokens is not None and written.tokens.written == count_tokens(draft)
    assert written.tokens.read > count_tokens("\n".join(p.chunk.text for p in prompts[0].passages))
    assert written.to_dict()["tokens"] == {"read": written.tokens.read, "written": written.tokens.written}
    assert (refused.tokens, quoted.tokens, quoted.to_dict()["tokens"]) == (None, None, None)
