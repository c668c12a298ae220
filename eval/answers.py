"""Answers of any system, from a file or from our own assistant.

A line of an answers file is a JSON object. `id` names the case; then, each as far as the system has it:

- `text`: the answer, with `[1][3]` after a sentence for the passages it cites; or `statements`: its sentences, each
  `{"text", "citations": [{"number" or "document", "quote", "start", "end"}], "verdict"}`; or, beside `text`,
  `citations`: `{"document", "quote"}` for the answer as a whole;
- `passages`: what it had before it, each `{"number", "document", "text", "title", "id", "start"}`, numbered from 1 in
  order where no number is given;
- `refused`, `confidence` (0 to 1), `seconds`, `tokens`, `error`; `ranking`: passage ids, best first, or `[id, score]`.

What `Answer.to_dict` gives, and the lines of a run's `results.jsonl`, are such lines too.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from pathlib import Path, PurePosixPath
from typing import Any, get_args

from assistant.types import Answer, Verdict
from corpus.chunking import count_tokens
from corpus.errors import UsageError
from corpus.sentences import split_sentences
from eval.jsonl import read_rows
from eval.rows import MOST, Row, shown
from eval.types import Citation, Offered, Response, Sentence

VERDICTS: tuple[str, ...] = get_args(Verdict)
# Looking behind keeps a long run of white space from being read again from each of its places.
_MARKERS = re.compile(
    r"(?<![^\S\n])[^\S\n]*(?:\[\s*\^?|【\s*)(?P<numbers>\d{1,3}(?:\s*[,;–-]\s*\d{1,3})*)\s*(?:†[^】\]\n]{0,80})?[\]】]"
    r"(?:\(https?:[^()\s]{0,500}\))?"
)
_DEFINITION = re.compile(r"\s*\[\^?\d{1,3}\]:")
_LAST_MARKERS = re.compile(rf"(?:{_MARKERS.pattern.replace('?P<numbers>', '?:')})+(?=[.!?]?\s*$)")
_MOST_IN_RANGE = 50
_TAIL = 200
"""Characters at the end of a statement in which its markers are looked for."""


def read_answers(path: str | Path) -> dict[str, Response]:
    """Every answer of a file by the id of its case. Raises `UsageError` with file and line for what isn't one."""
    found: dict[str, Response] = {}
    for number, row in read_rows(path):
        response = response_from(row, f"{path}:{number}")
        if response.id in found:
            earlier = found[response.id].place
            raise UsageError(f"{response.place}: the id {response.id!r} stands at {earlier} already: keep one of them")
        found[response.id] = response
    if not found:
        raise UsageError(f"the answers file {str(path)!r} holds no answers")
    return found


def response_from(values: dict[str, Any], place: str) -> Response:
    """One line of an answers file. Raises `UsageError` with its `place` and the field that is wrong."""
    row = Row(place, values)
    identifier = row.optional("id", (str, int), "the id of the question that is answered")
    if identifier is None or identifier == "":
        raise row.refused("field 'id' is missing: give the id of the question that is answered")
    error = row.optional("error", str, "a text") or None
    refused = bool(row.optional("refused", bool, "true or false"))
    passages = tuple(_passage(one, number) for number, one in enumerate(row.objects("passages"), 1))
    if len({p.number for p in passages}) < len(passages):
        raise row.refused("two passages have the same number: number them apart")
    statements = row.objects("statements")
    text = row.optional("text", str, "a text")
    if text is None and not statements and not refused and error is None:
        raise row.refused("field 'text' is missing: give the answer, or its 'statements', or an 'error'")
    tokens = row.number("tokens")
    sentences: tuple[Sentence, ...] = ()
    if statements:
        sentences = _as_read([s for one in statements for s in _sentences(one, passages)], text or "")
    elif text and not refused and (whole := row.objects("citations")):
        sentences = (Sentence(_MARKERS.sub("", text), tuple(_citation(c, passages) for c in whole)),)
    elif text and not refused:
        sentences = tuple(_marked(text, passages))
    return Response(
        id=str(identifier),
        text=" ".join(s.text for s in sentences if s.shown) if text is None else text,
        refused=refused,
        sentences=sentences,
        passages=passages,
        ranking=_ranking(row),
        confidence=row.number("confidence", most=1.0),
        seconds=row.number("seconds"),
        tokens=None if tokens is None else round(tokens),
        error=error,
        place=place,
    )


def _passage(row: Row, number: int) -> Offered:
    start, identifier = row.number("start"), row.optional("id", (str, int), "a text")
    return Offered(
        number=number if (own := row.optional("number", int, "a whole number")) is None else own,
        document=_document(row) or str(identifier or f"passage {number}"),
        text=row.text("text", ""),
        title=row.text("title", "") or _described(row).text("title", ""),
        id=None if identifier is None else str(identifier),
        start=None if start is None else round(start),
    )


def _document(row: Row) -> str | None:
    """A name, or the `path` of what `Answer.to_dict` describes."""
    described = _described(row)
    return described.text("path") if described.values else row.optional("document", str, "a name")


def _described(row: Row) -> Row:
    described = row.values.get("document")
    return Row(row.place, described if isinstance(described, dict) else {})


def _sentences(row: Row, passages: tuple[Offered, ...]) -> list[Sentence]:
    """A statement: one sentence, or as many as its text has where only markers in it tell what it cites."""
    text, verdict = row.text("text", ""), row.optional("verdict", str, "a text")
    if verdict not in (None, *VERDICTS):
        raise row.refused(f"field 'verdict' is {shown(verdict)}: give {', '.join(VERDICTS)}, or leave it out")
    if "citations" not in row.values:
        return [Sentence(one.text, one.citations, verdict) for one in _marked(text, passages)]
    bare = text[:-_TAIL] + _LAST_MARKERS.sub("", text[-_TAIL:])
    return [Sentence(bare, tuple(_citation(c, passages) for c in row.objects("citations")), verdict)] if bare else []


def _marked(text: str, passages: tuple[Offered, ...]) -> list[Sentence]:
    offered = {p.number: p for p in passages}
    return [Sentence(s, tuple(_numbered(n, offered.get(n)) for n in numbers)) for s, numbers in sentences_of(text)]


def _as_read(sentences: list[Sentence], text: str) -> tuple[Sentence, ...]:
    """The sentences, without the verdict of one that is said to be left out and stands in the text all the same."""
    text = _folded(text)
    for sentence in sentences:
        if sentence.shown:
            text = text.replace(_folded(sentence.text), "", 1)
    seen = [s.shown or not s.text or _folded(s.text) not in text for s in sentences]
    return tuple(s if right else replace(s, verdict=None) for s, right in zip(sentences, seen, strict=True))


def _folded(text: str) -> str:
    return " ".join(_MARKERS.sub("", text).split())


def sentences_of(text: str) -> list[tuple[str, tuple[int, ...]]]:
    """The sentences of a text, without markers, each with the numbers that its markers cite, once and in order.

    No sentence goes beyond its line. A marker belongs to the sentence whose words stand before it, within the sentence
    or behind its full stop; at the beginning of a line to what follows, alone on a line to what came before. Markers
    are `[1]`, `[1, 2]`, `[1-3]`, `[^1]` and `【1】`, with numbers below 1,000; lines such as `[1]: …` are left out.
    """
    found: list[tuple[str, list[int]]] = []
    waiting: list[int] = []
    """Numbers on lines before the first sentence."""
    for line in text.split("\n"):
        if _DEFINITION.match(line):
            continue
        parts, places, length, end = list[str](), list[tuple[int, list[int]]](), 0, 0
        for marker in _MARKERS.finditer(line):
            parts.append(line[end : marker.start()])
            length, end = length + len(parts[-1]), marker.end()
            places.append((length, _numbers(marker["numbers"])))
        bare = "".join(parts) + line[end:]
        spans = _spans(bare)
        starts, first = [a for a, _ in spans], len(found)
        found += [(bare[a:b], []) for a, b in spans]
        if spans:
            found[first][1].extend(waiting)
            waiting = []
        for place, numbers in places:
            if spans:
                found[first + max(bisect_left(starts, place) - 1, 0)][1].extend(numbers)
            else:
                (found[-1][1] if found else waiting).extend(numbers)
    return [(sentence, tuple(dict.fromkeys(numbers))) for sentence, numbers in found]


def _spans(line: str) -> list[tuple[int, int]]:
    """The sentences of a line that hold a letter or digit."""
    found = split_sentences(line) or [(0, len(line))]
    return [(a, b) for a, b in found if any(c.isalnum() for c in line[a:b])]


def _numbers(written: str) -> list[int]:
    found: list[int] = []
    for part in re.split(r"[,;]", written):
        first, *last = (int(number) for number in re.findall(r"\d+", part))
        found += range(first, last[0] + 1) if last and first <= last[0] <= first + _MOST_IN_RANGE else [first, *last]
    return found


def _citation(row: Row, passages: tuple[Offered, ...]) -> Citation:
    """A citation by number, or by the name of a document; of one that wasn't offered nothing is kept but the number."""
    number, named, quote = row.optional("number", int, "a whole number"), _document(row), row.text("quote", "")
    if number is not None:
        passage = next((p for p in passages if p.number == number), None)
    else:
        of_document = [p for p in passages if p.document == named]
        of_document = of_document or [p for p in passages if named is not None and same_document(p.document, named)]
        passage = next((p for p in of_document if quote in p.text), of_document[0] if of_document else None)
    if passage is None and (passages or named is None):
        return Citation(number, None, named=named or row.text("named", ""))
    document = named if passage is None else passage.document
    start, end = row.number("start"), row.number("end")
    if start is None or end is None:
        return Citation(number, document, quote, passage=passage)
    if start >= end:
        raise row.refused(f"field 'end' is {end:g}: give one behind 'start', which is {start:g}")
    if not quote and passage is not None and passage.start is not None:
        quote = passage.text[max(round(start) - passage.start, 0) : max(round(end) - passage.start, 0)]
        if not quote:  # the place is outside what was offered: the passage as a whole is cited
            return Citation(number, document, passage=passage)
    return Citation(number, document, quote, round(start), round(end), passage)


def _numbered(number: int, passage: Offered | None) -> Citation:
    return Citation(number, passage.document if passage else None, passage=passage)


def _ranking(row: Row) -> tuple[tuple[str, float], ...] | None:
    found: list[tuple[str, float]] = []
    ranked_ids = row.optional("ranking", (list, tuple), "a list of passage ids")
    if ranked_ids is None:
        return None
    for rank, one in enumerate(ranked_ids):
        match one:
            case str():
                found.append((one, float(len(ranked_ids) - rank)))
            case [str(identifier), int() | float() as score] if abs(score) <= MOST:
                found.append((identifier, float(score)))
            case _:
                raise row.refused(f"field 'ranking' holds {shown(one)}: give passage ids, or [id, score] pairs")
    if len({identifier for identifier, _ in found}) < len(found):
        raise row.refused("field 'ranking' holds a passage twice: keep one")
    return tuple(sorted(found, key=lambda one: -one[1]))


def row_of(response: Response) -> dict[str, Any]:
    """The line of an answers file that reads back as the response."""
    row = asdict(response)
    row["statements"] = row.pop("sentences")
    for statement in row["statements"]:
        for citation in statement["citations"]:
            del citation["passage"]
    del row["place"]
    said = {name: value for name, value in row.items() if value or (value == 0 and value is not False)}
    return said | {"text": response.text} | ({} if response.ranking is None else {"ranking": response.ranking})


def from_assistant(case_id: str, answer: Answer, seconds: float, ids: Mapping[str, tuple[str, ...]]) -> Response:
    """What our assistant answered.

    Where it states no confidence, the arc tangent of its best passage's score, brought to [0, 1], stands in: that
    orders the questions, but isn't the chance that an answer is right.

    Args:
        ids: the data set's ids of the document at a path, its own first.
    """
    row = answer.to_dict()
    known = [ids.get(p.document.path, (p.document.path,)) for p in answer.passages]
    for passage, (own, *_) in zip(row["passages"], known, strict=True):
        passage["id"] = own
    confidence = answer.confidence
    if confidence is None:
        confidence = 0.5 + math.atan(max((p.score for p in answer.passages), default=-math.inf)) / math.pi
    return response_from(
        row
        | {
            "id": case_id,
            "confidence": round(confidence, 6),
            "seconds": round(seconds, 6),
            "tokens": count_tokens(" ".join(s.text for s in answer.statements)),
            "ranking": ranked(one for alike in known for one in alike),
        },
        f"the answer to {case_id!r}",
    )


def ranked(passages: Iterable[str]) -> list[tuple[str, float]]:
    """Each id at its first place, with a score that falls with every place: evaluators order by score alone."""
    first = dict.fromkeys(passages)
    return [(identifier, float(len(first) - place)) for place, identifier in enumerate(first)]


def same_document(one: str, other: str) -> bool:
    """Whether two paths name one document: equal, or one ends as the other, by whole parts."""
    a, b = PurePosixPath(one).parts, PurePosixPath(other).parts
    shorter = min(len(a), len(b))
    return shorter > 0 and a[-shorter:] == b[-shorter:]
