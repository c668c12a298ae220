"""Every embedder: values against brute force, order, batches, odd input, errors that say what to do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from corpus.errors import ModelUnavailable, UsageError
from embeddings.embedder import SentenceTransformerEmbedder, embedder_named, embedder_names
from embeddings.hashing import HashingEmbedder
from embeddings.types import Embedder

TEXTS = ["the bridge over the river", "library fees", "river", "a much longer text on library fees " * 4, ""]
SAME = 1e-4
"""1 - cosine of two encodings of one text; bfloat16 has eight bits."""


@pytest.fixture(scope="module", params=["hashing", "default", "folder"])
def embedder(request: pytest.FixtureRequest) -> Embedder:
    if request.param == "folder":
        return SentenceTransformerEmbedder(request.getfixturevalue("model_folder"))
    return embedder_named(request.param)


def test_rows_are_float32_of_unit_length(embedder: Embedder) -> None:
    rows = embedder.embed_passages(TEXTS)
    assert rows.dtype == np.float32
    assert rows.shape == (len(TEXTS), embedder.dimension)
    assert np.linalg.norm(rows, axis=1) == pytest.approx(np.ones(len(TEXTS)), abs=1e-5)
    query = embedder.embed_query("bridge")
    assert query.shape == (1, embedder.dimension)
    assert np.linalg.norm(query) == pytest.approx(1, abs=1e-5)


def test_a_row_depends_on_its_text_alone(embedder: Embedder) -> None:
    together = embedder.embed_passages(TEXTS)
    backwards = embedder.embed_passages(TEXTS[::-1])[::-1]
    alone = np.vstack([embedder.embed_passages([text]) for text in TEXTS])
    assert (together * backwards).sum(axis=1).min() > 1 - SAME * 10
    assert (together * alone).sum(axis=1).min() > 1 - SAME * 10


def test_no_texts_give_no_rows(embedder: Embedder) -> None:
    assert embedder.embed_passages([]).shape == (0, embedder.dimension)


def test_odd_texts_are_encoded(embedder: Embedder) -> None:
    rows = embedder.embed_passages(["\0", "\ud800", "x" * 20_000, "💧" * 50, "\u202e"])
    assert np.isfinite(rows).all()


def test_fingerprint_is_stable_and_names_the_dimension(embedder: Embedder) -> None:
    again = embedder_named(embedder.name)
    assert again.fingerprint == embedder.fingerprint
    assert f":{embedder.dimension}:" in embedder.fingerprint
    assert embedder.max_tokens > 0


def test_query_finds_its_passage(embedder: Embedder) -> None:
    if Path(embedder.name).is_dir():
        pytest.skip("random weights find nothing")
    passages = embedder.embed_passages(["The bridge over the river is closed.", "Library fees rise by 2 pounds."])
    assert int((passages @ embedder.embed_query("Which bridge is closed?")[0]).argmax()) == 0
    assert int((passages @ embedder.embed_query("How much are library fees?")[0]).argmax()) == 1


def test_values_are_the_mean_of_the_token_vectors(model_folder: Path) -> None:
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model_folder)
    model = AutoModel.from_pretrained(model_folder)
    embedder = SentenceTransformerEmbedder(model_folder)
    for prompt, rows in (
        ("query: ", embedder.embed_query("river bridge")),
        ("passage: ", embedder.embed_passages(["river bridge"])),
    ):
        with torch.no_grad():
            tokens = model(**tokenizer(prompt + "river bridge", return_tensors="pt")).last_hidden_state[0]
        expected = tokens.mean(dim=0).numpy()
        cosine = float(rows[0] @ expected / np.linalg.norm(expected))
        assert cosine == pytest.approx(1, abs=1e-5 if prompt == "query: " else 2e-3)


def test_folder_fingerprint_changes_with_its_configuration(model_folder: Path, tmp_path: Path) -> None:
    import shutil

    copy = tmp_path / model_folder.name
    shutil.copytree(model_folder, copy)
    assert SentenceTransformerEmbedder(copy).fingerprint == SentenceTransformerEmbedder(model_folder).fingerprint
    config = copy / "config_sentence_transformers.json"
    config.write_text(config.read_text().replace("query: ", "question: "))
    assert SentenceTransformerEmbedder(copy).fingerprint != SentenceTransformerEmbedder(model_folder).fingerprint


def test_only_safetensors_are_loaded(model_folder: Path, tmp_path: Path) -> None:
    import shutil

    copy = tmp_path / "model"
    shutil.copytree(model_folder, copy)
    (copy / "model.safetensors").rename(copy / "pytorch_model.bin")
    with pytest.raises(ModelUnavailable, match=r"no \.safetensors weights"):
        SentenceTransformerEmbedder(copy)


def test_damaged_weights_are_one_line(model_folder: Path, tmp_path: Path) -> None:
    import shutil

    copy = tmp_path / "model"
    shutil.copytree(model_folder, copy)
    (copy / "model.safetensors").write_bytes(b"\0" * 100)
    with pytest.raises(ModelUnavailable, match="cannot be loaded") as caught:
        SentenceTransformerEmbedder(copy).embed_passages(["river"])
    assert "\n" not in str(caught.value)


def test_what_is_beyond_the_limit_is_not_read(model_folder: Path) -> None:
    embedder = SentenceTransformerEmbedder(model_folder)
    assert embedder.max_tokens == 32
    long, longer = embedder.embed_passages(["river " * 40, "river " * 40 + "bridge " * 5_000])
    assert float(long @ longer) > 1 - SAME


@pytest.mark.parametrize("name", ["./no-such-folder", "nobody/no-such-model", "no such model"])
def test_unknown_names_list_the_known(name: str) -> None:
    with pytest.raises(ModelUnavailable) as caught:
        embedder_named(name)
    assert repr(name) in str(caught.value)
    assert "known names: default, hashing" in str(caught.value)


def test_names_are_listed() -> None:
    assert {"default", "hashing"} <= set(embedder_names())


def test_hashing_is_the_same_in_every_process() -> None:
    code = "from embeddings.hashing import *; print(HashingEmbedder(8).embed_query('river bridge').tobytes().hex())"
    root = Path(__file__).parents[2]
    seen = {
        subprocess.run(
            [sys.executable, "-c", code], cwd=root, env={"PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert seen == {HashingEmbedder(8).embed_query("river bridge").tobytes().hex().encode() + b"\n"}


def test_hashing_needs_a_dimension() -> None:
    with pytest.raises(UsageError, match="0"):
        HashingEmbedder(0)


def test_fingerprint_loads_no_model() -> None:
    code = (
        "import sys; from embeddings.embedder import embedder_named; e = embedder_named('default'); "
        "e.fingerprint, e.dimension, e.max_tokens; print({'torch', 'transformers', 'faiss'} & set(sys.modules))"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, check=True, text=True)
    assert done.stdout == "set()\n"
