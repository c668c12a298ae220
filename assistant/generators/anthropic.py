"""Models of Anthropic with its own citations: the interface names the characters of a passage that a claim rests on."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any

from assistant.config import Settings
from assistant.generators.drafting import Draft
from assistant.generators.hosted import Server
from assistant.prompting import CITING, INSTRUCTIONS, neutral
from assistant.types import Passage, Prompt
from corpus.sentences import split_sentences

ADDRESS = "https://api.anthropic.com"
_CUT = {
    "max_tokens": "the model reached its limit of tokens",
    "model_context_window_exceeded": "the model's window was full",
    "refusal": "the model declined",
}
_Source = tuple[int, tuple[int, int] | None]
"""Passage number, and start and end in its document."""


class AnthropicGenerator:
    """Streams messages of `model` about one document block a passage; `Draft.spans` has what it cites.

    The address is `base_url` of the settings, else `$ANTHROPIC_BASE_URL`, else Anthropic's own.
    """

    def __init__(self, model: str, settings: Settings) -> None:
        address = settings.base_url or os.environ.get("ANTHROPIC_BASE_URL") or ADDRESS
        self.name = f"anthropic:{model}"
        self._server = Server("anthropic", "anthropic", "Anthropic", address, model, settings)
        self._running: set[Draft] = set()

    def generate(self, prompt: Prompt) -> Draft:
        request = {
            "model": self._server.model,
            "system": prompt.instruction or INSTRUCTIONS.replace(CITING, ""),
            "messages": [
                {
                    "role": "user",
                    "content": [
                        *(_block(passage) for passage in prompt.passages),
                        {"type": "text", "text": neutral(prompt.question)},
                    ],
                }
            ],
            "max_tokens": self._server.settings.output_tokens,
            "stream": True,
        }
        return Draft(
            self.name,
            lambda draft: self._server.written(draft, request, lambda c, r: self._deltas(c, r, draft, prompt.passages)),
            self._running,
        )

    def close(self) -> None:
        for draft in tuple(self._running):
            draft.close()

    def _deltas(self, client: Any, request: dict[str, Any], draft: Draft, passages: Sequence[Passage]) -> Iterator[str]:
        sentences, finish, wrote = _Sentences(draft), None, False
        for event in client.messages.create(**request):
            kind = event.type
            if kind == "content_block_delta" and event.delta.type == "text_delta":
                sentences.text += event.delta.text
                wrote = wrote or bool(event.delta.text.strip())
            elif kind == "content_block_delta" and event.delta.type == "citations_delta":
                sentences.cited.append(_cited(event.delta.citation, passages))
            elif kind == "content_block_stop":
                yield from sentences.whole()
            elif kind == "message_delta":
                finish = event.delta.stop_reason or finish
        yield from sentences.rest()
        if cut := _CUT.get(self._server.ended(finish, wrote)):  # a draft that was closed has a reason already
            draft.cut = cut


class _Sentences:
    """Text as it grows, with each number put after the sentence that its block of text is part of."""

    def __init__(self, draft: Draft) -> None:
        self.text = ""
        """Not yet given out."""
        self.cited: list[_Source] = []
        """What the block being written cites."""
        self._draft = draft
        self._begun = 0
        """Where that block begins in `text`."""
        self._marks: list[tuple[int, int, _Source]] = []
        """Start and end of a block in `text`, and what it cites."""

    def whole(self) -> Iterator[str]:
        """The sentences that are complete, at the end of a block; the last one may go on in the next."""
        self._marks += [(self._begun, len(self.text), source) for source in self.cited]
        self.cited = []
        yield from self._given([end for _, end in split_sentences(self.text)][:-1])
        self._begun = len(self.text)

    def rest(self) -> Iterator[str]:
        yield from self.whole()
        yield from self._given([len(self.text.rstrip())])

    def _given(self, ends: Sequence[int]) -> Iterator[str]:
        start = 0
        for end in ends:
            sentence = self.text[start:end]
            sources = [s for a, b, s in self._marks if _has_word(self.text[max(a, start) : min(b, end)])]
            for number, span in sources:
                if span is not None:
                    at = (" ".join(sentence.split()), number)
                    held = self._draft.spans.get(at, span)
                    self._draft.spans[at] = min(held[0], span[0]), max(held[1], span[1])
            yield sentence + "".join(f" [{n}]" for n in dict.fromkeys(n for n, _ in sources))
            start = end
        self.text = self.text[start:]
        self._marks = [(a - start, b - start, s) for a, b, s in self._marks if b > start]


def _block(passage: Passage) -> dict[str, Any]:
    document = passage.document
    return {
        "type": "document",
        "source": {"type": "text", "media_type": "text/plain", "data": neutral(passage.chunk.text)},
        "title": neutral(document.title)[:200],
        "context": f"dated {document.date.isoformat()}" if document.date else "undated",
        "citations": {"enabled": True},
    }


def _cited(citation: Any, passages: Sequence[Passage]) -> _Source:
    """The passage that a citation names, with the span where the passage really says there what is cited."""
    index, start, end = int(citation.document_index), int(citation.start_char_index), int(citation.end_char_index)
    if not 0 <= index < len(passages):
        return 0, None  # invented: a number that no passage has
    passage, said = passages[index], citation.cited_text
    sent, chunk = neutral(passage.chunk.text), passage.chunk
    if not (0 <= start < end <= len(sent) == len(chunk.text) and sent[start:end] == said and said.strip()):
        return passage.number, None
    # What is cited may end in white space; a quotation doesn't.
    return passage.number, (chunk.start + end - len(said.lstrip()), chunk.start + start + len(said.rstrip()))


def _has_word(text: str) -> bool:
    return any(c.isalnum() for c in text)
