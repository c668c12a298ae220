"""Questions over a collection of passages: BEIR's form, and the conversations of MTRAG."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from corpus.errors import UsageError
from eval.adapters.common import Read, passages, safe_id, sibling, whole
from eval.rows import Files, shown
from eval.types import Case

_CORPORA = ("corpus.jsonl", "corpus.jsonl.gz", "passages.jsonl", "passages.jsonl.gz")
_USER = "|user|:"
"""Before each turn of a question in MTRAG."""
_TURN = "<::>"
"""Between a conversation's id and the turn's number."""


def is_beir(path: Path) -> bool:
    """Whether a folder holds passages, questions and judgements, or a file is the questions of such a folder."""
    folder = path if path.is_dir() else path.parent
    corpus = any((folder / name).is_file() for name in _CORPORA)
    return corpus and bool(_judgements(folder)) and (path.is_dir() or "queries" in path.name)


def beir(path: Path, files: Files) -> Read:
    """BEIR (Thakur et al. 2021) and MTRAG's retrieval task: each question with a relevant passage, to be searched.

    Grades are kept as they are; where some are negative, as in Cranfield, whose scale is disputed, every positive
    one is 1.
    """
    folder = path if path.is_dir() else path.parent
    questions = _questions(path)
    grades: dict[str, dict[str, int]] = defaultdict(dict)
    signed = False
    for file in _judgements(folder):
        for number, line in enumerate(files.content(file).decode("utf-8", "replace").rstrip("\n").split("\n"), 1):
            columns = line.rstrip("\r").split("\t")
            try:
                query, passage, grade = columns[0], columns[-2], int(columns[-1])
            except (ValueError, IndexError) as error:
                if number == 1:  # names of the columns
                    continue
                raise UsageError(
                    f"{file.name}:{number}: {shown(line)} isn't a query, a passage and a whole grade"
                ) from error
            signed |= grade < 0
            if grade > 0:
                grades[query][safe_id(passage)] = grade
    if not grades:
        raise UsageError(f"no passage is judged relevant in the qrels of {str(folder)!r}: give a set with judgements")
    cases = []
    for row in files.rows(questions):
        identifier = row.text("_id")
        *history, question = [turn.strip() for turn in row.text("text").split(_USER) if turn.strip()] or [""]
        if relevant := grades.get(identifier):
            cases.append(
                Case(
                    identifier,
                    "",
                    question,
                    tuple(history),
                    relevant=tuple((p, 1 if signed else grade) for p, grade in relevant.items()),
                    conversation=identifier.partition(_TURN)[0] if _TURN in identifier else None,
                    place=row.place,
                )
            )
    return Read(cases, passages(files.rows(sibling(folder, *_CORPORA))), "search")


def _judgements(folder: Path) -> list[Path]:
    """The test half of the judgements where they say which it is, else all."""
    found = sorted([*folder.glob("*qrels*.tsv"), *folder.glob("qrels/*.tsv")])
    return [file for file in found if "test" in file.stem] or found


def _questions(path: Path) -> Path:
    if not path.is_dir():
        return path
    found = sorted(path.glob("*queries*.jsonl*"))
    if len(found) != 1:
        names = ", ".join(file.name for file in found) or "none"
        raise UsageError(f"the folder {str(path)!r} holds several or no queries ({names}): give the path of one file")
    return found[0]


def mtrag(path: Path, files: Files) -> Read:
    """MTRAG and MTRAG-UN (Katsis et al. 2025) generation tasks; turns that ask nothing are left out.

    Answerable are ANSWERABLE and PARTIAL, not UNANSWERABLE and UNDERSPECIFIED; evidence are the passages that an
    annotator marked relevant, or all that a task names without a mark.
    """
    cases = []
    for row in files.rows(path):
        answerability = row.text("answerability").upper()
        if answerability == "CONVERSATIONAL":
            continue
        identifier = row.text("task_id")
        contexts = [c for c in row.objects("contexts") if c.text("relevant", "yes") == "yes"]
        answerable = answerability in ("ANSWERABLE", "PARTIAL")
        relevant = dict.fromkeys(c.text("document_id") for c in contexts if answerable)
        turns = row.objects("history")
        cases.append(
            Case(
                id=identifier,
                kind=answerability.lower(),
                question=row.text("question"),
                history=tuple(turn.text("text") for turn in turns if turn.text("speaker") == "user"),
                answerable=answerable,
                evidence=whole(relevant),
                references=tuple(filter(None, [row.text("answer", "")])),
                relevant=tuple((safe_id(p), 1) for p in relevant),
                conversation=identifier.partition(_TURN)[0]
                if _TURN in identifier
                else row.text("conversation_id", "") or None,
                place=row.place,
            )
        )
    return Read(cases, passages(files.rows(sibling(path, *_CORPORA))))
