"""Conversations are listed, found by their words, renamed, deleted, restored and erased."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from assistant.records.conversations import MOST_TITLE_CHARACTERS, Conversation, Conversations, Match
from assistant.records.feedback import FeedbackLog
from assistant.records.history import History
from assistant.types import Answer, Statement
from corpus.errors import UnavailableError, UsageError
from embeddings.types import Snapshot

ROOT = Path(__file__).parents[2]
SAID = (
    ("a", "Who runs the mill?", "Pauline Orrin runs it with two helpers."),
    ("a", "And the café?", "It serves soup from noon until 3pm."),
    ("b", "What did the repairs cost?", "The repairs to the roof cost £412,000."),
)


def answer(number: int, question: str, text: str) -> Answer:
    kept = Answer(f"{number:024x}", question, question, (), None, (), (), "e", Snapshot(1, "e", "c", 1, 1))
    return replace(kept, statements=(Statement(text, "quoted", 1.0),))


def history_of(file: Path, said: Iterable[tuple[str, str, str]] = SAID) -> History:
    history = History(file)
    for number, (conversation, question, text) in enumerate(said, 1):
        history.add(conversation, answer(number, question, text))
    return history


@pytest.fixture
def kept(tmp_path: Path) -> Conversations:
    return Conversations(history_of(tmp_path / "h.sqlite3"))


def numbers(found: list[Match]) -> list[int]:
    return [match.number for match in found]


def test_conversations_are_listed_newest_first_by_their_first_question(tmp_path: Path, kept: Conversations) -> None:
    assert [(c.id, c.title, c.questions) for c in kept.listed()] == [
        ("b", "What did the repairs cost?", 1),
        ("a", "Who runs the mill?", 2),
    ]
    newest, older = kept.listed()
    assert older.began < older.last < newest.began == newest.last
    assert newest.last.utcoffset() is not None
    assert kept.listed(1) == [newest]
    assert [r.question for r in kept.records("a")] == ["Who runs the mill?", "And the café?"]
    assert [r.question for r in kept.records("a", last=1)] == ["And the café?"]
    assert Conversations(History(tmp_path / "none")).listed() == []
    assert not (tmp_path / "none").exists()


def test_words_are_found_in_questions_answers_and_titles_the_newest_first(kept: Conversations) -> None:
    assert numbers(kept.find("the")) == [3, 2, 1]
    assert numbers(kept.find("the", limit=2)) == [3, 2]
    assert numbers(kept.find("CAFE")) == [2]
    assert numbers(kept.find("repair roo")) == [3]
    assert numbers(kept.find("£412,000")) == [3]
    assert numbers(kept.find("pauline soup")) == []
    kept.rename("a", "Food  at\nthe Mill")
    (found,) = kept.find("food")
    assert found == Match(kept.listed()[1], 1, "Who runs the mill?", "Food at the Mill")
    assert (found.conversation.title, found.to_dict()["conversation"]["title"]) == ("Food at the Mill",) * 2
    (found,) = kept.find("roof")
    assert (found.question, found.snippet) == ("What did the repairs cost?", "The repairs to the roof cost £412,000.")


def test_letters_that_fold_into_several_find_themselves(tmp_path: Path) -> None:
    kept = Conversations(history_of(tmp_path / "h", [("a", "Welche Straße?", "Die Weiße Gasse in İzmir, im ﬁn.")]))
    for text in ("straße", "STRAße", "weiße gasse", "izmir", "İZMIR", "ﬁn"):
        assert numbers(kept.find(text)) == [1], text


def test_what_is_shown_of_a_match_is_around_it_and_clean(tmp_path: Path) -> None:
    long = f"{'word ' * 500}the \x1b]52;c;eA==\x07lantern\u202e is [@click=app.quit]here[/] {'word ' * 500}"
    kept = Conversations(history_of(tmp_path / "h", [("a", "Where?", long), ("a", "Lone?", "Half \ud800 of one.")]))
    (found,) = kept.find("lantern")
    assert "the ␛]52;c;eA==␇lantern\ufffd is [@click=app.quit]here[/] word" in found.snippet
    assert len(found.snippet) < 250
    assert kept.find("half")[0].snippet == "Half \ufffd\ufffd\ufffd of one."


def test_passages_are_not_searched_and_long_answers_only_at_their_beginning(tmp_path: Path) -> None:
    kept = Conversations(history_of(tmp_path / "h", [("a", "Where?", f"{'word ' * 2000}lantern")]))
    assert (len(kept.find("word")), kept.find("lantern")) == (1, [])


HOSTILE = [
    '"', '""', "'", "*", "^a", "a*", "(", ")", "NOT", "AND OR NOT", "NEAR(a b)", "a NEAR/2 b", "question:who",
    "{a b}:c", "-mill", "+mill", "\0", "mill\0", "\x00" * 600, "…!?", " \n\t", "\ud800", "\udcff mill", "\u202e",
    "e" + "\u0301" * 400, "mill " * 1000, "x" * 5000, '"' * 5000, "(" * 5000, "\u0600", "\U000e0001",
    "\U0001f600 \U0001f469\u200d\U0001f469", "漢字", "ﬁ", "İ", "ß", "--", "; DROP TABLE answers",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_any_text_is_looked_for(text: str, kept: Conversations) -> None:
    assert set(numbers(kept.find(text))) <= {1, 2, 3}
    assert len(kept.listed()) == 2


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(exclude_categories=()), max_size=60) | st.text('"*^(){}:+-,.\0 aAND', max_size=30))
@example("a\x00")
def test_any_text_at_all_is_looked_for(kept: Conversations, text: str) -> None:
    assert set(numbers(kept.find(text))) <= {1, 2, 3}


def test_a_pasted_answer_finds_itself(tmp_path: Path) -> None:
    text = " ".join(f"word{number}, and “so on”;" for number in range(400))
    kept = Conversations(history_of(tmp_path / "h", [*SAID, ("c", "What?", text)]))
    assert numbers(kept.find(text)) == [4]


def test_a_title_is_one_clean_line(kept: Conversations) -> None:
    kept.rename("a", " Mills,\n\x1b[31mred\u202e ")
    assert kept.listed()[1].title == "Mills, ␛[31mred\ufffd"
    for title in ("", " \n", "x" * (MOST_TITLE_CHARACTERS + 1)):
        with pytest.raises(UsageError, match="a title has 1 to 200 characters, this one has"):
            kept.rename("a", title)
    with pytest.raises(UsageError, match="half of a character"):
        kept.rename("\ud800", "x")
    with pytest.raises(UsageError, match="no such conversation 'z'"):
        kept.rename("z", "x")


def test_a_deletion_can_be_taken_back_until_it_is_erased(kept: Conversations) -> None:
    before = kept.listed()
    kept.rename("a", "Mills")
    kept.delete("a")
    assert [c.id for c in kept.listed()] == ["b"]
    assert (numbers(kept.find("the")), kept.find("mills"), kept.records("a")) == ([3], [], [])
    for change in (kept.delete, lambda id: kept.rename(id, "x"), kept.named):
        with pytest.raises(UsageError, match="conversation 'a'"):
            change("a")
    kept.restore("a")
    assert kept.listed() == [before[0], replace(before[1], title="Mills")]
    assert numbers(kept.find("mills")) == [1]
    with pytest.raises(UsageError, match="no such conversation 'a': it may have been deleted or erased"):
        kept.restore("a")
    assert kept.erase() == 0
    kept.delete("a")
    assert (kept.erase(), kept.erase()) == (1, 0)
    with pytest.raises(UsageError, match="it may have been deleted or erased"):
        kept.restore("a")
    assert [c.id for c in kept.listed()] == ["b"]


def test_what_is_erased_stands_nowhere_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "h.sqlite3"
    filler = [("f", f"What of number {n}?", f"Number {n} is as it was, and so on.") for n in range(300)]
    history = history_of(
        file, [*filler[:150], ("x", "Where is the zanzibarite?", "Quetzalish birds keep it."), *filler]
    )
    kept, log = Conversations(history), FeedbackLog(history)
    kept.rename("x", "Vorpalish matters")
    kept.rename("x", "Frumiously renamed")
    (record,) = kept.records("x")
    log.add(record.answer["id"], "wrong", "Mimsily wrong")
    log.add(record.answer["id"], "wrong", "Borogovely wrong")
    secrets = [b"zanzibarite", b"uetzalish", b"orpalish", b"rumiously", b"imsily", b"orogovely"]
    kept.delete("x")
    assert kept.erase() == 1
    other = sqlite3.connect(file)
    other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    other.close()
    history.close()
    for path in tmp_path.iterdir():
        content = path.read_bytes().lower()
        assert [secret for secret in secrets if secret in content] == []
    assert (len(Conversations(History(file)).find("number", 1000)), FeedbackLog(History(file)).listed()) == (450, [])


def test_one_is_named_by_the_beginning_of_its_id(tmp_path: Path) -> None:
    kept = Conversations(history_of(tmp_path / "h", [(id, "Who?", "He.") for id in ("aa1", "aa2", "ab", "abc")]))
    assert kept.named("aa1").id == kept.named(" aa1\n").id == "aa1"
    assert kept.named("ab").id == "ab"
    assert kept.named("abc").id == "abc"
    with pytest.raises(UsageError, match="several conversations have an id that begins with 'aa': aa1, aa2; give more"):
        kept.named("aa")
    for unknown in ("", "z", "%", "a_", "*"):
        with pytest.raises(UsageError, match="`assistant conversations` lists them"):
            kept.named(unknown)


def test_a_damaged_row_keeps_no_list_from_being_shown(tmp_path: Path, kept: Conversations) -> None:
    with sqlite3.connect(tmp_path / "h.sqlite3") as connection:
        connection.execute("UPDATE answers SET answer = '{' WHERE number = 1")
        connection.execute("UPDATE conversations SET began = 'then', last = x'80' WHERE id = 'b'")
    assert [(c.id, c.last.year) for c in kept.listed()] == [("b", 1970), ("a", kept.listed()[1].last.year)]
    assert numbers(kept.find("mill")) == [1]
    assert len(kept.records("b")) == 1
    with pytest.raises(UnavailableError, match=r"row 1 of the history .*h\.sqlite3' is damaged"):
        kept.records("a")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    history_of(folder / "h.sqlite3").close()
    for path in (folder / "h.sqlite3", folder):
        path.chmod(0o555 if path.is_dir() else 0o444)
    kept = Conversations(History(folder / "h.sqlite3"))
    try:
        with pytest.raises(UnavailableError, match=r"h\.sqlite3' can't be used .*check its permissions and the free"):
            kept.rename("a", "x")
    finally:
        folder.chmod(0o755)


FULL = """
import resource, sys
from pathlib import Path
from assistant.records.conversations import Conversations
from assistant.records.history import History
from corpus.errors import UnavailableError
history = History(Path(sys.argv[1]))
kept = Conversations(history)
kept.delete("a")
size = Path(sys.argv[1]).stat().st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
for change in (kept.erase, lambda: kept.rename("b", "y" * 200)):
    try:
        print("done", change())
    except UnavailableError as error:
        print(error)
"""


def test_a_full_disk_is_told_and_what_was_deleted_can_still_be_erased(tmp_path: Path) -> None:
    file = tmp_path / "h.sqlite3"
    history_of(file).close()
    child = subprocess.run([sys.executable, "-c", FULL, file], cwd=ROOT, capture_output=True, text=True)
    assert (child.returncode, child.stderr) == (0, "")
    lines = child.stdout.splitlines()
    assert len(lines) == 2
    assert all("h.sqlite3' can't be used" in line and "the free space" in line for line in lines)
    kept = Conversations(History(file))
    assert [c.title for c in kept.listed()] == ["What did the repairs cost?"]
    kept.restore("a")
    assert numbers(kept.find("the")) == [3, 2, 1]
    kept.delete("a")
    assert kept.erase() == 1


def test_a_list_of_values_for_json() -> None:
    from datetime import UTC, datetime

    day = datetime(2024, 3, 1, 12, tzinfo=UTC)
    assert Conversation("a", "Mills", day, day, 2).to_dict() == {
        "id": "a", "title": "Mills", "began": "2024-03-01T12:00:00+00:00", "last": "2024-03-01T12:00:00+00:00",
        "questions": 2,
    }  # fmt: skip
