"""What `assistant serve` does."""

from __future__ import annotations

import argparse
import ipaddress
import logging
import signal
import socket
from typing import TYPE_CHECKING, NoReturn

from assistant.commands import Exit, chosen_settings, readers, say
from assistant.telemetry import log, log_to_stderr
from corpus.errors import UnknownAudience, UsageError

if TYPE_CHECKING:
    import uvicorn
    from starlette.applications import Starlette

    from assistant.api import Assistant
    from assistant.service.tokens import Tokens

GRACE = 30
"""Seconds that requests have to end after SIGTERM or Ctrl-C."""
_MOST_CONNECTIONS = 1000
_BACKLOG = 1024


def serve(options: argparse.Namespace) -> int:
    if options.action is not None:
        return _token(options)
    if options.name is not None:
        raise UsageError(f"{options.name!r} is the name of a token: `assistant serve token NAME` makes one")
    if options.tokens is None and not _loopback(options.host):
        raise UsageError(
            f"{options.host!r} can be reached from elsewhere: name a file of tokens with --tokens, which "
            "`assistant serve token NAME --tokens FILE` makes, or serve on 127.0.0.1"
        )
    try:
        from assistant.service.app import create_app  # deferred: an extra, and numpy must not slow `--help`
        from assistant.service.tokens import Tokens
    except ModuleNotFoundError as error:
        raise UsageError(f"{error.name!r} is missing: install passim-assistant[serve]") from error
    from assistant.api import Assistant  # deferred: numpy must not slow `--help`

    tokens = None if options.tokens is None else Tokens.read(options.tokens)
    log_to_stderr()
    logging.getLogger("assistant").setLevel(logging.INFO)
    listening = listening_on(options.host, options.port)
    with Assistant.open(options.index, settings=chosen_settings(options), audience=readers(options)) as desk:
        _warn(desk, tokens)
        app = create_app(desk, tokens, public_url=options.public_url, timeout=options.timeout)
        host = f"[{options.host}]" if ":" in options.host else options.host
        print(f"http://{host}:{listening.getsockname()[1]}", flush=True)
        signal.signal(signal.SIGTERM, _ended)  # uvicorn raises it again once it has shut down
        server_of(app).run(sockets=[listening])
    return Exit.DONE


def _warn(desk: Assistant, tokens: Tokens | None) -> None:
    """Of groups that tokens have and nothing is for: documents may come later."""
    for _, client in tokens.clients if tokens else ():
        for group in sorted(client.audience or ()):
            try:
                desk.seen_by({group})
            except UnknownAudience:
                reason = "no document and no corpus.toml here names the audience: until one does the token gets 403"
                log("audience", logging.WARNING, token=client.name, audience=group, reason=reason)


def server_of(app: Starlette) -> uvicorn.Server:
    """After SIGTERM or Ctrl-C nothing more is accepted, and what runs has `GRACE` seconds to end."""
    import uvicorn  # deferred: an extra

    config = uvicorn.Config(
        app,
        http="h11",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,  # addresses of documents hold keys
        server_header=False,
        limit_concurrency=_MOST_CONNECTIONS,
        timeout_graceful_shutdown=GRACE,
    )
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    return uvicorn.Server(config)


def _ended(*_: object) -> NoReturn:
    raise SystemExit(Exit.DONE)


def _token(options: argparse.Namespace) -> int:
    from assistant.service.tokens import make_token  # deferred: only needed here

    if options.name is None or options.tokens is None:
        raise UsageError("say which token, and where: `assistant serve token NAME --tokens FILE [--audience NAME ...]`")
    print(make_token(options.name, options.audience, options.tokens))
    sees = "all documents" if options.audience is None else f"what is for {', '.join(options.audience)}"
    say(f"This token is shown once; {options.tokens} keeps its digest. It sees {sees}.")
    return Exit.DONE


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def listening_on(host: str, port: int) -> socket.socket:
    """Raises `UsageError` where the address can't be had."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listening = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise UsageError(f"port {port} of {host!r} can't be had ({error.strerror}): name another") from error
    # Connections inherit it; asyncio sets it only where a socket names its protocol, and this one doesn't. Without it
    # the end of an answer waits 40 ms, until the client has acknowledged its beginning.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening
