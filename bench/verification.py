"""What the check of written sentences lets through that is wrong, and what it keeps that is right.

    python bench/verification.py --data DATA [--entailment NAME] [--half 0|1] [--every N]

Sentences of passages and of people's answers are made wrong in one place each: another number, date, name, a denial,
the opposite direction, a stronger quantifier, another unit. A leak is a wrong sentence that comes out as `supported`
or `quoted` when it cites its passage. Kept is the share of sentences that people wrote from marked evidence, and of
figures spelt another way. Halves by SHA-256 of the passage: 0 was developed on, 1 is reported.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import re
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
from judges import _claims, _rows, clapnq, mtrag  # beside this file

from assistant.citations import bind
from assistant.entailment import Entailment, entailment_named
from assistant.figures import figures_in
from assistant.questions import STOPWORDS, names_in, stem, stems
from assistant.types import SHOWN, Passage, Statement
from assistant.verification import verify
from assistant.wording import LIGHT
from corpus.sentences import split_sentences
from corpus.types import Chunk, Document

MOST = 400
"""Passages of each set."""
_DIRECTIONS = (
    "increased decreased|rose fell|increase decrease|higher lower|more less|above below|before after|first last"
    "|maximum minimum|largest smallest|most least|grew shrank|up down|gained lost"
    "|start end|began ended|opened closed|north south|east west"
)  # fmt: skip
_TURNS = {a: b for pair in _DIRECTIONS.split("|") for a, b in (pair.split(), pair.split()[::-1])}
_VERBS = "sacked buried painted borrowed forgotten married burnt stolen praised poisoned rescued mocked".split()
_MONTHS = "January February March April May June July August September October November December".split()
_SWAPS = {
    "weeks": "days", "days": "years", "years": "months", "months": "days", "million": "billion", "billion": "million",
    "miles": "metres", "km": "miles", "hours": "days", "£": "€", "$": "£", "%": " points", "percent": "points",
}  # fmt: skip


def passages(data: Path) -> Iterator[tuple[str, list[str]]]:
    """Text of a passage, and sentences that people wrote from it."""
    for row in _rows(data / "clapnq/dev.jsonl")[:MOST]:
        if row["sentences"]:
            yield " ".join(row["sentences"]), [c for a in row["answers"] for c in _claims(a.get("answer") or "")]
    for row in _rows(data / "mtrag_govt/passages.jsonl")[:MOST]:
        yield row["text"], []


def offered(text: str) -> Passage:
    document = Document("d", "d", "", None, None, text)
    return Passage(1, Chunk("d", 0, len(text), text, sentences=tuple(split_sentences(text))), document, 1.0)


def _another(text: str, rng: random.Random) -> str:
    """Digits or number word of a figure changed."""
    if found := re.search(r"\d[\d,]*(?:\.\d+)?", text):
        bare = found.group().replace(",", "")
        value = Fraction(bare) + rng.choice((1, 2, 10, -1, 100))
        changed = f"{abs(int(value))}" if "." not in bare else f"{abs(float(value)):.{len(bare.split('.')[1])}f}"
        return text[: found.start()] + changed + text[found.end() :]
    words = "two three four five six seven eight nine ten".split()
    word = rng.choice([w for w in words if w not in text.lower()] or ["eleven"])
    return re.sub(r"[A-Za-z]+", word, text, count=1)


def _replaced(sentence: str, start: int, end: int, text: str) -> str:
    return sentence[:start] + text + sentence[end:]


def number(sentence: str, _: str, rng: random.Random, __: list[str]) -> str | None:
    many = [f for f in figures_in(sentence) if f.kind in ("number", "money", "percent", "ordinal") and f.text != "one"]
    if not many:
        return None
    figure = rng.choice(many)
    return _replaced(sentence, figure.start, figure.end, _another(figure.text, rng))


def number_of_something_else(sentence: str, passage: str, rng: random.Random, _: list[str]) -> str | None:
    """Another figure of the same kind that stands in the passage."""
    for figure in rng.sample(figures_in(sentence), len(figures_in(sentence))):
        others = [f for f in figures_in(passage) if f.kind == figure.kind and not f.says(figure) and not figure.says(f)]
        if others and len(figure.value) == len(others[0].value):
            return _replaced(sentence, figure.start, figure.end, rng.choice(others).text)
    return None


def date(sentence: str, _: str, rng: random.Random, __: list[str]) -> str | None:
    months = [m for m in re.finditer(rf"\b(?:{'|'.join(_MONTHS)})\b", sentence) if m.group() != "May"]
    years = list(re.finditer(r"\b(?:1[5-9]|20)\d\d\b", sentence))
    if not months and not years:
        return None
    found = rng.choice(months + years)
    word = found.group()
    new = (
        str(int(word) + rng.choice((-10, -1, 1, 3)))
        if word.isdigit()
        else rng.choice([m for m in _MONTHS if m != word])
    )
    return _replaced(sentence, found.start(), found.end(), new)


def name(sentence: str, passage: str, rng: random.Random, elsewhere: list[str]) -> str | None:
    """A name that the passage doesn't have."""
    mine = [n for n in names_in(sentence) if not n.isdigit()]
    other = rng.choice(elsewhere)
    return sentence.replace(rng.choice(mine), other) if mine and other not in passage else None


def name_nearby(sentence: str, passage: str, rng: random.Random, _: list[str]) -> str | None:
    """Another name that the passage has."""
    mine = [n for n in names_in(sentence) if not n.isdigit()]
    others = [
        n
        for n in names_in(passage)
        if not n.isdigit() and n not in sentence and not any(m in n or n in m for m in mine)
    ]
    return sentence.replace(rng.choice(mine), rng.choice(others)) if mine and others else None


def small_name(sentence: str, passage: str, rng: random.Random, elsewhere: list[str]) -> str | None:
    """The same without capitals."""
    changed = name(sentence, passage, rng, elsewhere)
    return changed.lower() if changed else None


def word(sentence: str, passage: str, rng: random.Random, _: list[str]) -> str | None:
    """A word of five small letters or more exchanged for another of the set that the passage lacks."""
    mine = [m for m in re.finditer(r"(?<=[a-z] )[a-z]{5,}\b(?!-)", sentence) if m.group() not in STOPWORDS | LIGHT]
    other = rng.choice(_VERBS)
    if not mine or stem(other) in stems(passage):
        return None
    found = rng.choice(mine)
    return _replaced(sentence, found.start(), found.end(), other)


def misspelt_name(sentence: str, _: str, rng: random.Random, __: list[str]) -> str | None:
    mine = [w for n in names_in(sentence) for w in n.split() if len(w) > 5]
    if not mine:
        return None
    word = rng.choice(mine)
    at = rng.randrange(2, len(word) - 2)
    return sentence.replace(word, word[:at] + word[at + 1 :])


def denial(sentence: str, _: str, __: random.Random, ___: list[str]) -> str | None:
    without = re.sub(
        r"\b(is|was|are|were|did|does|do|can|will|has|have|had|could|should) not\b", r"\1", sentence, count=1
    )
    if without != sentence:
        return without
    denied = re.sub(r"\b(is|was|are|were|can|will|has|have|had) (?!not)", r"\1 not ", sentence, count=1)
    return denied if denied != sentence else None


def direction(sentence: str, _: str, __: random.Random, ___: list[str]) -> str | None:
    found = next((m for m in re.finditer(r"\b[a-z]+\b", sentence) if m.group() in _TURNS), None)
    return _replaced(sentence, found.start(), found.end(), _TURNS[found.group()]) if found else None


def quantifier(sentence: str, _: str, __: random.Random, ___: list[str]) -> str | None:
    changed = re.sub(r"\b(some|many|most|several|a few|a number of)\b", "all", sentence, count=1, flags=re.I)
    changed = changed if changed != sentence else re.sub(r"\b(?:may|can|must)\b", r"\g<0> only", sentence, count=1)
    return changed if changed != sentence else None


def unit(sentence: str, _: str, __: random.Random, ___: list[str]) -> str | None:
    for old, new in _SWAPS.items():
        word = re.escape(old)
        changed = re.sub(rf"(?<=\d){word}|(?<=\d )\b{word}\b|{word}(?=\d)", new, sentence, count=1)
        if changed != sentence:
            return changed
    return None


def certainty(sentence: str, _: str, __: random.Random, ___: list[str]) -> str | None:
    changed = re.sub(r"\b(?:may|might|could)\b(?! \d)", "will", sentence, count=1)
    return changed if changed != sentence else None


WRONG: tuple[Callable[[str, str, random.Random, list[str]], str | None], ...] = (
    number, number_of_something_else, date, name, name_nearby, small_name, misspelt_name, word,
    denial, direction, quantifier, unit, certainty,
)  # fmt: skip


def respelt(sentence: str) -> str | None:
    """The same sentence with a figure, or its date, spelt another way."""
    changed = re.sub(r"\b(\d{1,2}) (January|June|July|October|December) (\d{4})", r"\2 \1, \3", sentence)
    changed = re.sub(r"(?<=\d) ?%", " per cent", changed)
    changed = re.sub(r"(?<=\d),(?=\d{3}\b)", "", changed)
    changed = re.sub(r"(\d(?:\.\d+)?) million\b", lambda m: f"{int(Fraction(m[1]) * 10**6):,}", changed)
    changed = re.sub(
        r"(?<= )(five|six|seven|eight|nine)(?= )",
        lambda m: str("five six seven eight nine".split().index(m[1]) + 5),
        changed,
    )
    return changed if changed != sentence else None


def checked(claim: str, passage: Passage, entailment: Entailment) -> Statement:
    return verify(claim, [bind(claim, 1, [passage], entailment)], entailment)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--entailment", default="lexical")
    parser.add_argument("--half", type=int, default=1, choices=(0, 1))
    parser.add_argument("--every", type=int, default=1, help="one passage in so many")
    parser.add_argument("--show", default="", help="print the leaks of this kind")
    arguments = parser.parse_args()
    entailment = entailment_named(arguments.entailment)
    every = list(passages(arguments.data))
    names = sorted({n for text, _ in every for n in names_in(text) if not n.isdigit()})
    mine = [one for one in every if _half(one[0]) == arguments.half]
    mine = mine[:: arguments.every]
    tried: dict[str, list[bool]] = {made.__name__: [] for made in WRONG} | {"respelt": []}
    for text, written in mine:
        rng = random.Random(text)
        passage = offered(text)
        sentences = [text[a:b] for a, b in split_sentences(text) if b - a > 30]
        right = [w for w in written if checked(w, passage, entailment).verdict in SHOWN]
        for sentence in [*rng.sample(sentences, min(2, len(sentences))), *right]:
            for made in WRONG:
                changed = made(sentence, text, rng, names)
                if changed and changed != sentence:
                    statement = checked(changed, passage, entailment)
                    tried[made.__name__].append(statement.verdict in SHOWN)
                    if statement.verdict in SHOWN and arguments.show == made.__name__:
                        print(f"- {sentence}\n+ {changed}\n= {[c.quote for c in statement.citations]}\n")
            if changed := respelt(sentence):
                kept = checked(changed, passage, entailment)
                tried["respelt"].append(kept.verdict in SHOWN)
                if not tried["respelt"][-1] and arguments.show == "respelt":
                    print(f"- {sentence}\n+ {changed}\n= {kept.reason}\n")
    print(f"{'made wrong':28}{'tried':>7}{'leaks':>7}  rate")
    for kind, found in tried.items():
        if kind != "respelt":
            print(f"{kind:28}{len(found):7}{sum(found):7}  {sum(found) / max(len(found), 1):.3f}")
    again = tried["respelt"]
    print(f"{'spelt another way: kept':28}{len(again):7}{sum(again):7}  {np.mean(again or [False]):.3f}")
    for made_pairs in (clapnq, mtrag):
        every_pair = [p for p in made_pairs(arguments.data) if _half(p[0]) == arguments.half][:: arguments.every]
        statements = [checked(claim, offered(premise), entailment) for claim, premise, _ in every_pair]
        labels = np.array([label for _, _, label in every_pair])
        shown = np.array([s.verdict in SHOWN for s in statements])
        true, total = int((shown & labels).sum()), labels.sum()
        precision = true / max(shown.sum(), 1)
        print(f"{made_pairs.__name__}: precision {precision:.3f}, kept {true / total:.3f} of {total}")


def _half(text: str) -> int:
    return int(hashlib.sha256(text.encode()).hexdigest(), 16) % 2


if __name__ == "__main__":
    main()
