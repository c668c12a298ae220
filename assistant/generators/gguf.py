"""A GGUF file run in this process by llama.cpp."""

from __future__ import annotations

import json
import os
import re
import secrets
import struct
import threading
import weakref
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from assistant.config import Settings
from assistant.generators.drafting import Draft
from assistant.prompting import REFUSAL, messages
from assistant.types import Prompt
from corpus.errors import ModelUnavailable, UsageError

MOST_SENTENCES = 8
"""Of a draft with citations: models without a chat template seldom end by themselves."""
MOST_WORDS = 60
"""Of one sentence of such a draft."""
STEP = 16
"""Tokens of a prompt read at a time; a step can't be stopped in its midst."""
_HEAD = 64 << 20
"""Bytes from the start of a file that hold its metadata, vocabulary included."""
_INSTRUCTIONS = 1000
"""Tokens kept for instructions and the question."""
_WIDER = 1.5
"""A model's own tokens of a text for each of cl100k_base, at most in English."""


class GgufGenerator:
    """Loads the model at the first question; questions asked at the same time are answered one after the other."""

    def __init__(self, file: str, settings: Settings) -> None:
        """Raises `UsageError` without xllamacpp, `ModelUnavailable` where the file isn't a model."""
        try:
            import xllamacpp  # deferred: an extra, and 100 MB of library
        except ImportError as error:
            raise UsageError(
                f"the generator 'gguf:{file}' needs xllamacpp: pip install 'passim-assistant[gguf]'"
            ) from error
        self._llama = xllamacpp
        self.name = f"gguf:{file}"
        self._path, head = _opened(file)
        self._chats = b"tokenizer.chat_template" in head
        trained = re.search(rb"\.context_length\x04\0{3}(.{4})", head, re.DOTALL)
        wanted = int(_WIDER * settings.passage_tokens) + _INSTRUCTIONS + settings.output_tokens
        self._context = min(wanted, *struct.unpack("<I", trained[1])) if trained else wanted
        self._output = settings.output_tokens
        self._turn = threading.Lock()
        self._running: set[Draft] = set()
        self._server: Any = None
        # A thread of llama.cpp's that calls back while the interpreter ends aborts the process.
        weakref.finalize(self, _stop, self._running)

    def generate(self, prompt: Prompt) -> Draft:
        return Draft(self.name, lambda draft: self._write(draft, prompt), self._running)

    def close(self) -> None:
        """Stops the model and frees its memory; a further question loads it again."""
        for draft in tuple(self._running):
            draft.close()
        self._server = None

    def _write(self, draft: Draft, prompt: Prompt) -> Generator[str]:
        kept = prompt
        with self._turn:
            while not draft.closed.is_set() and (tokens := (yield from self._attempt(draft, kept))):
                if not kept.passages:
                    raise ModelUnavailable(
                        f"the model {str(self._path)!r} reads {self._context:,} tokens, and the question has "
                        f"{tokens:,}: ask in fewer words, or take a model with a longer context"
                    )
                kept = replace(kept, passages=kept.passages[:-1])
        if left_out := len(prompt.passages) - len(kept.passages):
            said = f"the model’s context of {self._context:,} tokens left out the last {left_out} passages"
            draft.cut = f"{said}; {draft.cut}" if draft.cut else said

    def _attempt(self, draft: Draft, prompt: Prompt) -> Generator[str, None, int]:
        """Writes, and returns 0; or writes nothing, and returns the tokens of a prompt too long to answer."""
        self._server = server = self._server or self._loaded()
        ask, request = self._request(server, prompt)
        written = held = ""
        with closing(_streamed(ask, request, draft)) as chunks:
            for chunk in chunks:
                error: dict[str, Any] = chunk.get("error", {})
                tokens: int = error.get("n_prompt_tokens") or chunk.get("prompt_progress", {}).get("total", 0)
                if error and not tokens:
                    raise ModelUnavailable(f"the model {str(self._path)!r} did not answer: {error.get('message')}")
                if tokens > self._context - min(self._output, self._context // 2):
                    return tokens
                (choice,) = chunk["choices"]
                delta: str = choice.get("text") or choice.get("delta", {}).get("content") or ""
                if choice["finish_reason"] == "length":
                    draft.cut = f"the model was stopped after {self._output:,} tokens"
                written += delta
                held += delta
                *earlier, last = re.split(r"(?<=\])\s+", written.strip())
                if last.endswith("]") and last in earlier:  # what a small model says twice it says for ever
                    return 0
                if not any(sentence.startswith(last) for sentence in earlier):
                    yield held
                    held = ""
        yield held
        return 0

    def _request(self, server: Any, prompt: Prompt) -> tuple[Callable[..., object], dict[str, Any]]:
        instructions, content = messages(prompt)
        request: dict[str, Any] = {
            "stream": True,
            "return_progress": True,  # so that it can be stopped while it reads
            "max_tokens": self._output,
            "temperature": 0,
            "seed": 0,
            "cache_prompt": False,  # a draft must not depend on what was read before
        }
        if prompt.instruction is None:
            request["grammar"] = grammar([p.number for p in prompt.passages])
        if self._chats:
            roles = {"system": instructions, "user": content}
            request["messages"] = [{"role": role, "content": text} for role, text in roles.items()]
            request["chat_template_kwargs"] = {"enable_thinking": False}
            return server.handle_chat_completions, request
        request |= {"prompt": f"{instructions}\n\n{content}\n\nAnswer:", "stop": ["\n\n", "\nQuestion:", "\nAnswer:"]}
        return server.handle_completions, request

    def _loaded(self) -> Any:
        made = self._llama.CommonParams()
        made.model.path = str(self._path)
        made.n_ctx, made.n_parallel, made.n_batch, made.n_ubatch = self._context, 1, STEP, STEP
        made.cache_ram_mib, made.n_ctx_checkpoints, made.warmup = 0, 0, False
        # Threads wait for each other by spinning: one on a core that another program has holds all of them up.
        made.cpuparams.n_threads = made.cpuparams_batch.n_threads = max(1, (os.cpu_count() or 2) // 2)
        # xllamacpp listens on a port of this machine whether or not it is wanted: nobody knows the key to it.
        made.api_keys, made.ui = [secrets.token_hex()], False
        made.verbosity = -1
        try:
            return self._llama.Server(made)
        except RuntimeError as error:
            raise ModelUnavailable(
                f"the model {str(self._path)!r} can't be loaded: it is damaged or cut short, of a kind that this "
                "xllamacpp does not know, or too large for the memory that is free; fetch it again, or take another"
            ) from error


def grammar(numbers: Sequence[int]) -> str:
    """GBNF: the refusal, or sentences without tags and code that each end in markers of these passage numbers.

    A full stop inside a sentence stands before a small letter or a digit, or after a capital and up to three letters.
    """
    refusal = f'" "? {json.dumps(REFUSAL)}'
    if not numbers:
        return f"root ::= {refusal}"
    return "\n".join(
        (
            f"root ::= {refusal} | sentence ([ \\n] sentence){{0,{MOST_SENTENCES - 1}}}",
            f'sentence ::= " "? word (" " (word | short)){{0,{MOST_WORDS - 1}}} [.!?]? " "? cited+ "."?',
            "word ::= plain+ ([.!?] within plain*)*",
            'short ::= [A-Z] [a-z]{0,3} "."',
            "plain ::= [^\\]\\[<>{}`|.!? \\t\\r\\n]",
            "within ::= [^A-Z\\]\\[<>{}`|.!? \\t\\r\\n]",
            f'cited ::= "[" ({" | ".join(json.dumps(str(n)) for n in numbers)}) "]"',
        )
    )


def _streamed(ask: Callable[..., object], request: dict[str, Any], draft: Draft) -> Generator[dict[str, Any]]:
    """What the model says, chunk by chunk; it stops once the draft or this iterator is closed."""
    chunks: SimpleQueue[dict[str, Any] | None] = SimpleQueue()
    stopped = threading.Event()

    def take(chunk: dict[str, Any]) -> bool:
        chunks.put(chunk)
        return stopped.is_set() or draft.closed.is_set()

    def run() -> None:
        try:
            ask(request, take)
        except (RuntimeError, ValueError) as error:  # llama.cpp's, of a request that it can't begin
            chunks.put({"error": {"message": " ".join(str(error).split())[-200:]}})
        finally:
            chunks.put(None)

    running = threading.Thread(target=run, name="gguf", daemon=True)
    running.start()
    try:
        yield from iter(chunks.get, None)
    finally:
        stopped.set()
        running.join()


def _stop(running: set[Draft]) -> None:
    for draft in tuple(running):
        draft.close()
        draft.thread.join()


def _opened(file: str) -> tuple[Path, bytes]:
    """A model's path and the start of its file."""
    try:
        path = Path(file).expanduser()
        with path.open("rb") as opened:
            head = opened.read(_HEAD)
    except (OSError, ValueError, RuntimeError) as error:  # of the disk, of what no path has, of "~nobody"
        reason = error.strerror if isinstance(error, OSError) else error
        raise ModelUnavailable(f"the model {file!r} can't be read: {reason}; give the path of a GGUF file") from error
    if not head.startswith(b"GGUF"):
        raise ModelUnavailable(f"{file!r} is not a GGUF file: give one that llama.cpp can run")
    return path, head
