"""What is searched, listed and mended from the command line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from assistant.cli import main
from assistant.commands import Exit

COST = "How much did the repairs to the roof cost?"
Captured = pytest.CaptureFixture[str]


def test_search_shows_what_each_retriever_gave(museum: Path, capsys: Captured) -> None:
    command = ["search", COST, "--index", str(museum), "--reranker", "none", "--limit", "2"]
    assert main(command) == 0
    out = capsys.readouterr().out
    assert out.startswith("1. Repairs to the roof, repairs.txt, 2 February 2024\n   score ")
    assert out.count("\n2. ") == 1
    assert "meaning 0." in out
    assert "words " in out
    assert main([*command, "--json"]) == 0
    hits = json.loads(capsys.readouterr().out)
    assert hits[0]["document"]["path"] == "repairs.txt"
    assert {"score", "fused", "dense", "lexical", "reranked", "places", "start", "end", "text"} <= hits[0].keys()
    assert main([*command, "--explain", "mill.md"]) == 0
    assert "Both together: " in capsys.readouterr().out
    assert main([*command, "--from", "2024-02-03", "--to", "2024-03-05"]) == 0
    assert "repairs.txt" not in capsys.readouterr().out


def test_documents_lists_what_is_indexed(museum: Path, capsys: Captured) -> None:
    assert main(["documents", "--index", str(museum)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[2] for line in lines[:-1]] == ["mill.md", "news.txt", "opening.md", "repairs.txt"]
    assert lines[-1].startswith("4 documents, ")
    assert main(["documents", "--json", "--index", str(museum)]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [row["date"] for row in listed["documents"]] == ["2023-06-01", "2024-03-07", "2024-03-05", "2024-02-02"]
    assert listed["failures"] == []


def test_doctor_says_what_is_wrong_and_mends_it(tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "hall.txt").write_text("The hall opens at nine.\n", encoding="utf-8")
    index = str(tmp_path / "index")
    main(["index", str(tmp_path), "--index", index, "--embedder", "hashing"])
    (vectors,) = Path(index).glob("vectors-*")
    vectors.write_bytes(b"")
    capsys.readouterr()
    assert main(["doctor", "--index", index]) == 3
    assert f"{vectors.name} is missing or isn't as it was written [repair]\n1 problems" in capsys.readouterr().out
    assert main(["doctor", "--repair", "--index", index]) == 0
    out, err = capsys.readouterr()
    assert (out, err) == (f"0 problems, 0 remarks in {index}\n", "repaired: the derived files were made again\n")
    assert main(["doctor", "--index", str(tmp_path / "nowhere")]) == 3


def test_an_audience_hides_what_is_not_for_it(tmp_path: Path, capsys: Captured) -> None:
    folder, index = tmp_path / "folder", str(tmp_path / "index")
    folder.mkdir()
    (folder / "open.md").write_text("---\naudience: public\n---\n# Museum\n\nThe museum opens at nine on weekdays.\n")
    (folder / "closed.md").write_text("---\naudience: staff\n---\n# Safe\n\nThe safe of the museum opens with 8231.\n")
    assert main(["index", str(folder), "--index", index, "--embedder", "hashing"]) == 0
    options = ["--index", index, "--reranker", "none", "--audience", "public"]
    for command in (["ask", "When does the museum open?"], ["ask", "What opens the safe?"], ["search", "safe"]):
        capsys.readouterr()
        assert main([*command, *options]) == 0
        assert "8231" not in (shown := capsys.readouterr().out) and "closed" not in shown
    assert main(["documents", "--index", index, "--audience", "public"]) == 0
    assert "1 documents, 1 passages" in (shown := capsys.readouterr().out) and "Safe" not in shown
    assert main(["documents", "--index", index, "--audience", "cleaners"]) == Exit.USAGE
    assert "unknown audience 'cleaners'" in capsys.readouterr().err


def test_an_audience_hides_what_was_asked_for_others(museum: Path, tmp_path: Path, capsys: Captured) -> None:
    folder, index = tmp_path / "folder", str(tmp_path / "index")
    shutil.copytree(museum.parent / "documents", folder)
    (folder / "corpus.toml").write_text('[[documents]]\npaths = ["*"]\naudience = ["public", "staff"]\n')
    assert main(["index", str(folder), "--index", index, "--embedder", "hashing"]) == 0
    where, public = ["--index", index, "--json"], ["--audience", "public"]
    for asked_for in (public, ["--audience", "staff"], []):
        assert main(["ask", COST, "--reranker", "none", *where, *asked_for]) == 0

    def printed(*command: str) -> Any:
        capsys.readouterr()
        assert main([*command, *where]) == 0
        return json.loads(capsys.readouterr().out)

    assert (printed("audit")["answers"], printed("audit", *public)["answers"]) == (3, 1)
    assert (len(printed("conversations")), len(printed("conversations", *public))) == (3, 1)
    assert len(printed("conversations", "--find", "roof", *public)) == 1
    for command in ("audit", "conversations"):
        assert main([command, *where, "--audience", "cleaners"]) == Exit.USAGE
        assert "unknown audience 'cleaners'" in capsys.readouterr().err
    assert main(["conversations", "verify", *where, *public]) == Exit.USAGE
    assert "all that was kept is verified together: leave --audience out" in capsys.readouterr().err
