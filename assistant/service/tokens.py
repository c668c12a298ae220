"""Who may ask, and what they may see: tokens, of which only digests are kept, and links to single documents."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
import time
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from corpus.errors import UsageError
from corpus.files import write_file

LINK_SECONDS = 3600
"""For so long a link that was given out opens its document."""
_MOST_AUDIENCES = 10_000
"""Of links; the oldest of more end before their hour."""
_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,63}", re.ASCII)
_DIGEST = re.compile(r"[0-9a-f]{64}")
_BEARER = re.compile(r"bearer +([\x21-\x7e]{1,512})", re.I)


@dataclass(frozen=True, slots=True)
class Client:
    """Whoever sent a request."""

    name: str = ""
    """Of its token; empty where none are asked for."""
    audience: frozenset[str] | None = None
    """Whose documents it may see; None for all."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """The clients of a tokens file, by the SHA-256 of their tokens in hexadecimal."""

    clients: tuple[tuple[str, Client], ...]

    @classmethod
    def read(cls, file: str | Path) -> Self:
        """Raises `UsageError` for a file that isn't there, isn't TOML, or holds what no tokens file does."""
        clients = _clients(Path(file))
        if not clients:
            raise UsageError(f"{str(file)!r} holds no token: `assistant serve token NAME --tokens FILE` makes one")
        return cls(clients)

    def client(self, authorization: str) -> Client | None:
        """The client of an `Authorization` header; None where it has no known token. Takes as long for each token."""
        given = _BEARER.fullmatch(authorization.strip())
        digest = hashlib.sha256((given[1] if given else "").encode()).hexdigest()
        found = [client for known, client in self.clients if hmac.compare_digest(known, digest)]
        return found[0] if given and found else None


def make_token(name: str, audience: Sequence[str] | None, file: str | Path) -> str:
    """A new token, whose digest is added to the file; it stands nowhere else. None for an audience that sees all.

    Raises:
        UsageError: the name isn't one, or is taken; the file isn't a tokens file.
        UnavailableError: the file can't be written.
    """
    path = Path(file)
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name!r} can't name a token: give up to 64 letters, digits, dots, dashes and underscores")
    if nameless := [one for one in audience or () if not (one.strip() and one.isprintable())]:
        raise UsageError(f"{nameless[0]!r} can't be the name of an audience: give a name that can be printed")
    known = _clients(path) if path.exists() else ()
    if any(client.name == name for _, client in known):
        raise UsageError(f"{str(file)!r} has a token named {name!r} already: name another, or remove it there")
    before = path.read_text(encoding="utf-8-sig") if path.exists() else ""
    token = secrets.token_urlsafe(32)
    lines = ["[[token]]", f'name = "{name}"', f'sha256 = "{hashlib.sha256(token.encode()).hexdigest()}"']
    if audience is not None:
        lines.append(f"audience = {json.dumps(sorted(set(audience)), ensure_ascii=False)}")  # JSON that is TOML
    gap = "" if not before else "\n" if before.endswith("\n") else "\n\n"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(0o600)
    write_file(path, before + gap + "\n".join(lines) + "\n")
    return token


class Links:
    """Signs addresses of documents, so that a browser, which sends no token, can open what an answer cites.

    A key holds for one document, for an hour, as long as the process lives, and shows it only as long as it is for
    the audience that was answered.
    """

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(32)
        self._clients: dict[str, Client] = {}
        """By what keys hold in the place of their audience, which may be long."""

    def key(self, document_id: str, audience: frozenset[str] | None) -> str:
        until = int(time.time()) + LINK_SECONDS
        groups = self._signature("", json.dumps(None if audience is None else sorted(audience)))[:32]
        self._clients[groups] = Client("", audience)
        if len(self._clients) > _MOST_AUDIENCES:
            del self._clients[next(iter(self._clients))]
        said = f"{until}.{groups}"
        return f"{said}.{self._signature(document_id, said)}"

    def client(self, document_id: str, key: str, now: float | None = None) -> Client | None:
        """Who was given a key; None where it isn't one for this document, or is too old."""
        said, _, signature = key.rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._signature(document_id, said).encode()):
            return None
        until, _, groups = said.partition(".")
        return None if (now or time.time()) > int(until) else self._clients.get(groups)

    def _signature(self, document_id: str, said: str) -> str:
        return hmac.new(self._secret, f"{document_id}.{said}".encode(), hashlib.sha256).hexdigest()


def _clients(path: Path) -> tuple[tuple[str, Client], ...]:
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise UsageError(f"the tokens file {str(path)!r} can't be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"the tokens file {str(path)!r} is not TOML: mend it, or move it away") from error
    entries = values.pop("token", [])
    if values or not isinstance(entries, list):
        raise UsageError(f"{str(path)!r} may hold tables headed [[token]] and nothing else: mend it")
    clients = tuple(_client(entry, f"token {number} of {str(path)!r}") for number, entry in enumerate(entries, 1))
    names = [client.name for _, client in clients]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise UsageError(f"{str(path)!r} has two tokens named {twice!r}: rename or remove one")
    return clients


def _client(entry: Any, place: str) -> tuple[str, Client]:
    """The message never holds what stands where the digest should: it may be the token itself."""
    if not isinstance(entry, dict) or not {"name", "sha256"} <= entry.keys() <= {"name", "sha256", "audience"}:
        raise UsageError(
            f"{place} must have a name, the sha256 of the token, and perhaps an audience, and nothing else"
        )
    name, digest, audience = entry["name"], entry["sha256"], entry.get("audience")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise UsageError(f"{place} has the name {name!r}: give up to 64 letters, digits, dots, dashes and underscores")
    if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
        raise UsageError(f"{place}, {name!r}, needs as sha256 the 64 hexadecimal digits of the token's digest")
    if audience is not None and not (isinstance(audience, list) and all(isinstance(one, str) for one in audience)):
        raise UsageError(f"{place}, {name!r}, has the audience {audience!r}: give a list of names")
    return digest, Client(name, None if audience is None else frozenset(audience))
