"""How far a text supports a claim: by words, or by a cross-encoder for natural language inference."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from assistant.gate import passes_gate
from assistant.wording import WEAK, read
from corpus.errors import ModelUnavailable, UsageError
from corpus.sentences import split_sentences
from embeddings.models import configuration, resolved_folder
from embeddings.query_encoder import encodable
from embeddings.rerank import load_cross_encoder

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

SUPPORTED = 0.8
"""Score from which a sentence that passes the gate counts as supported: see docs/decisions/verification.md."""
LONG = 8
"""Content words of a claim from which words of general use may be missing in the premise."""
_BATCH = 16
_LEAST_WINDOW = 32
"""Tokens of a premise that are read beside the longest claim."""
_MAX_CHARACTERS = 4096
"""Of a claim, for a cross-encoder."""


class Entailment(Protocol):
    """Scores how far each premise supports the claim beside it."""

    def scores(self, premises: Sequence[str], claims: Sequence[str]) -> NDArray[np.float32]:
        """Shape (n,), float32 in [0, 1]; `premises` and `claims` have equal length."""
        ...


def entailment_named(name: str) -> Entailment:
    """`lexical`, or `nli:` with the name or folder of a cross-encoder. Raises `UsageError` for any other."""
    kind, _, model = name.partition(":")
    if name == "lexical":
        return LexicalEntailment()
    if kind == "nli" and model:
        return NliEntailment(model)
    raise UsageError(f"no entailment {name!r}: known are lexical, nli:NAME_OR_FOLDER")


class LexicalEntailment:
    """The share of a claim's content words that the premise holds, and 0 where the exact gate stops the claim.

    It reaches `SUPPORTED` only where every word is held; of a long claim, words of general use may be missing.
    """

    def scores(self, premises: Sequence[str], claims: Sequence[str]) -> NDArray[np.float32]:
        return np.array([self._score(p, c) for p, c in zip(premises, claims, strict=True)], dtype=np.float32)

    def _score(self, premise: str, claim: str) -> float:
        share, missing = share_held(premise, claim), read(claim).missing(read(premise))
        if not share or not passes_gate(premise, claim):
            return 0.0
        excused = len(read(claim).wanted) >= LONG and all(forms & WEAK for forms in missing)
        return share if excused or not missing else share * SUPPORTED


def share_held(premise: str, claim: str) -> float:
    """Share of a claim's content words and figures that stand in the premise, words inflected or not."""
    have, said = read(premise), read(claim)
    figures = [any(ours.says(theirs) for ours in have.figures) for theirs in said.figures]
    held = len(said.wanted) - len(said.missing(have)) + sum(figures)
    return held / (len(said.wanted) + len(figures)) if said.wanted else 0.0


class NliEntailment:
    """The probability of entailment by a cross-encoder for natural language inference, best window of the premise."""

    def __init__(self, name_or_folder: str) -> None:
        self.name = name_or_folder
        self._loaded: tuple[CrossEncoder, int, int] | None = None

    def scores(self, premises: Sequence[str], claims: Sequence[str]) -> NDArray[np.float32]:
        if not claims:
            return np.zeros(0, np.float32)
        model, limit, label = self._load()
        import torch  # deferred: loaded by sentence_transformers just before

        claims = [encodable(claim[:_MAX_CHARACTERS]) for claim in claims]
        windows = [
            _windows(model.tokenizer, limit, encodable(p), claim) for p, claim in zip(premises, claims, strict=True)
        ]
        rows = [(window, claim) for parts, claim in zip(windows, claims, strict=True) for window in parts]
        raw = torch.nn.Identity()
        found = model.predict(rows, batch_size=_BATCH, show_progress_bar=False, activation_fn=raw)
        logits = np.asarray(found, np.float64).reshape(len(rows), -1)
        if logits.shape[1] == 1:  # a sigmoid is the softmax of a logit beside 0
            logits = np.hstack([np.zeros_like(logits), logits])
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        probabilities = odds[:, label] / odds.sum(axis=1)
        starts = np.cumsum([0, *(len(parts) for parts in windows[:-1])])
        return np.maximum.reduceat(probabilities, starts).astype(np.float32)

    def _load(self) -> tuple[CrossEncoder, int, int]:
        """The model, how many tokens it reads, and the place of entailment among its outputs."""
        if self._loaded is None:
            plain = "/" not in self.name and not Path(self.name).is_dir()
            folder = resolved_folder(f"cross-encoder/{self.name}" if plain else self.name)
            if not configuration(folder / "config.json"):
                raise ModelUnavailable(f"the folder {self.name!r} holds no model: config.json is missing or empty")
            model = load_cross_encoder(folder, f"the NLI model {self.name!r}")
            inner: Any = model.model
            limit = int(model.max_seq_length or inner.config.max_position_embeddings)
            self._loaded = model, limit, self._entails(inner.config.id2label)
        return self._loaded

    def _entails(self, labels: dict[int, str]) -> int:
        if len(labels) == 1:
            return 1
        for place, label in sorted(labels.items()):
            if "entail" in label.lower() and not re.search(r"not?[ _-]|non", label, re.I):
                return int(place)
        raise UsageError(
            f"the model {self.name!r} has no label for entailment, only {', '.join(labels.values())}: name one trained "
            "for natural language inference"
        )


def _windows(tokenizer: Any, limit: int, premise: str, claim: str) -> list[str]:
    """The premise in overlapping runs of whole sentences, which a model of `limit` tokens can read beside the claim."""

    def size(text: str) -> int:
        return len(tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])

    room = max(limit - size(claim) - int(tokenizer.num_special_tokens_to_add(pair=True)), _LEAST_WINDOW)
    spans = split_sentences(premise)
    sizes = [size(premise[start:end]) for start, end in spans]
    if sum(sizes) <= room:
        return [premise]
    return [premise[spans[first][0] : spans[last - 1][1]] for first, last in runs(sizes, room)]


def runs(sizes: Sequence[int], room: int) -> list[tuple[int, int]]:
    """Ranges that together hold all items, each of at most `room` or one item, beginning in the middle of the last."""
    found: list[tuple[int, int]] = []
    first = 0
    while not found or found[-1][1] < len(sizes):
        last, total = first, 0
        while last < len(sizes) and (last == first or total + sizes[last] <= room):
            total, last = total + sizes[last], last + 1
        found.append((first, last))
        first = max(first + 1, (first + last + 1) // 2)
    return found
