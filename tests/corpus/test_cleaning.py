from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.boilerplate import IN_MENUS
from corpus.cleaning import (
    clean,
    folded_spaces,
    rejoined,
    sanitized,
    steps,
    with_sound_headings,
    without_navigation,
    without_placeholders,
    without_repeats,
    without_running_lines,
)
from corpus.types import Block

blocks_of_any_text = st.lists(
    st.builds(
        Block,
        kind=st.sampled_from(["paragraph", "item", "row"]),
        text=st.text(st.sampled_from("ab -\nAB.:…\xad\u200bé1[]"), max_size=60),
    ),
    max_size=6,
)


def texts(blocks: list[Block]) -> list[str]:
    return [block.text for block in blocks]


def paragraphs(*texts: str) -> list[Block]:
    return [Block("paragraph", text) for text in texts]


WRAPPED = """We heard this week that there will be an inspection of the library and
of the museum. These new inspections cover the branches, the stores and the
archive. Local arrangements will also be looked at. Visits begin in May.
Scrutiny may wish to plan some time to discuss the report in the autumn and
then to report."""
CONTACT = "Ann Lee, Senior Officer\nTel: 020 7946 0000\nEmail: ann@example.org\nFollow us @town and @townlife"


def test_wrapped_lines_are_rejoined_and_a_contact_list_is_not() -> None:
    assert texts(rejoined(paragraphs(WRAPPED, CONTACT))) == [WRAPPED.replace("\n", " "), CONTACT]
    assert texts(rejoined(paragraphs("12 High Street\nNewtown\nNT1 2AB", CONTACT))) == [
        "12 High Street\nNewtown\nNT1 2AB",
        CONTACT,
    ]


def test_a_wrapped_line_may_start_with_a_word_and_a_colon() -> None:
    wrapped = (
        "The fee for the year covers water, paths and fences, and the plot rent is charged\nseparately: £46 for a plot."
    )
    assert texts(rejoined(paragraphs(wrapped, WRAPPED)))[0] == wrapped.replace("\n", " ")
    capital = "A note on the day was written and then sent to the members of the\nCouncil: they may reply in May."
    assert texts(rejoined(paragraphs(capital, WRAPPED)))[0] == capital.replace("\n", " ")
    ended = "A note on the day was written and then sent to all of the members.\nContact: the clerk at the hall."
    assert texts(rejoined(paragraphs(ended, WRAPPED)))[0] == ended


@pytest.mark.parametrize(
    ("broken", "whole"),
    [
        ("The panel made its recom-\nmendation", "The panel made its recommendation"),
        ("This was Off-\nsite, but the site", "This was Off-site, but the site"),
        ("We spoke to Cllr Comer-\nSchwartz", "We spoke to Cllr Comer-Schwartz"),
        ("It was in the years 2016-\n17 and later", "It was in the years 2016-17 and later"),
        ("a re-elected member was re-\nelected", "a re-elected member was re-elected"),
        ("our understanding was under-\nstanding", "our understanding was understanding"),
    ],
)
def test_hyphens_at_line_ends(broken: str, whole: str) -> None:
    filler = "This is a line of the width that lines of this document have, more\nor less."
    start = "A line with words before it goes on "
    assert texts(rejoined(paragraphs(start + broken + " here.", filler)))[0] == start + whole + " here."


def test_a_caption_that_stands_twice_is_kept_once() -> None:
    caption = (
        "The launch of the new recommendations at the Quay branch: from left to right, Ann Lee and Bo Day. Photo: X"
    )
    assert texts(without_repeats(paragraphs(caption[:70], caption, "Text."))) == [caption, "Text."]
    assert texts(without_repeats(paragraphs(caption, caption, "Text."))) == [caption, "Text."]
    twice = [Block("heading", "Notes to editors", 2), Block("paragraph", "Notes to editors:")]
    assert texts(without_repeats([*twice, Block("paragraph", "Text.")])) == ["Notes to editors", "Text."]
    assert len(without_repeats([Block("row", "A: 1"), Block("row", "A: 1")])) == 2


def test_a_heading_that_its_paragraph_repeats_in_full_stays() -> None:
    blocks = [Block("heading", "The library", 1), Block("paragraph", "The library opens at nine.")]
    assert without_repeats(blocks) == blocks


@pytest.mark.parametrize(
    "line",
    [
        "Most Read",
        "Skip to content",
        "Skip to main content",
        "Become a Supporter",
        "You may also want to watch:",
        "Share this article on Facebook",
        "Subscribe to our newsletter",
        "We use cookies to improve your experience.",
        "Advertisement",
        "Home > News > Schools",
        "Read more",
        "Related articles",
        "© 2024 The Gazette Ltd",
        "Sign up to our daily newsletter and never miss a story",
    ],
)
def test_lines_of_the_page_go(line: str) -> None:
    assert texts(without_navigation(paragraphs("Real text.", line, "More text."), "web")) == [
        "Real text.",
        "More text.",
    ]


@pytest.mark.parametrize(
    "line",
    [
        "The most read book in our libraries was new.",
        "Residents may become a supporter of the scheme.",
        "Contact information",
        "Members were asked to share their views on the article.",
        "Next steps",
        "The menu for school meals",
        "Related party transactions",
        "Search and rescue",
        "More than 1,400 of you answered.",
        "Subscribe to the garden waste service by 1 March.",
        "News of the fire reached the council.",
        "Share of the vote",
        "Print run: 4,000",
    ],
)
def test_text_that_resembles_them_stays(line: str) -> None:
    assert IN_MENUS.fullmatch(line) is None


WORDS = ("Search", "Next", "Register", "Donate", "200 shares", "Menu", "Print this page", "Recommended:")


@pytest.mark.parametrize("word", WORDS)
def test_a_word_of_menus_that_stands_alone_stays_outside_web_pages(word: str) -> None:
    alone = paragraphs("Real text.", word, "More text.")
    assert without_navigation(alone, "text") == without_navigation(alone, "paper") == alone
    headed = [Block("heading", word, 2), Block("paragraph", "A body below it.")]
    assert all(without_navigation(headed, origin) == headed for origin in ("web", "text", "paper"))


def test_a_menu_in_text_goes_and_stays_in_other_documents() -> None:
    menu = [*paragraphs("Home > News", "Search\nSign in"), *paragraphs("Real text.")]
    assert texts(without_navigation(menu, "text")) == ["Real text."]
    assert without_navigation(menu, "paper") == menu
    rows = [Block("row", word) for word in (*WORDS, "Skip to content")]
    assert without_navigation(rows, "web") == rows


def test_steps_of_a_list_stay() -> None:
    numbered = [Block("item", step, ordered=True) for step in ("Log in", "Save", "Print this page")]
    bulleted = [Block("item", step) for step in ("Open the form", "Log in", "Save", "Print this page")]
    for blocks in (numbered, bulleted):
        assert without_navigation([*paragraphs("Do this:"), *blocks], "web")[1:] == blocks
        assert without_navigation(blocks, "text") == blocks
    assert texts(without_navigation([*paragraphs("Text."), *bulleted[1:]], "web")) == ["Text."]


def test_the_kind_of_page_goes_with_the_skip_link_above_it() -> None:
    title = Block("heading", "Minutes of March", 1)
    link, kind = paragraphs("Skip to content", "Meeting paper")
    assert texts(without_navigation([link, kind, title], "text")) == ["Minutes of March"]
    assert without_navigation([kind, title], "text") == [kind, title]


def test_headlines_below_most_read_go_and_the_story_stays() -> None:
    blocks = [
        *paragraphs("The story starts."),
        Block("heading", "Most Read", 2),
        Block("item", "Swan stops traffic again"),
        Block("item", "Chip shop named best"),
        *paragraphs("The story goes on."),
        Block("item", "A point of it."),
    ]
    assert texts(without_navigation(blocks)) == ["The story starts.", "The story goes on.", "A point of it."]


def test_the_foot_of_a_page_goes_with_the_comments() -> None:
    assert texts(without_navigation(paragraphs("Text.", "comments powered by Disqus\nJobs Schools"))) == ["Text."]
    long = "A real paragraph after it. " * 20
    assert texts(without_navigation(paragraphs("Text.", "comments powered by Disqus", long)))[-1] == long


def test_an_appeal_for_money_goes() -> None:
    appeal = (
        "This newspaper has served the town for years. Our industry faces testing times, which is why we're asking for "
        "your support. Every contribution will help."
    )
    assert texts(without_navigation(paragraphs("Text.", appeal), "web")) == ["Text."]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("The report is here: [insert link when published]", ["The report is here"]),
        ("[Insert photo]", []),
        ("Call [name] on [XXX] today.", ["Call on today."]),
        ("[Photo to follow - caption TBC]", []),
        ("Dear {{first_name}}, thank you.", ["Dear, thank you."]),
        (
            "He said [the council] was right [1] and [sic] left.",
            ["He said [the council] was right [1] and [sic] left."],
        ),
    ],
)
def test_unfilled_placeholders_go(text: str, kept: list[str]) -> None:
    assert texts(folded_spaces(without_placeholders(paragraphs(text)))) == kept


def test_running_headers_go_and_numbers_in_the_text_stay() -> None:
    pages = [
        [
            f"Annual report 2024 page {n}",
            f"Total: £{n * n}0\nText of{' a' * n} page.\nIts{' very' * n} end.",
            f"- {n + 2} -",
        ]
        for n in range(1, 5)
    ]
    blocks = [Block("paragraph", text, page=n) for n, page in enumerate(pages, 1) for text in page]
    blocks.append(Block("paragraph", "The next meeting is on 9 May\n2025.", page=5))
    kept = texts(without_running_lines(blocks))
    assert kept == [page[1] for page in pages] + ["The next meeting is on 9 May\n2025."]


def test_the_last_line_is_no_heading_and_announces_nothing() -> None:
    blocks = [Block("heading", "Title", 2), Block("paragraph", "Text."), Block("heading", "Left over", 2)]
    assert [(b.kind, b.level) for b in with_sound_headings(blocks)] == [
        ("heading", 1),
        ("paragraph", 0),
        ("paragraph", 0),
    ]
    assert texts(with_sound_headings(paragraphs("Text.", "See also these:"))) == ["Text."]


@given(blocks_of_any_text)
def test_cleaning_leaves_neat_lines_and_runs_in_order(blocks: list[Block]) -> None:
    stepwise = blocks
    for step in steps("paper"):
        stepwise = step(stepwise)
    assert clean(blocks) == stepwise
    for block in stepwise:
        for line in block.text.split("\n"):
            assert line == " ".join(line.split()) != ""


@pytest.mark.parametrize("step", [sanitized, folded_spaces, without_navigation, with_sound_headings])
@given(blocks=blocks_of_any_text)
def test_steps_that_find_nothing_new_the_second_time(step, blocks: list[Block]) -> None:  # type: ignore[no-untyped-def]
    once = step(folded_spaces(sanitized(blocks)))
    assert step(once) == once
