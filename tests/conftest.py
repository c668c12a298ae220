"""What the tests of every part share: a home of their own, and the index of the sample documents."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ["HF_HUB_OFFLINE"] = "1"  # huggingface_hub reads it once, when it is imported

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session", autouse=True)
def _hermetic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Nothing of the user's home or settings is read or written, here or in a process that a test starts."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        for kind in ("CONFIG", "CACHE", "DATA", "STATE"):
            patch.setenv(f"XDG_{kind}_HOME", str(home / kind.lower()))
        patch.setenv("ASSISTANT_INDEX", str(home / "index"))
        yield


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of development data beside the project; without it the test is skipped."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip(f"no development data: {str(folder)!r} is missing")
    return folder


@pytest.fixture(scope="session")
def samples_index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample documents under the default embedding model."""
    from assistant.api import Assistant  # deferred: most tests need no index

    index = tmp_path_factory.mktemp("samples")
    report = Assistant.build(ROOT / "corpus" / "samples", index=index)
    assert (report.added, [failure.path for failure in report.failures]) == (19, ["planning-committee-1998-scan.pdf"])
    return index
