"""An answer of the past is given again, or what has become of it is said."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from assistant.api import Assistant
from assistant.audit.citations import standing
from assistant.audit.replay import Replay, render_replay, replay, reproducible, settings_of
from assistant.config import Settings
from assistant.entailment import LexicalEntailment
from assistant.records.history import Context, Record
from assistant.types import Citation, Passage, Prompt, TextGenerator, Turn
from corpus.types import Chunk
from embeddings.hashing import HashingEmbedder
from embeddings.types import Where
from tests.assistant.conftest import filled

HALL = "The hall opens at nine and seats 200 people. Tickets cost £4."
SHOP = "The shop of the hall sells maps. Its manager is Ada Quill."
PLAIN = Settings(reranker="none")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return filled(tmp_path / "documents", {"hall.txt": HALL, "shop.txt": SHOP})


def opened(folder: Path, generator: TextGenerator | None = None) -> Assistant:
    """Indexed as the folder is now."""
    index = folder.parent / "index"
    Assistant.build(folder, index=index, embedder="hashing")
    return Assistant.open(index, settings=PLAIN, generator=generator, embedder=HashingEmbedder(), history=":memory:")


def answered(
    folder: Path, question: str, context: Context | None = None, generator: TextGenerator | None = None
) -> Record:
    """What the history keeps of an answer."""
    context = context or Context(settings=asdict(PLAIN))
    with opened(folder, generator) as desk:
        answer = desk.ask(question, context.history, where=context.where, as_of=context.as_of)
        (record,) = desk.history()
    assert record.answer == json.loads(json.dumps(answer.to_dict()))
    return record


def replayed(folder: Path, record: Record) -> Replay:
    with opened(folder) as desk:
        return replay(desk, record, LexicalEntailment())


@pytest.mark.parametrize(
    ("question", "context"),
    [
        ("How many people does the hall seat?", Context(settings=asdict(PLAIN))),
        ("Who is its manager?", Context((Turn("What does the shop sell?"),), settings=asdict(PLAIN))),
        ("What does the hall sell?", Context(where=Where(paths=("shop*",)), settings=asdict(PLAIN))),
        ("Who is the mayor of Leeds?", Context(settings=asdict(PLAIN))),
    ],
)
def test_an_extractive_answer_is_given_again_byte_for_byte(question: str, context: Context, folder: Path) -> None:
    record = answered(folder, question, context)
    found = replayed(folder, record)
    assert (found.reproduced, found.holds, found.differences) == (True, True, ())
    assert found.again is not None
    assert [c.holds for c in found.checks] == [True] * len(found.again.shown)
    assert "the same answer, byte for byte" in render_replay(found)
    assert json.loads(json.dumps(found.to_dict()))["reproduced"] is True


@pytest.mark.parametrize("question", ["How many people does the hall seat?", "Who is the mayor of Leeds?"])
def test_what_an_earlier_version_wrote_otherwise_is_no_difference(question: str, folder: Path) -> None:
    record = answered(folder, question)
    earlier = {**record.answer, "id": "0" * 24}
    del earlier["newer"]
    if earlier["refusal"]:
        earlier["refusal"] = {k: v for k, v in earlier["refusal"].items() if k not in ("choices", "searched")}
    found = replayed(folder, replace(record, answer=earlier))
    assert (found.reproduced, found.holds, found.differences) == (True, True, ())
    found = replayed(folder, replace(record, answer={**earlier, "generator": "extractive", "text": "It seats 900."}))
    assert (found.reproduced, found.differences) == (False, ("text",))


def test_an_index_that_was_made_again_gives_another_answer_another_id(folder: Path) -> None:
    first, same = answered(folder, "What do tickets cost?"), answered(folder, "What do tickets cost?")
    shutil.rmtree(folder.parent / "index")
    (folder / "hall.txt").write_text(HALL.replace("£4", "£6"), encoding="utf-8")
    other = answered(folder, "What do tickets cost?")
    assert first.answer["snapshot"] == other.answer["snapshot"]
    assert first.answer["id"] == same.answer["id"] != other.answer["id"]


def test_an_answer_that_was_tampered_with_is_not_reproduced(folder: Path) -> None:
    record = answered(folder, "How many people does the hall seat?")
    statement = {**record.answer["statements"][0], "text": "The hall seats 900 people."}
    found = replayed(folder, replace(record, answer={**record.answer, "statements": [statement]}))
    assert (found.reproduced, found.differences, found.holds) == (False, ("statements",), False)
    assert [(c.then, c.now) for c in found.checks] == [("quoted", "unsupported")]
    assert "no longer holds: The hall seats 900 people." in render_replay(found)


def test_a_change_elsewhere_leaves_an_answer_standing(folder: Path) -> None:
    record = answered(folder, "How many people does the hall seat?")
    (folder / "new.txt").write_text("The mill grinds flour.", encoding="utf-8")
    found = replayed(folder, record)
    assert found.generation == found.generation_then + 1
    assert "snapshot" in found.differences
    assert (found.reproduced, found.holds) == (False, True)
    assert [span.state for check in found.checks for span in check.spans] == ["intact"]
    text = render_replay(found)
    assert f"The index has changed since: generation {found.generation_then} then, {found.generation} now." in text
    assert "Its text is the same." in text
    assert "1 of 1 statements hold; 1 of 1 cited spans still stand." in text


@pytest.mark.parametrize(
    ("now", "state", "holds"),
    [
        ("New!\n\n" + HALL, "moved", True),
        (HALL.replace(" and ", "\nand "), "moved", True),
        (HALL.replace("200", "300"), "changed", False),
        (None, "gone", False),
    ],
)
def test_a_source_that_has_changed_is_noticed(now: str | None, state: str, holds: bool, folder: Path) -> None:
    record = answered(folder, "How many people does the hall seat?")
    (folder / "hall.txt").unlink()
    if now is not None:
        (folder / "hall.txt").write_text(now, encoding="utf-8")
    found = replayed(folder, record)
    assert [span.state for check in found.checks for span in check.spans] == [state]
    assert [check.holds for check in found.checks] == [holds]
    assert found.holds is holds


@pytest.mark.parametrize(
    ("now", "state", "words"),
    [
        (HALL, "intact", HALL),
        ("New!\n\n" + HALL.replace(" and ", "\nand "), "moved", HALL.replace(" and ", "\nand ")),
        (HALL.replace("200", "300"), "changed", ""),
        (None, "gone", None),
    ],
)
def test_where_a_citation_stands_now(now: str | None, state: str, words: str | None, folder: Path) -> None:
    with opened(folder) as desk:
        (document,) = (desk.document(d.id) for d in desk.documents() if d.path == "hall.txt")
    passage = Passage(2, Chunk(document.id, 0, len(HALL), HALL), replace(document, text=""), 1.0)  # as it is kept
    citation = Citation(2, passage, 0, len(HALL), HALL)
    (folder / "hall.txt").unlink()
    if now is not None:
        (folder / "hall.txt").write_text(now, encoding="utf-8")
    with opened(folder) as desk:
        found = standing(desk, citation)
        assert found == standing(desk, citation.to_dict())
    assert (found.state, found.document and found.document.text[found.start : found.end]) == (state, words)
    assert found.document is None or found.document.path == "hall.txt"


def test_a_document_that_was_renamed_still_stands(folder: Path) -> None:
    record = answered(folder, "How many people does the hall seat?")
    (folder / "hall.txt").rename(folder / "the-hall.txt")
    found = replayed(folder, record)
    assert [span.state for check in found.checks for span in check.spans] == ["intact"]
    assert found.holds


def test_what_a_model_wrote_is_verified_again_and_not_asked(
    folder: Path, scripted: Callable[..., TextGenerator]
) -> None:
    def writes(prompt: Prompt) -> list[str]:
        numbers = {p.document.path: p.number for p in prompt.passages}
        return [
            f"The hall seats 200 people [{numbers['hall.txt']}][99]. ",
            f"Ada Quill is the manager of the shop [{numbers['shop.txt']}]. ",
            f"The shop burnt down in 1871 [{numbers['shop.txt']}].",
        ]

    context = Context(settings=asdict(replace(PLAIN, generator="scripted")))
    record = answered(folder, "What of the hall and the shop?", context, scripted(writes))
    found = replayed(folder, record)
    assert (found.again, found.reproduced, found.holds) == (None, None, True)
    assert [(c.then, c.now, [s.path for s in c.spans]) for c in found.checks] == [
        ("supported", "supported", ["hall.txt"]),
        ("supported", "supported", ["shop.txt"]),
    ]
    (folder / "shop.txt").write_text("The shop of the hall sells maps. Its manager is Bo Reed.", encoding="utf-8")
    found = replayed(folder, record)
    assert [check.holds for check in found.checks] == [True, False]
    assert not found.holds
    text = render_replay(found)
    assert "Not asked again (only an extractive answer comes again as it was), but verified again." in text
    assert "1 of 2 statements hold; 1 of 2 cited spans still stand." in text
    assert "shop.txt: the document has changed, and no longer has these words" in " ".join(text.split())


@pytest.mark.parametrize(
    ("reranker", "said"),
    [("auto", None), ("none", None), ("other/ranker", "The reranker was other/ranker then, and is none now.")],
)
def test_another_reranker_is_said_and_excuses_another_answer(reranker: str, said: str | None, folder: Path) -> None:
    record = answered(folder, "How many people does the hall seat?")
    settings = {**asdict(PLAIN), "reranker": reranker}
    changed = replace(record, context=Context(settings=settings), answer={**record.answer, "notes": ["other"]})
    found = replayed(folder, changed)
    assert (found.reproduced, found.differences, found.holds) == (False, ("notes",), said is not None)
    assert found.rerankers == (None if said is None else ("other/ranker", "none"))
    assert (said in render_replay(found)) if said else ("reranker" not in render_replay(found))
    assert found.to_dict()["reranker"] == (None if said is None else {"then": "other/ranker", "now": "none"})


def test_what_is_asked_again_and_with_which_settings(folder: Path) -> None:
    record = answered(folder, "Who is the mayor of Leeds?")
    unknown = {**asdict(PLAIN), "retries": 9, "of_a_later_version": 1}
    known = replace(record, context=Context(settings=unknown))
    assert reproducible(known)
    assert settings_of(known) == replace(PLAIN, retries=9)
    ranked = Context(settings={**asdict(PLAIN), "reranker": "onnx"})
    assert settings_of(replace(record, context=ranked)).reranker == "auto"  # it need not be installed here
    fallen_back = replace(record, context=Context(settings=asdict(Settings(generator="openai:m"))))
    for other in (replace(record, context=None), fallen_back):
        assert not reproducible(other)
        assert settings_of(other) == Settings(reranker="none")
        found = replayed(folder, other)
        assert (found.again, found.checks, found.holds) == (None, (), True)
        assert "It was a refusal: there is nothing to verify." in render_replay(found)
    assert "how it was asked was not kept" in render_replay(replayed(folder, replace(record, context=None)))
