"""Every kept answer has a link over the one before: what was changed, taken out or put in is named."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from dataclasses import astuple
from pathlib import Path

import pytest

from assistant.api import Assistant
from assistant.cli import main
from assistant.records.chain import GENESIS, digest_of, hash_of, line
from assistant.records.conversations import Conversations
from assistant.records.history import FILE, Context, History
from embeddings.hashing import HashingEmbedder
from tests.assistant.test_history import COST, answer_of
from tests.assistant.test_history_versions import of_version_2

ROOT = Path(__file__).parents[2]


def filled(file: Path) -> History:
    """Five answers in three conversations."""
    history = History(file)
    for number, conversation in enumerate("abacb", 1):
        history.add(conversation, answer_of(f"{number}?", number), Context(audience=("public",)))
    return history


def test_links_follow_one_another_and_are_recomputed_from_what_is_stored(tmp_path: Path) -> None:
    history, previous = History(tmp_path / "h"), GENESIS
    assert (history.head(), history.verify()) == (None, [])
    for number in range(1, 4):
        link = history.add("a", answer_of("Größe?", number), Context())
        assert (link.number, link.previous, link.origin) == (number, previous, "kept")
        assert link.digest == digest_of(link.salt, link.row.columns())
        assert link.hash == hash_of(previous, line(number, "kept", link.digest)) == history.head()
        with sqlite3.connect(tmp_path / "h") as connection:
            stored = connection.execute(
                "SELECT conversation, asked, question, answer, context FROM answers WHERE number = ?", (number,)
            ).fetchone()
        assert stored == astuple(link.row)
        previous = link.hash
    assert len({link.salt for link in (history.add("a", answer_of()), history.add("a", answer_of()))}) == 2
    assert history.verify() == []


@pytest.mark.parametrize(
    ("tampering", "found"),
    [
        ("UPDATE answers SET question = 'Else?' WHERE number = 2", ["answer 2 was changed"]),
        ("UPDATE answers SET answer = replace(answer, '3?', '4?') WHERE number = 3", ["answer 3 was changed"]),
        ("UPDATE answers SET asked = '2020-01-01' WHERE number = 1", ["answer 1 was changed"]),
        ("UPDATE answers SET context = NULL WHERE number = 5", ["answer 5 was changed"]),
        ("UPDATE answers SET conversation = 'a' WHERE number = 4", ["answer 4 was changed"]),
        ("UPDATE seen SET audience = NULL WHERE number = 4", ["answer 4: what is kept of who may see it was changed"]),
        ("UPDATE seen SET documents = '[1]' WHERE number = 4", ["answer 4: what is kept of who may see it"]),
        ("UPDATE seen SET salt = 'x' WHERE number = 4", ["answer 4 was changed"]),
        ("DELETE FROM answers WHERE number = 2", ["answer 2 is missing, and was not erased"]),
        ("DELETE FROM links WHERE number = 2", ["link 3 does not follow link 1", "answer 2 was inserted: it has no"]),
        ("UPDATE links SET digest = 'x' WHERE number = 2", ["link 2 was changed", "answer 2 was changed"]),
        ("UPDATE links SET hash = 'x' WHERE number = 2", ["link 2 was changed", "link 3 does not follow link 2"]),
        (
            "INSERT INTO answers VALUES (9, 'z', '2024-01-01', 'In?', '{}', NULL)",
            ["answer 9 was inserted: it has no link", "the newest links are missing: 9 answers were kept"],
        ),
        (
            "".join(f"DELETE FROM {table} WHERE number = 5;" for table in ("answers", "links", "seen")),
            ["the newest links are missing: 5 answers were kept, and the chain ends with 4"],
        ),
        (
            "UPDATE links SET erased = 'x' WHERE number = 1",
            ["answer 1 was erased on x, and something stands in its place"],
        ),
    ],
)
def test_what_was_tampered_with_is_named(tampering: str, found: list[str], tmp_path: Path) -> None:
    history = filled(tmp_path / "h")
    with sqlite3.connect(tmp_path / "h") as connection:
        connection.executescript(tampering)
    problems = history.verify()
    assert len(problems) == len(found)
    assert all(problem.startswith(beginning) for problem, beginning in zip(problems, found, strict=True)), problems


def test_what_was_erased_leaves_its_link_and_nothing_of_its_content(tmp_path: Path) -> None:
    history = filled(tmp_path / "h")
    before, kept = history.head(), Conversations(history)
    kept.rename("b", "Named")
    kept.delete("a")
    assert (kept.erase(), history.verify(), history.head()) == (1, [], before)
    with sqlite3.connect(tmp_path / "h") as connection:
        assert connection.execute("SELECT number FROM links WHERE erased IS NOT NULL").fetchall() == [(1,), (3,)]
        assert connection.execute("SELECT number FROM seen").fetchall() == [(2,), (4,), (5,)]
    assert history.add("d", answer_of("More?")).previous == before
    assert history.verify() == []


def test_answers_of_an_earlier_version_are_linked_in_order_and_marked(tmp_path: Path) -> None:
    of_version_2(tmp_path / "h")
    with sqlite3.connect(tmp_path / "h") as connection:
        connection.execute("INSERT INTO answers VALUES (7, 'z', '2026', 'Erased?', '{}', NULL)")
        connection.execute("DELETE FROM answers WHERE number = 7")
    history = History(tmp_path / "h")
    assert history.verify() == []
    link = history.add("one", answer_of())
    assert link.number == 8
    assert history.verify() == []
    with sqlite3.connect(tmp_path / "h") as connection:
        links = connection.execute("SELECT number, origin, erased FROM links ORDER BY number").fetchall()
        assert links == [(n, "migrated", None) for n in (1, 2, 4)] + [(7, "migrated", "before"), (8, "kept", None)]
        assert {a for (a,) in connection.execute("SELECT audience FROM seen")} == {None}
        connection.execute("UPDATE answers SET question = '' WHERE number = 2")
    assert history.verify() == ["answer 2 was changed"]


ADDING = """
import sys
from dataclasses import astuple
from pathlib import Path
from assistant.records.history import History
from tests.assistant.test_history import answer_of
history = History(Path(sys.argv[1]))
for number in range(20):
    history.add(sys.argv[2], answer_of(f"{number}?", number))
"""


def test_two_processes_make_one_chain(tmp_path: Path) -> None:
    command = [sys.executable, "-c", ADDING, str(tmp_path / "h")]
    children = [subprocess.Popen([*command, name], cwd=ROOT) for name in ("a", "b")]
    assert [child.wait() for child in children] == [0, 0]
    history = History(tmp_path / "h")
    assert (len(history.records()), history.verify()) == (40, [])


def test_the_commands_tell_what_was_changed(museum: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    index = str(shutil.copytree(museum, tmp_path / "index", ignore=shutil.ignore_patterns("history*")))
    assert main(["conversations", "verify", "--index", index]) == 0
    assert "none, nothing was kept yet" in capsys.readouterr().out
    with Assistant.open(index, embedder=HashingEmbedder(), reranker=None) as desk:
        desk.ask(COST)
    head = History(Path(index) / FILE).head()
    assert main(["conversations", "verify", "--index", index]) == 0
    said = capsys.readouterr().out
    assert said == f"Everything that was kept is as it was written.\nHead of the chain: {head}\n"
    assert main(["doctor", "--index", index]) == 0
    with sqlite3.connect(Path(index) / FILE) as connection:
        connection.execute("UPDATE answers SET question = 'Else?'")
    assert main(["conversations", "verify", "--index", index, "--json"]) == 1
    capsys.readouterr()
    assert main(["conversations", "verify", "--index", index, "--json"]) == 1
    assert json.loads(capsys.readouterr().out) == {"problems": ["answer 1 was changed"], "head": head}
    assert main(["doctor", "--index", index]) == 3
    assert "history.sqlite3: answer 1 was changed [put the file back from a copy]" in capsys.readouterr().out
    (Path(index) / FILE).write_text("no database, really not")
    assert main(["doctor", "--index", index]) == 3
    assert "history.sqlite3: the history" in capsys.readouterr().out
