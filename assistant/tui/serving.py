"""`assistant chat --web`: the same application in a browser of this machine, and of whoever has the printed address."""

from __future__ import annotations

import logging
import shlex
import socket
from collections.abc import Sequence
from secrets import compare_digest, token_urlsafe

from aiohttp import web
from aiohttp.typedefs import Handler
from textual_serve.server import Server

from assistant.tui.launch import command
from corpus.errors import UsageError

HOST = "127.0.0.1"
_HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
# `window.open` without an address is how xterm.js follows what looks like a link in a text; the application asks first.
_PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<title>Ask your documents</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/static/css/xterm.css">
<style>
  @font-face { font-family: "Roboto Mono"; src: url("/static/fonts/RobotoMono-VariableFont_wght.ttf"); }
  html, body { margin: 0; height: 100%; background: #121212; color: #e0e0e0; font: 16px "Roboto Mono", monospace; }
  #terminal { height: 100%; }
  #ended { display: none; padding: 2em; }
  body.-closed #terminal { display: none; }
  body.-closed #ended { display: block; }
</style>
<script nonce="NONCE">
  const open = window.open;
  window.open = (address, ...others) => address ? open(address, ...others) : null;
  document.fonts.load('16px "Roboto Mono"');
  addEventListener("load", () => setTimeout(() => document.querySelector(".xterm-helper-textarea").focus()));
</script>
<script src="/static/js/textual.js"></script>
<div id="terminal" class="textual-terminal" data-session-websocket-url="ws://ORIGIN/ws" data-font-size="16"></div>
<p id="ended">The application has ended. <a href="/" style="color: inherit">Open it again</a></p>
</html>
"""


class LoopbackServer(Server):
    """Serves to browsers of this machine that were given the token; nothing on the page comes from elsewhere."""

    def __init__(self, line: Sequence[str], port: int = 0) -> None:
        """Takes the port, 0 for a free one. Raises `UsageError` where it is taken."""
        try:
            self.socket = socket.create_server((HOST, port))
        except OSError as error:
            raise UsageError(f"port {port} of {HOST} can't be had ({error.strerror}): name another --port") from error
        super().__init__(shlex.join(line), HOST, self.socket.getsockname()[1], title="Ask your documents")
        self._token = token_urlsafe(32)
        self._cookie = f"passim-{self.port}"  # cookies are shared by the ports of a host
        self._hosts = frozenset(f"{name}:{self.port}" for name in (HOST, "localhost", "[::1]"))

    @property
    def address(self) -> str:
        """What lets a browser in."""
        return f"{self.public_url}/?token={self._token}"

    def run(self) -> None:
        """Serves until Ctrl-C or SIGTERM."""
        logging.getLogger("asyncio").setLevel(logging.ERROR)  # the process of a page may end after the event loop
        web.run_app(self._make_app(), sock=self.socket, print=None, access_log=None, shutdown_timeout=3)

    async def _make_app(self) -> web.Application:
        app = await super()._make_app()
        app.middlewares.append(self._guard)
        return app

    async def on_startup(self, app: web.Application) -> None:
        """Says nothing: the address is printed by whoever has it."""

    async def handle_index(self, request: web.Request) -> web.Response:
        nonce = token_urlsafe(16)
        policy = (
            "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; img-src 'self' data:; "
            f"font-src 'self'; style-src 'self' 'unsafe-inline'; script-src 'self' 'nonce-{nonce}'; "
            f"connect-src 'self' ws://{request.host}"
        )
        page = _PAGE.replace("NONCE", nonce).replace("ORIGIN", request.host)
        return web.Response(text=page, content_type="text/html", headers={"Content-Security-Policy": policy})

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if refusal := self._refusal(request):
            return web.Response(status=403, text=refusal + "\n", headers=_HEADERS)
        if "token" in request.query:  # goes on without it, so that it stays in no history
            answer: web.StreamResponse = web.Response(status=303, headers={"Location": "/"})
            answer.set_cookie(self._cookie, self._token, httponly=True, samesite="Strict")
        else:
            answer = await handler(request)
        if not answer.prepared:
            answer.headers.update(_HEADERS)
        return answer

    def _refusal(self, request: web.Request) -> str:
        """Why a request isn't answered; empty where it is."""
        if request.host not in self._hosts:
            return f"This is not the host {request.host!r}: open the address that `assistant chat --web` has printed."
        if request.headers.get("Origin", f"http://{request.host}") != f"http://{request.host}":
            return "Another page has asked for this one: open the address that `assistant chat --web` has printed."
        given = request.query.get("token") or request.cookies.get(self._cookie, "")
        if not compare_digest(given.encode(), self._token.encode()):
            return "The token is missing or wrong: open the whole address that `assistant chat --web` has printed."
        return ""


def serve(arguments: Sequence[str], port: int) -> None:
    """Serves `assistant chat` with these arguments on loopback, and prints the address, until Ctrl-C."""
    server = LoopbackServer(command("chat", *arguments), port)
    print(server.address, flush=True)
    server.run()
