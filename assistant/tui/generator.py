"""Choosing what writes the answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import OptionList

from assistant.tui.choice import Offers
from assistant.tui.prompt import Line, PromptScreen

_ABOUT = {
    "extractive": "sentences of the documents, word for word; no model, nothing leaves this machine",
    "openai:MODEL": "a server that speaks OpenAI's protocol, hosted or on this machine (base_url in the settings)",
    "anthropic:MODEL": "Anthropic's models, by their name; passages are sent to them",
    "gguf:FILE": "a model's file, run in this program; nothing leaves this machine",
}


class GeneratorScreen(PromptScreen):
    """Takes a known name or any other, and gives it once it is used; the dialog stays while it can't be.

    Args:
        known: names as `assistant.generators.names` gives them; after a colon stands what to write there.
        use: takes the name into use, in a thread, and raises what is wrong with it. It isn't stopped where the user
            goes back meanwhile.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", "Up", show=False),
        Binding("down", "move(1)", "Down", show=False),
    ]
    CHECKING = "loading, which can take some seconds…"

    def __init__(self, current: str, known: tuple[str, ...], use: Callable[[str], None]) -> None:
        def check(name: str) -> str:
            if name:
                use(name)
            return "" if name else "type a name, or choose one"

        super().__init__(
            "What writes the answers?",
            current,
            "From the next question on. Type a name, or choose one with ↑ and ↓.",
            check,
        )
        self._known = known

    def body(self) -> Iterable[Widget]:
        yield from super().body()
        kind = self._value.partition(":")[0]
        here = next((place for place, name in enumerate(self._known) if name.partition(":")[0] == kind), 0)
        offers = Offers([(name, _ABOUT.get(name, "installed by another package")) for name in self._known], here)
        offers.can_focus = False
        yield offers

    def action_move(self, by: int) -> None:
        """Takes the next or previous of the known names into the line."""
        offers = self.query_one(Offers)
        offers.highlighted = min(max((offers.highlighted or 0) + by, 0), len(self._known) - 1)
        self._take(offers.highlighted)

    @on(OptionList.OptionSelected)
    def _on_selected(self, message: OptionList.OptionSelected) -> None:
        self._take(message.option_index)

    def _take(self, place: int) -> None:
        line = self.query_one(Line)
        kind, colon, _ = self._known[place].partition(":")
        line.value = kind + colon
        line.cursor_position = len(line.value)
        line.focus()
