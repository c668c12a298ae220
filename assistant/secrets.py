"""Keys of hosted models: where they come from, and how they are kept out of everything that is shown or stored."""

from __future__ import annotations

import logging
import os
import re

from corpus.errors import UsageError

KEYRING = "passim-assistant"
"""Service name in the system's keyring; the user name there is the service: `openai`, `azure`, `anthropic`."""
VARIABLES = {"anthropic": "ANTHROPIC_API_KEY", "azure": "AZURE_OPENAI_API_KEY", "openai": "OPENAI_API_KEY"}

_SHAPES = re.compile(
    r"""\bsk[-_][\w-]{8,}                           # OpenAI, Anthropic (sk-ant-), OpenRouter (sk-or-)
      | \b(?:gsk|hf|gh[opusr]|github_pat|r8)_\w{10,}  # Groq, Hugging Face, GitHub, Replicate
      | \b(?:glpat|nvapi|pplx|xai)-[\w-]{10,}
      | \bAIza[\w-]{30,}                             # Google
      | \b(?:AKIA|ASIA)[A-Z0-9]{16}\b                # AWS
      | \beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]+            # JSON web tokens
      | (?<=://)\S{1,300}(?=@)                       # https://user:password@host
      | ((?:bearer|basic)\s+)(?=\S*\d)[\w.~+/=-]{8,}
      | ((?:api[-_]?key|authorization)["']?\s*[:=]\s*(?:b(?=["']))?["']?)(?!bearer\s|basic\s)[^\s,;&"'}]{4,}
    """,
    re.I | re.X,
)
_LEAST = 8
"""Characters of a secret: what stands in a key's place for a server that asks for none, `x`, is in any text."""
_given: set[str] = set()
_LIBRARIES = ("anthropic", "httpcore", "httpx", "openai")


def key(service: str, *, local: bool = False) -> str:
    """The key of `anthropic`, `azure` or `openai`: from the environment, else from the keyring where one is installed.

    Args:
        local: a server on this machine is meant, which may ask for none: `none` where the environment has no key.

    Raises:
        UsageError: there is none; it says how to give one.
    """
    variable = VARIABLES[service]
    found = (os.environ.get(variable) or "").strip()
    if not found and local:
        return "none"
    found = found or (_from_keyring(service) or "").strip()
    if not found:
        raise UsageError(
            f"no key for {service!r}: set {variable}, or install passim-assistant[keyring] and run "
            f"`keyring set {KEYRING} {service}`"
        )
    if not found.isascii() or not found.isprintable():
        raise UsageError(f"the key for {service!r} has characters that no key has: set {variable} again")
    if len(found) >= _LEAST:
        _given.add(found)
    return found


def redact(text: str) -> str:
    """The text without keys: those that were handed out, and whatever is shaped like one."""
    for handed_out in sorted(_given, key=len, reverse=True):
        text = text.replace(handed_out, "[key]")
    return _SHAPES.sub(r"\1\2[key]", text)


def redact_logs() -> None:
    """Keep keys out of what the libraries of hosted models log, at any level. They must be imported already."""
    for name in list(logging.root.manager.loggerDict):
        # A filter holds for its own logger and not for those below it.
        if name.startswith(_LIBRARIES):
            logging.getLogger(name).addFilter(_REDACTED)


class _Redacted(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = redact(record.getMessage()), ()
        return True


_REDACTED = _Redacted()


def _from_keyring(service: str) -> str | None:
    try:
        import keyring  # deferred: optional, and it asks the system's services when imported
        from keyring.errors import KeyringError
    except ImportError:
        return None
    try:
        return keyring.get_password(KEYRING, service)
    except KeyringError:  # no keyring on this machine, or a locked one
        return None
