"""The application in a browser: who is let in, and what is seen there."""

from __future__ import annotations

import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from assistant.tui.launch import command
from corpus.errors import UsageError

serving = pytest.importorskip("assistant.tui.serving", reason="the extra `web` is not installed")
ANSWER = "closes to traffic on 6 May 2024"
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


@dataclass
class Site:
    """A server that runs."""

    address: str

    @property
    def port(self) -> int:
        return urlsplit(self.address).port or 0

    @property
    def token(self) -> str:
        return urlsplit(self.address).query.removeprefix("token=")

    def get(self, path: str, host: str = "", let_in: bool = False, **headers: str) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        cookie = {"Cookie": f"passim-{self.port}={self.token}"} if let_in else {}
        connection.request("GET", path, headers={"Host": host or f"127.0.0.1:{self.port}", **cookie, **headers})
        return connection.getresponse()


@pytest.fixture(scope="module")
def site(index: Path) -> Iterator[Site]:
    line = command("chat", "--web", "--index", str(index), "--reranker", "none")
    program = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    assert program.stdout is not None
    yield Site(program.stdout.readline().strip())
    program.send_signal(signal.SIGINT)
    said = program.communicate(timeout=30)
    assert said == ("", "Open this address in a browser of this machine; Ctrl-C here ends it.\n")
    assert program.returncode == 0
    with pytest.raises(ProcessLookupError):  # no page's process is left
        os.killpg(program.pid, 0)


def test_the_address_is_of_this_machine_and_lets_in(site: Site) -> None:
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/\?token=[\w-]{43}", site.address)
    answer = site.get(f"/?token={site.token}")
    assert (answer.status, answer.headers["Location"]) == (303, "/")
    assert answer.headers["Set-Cookie"] == f"passim-{site.port}={site.token}; HttpOnly; Path=/; SameSite=Strict"
    page = site.get("/", let_in=True)
    text = page.read().decode()
    assert page.status == 200 and f'data-session-websocket-url="ws://127.0.0.1:{site.port}/ws"' in text
    assert not [address for address in re.findall(r"(?:https?:)?//[^\"' ]+", text) if "127.0.0.1" not in address]
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["/", "/ws", "/static/js/textual.js", "/download/1", "/none"])
def test_whoever_has_no_token_is_refused(site: Site, path: str) -> None:
    for given, headers in (
        ("", {}),
        ("?token=wrong", {}),
        ("?token=%ff", {}),
        ("", {"Cookie": f"passim-{site.port}=x"}),
    ):
        answer = site.get(path + given, **headers)
        assert (answer.status, answer.read()[:34]) == (403, b"The token is missing or wrong: ope")


@pytest.mark.parametrize(
    "host", ["evil.test", "evil.test:{port}", "127.0.0.1", "127.0.0.1:1", "127.0.0.1.evil.test:{port}"]
)
def test_another_host_is_refused(site: Site, host: str) -> None:
    answer = site.get("/", host.format(port=site.port), let_in=True)
    assert answer.status == 403 and answer.read().startswith(b"This is not the host ")


@pytest.mark.parametrize("origin", ["http://evil.test", "null", "https://127.0.0.1:{port}", "http://127.0.0.1:1", ""])
@pytest.mark.parametrize("path", ["/", "/ws"])
def test_another_page_is_refused(site: Site, origin: str, path: str) -> None:
    answer = site.get(path, let_in=True, Origin=origin.format(port=site.port), **UPGRADE)
    assert answer.status == 403 and answer.read().startswith(b"Another page has asked")


def test_our_own_page_gets_its_socket(site: Site) -> None:
    assert site.get("/ws", let_in=True, Origin=f"http://127.0.0.1:{site.port}", **UPGRADE).status == 101


def test_a_port_that_is_taken_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(UsageError, match=rf"port {port} of 127.0.0.1 can't be had \(.*\): name another --port"):
            serving.LoopbackServer(["true"], port)


def test_only_loopback_is_listened_on() -> None:
    server = serving.LoopbackServer(["true"])
    with server.socket:
        assert server.socket.getsockname() == ("127.0.0.1", server.port) and server.port


def test_a_missing_extra_is_told() -> None:
    blocked = "import sys; sys.modules['textual_serve'] = None; "
    line = command("chat", "--web")
    line[3] = blocked + line[3]
    done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 3 and "pip install 'passim-assistant[web]'" in done.stderr, done.stderr


def test_a_browser_shows_the_application_and_answers(site: Site, tmp_path: Path) -> None:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("no browser: `chromium` is not installed")
    playwright = pytest.importorskip("playwright.sync_api", reason="the extra `dev` is not installed")
    seen, asked = bytearray(), []

    def listen(opened: object) -> None:
        opened.on("framereceived", lambda frame: seen.extend(frame if isinstance(frame, bytes) else b""))  # type: ignore[attr-defined]

    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1200, "height": 800})
        page.on("websocket", listen)
        page.on("request", lambda request: asked.append(request.url))
        page.goto(site.address)
        until(page, lambda: "ready" in shown(seen))
        page.keyboard.type("When does Tarn Bridge close to traffic?")
        page.keyboard.press("Enter")
        until(page, lambda: ANSWER in shown(seen))
        assert len(set(page.screenshot())) > 1 and page.url == f"http://127.0.0.1:{site.port}/"
        page.keyboard.press("Control+q")
        page.wait_for_selector("#ended", state="visible")
        browser.close()
    assert {urlsplit(url).netloc for url in asked} == {f"127.0.0.1:{site.port}"}


def shown(frames: bytearray) -> str:
    """What was written on the screen, without the sequences that say where and how."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", frames.decode("utf-8", "replace"))


def until(page: object, true: object) -> None:
    for _ in range(300):
        if true():  # type: ignore[operator]
            return
        page.wait_for_timeout(100)  # type: ignore[attr-defined]  # lets the browser go on
    raise AssertionError("the page never showed it")
