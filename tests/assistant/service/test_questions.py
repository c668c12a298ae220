"""`/ask`, `/search`, `/documents`, `/feedback`, `/proofs`: what a client of the service's own interface gets."""

from __future__ import annotations

import re
from typing import Any

from assistant.api import Assistant
from assistant.config import Settings
from corpus.errors import ModelUnavailable

OPENING = "When does the Marram Museum open?"


def test_answer_is_that_of_the_python_interface(service, desk: Assistant) -> None:
    given, made = service.ask(OPENING), desk.ask(OPENING).to_dict()
    assert given.pop("links").keys() == {c["document"]["id"] for s in made["statements"] for c in s["citations"]}
    for answer in (given, made):
        del answer["timings"]
    without = {name: value for name, value in given.items() if name != "id"}  # its id tells how it was asked
    assert without == {name: value for name, value in made.items() if name != "id"}


def test_history_filters_and_day_reach_the_question(service) -> None:
    followed = service.ask("When does it open?", history=[{"question": "Who is the director of the Marram Museum?"}])
    assert "Marram Museum" in followed["standalone_question"]
    assert service.ask(OPENING, where={"paths": ["news.txt"]})["passages"][0]["document"]["path"] == "news.txt"
    assert service.ask(OPENING, as_of="2024-01-31")["refused"]
    assert service.ask(OPENING, where={"date_from": "2024-03-06"})["passages"][0]["document"]["path"] == "news.txt"
    assert service.ask("What is the price of a helicopter?", anyway=True)["notes"]


def test_folder_of_a_model_is_not_told(serve, open_museum, scripted) -> None:
    class Local(scripted):
        name = "gguf:/srv/models/small.gguf"

    def failing(_: Any) -> Any:
        raise ModelUnavailable("it does not answer")

    chat = {"model": "passim", "messages": [{"role": "user", "content": OPENING}]}
    with open_museum(Local(lambda _: ["It opens on 6 May 2024. [1]"])) as desk, serve(desk) as service:
        whole = service.post("/v1/chat/completions", chat)
        assert service.ask(OPENING)["generator"] == whole.json["passim"]["generator"] == "gguf:small.gguf"
        assert b"/srv" not in whole.body + service.post("/v1/chat/completions", chat | {"stream": True}).body
    with open_museum(Local(failing), settings=Settings(fallback=True)) as desk, serve(desk) as service:
        noted = "gguf:small.gguf failed, and extractive answered instead: it does not answer"
        assert service.ask(OPENING)["notes"] == [noted]


def test_refusal_is_an_answer(service) -> None:
    reply = service.ask("Thanks!")
    assert reply["refused"] and reply["refusal"]["reason"] == "out_of_scope" and reply["links"] == {}


def test_conversation_is_kept_under_its_name(service, desk: Assistant) -> None:
    answer = service.ask(OPENING, conversation="ticket 17")
    assert [record.answer["id"] for record in desk.history("ticket 17")] == [answer["id"]]


def test_search_gives_passages(service) -> None:
    found = service.post("/search", {"question": "roof repairs", "limit": 2}).json["passages"]
    assert [passage["number"] for passage in found] == [1, 2]


def test_documents_are_listed_in_pages(service) -> None:
    listed = service.get("/documents?limit=3").json
    assert ([d["path"] for d in listed["documents"]], listed["total"], listed["next"]) == (
        ["mill.md", "news.txt", "opening.md"], 4, 3,
    )  # fmt: skip
    rest = service.get("/documents?limit=3&offset=3").json
    assert ([d["path"] for d in rest["documents"]], rest["next"]) == (["repairs.txt"], None)
    assert service.get("/documents?offset=99").json["documents"] == []


def test_feedback_is_kept(service, desk: Assistant) -> None:
    answer = service.ask("Who runs the café at Skell Mill?")
    cited = answer["statements"][0]["citations"][0]
    place = {name: cited[name] for name in ("number", "start", "end")}
    given = {"answer": answer["id"], "judgement": "citation", "citation": place, "reason": "another mill"}
    assert service.post("/feedback", given).status == 200
    kept = next(f for f in desk.feedback.listed() if f.answer == answer["id"])
    assert (kept.judgement, kept.reason, kept.citation) == ("citation", "another mill", tuple(place.values()))
    unknown = service.post("/feedback", {"answer": "0" * 24, "judgement": "right"})
    assert (unknown.status, unknown.headers["content-type"]) == (404, "application/problem+json")
    unsaid = service.post("/feedback", {"answer": answer["id"], "judgement": "citation"})
    assert (unsaid.status, unsaid.json["detail"]) == (422, "citation is missing: say which is wrong")


def test_proof_of_a_kept_answer(service) -> None:
    answer = service.ask(OPENING)
    reply = service.get(f"/proofs/{answer['id']}")
    assert reply.status == 200 and answer["id"].encode() in reply.body
    assert service.get("/proofs/" + "0" * 24).status == 404


def test_health_readiness_and_metrics(service) -> None:
    assert service.get("/health").json == {"status": "alive"}
    service.ask(OPENING)  # which loads what there is to load
    assert service.get("/ready").json["status"] == "ready"
    service.ask("Thanks!")
    text = service.get("/metrics").body.decode()
    counts = dict(re.findall(r"^(\w+(?:\{[^}]*\})?) ([\d.e+]+)$", text, re.M))
    assert float(counts['passim_questions_total{outcome="answered"}']) >= 1
    assert float(counts['passim_questions_total{outcome="refused"}']) >= 1
    assert (counts["passim_index_documents"], counts["passim_questions_running"]) == ("4.0", "0.0")
    assert float(counts['passim_stage_seconds_count{stage="retrieve"}']) >= 1
    assert "Marram" not in text and "Thanks" not in text
