"""Whatever a restricted assistant gives, it is as if the other documents didn't exist."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from assistant.api import Assistant
from assistant.audit.auditor import AuditedAnswer, render_audit
from assistant.audit.watching import Watching
from assistant.config import Settings
from corpus.errors import UnavailableError, UnknownAudience, UsageError
from embeddings.types import Where
from tests.assistant.conftest import filled

SECRET = "Zanzibar"
OPEN = "---\naudience: [public]\n---\n# The harbour\n\nThe harbour of Skell has 40 berths. A berth costs £300 a year.\n"
HIDDEN = (
    f"---\naudience: [staff]\n---\n# The {SECRET} plan\n\nThe harbour of Skell will be sold to {SECRET} Holdings "
    f"for £412,000. A berth at {SECRET} costs £900 a year.\n"
)
ASKED = "How much does a berth at the harbour cost?"


class Hidden(NamedTuple):
    """Ids of what only the staff sees."""

    document: str
    answer: str


OPERATORS = {
    *("build", "open", "close", "warm", "ready", "use", "generator", "settings", "reranker", "bound", "limits"),
    *("unkept", "audience", "seen_by"),
}
"""What gives no document and nothing that was made of one."""
TOLD: dict[str, Callable[[Assistant, Hidden], Any]] = {
    "search": lambda desk, _: desk.search(f"{SECRET} plan"),
    "explain": lambda desk, _: desk.explain(ASKED, "hidden.md").replace("hidden.md", ""),
    "documents": lambda desk, _: desk.documents(),
    "failures": lambda desk, _: desk.failures(),
    "document": lambda desk, hidden: desk.document(hidden.document),
    "document_at": lambda desk, _: desk.document_at("hidden.md"),
    "original": lambda desk, _: desk.original("hidden.md").read_text(encoding="utf-8"),
    "folders": lambda desk, _: [p.read_text(encoding="utf-8") for folder in desk.folders for p in folder.iterdir()],
    "snapshot": lambda desk, _: desk.snapshot.documents,
    "suggestions": lambda desk, _: desk.suggestions(),
    "ask": lambda desk, _: desk.ask(ASKED),
    "stream": lambda desk, _: [*desk.stream(ASKED)],
    "conversation": lambda desk, _: (desk.conversation("secret").turns, desk.conversation().ask(ASKED)),
    "conversations": lambda desk, _: (desk.conversations.listed(), desk.conversations.find(SECRET)),
    "feedback": lambda desk, _: (desk.feedback.listed(), desk.feedback.cases()),
    "history": lambda desk, _: desk.history(),
    "proof": lambda desk, hidden: desk.proof(hidden.answer),
    "audit": lambda desk, _: desk.audit(),
}


Harbour = tuple[Assistant, Assistant, Hidden]


@pytest.fixture(scope="module")
def harbour(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harbour]:
    """The desk of everybody, that of the public, and what that mustn't see."""
    root = tmp_path_factory.mktemp("harbour")
    Assistant.build(
        filled(root / "documents", {"open.md": OPEN, "hidden.md": HIDDEN}), index=root / "index", embedder="hashing"
    )
    with Assistant.open(root / "index", reranker=None) as desk:
        hidden = next(d.id for d in desk.documents() if d.path == "hidden.md")
        answer = desk.ask(f"What does a berth at {SECRET} cost?", conversation="secret").id
        desk.feedback.add(answer, "right")
        desk.ask(f"What does a berth at {SECRET} cost?", conversation="staff", audience={"staff"})
        yield desk, desk.seen_by({"public"}), Hidden(hidden, answer)


def test_every_public_member_is_known_here() -> None:
    assert {name for name in dir(Assistant) if not name.startswith("_")} == OPERATORS | TOLD.keys()


@pytest.mark.parametrize("member", TOLD)
def test_no_member_tells_of_a_hidden_document(member: str, harbour: Harbour) -> None:
    _, public, hidden = harbour
    said = ""
    with suppress(UsageError):
        said = repr(TOLD[member](public, hidden))
    assert SECRET not in said and hidden.document not in said and "hidden.md" not in said
    assert "£900" not in said and "£412,000" not in said


def test_the_same_calls_tell_the_staff(harbour: Harbour) -> None:
    desk, _, hidden = harbour
    staff = desk.seen_by({"staff"})
    for member in ("search", "documents", "document", "document_at", "original", "ask", "stream", "history"):
        said = repr(TOLD[member](staff, hidden))
        assert SECRET in said or hidden.document in said, member


def test_a_hidden_document_is_answered_for_as_one_that_is_not_there(harbour: Harbour) -> None:
    _, public, hidden = harbour
    assert public.snapshot.documents == 1
    assert public.document_at("hidden.md") is None is public.document_at("absent.md")
    for call, given, absent in (
        (public.document, hidden.document, "0" * len(hidden.document)),
        (public.proof, hidden.answer, "0" * len(hidden.answer)),
        (public.original, "hidden.md", "absent.md"),
    ):
        said = []
        for value in (given, absent):
            with pytest.raises(UsageError) as raised:
                call(value)  # type: ignore[operator]
            said.append(str(raised.value).replace(value, "…"))
        assert said[0] == said[1]
    assert public.explain(ASKED, "hidden.md").replace("hidden", "absent") == public.explain(ASKED, "absent.md")


def test_an_audience_is_only_ever_narrowed(harbour: Harbour) -> None:
    desk, public, _ = harbour
    said = []
    for name in ("staff", "ghosts"):
        with pytest.raises(UnknownAudience) as raised:
            public.ask(ASKED, audience={name})
        said.append(str(raised.value).replace(name, "…"))
    assert said[0] == said[1] and "public" not in said[0].replace('"public"', "")
    assert public.seen_by(None).audience == {"public"}
    assert public.seen_by(set()).documents() == []
    assert public.ask(ASKED, audience=set()).refused
    assert {d.path for d in desk.documents(audience={"public", "staff"})} == {"open.md", "hidden.md"}
    with pytest.raises(UnknownAudience, match="unknown audience 'ghosts'"):
        desk.seen_by({"public", "ghosts"})


@pytest.mark.parametrize("audience", ["public", ["public"], {1}, {None}])
def test_what_is_no_audience_is_refused(audience: Any, harbour: Harbour) -> None:
    with pytest.raises(UsageError, match="is no set of names"):
        harbour[0].ask(ASKED, audience=audience)


def test_a_narrower_assistant_changes_and_closes_nothing(harbour: Harbour) -> None:
    desk, public, _ = harbour
    with pytest.raises(UsageError, match="the generator is the same for all audiences"):
        public.use("extractive")
    public.close()
    assert not desk.ask(ASKED).refused
    assert not public.ask(ASKED).refused


def test_an_answer_is_stale_where_its_readers_may_no_longer_see_what_it_cites(tmp_path: Path) -> None:
    documents = tmp_path / "documents"
    documents.mkdir()
    (documents / "open.md").write_text(OPEN, encoding="utf-8")
    Assistant.build(documents, index=tmp_path / "index", embedder="hashing")
    with Assistant.open(tmp_path / "index", reranker=None) as desk:
        for_the_public, for_all = desk.ask(ASKED, audience={"public"}), desk.ask(ASKED)
        (documents / "corpus.toml").write_text('[[documents]]\npaths = ["*"]\naudience = ["staff"]\n', encoding="utf-8")
        Assistant.build(documents, index=tmp_path / "index", embedder="hashing")
        report = desk.audit()
        assert [answer.id for answer in report.stale] == [for_the_public.id] != [for_all.id]
        assert (report.citations["gone"], report.citations["intact"]) == (1, 1)


def test_a_restricted_assistant_tells_of_stale_answers_that_it_may_no_longer_show(tmp_path: Path) -> None:
    texts = {
        "open.md": OPEN,
        "mill.md": "---\naudience: [public]\n---\n# The mill\n\nA visit to the mill of Skell costs £7.\n",
    }
    documents = filled(tmp_path / "documents", texts)
    Assistant.build(documents, index=tmp_path / "index", embedder="hashing")
    with Assistant.open(tmp_path / "index", reranker=None) as desk:
        public, told = desk.seen_by({"public"}), list[AuditedAnswer]()
        watching = Watching(public, desk._core.history, told.append)
        gone = public.ask(ASKED, conversation="gone", where=Where(paths=("open.md",)))
        desk.ask(ASKED, conversation="of all")
        public.ask("How much does a visit to the mill cost?", conversation="mill", where=Where(paths=("mill.md",)))
        watching.look()
        assert (told, public.audit().answers) == ([], 2)
        (documents / "corpus.toml").write_text(
            '[[documents]]\npaths = ["open.md"]\naudience = ["staff"]\n', encoding="utf-8"
        )
        Assistant.build(documents, index=tmp_path / "index", embedder="hashing")
        for _ in range(2):
            watching.look()
        report = public.audit()
        asked = desk.history("gone")[0].asked
        assert told == [*report.stale] == [AuditedAnswer(gone.id, 1, "gone", "", asked, (), withheld=True)]
        assert (report.answers, report.citations["intact"], report.citations["gone"]) == (2, 1, 0)
        assert f"{gone.id}: what it says may no longer be seen, asked on" in render_audit(report)
        assert json.dumps(report.to_dict()).count('"withheld": true') == 1
        assert desk.seen_by({"public"}, conversations="m").audit().stale == ()
        assert [bool(one.statements) for one in desk.audit().stale] == [True]
        (documents / "corpus.toml").unlink()
        Assistant.build(documents, index=tmp_path / "index", embedder="hashing")
        watching.look()
        assert (len(told), public.audit().stale) == (1, ())


def test_why_a_generator_failed_is_told_to_the_unrestricted_alone(harbour: Harbour, tmp_path: Path, scripted) -> None:
    def failing(_: object) -> Iterator[str]:
        raise UnavailableError("the server 'http://10.1.2.3' is gone")

    index, settings = harbour[0].folders[0].parent / "index", Settings(reranker="none", fallback=True)
    with Assistant.open(index, settings=settings, generator=scripted(failing), history=tmp_path / "h") as desk:
        assert desk.ask(ASKED).notes == ("scripted failed, and extractive answered instead: the server "
                                         "'http://10.1.2.3' is gone",)  # fmt: skip
        assert desk.ask(ASKED, audience={"public"}).notes == ("scripted failed, and extractive answered instead.",)


def test_of_the_past_only_conversations_that_begin_so_are_seen(harbour: Harbour) -> None:
    desk, _, _ = harbour
    one, other = desk.seen_by(None, conversations="it's:"), desk.seen_by(None, conversations="other:")
    answer, named = one.ask(ASKED), one.ask(ASKED, conversation="it's:x")
    assert [r.conversation for r in one.history("it's:x")] == ["it's:x"] and answer.id == named.id
    assert all(c.id.startswith("it's:") for c in one.conversations.listed()) and not other.history()
    assert one.seen_by({"public"}).history() == [] and other.feedback.listed() == []
    for refused in (lambda: other.proof(answer.id), lambda: other.ask(ASKED, conversation="it's:x")):
        with pytest.raises(UsageError, match=r"no answer|begin another"):
            refused()
    with pytest.raises(UsageError, match="begin another"):
        one.seen_by(None, conversations="y").conversation("it's:x")


def test_an_assistant_can_be_opened_for_an_audience(harbour: Harbour, tmp_path: Path) -> None:
    folder = harbour[0].folders[0].parent / "index"
    with Assistant.open(folder, reranker=None, history=tmp_path / "h", audience={"public"}) as public:
        assert [d.path for d in public.documents()] == ["open.md"]
        assert [record.context and record.context.audience for record in public.history()] == []
        public.ask(ASKED)
        assert [record.context and record.context.audience for record in public.history()] == [("public",)]
    with pytest.raises(UnknownAudience):
        Assistant.open(folder, reranker=None, history=tmp_path / "h", audience={"ghosts"})
