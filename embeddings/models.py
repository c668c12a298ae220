"""Model folders: found without importing what holds them, and digested without loading them."""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import json
import os
from pathlib import Path
from typing import Any

from corpus.errors import ModelUnavailable

PREPARATION_SUFFIXES = frozenset({".json", ".model", ".safetensors", ".txt"})
"""Files that decide what a model computes: weights, tokenizer, configuration."""

_TOKENS = 512
"""Limit of a model that declares none."""


def installed_folder(package: str, inside: str) -> Path | None:
    """The folder `inside` an installed package, which is not imported; None where it isn't installed."""
    spec = importlib.util.find_spec(package)
    roots = (spec.submodule_search_locations or []) if spec else []
    return next((Path(root, inside) for root in roots if Path(root, inside).is_dir()), None)


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes in hexadecimal; computed again only when its size or time changes."""
    try:
        status = path.stat()
        return _sha256(path, (status.st_size, status.st_mtime_ns))
    except OSError as error:
        raise ModelUnavailable(f"cannot read the model file {str(path)!r}: {error.strerror}") from error


@functools.cache
def _sha256(path: Path, _version: tuple[int, int]) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def folder_digest(folder: Path) -> str:
    """One SHA-256 over the names and contents of all files that decide what the model computes."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.suffix in PREPARATION_SUFFIXES):
        digest.update(f"{path.relative_to(folder).as_posix()}:{sha256_of(path)}\n".encode())
    return digest.hexdigest()


def check_digest(path: Path, expected: str) -> None:
    """Raises `ModelUnavailable` unless the file is the one this program was tested with."""
    if (found := sha256_of(path)) != expected:
        raise ModelUnavailable(
            f"the model file {str(path)!r} is not the expected one (SHA-256 {found[:16]}, expected "
            f"{expected[:16]}): install its package again"
        )


def configuration(path: Path) -> Any:
    """Content of a configuration file, empty where there is none."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ModelUnavailable(f"cannot read the model file {str(path)!r}: {error}") from error


def token_limit(folder: Path) -> int:
    """Tokens that a model reads: the least that its configuration files declare. Memory grows with their square."""
    declared = (
        configuration(folder / "sentence_bert_config.json").get("max_seq_length"),
        configuration(folder / "tokenizer_config.json").get("model_max_length"),
        configuration(folder / "config.json").get("max_position_embeddings"),
    )
    return int(min((limit for limit in declared if limit), default=_TOKENS))


def resolved_folder(name: str) -> Path:
    """The folder of a model given as a folder or as a name on the Hugging Face hub, downloaded if need be."""
    if (folder := Path(name).expanduser()).is_dir():
        return folder.resolve()
    if name.startswith((".", "/", "~")) or name.count("/") > 1:
        raise ModelUnavailable(f"no model folder {name!r}: check the path")
    # Deferred: takes half a second, and a model folder needs no hub.
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError
    from huggingface_hub.utils.tqdm import disable_progress_bars

    disable_progress_bars()
    wanted = [f"*{suffix}" for suffix in sorted(PREPARATION_SUFFIXES)]
    repository = name if "/" in name else f"sentence-transformers/{name}"
    try:
        try:
            return Path(snapshot_download(repository, allow_patterns=wanted, local_files_only=True))
        except LocalEntryNotFoundError:
            return Path(snapshot_download(repository, allow_patterns=wanted))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        raise ModelUnavailable(
            f"cannot get the model {name!r} from the Hugging Face hub ({type(error).__name__}): check the "
            "name and the network, or name a folder that holds the model"
        ) from error


def onnx_session(path: Path, *, threads: int, optimise: bool = True, optimised: Path | None = None) -> Any:
    """An onnxruntime session on the CPU that waits without spinning.

    Args:
        optimised: written: the graph as this machine's runtime simplified it, its weights in a file beside it.
    """
    # Read when it is imported: without it, onnxruntime sends events about its use over the network.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime  # deferred: .15 s, and not needed before the first question

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    levels = onnxruntime.GraphOptimizationLevel
    # Not ALL, which lays weights out for this very processor, loads slower and runs no faster.
    options.graph_optimization_level = levels.ORT_ENABLE_EXTENDED if optimise else levels.ORT_DISABLE_ALL
    if optimised is not None:
        options.optimized_model_filepath = str(optimised)
        for entry, value in (("file_name", f"{optimised.name}.data"), ("min_size_in_bytes", "1024")):
            options.add_session_config_entry(f"session.optimized_model_external_initializers_{entry}", value)
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
