"""Answers that arrive in pieces of bytes: whatever stands at an end of a piece, nothing hostile comes together."""

from __future__ import annotations

from codecs import getincrementaldecoder
from collections.abc import Callable, Iterator

from assistant.tui.app import AssistantApp
from assistant.tui.widgets.answer import AnswerView
from assistant.tui.widgets.conversation import Conversation
from assistant.types import Prompt
from corpus.sanitizing import sanitize
from tests.assistant.tui.answers import statement
from tests.assistant.tui.conftest import settle
from tests.assistant.tui.hostile import Bare, check, check_screen, shown, strings, without_data

SHORT = 60
"""Characters of a string that is cut at every place."""
SPREAD = 3
"""Places at which the others are cut."""


def decoded(pieces: list[bytes]) -> Iterator[str]:
    """The text of each piece, as soon as its characters are whole."""
    decoder = getincrementaldecoder("utf-8")("replace")
    yield from filter(None, (decoder.decode(piece, n == len(pieces) - 1) for n, piece in enumerate(pieces)))


def bytes_of(text: str) -> bytes:
    """As a careless server would send it: lone surrogates and all."""
    return text.encode(errors="surrogatepass")


def cuts(text: str) -> range:
    """Places in its bytes: all of them where it is short and anything in it has to be cleaned, else a few."""
    length = len(bytes_of(text))
    whole = len(text) <= SHORT and sanitize(text) != text
    return range(0, length + 1, 1 if whole else max(length // SPREAD, 1))


async def drafted(make_app: Callable[..., AssistantApp], texts: list[str]) -> None:
    app = Bare(make_app().launch)
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        view = (await app.chat.query_one(Conversation).add("?")).answer
        view.write("x")
        view._draw()
        draft = view._draft
        draft.styles.height = 12
        await pilot.pause()
        for text in texts:
            raw = bytes_of(text)
            for at in cuts(text):
                draft.text = ""
                for piece in decoded([raw[:at], raw[at:]]):
                    view.write(piece)
                    view._draw()
                    check([draft])
        assert shown(draft) and app.fired == 0


@without_data
async def test_a_string_cut_anywhere_stays_harmless(make_app: Callable[..., AssistantApp]) -> None:
    await drafted(make_app, list(strings()))


async def test_a_checked_sentence_leaves_nothing_hostile_behind(make_app: Callable[..., AssistantApp]) -> None:
    """The words after it are kept, and go on in the middle of a sequence."""
    said = statement(1)
    app = Bare(make_app().launch)
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        view = (await app.chat.query_one(Conversation).add("?")).answer
        text = f"{said.text} [1]\x1b]52;c;cHduZWQ=\x07\u202e"
        for at in range(len(text) + 1):
            view._draft.text = ""
            view.write(text[:at])
            view.verified(said)
            view.write(text[at:])
            view._draw()
            await pilot.pause()
            check(view.query("*"))


@without_data
async def test_an_answer_that_comes_byte_by_byte(make_app: Callable[..., AssistantApp]) -> None:
    """Through the real desk: the draft, what of it is supported, left out, and kept."""
    texts = [text for text in strings() if len(text) <= SHORT and sanitize(text) != text]

    def bytewise(prompt: Prompt) -> Iterator[str]:
        said = "Tarn Bridge closes to traffic on 6 May 2024"
        raw = bytes_of("".join(f"{said}{text} [1]\n{text}. [1]\n" for text in texts[:40]))
        yield from decoded([raw[at : at + 1] for at in range(len(raw))])

    app = Bare(make_app(bytewise).launch)
    async with app.run_test(size=(100, 40)) as pilot:
        await settle(pilot)
        for question in ("When does Tarn Bridge close to traffic?", *texts[:6]):
            await app.chat.ask(question)
            while not app.idle:
                await pilot.pause(0.02)
                check(app.chat.query("AnswerView, AnswerView *"))
            await settle(pilot)
            view = app.chat.query_one(Conversation).last
            assert isinstance(view, AnswerView) and view.given, view and view.written.line
            await view.toggle_details()
            await pilot.pause()
            check_screen(app.chat)
        assert app.fired == 0
