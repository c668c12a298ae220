from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from corpus.chunking import ChunkSettings, chunk_document
from corpus.errors import UsageError
from corpus.loading import MAX_FILE, Loaded, SourceFile, load_documents, scan
from corpus.types import ReadFailure

ROOT = Path(__file__).parents[2]
SEEDS = ROOT.parent / "shared" / "seeds"


def reasons(folder: Path, seconds: int = 30) -> dict[str, str]:
    """Every failure under a folder, by path."""
    files, failures = scan(folder)
    loaded = [result for _, result in load_documents(files, workers=1, seconds=seconds)]
    return {f.path: f.reason for f in [*failures, *loaded] if isinstance(f, ReadFailure)}


def loaded(folder: Path, **options: int) -> list[Loaded]:
    return [result for _, result in load_documents(scan(folder)[0], **options) if isinstance(result, Loaded)]


def test_missing_empty_or_no_folder(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no folder .*nowhere"):
        scan(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="holds no files"):
        scan(tmp_path)
    (tmp_path / ".hidden.txt").write_text("Hidden.")
    with pytest.raises(UsageError, match="holds no files"):
        scan(tmp_path)
    (tmp_path / "a.txt").write_text("Text.")
    with pytest.raises(UsageError, match="isn't a folder"):
        scan(tmp_path / "a.txt")


def test_files_are_listed_by_path_without_hidden_ones(tmp_path: Path) -> None:
    for name in ("b.txt", "a/z.md", "a/.git/c.txt", ".x/d.txt", "a.TXT", "c.odt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("Text here.")
    files, failures = scan(tmp_path)
    assert [file.path for file in files] == ["a.TXT", "a/z.md", "b.txt"]
    assert files[2] == SourceFile(tmp_path, "b.txt", 10, (tmp_path / "b.txt").stat().st_mtime_ns)
    assert [(f.path, f.reason.split(";")[0]) for f in failures] == [("c.odt", "unsupported format '.odt'")]


def test_links_are_not_followed(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (tmp_path / "secret.txt").write_text("Secret.")
    (folder / "a.txt").write_text("Text here.")
    (folder / "inside.txt").symlink_to(folder / "a.txt")
    (folder / "out.txt").symlink_to(tmp_path / "secret.txt")
    (folder / "up").symlink_to(tmp_path)
    (folder / "circle.txt").symlink_to(folder / "circle.txt")
    (folder / "self").symlink_to(folder)
    (folder / "gone.txt").symlink_to(folder / "nothing")
    files, failures = scan(folder)
    assert [file.path for file in files] == ["a.txt"]
    assert {f.path: f.reason.split(";")[0] for f in failures} == {
        "circle.txt": "is a link that leads nowhere or in a circle",
        "gone.txt": "is a link that leads nowhere or in a circle",
        "out.txt": "is a link out of the folder",
        "up": "is a link out of the folder",
    }


def test_a_link_put_in_place_of_a_listed_file_is_not_followed(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (tmp_path / "secret.txt").write_text("Secret.")
    (folder / "a.txt").write_text("Text. .")
    files, _ = scan(folder)
    (folder / "a.txt").unlink()
    (folder / "a.txt").symlink_to(tmp_path / "secret.txt")
    assert [result for _, result in load_documents(files)] == [ReadFailure("a.txt", "lies outside the folder")]


def test_bad_files_fail_alone_each_with_its_reason(make: ModuleType, tmp_path: Path) -> None:
    make.encrypted_pdf(tmp_path / "encrypted.pdf")
    make.truncated_pdf(tmp_path / "truncated.pdf")
    make.scanned_pdf(tmp_path / "scanned.pdf", pages=1)
    make.bomb_docx(tmp_path / "bomb.docx")
    (tmp_path / "binary.txt").write_bytes(os.urandom(3000) + b"\0")
    (tmp_path / "empty.txt").write_bytes(b"")
    (tmp_path / "nozip.docx").write_text("no zip")
    (tmp_path / "blank.html").write_text("<html><body><img src=x></body></html>")
    (tmp_path / "huge.txt").write_bytes(b"x" * (MAX_FILE + 1))
    (tmp_path / "long.txt").write_bytes(b"word " * (MAX_FILE // 5))
    os.mkfifo(tmp_path / "pipe.txt")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/name\xff.txt")).write_text("Text.")
    make.text_file(tmp_path / "good.txt")
    assert reasons(tmp_path) == {
        "binary.txt": "isn't text (it holds zero bytes); give the file the ending of its real format",
        "blank.html": "holds no text that can be read; the page may need a browser to show its content",
        "bomb.docx": "unpacks to more than 200 MB or 100 times its size",
        "empty.txt": "is empty",
        "encrypted.pdf": "is encrypted; save a copy without a password",
        "huge.txt": "is 50 MB, more than 50 MB; split it",
        "long.txt": "holds 49,999,999 characters of text, more than 10,000,000; split it",
        "name\\xff.txt": "its name isn't UTF-8; rename it",
        "nozip.docx": "isn't a Word document (no zip archive); save it again as DOCX",
        "pipe.txt": "isn't a regular file (a pipe, socket or device)",
        "scanned.pdf": "holds no text: 1 page of images; run OCR first",
        "truncated.pdf": "is damaged or cut short; fetch it again",
    }
    assert [result.document.path for result in loaded(tmp_path)] == ["good.txt"]


def test_a_file_without_permission_fails_alone(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may read every file")
    (tmp_path / "a.txt").write_text("Text.")
    (tmp_path / "a.txt").chmod(0)
    (tmp_path / "d").mkdir(mode=0)
    assert reasons(tmp_path) == {"a.txt": "no permission to read it", "d": "can't be listed: Permission denied"}


def test_a_file_that_changes_or_goes_fails_alone(tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / f"{name}.txt").write_text("Text here.")
    files, _ = scan(tmp_path)
    (tmp_path / "a.txt").write_text("Other text here.")
    (tmp_path / "b.txt").unlink()
    results = [result for _, result in load_documents(files)]
    assert results[:2] == [
        ReadFailure("a.txt", "changed while being read; index again"),
        ReadFailure("b.txt", "is gone; it was there a moment ago"),
    ]
    assert isinstance(results[2], Loaded)


PLUGIN = """
import os, time
from corpus.types import Block, Extracted

class HostileReader:
    def read(self, path):
        what = path.read_text().strip()
        if what == "crash":
            os.abort()
        if what == "hang":
            while True:
                pass
        if what == "memory":
            return bytearray(1 << 33)
        if what == "write":
            path.with_suffix(".out").write_text("x" * 100)
        if what == "print":
            print("noise on standard output", flush=True)
            os.write(1, b"more noise")
            os.write(2, b"an error")
        if what == "raise":
            raise ZeroDivisionError("by \\x1b[2J\\nzero")
        if what == "secret":
            return Extracted((Block("paragraph", repr(os.environ.get("SECRET_KEY"))),))
        return Extracted((Block("paragraph", f"Text of {what}."),))
"""


@pytest.fixture
def hostile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose `.bad` files make their reader do what they say."""
    site, folder = tmp_path / "site", tmp_path / "folder"
    info = site / "hostile-1.dist-info"
    info.mkdir(parents=True)
    folder.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: hostile\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[assistant.readers]\n.bad = hostile:HostileReader\n")
    (site / "hostile.py").write_text(PLUGIN)
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setenv("PYTHONPATH", str(site))
    monkeypatch.setenv("SECRET_KEY", "hunter2")
    for what in ("crash", "hang", "memory", "print", "raise", "secret", "well", "write"):
        (folder / f"{what}.bad").write_text(what)
    return folder


def test_a_reader_that_crashes_hangs_or_eats_memory_fails_alone(
    hostile: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    results = {file.path: result for file, result in load_documents(scan(hostile)[0], workers=2, seconds=3)}
    failed = {path: result.reason for path, result in results.items() if isinstance(result, ReadFailure)}
    assert failed == {
        "crash.bad": "ended the process that read it; the file may be damaged",
        "hang.bad": "took more than 3 seconds to read",
        "memory.bad": "needs more than 2 GB of memory to read",
        "raise.bad": "can't be read: ZeroDivisionError (by ␛[2J zero)",
        "write.bad": "can't be read: OSError ([Errno 27] File too large)",
    }
    lasting = {path for path, result in results.items() if isinstance(result, ReadFailure) and result.lasting}
    assert lasting == {"raise.bad"}
    read = {path: result.document.text for path, result in results.items() if isinstance(result, Loaded)}
    assert read == {"print.bad": "Text of print.", "secret.bad": "None", "well.bad": "Text of well."}
    assert list(results) == sorted(results)
    assert capfd.readouterr() == ("", "")


def test_an_iterator_that_is_left_early_leaves_no_process(make: ModuleType, tmp_path: Path) -> None:
    for number in range(9):
        make.text_file(tmp_path / f"{number}.txt")
    program = f"""
import os, pathlib
from corpus.loading import load_documents, scan
reading = load_documents(scan(pathlib.Path({str(tmp_path)!r}))[0], workers=2)
next(reading)
reading.close()
try:
    print(os.waitpid(-1, os.WNOHANG))
except ChildProcessError:
    print("no process")
"""  # in a process of its own, as this one may have other children
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.stdout == "no process\n", done.stderr


def test_a_worker_ends_with_its_parent() -> None:
    command = [sys.executable, "-m", "corpus.worker"]
    worker = subprocess.Popen(command, stdin=subprocess.PIPE, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)})
    assert worker.stdin
    worker.stdin.close()
    assert worker.wait(timeout=30) == 0


def test_a_worker_left_with_a_file_that_never_ends_is_ended_by_the_kernel(hostile: Path) -> None:
    file = next(file for file in scan(hostile)[0] if file.path == "hang.bad")
    request = (
        f'{{"root": "{file.root}", "path": "{file.path}", "size": {file.size}, "mtime_ns": {file.mtime_ns}, '
        '"settings": {}, "seconds": 1}\n'
    )
    path = os.pathsep.join([str(ROOT), os.environ["PYTHONPATH"]])
    done = subprocess.run(
        [sys.executable, "-m", "corpus.worker"],
        input=request,
        text=True,
        env=os.environ | {"PYTHONPATH": path},
        timeout=60,
    )
    assert done.returncode == -signal.SIGALRM


def test_what_comes_back_is_what_was_read(make: ModuleType, tmp_path: Path) -> None:
    make.pdf_file(tmp_path / "a.pdf", [["A first page with a line of text."], ["A second page."]])
    make.markdown_file(tmp_path / "b.md")
    (tmp_path / "c.txt").write_text("A title\n\nText \x1b[31mred\u202e here.\n\n- one\n- two\n", encoding="utf-8")
    how = ChunkSettings(max_tokens=50, min_tokens=10)
    for file, result in load_documents(scan(tmp_path)[0], how):
        assert isinstance(result, Loaded)
        assert result.document.path == file.path
        assert result.document.id == hashlib.sha256((tmp_path / file.path).read_bytes()).hexdigest()[:32]
        assert result.chunks == tuple(chunk_document(result.document, how))
        assert "\x1b" not in result.document.text and "\u202e" not in result.document.text


def test_the_seeds_are_clean() -> None:
    if not SEEDS.is_dir():
        pytest.skip(f"the seed documents aren't beside the project: {SEEDS}")
    documents = [result.document for result in loaded(SEEDS)]
    assert len(documents) == len(list(SEEDS.iterdir()))
    for document in documents:
        lines = document.text.lower().split("\n")
        assert not {"most read", "skip to content", "become a supporter", "comments powered by disqus"} & set(lines)
        assert not any("you may also want to watch" in line or "[insert" in line for line in lines)
        assert len(lines) == len([*filter(None, lines)]) + lines.count("")
        assert not any(line.endswith("-") for line in lines)
    assert len({document.title for document in documents}) == len(documents)
