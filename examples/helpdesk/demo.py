"""The story of a few tickets, told as it happens, on documents of an invented town in a temporary folder."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from helpdesk import show, withdrawing, work
from tickets import Tickets

from assistant import Assistant, verify_proof

DOCUMENTS = {
    "corpus.toml": 'audiences = ["public", "members", "staff"]\n'
    '[[documents]]\npaths = ["web/*"]\naudience = ["public", "staff"]\n'
    '[[documents]]\npaths = ["internal/*"]\naudience = ["staff"]\n',
    "web/allotments.md": "# Allotments in Tarnley\n\n12 January 2025\n\n"
    "A full allotment plot in Tarnley costs £48 a year. The waiting list for plots opens on 1 March 2025.\n",
    "web/pool.md": "# Hollin Road swimming pool\n\n3 February 2025\n\n"
    "The Hollin Road swimming pool opens at 7am on weekdays. Lane swimming costs £5.20 for adults.\n",
    "internal/gullies.md": "# Gullies: note for the contact centre\n\n10 February 2025\n\n"
    "The new contractor for clearing gullies in Tarnley is Fenwick Drains. Do not name it before it has signed.\n",
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
        with Assistant.open(index, on_stale=withdrawing(tickets)) as desk:
            print("\n== Four tickets come in. The same question is asked by a resident and by a colleague.")
            price = tickets.add("web", "How much does a full allotment plot in Tarnley cost?")
            opening = tickets.add("web", "When does the Hollin Road swimming pool open on weekdays?")
            resident, colleague = tickets.add("web", GULLIES), tickets.add("staff", GULLIES)
            work(desk, tickets)
            _tell(tickets, *(ticket.id for ticket in tickets.listed()))

            print("\n== The second reply is sent. What a reply rests on can be proved with the documents alone:")
            tickets.send(opening)
            proof = tickets.drafts(price)[-1].proof
            print(f"  proof of #{price}: {_verified(proof, folder)}")
            print(f"  with one figure changed: {_verified(proof.replace('48 a year', '38 a year'), folder)}")

            print("\n== The council raises the price and changes the hours; the folder is indexed again.")
            _write(folder / "web/allotments.md", DOCUMENTS["web/allotments.md"].replace("£48", "£52"))
            _write(folder / "web/pool.md", DOCUMENTS["web/pool.md"].replace("at 7am", "at 9am"))
            Assistant.build(folder, index=index, embedder=embedder)
            _wait(tickets, price, opening)
            work(desk, tickets)
            _tell(tickets, price, opening)
            print(f"\n  old proof of #{price} against today's folder: {_verified(proof, folder)}")
            print(f"  new proof of #{price}: {_verified(tickets.drafts(price)[-1].proof, folder)}")
            print(f"\n== #{resident} went to a person, and never saw the note that answered #{colleague}.")


def _wait(tickets: Tickets, *numbers: int) -> None:
    """Until the last draft of each ticket has been taken back."""
    until = time.monotonic() + 60.0
    while any(tickets.drafts(number)[-1].state in ("offered", "sent") for number in numbers):
        if time.monotonic() > until:
            raise SystemExit("helpdesk: no draft was taken back within a minute of the edit")
        time.sleep(0.1)


def _verified(proof: str, folder: Path) -> str:
    problems = verify_proof(proof, folder).problems
    return f"DOES NOT HOLD, {problems[0]}" if problems else "holds"


def _tell(tickets: Tickets, *numbers: int) -> None:
    for number in numbers:
        for ticket in tickets.listed(number):
            print(f"\n{show(ticket, tickets.drafts(number))}")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
