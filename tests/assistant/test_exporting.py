"""A conversation is exported with all that it cites, and nothing in it is in force."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from assistant.api import Assistant
from assistant.cli import main
from assistant.records.exporting import FORMATS, Format, export, write_export
from assistant.records.history import Record
from assistant.types import Answer, Refusal
from corpus.errors import UnavailableError, UsageError
from corpus.sanitizing import sanitize
from embeddings.hashing import HashingEmbedder
from tests.assistant.test_kept import full

ROOT = Path(__file__).parents[2]
COST = "How much did the repairs to the roof cost?"
LEEDS = "Who is the mayor of Leeds?"
ASKED = datetime(2024, 3, 1, 12, tzinfo=UTC)
HOSTILE = "\x1b]0;x\x07 <script>alert(1)</script> [a](http://x.example) ![i](//e.example/p.png) \u202e `c` **b**"


def record(answer: Answer, number: int = 1) -> Record:
    return Record(number, "talk", ASKED, answer.question, json.loads(json.dumps(answer.to_dict())))


def refused() -> Answer:
    nearest = full().passages
    refusal = Refusal("weak_evidence", "Nothing says it.", nearest, choices=("Which fee?",))
    return replace(full(), statements=(), conflicts=(), refusal=refusal)


class Page(HTMLParser):
    """Its elements with their attributes, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.shown: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.shown.append(data)


def words(form: Format, text: str) -> str:
    """What a reader of the file sees."""
    if form == "html":
        return " ".join("".join(Page(text).shown).split())
    if form == "markdown":
        return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", MarkdownIt().render(text))).split())
    return text


@pytest.mark.parametrize("form", ["markdown", "html"])
def test_everything_that_an_answer_says_and_cites_is_there(form: Format) -> None:
    seen = words(form, export("Fees & more", [record(full()), record(refused(), 2)], form))
    for said in (
        "Fees & more", "And the fee?", "Asked as: What is the fee?", f"answered by openai:m; id {'0' * 24}",
        "It is £4. [1] (supported)", "Note: Only two were read.", "Confidence: ", "They differ.",
        "£4 [1], 2024-03-01 (newest)", "£5 [2], no date",
        f"[1] Minutes, minutes/a.pdf, 1 March 2024, page 3, characters 0–14, document {'d' * 32}", "The fee is £4.",
        f"[2] Note, b.txt, characters 4–6, document {'e' * 32}", "£5",
        "It is blue. (uncited): No source is named.",
        "No answer: Nothing says it.", "Which fee?", "Nearest passages",
        f"[2] Note, b.txt, characters 0–7, document {'e' * 32}", "Now £5.",
    ):  # fmt: skip
        assert said in seen
    assert "[7]" not in seen  # an invented number is no source


def test_json_holds_the_answers_as_they_were_given() -> None:
    first, second = record(full()), record(refused(), 2)
    values = json.loads(export("Fees", [first, second], "json"))
    assert values == {
        "title": "Fees",
        "questions": [
            {"question": r.question, "asked": "2024-03-01T12:00:00+00:00", "answer": r.answer} for r in (first, second)
        ],
    }


def hostile() -> Record:
    """Every text of its answer is `HOSTILE`."""

    def with_it(value: Any, name: str = "") -> Any:
        match value:
            case str() if name not in ("verdict", "reason", "date", "asked"):
                return HOSTILE
            case dict():
                return {key: with_it(one, key) for key, one in value.items()}
            case list():
                return [with_it(one) for one in value]
        return value

    whole = record(full())
    return replace(whole, question=HOSTILE, answer=with_it(whole.answer))


@pytest.mark.parametrize("form", FORMATS)
def test_nothing_of_outside_text_is_in_force(form: Format) -> None:
    text = export(HOSTILE, [hostile()], form)
    assert text == sanitize(text)
    assert not set(text) & set("\x1b\x07\u202e")
    if form == "markdown":
        inner = {c.type for token in MarkdownIt().parse(text) for c in token.children or ()}
        assert inner == {"text"}
        assert "http://" not in text
        assert "<script>" in words(form, text)
    if form == "html":
        page = Page(text)
        assert {tag for tag, _ in page.elements} <= {
            "meta", "style", "title", "h1", "h2", "h3", "p", "small", "blockquote",
        }  # fmt: skip
        assert all(not attributes for tag, attributes in page.elements if tag != "meta")
        assert "<script>alert(1)</script>" in "".join(page.shown)


def test_a_page_loads_nothing_and_runs_nothing() -> None:
    text = export("Fees", [record(full())], "html")
    metas = [attributes for tag, attributes in Page(text).elements if tag == "meta"]
    (policy,) = [a["content"] for a in metas if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy is not None
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert not re.search(r"(?:src|href|url|@import)\s*[=(]", text)


@pytest.mark.parametrize(
    "line",
    ["1. a", "12) b", "- c", "+ d", "---", "===", "# e", "> f", "    g", "a  \nb", "[x]: /y", "www.a.example", "~~~",
     "http://a.example", "a@b.example", "&lt;", "|a|b|", "*a*", "`a`", "\\", "a\\", "mailto:a", "<!-- -->", "at 2:00"],
)  # fmt: skip
def test_a_line_of_markdown_is_a_line_of_text(line: str) -> None:
    tokens = MarkdownIt("commonmark").parse(_said(line))
    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"]
    assert words("markdown", _said(line)) == " ".join(line.split())


def _said(line: str) -> str:
    """The paragraph of an answer's sentence."""
    statement = replace(full().statements[0], text=line)
    text = export("T", [record(replace(full(), statements=(statement,), conflicts=()))], "markdown")
    (said,) = [part for part in text.split("\n\n") if part.endswith("(supported)")]
    return said.removesuffix(" \\[1\\] (supported)")


@settings(max_examples=150, deadline=None)
@given(st.text(st.characters(exclude_categories=()), max_size=40), st.sampled_from(["markdown", "html"]))
def test_a_quote_is_read_as_it_stands(quote: str, form: Format) -> None:
    given = full()
    citation = replace(given.statements[0].citations[0], quote=sanitize(f"a {quote} z"))
    statement = replace(given.statements[0], citations=(citation,))
    text = export("T", [record(replace(given, statements=(statement,), conflicts=()))], form)
    assert " ".join(citation.quote.split()) in words(form, text)


def test_an_unknown_format_and_a_damaged_answer_are_told() -> None:
    with pytest.raises(UsageError, match="unknown format 'pdf'; known are markdown, html, json"):
        export("T", [], "pdf")  # type: ignore[arg-type]
    with pytest.raises(UnavailableError, match="is damaged"):
        export("T", [replace(record(full()), answer={"id": "x"})], "html")


def test_an_empty_conversation_is_a_title() -> None:
    assert export("T", [], "markdown") == "# T\n"
    assert json.loads(export("T", [], "json")) == {"title": "T", "questions": []}


FULL = """
import resource, sys
from pathlib import Path
from assistant.records.exporting import write_export
from corpus.errors import UnavailableError
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    write_export(Path(sys.argv[1]), "x" * 100_000)
except UnavailableError as error:
    print(error)
"""


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "talk.md"
    write_export(path, "first, “so”\n")
    assert path.read_bytes() == "first, “so”\n".encode()
    child = subprocess.run([sys.executable, "-c", FULL, path], cwd=ROOT, capture_output=True, text=True)
    assert (child.returncode, child.stderr) == (0, "")
    assert f"{str(path)!r} can't be written: File too large; free space" in child.stdout
    assert path.read_text(encoding="utf-8") == "first, “so”\n"
    assert os.listdir(tmp_path) == ["talk.md"]  # noqa: PTH208 - hidden files too
    os.mkfifo(pipe := tmp_path / "pipe")  # as /dev/null, that root could put a file in the place of
    for wrong in (tmp_path, path / "below", pipe):
        with pytest.raises(UnavailableError, match="can't be written"):
            write_export(wrong, "text")
    assert pipe.is_fifo()


@pytest.fixture
def asked(museum: Path, tmp_path: Path) -> Path:
    """An index with two conversations, `aa1` and `ab2`."""
    index = shutil.copytree(museum, tmp_path / "index", ignore=shutil.ignore_patterns("history.*"))
    with Assistant.open(index, embedder=HashingEmbedder(), reranker=None) as desk:
        desk.ask(COST, conversation="aa1")
        desk.ask(LEEDS, conversation="ab2")
        desk.ask(COST, conversation="ab2")
    return index


def test_the_command_lists_finds_and_exports(asked: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command, where = "conversations", ["--index", str(asked)]
    assert main([command, *where]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert re.fullmatch(rf"ab2  \d{{4}}-\d\d-\d\d \d\d:\d\d   2 questions  {re.escape(LEEDS)}", first)
    assert second.endswith(f"  1 question  {COST}")
    assert main([command, "--json", *where]) == 0
    assert [one["id"] for one in json.loads(capsys.readouterr().out)] == ["ab2", "aa1"]
    assert main([command, "--find", "412", *where]) == 0
    assert capsys.readouterr().out.splitlines()[:2] == [
        f"ab2  {COST}", "    The repairs to the roof cost £412,000 and took nine weeks. [1]"
    ]  # fmt: skip
    assert main([command, "--find", "412", "--json", *where]) == 0
    assert [one["conversation"]["id"] for one in json.loads(capsys.readouterr().out)] == ["ab2", "aa1"]
    assert main([command, "--find", '"(', *where]) == 0
    assert capsys.readouterr().out == "Nothing was found.\n"
    path = tmp_path / "talk.html"
    assert main([command, "export", "ab", "--format", "html", "--out", str(path), *where]) == 0
    assert capsys.readouterr() == ("", f"written to {path}\n")
    assert "The repairs to the roof cost £412,000" in path.read_text(encoding="utf-8")
    assert main([command, "export", "aa1", *where]) == 0
    assert capsys.readouterr().out.startswith("# How much did the repairs to the roof cost?\n\n## How much")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["export"], 2, "it isn't said which conversation"),
        (["export", "z"], 2, "no conversation 'z'"),
        (["export", "a"], 2, "several conversations have an id that begins with 'a': aa1, ab2"),
        (["export", "aa1", "--out", "/dev/null/x"], 3, "'/dev/null/x' can't be written"),
        (["--index", "/dev/null/x"], 3, "assistant index"),
        (["export", "\udcff"], 2, "half of a character"),
        (["--out", "talk.md"], 2, "--out 'talk.md' is of an export"),
    ],
)
def test_wrong_requests_are_one_line(
    arguments: list[str], code: int, said: str, asked: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["conversations", "--index", str(asked), *arguments]) == code
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert said in err
