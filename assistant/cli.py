"""The command line. stdout is data, stderr is narration; exit codes are in `Exit`."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Callable, Sequence
from datetime import date, datetime, time
from typing import Any

from assistant import commands
from assistant.audit import commands as auditing
from assistant.commands import Exit, say
from assistant.config import DEFAULT_INDEX, INDEX_VARIABLE, SETTINGS_VARIABLE
from assistant.records import commands as keeping
from assistant.service import launching
from corpus.errors import AssistantError, UsageError

_Parser = argparse.ArgumentParser
_ELSEWHERE = (
    ("calibrate", "eval.calibration", "fit the confidence of answers to a data set"),
    ("eval", "eval.cli", "score answers and their citations on a data set"),
)
"""Commands of the harness, each with the module whose `main` reads the rest of the line."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code. Every error is one line on stderr."""
    arguments = sys.argv[1:] if arguments is None else arguments
    elsewhere = arguments[:1] and arguments[0] in [name for name, _, _ in _ELSEWHERE]  # its own parser reads the rest
    options = _parser().parse_args(arguments[:1] if elsewhere else arguments)
    options.arguments = arguments[1:]
    if sys.stdout is None:  # closed by the shell
        sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115 - lives as long as the process
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without a sign shows "?" for it
    try:
        code: int = options.run(options)
        sys.stdout.flush()
    except UsageError as error:
        say(f"assistant: {error}")
        return Exit.USAGE
    except AssistantError as error:
        say(f"assistant: {error}")
        return Exit.UNAVAILABLE
    except KeyboardInterrupt:
        say("assistant: interrupted; what was indexed or answered is kept")
        return Exit.INTERRUPTED
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is buffered can't be written either
        if isinstance(error, BrokenPipeError):  # the reader of a pipe has seen enough
            return Exit.DONE
        say(f"assistant: the output can't be written: {error.strerror or error}")
        return Exit.UNAVAILABLE
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="assistant",
        description="Answers questions from a folder of documents; every sentence cites its exact place in a source.",
        epilog=f"The index is the folder named with --index, else ${INDEX_VARIABLE}, else {DEFAULT_INDEX!r} here. What "
        f"a command doesn't say is taken from the settings file: --settings, else ${SETTINGS_VARIABLE}, else your own.",
    )
    parser.add_argument("--version", action=_Version, help="show the version and exit")
    added = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Callable[[argparse.Namespace], int], about: str, more: str = "") -> _Parser:
        made = added.add_parser(name, help=about, description=f"{about[0].upper()}{about[1:]}. {more}")
        made.set_defaults(run=run)
        return made

    index = command("index", commands.index, "index folders, or bring their index up to date")
    index.add_argument("folders", nargs="+", metavar="FOLDER")
    _json(_making(_where_kept(index)), "progress and the report")
    index.add_argument("--while-stdin", action="store_true", help="end when stdin does: with whoever started this")

    ask = command("ask", commands.ask, "answer one question")
    ask.add_argument("question", metavar="QUESTION")
    ask.add_argument(
        "--after", action="append", default=[], metavar="EARLIER", help="an earlier question; may be repeated"
    )
    _audience(_filters(ask))
    ask.add_argument("--as-of", type=_day, metavar="DAY", help="as things stood on 2024-01-31: nothing later is read")
    ask.add_argument("--show-left-out", action="store_true", help="also what was written and left out, and why")
    ask.add_argument("--verbose", action="store_true", help="also confidence as a number, generator, and id for replay")
    _json(_where_kept(_generating(_answering(ask))), "answer")

    search = command("search", commands.search, "show the passages nearest to a question, and what each retriever gave")
    search.add_argument("question", metavar="QUESTION")
    search.add_argument("--limit", type=_positive, default=10, metavar="N", help="hits shown (10)")
    search.add_argument(
        "--explain", metavar="SOUGHT", help="why a passage isn't returned: a document's path, or words of the passage"
    )
    _json(_where_kept(_answering(_audience(_filters(search)))), "hits")

    chat = command("chat", commands.chat, "open the application")
    chat.add_argument("folder", nargs="?", metavar="FOLDER", help="bring the index of this folder up to date")
    chat.add_argument("--web", action="store_true", help="in a browser of this machine, at the address that is printed")
    chat.add_argument("--port", type=_port, default=0, metavar="N", help="of --web; else one that is free")
    _generating(_answering(_making(_where_kept(chat))))

    documents = command("documents", commands.documents, "list what is indexed, and what could not be read")
    _json(_where_kept(_audience(documents)), "list")

    gaps = command("gaps", keeping.gaps, "list what people asked that the documents couldn't answer")
    gaps.add_argument("--since", type=_beginning, metavar="DAY", help="only what was asked from 2024-01-31 on")
    _json(_where_kept(gaps), "list")

    replay = command(
        "replay",
        auditing.replay,
        "ask a kept question again, and verify its answer with the documents of today",
        "An extractive answer is asked again and compared; the statements of any answer are verified again. "
        "Exits with 1 where a statement no longer holds, or the same index gives another answer.",
    )
    replay.add_argument("id", metavar="ID", help="of the answer, or its beginning")
    _settings_file(_json(_where_kept(replay), "outcome"))

    audited = command(
        "audit",
        auditing.audit,
        "hold the kept answers against the documents of today",
        "Says what each citation has become: intact, moved, changed, gone; and whether each statement is still "
        "supported, or contradicted by something newer. Exits with 1 where an answer is stale.",
    )
    audited.add_argument("--since", type=_beginning, metavar="DAY", help="only what was asked from 2024-01-31 on")
    _settings_file(_json(_where_kept(_audience(audited)), "outcome"))

    kept = command("conversations", keeping.conversations, "list kept conversations, find words in them, export one")
    kept.add_argument(
        "action", nargs="?", choices=("export", "verify"), metavar="export|verify",
        help="write one out; look whether anything was changed that was kept, which exits with 1",
    )  # fmt: skip
    kept.add_argument("id", nargs="?", metavar="ID", help="of the one to export, or its beginning")
    kept.add_argument("--find", metavar="TEXT", help="questions and answers that hold these words, the newest first")
    kept.add_argument("--format", choices=("markdown", "html", "json"), default="markdown", help="of the export")
    _json(_where_kept(_audience(_out(kept))), "list")

    prove = command("prove", keeping.prove, "write out the proof of a kept answer, to be checked without index")
    prove.add_argument("id", metavar="ID", help="of the answer, or its beginning")
    _where_kept(_out(prove))

    proof = command(
        "verify-proof",
        keeping.verify_proof,
        "check a proof, needing no index",
        "Exits with 1 where anything isn't as it was, and says what; with 2 where the file is no proof.",
    )
    proof.add_argument("file", metavar="FILE", help="that `assistant prove` wrote")
    proof.add_argument("folder", nargs="?", metavar="FOLDER", help="of the documents, to check quotes in them too")
    proof.add_argument("--head", metavar="HASH", help="of the chain, as it was noted elsewhere since the answer")
    _json(proof, "outcome")

    judged = command("feedback", keeping.feedback, "list how answers were judged, or export them as evaluation cases")
    judged.add_argument(
        "action", nargs="?", choices=("export",), metavar="export", help="as a set for `assistant eval`"
    )
    judged.add_argument("--since", type=_beginning, metavar="DAY", help="only what was judged from 2024-01-31 on")
    _json(_where_kept(_out(judged)), "list")

    doctor = command("doctor", commands.doctor, "examine every file and row of an index")
    doctor.add_argument("--repair", action="store_true", help="make again what can be made again")
    _where_kept(doctor)

    serve = command(
        "serve",
        launching.serve,
        "answer over HTTP: OpenAI's interface and its own",
        "On an address that others reach, only with tokens; `assistant serve token NAME --tokens FILE` makes one.",
    )
    serve.add_argument("action", nargs="?", choices=("token",), metavar="token", help="make a token and print it once")
    serve.add_argument("name", nargs="?", metavar="NAME", help="of the token")
    serve.add_argument("--host", default="127.0.0.1", metavar="ADDRESS", help="to listen on (127.0.0.1)")
    serve.add_argument("--port", type=_port, default=8000, metavar="N", help="to listen on (8000); 0 for a free one")
    serve.add_argument("--tokens", metavar="FILE", help="TOML file of those who may ask")
    _audience(serve)
    serve.add_argument("--public-url", metavar="URL", help="where clients find the service, for links to documents")
    serve.add_argument("--timeout", type=_positive, default=120, metavar="SECONDS", help="for a question (120)")
    _generating(_answering(_where_kept(serve)))

    mcp = command("mcp", commands.mcp, "give an MCP client the tools ask, search and read_span, over stdin and stdout")
    _audience(mcp)
    _generating(_answering(_where_kept(mcp)))

    command("generators", commands.generators, "list the generators that can be asked for")
    for name, module, about in _ELSEWHERE:
        command(name, commands.by_name, about).set_defaults(module=module)
    return parser


def _where_kept(parser: _Parser) -> _Parser:
    parser.add_argument("--index", metavar="DIR", help="where the index is kept")
    return parser


def _out(parser: _Parser) -> _Parser:
    parser.add_argument("--out", metavar="FILE", help="that it is written to; else it is printed")
    return parser


def _json(parser: _Parser, what: str) -> _Parser:
    parser.add_argument("--json", action="store_true", help=f"print the {what} as JSON")
    return parser


def _making(parser: _Parser) -> _Parser:
    parser.add_argument(
        "--embedder", default="default", metavar="NAME", help="default, hashing, or a model's name or folder"
    )
    held = "let go of other folders that the index holds, and of labels that a callback gave"
    parser.add_argument("--replace", action="store_true", help=held)
    parser.add_argument("--rebuild", action="store_true", help="read everything again, as after a change of model")
    return parser


def _filters(parser: _Parser) -> _Parser:
    parser.add_argument("--path", action="append", default=[], metavar="PATTERN", help="only such paths: 'minutes/*'")
    parser.add_argument("--tag", action="append", default=[], metavar="TAG", help="only documents with this tag")
    parser.add_argument("--from", dest="date_from", type=_day, metavar="DAY", help="only documents from 2024-01-31 on")
    parser.add_argument("--to", dest="date_to", type=_day, metavar="DAY", help="only documents until that day")
    return parser


def _audience(parser: _Parser) -> _Parser:
    parser.add_argument(
        "--audience", action="append", metavar="NAME", help="only documents for this group; may be repeated"
    )
    return parser


def _settings_file(parser: _Parser) -> _Parser:
    parser.add_argument("--settings", metavar="FILE", help="TOML file of settings, for what isn't said here")
    return parser


def _answering(parser: _Parser) -> _Parser:
    parser.add_argument("--reranker", metavar="NAME", help="auto, none, or a cross-encoder's name")
    return _settings_file(parser)


def _generating(parser: _Parser) -> _Parser:
    parser.add_argument("--generator", metavar="NAME", help="what writes the answer; `assistant generators` lists them")
    parser.add_argument("--base-url", metavar="URL", help="address of the generator's server")
    parser.add_argument(
        "--fallback", action=argparse.BooleanOptionalAction, help="extractive answers where the generator fails"
    )
    return parser


def _positive(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1")
    return int(text)


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port, a number up to 65535")
    return int(text)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a day such as 2024-01-31") from error


def _beginning(day: str) -> datetime:
    """Midnight, here."""
    return datetime.combine(_day(day), time()).astimezone()


class _Version(argparse.Action):
    def __init__(self, option_strings: Sequence[str], dest: str, **others: Any) -> None:
        super().__init__(option_strings, dest, nargs=0, **others)

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import PackageNotFoundError, version  # deferred: .08 seconds

        try:
            known = version("passim-assistant")
        except PackageNotFoundError:
            known = "unknown (not installed)"
        print(f"{parser.prog} {known}")
        parser.exit()
