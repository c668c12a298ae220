"""Proofs: all that was kept of one answer in one text, which is checked without index and history.

What is checked and what a proof can't show is in docs/decisions/proof.md.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from types import NoneType
from typing import Any

from assistant.originals import reread
from assistant.records.answers import answer_of
from assistant.records.chain import GENESIS, Link, Row, digest_of, hash_of, line
from assistant.records.history import fits
from assistant.render import wrapped
from assistant.types import Answer
from assistant.verification import LexicalEntailment, verify
from corpus.errors import UnavailableError, UsageError

FORMAT = "passim-assistant proof 1"
MOST_BYTES = 32_000_000
"""Of a proof: about 300,000 later links."""
_HASH = re.compile(r"[0-9a-f]{64}")
_LINE = re.compile(r"[1-9][0-9]{0,17} (kept|migrated) [0-9a-f]{64}")
"""Number, origin and digest of a link."""
_DOCUMENT = {"id": str, "path": str, "title": str, "date": (NoneType, str)}
_SPAN = {"number": int, "start": int, "end": int, "page": (NoneType, int)}
_CITATION = _SPAN | {"document": (NoneType, _DOCUMENT), "quote": str}
_PASSAGE = _SPAN | {"document": _DOCUMENT, "text": str, "headings": [str], "score": (int, float)}
_STATEMENT = {"text": str, "verdict": str, "support": (int, float), "citations": [_CITATION]}
_VALUE = {"text": str, "citations": [_CITATION], "date": (NoneType, str), "newest": bool}
_ANSWER = {
    "id": str,
    "question": str,
    "standalone_question": str,
    "text": str,
    "refused": bool,
    "refusal": (NoneType, {"reason": str, "explanation": str, "nearest": (None, [_PASSAGE])}),
    "statements": [_STATEMENT],
    "conflicts": [{"explanation": str, "citations": [_CITATION], "values": (None, [_VALUE])}],
    "passages": [_PASSAGE],
    "generator": str,
    "snapshot": {"generation": int},
    "timings": dict,
}
_RECORD = {
    "conversation": str,
    "asked": str,
    "question": str,
    "answer": _ANSWER,
    "context": (NoneType, {"settings": dict}),
}
_LINK = {"number": int, "origin": str, "previous": str, "salt": str, "digest": str, "hash": str}
_PROOF = {"format": str, "record": _RECORD, "documents": list, "link": _LINK, "after": [str], "seal": str}


@dataclass(frozen=True, slots=True)
class Verification:
    """What came of checking a proof."""

    question: str
    problems: tuple[str, ...]
    """What is not as it was of the proof, and of the documents that the answer cites; empty where all is."""
    checks: tuple[str, ...]
    """What was looked at and is as it was."""
    unchecked: tuple[str, ...]
    """What was not looked at, and what no proof can show."""
    head: str
    """Hash of the newest link that it holds."""
    remarks: tuple[str, ...] = ()
    """What is not as it was of documents that were only read, and say nothing against the answer."""

    @property
    def good(self) -> bool:
        return not self.problems

    def to_dict(self) -> dict[str, Any]:
        return {"good": self.good, **asdict(self)}


def proof_of(link: Link | None, after: Sequence[str] = ()) -> str:
    """The proof of a kept answer: JSON in one form only, ASCII, with a newline at its end.

    Args:
        after: the later links, as `chain.linked` gives them.

    Raises:
        UsageError: the answer wasn't kept.
        UnavailableError: what is kept isn't as this program writes it.
    """
    if link is None:
        raise UsageError("the answer wasn't kept, and only what is kept can be proved: ask with a history that is kept")
    row = link.row
    answer, context = json.loads(row.answer), json.loads(row.context or "null")
    written = json.dumps(answer), context and json.dumps(context)
    if written != (row.answer, row.context) or digest_of(link.salt, row.columns()) != link.digest:
        raise UnavailableError(
            f"answer {link.number} isn't as it was kept: `assistant conversations verify` tells what else isn't; put "
            "the history back from a copy"
        )
    record = asdict(row) | {"answer": answer, "context": context}
    place = {name: getattr(link, name) for name in _LINK}
    values = {"format": FORMAT, "record": record, "documents": _documents(answer), "link": place, "after": [*after]}
    return _canonical(values | {"seal": _seal(values)})


def _canonical(values: Mapping[str, Any]) -> str:
    return json.dumps(values, indent=1) + "\n"


def _seal(values: Mapping[str, Any]) -> str:
    return hashlib.sha256(_canonical(values).encode()).hexdigest()


def _documents(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each document with the beginning of the SHA-256 of its file, and the SHA-256 of each passage that was read."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for passage in _passages(answer):
        document = passage["document"]
        entry = found.setdefault((document["id"], document["path"]), {**document, "passages": []})
        digest = hashlib.sha256(passage["text"].encode("utf-8", "surrogatepass")).hexdigest()
        entry["passages"].append({"start": passage["start"], "end": passage["end"], "sha256": digest})
    return list(found.values())


def _passages(answer: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [*answer["passages"], *(answer["refusal"] or {}).get("nearest", ())]


def _citations(answer: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Of statements, those that were left out too, and of conflicts; without the invented ones."""
    parts = [*answer["statements"], *answer["conflicts"]]
    parts += [value for conflict in answer["conflicts"] for value in conflict.get("values", ())]
    return [citation for part in parts for citation in part["citations"] if citation["document"] is not None]


def verify_proof(text: str | bytes, folder: Path | None = None, head: str | None = None) -> Verification:
    """Check every part of a proof that can be.

    Args:
        folder: of documents, in which each one that was read is looked for, by path, else by its bytes.
        head: hash of the newest link of the history, as it was noted at any moment since the answer.

    Raises:
        UsageError: it is no proof, or too damaged to be read as one; there is no such folder; `head` is no hash.
    """
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    if head is not None and not _HASH.fullmatch(head := head.strip().lower()):
        raise UsageError(f"the head {head!r} is no hash of a link: give the 64 digits and letters a to f")
    values = _read(data)
    record, link = values["record"], values["link"]
    answer, hashes = record["answer"], _hashes(values)
    problems: list[str] = []
    checks: list[str] = []

    def check(about: str, found: Iterable[str]) -> None:
        before = len(problems)
        problems.extend(found)
        if len(problems) == before:
            checks.append(about)

    check("its form, byte for byte, and the seal over all of it", _sealed(values, data))
    check("the answer's link in the chain, from every stored byte of the answer", _linked(record, link))
    check(f"the links after it, {len(values['after'])} of them", _followed(values))
    check("text, markers, spans, quotes and passages against each other", _consistent(values, answer))
    unchecked, remarks = [], list[str]()
    if ((record["context"] or {}).get("settings", {})).get("entailment") == "lexical":
        check("the verdict of every sentence that is shown, verified again", _reverified(answer_of(answer)))
    else:
        unchecked.append("the verdicts: they were not given by words alone, or how isn't known")
    if folder is not None:
        cited, remarks = _found(answer, folder)
        check(f"the cited documents in {str(folder)!r}: bytes, quotes, passages, pages", cited)
    else:
        unchecked.append("the documents: name the folder that they are in")
    if head is not None:
        said = "it was altered, or belongs to another history" if head not in hashes else ""
        check("the head that was noted elsewhere", iter([f"the chain does not lead to {head}: {said}"] if said else []))
    else:
        unchecked.append(
            "that the whole history wasn't written anew with its chain: compare with a head that was noted elsewhere"
        )
    found = tuple(problems), tuple(checks), tuple(unchecked)
    return Verification(record["question"], *found, hashes[-1], tuple(remarks))


def _read(data: bytes) -> dict[str, Any]:
    """The values of a proof, each of the kind that it must be."""
    if len(data) > MOST_BYTES:
        raise UsageError(f"it is no proof: it has {len(data):,} bytes, at most {MOST_BYTES:,} are read")
    try:
        values = json.loads(data.decode("ascii"), parse_constant=_constant)
        if not (fits(values, _PROOF) and values["format"] == FORMAT):
            raise ValueError(f"it isn't of the form {FORMAT!r}")
        link = values["link"]
        hashes = (link["previous"], link["salt"], link["digest"], link["hash"], values["seal"])
        later = (line(link["number"], link["origin"], link["digest"]), *values["after"])
        if not (all(map(_HASH.fullmatch, hashes)) and all(map(_LINE.fullmatch, later))):
            raise ValueError("a link or hash of it is none")
        json.dumps(values, indent=1)  # also goes as deep as it is nested
        row = values["record"]
        Row(row["conversation"], row["asked"], row["question"], "", None).columns()
        answer_of(row["answer"])
    except (ValueError, RecursionError, UnavailableError) as error:
        why = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)[:300]
        raise UsageError(f"it is no proof, or was damaged so that it can't be read as one: {why}") from error
    return dict(values)


def _constant(name: str) -> None:
    raise ValueError(f"{name} is no number")


def _sealed(values: Mapping[str, Any], data: bytes) -> Iterator[str]:
    if _canonical(values).encode() != data:
        yield "the text is not in the form that a proof is written in: a space, a sign or the order was changed"
    if _seal({name: value for name, value in values.items() if name != "seal"}) != values["seal"]:
        yield "the seal doesn't fit: something in the proof was changed"


def _linked(record: Mapping[str, Any], link: Mapping[str, Any]) -> Iterator[str]:
    context = record["context"] and json.dumps(record["context"])
    row = Row(record["conversation"], record["asked"], record["question"], json.dumps(record["answer"]), context)
    if digest_of(link["salt"], row.columns()) != link["digest"]:
        yield "the answer's digest doesn't fit: question, answer, settings or time aren't those that were kept"
    if hash_of(link["previous"], line(link["number"], link["origin"], link["digest"])) != link["hash"]:
        yield "the answer's link doesn't fit: its number, digest or the link before it was changed"
    if link["number"] == 1 and link["previous"] != GENESIS:
        yield "the first link names one before it"


def _hashes(values: Mapping[str, Any]) -> list[str]:
    """Of the answer's link and of each after it."""
    hashes = [values["link"]["hash"]]
    for later in values["after"]:
        hashes.append(hash_of(hashes[-1], later))
    return hashes


def _followed(values: Mapping[str, Any]) -> Iterator[str]:
    numbers = [values["link"]["number"], *(int(later.split(" ")[0]) for later in values["after"])]
    for before, number in pairwise(numbers):
        if number <= before:
            yield f"link {number} stands after link {before}"


def _consistent(values: Mapping[str, Any], answer: Mapping[str, Any]) -> Iterator[str]:
    given = answer_of(answer)
    if values["documents"] != _documents(answer):
        yield "the documents and digests of their passages aren't those of the answer"
    if answer["text"] != given.text:
        yield "the text isn't that of the statements that are shown, with their markers"
    if answer["refused"] != given.refused:
        yield "it is said both to be refused and to be answered"
    for passage in _passages(answer):
        if passage["start"] < 0 or len(passage["text"]) != passage["end"] - passage["start"]:
            yield f"passage [{passage['number']}] isn't as long as its span"
    offered = {passage["number"]: passage for passage in answer["passages"]}
    for cited in _citations(answer):
        start, end, within = cited["start"], cited["end"], offered.get(cited["number"])
        if start < 0 or len(cited["quote"]) != end - start:
            yield f"{_name(cited)} isn't as long as its span"
        elif within is None or within["document"] != cited["document"]:
            yield f"{_name(cited)} is of a passage that wasn't offered"
        elif not within["start"] <= start <= end <= within["end"]:
            yield f"{_name(cited)} lies outside of its passage"
        elif within["text"][start - within["start"] : end - within["start"]] != cited["quote"]:
            yield f"{_name(cited)} isn't what its passage says there"


def _name(cited: Mapping[str, Any]) -> str:
    return f"quote [{cited['number']}] {cited['quote'][:60]!r}"


def _reverified(answer: Answer) -> Iterator[str]:
    for statement in answer.shown:
        now = verify(statement.text, statement.citations, LexicalEntailment())
        if (now.verdict, now.support) != (statement.verdict, statement.support):
            yield (
                f"statement {statement.text[:60]!r} is said to be {statement.verdict} ({statement.support:g}), and is "
                f"{now.verdict} ({now.support:g}) by its quotes"
            )


def _found(answer: Mapping[str, Any], folder: Path) -> tuple[list[str], list[str]]:
    """What isn't in the folder as it was, of documents that the answer cites, and of those that were only read."""
    given = answer_of(answer)
    citations = [cited for statement in given.shown for cited in statement.citations]
    citations += [cited for conflict in given.conflicts for cited in conflict.citations]
    citations += [cited for conflict in given.conflicts for value in conflict.values for cited in value.citations]
    cited = {(c.passage.document.id, c.passage.document.path) for c in citations if c.passage}
    problems, remarks = list[str](), list[str]()
    for key, said in _differing(answer, folder):
        if key in cited:
            problems.append(said)
        else:
            remarks.append(f"{said}; it was read and isn't cited")
    return problems, remarks


def _differing(answer: Mapping[str, Any], folder: Path) -> Iterator[tuple[tuple[str, str], str]]:
    """What isn't in the folder as it was, each with id and path of the document."""
    spans = [(c["document"], c["start"], c["quote"], c["page"], _name(c)) for c in _citations(answer)]
    spans += [(p["document"], p["start"], p["text"], p["page"], f"passage [{p['number']}]") for p in _passages(answer)]
    wanted = {(document["id"], document["path"]): document for document, *_ in spans}
    read, unread = reread(folder, wanted)
    yield from unread.items()
    for document, start, text, page, name in spans:
        key = document["id"], document["path"]
        if (there := read.get(key)) is None:
            continue
        if there.text[start : start + len(text)] != text:
            yield key, f"{key[1]!r} doesn't say {name} at its place, or is read otherwise by this version"
        elif there.page_at(start) != page:
            yield key, f"{key[1]!r} has {name} on page {there.page_at(start)}, not {page}"
    for key, there in read.items():
        said = wanted[key]["title"], wanted[key]["date"]
        # Elsewhere, they may come from another name of the file.
        if there.path == key[1] and (there.title, there.date and there.date.isoformat()) != said:
            yield key, f"{key[1]!r} has the title {there.title!r} and the date {there.date}, and others in the proof"


def render_verification(found: Verification) -> str:
    """What was checked and what came of it, as plain text; no trailing newline."""
    lines = [(f"“{found.question}”", 0), *((f"NOT AS IT WAS: {problem}", 0) for problem in found.problems)]
    lines += [("Everything that was checked is as it was." if found.good else "Nothing else was found.", 0)]
    about = ("Remarks:", found.remarks), ("Checked and as it was:", found.checks), ("Not checked:", found.unchecked)
    lines += [line for name, told in about if told for line in ((name, 0), *((f"- {one}", 2) for one in told))]
    lines += [("Head of the chain in the proof:", 0), (found.head, 2)]
    return "\n".join(wrapped(line, indent) for line, indent in lines)
