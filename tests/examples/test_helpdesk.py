"""The worked example: no ticket is lost or drafted twice, and what goes stale is taken back."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from assistant import Assistant, Limits
from embeddings.hashing import HashingEmbedder

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "helpdesk"
sys.path.insert(0, str(EXAMPLE))  # a script imports what lies beside it
from helpdesk import handle, withdrawing, work  # noqa: E402
from tickets import ATTEMPTS, LEASE, Tickets  # noqa: E402

PRICE = "How much does a full allotment plot in Tarnley cost?"
KILLED = """
import os, signal, sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from assistant import Assistant
from embeddings.hashing import HashingEmbedder
from helpdesk import work
from tickets import Tickets

class Killing:
    name = "killing"
    def generate(self, prompt):
        os.kill(os.getpid(), signal.SIGKILL)
    def close(self):
        pass

with Assistant.open(sys.argv[2], generator=Killing(), embedder=HashingEmbedder(), reranker=None) as desk:
    work(desk, Tickets(Path(sys.argv[3])))
"""


def _python(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, env=environment)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("helpdesk")
    (folder / "documents").mkdir()
    rules = 'audiences = ["members"]\n[[documents]]\npaths = ["*"]\naudience = ["public", "staff"]\n'
    (folder / "documents" / "corpus.toml").write_text(rules, encoding="utf-8")
    text = "# Allotments in Tarnley\n\nA full allotment plot in Tarnley costs £48 a year.\n"
    (folder / "documents" / "allotments.md").write_text(text, encoding="utf-8")
    Assistant.build(folder / "documents", index=folder / "index", embedder="hashing")
    return folder / "index"


@pytest.fixture
def open_desk(index: Path, tmp_path: Path) -> Callable[..., Assistant]:
    def opened(limits: Limits | None = None) -> Assistant:
        history = tmp_path / "history.sqlite3"
        return Assistant.open(index, embedder=HashingEmbedder(), reranker=None, history=history, limits=limits)

    return opened


@pytest.fixture
def desk(open_desk: Callable[..., Assistant]) -> Iterator[Assistant]:
    with open_desk() as opened:
        yield opened


@pytest.fixture
def tickets(tmp_path: Path) -> Tickets:
    return Tickets(tmp_path / "queue.sqlite3")


def _later(tmp_path: Path, seconds: float) -> Tickets:
    """The same tickets in some seconds."""
    return Tickets(tmp_path / "queue.sqlite3", lambda: time.time() + seconds)


def test_the_demo_tells_its_story() -> None:
    done = _python(EXAMPLE / "helpdesk.py", "demo", "--embedder", "hashing")
    assert (done.returncode, done.stderr) == (0, "")
    for line in (
        "    A full allotment plot in Tarnley costs £48 a year. [1]",
        "#3 [web] Who is the new contractor for clearing gullies?\n  escalated",
        "    The new contractor for clearing gullies in Tarnley is Fenwick Drains. [1]",
        "  proof of #1: holds\n  with one figure changed: DOES NOT HOLD",
        "  draft 1, withdrawn: web/allotments.md now says “A full allotment plot in Tarnley costs £52 a year.”",
        "  draft 4, offered\n    A full allotment plot in Tarnley costs £52 a year. [1]",
        "  draft 2, flagged: web/pool.md now says “The Hollin Road swimming pool opens at 9am on weekdays.”",
        "  old proof of #1 against today's folder: DOES NOT HOLD",
        "  new proof of #1: holds",
    ):
        assert line in done.stdout
    assert done.stdout.count("Fenwick") == 2  # reply and quote of the colleague's ticket


def test_a_ticket_outlives_a_worker_that_is_killed(
    index: Path, desk: Assistant, tickets: Tickets, tmp_path: Path
) -> None:
    number = tickets.add("web", PRICE)
    killed = _python("-c", KILLED, EXAMPLE, index, tmp_path / "queue.sqlite3")
    assert (killed.returncode, killed.stderr) == (-9, "")
    assert work(desk, tickets) == 0  # it is the dead one's until the lease ends
    later = _later(tmp_path, LEASE + 1)
    assert (work(desk, later), work(desk, later)) == (1, 0)
    assert [(draft.state, draft.reply.splitlines()[0]) for draft in tickets.drafts(number)] == [
        ("offered", "A full allotment plot in Tarnley costs £48 a year. [1]")
    ]


def test_a_worker_that_took_too_long_changes_nothing(desk: Assistant, tickets: Tickets, tmp_path: Path) -> None:
    number = tickets.add("web", PRICE)
    slow = tickets.claim()
    assert slow is not None and work(desk, _later(tmp_path, LEASE + 1)) == 1
    handle(desk, tickets, slow)
    assert not tickets.escalate(slow, "too late") and not tickets.retry(slow, "too late", 1.0)
    assert [draft.state for draft in tickets.drafts(number)] == ["offered"]


def test_two_workers_at_once_draft_each_ticket_once(desk: Assistant, tickets: Tickets, tmp_path: Path) -> None:
    numbers = [tickets.add(("web", "staff")[n % 2], PRICE) for n in range(20)]
    done: list[int] = []
    workers = [
        threading.Thread(target=lambda: done.append(work(desk, Tickets(tmp_path / "queue.sqlite3")))) for _ in range(2)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sum(done) == 20
    assert [len(tickets.drafts(number)) for number in numbers] == [1] * 20


def test_too_many_questions_make_a_ticket_wait_and_at_last_call_a_person(
    open_desk: Callable[..., Assistant], tickets: Tickets, tmp_path: Path
) -> None:
    first, second = tickets.add("web", PRICE), tickets.add("web", PRICE)
    with open_desk(Limits(concurrent=1, waiting=0)) as desk:
        occupied = desk.stream(PRICE)
        next(occupied)
        assert work(desk, tickets) == 2
        (found,) = tickets.listed(first)
        assert (found.state, found.failures, found.claim) == ("waiting", 1, None)
        assert found.note.startswith("1 question is being answered")
        for attempt in range(2, ATTEMPTS + 1):
            claimed = _later(tmp_path, 3600.0 * attempt).claim()
            assert claimed is not None and claimed.id == first
            handle(desk, tickets, claimed)
        occupied.close()
        assert work(desk, _later(tmp_path, 36_000.0)) == 1
    states = [(ticket.id, ticket.state, ticket.note[:14]) for ticket in tickets.listed()]
    assert states == [(first, "escalated", "failed 5 times"), (second, "drafted", "")]


def test_what_cannot_be_answered_goes_to_a_person(desk: Assistant, tickets: Tickets) -> None:
    tickets.add("web", "Who chairs the planning committee of Skell?")
    tickets.add("councillor", " ")
    work(desk, tickets)
    refused, empty = tickets.listed()
    assert refused.state == empty.state == "escalated"
    assert refused.note.startswith("No document mentions") and "nearest: allotments.md" in refused.note
    assert empty.note.startswith("the question is empty")


def test_a_draft_that_is_stale_before_it_is_kept_is_made_again(desk: Assistant, tickets: Tickets) -> None:
    number = tickets.add("web", PRICE)
    slow = tickets.claim()
    assert slow is not None
    tickets.withdraw("an answer", "a source changed")
    assert not tickets.draft(slow, "a reply", "an answer", "{}")
    (waiting,) = tickets.listed(number)
    assert (waiting.state, tickets.drafts(number)) == ("waiting", [])
    assert work(desk, tickets) == 1 and [draft.state for draft in tickets.drafts(number)] == ["offered"]


def test_an_answer_that_goes_stale_is_taken_back(index: Path, desk: Assistant, tickets: Tickets) -> None:
    offered, sent = tickets.add("web", PRICE), tickets.add("staff", PRICE)
    work(desk, tickets)
    reply = tickets.send(sent)
    assert reply is not None and reply.reply.startswith("A full allotment plot") and tickets.send(sent) is None
    page = index.parent / "documents" / "allotments.md"
    before = page.read_text(encoding="utf-8")
    page.write_text(before.replace("£48", "£52"), encoding="utf-8")
    Assistant.build(index.parent / "documents", index=index, embedder="hashing")
    for _ in range(2):  # to be told twice changes nothing
        desk.audit(on_stale=withdrawing(tickets))
    why = "allotments.md now says “A full allotment plot in Tarnley costs £52 a year.”"
    assert [(draft.state, draft.note) for n in (offered, sent) for draft in tickets.drafts(n)] == [
        ("withdrawn", why),
        ("flagged", why),
    ]
    assert work(desk, tickets) == 1
    assert tickets.drafts(offered)[-1].reply.startswith("A full allotment plot in Tarnley costs £52 a year. [1]")
    page.write_text(before, encoding="utf-8")
    Assistant.build(index.parent / "documents", index=index, embedder="hashing")


@pytest.mark.parametrize("price", ["£48", "£57"])
def test_a_ticket_whose_index_was_deleted_and_made_again_is_drafted_anew(
    price: str, index: Path, tickets: Tickets, tmp_path: Path
) -> None:
    """Generations begin at 1 again: the old answer's id may come back, and it was told to be stale."""
    folder, again = shutil.copytree(index.parent / "documents", tmp_path / "documents"), tmp_path / "again"
    page, number = folder / "allotments.md", tickets.add("web", PRICE)
    text = page.read_text(encoding="utf-8")
    for now in ("£48", "£52", price):
        page.write_text(text.replace("£48", now), encoding="utf-8")
        if now == price:
            shutil.rmtree(again, ignore_errors=True)
        Assistant.build(folder, index=again, embedder="hashing")
        with Assistant.open(again, embedder=HashingEmbedder(), reranker=None, history=tmp_path / "h") as desk:
            desk.audit(on_stale=withdrawing(tickets))
            work(desk, tickets)
    drafts = tickets.drafts(number)
    assert [draft.state for draft in drafts] == ["withdrawn", "withdrawn", "offered"]
    assert drafts[-1].reply.startswith(f"A full allotment plot in Tarnley costs {price} a year. [1]")
    assert (drafts[-1].answer == drafts[0].answer) == (price == "£48")


def test_the_command_line(index: Path, desk: Assistant, tmp_path: Path) -> None:
    queue = tmp_path / "queue.sqlite3"

    def helpdesk(*arguments: str) -> tuple[int, str, str]:
        done = _python(EXAMPLE / "helpdesk.py", "--queue", queue, "--index", index, *arguments)
        return done.returncode, done.stdout, done.stderr

    assert helpdesk("add", "web", PRICE) == (0, "#1\n", "")
    assert helpdesk("send", "1") == (2, "", "helpdesk: ticket 1 has no draft to send: it is waiting\n")
    work(desk, Tickets(queue))
    assert helpdesk("list") == (0, f"#1    drafted    web         {PRICE}\n", "")
    assert helpdesk("show", "1")[1].startswith(f"#1 [web] {PRICE}\n  drafted\n  draft 1, offered\n    A full allotment")
    assert helpdesk("send", "1")[1].startswith("A full allotment plot in Tarnley costs £48 a year. [1]\n")
    assert helpdesk("show", "9") == (2, "", "helpdesk: no ticket 9: `list` shows all\n")
