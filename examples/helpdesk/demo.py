"""The story of a few tickets, told as it happens, on documents of an invented town in a temporary folder."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path

from helpdesk import show, withdrawing, work
from tickets import Ticket, Tickets

from assistant import Assistant, AuditedAnswer, verify_proof

DOCUMENTS = {
    "corpus.toml": """audiences = ["public", "members", "staff"]

[[documents]]
paths = ["web/*"]
audience = ["public", "staff"]

[[documents]]
paths = ["internal/*"]
audience = ["staff"]
""",
    "web/allotments.md": """# Allotments in Tarnley

12 January 2025

A full allotment plot in Tarnley costs £48 a year. The waiting list for plots opens on 1 March 2025.
""",
    "web/pool.md": """# Hollin Road swimming pool

3 February 2025

The Hollin Road swimming pool opens at 7am on weekdays. Lane swimming costs £5.20 for adults.
""",
    "internal/gullies.md": """# Gullies: note for the contact centre

10 February 2025

The new contractor for clearing gullies in Tarnley is Fenwick Drains. Do not name it before the contract is signed.
""",
}
GULLIES = "Who is the new contractor for clearing gullies?"


def demo(embedder: str = "default") -> None:
    """Prints the story."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "documents"
        for path, text in DOCUMENTS.items():
            _write(folder / path, text)
        index = Path(temporary) / "index"
        Assistant.build(folder, index=index, embedder=embedder)
        tickets = Tickets(Path(temporary) / "helpdesk.sqlite3")
        taken_back, withdraw = threading.Event(), withdrawing(tickets)

        def on_stale(answer: AuditedAnswer) -> None:
            withdraw(answer)
            taken_back.set()

        with Assistant.open(index, on_stale=on_stale) as desk:
            _say("Four tickets come in. The same question is asked by a resident and by a colleague.")
            price = tickets.add("web", "How much does a full allotment plot in Tarnley cost?")
            opening = tickets.add("web", "When does the Hollin Road swimming pool open on weekdays?")
            resident, colleague = tickets.add("web", GULLIES), tickets.add("staff", GULLIES)
            work(desk, tickets)
            for ticket in tickets.listed():
                _tell(tickets, ticket)

            _say("The second reply is sent. What a reply rests on can be proved with the documents alone:")
            tickets.send(opening)
            proof = tickets.drafts(price)[-1].proof
            print(f"  proof of #{price}: {_verified(proof, folder)}")
            print(f"  with one figure changed: {_verified(proof.replace('48 a year', '38 a year'), folder)}")

            _say("The council raises the price and changes the hours; the folder is indexed again.")
            _write(folder / "web/allotments.md", DOCUMENTS["web/allotments.md"].replace("£48", "£52"))
            _write(folder / "web/pool.md", DOCUMENTS["web/pool.md"].replace("at 7am", "at 9am"))
            Assistant.build(folder, index=index, embedder=embedder)
            _wait(tickets, taken_back, price, opening)
            work(desk, tickets)
            for number in (price, opening):
                _tell(tickets, tickets.ticket(number))
            print(f"\n  old proof of #{price} against today's folder: {_verified(proof, folder)}")
            print(f"  new proof of #{price}: {_verified(tickets.drafts(price)[-1].proof, folder)}")
            _say(f"#{resident} went to a person, and never saw the note that answered #{colleague}.")


def _wait(tickets: Tickets, taken_back: threading.Event, *numbers: int) -> None:
    """Until the last draft of each ticket has been taken back."""
    while any(tickets.drafts(number)[-1].state in ("offered", "sent") for number in numbers):
        if not taken_back.wait(60.0):
            raise SystemExit("helpdesk: no draft was taken back within a minute of the edit")
        taken_back.clear()


def _verified(proof: str, folder: Path) -> str:
    problems = verify_proof(proof, folder).problems
    return f"DOES NOT HOLD, {problems[0]}" if problems else "holds"


def _say(text: str) -> None:
    print(f"\n== {text}")


def _tell(tickets: Tickets, ticket: Ticket | None) -> None:
    assert ticket is not None
    print(f"\n{show(ticket, tickets.drafts(ticket.id))}")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
