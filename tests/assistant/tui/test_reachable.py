"""Everything that the application can do is reached by a key or from the palette, and says what it does."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

from textual.dom import DOMNode

import assistant.tui
from assistant.tui.help import bound, nodes, own
from assistant.tui.palette import COMMANDS

PACKAGE = Path(assistant.tui.__file__).parent
HIDDEN = {
    **{("Rows", key): "moves the cursor, as in every list" for key in "up down pageup pagedown home end".split()},
    ("BrowsingScreen", "down"): "from the field into the list, as it looks",
}
"""Class and key of a binding without a description: the reason."""


def offered() -> set[str]:
    """Actions of the palette: those of `palette.COMMANDS`, and methods given to a `SystemCommand`."""
    calls = (node for path in PACKAGE.rglob("*.py") for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    given = {
        part.attr.removeprefix("action_")
        for call in calls
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "SystemCommand"
        for part in ast.walk(call)
        if isinstance(part, ast.Attribute) and part.attr.startswith("action_")
    }
    return given | {name_of(action) for *_, action in COMMANDS}


def name_of(action: str) -> str:
    """`move` for `screen.move(-1)`."""
    return re.sub(r"\(.*", "", action).rpartition(".")[2]


def elsewhere(kinds: list[type[DOMNode]]) -> set[str]:
    """Actions that one class binds and another one has: `app.` and `screen.` ones."""
    return {name_of(b.action) for kind in kinds for b in own(kind) if "." in b.action.partition("(")[0]}


def test_every_action_is_reached() -> None:
    kinds = nodes()
    everywhere = offered() | elsewhere(kinds)
    missing = []
    for kind in kinds:
        family = {base for relative in kinds if issubclass(relative, kind) for base in relative.__mro__}
        bindings = {name_of(binding.action) for relative in family for binding in own(relative)}
        actions = {name.removeprefix("action_") for name in vars(kind) if name.startswith("action_")}
        missing += [f"{kind.__name__}.action_{action}" for action in sorted(actions - bindings - everywhere)]
    assert not missing, f"bind these to a key, or offer them in the palette: {missing}"


def test_every_action_that_is_offered_is_there() -> None:
    kinds = nodes()
    for kind in kinds:
        local = [name_of(b.action) for b in own(kind) if "." not in b.action.partition("(")[0]]
        family = [kind, *(relative for relative in kinds if issubclass(relative, kind))]
        missing = [name for name in local if not all(hasattr(one, f"action_{name}") for one in family)]
        assert not missing, f"{kind.__name__} binds {missing}, which it has no method for"
    there = {name.removeprefix("action_") for kind in kinds for name in dir(kind) if name.startswith("action_")}
    assert not (missing := (offered() | elsewhere(kinds)) - there), (
        f"offered are {sorted(missing)}, which nothing has a method for"
    )


def test_every_binding_says_what_it_does() -> None:
    silent = {(s.of.__name__, b.key) for s in bound() for b in s.bindings if not b.description}
    assert not (missing := silent - HIDDEN.keys()), f"give a description to, or list in HIDDEN: {sorted(missing)}"
    assert not (needless := HIDDEN.keys() - silent), f"take out of HIDDEN: {sorted(needless)}"


def test_no_class_binds_a_key_twice_unawares() -> None:
    """Escape does what there is to stop or close: one key, many actions, of which one is on at a time."""
    for section in bound():
        keys = Counter(binding.key for binding in section.bindings)
        assert [key for key, count in keys.items() if count > 1] in ([], ["escape"]), section.title
