"""A proof is checked without index and history, and whatever was changed in it, or in what it cites, is found."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.api import Assistant
from assistant.cli import main
from assistant.records.history import Context, History
from assistant.records.proof import FORMAT, MOST_BYTES, Verification, proof_of, verify_proof
from assistant.types import Answer
from corpus.errors import UnavailableError, UsageError
from embeddings.hashing import HashingEmbedder
from tests.assistant.conftest import DOCUMENTS, filled
from tests.assistant.test_history import COST, LEEDS, answer_of

OPENING = "When does the Marram Museum open?"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, History, list[Answer]]:
    """A folder of documents, and three answers of which the second is a refusal."""
    root = tmp_path_factory.mktemp("proof")
    folder, index = root / "documents", root / "index"
    Assistant.build(filled(folder, DOCUMENTS), index=index, embedder="hashing")
    with Assistant.open(index, embedder=HashingEmbedder(), reranker=None) as desk:
        answers = [desk.ask(question) for question in (COST, LEEDS, OPENING)]
    return folder, History(index / "history.sqlite3"), answers


@pytest.fixture
def folder(made: tuple[Path, History, list[Answer]], tmp_path: Path) -> Path:
    """Of its own, to be changed."""
    return filled(tmp_path / "documents", DOCUMENTS)


@pytest.fixture(scope="module")
def proof(made: tuple[Path, History, list[Answer]]) -> str:
    return made[1].proof(made[2][0].id)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Of an answer that holds little."""
    history = History(Path(":memory:"))
    link = history.add("a", answer_of("W?"), Context(settings={"entailment": "lexical"}))
    return proof_of(link, [f"2 kept {'a' * 64}"])


def found_in(data: str | bytes, **others: Any) -> bool:
    """Whether anything is found to be wrong."""
    try:
        return not verify_proof(data, **others).good
    except UsageError:
        return True


def resealed(proof: str, change: Callable[[dict[str, Any]], object]) -> Verification:
    """Of a proof that was changed by somebody who knows how its seal is made."""
    values = json.loads(proof)
    change(values)
    del values["seal"]
    values["seal"] = hashlib.sha256((json.dumps(values, indent=1) + "\n").encode()).hexdigest()
    return verify_proof(json.dumps(values, indent=1) + "\n")


def test_a_proof_holds_all_that_is_needed_and_is_good(made: tuple[Path, History, list[Answer]]) -> None:
    folder, history, answers = made
    for answer in answers:
        text = history.proof(answer.id[:12])
        found = verify_proof(text, folder, history.head())
        assert (found.problems, found.unchecked, found.head) == ((), (), history.head())
        assert len(found.checks) == 7
        assert (found.good, found.question) == (True, answer.question)
        values = json.loads(text)
        assert (values["format"], list(values)[-1]) == (FORMAT, "seal")
        assert values["record"]["answer"] == json.loads(json.dumps(answer.to_dict()))
        assert values["record"]["context"]["settings"]["entailment"] == "lexical"
        assert {d["path"] for d in values["documents"]} >= {
            c.passage.document.path for s in answer.shown for c in s.citations if c.passage
        }
    assert [len(json.loads(history.proof(answer.id))["after"]) for answer in answers] == [2, 1, 0]
    assert verify_proof(history.proof(answers[0].id).encode(), head=f" {history.head()}\n").good


def test_an_answer_exports_its_own_proof_as_long_as_it_was_kept(made: tuple[Path, History, list[Answer]]) -> None:
    answer = made[2][0]
    assert verify_proof(answer.export_proof()).good
    assert answer.export_proof() == proof_of(answer.link)
    with pytest.raises(UsageError, match="wasn't kept, and only what is kept can be proved"):
        answer_of().export_proof()


def test_every_byte_of_a_small_proof_counts(small: str) -> None:
    data = small.encode()
    assert verify_proof(data).good
    for at in range(len(data)):
        for bit in (1, 32):
            assert found_in(data[:at] + bytes([data[at] ^ bit]) + data[at + 1 :]), at
        assert found_in(data[:at] + data[at + 1 :]), at
        assert found_in(data[:at] + b" " + data[at:]), at
        assert found_in(data[:at] + data[at : at + 1] + data[at:]), at
    assert found_in(data + b"\n")


@settings(deadline=None)
@given(st.data())
def test_any_change_of_a_byte_is_found(proof: str, data: st.DataObject) -> None:
    original = proof.encode()
    at, end = sorted(data.draw(st.lists(st.integers(0, len(original)), min_size=2, max_size=2)))
    put = data.draw(st.binary(max_size=20) | st.text(' \n\t0123456789abcdef{}[]",:.-', max_size=20).map(str.encode))
    changed = original[:at] + put + original[min(end, at + 20) :]
    assert found_in(changed) == (changed != original)


def test_a_proof_that_is_sealed_anew_is_found_by_its_link_its_quotes_or_its_verdicts(proof: str) -> None:
    def statement(values: dict[str, Any]) -> Any:
        return values["record"]["answer"]["statements"][0]

    def cited(values: dict[str, Any]) -> Any:
        return statement(values)["citations"][0]

    assert resealed(proof, lambda v: None).good
    for change, said in (
        (lambda v: v["record"].update(question="Else?"), "the answer's digest doesn't fit"),
        (lambda v: v["record"].update(asked="2020-01-01"), "the answer's digest doesn't fit"),
        (lambda v: v["link"].update(number=9), "the answer's link doesn't fit"),
        (lambda v: v["link"].update(salt="0" * 64), "the answer's digest doesn't fit"),
        (lambda v: v["after"].reverse(), "link 2 stands after link 3"),
        (lambda v: v["documents"].pop(), "the documents and digests of their passages"),
        (lambda v: cited(v).update(quote="The repairs cost nothing."), "isn't as long as its span"),
        (lambda v: cited(v).update(quote=cited(v)["quote"].replace("4", "5")), "isn't what its passage says there"),
        (lambda v: cited(v).update(start=-5, end=len(cited(v)["quote"]) - 5), "isn't as long as its span"),
        (lambda v: cited(v).update(number=99), "is of a passage that wasn't offered"),
        (lambda v: statement(v).update(text="It cost £9."), "is unsupported (0) by its quotes"),
        (lambda v: statement(v).update(verdict="supported"), "is said to be supported (1), and is quoted"),
        (lambda v: v["record"]["answer"].update(text="It cost £9."), "the text isn't that of the statements"),
        (lambda v: v["record"]["answer"].update(refused=True), "both to be refused and to be answered"),
    ):
        assert any(said in problem for problem in resealed(proof, change).problems), said


def test_the_head_that_was_noted_elsewhere_tells_a_chain_that_was_written_anew(
    made: tuple[Path, History, list[Answer]], proof: str, tmp_path: Path
) -> None:
    own = json.loads(proof)["link"]["hash"]
    assert verify_proof(proof, head=own).good
    assert verify_proof(proof, head=made[1].head()).good
    anew = History(tmp_path / "h")
    again = proof_of(anew.add("a", made[2][0], Context()))
    assert verify_proof(again).good
    (problem,) = verify_proof(again, head=own).problems
    assert "does not lead to" in problem
    with pytest.raises(UsageError, match="the head 'xyz' is no hash of a link"):
        verify_proof(proof, head="XYZ")


def test_documents_are_found_by_path_or_bytes_and_read_again(proof: str, folder: Path) -> None:
    assert verify_proof(proof, folder).good
    (folder / "sub").mkdir()
    (folder / "repairs.txt").rename(folder / "sub" / "moved.txt")
    assert verify_proof(proof, folder).good
    (folder / "repairs.txt").write_text("Nothing of the kind.\n")
    assert verify_proof(proof, folder).good
    (folder / "sub" / "moved.txt").unlink()
    (problem,) = verify_proof(proof, folder).problems
    assert problem.startswith("'repairs.txt' was changed: no file in")
    (folder / "repairs.txt").unlink()
    (problem,) = verify_proof(proof, folder).problems
    assert problem.startswith("'repairs.txt' is gone: no file in")
    with pytest.raises(UsageError, match="no folder"):
        verify_proof(proof, folder / "none")


def test_documents_that_were_only_read_are_remarks(
    made: tuple[Path, History, list[Answer]], proof: str, folder: Path, tmp_path: Path, capsys: Any
) -> None:
    assert {d["path"] for d in json.loads(proof)["documents"]} >= {"repairs.txt", "opening.md", "news.txt"}
    (folder / "opening.md").write_text("Another text.\n")
    (folder / "news.txt").unlink()
    found = verify_proof(proof, folder)
    assert (found.good, len(found.checks)) == (True, 6)
    assert [remark.split(" ")[:3] for remark in sorted(found.remarks)] == [
        ["'news.txt'", "is", "gone:"],
        ["'opening.md'", "was", "changed:"],
    ]
    assert all(remark.endswith("; it was read and isn't cited") for remark in found.remarks)
    file = tmp_path / "proof.json"
    file.write_text(proof)
    assert main(["verify-proof", str(file), str(folder)]) == 0
    assert "Everything that was checked is as it was.\nRemarks:\n  - 'opening.md' was" in capsys.readouterr().out
    assert main(["verify-proof", str(file), str(folder), "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["remarks"]) == 2
    (folder / "repairs.txt").write_text("Another text.\n")
    assert main(["verify-proof", str(file), str(folder)]) == 1
    said = capsys.readouterr().out
    assert "NOT AS IT WAS: 'repairs.txt' was changed: no file in" in said
    assert "- the cited documents" not in said
    refusal = made[1].proof(made[2][1].id)
    found = verify_proof(refusal, folder)
    assert found.good and {remark.split("'")[1] for remark in found.remarks} <= {
        "opening.md",
        "news.txt",
        "repairs.txt",
    }
    assert found.remarks


def test_what_a_conflict_cites_is_cited(tmp_path: Path) -> None:
    texts = {
        "old.md": "# The flood wall of Skell\n\n2 February 2023\n\nThe flood wall will cost £3.9 million.\n",
        "new.md": "# Works of the year\n\n5 March 2024\n\nThe flood wall will cost £4.2 million.\n",
    }
    folder, index = filled(tmp_path / "documents", texts), tmp_path / "index"
    Assistant.build(folder, index=index, embedder="hashing")
    with Assistant.open(index, embedder=HashingEmbedder(), reranker=None) as desk:
        answer = desk.ask("How much will the flood wall cost?")
    assert answer.conflicts
    for path in texts:
        (folder / path).rename(tmp_path / path)
        (problem,) = verify_proof(answer.export_proof(), folder).problems
        assert problem.startswith(f"{path!r} is gone")
        (tmp_path / path).rename(folder / path)


def test_quotes_titles_and_pages_are_held_against_the_documents(proof: str, folder: Path) -> None:
    def changed(change: Callable[[dict[str, Any]], object]) -> tuple[str, ...]:
        values = json.loads(proof)
        change(values)
        return verify_proof(json.dumps(values, indent=1) + "\n", folder).problems

    def everywhere(name: str, value: Any) -> Callable[[dict[str, Any]], object]:
        def change(values: dict[str, Any]) -> None:
            answer = values["record"]["answer"]
            for span in (*answer["passages"], *answer["statements"][0]["citations"]):
                target = span["document"] if name in span["document"] else span
                target[name] = value

        return change

    assert any("has the title" in problem for problem in changed(everywhere("title", "Else")))
    assert any("on page None, not 3" in problem for problem in changed(everywhere("page", 3)))
    assert any("doesn't say quote [1]" in p for p in changed(everywhere("quote", "The repairs cost nothing.")))


@pytest.mark.parametrize("path", ["../outside.txt", "/etc/passwd", "link.txt", "a/../../outside.txt", "\0", ".", ""])
def test_nothing_outside_of_the_folder_is_read(path: str, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "outside.txt").write_text("The key is under the mat.\n")
    (folder / "link.txt").symlink_to(tmp_path / "outside.txt")
    outside = hashlib.sha256((tmp_path / "outside.txt").read_bytes()).hexdigest()[:32]
    document = {"id": outside, "path": path, "title": "t", "date": None}
    quote = {"number": 1, "document": document, "start": 0, "end": 25, "page": None}
    history = History(Path(":memory:"))
    values = json.loads(proof_of(history.add("a", answer_of(), Context())))
    values["record"]["answer"]["passages"] = [
        {**quote, "text": "The key is under the mat.", "headings": [], "score": 1.0}
    ]
    found = verify_proof(json.dumps(values, indent=1) + "\n", folder)
    assert any(remark.startswith(f"{path!r} is gone: no file in") for remark in found.remarks)


HOSTILE = {
    "empty": b"",
    "no JSON": b"\x89PNG\r\n",
    "UTF-16": "{}".encode("utf-16"),
    "other JSON": b'{"a": 1}',
    "a list": b"[]",
    "deep": b"[" * 200_000 + b"]" * 200_000,
    "as deep as can be read": b'{"a": ' + b"[" * 900 + b"]" * 900 + b"}",
    "huge number": b'{"a": ' + b"9" * 10_000 + b"}",
    "huge": b" " * (MOST_BYTES + 1),
    "NaN": b'{"a": NaN}',
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE.keys())
def test_what_is_no_proof_is_told_in_a_line(data: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UsageError, match="it is no proof"):
        verify_proof(data)
    file = tmp_path / "proof.json"
    file.write_bytes(data)
    assert main(["verify-proof", str(file)]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"assistant: {str(file)!r} can't be checked: it is no proof")
    assert said.count("\n") == 1


def test_values_of_other_kinds_never_end_in_a_traceback(proof: str) -> None:
    places: list[tuple[Any, Any]] = []

    def walk(value: Any) -> None:
        for key, one in list(value.items() if isinstance(value, dict) else enumerate(value[:1])):
            places.append((value, key))
            if isinstance(one, dict | list):
                walk(one)

    values = json.loads(proof)
    walk(values)
    hostile: tuple[Any, ...] = (None, True, -1, 10**30, 1e999, "", "\ud800", "../..", [], {}, [None], {"id": 1})
    for holder, key in places:
        kept = holder[key]
        for value in hostile:
            holder[key] = value
            changed = json.dumps(kept) != json.dumps(value)
            assert found_in(json.dumps(values, indent=1) + "\n") == changed, (key, value)
        holder[key] = kept
    assert verify_proof(json.dumps(values, indent=1) + "\n").good


def test_a_key_that_stands_twice_is_found(proof: str) -> None:
    twice = proof.replace('"refused": false', '"refused": true,\n   "refused": false')
    assert verify_proof(twice).problems[0].startswith("the text is not in the form that a proof is written in")


def test_what_was_changed_in_the_history_is_not_proved(tmp_path: Path) -> None:
    history = History(tmp_path / "h")
    history.add("a", answer_of("Who?", 1), Context())
    history.add("a", answer_of("Where?", 2), Context())
    history.change("UPDATE answers SET question = 'Else?' WHERE number = 1")
    history.change("DELETE FROM links WHERE number = 2")
    with pytest.raises(UnavailableError, match=r"answer 1 isn't as it was kept: `assistant conversations verify`"):
        history.proof(f"{1:024x}")
    with pytest.raises(UnavailableError, match=r"answer 2 .* has no link"):
        history.proof(f"{2:024x}")


def test_the_commands_write_and_check(
    made: tuple[Path, History, list[Answer]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, history, (answer, *_) = made
    index, file = str(folder.parent / "index"), tmp_path / "proof.json"
    assert main(["prove", answer.id, "--index", index, "--out", str(file)]) == 0
    assert main(["prove", answer.id, "--index", index]) == 0
    assert capsys.readouterr().out == file.read_text() == history.proof(answer.id)
    assert main(["verify-proof", str(file), str(folder), "--head", str(history.head())]) == 0
    said = capsys.readouterr().out
    assert f"“{COST}”\nEverything that was checked is as it was.\nChecked and as it was:\n" in said
    assert "Not checked" not in said
    file.write_text(file.read_text().replace("412,000", "412,001"))
    assert main(["verify-proof", str(file), "--json"]) == 1
    outcome = json.loads(capsys.readouterr().out)
    assert (outcome["good"], len(outcome["problems"]), len(outcome["unchecked"])) == (False, 3, 2)
    assert main(["verify-proof", str(file)]) == 1
    assert "NOT AS IT WAS: the seal doesn't fit" in capsys.readouterr().out
    for arguments, said in (
        (["verify-proof", str(tmp_path / "none")], "can't be checked: No such file"),
        (["verify-proof", str(tmp_path)], "can't be checked: Is a directory"),
        (["prove", "ffff", "--index", index], "no answer 'ffff'"),
    ):
        assert main(arguments) == 2
        assert said in capsys.readouterr().err
