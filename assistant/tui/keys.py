"""What a terminal sends, as text for Textual to take apart into keys."""

from __future__ import annotations

import codecs
import os
import signal

_BEGIN, _END = "\x1b[200~", "\x1b[201~"
"""Around a paste (bracketed paste mode of xterm)."""
_HELD = 3
"""Characters of a marker that no key ends with: with fewer, Escape would wait for the next key."""
_ESCAPE = "\u241b"
"""Stands for the control character in a paste: Textual would read keys from what follows it, Ctrl+Q and Enter too."""


class Keys:
    """An incremental decoder that replaces what its encoding lacks, and leaves no key in a paste."""

    def __init__(self, encoding: str) -> None:
        self._bytes = codecs.getincrementaldecoder(encoding)(errors="replace")
        self._pasting = False
        self._begun = ""
        """The beginning of a marker, whose rest may follow."""
        self._given = 0
        """Characters of it that were given already, not to keep Escape waiting."""

    def decode(self, data: bytes, final: bool = False) -> str:
        """The text of some bytes, as far as it is known. Without any, the terminal is gone, and so is the process."""
        if not data and not final:
            os.kill(os.getpid(), signal.SIGHUP)  # as closing a terminal does; Textual would read on for ever
        text, given, skip = self._begun + self._bytes.decode(data, final), "", self._given
        self._begun = ""
        while text:
            marker = _END if self._pasting else _BEGIN
            before, found, text = text.partition(marker)
            if not found and not final:
                begun = next((n for n in range(len(marker) - 1, 0, -1) if before.endswith(marker[:n])), 0)
                before, self._begun = before[: len(before) - begun], marker[:begun]
            given += (before.replace("\x1b", _ESCAPE) if self._pasting else before) + found
            self._pasting ^= bool(found)
        waits = self._pasting or len(self._begun) >= _HELD
        self._given = (0 if given else skip) if waits else len(self._begun)
        return (given + self._begun[: self._given])[skip:]
