"""A conversation remembers, is gone on with, and is answered one question after the other."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from assistant.api import Assistant
from assistant.limits import Limits
from assistant.types import Finished
from corpus.errors import Overloaded, UsageError
from tests.assistant.test_limits import COST, LINE, Held

NEXT = "How long did they take?"
Opened = Callable[..., Assistant]


def test_a_follow_up_is_understood_and_kept_beside_the_first(desk: Assistant) -> None:
    talk = desk.conversation()
    first = talk.ask("Who is the director of the Marram Museum?")
    second = talk.ask("When did she join from the Fenland Trust?")
    assert [turn.answer for turn in talk.turns] == [first.text, second.text]
    assert second.text == "She joined from the Fenland Trust in 2019. [1]"
    assert [record.answer["id"] for record in desk.history(talk.id)] == [first.id, second.id]


def test_a_kept_conversation_is_gone_on_with(open_museum: Opened) -> None:
    with open_museum() as desk:
        desk.conversation("ticket 17").ask(COST)
        desk.conversation("ticket 17").ask("Who is the mayor of Leeds?")
        again = desk.conversation("ticket 17")
        assert [(turn.question, turn.answer) for turn in again.turns] == [
            (COST, LINE.strip()),
            ("Who is the mayor of Leeds?", ""),  # a refusal says nothing of the matter
        ]


def test_a_stream_is_remembered_once_it_has_ended(desk: Assistant) -> None:
    talk = desk.conversation()
    stream = talk.stream(COST)
    assert talk.turns == ()
    assert isinstance([*stream][-1], Finished)
    assert [turn.question for turn in talk.turns] == [COST]
    dropped = talk.stream(NEXT)
    next(dropped)
    del dropped
    talk.ask(NEXT)
    assert [turn.question for turn in talk.turns] == [COST, NEXT]


def test_questions_of_one_conversation_follow_each_other(open_museum: Opened) -> None:
    writer = Held()
    with open_museum(writer, limits=Limits(patience=20)) as desk, ThreadPoolExecutor(6) as threads:
        talk = desk.conversation()
        asked = [threads.submit(talk.ask, f"{COST[:-1]}, once more {n}?") for n in range(6)]
        writer.begun.acquire()
        writer.released.set()
        for future in asked:
            future.result()
        assert writer.most == 1
        assert [len(r.context.history) for r in desk.history(talk.id) if r.context] == [0, 1, 2, 3, 4, 5]


def test_a_question_in_the_midst_of_another_is_told_to_come_again(open_museum: Opened) -> None:
    with open_museum(limits=Limits(patience=0.01)) as desk:
        talk = desk.conversation()
        stream = talk.stream(COST)
        next(stream)
        with pytest.raises(Overloaded):
            talk.ask(NEXT)
        assert not stream.answer().refused
        assert not desk.ask(COST).refused


def test_nobody_goes_on_with_a_conversation_that_he_may_not_see(open_museum: Opened) -> None:
    with open_museum() as desk:
        desk.ask(COST, conversation="ticket 17")
        nobody = desk.seen_by(set())
        with pytest.raises(UsageError, match="'ticket 17' can't be gone on with here"):
            nobody.conversation("ticket 17")
        with pytest.raises(UsageError, match="'ticket 17' can't be gone on with here"):
            nobody.ask(COST, conversation="ticket 17")
        assert nobody.conversation("ticket 18").ask(COST).refused
        assert len(nobody.conversation("ticket 18").turns) == 1
        assert len(desk.history("ticket 17")) == 1
