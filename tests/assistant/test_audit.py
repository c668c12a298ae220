"""What has become of kept answers: citations in every state, statements that newer documents contradict, and not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assistant.api import Assistant
from assistant.audit.auditor import AuditReport, render_audit
from assistant.config import Settings
from embeddings.hashing import HashingEmbedder
from embeddings.types import Where
from tests.assistant.conftest import filled

HALL = (
    "The hall opens at nine and seats 200 people. A ticket for the hall costs £4. The manager of the hall is Ada Quill."
)
POOL = "Pool fees 2024\n\n1 March 2024\n\nA swim in the pool costs £6. The pool closes on 5 May 2024."
OTHER = {
    "mill.txt": "The mill at Skell\n\nThe mill grinds flour on Mondays. It was built in 1790 by Bo Reed.",
    "roof.txt": "Repairs\n\nThe repairs to the roof of the library cost £412,000. About 38% came from the Lottery.",
}
SEATS = "How many people does the hall seat?"
COST = "How much does a ticket for the hall cost?"
CHIEF = "Who is the manager of the hall?"
SWIM = "How much does a swim in the pool cost?"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return filled(tmp_path / "documents", {"hall.txt": HALL, "pool-2024.txt": POOL, **OTHER})


def opened(folder: Path) -> Assistant:
    """Indexed as the folder is now."""
    index = folder.parent / "index"
    Assistant.build(folder, index=index, embedder="hashing")
    return Assistant.open(index, settings=Settings(reranker="none"), embedder=HashingEmbedder())


def asked(folder: Path, *questions: str) -> None:
    with opened(folder) as desk:
        for question in questions:
            assert not desk.ask(question).refused, question


def audited(folder: Path) -> AuditReport:
    with opened(folder) as desk:
        report = desk.audit()
        for answer in report.affected:  # every span is exact, and what contradicts is shown as it stands
            for statement in answer.statements:
                for citation in statement.citations:
                    if citation.state in ("intact", "moved"):
                        document = desk.document_at(citation.path)
                        assert document is not None
                        now = document.text[citation.start : citation.end]
                        assert now.split() == citation.quote.split()
                if (newer := statement.contradiction) is not None:
                    assert desk.document(newer.document).text[newer.start : newer.end] == newer.quote
        assert json.loads(json.dumps(report.to_dict()))["stale"] == len(report.stale)
        return report


def found(report: AuditReport) -> list[tuple[str, str]]:
    """The finding of each affected statement with the states of its citations."""
    return [
        (s.finding, " ".join(c.state for c in s.citations))
        for a in report.affected
        for s in a.statements
        if s.finding != "supported" or any(c.state != "intact" for c in s.citations)
    ]


def test_nothing_has_changed(folder: Path) -> None:
    asked(folder, SEATS, COST, SWIM)
    report = audited(folder)
    assert (report.answers, report.affected, report.stale) == (3, (), ())
    assert (report.citations["intact"], report.statements["supported"]) == (3, 3)
    assert "Answers: 3, 0 stale; held against generation 1." in render_audit(report)


@pytest.mark.parametrize(
    ("edits", "expected"),
    [
        ({"hall.txt": "New!\n\n" + HALL}, ("supported", "moved")),
        ({"hall.txt": HALL.replace("seats", "\nseats")}, ("supported", "moved")),
        ({"hall.txt": HALL.replace("200", "300")}, ("contradicted", "changed")),
        ({"hall.txt": "Closed.\n\n" + HALL.replace("200 people", "two hundred people")}, ("supported", "changed")),
        ({"hall.txt": HALL.replace(" and seats 200 people", "")}, ("unsupported", "changed")),
        ({"hall.txt": "The hall was sold."}, ("unsupported", "changed")),
        ({"hall.txt": None}, ("unsupported", "gone")),
        ({"hall.txt": None, "the-hall.txt": "Renamed.\n\n" + HALL}, ("supported", "moved")),
        ({"hall.txt": "See elsewhere.", "the-hall.txt": HALL + " It is old."}, ("supported", "moved")),
    ],
)
def test_what_has_become_of_a_citation(edits: dict[str, str | None], expected: tuple[str, str], folder: Path) -> None:
    asked(folder, SEATS, SWIM)
    edit(folder, edits)
    assert found(audited(folder)) == [expected]


def test_a_renamed_file_is_intact(folder: Path) -> None:
    asked(folder, SEATS, SWIM)
    (folder / "hall.txt").rename(folder / "the-hall.txt")
    assert audited(folder).affected == ()


@pytest.mark.parametrize(
    ("question", "edits", "newer"),
    [
        (COST, {"hall.txt": HALL.replace("£4", "£5")}, "A ticket for the hall costs £5."),
        (CHIEF, {"hall.txt": HALL.replace("Ada Quill", "Bo Reed")}, "The manager of the hall is Bo Reed."),
        (
            SWIM,
            {"pool-2025.txt": POOL.replace("2024", "2025").replace("£6", "£7")},
            "A swim in the pool costs £7.",
        ),
        (
            SWIM,
            {"news.txt": "News of the pool\n\n3 April 2024\n\nA swim in the pool costs £8 from today."},
            "A swim in the pool costs £8 from today.",
        ),
    ],
)
def test_something_newer_says_otherwise(question: str, edits: dict[str, str | None], newer: str, folder: Path) -> None:
    asked(folder, question, SEATS)
    edit(folder, edits)
    report = audited(folder)
    (answer,) = report.stale
    assert [s.contradiction.quote for s in answer.statements if s.contradiction] == [newer]
    assert report.statements["contradicted"] == 1
    assert f"says: “{newer}”" in " ".join(render_audit(report).split())


@pytest.mark.parametrize(
    "edits",
    [
        {"cinema.txt": "The cinema\n\nA ticket for the cinema costs £9. The cinema seats 90 people."},
        {"hire.txt": "Hire of the hall\n\nTo hire the hall for a day costs £300. The deposit is £50."},
        {"old.txt": "Pool fees 2019\n\n1 March 2019\n\nA swim in the pool costs £3 for adults."},
        {"child.txt": "Children\n\n1 June 2024\n\nA swim in the pool costs £2 for children."},
        {"again.txt": "Again\n\n1 June 2024\n\nA swim in the pool costs £6.00, and a ticket for the hall £4."},
        {"minutes.txt": "Minutes\n\n1 June 2024\n\nThe panel spent £1,200 on the hall and £5,000 on the pool."},
        {"mill.txt": "The mill at Skell\n\nThe mill grinds flour on Fridays. It was built in 1791 by Cy Ott."},
        {"far.txt": "Elsewhere\n\n1 June 2024\n\nIn Fenmarket, a swim in the pool costs £9."},
        {"staff.txt": "Staff\n\nThe manager of the library is Dee Low. The deputy manager of the hall is Eve Orr."},
    ],
)
def test_other_amounts_and_names_contradict_nothing(edits: dict[str, str | None], folder: Path) -> None:
    asked(folder, SEATS, COST, CHIEF, SWIM)
    edit(folder, edits)
    assert audited(folder).stale == ()


def edit(folder: Path, edits: dict[str, str | None]) -> None:
    for name, text in edits.items():
        if text is None:
            (folder / name).unlink()
        else:
            (folder / name).write_text(text, encoding="utf-8")


def test_what_the_question_left_out_contradicts_nothing(folder: Path) -> None:
    with opened(folder) as desk:
        desk.ask(SWIM, where=Where(paths=("pool*",)))
        anywhere = desk.ask(SWIM)
    edit(folder, {"news.txt": "News of the pool\n\n3 April 2024\n\nA swim in the pool costs £8 from today."})
    report = audited(folder)
    assert (report.answers, [a.id for a in report.stale]) == (2, [anywhere.id])


TOPICS = ("hall", "pool", "mill", "park", "library", "museum")


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    prices=st.lists(st.integers(2, 90), min_size=6, max_size=6),
    ways=st.lists(st.sampled_from(["as it was", "before", "after", "price", "deleted", "renamed", "both"]), min_size=6),
    line=st.sampled_from(["It rained all day.", "The roof was mended by Bo Reed in 2019.", "Ring 01632 960134."]),
)
def test_edits_of_known_effect_are_classed_as_they_are(
    prices: list[int], ways: list[str], line: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("edited") / "documents"
    folder.mkdir()
    texts = {
        topic: f"A ticket for the {topic} costs £{price}. The {topic} stands in the middle of the town.\n"
        for topic, price in zip(TOPICS, prices, strict=True)
    }
    edit(folder, {f"{topic}.txt": text for topic, text in texts.items()})
    with opened(folder) as desk:
        for topic in TOPICS:
            answer = desk.ask(
                f"How much does a ticket for the {topic} cost?", where=Where(paths=(f"*{topic}.txt",)), anyway=True
            )
            assert [[c.quote for c in s.citations] for s in answer.shown] == [
                [f"A ticket for the {topic} costs £{prices[TOPICS.index(topic)]}."]
            ]
    expected = []
    for topic, price, way in zip(TOPICS, prices, ways, strict=False):
        text, name = texts[topic], f"{topic}.txt"
        expected.append(EFFECTS[way])
        edit(
            folder,
            {
                "as it was": {},
                "before": {name: f"{line}\n\n{text}"},
                "after": {name: f"{text}\n{line}\n"},
                "price": {name: text.replace(f"£{price}", f"£{price + 7}")},
                "deleted": {name: None},
                "renamed": {name: None, f"new-{name}": text},
                "both": {name: None, f"new-{name}": f"{line}\n\n{text}"},
            }[way],
        )
    report = audited(folder)
    assert sorted(found(report)) == sorted(effect for effect in expected if effect != ("supported", "intact"))
    assert report.citations["intact"] == expected.count(("supported", "intact"))


EFFECTS = {
    "as it was": ("supported", "intact"),
    "before": ("supported", "moved"),
    "after": ("supported", "moved"),
    "price": ("contradicted", "changed"),
    "deleted": ("unsupported", "gone"),
    "renamed": ("supported", "intact"),
    "both": ("supported", "moved"),
}
