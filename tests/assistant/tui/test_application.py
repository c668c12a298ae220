"""What a user does in the application, by keyboard and mouse, on a real index."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Static

from assistant.api import Assistant
from assistant.tui.app import AssistantApp
from assistant.tui.launch import Launch
from assistant.tui.widgets.answer import AnswerView
from assistant.tui.widgets.composer import Composer
from assistant.tui.widgets.conversation import Conversation, Exchange, Welcome
from assistant.tui.widgets.finding import Finding
from assistant.tui.widgets.offer import Offer
from assistant.tui.widgets.source import SourcePane
from assistant.tui.widgets.status import StatusLine
from assistant.tui.widgets.text import SourceText
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


def said(finding: Finding) -> str:
    """Its mark and its text."""
    return f"{finding.mark} {finding.content}"


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
        assert said(findings[0]).startswith("❝ Tarn Bridge closes to traffic")
        assert "1 left out (Ctrl+T shows why)" in under(app)

        chips = app.query_one(Conversation).chips
        await pilot.press("ctrl+n")
        assert app.focused is chips[0]
        await pilot.press("down", "ctrl+n", "ctrl+down")
        assert app.focused is chips[2]
        await pilot.press("up", "enter")
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
        text = app.query(Finding).first()
        margin = text.content_region.x - text.region.x
        await pilot.click(text, offset=(margin + str(text.content).index("[") + 1, 0))
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
        heading, explanation = (said(finding) for finding in list(app.query(Finding))[:2])
        assert heading.startswith("⊘") and "No answer" in heading and "Blackfriars" in explanation
        await pilot.press("ctrl+n", "enter")
        await settled(pilot)
        pane = app.query_one(SourcePane)
        assert pane.chip is not None and pane.chip.label == "nearest"
        assert any(reverse for _, reverse in shown(app.query_one(SourceText)))


async def test_question_waits_for_the_model(index: object, make_app: Make, settled: Settled) -> None:
    opened = threading.Event()
    launch = make_app().launch

    def opener() -> Assistant:
        opened.wait()
        return launch.open()

    app = AssistantApp(replace(launch, open=opener))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert app.query_one(StatusLine).activity == "○ opening the index…"
        await ask(pilot, QUESTION)
        await ask(pilot, QUESTION)
        assert [w.text for w in app.query(Offer) if "Waiting" in w.text] == [
            "Waiting for the index · Enter takes it back",
            "Waiting for the index, number 2 in line · Enter takes it back",
        ]
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
            waiting = [w for w in app.query(Offer) if "Waiting for the answer before" in w.text]
            assert len(waiting) == 1 and waiting[0].render().plain.startswith("⧗")
            await pilot.press("escape")
            assert answer.has_class("-cut")
            assert "not complete" in str(answer.query_one(".answer--progress", Static).content)
            await pilot.pause()
            assert len(answer.query("Finding.-quoted")) == 1 and answer.draft == ""
            answer.chips[0].focus()
            await pilot.press("ctrl+t")
            await pilot.pause()
            assert "And then it" in said(app.query_one("Finding.-unchecked", Finding))
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
        assert app.query_one(Composer).text and not app.query(Exchange)  # it stays, to be shortened
        app.query_one(Composer).clear()
        await ask(pilot, "  \n ")
        await settled(pilot)
        assert not app.query(Exchange)
        app.query_one(Composer).clear()
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
        line = app.screen.query_one(".dialog--said", Static)
        assert str(line.content) == "✗ unexpected RuntimeError: it won't [/] go␛[2J"
        assert app.is_running


async def test_no_index_is_said_and_questions_are_refused(settled: Settled) -> None:
    def opener() -> Assistant:
        raise IndexUnavailable("there is no index in 'x': make one with `assistant index FOLDER`")

    app = AssistantApp(Launch(opener, Path("x")))
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


async def test_theme_switch_and_palette(make_app: Make, settled: Settled) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
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
