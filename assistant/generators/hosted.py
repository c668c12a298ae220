"""Talking to a model's server through its maker's own package: the key, the address, retries, and what went wrong."""

from __future__ import annotations

import contextlib
import importlib
import json
import re
import socket
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from assistant.config import Settings
from assistant.generators.drafting import Draft
from assistant.secrets import VARIABLES, key, redact, redact_logs
from corpus.errors import AssistantError, ModelUnavailable, UnavailableError, UsageError
from corpus.sanitizing import sanitize

MOST_BYTES = 16_000_000
"""Of one response, so that a server can't fill the memory without ever ending a line."""
MOST_WAIT = 30.0
"""Seconds: a server that asks for more patience is not tried again."""
_MOST_NAMED = 12
_RENAMED = {"max_tokens": "max_completion_tokens", "temperature": None}
"""Parameters that some models refuse, and what takes their place."""


@dataclass(frozen=True, slots=True)
class Server:
    """One model behind one address. Nothing is opened before `written`, and nothing stays open after it."""

    package: str
    """`openai` or `anthropic`."""
    service: str
    """Whose key it takes: one of `secrets.VARIABLES`."""
    client: str
    """Class of the package that talks to it."""
    address: str
    model: str
    settings: Settings
    refused: set[str] = field(default_factory=set, compare=False)
    """Parameters that the model turned out to refuse."""

    def __post_init__(self) -> None:
        if find_spec(self.package) is None:
            raise UsageError(
                f"the generator {self.package}: needs a package that isn't installed: "
                f"pip install 'passim-assistant[{self.package}]'"
            )
        host(self.address)
        self._key()

    def written(
        self, draft: Draft, request: Mapping[str, Any], deltas: Callable[[Any, dict[str, Any]], Iterator[str]]
    ) -> Generator[str]:
        """What `deltas(client, request)` yields, tried again until its first one where the trouble may pass.

        Raises:
            UnavailableError: the server is down, refuses, answers nonsense, is too slow or stops in the middle; or it
                can't be asked at all.
        """
        sdk, http = importlib.import_module(self.package), importlib.import_module("httpx2")
        redact_logs()
        tries, begun = 0, False
        while True:
            tries += 1
            wanted = self._accepted(request)
            try:
                opened = self._opened(sdk, http, draft)
            except AssistantError:
                raise
            except Exception as error:  # of the proxies and certificates that the environment names, among others
                raise self._error(
                    f"can't be asked ({type(error).__name__}): check base_url, and in the environment the proxies and "
                    "SSL_CERT_FILE"
                ) from None  # its text may hold a proxy's password
            try:
                with opened as client:
                    for delta in deltas(client, wanted):
                        begun = begun or bool(delta)
                        yield delta
                return
            except Exception as error:  # servers send anything: JSON of another shape, or nested without end
                trouble = error.__cause__ if isinstance(error.__cause__, AssistantError) else error
            if draft.closed.is_set():
                return
            if not begun and (name := _refused(wanted, trouble)):
                self.refused.add(name)
                continue
            wait = None if begun or tries > self.settings.retries else _wait(trouble, tries, http)
            if wait is None:
                raise self._explained(trouble, tries, begun, sdk, http, draft) from None
            if draft.closed.wait(wait):
                return

    def _key(self) -> str:
        return key(self.service, local=_is_loopback(self.address))

    def _accepted(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The request without what the model refused, or with its other name."""
        names = {name: _RENAMED[name] if name in self.refused else name for name in request}
        return {name: request[old] for old, name in names.items() if name is not None}

    def _opened(self, sdk: Any, http: Any, draft: Draft) -> Any:
        """A client of its own for each try: closing its socket from another thread stops this draft and no other."""

        def connected(event: str, information: Mapping[str, Any]) -> None:
            if event.endswith(("connect_tcp.complete", "start_tls.complete")):
                connection = information["return_value"].get_extra_info("socket")
                draft.on_close(lambda: _shut(connection))

        def asked(request: Any) -> None:
            request.extensions["trace"] = connected
            request.headers["Accept-Encoding"] = "identity"  # a few bytes of gzip unpack to more than the memory has

        class Bounded(http.SyncByteStream):  # type: ignore[misc]
            def __init__(self, stream: Any) -> None:
                self.stream = stream

            def __iter__(self) -> Iterator[bytes]:
                left = MOST_BYTES
                for part in self.stream:
                    if (left := left - len(part)) < 0:
                        raise ValueError("more than any answer needs")
                    yield part

            def close(self) -> None:
                self.stream.close()

        def answered(response: Any) -> None:
            if response.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
                raise self._error("sent a compressed answer, which is not read: check base_url")
            response.stream = Bounded(response.stream)

        timeout = sdk.Timeout(self.settings.read_timeout, connect=self.settings.connect_timeout)
        http_client = sdk.DefaultHttpxClient(
            timeout=timeout,
            follow_redirects=False,  # the key and the passages go to the address that was named, and nowhere else
            trust_env=not _is_loopback(self.address),  # a proxy can't reach this machine's own servers
            event_hooks={"request": [asked], "response": [answered]},
        )
        return getattr(sdk, self.client)(
            api_key=self._key(), base_url=self.address, max_retries=0, timeout=timeout, http_client=http_client
        )

    def ended(self, finish: str | None, wrote: bool) -> str:
        """`finish` of a whole stream; `UnavailableError` for one without that mark of its end, or without a word."""
        if finish is None:
            raise self._error(
                "ended in the middle of its answer: ask again, or check that base_url is a model's server"
            )
        if not wrote:
            raise self._error(f"wrote nothing and stopped for {finish!r}: ask again, or raise output_tokens")
        return finish

    def _error(self, what: str) -> UnavailableError:
        return UnavailableError(f"the server {self.address!r} of the model {self.model!r} {what}")

    def _explained(
        self, error: Exception, tries: int, begun: bool, sdk: Any, http: Any, draft: Draft
    ) -> AssistantError:
        """The one line for the user; no part of it is an exception's own text, which may hold the request."""
        if isinstance(error, AssistantError):
            return error
        status, again = _status(error), f" ({tries} tries)" if tries > 1 else ""
        cause = error if isinstance(error, http.HTTPError) else error.__cause__
        if status == 404:
            return ModelUnavailable(str(self._error(f"has no such model: {self._offered(sdk, http, draft)}")))
        if status in (401, 403):
            what = f"refused the key ({status}): set {VARIABLES[self.service]} to one that may use this model"
        elif status == 429:
            what = f"takes no more requests for now (429){again}: wait, or look at the account's limits"
        elif status is not None and status < 400:
            what = f"sends its callers to another address ({status}), which is not followed: set base_url to that one"
        elif status is not None and status < 500:
            what = f"refused the request ({status}){_said(error)}: check model and settings"
        elif status is not None:
            what = f"failed{again} with {status}{_said(error)}: try again later"
        elif "certificate" in str(cause).lower():
            what = "has a certificate that this machine does not trust: add its authority to the system's"
        elif isinstance(cause, http.ConnectError):
            what = "can't be reached: start it, or set base_url to where it runs"
        elif isinstance(cause, http.ConnectTimeout):
            what = f"can't be reached in {self.settings.connect_timeout:g} s: check base_url and connect_timeout"
        elif isinstance(cause, http.TimeoutException):
            what = f"sent nothing for {self.settings.read_timeout:g} s: try again, or raise read_timeout"
        elif isinstance(cause, http.HTTPError):
            when = "in the middle of its answer" if begun else f"before it answered{again}"
            what = f"closed the connection {when}: ask again"
        elif isinstance(error, sdk.APIError):
            what = f"broke off its answer{_said(error)}: ask again"
        else:
            what = f"sent what is not an answer in the form of {self.package}: check base_url and model"
        return self._error(what)

    def _offered(self, sdk: Any, http: Any, draft: Draft) -> str:
        """The models that the server has."""
        try:
            with self._opened(sdk, http, draft) as client:
                names = sorted(" ".join(sanitize(redact(str(m.id))).split())[:60] for m in client.models.list().data)
        except Exception:  # as above; that the model isn't there is said all the same
            names = []
        more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
        return f"it has {', '.join(names[:_MOST_NAMED])}{more}" if names else "check the model's name and base_url"


def host(address: str) -> str:
    """The host of a server's address.

    Raises:
        UsageError: it is no address, holds more, or is not safe to speak to; none of what may be a secret is shown.
    """
    try:
        url = urlsplit(address)
        hostname, _ = url.hostname, url.port
    except ValueError:
        hostname = None
    if not hostname or url.scheme not in ("http", "https") or not re.fullmatch(r"[!-~]+", address):
        raise UsageError("base_url is not an address: write https://HOST/v1")
    if "@" in address or url.query or url.fragment:
        raise UsageError(
            "base_url holds more than an address: take out what stands before @ and after ? or #, and give the key in "
            f"{' or '.join(VARIABLES.values())}"
        )
    if url.scheme == "http" and not _is_private(hostname):
        raise UsageError(
            f"base_url {address!r} would send key and passages unencrypted: use https. Plain http is for localhost and "
            "for private addresses given as numbers, such as http://192.168.1.5:8000/v1"
        )
    return hostname


def _is_private(name: str) -> bool:
    """Whether a host is this machine, or in a private network by its number; a name could lead anywhere."""
    with contextlib.suppress(ValueError):
        return ip_address(name).is_private
    return name == "localhost"


def _is_loopback(address: str) -> bool:
    name = host(address)
    with contextlib.suppress(ValueError):
        return ip_address(name).is_loopback
    return name == "localhost"


def _shut(connection: socket.socket) -> None:
    # Closing a socket doesn't wake the thread that reads it; shutting it down does.
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _status(error: Exception) -> int | None:
    status = getattr(error, "status_code", None)
    if status == 200:  # an error inside a stream that began well
        return 429 if "rate_limit" in str(getattr(error, "body", "")) else 503
    return status if isinstance(status, int) else None


def _said(error: Exception) -> str:
    """What the server gave as its reason, short and without keys."""
    body = getattr(error, "body", None)
    inner = body.get("error", body) if isinstance(body, dict) else body
    text = inner.get("message") if isinstance(inner, dict) else None
    said = " ".join(sanitize(redact(str(text or ""))).split())[:160]
    return f", saying {said!r}" if said else ""


def _refused(request: Mapping[str, Any], error: Exception) -> str | None:
    """The parameter that the server refused, where the request can do without it or has another name for it."""
    said = json.dumps(getattr(error, "body", None), default=str) if _status(error) == 400 else ""
    return next((name for name, other in _RENAMED.items() if name in request and (other or name) in said), None)


def _wait(error: Exception, tries: int, http: Any) -> float | None:
    """Seconds until the next try; None where another try would not help."""
    status = _status(error)
    if status is None:
        lost = (http.NetworkError, http.RemoteProtocolError)
        cause = error if isinstance(error, lost) else error.__cause__
        return (
            0.5 * 2.0 ** (tries - 1) if isinstance(cause, lost) and not isinstance(cause, http.ConnectError) else None
        )
    if status not in (408, 429) and status < 500:
        return None
    try:
        asked = float(str(error.response.headers["retry-after"]))  # type: ignore[attr-defined]
    except (LookupError, ValueError):  # none, or a date
        return min(0.5 * 2.0 ** (tries - 1), 8.0)
    return asked if 0 <= asked <= MOST_WAIT else None
