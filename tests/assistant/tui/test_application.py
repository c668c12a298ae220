"""What a user does in the application, by keyboard and mouse, on a real index."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Static

from assistant.tui.app import AssistantApp
from assistant.tui.widgets.answer import AnswerView
from assistant.tui.widgets.composer import Composer
from assistant.tui.widgets.conversation import Conversation, Exchange, Welcome
from assistant.tui.widgets.finding import Finding
from assistant.tui.widgets.source import SourcePane, SourceText
from assistant.tui.widgets.status import StatusLine
from assistant.types import Prompt
from corpus.errors import IndexUnavailable

pytestmark = pytest.mark.asyncio
Settled = Callable[[Pilot[None]], Awaitable[None]]
Make = Callable[..., AssistantApp]
QUESTION = "When does Tarn Bridge close to traffic, and what do the repairs cost?"
SIZES = ((80, 24), (120, 40))


async def ask(pilot: Pilot[None], question: str) -> None:
    composer = pilot.app.query_one(Composer)
    composer.focus()
    composer.insert(question)
    await pilot.press("enter")


def shown(widget: SourceText) -> list[tuple[str, bool]]:
    """Text and whether it is reversed, for each segment in view."""
    strips = [widget.render_line(y) for y in range(widget.size.height)]
    return [(s.text, bool(s.style and s.style.reverse)) for strip in strips for s in strip]


def under(app: AssistantApp) -> str:
    """What the last answer says under itself."""
    return str(list(app.query(AnswerView))[-1].query_one(".answer--progress", Static).content)


@pytest.mark.parametrize("size", SIZES)
async def test_ask_move_open_close(make_app: Make, settled: Settled, size: tuple[int, int]) -> None:
    app = make_app()
    async with app.run_test(size=size) as pilot:
        assert app.query(Welcome)
        await ask(pilot, QUESTION)
        await settled(pilot)
        assert not app.query(Welcome)
        findings = list(app.query("Finding.-quoted").results(Finding))
        assert [len(finding.chips) for finding in findings] == [2, 1]
        assert "closes to traffic" in str(findings[0].query_one(".finding--text", Static).content)
        assert str(findings[0].query_one(".finding--verdict", Static).content) == "❝ quoted"
        assert "left out: 1 sentence" in under(app)

        chips = app.query_one(Conversation).chips
        await pilot.press("ctrl+n")
        assert app.focused is chips[0]
        await pilot.press("n", "n", "n")
        assert app.focused is chips[2]
        await pilot.press("p", "enter")
        await settled(pilot)
        pane, source = app.query_one(SourcePane), app.query_one(SourceText)
        assert pane.display and pane.chip is chips[1] and app.focused is source
        assert source.region.x > 0 if size[0] >= 100 else source.region.y > chips[1].region.y

        await pilot.press("ctrl+n")
        assert pane.chip is chips[2]
        await pilot.press("escape")
        assert not pane.display and isinstance(app.focused, Composer)


@pytest.mark.parametrize("size", SIZES)
async def test_cited_span_is_marked_and_in_view(make_app: Make, settled: Settled, size: tuple[int, int]) -> None:
    app = make_app()
    async with app.run_test(size=size) as pilot:
        await ask(pilot, QUESTION)
        await settled(pilot)
        for chip in app.query_one(Conversation).chips:
            chip.action_open()
            await settled(pilot)
            marked = " ".join(text.strip() for text, reverse in shown(app.query_one(SourceText)) if reverse)
            assert marked == " ".join(chip.citation.quote.split())
            place = str(app.query_one(".source--place", Static).content)
            assert chip.document.path in place and "Mar 2024" in place


async def test_click_opens_from_the_line_and_from_the_marker(make_app: Make, settled: Settled) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await ask(pilot, QUESTION)
        await settled(pilot)
        first, second, _ = app.query_one(Conversation).chips
        await pilot.click(second)
        await settled(pilot)
        assert app.query_one(SourcePane).chip is second
        await pilot.press("escape")
        await pilot.pause()
        text = app.query(".finding--text").first(Static)
        await pilot.click(text, offset=(str(text.content).index("[") + 1, 0))
        await settled(pilot)
        assert app.query_one(SourcePane).chip is first


async def test_resizing_keeps_the_span_in_view(make_app: Make, settled: Settled) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await ask(pilot, QUESTION)
        await settled(pilot)
        await pilot.press("ctrl+n", "enter")
        await settled(pilot)
        for size in ((60, 20), (20, 8), (150, 50)):
            await pilot.resize_terminal(*size)
            await settled(pilot)
        assert any(reverse and "Tarn Bridge closes" in text for text, reverse in shown(app.query_one(SourceText)))


async def test_refusal_shows_reason_explanation_and_nearest(make_app: Make, settled: Settled) -> None:
    app = make_app("extractive")
    async with app.run_test(size=(80, 24)) as pilot:
        await ask(pilot, "When does Blackfriars Bridge close to traffic?")
        await settled(pilot)
        heading, explanation = list(app.query(".finding--text").results(Static))[:2]
        assert str(heading.content).startswith("⊘ No answer")
        assert "Blackfriars" in str(explanation.content)
        await pilot.press("ctrl+n", "enter")
        await settled(pilot)
        pane = app.query_one(SourcePane)
        assert pane.chip is not None and pane.chip.label == "nearest"
        assert any(reverse for _, reverse in shown(app.query_one(SourceText)))


async def test_question_waits_for_the_model(index: object, make_app: Make, settled: Settled) -> None:
    opened = threading.Event()
    prepared = make_app()

    def opener(progress: Callable[[int, int, int], None]) -> object:
        progress(12, 40, 310)
        opened.wait()
        return prepared._opener(progress)

    app = AssistantApp(opener)  # type: ignore[arg-type]
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert app.query_one(StatusLine).activity == "○ indexing 12 of 40 files, 310 passages"
        await ask(pilot, QUESTION)
        await ask(pilot, QUESTION)
        assert under(app) == "⧗ Waiting for the model to load…"
        opened.set()
        await settled(pilot)
        assert app.query_one(StatusLine).activity == "● ready"
        assert [len(exchange.query("Finding.-quoted")) for exchange in app.query(Exchange)] == [2, 2]


async def test_escape_stops_the_answer_and_the_next_question_goes_on(make_app: Make, settled: Settled) -> None:
    release = threading.Event()
    asked: list[str] = []

    def write(prompt: Prompt) -> Iterator[str]:
        first = not asked
        asked.append(prompt.question)
        (number,) = (p.number for p in prompt.passages if "£412,000" in p.chunk.text)
        yield f"The repairs cost £412,000 and take nine weeks. [{number}]\n"
        if first:
            yield "And then it"
            release.wait()
        yield " was over."

    app = make_app(write)
    with ExitStack() as at_the_end:
        at_the_end.callback(release.set)
        async with app.run_test(size=(80, 24)) as pilot:
            await ask(pilot, QUESTION)
            while "And then it" not in (answer := app.query_one(AnswerView)).draft:
                await pilot.pause()
            assert app.query_one(StatusLine).activity == "○ answering…"
            await ask(pilot, "What do the repairs of Tarn Bridge cost?")
            assert under(app) == "⧗ Waiting for the answer before…"
            await pilot.press("escape")
            assert answer.has_class("-cut")
            assert "not complete" in str(answer.query_one(".answer--progress", Static).content)
            assert len(answer.query("Finding.-quoted")) == 1 and answer.draft == ""
            await settled(pilot)
            last = list(app.query(AnswerView))[-1]
            assert not last.has_class("-cut") and len(last.query("Finding.-quoted")) == 1
            release.set()
            await pilot.pause()
            assert answer.draft == ""


async def test_errors_are_one_line_in_the_conversation(make_app: Make, settled: Settled) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await ask(pilot, "why " * 600)
        await settled(pilot)
        assert "2,399 characters" in under(app)
        await ask(pilot, "  \n ")
        await settled(pilot)
        assert len(app.query(Exchange)) == 1
        await ask(pilot, QUESTION)
        await settled(pilot)
        assert list(app.query(Finding))


async def test_a_broken_generator_does_not_end_the_application(make_app: Make, settled: Settled) -> None:
    def write(prompt: Prompt) -> Iterator[str]:
        yield "It began"
        raise RuntimeError("connection [/] lost\x1b[2J")

    app = make_app(write)
    async with app.run_test(size=(80, 24)) as pilot:
        await ask(pilot, QUESTION)
        await settled(pilot)
        assert under(app) == "✗ the generator 'scripted' failed with RuntimeError: connection [/] lost␛[2J"
        assert app.is_running and app.query_one(StatusLine).activity == "● ready"


async def test_a_generator_that_fails_when_it_is_changed_does_not_end_the_application(
    make_app: Make, two_statements: Callable[[Prompt], Iterator[str]], settled: Settled
) -> None:
    class Stuck:
        name = "stuck"

        def generate(self, prompt: Prompt) -> Iterator[str]:
            return two_statements(prompt)

        def close(self) -> None:
            raise RuntimeError("it won't [/] go\x1b[2J")

    app = make_app(Stuck())
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        app.action_choose_generator()
        await pilot.pause()
        app.screen.query_one(Input).value = "extractive"
        await pilot.press("enter")
        await settled(pilot)
        (told,) = app._notifications
        assert told.message == "unexpected RuntimeError: it won't [/] go␛[2J"
        assert app.is_running


async def test_no_index_is_said_and_questions_are_refused(settled: Settled) -> None:
    def opener(progress: object) -> object:
        raise IndexUnavailable("there is no index in 'x': make one with `assistant index FOLDER`")

    app = AssistantApp(opener)  # type: ignore[arg-type]
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert app.query_one(StatusLine).activity.startswith("✗ there is no index in 'x'")
        await ask(pilot, QUESTION)
        assert under(app).startswith("✗ there is no index in 'x'")


async def test_new_conversation_forgets_the_questions(make_app: Make, settled: Settled) -> None:
    def searched(app: AssistantApp) -> str:
        return str(list(app.query(".answer--searched").results(Static))[-1].content)

    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await ask(pilot, QUESTION)
        await settled(pilot)
        await ask(pilot, "And what does it cost?")
        await settled(pilot)
        assert "Tarn Bridge" in searched(app)
        await pilot.press("ctrl+n", "enter", "ctrl+l")
        await settled(pilot)
        assert app.query(Welcome) and not app.query(Exchange) and not app.query_one(SourcePane).display
        assert isinstance(app.focused, Composer)
        await ask(pilot, "And what does it cost?")
        await settled(pilot)
        assert "Tarn Bridge" not in searched(app)


async def test_pasted_lines_stay_and_are_cleaned(make_app: Make) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)):
        composer = app.query_one(Composer)
        composer.insert("one\r\ntwo\x1b[2J\u202e")
        assert composer.text == "one\ntwo␛[2J\ufffd"
        composer.load_text("\x9b2J")
        assert composer.text == "\ufffd2J"


async def test_theme_switch_and_palette(make_app: Make) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        app.theme = "textual-light"
        await pilot.press("ctrl+o")
        await pilot.pause()
        assert type(app.screen).__name__ == "CommandPalette"
        await pilot.press("escape")
        assert not app.current_theme.dark


async def test_every_key_of_the_footer_has_an_action(make_app: Make) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)):
        for _, binding, enabled, _ in app.screen.active_bindings.values():
            assert enabled, binding


@pytest.mark.parametrize("characters", [10_000_000])
async def test_a_long_document_opens_at_its_span(make_app: Make, settled: Settled, characters: int) -> None:
    from dataclasses import replace
    from time import perf_counter

    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await ask(pilot, QUESTION)
        await settled(pilot)
        document = app.query_one(Conversation).chips[0].document
        line = "Members noted the report and thanked the officers for it, and for all of their work. " * 4 + "\n"
        long = replace(document, text=line * (characters // len(line)) + "The span. " + line)
        start = long.text.index("The span.")
        source = app.query_one(SourceText)
        app.query_one(SourcePane).display = True
        await pilot.pause()
        began = perf_counter()
        source.show(long, start, start + 9)
        await pilot.pause()
        assert ("The span.", True) in shown(source)
        assert perf_counter() - began < 2
