"""What is indexed: found, read, and chosen to answer from."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date
from heapq import merge
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType

from assistant.tui.browsing import BrowsingScreen
from assistant.tui.errors import told
from assistant.tui.scope import PLACEHOLDER, Filter, Scope, filtered, listed
from assistant.tui.widgets.rows import Column, Rows

if TYPE_CHECKING:
    from assistant.api import Assistant
    from corpus.types import ReadFailure
    from embeddings.view import DocumentSummary

Listed = Sequence["DocumentSummary"] | Sequence["ReadFailure"]
_SORTED_AT_ONCE = 5_000
"""Documents: a sort holds up every other thread until it is done."""
_PROBLEMS = (Column("File"), Column("Why it could not be read", share=2))


class DocumentsScreen(BrowsingScreen[Scope | None]):
    """Gives the documents to restrict the conversation to; None where it stays as it is."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "restrict", "Restrict", tooltip="Answer from the marked documents only, else from those listed"),
        Binding("s", "sort", "Sort", tooltip="By title, or by date with the newest first"),
        Binding("p", "problems", "Problems", tooltip="Files that could not be read, and back"),
    ]
    PLACEHOLDER = PLACEHOLDER

    def __init__(self, desk: Assistant, scope: Scope | None) -> None:
        super().__init__(Rows(marks=True, empty="Reading the index…"))
        self._desk = desk
        self._scope = scope
        self._documents: dict[str, list[DocumentSummary]] = {}
        """All of them, in each order that was asked for."""
        self._failures: list[ReadFailure] = []
        self._shown: Listed | None = None
        self._tagged = False
        self._by_date = False
        self._problems = False
        """Whether the files that could not be read are listed."""

    def find(self, text: str) -> tuple[Listed, list[str]]:
        if "path" not in self._documents:
            self._failures = self._desk.failures()
            self._documents["path"] = self._desk.documents()
            self._tagged = any(document.tags for document in self._documents["path"])
        found: Listed
        if self._problems:
            words = text.casefold().split()
            found = [f for f in self._failures if all(word in f"{f.path}\n{f.reason}".casefold() for word in words)]
        else:
            found = Filter.read(text).chosen(self._in_order())
        return found, [one.path for one in found]

    def show(self, found: tuple[Listed, list[str]]) -> None:
        first = self._shown is None
        self._shown, paths = found
        rows = self.rows
        rows.opens = rows.marks = not self._problems
        rows.columns = _PROBLEMS if self._problems else _columns(self._by_date, self._tagged)
        if self._problems:
            rows.empty = "No such problem." if self._failures else "Every file could be read."
        else:
            rows.empty = "Nothing passes this filter." if self._documents["path"] else "Nothing is indexed yet."
        rows.set_rows(self._shown, paths, _failure_cells if self._problems else _cells)
        if first and self._scope is not None:
            rows.mark(path for path in paths if self._scope.names(path))
        self._say_heading()

    def detail(self) -> str:
        if not self._shown or self.rows.cursor >= len(self._shown):
            return ""
        one = self._shown[self.rows.cursor]
        problem: str | None = getattr(one, "problem", None)
        if self._problems:
            return f"{one.path}\n⚠ {getattr(one, 'reason', '')}"
        return f"{one.path}\n⚠ its newest version could not be read: {problem}" if problem else one.path

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("restrict", "sort"):
            return not self._problems
        return super().check_action(action, parameters)

    def action_sort(self) -> None:
        self._by_date = not self._by_date
        self.look()

    def action_problems(self) -> None:
        self._problems = not self._problems
        self.refresh_bindings()
        self.look()

    @work(exclusive=True, group="restrict", exit_on_error=False)
    async def action_restrict(self) -> None:
        """Leaves with the marked documents, else with what the filter lets through."""
        try:
            scope = await asyncio.to_thread(self._restriction, self.searched, frozenset(self.rows.marked))
        except Exception as error:  # told, and the screen stays
            self.say(f"✗ {told(error)}")
        else:
            self.dismiss(scope)

    @on(Rows.Marked)
    def _say_heading(self) -> None:
        total = len(self._failures if self._problems else self._documents.get("path", ()))
        shown = len(self._shown or ())
        count = f"{total:,}" if shown == total else f"{shown:,} of {total:,}"
        if self._problems:
            self.head(f"Problems ({count})", "p goes back to the documents")
            return
        parts = [f"☑ {len(self.rows.marked):,} marked"] if self.rows.marked else []
        parts += [f"⚠ Problems ({len(self._failures):,}): p"] if self._failures else []
        parts += [f"⊂ now only {self._scope.label}"] if self._scope is not None else []
        self.head(f"Documents ({count})", " · ".join(parts))

    @on(Rows.HeadingChosen)
    def _on_heading(self, message: Rows.HeadingChosen) -> None:
        if not self._problems and message.column < 2:
            self._by_date = message.column == 1
            self.look()

    @on(Rows.Opened)
    def _on_opened(self) -> None:
        from assistant.tui.document import DocumentScreen  # a screen is imported when it is opened

        if self._shown and (document_id := getattr(self._shown[self.rows.cursor], "id", "")):
            self.app.push_screen(DocumentScreen(self._desk, document_id))

    def _restriction(self, text: str, marked: frozenset[str]) -> Scope:
        documents = self._in_order()
        if marked:
            return listed([document for document in documents if document.path in marked])
        return filtered(Filter.read(text), documents)

    def _in_order(self) -> list[DocumentSummary]:
        key = _newest_first if self._by_date else _by_title
        if key.__name__ not in self._documents:
            every = self._documents["path"]
            parts = (every[n : n + _SORTED_AT_ONCE] for n in range(0, len(every), _SORTED_AT_ONCE))
            self._documents[key.__name__] = list(merge(*(sorted(part, key=key) for part in parts), key=key))
        return self._documents[key.__name__]


def _by_title(document: DocumentSummary) -> Any:
    return (document.title or document.path).casefold(), document.path


def _newest_first(document: DocumentSummary) -> Any:
    return -(document.date or date.min).toordinal(), *_by_title(document)


def _columns(by_date: bool, tagged: bool) -> tuple[Column, ...]:
    columns = (
        Column("Title" if by_date else "Title ↓", share=2),
        Column("Date ↓" if by_date else "Date", 10),
        Column("Kind", 8),
        Column("Passages", 8, right=True),
        Column("Tags"),
    )
    return columns if tagged else columns[:-1]


def _cells(document: DocumentSummary) -> tuple[str, ...]:
    title = document.title or document.path
    day = document.date.isoformat() if document.date else "–"
    tags = ", ".join(document.tags)
    return f"⚠ {title}" if document.problem else title, day, document.kind, f"{document.chunks:,}", tags


def _failure_cells(failure: ReadFailure) -> tuple[str, ...]:
    return failure.path, failure.reason
