"""Models behind OpenAI's interface: OpenAI, Azure, and local servers such as Ollama, vLLM, LM Studio and llama.cpp."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from assistant.config import Settings
from assistant.generators.drafting import Draft
from assistant.generators.hosted import Server, host
from assistant.prompting import messages
from assistant.types import Prompt

ADDRESS = "https://api.openai.com/v1"
_CUT = {"length": "the model reached its limit of tokens", "content_filter": "the server's content filter stopped it"}


class OpenAIGenerator:
    """Streams chat completions of `model`.

    The address is `base_url` of the settings, else `$OPENAI_BASE_URL`, else the v1 interface of
    `$AZURE_OPENAI_ENDPOINT`, where the model is a deployment's name, else OpenAI's own.
    """

    def __init__(self, model: str, settings: Settings) -> None:
        azure = os.environ.get("AZURE_OPENAI_ENDPOINT")
        address = settings.base_url or os.environ.get("OPENAI_BASE_URL")
        address = address or (f"{azure.rstrip('/')}/openai/v1" if azure else ADDRESS)
        service = "azure" if host(address).endswith(".azure.com") else "openai"
        self.name = f"openai:{model}"
        self._server = Server("openai", service, "OpenAI", address, model, settings)
        self._running: set[Draft] = set()

    def generate(self, prompt: Prompt) -> Draft:
        instructions, content = messages(prompt)
        request = {
            "model": self._server.model,
            "messages": [{"role": "system", "content": instructions}, {"role": "user", "content": content}],
            "temperature": 0,
            "max_tokens": self._server.settings.output_tokens,
            "stream": True,
        }
        return Draft(
            self.name,
            lambda draft: self._server.written(draft, request, lambda c, r: self._deltas(c, r, draft)),
            self._running,
        )

    def close(self) -> None:
        for draft in tuple(self._running):
            draft.close()

    def _deltas(self, client: Any, request: dict[str, Any], draft: Draft) -> Iterator[str]:
        wrote, finish = False, None
        for chunk in client.chat.completions.create(**request):
            for choice in (chunk.choices or ())[:1]:
                finish = choice.finish_reason or finish
                if isinstance(text := choice.delta and choice.delta.content, str):
                    wrote = wrote or bool(text.strip())
                    yield text
        if cut := _CUT.get(self._server.ended(finish, wrote)):  # a draft that was closed has a reason already
            draft.cut = cut
