"""The encoder without torch: the same vectors, and a cache that is whole, exported again, or done without."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from embeddings.embedder import SentenceTransformerEmbedder
from embeddings.query_encoder import QueryEncoder, cache_folder, query_encoder

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

ROOT = Path(__file__).parents[2]
TEXTS = ["river", "the Bridge over the RIVER", "library fees " * 100, "", "図書館 💧", "\ud800"]
ASK = """
import sys
from embeddings.embedder import embedder_named
embedder = embedder_named(sys.argv[1])
rows = embedder.embed_query("river"), embedder.embed_passages(["bridge", "library fees"])
print(*({"torch", "transformers", "sentence_transformers"} & set(sys.modules)), rows[0].tobytes().hex()[:64])
"""


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def original(model_folder: Path) -> SentenceTransformer:
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(model_folder), device="cpu")


def never() -> SentenceTransformer:
    raise AssertionError("the model was loaded")


def ask(model: str | Path) -> str:
    done = subprocess.run([sys.executable, "-c", ASK, str(model)], cwd=ROOT, capture_output=True, check=True, text=True)
    return done.stdout.strip()


def exported(model: Path, original: SentenceTransformer) -> QueryEncoder:
    encoder = query_encoder(model, lambda: original)
    assert encoder is not None
    return encoder


def test_vectors_are_those_of_the_model(model_folder: Path, original: SentenceTransformer) -> None:
    encoder = exported(model_folder, original)
    texts = [text.encode(errors="replace").decode() for text in TEXTS]
    for found, expected in (
        (encoder.encode(TEXTS, "query"), original.encode_query(texts, normalize_embeddings=True)),
        (encoder.encode(TEXTS, "document"), original.encode_document(texts, normalize_embeddings=True)),
    ):
        assert found == pytest.approx(np.asarray(expected), abs=1e-5)
    assert encoder.encode(["river"], "query") != pytest.approx(encoder.encode(["river"], "document"), abs=1e-3)


@pytest.fixture(scope="module")
def kept(model_folder: Path, original: SentenceTransformer, tmp_path_factory: pytest.TempPathFactory) -> QueryEncoder:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        return exported(model_folder, original)


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=80))
def test_any_text_is_encoded_as_by_the_model(kept: QueryEncoder, original: SentenceTransformer, text: str) -> None:
    readable = text.encode(errors="replace").decode()
    expected = np.asarray(original.encode_query([readable], normalize_embeddings=True))
    assert kept.encode([text], "query") == pytest.approx(expected, abs=1e-5)


def test_a_later_process_imports_no_torch_and_sends_nothing(model_folder: Path, cache: Path) -> None:
    row = SentenceTransformerEmbedder(model_folder).embed_query("river")
    assert ask(model_folder) == row.tobytes().hex()[:64]
    assert [path.name for path in cache.iterdir()] == ["passim-assistant"]


def test_the_default_model_needs_no_torch_after_its_first_use() -> None:
    *modules, row = ask("default").split()
    assert "torch" in modules
    assert ask("default") == row


def test_what_was_exported_is_not_exported_again(model_folder: Path, original: SentenceTransformer) -> None:
    exported(model_folder, original)
    assert query_encoder(model_folder, never) is not None


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("damage", "name"),
    [(flip, "model.onnx.data"), (Path.unlink, "model.onnx"), (flip, "tokenizer.json"), (Path.unlink, "about.json")],
)
def test_a_damaged_cache_is_exported_again(
    model_folder: Path, original: SentenceTransformer, damage: Callable[[Path], None], name: str
) -> None:
    expected = exported(model_folder, original).encode(TEXTS, "query")
    damage(cache_folder(model_folder) / name)
    assert exported(model_folder, original).encode(TEXTS, "query") == pytest.approx(expected, abs=0)
    assert query_encoder(model_folder, never) is not None


def test_a_killed_export_is_not_taken_for_whole(model_folder: Path, original: SentenceTransformer) -> None:
    code = (
        "import os, sys; from pathlib import Path; from embeddings.query_encoder import query_encoder\n"
        "query_encoder(Path(sys.argv[1]), lambda: os.kill(os.getpid(), 9))"
    )
    assert subprocess.run([sys.executable, "-c", code, str(model_folder)], cwd=ROOT, check=False).returncode == -9
    folder = cache_folder(model_folder)
    assert folder.with_suffix(".partial").is_dir()
    assert not folder.exists()
    exported(model_folder, original)
    assert sorted(path.name for path in folder.parent.iterdir()) == [folder.name, f"{folder.name}.lock"]


def test_two_processes_may_export_at_once(model_folder: Path) -> None:
    command = [sys.executable, "-c", ASK, str(model_folder)]
    both = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    rows = {process.communicate()[0].split()[-1] for process in both}
    assert [process.returncode for process in both] == [0, 0]
    assert rows == {ask(model_folder)}


@pytest.fixture(params=["unknown module", "other vectors"])
def refused(request: pytest.FixtureRequest, model_folder: Path, tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A model that can't be exported, and why."""
    copy = tmp_path / "refused"
    shutil.copytree(model_folder, copy)
    if request.param == "unknown module":
        modules = json.loads((copy / "modules.json").read_text())
        modules[1]["type"] = "nobody.knows.Mixer"
        (copy / "modules.json").write_text(json.dumps(modules))
        yield copy, "modules of an unknown type, Mixer"
    else:  # leaves the prompt's tokens out of the mean, of which the graph knows nothing
        config = json.loads((copy / "1_Pooling" / "config.json").read_text()) | {"include_prompt": False}
        (copy / "1_Pooling" / "config.json").write_text(json.dumps(config))
        yield copy, "the export differs from the model, cosine"


def test_a_refusal_is_remembered(
    refused: tuple[Path, str], original: SentenceTransformer, caplog: pytest.LogCaptureFixture
) -> None:
    from sentence_transformers import SentenceTransformer

    folder, reason = refused
    model = original if "type" in reason else SentenceTransformer(str(folder), device="cpu")
    caplog.set_level("INFO")
    assert query_encoder(folder, lambda: model) is None
    assert query_encoder(folder, never) is None
    assert [reason in record.getMessage() for record in caplog.records] == [True, True]
    assert [path.name for path in cache_folder(folder).iterdir()] == ["about.json"]


def test_without_a_cache_the_model_itself_answers(
    model_folder: Path, original: SentenceTransformer, cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cache.write_text("a file where the folder should be")
    embedder = SentenceTransformerEmbedder(model_folder)
    expected = np.asarray(original.encode_query(["river"], normalize_embeddings=True))
    assert embedder.embed_query("river") == pytest.approx(expected, abs=1e-5)
    assert embedder.embed_query("river") == pytest.approx(expected, abs=1e-5)
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "Not a directory" in caplog.text


def test_few_passages_have_the_vectors_of_many(model_folder: Path) -> None:
    embedder = SentenceTransformerEmbedder(model_folder)
    few = embedder.embed_passages(["river bridge"])
    many = embedder.embed_passages(["river bridge", "library fees " * 4_000])
    assert float(few[0] @ many[0]) > 0.999
