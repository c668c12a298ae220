"""What the commands about kept conversations do: their proofs, judgements and gaps."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.commands import Exit, print_json, print_result, readers, say
from assistant.config import Settings, index_folder
from corpus.errors import UsageError
from corpus.sanitizing import sanitize

if TYPE_CHECKING:
    from assistant.records.conversations import Conversation, Conversations, Match
    from assistant.records.feedback import Feedback
    from assistant.records.history import History


def conversations(options: argparse.Namespace) -> int:
    from assistant.api import Assistant  # deferred: numpy must not slow `--help`
    from assistant.records.conversations import Conversations

    audience = readers(options)
    if options.action == "verify":
        if audience is not None:
            raise UsageError("all that was kept is verified together: leave --audience out")
        return _verify(kept_history(options), options)
    if audience is None:
        return _conversations(Conversations(kept_history(options)), options)
    with Assistant.open(options.index, settings=Settings(reranker="none"), audience=audience) as desk:
        return _conversations(desk.conversations, options)


def _conversations(kept: Conversations, options: argparse.Namespace) -> int:
    if options.action is not None:
        from assistant.records.exporting import export  # deferred: only needed here

        if options.id is None:
            raise UsageError("it isn't said which conversation: `assistant conversations` lists them with their ids")
        one = kept.named(options.id)
        _write(export(one.title, kept.records(one.id), options.format), options.out)
    elif options.find is not None:
        matches = kept.find(options.find)
        _show(options, matches, [_match(match) for match in matches], "Nothing was found.")
    else:
        listed = kept.listed()
        _show(options, listed, [_conversation(one) for one in listed], "Nothing was asked yet.")
    return Exit.DONE


def feedback(options: argparse.Namespace) -> int:
    from assistant.records.feedback import FeedbackLog  # deferred: numpy must not slow `--help`

    log = FeedbackLog(kept_history(options))
    if options.action is not None:
        cases, left_out = log.cases(options.since)
        for reason in left_out:
            say(reason)
        _write("".join(json.dumps(case, ensure_ascii=False) + "\n" for case in cases), options.out)
        say(f"{len(cases)} cases, {len(left_out)} left out")
    else:
        given = log.listed(options.since)
        _show(options, given, [_judgement(one) for one in given], "Nothing was judged yet.")
    return Exit.DONE


def gaps(options: argparse.Namespace) -> int:
    from assistant.records.gaps import gaps as found_in  # deferred: numpy must not slow `--help`
    from assistant.records.gaps import render_gaps

    found = found_in(kept_history(options).records(since=options.since, brief=True))
    print_result(options, [gap.to_dict() for gap in found], lambda: render_gaps(found))
    return Exit.DONE


def _verify(history: History, options: argparse.Namespace) -> int:
    problems, head = history.verify(), history.head()
    if options.json:
        print_json({"problems": problems, "head": head})
    else:
        print("\n".join(map(sanitize, problems)) or "Everything that was kept is as it was written.")
        print(f"Head of the chain: {sanitize(head or 'none, nothing was kept yet')}")
    return Exit.BELOW_THRESHOLD if problems else Exit.DONE


def prove(options: argparse.Namespace) -> int:
    _write(kept_history(options).proof(options.id), options.out)
    return Exit.DONE


def verify_proof(options: argparse.Namespace) -> int:
    from assistant.records.proof import MOST_BYTES, render_verification  # deferred: numpy must not slow `--help`
    from assistant.records.proof import verify_proof as verified

    try:
        with Path(options.file).open("rb") as file:
            data = file.read(MOST_BYTES + 1)
        found = verified(data, options.folder and Path(options.folder), options.head)
    except (OSError, ValueError, UsageError) as error:
        raise UsageError(f"{options.file!r} can't be checked: {getattr(error, 'strerror', None) or error}") from error
    print_result(options, found.to_dict(), lambda: render_verification(found))
    return Exit.DONE if found.good else Exit.BELOW_THRESHOLD


def kept_history(options: argparse.Namespace) -> History:
    from assistant.records.history import FILE, History  # deferred: numpy must not slow `--help`
    from embeddings.search import Index

    folder = index_folder(options.index)
    if not (folder / FILE).exists():
        Index.open(folder).close()  # says what is wrong with it; without questions there is nothing more to say
    return History(folder / FILE)


def _show(
    options: argparse.Namespace, found: Sequence[Conversation | Match | Feedback], lines: Sequence[str], none: str
) -> None:
    if options.out is not None:
        raise UsageError(f"--out {options.out!r} is of an export, and a list is printed: say `export`, or leave it out")
    print_result(options, [one.to_dict() for one in found], lambda: "\n".join(map(sanitize, lines)) or none)


def _conversation(one: Conversation) -> str:
    count = f"{one.questions} question{'' if one.questions == 1 else 's'}"
    return f"{one.id}  {one.last.astimezone():%Y-%m-%d %H:%M}  {count:>12}  {one.title}"


def _match(match: Match) -> str:
    return f"{match.conversation.id}  {match.question}\n    {match.snippet}"


def _judgement(one: Feedback) -> str:
    what = one.judgement if one.citation is None else f"citation [{one.citation[0]}] wrong"
    reason = f"\n    {' '.join(one.reason.split())}" if one.reason else ""
    return f"{one.answer}  {one.given.astimezone():%Y-%m-%d %H:%M}  {what}: {one.question}{reason}"


def _write(text: str, out: str | None) -> None:
    """To a file, else to stdout."""
    if out is None:
        print(text, end="")
        return
    from assistant.records.exporting import write_export  # deferred: it brings NumPy

    write_export(Path(out), text)
    say(f"written to {out}")
