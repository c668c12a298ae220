"""Keys: where they are found, and that nothing shows them."""

from __future__ import annotations

import logging

import pytest

from assistant.secrets import key, redact, redact_logs
from corpus.errors import UsageError

SHAPES = (
    "sk-abcdEFGH1234567890abcdEFGH1234567890",
    "sk-proj-Ab12_Cd34-Ef56_Gh78-Ij90_Kl12",
    "sk-svcacct-Ab12Cd34Ef56Gh78",
    "sk-ant-api03-Ab12-Cd34_Ef56-Gh78AA",
    "sk-or-v1-0123456789abcdef0123456789abcdef",
    "gsk_Ab12Cd34Ef56Gh78Ij90",
    "hf_AbCdEfGhIjKlMnOpQrSt",
    "ghp_Ab12Cd34Ef56Gh78Ij90Kl12",
    "AIzaSyA0123456789abcdefghijklmnopqrstuv",
    "AKIAIOSFODNN7EXAMPLE",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dBjftJeZ4CVP-mB92K27uhb",
    "xai-Ab12Cd34Ef56Gh78Ij90",
)


def test_a_key_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", " a-key-of-no-shape \n")
    assert key("openai") == "a-key-of-no-shape"
    assert redact("before a-key-of-no-shape after") == "before [key] after"


def test_what_only_stands_in_a_keys_place_is_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "x")
    assert key("openai") == "x"
    assert redact("an extra box") == "an extra box"


def test_else_from_the_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    keyring = pytest.importorskip("keyring", reason="the extra `keyring` isn't installed")
    from keyring.backend import KeyringBackend

    class Held(KeyringBackend):
        priority = 1

        def get_password(self, service: str, username: str) -> str | None:
            return {("passim-assistant", "anthropic"): "held-in-a-keyring"}.get((service, username))

        def set_password(self, service: str, username: str, password: str) -> None:
            raise NotImplementedError

    before = keyring.get_keyring()
    keyring.set_keyring(Held())
    try:
        assert key("anthropic") == "held-in-a-keyring"
        with pytest.raises(UsageError, match="no key for 'azure': set AZURE_OPENAI_API_KEY"):
            key("azure")
    finally:
        keyring.set_keyring(before)


def test_a_local_server_needs_none() -> None:
    assert key("openai", local=True) == "none"


def test_a_key_that_no_header_can_carry_is_refused_without_being_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-päßword\nX-Injected: 1")
    with pytest.raises(UsageError, match="characters that no key has: set OPENAI_API_KEY again") as raised:
        key("openai")
    assert "Injected" not in str(raised.value)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    "around", ["{}", "Bearer {}", '{{"authorization": "{}"}}', "https://user:{}@host/", "api-key={}&x"]
)
def test_no_shape_of_key_is_left(shape: str, around: str) -> None:
    assert shape not in redact(around.format(shape))
    assert shape[8:] not in redact(around.format(shape))


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer 0123456789abcdef",
        "api-key: 0123456789abcdef0123456789abcdef",
        "{'api_key': '0123456789abcdef0123456789abcdef'}",
        '"X-Api-Key": "0123456789abcdef"',
    ],
)
def test_keys_of_no_shape_go_by_their_header(text: str) -> None:
    assert "0123456789abcdef" not in redact(text)


@pytest.mark.parametrize("secret", ["hunter2x", "hun/ter2x", "hunt@er2x"])
def test_what_stands_before_a_host_goes(secret: str) -> None:
    assert redact(f"at https://user:{secret}@host:bad/v1 now") == "at https://[key]@host:bad/v1 now"


def test_prose_stays() -> None:
    text = "The basic principles of risk-based asks, https://host/a?b=c, bearer certificates and the key to the hall."
    assert redact(text) == text


def test_logs_of_the_libraries_hold_none(caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("openai.of_a_test")
    redact_logs()
    with caplog.at_level(logging.DEBUG):
        logger.debug("sent %s with %r", {"Authorization": f"Bearer {SHAPES[1]}"}, SHAPES[3])
    assert caplog.messages == ["sent {'Authorization': 'Bearer [key]'} with '[key]'"]
