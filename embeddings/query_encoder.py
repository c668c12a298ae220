"""A sentence-transformers model on onnxruntime, without torch: exported once and kept in the user's cache."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import hashlib
import json
import logging
import os
import shutil
import warnings
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from corpus.errors import ModelUnavailable
from embeddings.models import configuration, folder_digest, onnx_session, sha256_of
from embeddings.types import Vectors

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Kind = Literal["query", "document"]
"""Which of the model's prompts goes before a text."""

_LOG = logging.getLogger(__name__)
_FORMAT = 1
"""Of the cache; another number exports again."""
_MODEL, _TOKENIZER, _ABOUT = "model.onnx", "tokenizer.json", "about.json"
_THREADS = 2
_KEPT = 512
"""Texts whose vectors are kept: one answer needs that of its question more than once."""
_KNOWN_MODULES = {"Transformer", "Pooling", "Normalize", "Dense", "LayerNorm", "Dropout"}
_DOCUMENT_PROMPTS = ("document", "passage", "corpus")
"""Names of prompts, in the order in which sentence-transformers looks for them."""
_LEAST_COSINE = 0.9999
_SAMPLES = (
    "How much does it cost to park for an hour?",
    "A LIBRARY card, for residents\nof the borough: £2.50 (café included)",
    "Où faut-il déposer les déchets ? 図書館は何時に開きますか。 💧",
    "the bridge over the river is closed " * 400,
    "",
)
"""Read by the exported encoder and by the original: short, mixed case, other scripts, beyond any limit, empty."""


class QueryEncoder:
    """Reads a folder that `query_encoder` wrote; one text at a time, so that no vector depends on others."""

    def __init__(self, folder: Path) -> None:
        from tokenizers import Tokenizer  # deferred: not needed before the first question

        about = configuration(folder / _ABOUT)
        self._prompts: dict[str, str] = about["prompts"]
        # Optimised when it was written; the weights are mapped from their file.
        self._session = onnx_session(folder / _MODEL, threads=_THREADS, optimise=False)
        self._inputs = [node.name for node in self._session.get_inputs()]
        self._tokenizer = Tokenizer.from_file(str(folder / _TOKENIZER))
        self._tokenizer.enable_truncation(about["max_tokens"])
        self._tokenizer.no_padding()
        self._encoded = functools.lru_cache(_KEPT)(self._encode)

    def encode(self, texts: Sequence[str], kind: Kind) -> Vectors:
        """Shape (len(texts), dimension), rows of unit length."""
        return unit_rows(np.vstack([self._encoded(self._prompts[kind] + text) for text in texts]))

    def _encode(self, text: str) -> NDArray[np.float32]:
        encoding = self._tokenizer.encode(encodable(text))
        known = {
            "input_ids": encoding.ids,
            "attention_mask": encoding.attention_mask,
            "token_type_ids": encoding.type_ids,
        }
        feed = {name: np.array([known[name]], np.int64) for name in self._inputs}
        rows: NDArray[np.float32] = self._session.run(None, feed)[0]
        return rows


def encodable(text: str) -> str:
    """Lone surrogates, which tokenizers refuse, become `?`."""
    return text.encode(errors="replace").decode()


def unit_rows(rows: NDArray[np.float32]) -> Vectors:
    """Each row divided by its length."""
    return np.ascontiguousarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12), np.float32)


def query_encoder(model: Path, load: Callable[[], SentenceTransformer]) -> QueryEncoder | None:
    """The encoder of a model folder from the cache, exported first where it isn't there whole.

    Args:
        load: the model in float32 on the CPU; called for an export only.

    Returns: None where sentence-transformers has to answer; the log says why.
    """
    try:
        folder = cache_folder(model)
        about = _about(folder)
        if about is None:
            with _lock(folder):
                about = _about(folder)  # another process may have exported while this one waited
                if about is None:
                    about = _export(model, load, folder)
        if "refused" not in about:
            return QueryEncoder(folder)
        level, reason = logging.INFO, about["refused"]
    except (OSError, ImportError) as error:  # a cache that can't be written, a package that isn't installed
        level, reason = logging.WARNING, error
    _LOG.log(level, "questions to %s wait for sentence-transformers to load: %s", model, reason)
    return None


def cache_folder(model: Path) -> Path:
    """Where the encoder of a model folder is kept; another for each content of it and each version of what runs it."""
    from platformdirs import user_cache_path  # deferred: only a question needs it

    runtimes = [f"{package} {version(package)}" for package in ("onnxruntime", "sentence-transformers")]
    key = hashlib.sha256("\n".join([str(_FORMAT), folder_digest(model), *runtimes]).encode()).hexdigest()
    return user_cache_path("passim-assistant") / "encoders" / key[:32]


def _about(folder: Path) -> dict[str, Any] | None:
    """What was written of an encoder, if all its files are as they were written."""
    try:
        about: dict[str, Any] = configuration(folder / _ABOUT)
        whole = all(sha256_of(folder / name) == digest for name, digest in about["files"].items())
    except (ModelUnavailable, KeyError):
        return None
    return about if whole else None


@contextlib.contextmanager
def _lock(folder: Path) -> Iterator[None]:
    """One process exports; the kernel frees the lock when it dies."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _export(model: Path, load: Callable[[], SentenceTransformer], folder: Path) -> dict[str, Any]:
    """Writes the encoder, or why there can be none, under another name, and renames it when it is on the disk."""
    import onnx  # noqa: F401 - torch writes with it; missing, it is not the model's fault and nothing is kept

    partial = folder.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)  # of a killed export
    partial.mkdir()
    original = load()  # a failure here is the machine's, or makes the model unusable anyway
    try:
        about = _exported(model, original, partial)
    except (OSError, ImportError, MemoryError):
        shutil.rmtree(partial, ignore_errors=True)
        raise
    except Exception as error:  # tracing runs the model's own code and raises what that raises
        for path in partial.iterdir():
            path.unlink()
        about = {"files": {}, "refused": f"it can't be exported: {str(error).partition(chr(10))[0]}"}
    about["files"] |= {path.name: sha256_of(path) for path in partial.iterdir() if path.name != _ABOUT}
    (partial / _ABOUT).write_text(json.dumps(about), encoding="utf-8")
    for path in (*partial.iterdir(), partial):
        _sync(path)
    shutil.rmtree(folder, ignore_errors=True)  # a damaged one
    partial.rename(folder)
    _sync(folder.parent)
    return about


def _exported(model_folder: Path, model: SentenceTransformer, partial: Path) -> dict[str, Any]:
    """Writes graph, weights and tokenizer into `partial` and checks them against the model."""
    kinds = [module["type"].rpartition(".")[2] for module in configuration(model_folder / "modules.json")]
    if unknown := sorted({*kinds} - _KNOWN_MODULES):
        raise ValueError(f"modules of an unknown type, {', '.join(unknown)}")
    _write_graph(model, partial)
    model.tokenizer.backend_tokenizer.save(str(partial / _TOKENIZER))
    prompts = {
        "query": model.prompts.get("query", ""),
        "document": next((model.prompts[name] for name in _DOCUMENT_PROMPTS if name in model.prompts), ""),
    }
    about = {"files": {}, "max_tokens": int(model.max_seq_length or 0), "prompts": prompts}
    (partial / _ABOUT).write_text(json.dumps(about), encoding="utf-8")
    encoder = QueryEncoder(partial)
    originals: dict[Kind, Any] = {"query": model.encode_query, "document": model.encode_document}
    for kind, encode in originals.items():
        expected = unit_rows(np.asarray(encode(list(_SAMPLES), batch_size=1, show_progress_bar=False), np.float32))
        least = float((encoder.encode(_SAMPLES, kind) * expected).sum(axis=1).min())
        if not least >= _LEAST_COSINE:
            raise ValueError(f"the export differs from the model, cosine {least:.5f}")
    return about


def _write_graph(model: SentenceTransformer, partial: Path) -> None:
    """Writes the model as a graph that onnxruntime has optimised, its weights in a file beside it."""
    import torch

    class Encoder(torch.nn.Module):  # type: ignore[misc,unused-ignore]
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, *values: torch.Tensor) -> torch.Tensor:
            embedding: torch.Tensor = self.model(dict(zip(names, values, strict=True)))["sentence_embedding"]
            return embedding

    features = model.tokenizer(list(_SAMPLES[:2]), padding=True, return_tensors="pt")
    names = list(features)
    traced = partial / "traced.onnx"
    with torch.inference_mode(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on what tracing takes for constant: the check is by values
        torch.onnx.export(
            Encoder().eval(),
            tuple(features.values()),
            traced,
            input_names=names,
            output_names=["embedding"],
            dynamic_axes={name: {0: "texts", 1: "tokens"} for name in names},
            dynamo=False,  # traced in 1 s; torch.export takes 15 s, needs onnxscript, and its graph was refused
        )
    onnx_session(traced, threads=_THREADS, optimised=partial / _MODEL)
    kept = {_MODEL, f"{_MODEL}.data"}
    for path in partial.iterdir():
        if path.name not in kept:
            path.unlink()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
