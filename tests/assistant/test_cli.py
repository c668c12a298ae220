"""The command line: exit codes, stdout for data, stderr for narration, one line for what goes wrong."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from assistant.cli import main
from assistant.commands import Exit
from assistant.generators import names
from assistant.records.history import FILE, History

ROOT = Path(__file__).parents[2]
COST = "How much did the repairs to the roof cost?"
Captured = pytest.CaptureFixture[str]


def process(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "assistant", *arguments],
        cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def ask(museum: Path, *arguments: str) -> Sequence[str]:
    return ["ask", *arguments, "--index", str(museum), "--reranker", "none"]


def test_exit_codes_are_the_contract() -> None:
    assert {code.name: code.value for code in Exit} == {
        "DONE": 0, "BELOW_THRESHOLD": 1, "USAGE": 2, "UNAVAILABLE": 3, "INTERRUPTED": 130,
    }  # fmt: skip


def test_rules_that_fit_no_file_are_told_on_stderr(tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text("The ferry leaves at nine.\n")
    (tmp_path / "notes" / "corpus.toml").write_text('[[documents]]\npaths = ["Minutes/*"]\naudience = []\n')
    arguments = ["index", str(tmp_path / "notes"), "--index", str(tmp_path / "index"), "--embedder", "hashing"]
    remark = "corpus.toml: the rule 1 for 'Minutes/*' fits no file (letters' case counts)"
    assert main(arguments) == 0
    out, err = capsys.readouterr()
    assert f"{remark}\n" in err and out.startswith("1 added, ")
    assert main([*arguments, "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["report"]["remarks"] == [remark]


def test_an_answer_is_on_stdout_and_nothing_on_stderr(museum: Path, capsys: Captured) -> None:
    assert main(ask(museum, COST)) == 0
    out, err = capsys.readouterr()
    assert out.startswith("The repairs to the roof cost £412,000 and took nine weeks. [1]\n\nSources:\n[1] ")
    assert err == ""


def test_a_refusal_exits_zero(museum: Path, capsys: Captured) -> None:
    assert main(ask(museum, "Who is the mayor of Leeds?")) == 0
    assert capsys.readouterr().out.startswith("No answer: No document mentions “Leeds”")


def test_json_is_what_the_api_gives(museum: Path, capsys: Captured) -> None:
    assert (
        main(ask(museum, "When does it open?", "--after", "Who is the director of the Marram Museum?", "--json")) == 0
    )
    answer = json.loads(capsys.readouterr().out)
    assert set(answer) == {
        "id", "question", "standalone_question", "text", "refused", "refusal", "statements", "conflicts", "passages",
        "generator", "snapshot", "timings", "confidence", "notes", "tokens", "newer",
    }  # fmt: skip
    assert answer["standalone_question"] == "When does the Marram Museum open?"
    assert "opens on 6 May 2024" in answer["text"]


def test_index_prints_a_summary_and_names_what_it_could_not_read(tmp_path: Path, capsys: Captured) -> None:
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / "good.txt").write_text("The hall opens at nine.\n", encoding="utf-8")
    (folder / "bad\x1b[2J.docx").write_bytes(b"no zip")
    (folder / "cut.pdf").write_bytes(b"%PDF-1.7\ncut")
    command = ["index", str(folder), "--index", str(tmp_path / "index"), "--embedder", "hashing"]
    assert main(command) == 0
    out, err = capsys.readouterr()
    assert out == f"1 added, 0 changed, 0 unchanged, 0 removed, 2 not read; 1 passages in {tmp_path / 'index'}\n"
    assert [line.split(": ")[:2] for line in err.splitlines()] == [
        ["not read", "bad␛[2J.docx"],
        ["not read", "cut.pdf"],
    ]
    assert all(line.split(": ", 2)[2] for line in err.splitlines())
    (folder / "good.txt").unlink()
    assert main(command) == 0
    assert capsys.readouterr().out.startswith("0 added, 0 changed, 0 unchanged, 1 removed, 2 not read; 0 passages")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["ask", "Why?", "--index", "{tmp}/none"], 3, "assistant index"),
        (["ask", "", "--index", "{museum}"], 2, "the question is empty"),
        (["ask", "x" * 20_000, "--index", "{museum}"], 2, "20,000 characters"),
        (
            ["ask", "Why?", "--index", "{museum}", "--generator", "oracle"],
            2,
            "no generator 'oracle': known are anthropic:MODEL, extractive",
        ),
        (["index", "{tmp}/none", "--index", "{tmp}/i", "--embedder", "hashing"], 2, "/none'"),
        (["index", "{tmp}", "--index", "{tmp}/i", "--embedder", "no-such-model"], 3, "no-such-model"),
        (["ask", "Why?", "--index", "{museum}", "--settings", "{tmp}/none.toml"], 2, "no settings file"),
        (["ask", "Why?", "--index", "{museum}", "--from", "2024-02-01", "--to", "2024-01-01"], 2, "exchange them"),
        (["replay", "0", "--index", "{tmp}/none"], 3, "assistant index"),
        (["replay", "xyz", "--index", "{museum}"], 2, "no answer 'xyz' in the history"),
        (["gaps", "--index", "{tmp}/none"], 3, "assistant index"),
        (["chat", "--index", "{museum}"], 2, "chat needs a terminal: use `assistant ask QUESTION`"),
    ],
)
def test_bad_requests_are_one_line_with_advice(
    arguments: list[str], code: int, message: str, museum: Path, tmp_path: Path, capsys: Captured
) -> None:
    assert main([a.replace("{museum}", str(museum)).replace("{tmp}", str(tmp_path)) for a in arguments]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("assistant: ")
    assert message in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    "arguments", [[], ["asc"], ["ask"], ["index"], ["replay"], ["ask", "Why?", "--colour"], ["gaps", "--since", "May"]]
)
def test_wrong_usage_exits_two(arguments: list[str], capsys: Captured) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("usage: assistant")


def test_an_index_that_another_process_writes_is_busy(museum: Path, tmp_path: Path) -> None:
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / "note.txt").write_text("The hall opens on 6 May 2024.\n", encoding="utf-8")
    command = ["index", folder, "--index", tmp_path / "index", "--embedder", "hashing"]
    assert process(*command).returncode == 0
    (lock,) = (p for p in (tmp_path / "index").iterdir() if "lock" in p.name)
    with lock.open("r+") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        busy = process(*command)
        answered = process("ask", "When does the hall open?", "--index", tmp_path / "index", "--reranker", "none")
    assert (busy.returncode, busy.stdout) == (3, "")
    assert "is being written by another process" in busy.stderr
    assert busy.stderr.count("\n") == 1
    assert answered.returncode == 0
    assert answered.stdout.startswith("The hall opens on 6 May 2024. [1]")


def test_the_index_may_be_named_by_the_environment(museum: Path) -> None:
    done = process("ask", COST, "--reranker", "none", ASSISTANT_INDEX=str(museum))
    assert (done.returncode, done.stderr) == (0, "")
    assert "£412,000" in done.stdout


@pytest.mark.parametrize("as_json", [[], ["--json"]])
def test_a_terminal_that_does_not_speak_unicode_gets_an_answer(museum: Path, as_json: list[str]) -> None:
    done = process(*ask(museum, COST, *as_json), PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, "")
    assert "412,000" in done.stdout


def test_a_pipe_that_closes_early_is_no_error(museum: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "assistant", *ask(museum, COST)]
    done = subprocess.run(command, cwd=ROOT, stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert (done.returncode, done.stderr) == (0, "")


def test_help_and_version(capsys: Captured) -> None:
    for arguments, start in ((["--help"], "usage: assistant"), (["--version"], "assistant ")):
        with pytest.raises(SystemExit) as stopped:
            main(arguments)
        assert stopped.value.code == 0
        assert capsys.readouterr().out.startswith(start)


@pytest.fixture
def kept(museum: Path, tmp_path: Path) -> Path:
    """A copy of the index, of which nothing has been asked."""
    index = shutil.copytree(museum, tmp_path / "index")
    for file in index.glob(FILE + "*"):
        file.unlink()
    return index


def test_an_option_stands_before_the_settings_file_and_that_before_the_default(
    museum: Path, tmp_path: Path, capsys: Captured
) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text('generator = "oracle"\nreranker = "none"\n', encoding="utf-8")
    command = ["ask", COST, "--index", str(museum), "--settings", str(settings)]
    assert main(command) == 2
    assert "no generator 'oracle'" in capsys.readouterr().err
    assert main([*command, "--generator", "extractive"]) == 0
    assert "£412,000" in capsys.readouterr().out
    assert main([*command, "--generator", "extractive", "--reranker", "no-such-model"]) == 3
    assert "no-such-model" in capsys.readouterr().err
    settings.write_text("generator = 3\n", encoding="utf-8")
    assert main(command) == 2
    assert "settings.toml': the setting generator = 3 must be a text" in capsys.readouterr().err


def test_ask_may_be_kept_to_some_documents(museum: Path, capsys: Captured) -> None:
    assert main(ask(museum, COST, "--path", "mill*", "--path", "news*")) == 0
    assert capsys.readouterr().out.startswith("No answer: ")
    assert main(ask(museum, COST, "--from", "2024-02-02", "--to", "2024-02-02", "--json")) == 0
    answer = json.loads(capsys.readouterr().out)
    assert {p["document"]["path"] for p in answer["passages"]} == {"repairs.txt"}


def test_ask_may_be_of_a_day(museum: Path, capsys: Captured) -> None:
    assert main(ask(museum, "Who runs the café at Skell Mill?", "--as-of", "2024-01-31", "--json")) == 0
    assert {p["document"]["path"] for p in json.loads(capsys.readouterr().out)["passages"]} == {"mill.md"}
    assert main(ask(museum, COST, "--as-of", "2023-05-31")) == 0
    assert capsys.readouterr().out.startswith("No answer: The filter leaves none of 4 documents.")


def test_more_is_shown_on_request(museum: Path, capsys: Captured) -> None:
    assert main(ask(museum, COST, "--verbose", "--show-left-out")) == 0
    out = capsys.readouterr().out
    assert "Made by extractive from generation 1 of the index; id " in out
    assert "\n\nNothing was left out.\n" in out
    assert "at most 20% of unanswerable questions are answered" in " ".join(out.split())


def test_generators_are_listed_and_not_imported() -> None:
    code = (
        "from assistant.cli import main; import sys; main(['generators'])\n"
        "print(sorted({'openai', 'anthropic', 'xllamacpp', 'tiktoken'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [*names(), "[]"]
    assert {"extractive", "openai:MODEL", "anthropic:MODEL", "gguf:FILE"} <= set(names())


def test_the_harness_is_called_by_name(capsys: Captured) -> None:
    for name in ("calibrate", "eval"):
        with pytest.raises(SystemExit) as stopped:
            main([name, "--help"])
        assert stopped.value.code == 0
        assert capsys.readouterr().out.startswith(f"usage: assistant {name} ")


def test_an_answer_is_replayed_and_a_change_of_its_source_exits_one(tmp_path: Path, capsys: Captured) -> None:
    folder, index = tmp_path / "documents", str(tmp_path / "index")
    folder.mkdir()
    note = folder / "note.txt"
    note.write_text("The hall opens at nine and seats 200 people.\n", encoding="utf-8")
    main(["index", str(folder), "--index", index, "--embedder", "hashing"])
    capsys.readouterr()
    assert main(["ask", "How many people does the hall seat?", "--index", index, "--reranker", "none", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert main(["replay", answer["id"][:6], "--index", index]) == 0
    assert "1 of 1 statements hold; 1 of 1 cited spans still stand." in capsys.readouterr().out
    note.write_text("The hall opens at nine and seats 300 people.\n", encoding="utf-8")
    main(["index", str(folder), "--index", index, "--embedder", "hashing"])
    capsys.readouterr()
    assert main(["replay", answer["id"], "--index", index, "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["id"], found["holds"]) == (answer["id"], False)
    assert [span["state"] for s in found["statements"] for span in s["spans"]] == ["changed"]
    assert len(History(Path(index, FILE)).records()) == 1  # a replay isn't a conversation


def test_gaps_lists_what_could_not_be_answered(kept: Path, capsys: Captured) -> None:
    command = ["gaps", "--index", str(kept)]
    assert main(command) == 0
    assert capsys.readouterr().out == "Every question was answered, or none was asked.\n"
    for question in ("Who is the mayor of Leeds?", COST, "Who was the mayor of Leeds?"):
        main(ask(kept, question))
    capsys.readouterr()
    assert main(command) == 0
    assert capsys.readouterr().out.startswith("2 × Who was the mayor of Leeds?\n       last asked ")
    assert main([*command, "--json"]) == 0
    (gap,) = json.loads(capsys.readouterr().out)
    assert (gap["count"], gap["reason"], gap["missing"]) == (2, "weak_evidence", ["Leeds", "mayor"])
    assert main([*command, "--since", "2999-01-01", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


SLOW = """
import sys, threading

class Slow:
    name = "slow"

    def __init__(self, model, settings):
        self.stopped = threading.Event()

    def generate(self, prompt):
        try:
            print("writing", file=sys.stderr, flush=True)
            while not self.stopped.wait(0.01):
                yield "word "
        finally:
            print("left", file=sys.stderr, flush=True)

    def close(self):
        self.stopped.set()
        print("stopped", file=sys.stderr, flush=True)
"""


def test_an_interruption_stops_the_model_and_exits_130(museum: Path, tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(SLOW, encoding="utf-8")
    (tmp_path / "slow-1.dist-info").mkdir()
    (tmp_path / "slow-1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: slow\nVersion: 1\n")
    (tmp_path / "slow-1.dist-info" / "entry_points.txt").write_text("[assistant.generators]\nslow = slow:Slow\n")
    command = [sys.executable, "-m", "assistant", *ask(museum, COST, "--generator", "slow")]
    environment = os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background ignores it
    ) as child:
        try:
            assert child.stderr is not None
            assert child.stderr.readline() == "writing\n"
            child.send_signal(signal.SIGINT)
            out, err = child.communicate(timeout=20)
        finally:
            child.kill()
    assert (child.returncode, out) == (130, "")
    *stopping, said = err.splitlines()
    assert sorted(stopping) == ["left", "stopped"]
    assert said == "assistant: interrupted; what was indexed or answered is kept"
