"""`assistant serve` as a process of its own, and an index that goes away under it."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from assistant.api import Assistant
from assistant.cli import main
from tests.conftest import ROOT


def test_process_prints_its_address_answers_and_ends_well(museum: Path, tmp_path: Path) -> None:
    assert main(["serve", "token", "website", "--tokens", str(tmp_path / "tokens.toml")]) == 0
    command = [sys.executable, "-m", "assistant", "serve", "--port", "0", "--index", str(museum), "--reranker", "none"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        address = process.stdout.readline().decode().strip()
        asked = urllib.request.Request(
            f"{address}/ask", json.dumps({"question": "Thanks!"}).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(asked) as reply:
            assert json.load(reply)["refused"]
        process.send_signal(signal.SIGTERM)
        lines = [json.loads(line) for line in process.stderr.read().splitlines()]
        assert process.wait(40) == 0
    assert "refused" in [line.get("event") for line in lines]
    assert "Thanks" not in str(lines)


def test_groups_of_tokens_that_nothing_is_for_are_told_at_the_start(museum: Path, tmp_path: Path) -> None:
    file = tmp_path / "tokens.toml"
    for name, audience in (("website", ["--audience", "nosuch"]), ("operator", [])):
        assert main(["serve", "token", name, "--tokens", str(file), *audience]) == 0
    command = [sys.executable, "-m", "assistant", "serve", "--port", "0", "--index", str(museum), "--tokens", str(file)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.readline().startswith(b"http://127.0.0.1:")
        process.send_signal(signal.SIGTERM)
        lines = [json.loads(line) for line in process.stderr.read().splitlines()]
    told = [(line["level"], line["token"], line["audience"]) for line in lines if line.get("event") == "audience"]
    assert told == [("warning", "website", "nosuch")]


def test_token_is_printed_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "tokens.toml"
    assert main(["serve", "token", "website", "--tokens", str(file), "--audience", "public"]) == 0
    printed = capsys.readouterr()
    assert len(printed.out.strip()) == 43 and printed.out.strip() not in file.read_text() + printed.err
    assert "It sees what is for public" in printed.err


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (["--host", "0.0.0.0"], "'0.0.0.0' can be reached from elsewhere: name a file of tokens"),
        (["--host", "::"], "can be reached from elsewhere"),
        (["token"], "say which token, and where"),
        (["token", "a b", "--tokens", "FILE"], "'a b' can't name a token"),
        (["--tokens", "missing.toml"], "'missing.toml' can't be read"),
        (["--host", "nowhere.invalid", "--tokens", "FILE"], "can't be read"),
    ],
)
def test_wrong_lines_are_told(line: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = [str(tmp_path / "none") if word == "FILE" else word for word in line]
    assert main(["serve", *given]) == 2
    assert said in capsys.readouterr().err


def test_port_that_is_taken(service, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--port", str(service.port)]) == 2
    assert f"port {service.port} of '127.0.0.1' can't be had" in capsys.readouterr().err


def test_index_that_is_deleted_under_the_service(
    serve, museum: Path, tmp_path: Path, open_museum: Callable[..., Assistant]
) -> None:
    index = tmp_path / "index"
    shutil.copytree(museum, index)
    with open_museum(index=index) as desk, serve(desk) as service:
        service.ask("When does the Marram Museum open?")
        assert service.get("/ready").status == 200
        shutil.rmtree(index)
        index.mkdir()
        for reply in (
            service.get("/ready"),
            service.get("/documents"),
            service.post("/ask", {"question": "Who is Ada?"}),
        ):
            assert reply.status in (200, 503) and str(tmp_path).encode() not in reply.body
        assert service.get("/health").status == 200 and service.get("/metrics").status == 200
        index.rmdir()
        shutil.copytree(museum, index)
        assert not service.ask("When does the Marram Museum open?")["refused"]
