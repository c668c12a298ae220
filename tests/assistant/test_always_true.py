"""What DESIGN promises of every answer, over drafts that Hypothesis writes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from assistant.api import Assistant
from assistant.citations import bind
from assistant.render import render_answer
from assistant.types import Answer, Finished, Passage, Prompt
from assistant.verification import LexicalEntailment, verify

ROOT = Path(__file__).parents[2]
QUESTION = "When does the Marram Museum open after the repairs?"
SENTENCES = (
    "The Marram Museum opens on 6 May 2024 after repairs to its roof.",
    "Entry costs £4 for adults and is free for children under 12.",
    "The director of the Marram Museum is Ada Quill.",
    "She joined from the Fenland Trust in 2019.",
    "The repairs to the roof cost £412,000 and took nine weeks.",
    "About 38% of the sum came from the Lottery.",
    "The café at Skell Mill serves soup from noon until 3pm.",
    "Pauline Orrin runs it with two helpers.",
)
QUICK = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

numbers = st.integers(0, 20) | st.integers(0, 999_999)
markers = st.lists(numbers, min_size=1, max_size=3).flatmap(
    lambda many: st.sampled_from(("".join(f"[{n}]" for n in many), str(many), f" [{many[0]}", f"[[{many[0]}]]"))
)
words = st.sampled_from(re.findall(r"\S+", " ".join(SENTENCES)))
pieces = (
    st.sampled_from(SENTENCES)
    | markers
    | st.text(st.characters(exclude_categories=()), max_size=12)
    | st.lists(words, max_size=8).map(" ".join)
    | st.sampled_from((" ", "\n", "\r\n", ".", ". ", "\u2028"))
)
drafts = st.lists(pieces, max_size=14).map("".join)


class Dictated:
    """A generator that writes the deltas it was last told."""

    name = "dictated"
    deltas: tuple[str, ...] = ()

    def generate(self, prompt: Prompt) -> Iterator[str]:
        yield from self.deltas

    def close(self) -> None:
        return


@pytest.fixture(scope="module")
def dictate(open_museum: Callable[..., Assistant]) -> Iterator[Callable[..., Answer]]:
    writer = Dictated()
    with open_museum(writer) as desk:

        def asked(*deltas: str) -> Answer:
            writer.deltas = deltas
            return desk.ask(QUESTION)

        yield asked


@QUICK
@given(draft=drafts)
def test_every_citation_is_its_span_and_every_answer_stands_or_refuses(
    dictate: Callable[..., Answer], desk: Assistant, draft: str
) -> None:
    answer = dictate(draft)
    offered = {p.number: p for p in answer.passages}
    assert list(offered) == list(range(1, len(offered) + 1))
    for citation in (c for s in answer.statements for c in s.citations):
        assert citation.passage == offered.get(citation.number)
        if citation.passage is None:
            assert (citation.start, citation.end, citation.quote, citation.page) == (0, 0, "", None)
            continue
        chunk = citation.passage.chunk
        assert desk.document(chunk.document_id).text[citation.start : citation.end] == citation.quote != ""
        assert chunk.start <= citation.start < citation.end <= chunk.end
    passed = [s for s in answer.statements if s.verdict in ("quoted", "supported")]
    assert answer.refused is not bool(passed)
    assert all(any(c.passage for c in s.citations) for s in passed)
    for statement in passed:
        quotes = [" ".join(c.quote.split()) for c in statement.citations if c.passage]
        assert (" ".join(statement.text.split()) in quotes) is (statement.verdict == "quoted")
    assert json.loads(json.dumps(answer.to_dict())) == answer.to_dict()


@QUICK
@example(draft=SENTENCES[0] + "\n[99]\n" + SENTENCES[1] + "[1]", cuts=[65])
@given(draft=drafts, cuts=st.lists(st.integers(0, 200), max_size=6))
def test_the_cuts_between_deltas_change_nothing(dictate: Callable[..., Answer], draft: str, cuts: list[int]) -> None:
    places = sorted({min(cut, len(draft)) for cut in cuts} | {0, len(draft)})
    deltas = [draft[a:b] for a, b in pairwise(places)]
    assert dictate(*deltas).statements == dictate(draft).statements


@QUICK
@given(plan=st.lists(st.tuples(st.sampled_from(SENTENCES), st.lists(numbers, max_size=4)), min_size=1, max_size=5))
def test_an_invented_number_is_kept_and_counted_and_never_a_source(
    dictate: Callable[..., Answer], plan: list[tuple[str, list[int]]]
) -> None:
    plan = list({(s, tuple(dict.fromkeys(n))): (s, n) for s, n in plan}.values())  # what is said twice is kept once
    answer = dictate("\n".join(sentence + "".join(f"[{n}]" for n in written) for sentence, written in plan))
    assert [s.text for s in answer.statements] == [sentence for sentence, _ in plan]
    offered = {p.number for p in answer.passages}
    for statement, (_, written) in zip(answer.statements, plan, strict=True):
        kept, every = [c.number for c in statement.citations], list(dict.fromkeys(written))
        assert [n for n in every if n in kept] == kept  # an offered one that adds nothing is dropped
        assert set(every) - set(kept) <= offered
    invented = [n for _, written in plan for n in dict.fromkeys(written) if n not in offered]
    cited = [c for s in answer.to_dict()["statements"] for c in s["citations"]]
    assert [c["number"] for c in cited if c["document"] is None] == invented
    assert all(c["quote"] == "" and c["start"] == c["end"] == 0 for c in cited if c["document"] is None)
    shown = {int(n) for n in re.findall(r"\[(\d+)\]", render_answer(answer) + answer.text)}
    assert shown <= offered
    for statement in answer.statements:
        if not any(c.passage for c in statement.citations):
            assert (statement.verdict, statement.support) == ("uncited", 0.0)


@pytest.mark.parametrize("draft", ["[99] " + SENTENCES[0], SENTENCES[0] + "\n[99]", "[99]\n" + SENTENCES[0] + "[1]"])
def test_an_invented_number_is_kept_wherever_it_stands(dictate: Callable[..., Answer], draft: str) -> None:
    for deltas in ([draft], list(draft), draft.splitlines(keepends=True)):
        assert 99 in [c.number for s in dictate(*deltas).statements for c in s.citations]


def test_a_draft_of_unsupported_sentences_is_a_refusal_that_says_so(dictate: Callable[..., Answer]) -> None:
    answer = dictate("The Marram Museum opens on 9 May 2031 after a flood. [1]")
    assert answer.refusal is not None
    assert answer.refusal.reason == "unsupported_draft"
    assert [s.verdict for s in answer.statements] == ["unsupported"]
    assert "2031" not in render_answer(answer)
    assert dictate("").refused


FIGURES = {
    "6 May 2024": ("7 May 2024", "6 June 2024", "6 May 2023", "6 August 2024"),
    "£412,000": ("£412", "£412m", "£421,000", "412,000%", "£4,120,000"),
    "£4 ": ("£5 ", "£40 ", "£4m ", "£4 million ", "€4 ", "£4.50 "),
    "38%": ("39%", "3.8%", "83 per cent", "thirty-nine per cent", ".38%"),
    "2019": ("2018", "1919", "20190"),
    "nine": ("ten", "19", "ninety"),
    "two": ("three", "12", "one"),
    "under 12": ("under 21", "under eleven", "under 1.2"),
    "3pm": ("4pm", "3.30pm"),
    "Ada Quill": ("Ada Orrin", "Will Quill", "May Quill", "Anna Quill", "Ada McQuill"),
    "Pauline Orrin": ("Paul Orrin", "Pauline Quill", "Ada Orrin", "US Orrin"),
    "Marram Museum": ("Fenland Museum", "Marram Trust", "Marram Mill"),
    "Fenland Trust": ("Marram Trust", "Fenland University"),
    "Skell": ("Leeds", "Skells-Quarry"),
    "Lottery": ("Treasury", "Trust"),
}  # fmt: skip
CHANGED = [
    (sentence, sentence.replace(figure, other))
    for sentence in SENTENCES
    for figure, others in FIGURES.items()
    if figure in sentence
    for other in others
]


@pytest.mark.parametrize(("sentence", "claim"), CHANGED, ids=[claim for _, claim in CHANGED])
def test_a_changed_figure_or_name_is_never_supported(
    sentence: str, claim: str, passage_of: Callable[..., Passage]
) -> None:
    entailment = LexicalEntailment()
    alone = passage_of(f"{sentence} The weather was fine.")
    assert verify(sentence, [bind(sentence, 1, [alone], entailment)], entailment).verdict == "quoted"
    stated = verify(claim, [bind(claim, 1, [alone], entailment)], entailment)
    assert (stated.verdict, stated.support) == ("unsupported", 0.0)


@QUICK
@given(
    sentence=st.sampled_from([s for s in SENTENCES if re.search(r"\d", s)]),
    value=st.integers(0, 10**7) | st.floats(0, 10**6, allow_nan=False).map(lambda f: round(f, 2)),
    spelling=st.sampled_from(("{}", "{:,}")),
)
def test_any_other_number_is_never_supported(
    passage_of: Callable[..., Passage], sentence: str, value: float, spelling: str
) -> None:
    written = spelling.format(value)
    claim = re.sub(r"\d[\d,]*", lambda _: written, sentence, count=1)
    held = {float(n.replace(",", "")) for n in re.findall(r"\d[\d,]*", sentence)}
    entailment = LexicalEntailment()
    passage = passage_of(f"{sentence} The weather was fine.")
    stated = verify(claim, [bind(claim, 1, [passage], entailment)], entailment)
    if float(value) not in held:
        assert (stated.verdict, stated.support) == ("unsupported", 0.0)


@QUICK
@given(
    sentence=st.sampled_from([s for s in SENTENCES if re.search(r" [A-Z]", s)]),
    name=st.from_regex(r"[A-Z][a-z]{3,9}", fullmatch=True),
)
def test_any_other_name_is_never_supported(passage_of: Callable[..., Passage], sentence: str, name: str) -> None:
    claim = re.sub(r"(?<= )[A-Z][a-z]+", name, sentence, count=1)
    entailment = LexicalEntailment()
    stated = verify(claim, [bind(claim, 1, [passage_of(sentence)], entailment)], entailment)
    if name.lower() not in sentence.lower():
        assert (stated.verdict, stated.support) == ("unsupported", 0.0)


QUESTIONS = (
    ("How much did the repairs to the roof cost?", ()),
    ("When does it open?", ("Who is the director of the Marram Museum?",)),
    ("Who is the mayor of Leeds?", ()),
)
IN_ANOTHER_PROCESS = """
import json, sys
from assistant.api import Assistant
from embeddings.hashing import HashingEmbedder
with Assistant.open(sys.argv[1], embedder=HashingEmbedder(), reranker=None, history=sys.argv[2]) as desk:
    print(json.dumps([desk.ask(q, h).to_dict() for q, h in json.loads(sys.argv[3])]))
"""


def test_the_same_question_has_the_same_answer_again_and_in_another_process(
    open_museum: Callable[..., Assistant], museum: Path, tmp_path: Path
) -> None:
    def without_timings(answers: list[dict[str, object]]) -> str:
        return json.dumps([{k: v for k, v in a.items() if k != "timings"} for a in answers])

    with open_museum() as desk:
        first = [desk.ask(q, h).to_dict() for q, h in QUESTIONS]
        second = [desk.ask(q, h).to_dict() for q, h in QUESTIONS]
    arguments = [str(museum), str(tmp_path / "history.sqlite3"), json.dumps(QUESTIONS)]
    third = subprocess.run(
        [sys.executable, "-c", IN_ANOTHER_PROCESS, *arguments], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert [a["refused"] for a in first] == [False, False, True]
    assert len({a["id"] for a in first}) == 3
    assert without_timings(first) == without_timings(second) == without_timings(json.loads(third.stdout))


def test_the_last_event_is_finished_and_holds_what_was_verified(desk: Assistant) -> None:
    *events, last = desk.stream("How much did the repairs to the roof cost?")
    assert isinstance(last, Finished)
    assert [type(e).__name__ for e in events] == ["Retrieved", "TextDelta", "Verified"]
    assert last.answer.text == "The repairs to the roof cost £412,000 and took nine weeks. [1]"
