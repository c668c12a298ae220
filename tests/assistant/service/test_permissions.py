"""Tokens, audiences and signed links: what a client may not see isn't there, whatever it asks for."""

from __future__ import annotations

import re
import time
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from assistant.service import tokens as tokens_module
from assistant.service.tokens import Client, Links, Tokens, make_token
from corpus.errors import UsageError

OPENING = "When does the Marram Museum open?"
SOLD = "To whom was the Marram Museum sold?"
SECRETS = re.compile(rb"wombat|Orla|Vex|9,371,000|dismissed|Closed session|minutes/closed|\"total\":5", re.I)


def _everything(service, hidden: str, hidden_answer: str) -> list[tuple[str, object]]:
    """Every endpoint, asked for what is hidden in all ways that there are."""
    chat = {"model": "passim", "messages": [{"role": "user", "content": SOLD}]}
    asked = [
        service.get("/documents"),
        service.get(f"/documents/{hidden}"),
        service.get(f"/documents/{hidden}?start=0&end=5", Accept="application/json"),
        service.get(f"/documents/{hidden}?start=0&end=999999"),
        service.get(f"/proofs/{hidden_answer}"),
        service.post("/ask", {"question": SOLD}),
        service.post("/ask", {"question": SOLD, "anyway": True}),
        service.post("/ask", {"question": SOLD, "where": {"paths": ["minutes/*"]}}),
        service.post("/ask", {"question": SOLD, "conversation": "closed"}),
        service.post("/ask", {"question": "And when?", "conversation": "closed"}),
        service.post("/search", {"question": SOLD, "limit": 100}),
        service.post("/v1/chat/completions", chat),
        service.post("/v1/chat/completions", chat | {"stream": True}),
        service.post("/feedback", {"answer": hidden_answer, "judgement": "wrong"}),
        *(service.get(path) for path in ("/v1/models", "/health", "/ready", "/metrics", "/openapi.json")),
    ]
    return [(str(reply.status), reply.body) for reply in asked]


def test_nothing_of_a_hidden_document_is_in_any_response(guarded, staff) -> None:
    known = staff.ask(SOLD, conversation="closed")
    assert SECRETS.search(known["text"].encode()) and "staff" not in known["text"]
    hidden = known["statements"][0]["citations"][0]["document"]["id"]
    assert staff.get(f"/documents/{hidden}").status == 200 and staff.get(f"/proofs/{known['id']}").status == 200
    for status, body in _everything(guarded, hidden, known["id"]):
        assert not SECRETS.search(body.replace(SOLD.encode(), b"")), (status, body)


def test_hidden_is_answered_as_unknown(guarded, staff) -> None:
    known = staff.ask(SOLD)
    hidden = known["statements"][0]["citations"][0]["document"]["id"]
    there, missing = guarded.get(f"/documents/{hidden}"), guarded.get("/documents/" + "0" * 32)
    assert (there.status, there.body) == (missing.status, missing.body) == (404, missing.body)
    there, missing = guarded.get(f"/proofs/{known['id']}"), guarded.get("/proofs/" + "0" * 24)
    assert (there.status, there.body) == (missing.status, missing.body)
    told = [guarded.post("/feedback", {"answer": id, "judgement": "right"}) for id in (known["id"], "0" * 24)]
    assert (told[0].status, told[0].body) == (told[1].status, told[1].body) == (404, told[0].body)
    named = [guarded.post("/ask", {"question": OPENING, "audience": [name]}) for name in ("staff", "nobody")]
    assert (named[0].status, named[0].body) == (named[1].status, named[1].body) == (403, named[0].body)


def test_audience_can_be_narrowed_and_not_widened(guarded, staff) -> None:
    assert staff.ask(SOLD, audience=["public"])["text"] == guarded.ask(SOLD)["text"]
    assert not staff.ask(OPENING, audience=["public"])["refused"]
    assert staff.ask(OPENING, audience=[])["refused"]
    chat = {"model": "passim", "messages": [{"role": "user", "content": SOLD}]}
    assert SECRETS.search(staff.post("/v1/chat/completions", chat).body.replace(SOLD.encode(), b""))
    narrowed = staff.post("/v1/chat/completions", chat | {"audience": ["public"]})
    assert narrowed.status == 200 and not SECRETS.search(narrowed.body.replace(SOLD.encode(), b""))
    for wrong in (5, "public", [["public"]]):
        assert staff.post("/v1/chat/completions", chat | {"audience": wrong}).status == 400
    assert guarded.post("/search", {"question": OPENING, "audience": ["public", "staff"]}).status == 403
    assert [guarded.get("/documents").json["total"], staff.get("/documents").json["total"]] == [4, 5]


def test_token_is_needed_everywhere_but_for_health(guarded) -> None:
    anyone = type(guarded)(guarded.port)
    assert anyone.get("/health").status == 200
    for path in ("/ready", "/metrics", "/documents", "/documents/" + "0" * 32, "/openapi.json", "/v1/models"):
        for given in (
            {},
            {"Authorization": "Bearer wrong"},
            {"Authorization": guarded.token},
            {"Authorization": "Basic x"},
        ):
            reply = anyone.get(path, **given)
            assert (reply.status, reply.headers["www-authenticate"]) == (401, "Bearer")
            assert b"known here" in reply.body
    assert anyone.post("/ask", b"not even JSON").status == 401
    assert anyone.get(f"/documents?key={guarded.token}").status == 401


def test_conversations_of_tokens_are_apart(guarded, staff) -> None:
    assert staff.ask(SOLD, conversation="one")["id"] != guarded.ask(SOLD, conversation="one")["id"]


def test_what_another_token_asked_is_not_there_though_both_see_the_same_documents(guarded, staff) -> None:
    theirs = staff.ask("When does the café at Skell Mill serve soup?", audience=["public"])
    assert staff.get(f"/proofs/{theirs['id']}").status == 200 and guarded.get(f"/proofs/{theirs['id']}").status == 404
    assert guarded.post("/feedback", {"answer": theirs["id"], "judgement": "wrong"}).status == 404
    mine = guarded.ask(OPENING, conversation="mine")
    assert staff.ask(OPENING, audience=["public"], conversation="theirs")["id"] == mine["id"]
    assert guarded.get(f"/proofs/{mine['id']}").json["record"]["conversation"] == "website:mine"
    assert guarded.post("/feedback", {"answer": mine["id"], "judgement": "right"}).status == 200


def test_link_opens_its_document_and_no_other(guarded, staff) -> None:
    anyone = type(guarded)(guarded.port)
    link = urlsplit(next(iter(guarded.ask(OPENING)["links"].values())))
    assert anyone.get(f"{link.path}?{link.query}").status == 200
    key = dict(parse_qsl(link.query))["key"]
    others = [d["id"] for d in staff.get("/documents").json["documents"] if d["id"] not in link.path]
    for other in others:
        assert anyone.get(f"/documents/{other}?key={key}").status == 401
    for wrong in (key[:-1] + ("0" if key[-1] != "0" else "1"), "x." + key.partition(".")[2], key[1:], "", ".", "é"):
        assert anyone.request("GET", f"{link.path}?key={wrong.encode().hex() if wrong == 'é' else wrong}").status == 401
    assert anyone.get(f"/proofs/{'0' * 24}?key={key}").status == 401
    assert anyone.get(f"{link.path}?{link.query}", Authorization="Bearer wrong").status == 401


def test_link_ends_with_its_hour_and_keeps_its_audience() -> None:
    links, audience = Links(), frozenset({"public"})
    key = links.key("a" * 32, audience)
    assert links.client("a" * 32, key) == Client("", audience)
    assert links.client("a" * 32, links.key("a" * 32, None)) == Client("", None)
    assert links.client("a" * 32, links.key("a" * 32, frozenset())) == Client("", frozenset())
    assert links.client("b" * 32, key) is None and Links().client("a" * 32, key) is None
    until = time.time() + tokens_module.LINK_SECONDS
    assert links.client("a" * 32, key, now=until - 5) is not None
    assert links.client("a" * 32, key, now=until + 5) is None


def test_key_is_as_short_for_many_groups_and_names_none() -> None:
    links, many = Links(), frozenset(f"group {number}" for number in range(1000))
    key = links.key("a" * 32, many)
    assert links.client("a" * 32, key) == Client("", many)
    assert len(key) == len(links.key("a" * 32, None)) < 120 and "group" not in key


def test_link_of_staff_shows_what_the_public_may_not_see_only_to_its_holder(staff) -> None:
    link = urlsplit(next(iter(staff.ask(SOLD)["links"].values())))
    anyone = type(staff)(staff.port)
    assert anyone.get(f"{link.path}?{link.query}").status == 200 and anyone.get(link.path).status == 401


def test_tokens_file(tmp_path: Path) -> None:
    file = tmp_path / "new" / "tokens.toml"
    website = make_token("website", ["public", "press"], file)
    everyone = make_token("operator", None, file)
    nobody = make_token("metrics", [], file)
    read = Tokens.read(file)
    assert read.client(f"Bearer {website}") == Client("website", frozenset({"public", "press"}))
    assert read.client(f"bearer  {everyone}") == Client("operator", None)
    assert read.client(f"Bearer {nobody}") == Client("metrics", frozenset())
    assert [read.client(given) for given in ("", "Bearer ", "Bearer x", website, f"Bearer {website} x")] == [None] * 5
    text = file.read_text()
    assert website not in text and everyone not in text and file.stat().st_mode & 0o077 == 0
    with pytest.raises(UsageError, match="has a token named 'website' already"):
        make_token("website", None, file)
    assert file.read_text() == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "holds no token"),
        ("[[token]", "is not TOML"),
        ("token = 3", "headed \\[\\[token\\]\\]"),
        ('colour = "red"', "headed \\[\\[token\\]\\]"),
        ('[[token]]\nname = "a"', "token 1 of .* must have a name, the sha256"),
        ('[[token]]\nname = "a"\nsha256 = "hunter2"', "token 1 of .* needs as sha256 the 64"),
        ('[[token]]\nname = "a b"\nsha256 = "x"', "has the name 'a b'"),
        (f'[[token]]\nname = "a"\nsha256 = "{"0" * 64}"\naudience = "public"', "give a list of names"),
        (f'[[token]]\nname = "a"\nsha256 = "{"0" * 64}"\n' * 2, "two tokens named 'a'"),
    ],
)
def test_wrong_tokens_files_are_told(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "tokens.toml"
    file.write_text(text)
    with pytest.raises(UsageError, match=said) as raised:
        Tokens.read(file)
    assert "hunter2" not in str(raised.value)
    with pytest.raises(UsageError, match="can't be read"):
        Tokens.read(tmp_path / "missing.toml")
