"""Asking before an address that a document gives is opened."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from typing import ClassVar
from urllib.parse import quote, urlsplit, urlunsplit

from textual import work
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from assistant.tui.dialog import Dialog
from assistant.tui.errors import told
from assistant.tui.opening import open_address
from assistant.tui.plain import one_line
from corpus.errors import AssistantError, UsageError

_MOST_CHARACTERS = 2_000
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?\.?|\[[0-9a-f:.]+\]")
_KEPT = "/%:=&?~+!$,;'@()*[]"
"""Characters of a path or query, other than letters and digits, that stand as they are."""


def address(url: str) -> str:
    """A web address in ASCII alone, its host in Punycode: what is shown is what is opened.

    Raises:
        UsageError: it isn't of http or https, or reads otherwise for people or browsers than it says.
    """
    try:
        parts = urlsplit(url.strip())
        host, port = (parts.hostname or "").encode("idna").decode("ascii"), parts.port
    except ValueError:  # which a host that has no Punycode raises too
        host, parts, port = "", urlsplit(""), None
    host = f"[{host}]" if ":" in host else host
    plain = url.strip().isprintable() and len(url) <= _MOST_CHARACTERS and "@" not in parts.netloc
    if parts.scheme not in ("http", "https") or not plain or not _HOST.fullmatch(host):
        shown = " ".join(url[:200].split())
        raise UsageError(f"the address {shown!r} is no plain http or https address: it isn't opened")
    place = f"{host}:{port}" if port else host
    path, query, fragment = (quote(part, safe=_KEPT) for part in (parts.path, parts.query, parts.fragment))
    return urlunsplit((parts.scheme, place, path, query, fragment))


class LinkScreen(Dialog[bool]):
    """Shows the whole of an address, and opens it if that is confirmed; gives whether it was."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "open", "Open in the browser")]

    def __init__(self, url: str) -> None:
        """Takes what `address` gives."""
        super().__init__("Open this address?", "A document gives it. Nothing has been fetched from there.")
        self._url = url

    def body(self) -> Iterable[Widget]:
        """The host on a line of its own, and the whole address."""
        yield Static(Content.styled("Host: ", "dim") + one_line(urlsplit(self._url).netloc), markup=False)
        yield Static(one_line(self._url), classes="link--address", markup=False)

    @work(exit_on_error=False)
    async def action_open(self) -> None:
        """Opens it: in the browser that shows the application, if one does, else in the system's."""
        if self.app.is_web:
            self.app.open_url(self._url)
        else:
            try:
                await asyncio.to_thread(open_address, self._url)
            except (AssistantError, OSError) as error:
                self.say(told(error))
                return
        self.dismiss(True)
