"""Datasets are read by line, and what is wrong is named with file and line."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corpus.errors import UsageError
from eval.datasets import formats, load
from eval.types import Case, Evidence

FOLDER = Path(__file__).parents[2] / "eval" / "datasets"
ROW = {
    "id": "a-1", "kind": "lookup", "question": "Who runs the mill?", "history": ["Where is the mill?"],
    "answerable": True, "answers": [["Pauline", "Orrin"]],
    "evidence": [{"document": "mill.md", "quote": "Pauline Orrin runs it.", "passage": "p", "start": 0, "end": 22}],
    "references": ["Pauline Orrin does."], "wrong": ["Ada Quill"], "marks": ["cform.com"], "relevant": {"p": 2},
    "conversation": "c", "scope": ["mill.md"],
}  # fmt: skip
LEAST = {"id": "a-2", "question": "Who?", "answerable": False}


def written(path: Path, *lines: str) -> Path:
    path.write_bytes("\n".join(lines).encode())
    return path


def test_a_line_becomes_a_case(tmp_path: Path) -> None:
    path = written(tmp_path / "d.jsonl", json.dumps(ROW), "", json.dumps(LEAST))
    dataset = load(path)
    assert dataset.cases == (
        Case(
            "a-1", "lookup", "Who runs the mill?", ("Where is the mill?",), True, (("Pauline", "Orrin"),),
            (Evidence("mill.md", "Pauline Orrin runs it.", "p", 0, 22),), ("Pauline Orrin does.",), ("Ada Quill",),
            ("cform.com",), (("p", 2),), "c", ("mill.md",),
        ),
        Case("a-2", "", "Who?", answerable=False),
    )  # fmt: skip
    assert [case.place for case in dataset.cases] == ["d.jsonl:1", "d.jsonl:3"]
    assert (dataset.name, dataset.task, dataset.documents) == ("d.jsonl", "answer", ())
    assert dataset.digest == hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def test_lines_end_at_newlines_only(tmp_path: Path) -> None:
    quote = "one\u2028two\u2029three\x85four"
    row = json.dumps(ROW | {"references": [quote]}, ensure_ascii=False)
    cases = load(written(tmp_path / "d.jsonl", "\ufeff" + row + "\r", "", row.replace("a-1", "a-2"))).cases
    assert [case.id for case in cases] == ["a-1", "a-2"]
    assert {case.references for case in cases} == {(quote,)}


def test_a_compressed_file_and_a_folder_of_one_file_are_read(tmp_path: Path) -> None:
    (tmp_path / "d.jsonl.gz").write_bytes(gzip.compress(json.dumps(ROW).encode()))
    assert load(tmp_path / "d.jsonl.gz").cases == load(tmp_path).cases
    written(tmp_path / "e.jsonl", json.dumps(ROW))
    with pytest.raises(UsageError, match=r"several or no JSONL files \(d\.jsonl\.gz, e\.jsonl\): give the path of one"):
        load(tmp_path)


REFUSED = [
    ({"answerable": "yes"}, "field 'answerable': 'yes' is not of type 'boolean', 'null'"),
    ({"answerable": 1}, "field 'answerable': 1 is not of type 'boolean', 'null'"),
    ({"id": 7}, "field 'id': 7 is not of type 'string'"),
    ({"id": ""}, "field 'id': '' does not match"),
    ({"question": 7}, "field 'question': 7 is not of type"),
    ({"question": " \u2028"}, "field 'question': ' \\u2028' does not match"),
    ({"question": None}, "field 'question': None is not of type"),
    ({"history": None}, "field 'history': None is not of type 'array'"),
    ({"history": "Where?"}, "field 'history': 'Where?' is not of type 'array'"),
    ({"history": ["Where?", 1]}, "field 'history[1]': 1 is not"),
    ({"answers": 7}, "field 'answers': 7 is not"),
    ({"answers": ["Pauline"]}, "field 'answers[0]': 'Pauline' is not"),
    ({"answers": [["a"], []]}, "field 'answers[1]': [] "),
    ({"answers": [[""]]}, "field 'answers[0][0]': '' does"),
    ({"evidence": {}}, "field 'evidence': {} is not"),
    ({"evidence": [{"quote": "x"}]}, "field 'evidence[0]': 'document' is a required property"),
    ({"evidence": [{"document": "d", "quote": None}]}, "field 'evidence[0].quote': None is not"),
    ({"evidence": [{"document": "d", "start": 1}]}, "field 'evidence[0]': 'end' is a dependency of 'start'"),
    ({"evidence": [{"document": "d", "end": 1}]}, "field 'evidence[0]': 'start' is a dependency of 'end'"),
    ({"evidence": [{"document": "d", "start": -1, "end": 1}]}, "field 'evidence[0].start': -1 is less than"),
    ({"evidence": [{"document": "d", "start": 0.5, "end": 1}]}, "field 'evidence[0].start': 0.5 is not"),
    ({"evidence": [{"document": "d", "start": True, "end": 1}]}, "field 'evidence[0].start': True is not"),
    ({"evidence": [{"document": "d", "page": 1}]}, "field 'evidence[0]': Additional properties are not allowed"),
    ({"relevant": {"p": 0}}, "field 'relevant.p': 0 is less than the minimum of 1"),
    ({"relevant": {"p": "high"}}, "field 'relevant.p': 'high' is not"),
    ({"relevant": ["p"]}, "field 'relevant': ['p'] is not"),
    ({"conversation": None}, "field 'conversation': None is not"),
    ({"anwsers": []}, "Additional properties are not allowed ('anwsers' was unexpected)"),
]  # fmt: skip
ACCEPTED = [
    {}, {"kind": ""}, {"answers": []}, {"evidence": [{"document": "d"}]},
    {"evidence": [{"document": "d", "quote": ""}]}, {"evidence": [{"document": "d", "start": 1.0, "end": 2}]},
    {"relevant": {}}, {"relevant": {"": 3}}, {"scope": []},
]  # fmt: skip


@pytest.mark.parametrize(("change", "reason"), REFUSED)
def test_a_wrong_field_is_named(change: dict[str, Any], reason: str, tmp_path: Path) -> None:
    path = written(tmp_path / "d.jsonl", json.dumps(ROW), "", json.dumps(ROW | change))
    with pytest.raises(UsageError) as refused:
        load(path)
    assert str(refused.value).startswith(f"d.jsonl:3: {reason}")


@pytest.mark.parametrize("missing", ["id", "question", "answerable"])
def test_a_missing_field_is_named(missing: str, tmp_path: Path) -> None:
    line = json.dumps({name: value for name, value in ROW.items() if name != missing})
    with pytest.raises(UsageError, match=f"^d.jsonl:1: '{missing}' is a required property$"):
        load(written(tmp_path / "d.jsonl", line))


@pytest.mark.parametrize(
    "line",
    ["{", "[]", "null", "7", "NaN", '{"id": ' + "9" * 5000 + "}", '{"id": ' * 100_000, '{"history": ' + "[" * 900],
)
def test_what_is_not_an_object_of_json_is_named(line: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"d\.jsonl:2: ") as refused:
        load(written(tmp_path / "d.jsonl", json.dumps(ROW), line))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("depth", [100, 900, 3000])
def test_deep_nesting_is_one_clear_line(depth: int, tmp_path: Path) -> None:
    line = '{"id": "x", "question": "y", "answerable": true, "answers": ' + "[" * depth + "]" * depth + "}"
    with pytest.raises(UsageError, match=r"d\.jsonl:1: .{5,120}$"):
        load(written(tmp_path / "d.jsonl", line))


def test_half_a_surrogate_pair_never_reaches_a_case(tmp_path: Path) -> None:
    (case,) = load(written(tmp_path / "d.jsonl", json.dumps(ROW | {"question": "Who \ud800?"}))).cases
    assert case.question.encode().decode() == "Who ??"


def test_an_id_twice_an_empty_file_and_no_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^d\.jsonl:3: the id 'a-1' stands already in d\.jsonl:1; "):
        load(written(tmp_path / "d.jsonl", json.dumps(ROW), "", json.dumps(ROW)))
    for lines in ("", " "), (), ("\ufeff",):
        with pytest.raises(UsageError, match=r"e\.jsonl' holds no questions"):
            load(written(tmp_path / "e.jsonl", *lines))
    with pytest.raises(UsageError, match=r"f\.jsonl' can't be read: No such file"):
        load(tmp_path / "f.jsonl")
    (tmp_path / "g.jsonl").write_bytes(json.dumps(ROW).encode() + b"\n\xff\xfe{}")
    with pytest.raises(UsageError, match=r"g\.jsonl:2: not UTF-8"):
        load(tmp_path / "g.jsonl")
    (tmp_path / "h.jsonl.gz").write_bytes(b"\x1f\x8bbroken")
    with pytest.raises(UsageError, match=r"h\.jsonl\.gz' can't be read"):
        load(tmp_path / "h.jsonl.gz")


def test_an_unknown_format_or_shape_lists_the_known_ones(tmp_path: Path) -> None:
    assert formats() == ("jsonl", "beir", "bipia", "clapnq", "mtrag", "qmsum", "ramdocs", "scifact")
    known = "jsonl, beir, bipia, clapnq, mtrag, qmsum, ramdocs, scifact"
    path = written(tmp_path / "d.jsonl", '{"prompt": "Who?"}')
    with pytest.raises(UsageError, match=f"^d.jsonl:1: no known format has the fields prompt; known are {known}$"):
        load(path)
    with pytest.raises(UsageError, match=f"^unknown format 'squad'; known are auto, {known}$"):
        load(path, "squad")
    with pytest.raises(UsageError, match=r"^beside '.*d\.jsonl' stands none of corpus\.jsonl"):
        load(path, "scifact")


def test_the_schema_takes_the_sample_questions_and_describes_every_field() -> None:
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema comes with the extra eval")
    schema = json.loads((FOLDER / "case.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    assert [name for name, field in schema["properties"].items() if not field.get("description")] == []
    assert len(load(FOLDER / "samples.jsonl").cases) == 40


@pytest.mark.parametrize("change", ACCEPTED)
def test_what_the_schema_takes_is_a_case(change: dict[str, Any], tmp_path: Path) -> None:
    assert len(load(written(tmp_path / "d.jsonl", json.dumps(ROW | change)), "jsonl").cases) == 1


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 5) | st.sampled_from([1.0, 0.5, "", " ", "a"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["document", "quote", "p"]), inner),
    max_leaves=4,
)
ROWS = st.dictionaries(st.sampled_from([*ROW, "other"]), JSON, max_size=3).map(lambda change: ROW | change)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(row=ROWS)
def test_any_row_is_a_case_or_refused_in_one_line(row: dict[str, Any], tmp_path: Path) -> None:
    try:
        (case,) = load(written(tmp_path / "d.jsonl", json.dumps(row)), "jsonl").cases
    except UsageError as refused:
        assert str(refused).startswith("d.jsonl:1: ") and "\n" not in str(refused)
    else:
        assert case.id == row["id"] and len(case.evidence) == len(row["evidence"])
