"""A helpdesk that drafts its replies with the assistant.

    python examples/helpdesk/helpdesk.py demo

Needs an index (`assistant index FOLDER`) for everything but `demo`, which makes its own.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tickets import Draft, Ticket, Tickets

from assistant import Answer, Assistant, AssistantError, AuditedAnswer, Overloaded, UnavailableError, UsageError

AUDIENCES = {
    "web": frozenset({"public"}),
    "councillor": frozenset({"public", "members"}),
    "staff": frozenset({"public", "members", "staff"}),
}
"""Whose documents may be drawn on, by the channel that a ticket came through."""
ANSWER_SECONDS = 60.0
RETRY_SECONDS = 30.0


def work(desk: Assistant, tickets: Tickets) -> int:
    """Draft a reply for every ticket that waits, or give it to a person; returns how many were looked at."""
    done = 0
    while (ticket := tickets.claim()) is not None:
        handle(desk, tickets, ticket)
        done += 1
    return done


def handle(desk: Assistant, tickets: Tickets, ticket: Ticket) -> None:
    """Whatever happens in here, also a power cut: the ticket is drafted, escalated, or waits."""
    try:
        conversation, audience = f"ticket-{ticket.id}", AUDIENCES[ticket.channel]
        answer = desk.ask(ticket.question, conversation=conversation, audience=audience, timeout=ANSWER_SECONDS)
    except Overloaded as error:
        tickets.retry(ticket, str(error), error.retry_after)
    except UnavailableError as error:  # the index, a model, the time: not the question's fault
        tickets.retry(ticket, str(error), RETRY_SECONDS)
    except AssistantError as error:
        tickets.escalate(ticket, str(error))
    else:
        if answer.refused:
            tickets.escalate(ticket, _refusal(answer))
        elif answer.link is None:  # without a record nobody would tell when it goes stale
            tickets.retry(ticket, desk.unkept, RETRY_SECONDS)
        else:
            tickets.draft(ticket, _reply(answer), answer.id, answer.export_proof())


def withdrawing(tickets: Tickets) -> Callable[[AuditedAnswer], None]:
    """For `on_stale=`: takes back what no longer holds. If it fails, the assistant calls it again."""
    return lambda stale: tickets.withdraw(stale.id, _why(stale))


def _reply(answer: Answer) -> str:
    cited = [(c, c.passage.document) for s in answer.shown for c in s.citations if c.passage is not None]
    sources = [f"[{c.number}] {document.title} ({document.path}): “{c.quote}”" for c, document in cited]
    return "\n".join(dict.fromkeys([answer.text, "", *sources]))


def _refusal(answer: Answer) -> str:
    assert answer.refusal is not None
    nearest = [f"{p.document.path}: “{' '.join(p.chunk.text.split())[:90]}…”" for p in answer.refusal.nearest[:2]]
    return "\n".join([answer.refusal.explanation, *(f"nearest: {one}" for one in nearest)])


def _why(stale: AuditedAnswer) -> str:
    unsupported = [s for s in stale.statements if s.finding != "supported"]
    against = [f"{s.contradiction.path} now says “{s.contradiction.quote}”" for s in unsupported if s.contradiction]
    without = [c for s in unsupported if not s.contradiction for c in s.citations]
    lost = [f"{c.path}: {c.state}" for c in without if c.state != "intact"]
    return "; ".join(dict.fromkeys(against + lost))


def show(ticket: Ticket, drafts: list[Draft]) -> str:
    """A ticket and its drafts as text."""
    lines = [f"#{ticket.id} [{ticket.channel}] {ticket.question}", f"  {ticket.state}"]
    lines += [f"    {line}" for line in ticket.note.splitlines()]
    for draft in drafts:
        lines.append(f"  draft {draft.id}, {draft.state}{f': {draft.note}' if draft.note else ''}")
        lines += [f"    {line}" for line in draft.reply.splitlines() if line]
    return "\n".join(lines)


def main() -> int:
    options = _parser().parse_args()
    if options.command == "demo":
        from demo import demo  # deferred: it imports this module

        demo(options.embedder)
        return 0
    tickets = Tickets(options.queue)
    if options.command == "add":
        print(f"#{tickets.add(options.channel, options.question)}")
    elif options.command == "list":
        for ticket in tickets.listed():
            print(f"#{ticket.id:<4} {ticket.state:<10} {ticket.channel:<11} {ticket.question}")
    elif options.command == "work":
        with Assistant.open(options.index, on_stale=withdrawing(tickets)) as desk:
            while work(desk, tickets) or options.forever:
                time.sleep(1.0)
    else:
        print(_about(tickets, options.command, options.number))
    return 0


def _about(tickets: Tickets, command: str, number: int) -> str:
    """What a command on one ticket prints."""
    drafts = tickets.drafts(number)
    for ticket in tickets.listed(number):
        if command == "show":
            return show(ticket, drafts)
        if command == "proof" and drafts:
            return drafts[-1].proof
        if command == "send" and (sent := tickets.send(number)):
            return sent.reply
        raise UsageError(f"ticket {number} has no draft to {command}: it is {ticket.state}")
    raise UsageError(f"no ticket {number}: `list` shows all")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--queue", type=Path, default=Path("helpdesk.sqlite3"), metavar="FILE", help="the tickets")
    parser.add_argument("--index", metavar="DIR", help="of the assistant")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    add = commands.add_parser("add", help="a new ticket")
    add.add_argument("channel", choices=sorted(AUDIENCES))
    add.add_argument("question")
    work = commands.add_parser("work", help="draft replies to what waits")
    work.add_argument("--forever", action="store_true", help="and to what comes; withdraw what goes stale")
    commands.add_parser("list", help="all tickets")
    for name, about in (("show", "one with its drafts"), ("send", "its draft"), ("proof", "of its last draft")):
        commands.add_parser(name, help=about).add_argument("number", type=int, metavar="TICKET")
    demo = commands.add_parser("demo", help="the whole story, on documents of its own")
    demo.add_argument("--embedder", default="default", metavar="NAME", help="`hashing` loads no model")
    return parser


if __name__ == "__main__":
    try:
        sys.exit(main())
    except AssistantError as error:
        print(f"helpdesk: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
