"""A caller sees what it may of a history; the rest is as if it did not exist."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assistant.records.conversations import Conversations
from assistant.records.feedback import FeedbackLog
from assistant.records.gaps import gaps
from assistant.records.history import Context, History
from assistant.records.storage import Permit, Seen
from assistant.types import Answer, Citation, Conflict, ConflictingValue, Passage, Refusal, Statement
from corpus.errors import UnavailableError, UsageError
from corpus.types import Chunk, Document
from tests.assistant.test_history import answer_of

SECRET = "zanzibarite"


def passage(name: str, number: int = 1) -> Passage:
    document = Document(f"id-{name}", f"{name}.txt", name, None, None, "")
    return Passage(number, Chunk(document.id, 0, 3, "The"), document, 0.5)


def saying(number: int, text: str, *passages: Passage) -> Answer:
    return answer_of(f"What of {text}?", number, statements=(Statement(text, "quoted", 1.0),), passages=passages)


def allowing(predicate: Callable[[Seen], bool]) -> Permit:
    return lambda: nullcontext(predicate)


def seen_by(*groups: str, hidden: tuple[str, ...] = ()) -> Permit:
    def predicate(seen: Seen) -> bool:
        within = seen.audience is not None and seen.audience <= set(groups)
        return within and not any(path in hidden for _, path in seen.documents)

    return allowing(predicate)


@pytest.fixture
def history(tmp_path: Path) -> History:
    """By conversation: what is for all staff, for the public, and partly for both."""
    kept = History(tmp_path / "h")
    refused = Refusal("weak_evidence", f"Nothing on {SECRET}.", (passage("secret"),), (SECRET,))
    for number, (conversation, answer, audience) in enumerate(
        (
            ("open", saying(1, "bees", passage("bees")), ("public",)),
            ("staff", saying(2, f"{SECRET} one"), ("staff",)),
            ("mixed", saying(3, "wasps"), ("public",)),
            ("mixed", saying(4, f"{SECRET} two"), ("public", "staff")),
            ("all", saying(5, f"{SECRET} three"), None),
            ("late", saying(6, f"{SECRET} four", passage("secret")), ("public",)),
            ("gap", answer_of(f"Who is {SECRET}?", 7, refusal=refused), ("public",)),
            ("none", saying(8, "ants"), ()),
        ),
        1,
    ):
        link = kept.add(conversation, answer, Context(audience=audience))
        assert link.number == number
    return kept


def test_what_is_seen_depends_on_audience_and_every_named_document(history: History) -> None:
    public = history.permitted(seen_by("public", hidden=("secret.txt",)))
    assert [r.conversation for r in public.records()] == ["open", "none"]
    kept, log = Conversations(public), FeedbackLog(public)
    assert [(c.id, c.title, c.questions) for c in kept.listed()] == [
        ("none", "What of ants?", 1),
        ("open", "What of bees?", 1),
    ]
    assert [c.id for c in kept.listed(1)] == ["none"]
    assert kept.find(SECRET) == []
    assert [m.number for m in kept.find("what")] == [8, 1]
    assert [m.number for m in kept.find("what", limit=1)] == [8]
    assert gaps(public.records(brief=True)) == []
    assert [g.missing for g in gaps(history.records(brief=True))] == [(SECRET,)]
    for id in ("staff", "mixed", "all", "late", "gap", "unknown"):
        assert public.records(id) == []
        for change in (kept.delete, lambda id: kept.rename(id, "x"), kept.named, kept.restore):
            with pytest.raises(UsageError, match=f"conversation '{id}'"):
                change(id)
    for number in (2, 3, 4, 5, 6, 7, 9):
        with pytest.raises(UsageError, match="isn't kept, or was deleted"):
            log.add(f"{number:024x}", "right")
        with pytest.raises(UsageError, match="no answer"):
            public.record(f"{number:024x}")
        with pytest.raises(UsageError, match="no answer"):
            public.proof(f"{number:024x}")
    assert len(Conversations(history).listed()) == 7
    assert [c.id for c in Conversations(history.permitted(seen_by("public", "staff"))).listed()] == [
        "none", "gap", "late", "mixed", "staff", "open",
    ]  # fmt: skip
    assert [r.conversation for r in history.permitted(seen_by()).records()] == ["none"]


def test_judgements_of_what_is_not_seen_are_neither_listed_nor_taken_back(history: History) -> None:
    public = FeedbackLog(history.permitted(seen_by("public")))
    for number in range(1, 9):
        FeedbackLog(history).add(f"{number:024x}", "wrong", f"{SECRET} {number}")
    assert [f.answer for f in public.listed()] == [f"{n:024x}" for n in (1, 6, 7, 8)]
    for number in range(1, 9):
        public.remove(f"{number:024x}")
    assert [f.answer for f in FeedbackLog(history).listed()] == [f"{n:024x}" for n in (2, 3, 4, 5)]
    assert public.cases() == ([], [])


def test_erasing_reaches_only_what_is_seen(history: History) -> None:
    everything = Conversations(history)
    for id in ("open", "staff", "mixed"):
        everything.delete(id)
    public = Conversations(history.permitted(seen_by("public")))
    with pytest.raises(UsageError, match="no such conversation 'staff'"):
        public.restore("staff")
    assert (public.erase(), public.erase()) == (1, 0)
    everything.restore("mixed")
    assert (everything.erase(), history.verify()) == (1, [])
    assert "open" not in [c.id for c in everything.listed()]


def test_documents_are_named_wherever_they_stand_in_an_answer(tmp_path: Path) -> None:
    cited = [Citation(1, passage(name)) for name in "abcd"]
    answer = answer_of(
        statements=(Statement("x", "quoted", 1.0, (cited[0], Citation(9, None))),),
        conflicts=(Conflict("x", (cited[1],), (ConflictingValue("1", (cited[2],), None, True),)),),
        refusal=Refusal("weak_evidence", "x", (passage("near"),)),
        passages=(passage("offered"),),
    )
    history = History(tmp_path / "h")
    history.add("a", answer, Context(audience=("b", "a")))
    documents = {(f"id-{name}", f"{name}.txt") for name in ("a", "b", "c", "near", "offered")}
    seen: list[Seen] = []
    history.permitted(allowing(lambda one: not seen.append(one))).records()
    assert {(one.audience, one.documents) for one in seen} == {(frozenset("ab"), frozenset(documents))}


def test_a_predicate_is_opened_for_each_look(history: History) -> None:
    opened = []

    @contextmanager
    def deciding() -> Iterator[Callable[[Seen], bool]]:
        opened.append("open")
        with seen_by("public")() as predicate:
            yield predicate
        opened.append("closed")

    assert len(history.permitted(deciding).records()) == 4
    assert opened == ["open", "closed"]


def test_a_predicate_that_fails_fails_with_its_own_error(history: History) -> None:
    def failing(_: Seen) -> bool:
        raise UnavailableError("the index is gone")

    with pytest.raises(UnavailableError, match=r"^the index is gone$"):
        history.permitted(allowing(failing)).records()
    assert len(history.records()) == 8


def test_an_answer_without_its_row_of_who_may_see_it_is_seen_by_nobody_restricted(history: History) -> None:
    history.change("DELETE FROM seen WHERE number = 8")
    assert "none" not in [r.conversation for r in history.permitted(allowing(lambda _: True)).records()]
    assert "none" in [r.conversation for r in history.records()]


groups = st.none() | st.lists(st.sampled_from("abc"), unique=True).map(sorted).map(tuple)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30)
@given(
    st.lists(st.tuples(st.sampled_from("xyz"), groups, st.sampled_from(("d", "e"))), max_size=8),
    st.frozensets(st.sampled_from("abc")),
    st.frozensets(st.sampled_from(("d.txt", "e.txt"))),
)
def test_a_conversation_is_seen_just_where_each_of_its_answers_is(
    asked: list[tuple[str, tuple[str, ...] | None, str]], audience: frozenset[str], hidden: frozenset[str]
) -> None:
    history = History(Path(":memory:"))
    for number, (conversation, groups, name) in enumerate(asked, 1):
        history.add(conversation, saying(number, "it", passage(name)), Context(audience=groups))
    scoped = history.permitted(seen_by(*audience, hidden=tuple(hidden)))
    unseen = {c for c, groups, name in asked if groups is None or set(groups) - audience or f"{name}.txt" in hidden}
    expected = [(n, c) for n, (c, _, _) in enumerate(asked, 1) if c not in unseen]
    assert [(r.number, r.conversation) for r in scoped.records()] == expected
    assert {c.id for c in Conversations(scoped).listed()} == {c for _, c in expected}
    assert [m.number for m in Conversations(scoped).find("what it")] == [n for n, _ in expected][::-1]


def test_an_audience_comes_back_and_is_written_only_where_there_is_one() -> None:
    assert "audience" not in Context().to_json()
    for audience in ((), ("a",), ("a", "b")):
        context = replace(Context(), audience=audience)
        assert Context.from_json(context.to_json()) == context
    with pytest.raises(TypeError, match="no list of names"):
        Context.from_json(Context(audience=("a",)).to_json().replace('["a"]', '"a"'))
