from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.chunking import ChunkSettings, chunk_document, count_tokens
from corpus.documents import build_document
from corpus.errors import UnreadableFile
from corpus.types import Block, Document, Extracted

SMALL = ChunkSettings(max_tokens=40, min_tokens=12)

texts = st.lists(
    st.sampled_from(
        [
            "The fee is £5.",
            "It rose.",
            "Why?",
            "Noted:",
            "x" * 300,
            "日本語" * 60,
            "word " * 90 + "end.",
            "Cllr. A left.",
        ]
    ),
    min_size=1,
    max_size=6,
).map(" ".join)
any_blocks = st.lists(
    st.builds(
        lambda kind, text, level, page: Block(
            kind, text[:60].strip() if kind == "heading" else text, level if kind == "heading" else 0, page
        ),
        st.sampled_from(["heading", "paragraph", "paragraph", "item", "row"]),
        texts | st.text(max_size=80),
        st.integers(1, 3),
        st.just(None),
    ),
    max_size=12,
)


def document(blocks: list[Block], paged: bool = False) -> Document | None:
    if paged:
        blocks = [Block(b.kind, b.text, b.level, 1 + i // 3) for i, b in enumerate(blocks)]
    try:
        return build_document(Extracted(tuple(blocks)), "a.txt", "0" * 64)
    except UnreadableFile:
        return None


@settings(max_examples=150, deadline=None)
@given(any_blocks, st.booleans(), st.sampled_from([ChunkSettings(), SMALL]))
def test_offsets_order_size_and_completeness(blocks: list[Block], paged: bool, how: ChunkSettings) -> None:
    built = document(blocks, paged)
    if built is None:
        return
    covered, last = [], 0
    for chunk in chunk_document(built, how):
        assert built.text[chunk.start : chunk.end] == chunk.text
        assert chunk.sentences[0][0] == chunk.start and chunk.sentences[-1][1] == chunk.end
        assert count_tokens(chunk.text) <= how.max_tokens
        assert chunk.page == built.page_at(chunk.start)
        for start, end in chunk.sentences:
            assert last <= start < end
            assert built.page_at(start) == chunk.page
            last = end
            covered.append((start, end))
    gaps = [(a, b) for (_, a), (b, _) in zip([(0, 0), *covered], [*covered, (len(built.text), 0)], strict=True)]
    headings = [(s.start, s.end) for s in built.sections if s.kind == "heading"]
    for start, end in gaps:
        between = built.text[start:end]
        for first, stop in headings:
            if start <= first and stop <= end:
                between = between.replace(built.text[first:stop], "", 1)
        assert not between.strip()


@given(any_blocks, st.booleans())
@settings(max_examples=100, deadline=None)
def test_sections_and_pages_cover_the_text(blocks: list[Block], paged: bool) -> None:
    built = document(blocks, paged)
    if built is None:
        return
    assert (
        "".join(built.text[s.start : s.end] for s in built.sections).split() == built.text.split() or "\n" in built.text
    )
    assert [s.start for s in built.sections] == sorted(s.start for s in built.sections)
    assert built.text.strip() == built.text
    if paged:
        assert built.pages[0].start == 0 and built.pages[-1].end == len(built.text)
        assert all(a.end == b.start for a, b in zip(built.pages, built.pages[1:], strict=False))


def test_headings_are_a_stack_and_not_chunks_of_their_own() -> None:
    built = document(
        [
            Block("heading", "Policy", 1),
            Block("heading", "Fees", 2),
            Block("paragraph", "Pay here."),
            Block("heading", "Empty", 2),
            Block("heading", "Appeals", 2),
            Block("item", "Write to us."),
        ]
    )
    assert built
    assert [(c.headings, c.text) for c in chunk_document(built)] == [
        (("Policy", "Fees"), "Pay here."),
        (("Policy",), "Empty"),
        (("Policy", "Appeals"), "Write to us."),
    ]


def test_short_sections_share_a_chunk_and_a_lead_in_stays_with_its_items() -> None:
    sentence = "The committee noted the report on the library and thanked everybody who had a hand in it."
    other = "The opening hours stay as they are until the panel has met the staff of the branch."
    blocks = [
        Block("paragraph", sentence),
        Block("paragraph", "It agreed:"),
        Block("item", other),
        Block("item", "Yes."),
    ]
    built = document(blocks)
    assert built
    assert len(chunk_document(built)) == 1
    tight = chunk_document(built, ChunkSettings(max_tokens=30, min_tokens=10))
    assert [c.text for c in tight] == [sentence, f"It agreed:\n\n{other}\nYes."]


def test_a_sentence_that_turns_the_page_is_whole_and_on_its_first_page() -> None:
    built = document(
        [Block("paragraph", "One stops. Two goes on", page=1), Block("paragraph", "overleaf. Three.", page=2)]
    )
    assert built
    assert [(c.text, c.page) for c in chunk_document(built)] == [("One stops. Two goes on overleaf.", 1), ("Three.", 2)]


def test_settings_with_other_results_have_another_fingerprint() -> None:
    assert ChunkSettings().fingerprint == ChunkSettings().fingerprint
    assert len({ChunkSettings().fingerprint, SMALL.fingerprint, ChunkSettings(180, 59).fingerprint}) == 3
