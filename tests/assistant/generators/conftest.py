"""No key, address or proxy of whoever runs the tests reaches a generator."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from assistant.types import Passage, Prompt

VARIABLES = (
    "ANTHROPIC_API_KEY ANTHROPIC_AUTH_TOKEN ANTHROPIC_BASE_URL AZURE_OPENAI_API_KEY AZURE_OPENAI_ENDPOINT"
    " OPENAI_API_KEY OPENAI_BASE_URL"
).split()


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")


@pytest.fixture
def prompt(passage_of: Callable[..., Passage]) -> Prompt:
    texts = ("The museum opens on 6 May 2024. Entry costs £4.", "It is closed on Mondays.")
    return Prompt("When does it open?", tuple(passage_of(text, n) for n, text in enumerate(texts, 1)))
