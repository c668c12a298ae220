"""The sample documents and their questions hold together, and every sample but the scan can be read."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from corpus.loading import load_documents, scan
from corpus.types import Document, ReadFailure

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "corpus" / "samples"
DATASET = ROOT / "eval" / "datasets" / "samples.jsonl"
SCAN = "planning-committee-1998-scan.pdf"
FIELDS = {
    "id": str, "kind": str, "question": str, "history": list,
    "answerable": bool, "answers": list, "evidence": list,
}  # fmt: skip
CASES: list[dict[str, Any]] = [json.loads(line) for line in DATASET.read_text(encoding="utf-8").splitlines()]
Reading = tuple[Mapping[str, Document], list[ReadFailure]]


def flat(text: str) -> str:
    return " ".join(text.split())


@pytest.fixture(scope="module")
def loaded() -> Reading:
    files, failures = scan(SAMPLES)
    results = [result for _, result in load_documents(files)]
    failures += [result for result in results if isinstance(result, ReadFailure)]
    return {r.document.path: r.document for r in results if not isinstance(r, ReadFailure)}, failures


def test_dataset_has_forty_cases_of_every_kind() -> None:
    assert [case["id"] for case in CASES] == [f"samples-{n:02}" for n in range(1, 41)]
    assert Counter(case["kind"] for case in CASES) == {
        "lookup": 17, "multi-source": 4, "conflict": 3, "typo": 2, "follow-up": 4, "unanswerable": 10,
    }  # fmt: skip
    assert len({case["question"] for case in CASES}) == 40


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_case_is_well_formed(case: dict[str, Any]) -> None:
    assert {name: type(value) for name, value in case.items()} == FIELDS
    assert case["answerable"] is (case["kind"] != "unanswerable")
    assert bool(case["answers"]) is bool(case["evidence"]) is case["answerable"]
    assert all(group and all(group) for group in case["answers"])
    assert case["history"] or case["kind"] != "follow-up"
    quotes = " ".join(flat(item["quote"]) for item in case["evidence"]).lower()
    assert [text for group in case["answers"] for text in group if text.lower() not in quotes] == []
    sources = {item["document"] for item in case["evidence"]}
    assert len(sources) > 1 or case["kind"] != "multi-source"


@pytest.mark.parametrize("case", [c for c in CASES if c["answerable"]], ids=lambda case: case["id"])
def test_evidence_stands_in_its_document(case: dict[str, Any], loaded: Reading) -> None:
    documents, _ = loaded
    for item in case["evidence"]:
        assert flat(item["quote"]) in flat(documents[item["document"]].text)


def test_every_sample_is_read_except_the_scan(loaded: Reading) -> None:
    documents, failures = loaded
    assert [Path(failure.path).name for failure in failures] == [SCAN]
    assert failures[0].reason
    assert documents.keys() == {path.name for path in SAMPLES.iterdir()} - {SCAN}


def test_samples_cover_every_format_and_stay_small() -> None:
    formats = Counter(path.suffix for path in SAMPLES.iterdir())
    assert formats == {".txt": 6, ".md": 2, ".html": 4, ".pdf": 3, ".docx": 3, ".csv": 2}
    assert sum(path.stat().st_size for path in SAMPLES.iterdir()) < 400_000


def test_one_sample_is_not_utf8_and_its_signs_survive(loaded: Reading) -> None:
    name = "council-tax-support-leaflet.txt"
    with pytest.raises(UnicodeDecodeError):
        (SAMPLES / name).read_text(encoding="utf-8")
    assert "ask for the “Benefits Desk”" in flat(loaded[0][name].text)
    assert "The Exceptional Hardship Fund stands at £150,000 for the year" in flat(loaded[0][name].text)


def test_press_release_stands_twice_in_the_same_words(loaded: Reading) -> None:
    release, page = (flat(loaded[0][f"otterbank-library-{end}"].text) for end in ("press-release.txt", "reopens.html"))
    body = re.search(r"Otterbank Library will welcome .* since 2019\.", page)
    assert body and body.group() in release


def test_multi_page_samples_keep_their_pages(loaded: Reading) -> None:
    minutes = loaded[0]["environment-scrutiny-minutes-2023-03-14.pdf"]
    assert [page.number for page in minutes.pages] == [1, 2, 3]
    assert minutes.page_at(minutes.text.index("£2.4 million")) == 2
    assert minutes.page_at(minutes.text.index("£18,000")) == 3


def test_multi_page_samples_lose_their_furniture_and_nothing_else(loaded: Reading) -> None:
    text = flat(loaded[0]["environment-scrutiny-minutes-2023-03-14.pdf"].text)
    assert not re.search(r"Page \d of \d|Scrutiny Committee - 14 March", text)
    assert "a further report on contamination be made in November" in text
    assert "at its next meeting, on Tuesday 9 May 2023." in text


def test_news_page_keeps_the_article_and_one_whole_caption(loaded: Reading) -> None:
    text = loaded[0]["flood-wall-cost-row.html"].text
    assert text.count("beside the fenced-off slipway") == 1
    assert "the flood wall is being built. Picture" in text
    assert not re.search("cookie|partners|Advertisement|Most Read|Supporter", text)


def test_made_samples_have_the_same_bytes_every_time(tmp_path: Path) -> None:
    pytest.importorskip("reportlab", reason="reportlab makes the samples; it is a development dependency")
    for name in ("once", "again"):
        subprocess.run([sys.executable, ROOT / "bench" / "make_samples.py", tmp_path / name], check=True)
    once, again = ({path.name: path.read_bytes() for path in (tmp_path / n).iterdir()} for n in ("once", "again"))
    assert once == again
    assert once.keys() == {path.name for path in SAMPLES.iterdir() if path.suffix in (".pdf", ".docx")}
