"""Questions with the sentences or turns that answer them: ClapNQ, SciFact and QMSum."""

from __future__ import annotations

from pathlib import Path

from eval.adapters.common import Documents, Read, file_name, joined, passages, safe_id, sibling, spans, whole
from eval.rows import Files, Row, shown
from eval.types import Case, Evidence


def clapnq(path: Path, files: Files) -> Read:
    """ClapNQ (Rosenthal et al. 2024), asked over the passages of all questions.

    Evidence is every sentence that any annotator rested an answer on: a citation that one of them would have given
    isn't wrong because another chose differently. All their answers are references.
    """
    cases, documents = [], Documents()
    for row in files.rows(path):
        text, places = joined(row.texts("sentences"), " ")
        source = documents.add(row.text("passage_id"), row.text("title", ""), text)
        answers = row.objects("answers")
        chosen = sorted({n for answer in answers for n in answer.numbers("selected", len(places))})
        answerable = row.values.get("answerable", bool(answers)) is True
        evidence = spans(source, (places[n] for n in chosen)) or whole([source.id])
        cases.append(
            Case(
                id=row.text("id"),
                kind="answerable" if answerable else "unanswerable",
                question=row.text("question"),
                answerable=answerable,
                evidence=evidence if answerable else (),
                references=tuple(dict.fromkeys(answer.text("answer") for answer in answers)),
                relevant=((source.id, 1),) if answerable else (),
                place=row.place,
            )
        )
    return Read(cases, documents.sources)


def scifact(path: Path, files: Files) -> Read:
    """SciFact's claims (Wadden et al. 2020) with their rationale sentences; one without evidence is unanswerable."""
    corpus = sibling(path, "corpus.jsonl", "corpus.jsonl.gz")
    rows = list(files.rows(corpus))
    sources = {source.id: source for source in passages(rows)}
    ends = {safe_id(row.text("_id")): row.numbers("sent_ends", len(row.text("text")) + 1) for row in rows}
    cases = []
    for row in files.rows(path):
        found: list[Evidence] = []
        grounds = row.objects("evidence")
        for ground in grounds:
            if (source := sources.get(safe_id(ground.text("doc_id")))) is None:
                raise ground.refused(f"the abstract {ground.text('doc_id')!r} isn't in {corpus.name}")
            places = list(zip([0, *ends[source.id]], ends[source.id], strict=False))
            found += spans(source, (places[n] for n in ground.numbers("sentences", len(places))))
        relevant = dict.fromkeys(safe_id(ground.text("doc_id")) for ground in grounds)
        cases.append(
            Case(
                id=row.text("id"),
                kind=grounds[0].text("label").lower() if grounds else "none",
                question=row.text("claim"),
                answerable=bool(grounds),
                evidence=tuple(found),
                relevant=tuple((p, 1) for p in relevant),
                place=row.place,
            )
        )
    return Read(cases, sources.values())


def qmsum(path: Path, files: Files) -> Read:
    """QMSum's specific queries (Zhong et al. 2021), each over its meeting; evidence are the turns that it spans."""
    cases, documents = [], Documents()
    for row in files.rows(path):
        meeting = row.text("meeting_id")
        turns = [f"{turn.text('speaker')}: {turn.text('content')}" for turn in row.objects("meeting_transcripts")]
        text, places = joined([" ".join(turn.split()) for turn in turns], "\n\n")
        source = documents.add(meeting, meeting, text)
        for number, query in enumerate(row.objects("specific_query_list")):
            question = query.text("query")
            cases.append(
                Case(
                    id=f"{meeting}-{number:02}",
                    kind="summary" if question.lower().startswith("summarize") else "question",
                    question=question,
                    answerable=True,
                    evidence=spans(source, (places[n] for n in _turns(query, len(places)))),
                    references=(query.text("answer"),),
                    scope=(file_name(source.id),),
                    place=row.place,
                )
            )
    return Read(cases, documents.sources)


def _turns(query: Row, count: int) -> list[int]:
    """Numbers of turns in the spans of a query, which are inclusive and written as texts."""
    written = query.values.get("relevant_text_span", [])
    try:
        found = sorted({n for first, last in written for n in range(int(first), int(last) + 1)})
    except (TypeError, ValueError) as error:
        raise query.refused(f"field 'relevant_text_span' is {shown(written)}: give pairs of turn numbers") from error
    if found and not 0 <= found[0] <= found[-1] < count:
        raise query.refused(f"field 'relevant_text_span' is {shown(written)}: the meeting has {count} turns")
    return found
