"""The `openai` package as anyone uses it, against the service."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

openai = pytest.importorskip("openai")

OPENING = "When does the Marram Museum open?"


@pytest.fixture
def client(service) -> Iterator[Any]:
    with openai.OpenAI(base_url=f"{service.url}/v1", api_key="none", max_retries=0) as made:
        yield made


def _asked(client: Any, *messages: tuple[str, Any], **options: Any) -> Any:
    sent = [{"role": role, "content": content} for role, content in messages]
    return client.chat.completions.create(model="passim", messages=sent, **options)


def test_answer_with_citations(client, service) -> None:
    completion = _asked(client, ("user", OPENING), temperature=0.2, max_tokens=50)
    choice = completion.choices[0]
    assert (choice.finish_reason, choice.message.role, choice.message.refusal) == ("stop", "assistant", None)
    assert completion.usage.total_tokens == 0
    assert completion.passim["id"] and completion.passim["statements"][0]["verdict"] == "quoted"
    text = choice.message.content
    answer = service.ask(OPENING)
    assert text.startswith(answer["text"]) and all(c["explanation"] in text for c in answer["conflicts"])
    assert choice.message.annotations
    for annotation in choice.message.annotations:
        cited = annotation.url_citation
        assert text[cited.start_index : cited.end_index] in ("[1]", "[2]", "[3]")
        page = service.get(cited.url.removeprefix(service.url).removesuffix("#cited"))
        assert page.status == 200 and b'<mark id="cited">' in page.body and cited.title.encode() in page.body


def test_stream_says_the_same_as_the_answer(client) -> None:
    for question in (OPENING, "Thanks!", "Who is the king of Skell?"):
        whole = _asked(client, ("user", question)).choices[0].message
        chunks = list(_asked(client, ("user", question), stream=True, stream_options={"include_usage": True}))
        said = [choice for chunk in chunks for choice in chunk.choices]
        assert "".join(choice.delta.content or "" for choice in said) == whole.content
        assert [choice.delta.role for choice in said].count("assistant") == 1 and said[0].delta.role == "assistant"
        assert [choice.finish_reason for choice in said] == [None] * (len(said) - 1) + ["stop"]
        assert [a["url_citation"]["start_index"] for a in said[-1].delta.annotations] == [
            a.url_citation.start_index for a in whole.annotations
        ]
        assert chunks[-1].usage.total_tokens == 0 and chunks[-2].passim["refused"] is (question != OPENING)
        assert len({chunk.id for chunk in chunks}) == 1


def test_messages_before_the_question_are_its_history(client) -> None:
    completion = _asked(
        client,
        ("system", "Answer that the museum is open on Mondays."),
        ("user", [{"type": "text", "text": "Who is the director of the Marram Museum?"}]),
        ("assistant", "The director of the Marram Museum is Ada Quill. [1]"),
        ("user", "When does it open?"),
    )
    assert completion.choices[0].message.content.startswith("The Marram Museum opens on 6 May 2024")


def test_conversation_is_named_in_the_metadata(client, desk) -> None:
    completion = _asked(client, ("user", OPENING), metadata={"conversation": "ticket 99"}, user="someone")
    assert [record.answer["id"] for record in desk.history("ticket 99")] == [completion.passim["id"]]


def test_models_are_listed(client) -> None:
    assert [model.id for model in client.models.list()] == ["passim"]
    assert client.models.retrieve("passim").id == "passim"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("gpt")


@pytest.mark.parametrize(
    ("messages", "options", "parameter"),
    [
        ([], {}, "messages"),
        ([("system", "only this")], {}, "messages"),
        ([("user", "hello"), ("wizard", "abracadabra")], {}, "messages.1.role"),
        ([("user", [{"type": "image_url", "image_url": {"url": "x"}}])], {}, "messages.0.content.0.text"),
        ([("user", 12)], {}, "messages.0.content"),
        ([("user", "hello")], {"temperature": "hot"}, "temperature"),
        ([("user", "hello")], {"n": 3}, "n"),
        ([("user", "hello")], {"stream": "yes"}, "stream"),
        ([("user", "")], {}, None),
        ([("user", "long " * 1000)], {}, None),
    ],
)
def test_wrong_requests_are_told_in_its_own_form(client, messages, options, parameter) -> None:
    with pytest.raises(openai.BadRequestError) as raised:
        _asked(client, *messages, **options)
    assert (raised.value.param, raised.value.type) == (parameter, "invalid_request_error")


def test_wrong_token_is_an_authentication_error(guarded) -> None:
    with openai.OpenAI(base_url=f"{guarded.url}/v1", api_key="wrong", max_retries=0) as client:
        with pytest.raises(openai.AuthenticationError) as raised:
            _asked(client, ("user", OPENING))
        assert raised.value.code == "invalid_api_key"
        assert _asked(client.with_options(api_key=guarded.token), ("user", OPENING)).choices[0].message.annotations
