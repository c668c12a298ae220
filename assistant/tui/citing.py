"""A conversation beside its sources, and what is done with one answer or citation of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual import on, work
from textual.binding import Binding, BindingType
from textual.screen import Screen

from assistant.tui.widgets.answer import AnswerView
from assistant.tui.widgets.citation import CitationChip
from assistant.tui.widgets.composer import Composer
from assistant.tui.widgets.conversation import Conversation
from assistant.tui.widgets.source import SourcePane
from assistant.tui.widgets.text import Place, SourceText
from corpus.sanitizing import sanitize

if TYPE_CHECKING:
    from assistant.audit.citations import Standing
    from assistant.records.feedback import Judgement
    from assistant.tui.app import AssistantApp
    from assistant.types import Answer, Citation
    from corpus.types import Document


_SAID: dict[Judgement, str] = {"right": "right", "wrong": "wrong", "citation": "having a wrong citation"}


class CitingScreen(Screen[None]):
    """Moves through citations, opens and judges them."""

    conversation: str
    """Id under which the answers are kept."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+n,ctrl+down", "next_citation", "Next", tooltip="Next citation", priority=True),
        Binding("ctrl+p,ctrl+up", "previous_citation", "Previous citation", show=False, priority=True),
        Binding("ctrl+t,f9", "details", "Details", tooltip="What was left out, and read but not used", priority=True),
        Binding("ctrl+g", "judge", "Judge", tooltip="Say whether the answer is right", show=False, priority=True),
    ]

    @property
    def main(self) -> AssistantApp:
        return cast("AssistantApp", self.app)

    def action_write(self) -> None:
        self.set_focus(self.query_one(Composer))

    # Citations and their sources.

    @on(CitationChip.Chosen)
    def _on_chosen(self, message: CitationChip.Chosen) -> None:
        self._open(message.chip)
        self.query_one(SourceText).focus()

    def action_next_citation(self) -> None:
        self._step(1)

    def action_previous_citation(self) -> None:
        self._step(-1)

    def _step(self, by: int) -> None:
        """Moves `by` citations from the one that is open or focused, or into the last answer."""
        conversation, pane = self.query_one(Conversation), self.query_one(SourcePane)
        chips = conversation.chips
        here = pane.chip or self.focused
        if here in chips:
            chip = chips[min(max(chips.index(here) + by, 0), len(chips) - 1)]
        elif latest := conversation.latest:
            chip = latest[0 if by > 0 else -1]
        else:
            return
        if pane.chip is not None:
            self._open(chip)
        else:
            self.set_focus(chip)

    def _open(self, chip: CitationChip) -> None:
        beside = next((view.chips for view in chip.ancestors if isinstance(view, AnswerView)), [chip])
        self.query_one(SourcePane).open(chip, f"{beside.index(chip) + 1} of {len(beside)}" if chip in beside else "")
        self.call_after_refresh(self.query_one(Conversation).scroll_to_center, chip, animate=False)
        self.refresh_bindings()

    def look_again(self) -> None:
        """Reads sources anew, the open one too: the index has changed."""
        pane = self.query_one(SourcePane)
        pane.forget()
        for exchange in self.query_one(Conversation).exchanges:
            exchange.answer.lighten()
        if pane.chip is not None:
            self._open(pane.chip)

    def action_close_source(self) -> None:
        self.query_one(SourcePane).close()
        self.action_write()
        self.refresh_bindings()

    @property
    def chip(self) -> CitationChip | None:
        """The citation that keys act on: the open one, else the one with the focus."""
        here = self.query_one(SourcePane).chip or self.focused
        return here if isinstance(here, CitationChip) else None

    def _standing(self, citation: Citation) -> Standing:
        from assistant.audit.citations import standing  # brings NumPy, which the first screen does without

        return standing(self.main.opened, citation)

    def _found(self) -> tuple[Document, Place] | None:
        """Document and span of the citation that keys act on, as they stand now where it is open."""
        if (chip := self.chip) is None:
            return None
        standing = self.query_one(SourcePane).standing
        if standing is not None and standing.document is not None:
            return standing.document, (standing.start, standing.end)
        return chip.document, (chip.citation.start, chip.citation.end)

    def action_whole_document(self) -> None:
        """The whole document of the citation, with all that this conversation cites of it."""
        if (found := self._found()) is None:
            return
        from assistant.tui.document import CitedSpan, DocumentScreen

        document, at = found
        cited = [
            CitedSpan(citation.start, citation.end, citation.number, answer.question)
            for answer in self.query_one(Conversation).answers
            for statement in answer.shown
            for citation in statement.citations
            if citation.passage is not None and citation.passage.document.id == document.id
        ]
        self.app.push_screen(DocumentScreen(self.main.opened, document.id, tuple(dict.fromkeys(cited)), at))

    @work(exit_on_error=False, group="open")
    async def action_original(self) -> None:
        """The file that is cited, in the system's program for it."""
        if (found := self._found()) is None:
            return
        from assistant.tui.opening import open_file

        desk, path = self.main.opened, found[0].path
        with self.main.telling("Original"):
            await self.main.in_thread(lambda: open_file(desk.original(path)))

    def action_copy_quote(self) -> None:
        """The quote with its reference, to the clipboard."""
        if chip := self.chip:
            from assistant.tui.opening import reference

            self.app.copy_to_clipboard(reference(chip.citation))
            self.notify("The quote and its reference were copied.", markup=False)

    # What else is done with an answer.

    @property
    def answer(self) -> AnswerView | None:
        """The answer that keys act on: the one with the citation or the focus, else the last."""
        here = self.chip or self.focused
        beside = next((view for view in here.ancestors if isinstance(view, AnswerView)), None) if here else None
        return beside or self.query_one(Conversation).last

    async def action_details(self) -> None:
        if view := self.answer:
            await view.toggle_details()
            self.refresh_bindings()

    @work
    async def action_judge(self) -> None:
        """Asks for a judgement of the answer, and keeps it."""
        await self._judge(None)

    @work
    async def action_citation_wrong(self) -> None:
        if chip := self.chip:
            await self._judge(chip.citation)

    @work
    async def action_judge_wrong(self) -> None:
        await self._judge(None, "wrong")

    @work
    async def action_judge_right(self) -> None:
        if (view := self.answer) and view.given:
            await self._keep(view.given, "right", "", None)

    async def _judge(self, citation: Citation | None, judgement: Judgement | None = None) -> None:
        view = self.answer
        if view is None or view.given is None:
            return
        from assistant.tui.judging import JudgeScreen

        answer = view.given
        judged = await self.app.push_screen_wait(JudgeScreen(answer, citation, judgement))
        if judged is not None:
            await self._keep(answer, judged.judgement, judged.reason, judged.citation)

    async def _keep(self, answer: Answer, judgement: Judgement, reason: str, wrong: Citation | None) -> None:
        span = (wrong.number, wrong.start, wrong.end) if wrong else None
        desk = self.main.opened.seen_by(None, conversations=self.conversation)  # the same may be in others
        with self.main.telling("Judgement"):
            await self.main.in_thread(lambda: desk.feedback.add(answer.id, judgement, reason, span))
            self.notify(sanitize(f"Kept as {_SAID[judgement]}: “{answer.question}”"), title="Judgement", markup=False)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        match action:
            case "close_source":
                return self.query_one(SourcePane).chip is not None
            case "next_citation" | "previous_citation":
                return bool(self.query_one(Conversation).latest)
            case "details":
                return self.answer is not None and self.answer.has_details
            case "judge" | "judge_right" | "judge_wrong" | "citation_wrong":
                given = self.answer is not None and self.answer.given is not None
                return given and (action != "citation_wrong" or self.chip is not None)
            case "whole_document" | "original" | "copy_quote":
                return self.chip is not None
        return super().check_action(action, parameters)
