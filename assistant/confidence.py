"""How sure it is that the documents hold an answer: a logistic model over what retrieval and reading found.

The coefficients are data: `assistant calibrate` fits them and writes the file that `Calibration.read` reads; one is
shipped. Logits differ between cross-encoders, so each model names the reranker that it was fitted with; any other has
the model that needs none, which looks at cosines, BM25 and words only.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, Self

from assistant.anaphora import ASKS
from assistant.config import Strictness
from assistant.evidence import answers_kind, missing_focus, missing_names
from assistant.questions import STOPWORDS, Question, stem, stems, words
from assistant.reading import Reading, Scored
from assistant.retrieval import Retrieval
from corpus.errors import UsageError

FORMAT = 1
NO_RERANKER = "none"
MOST_LOGIT = 13.0
"""Beyond which a chance would be 1 to six decimals, and no threshold above it."""
HIGH, MEDIUM = 0.8, 0.5
"""Chances from which an answer is called so."""
LENIENT = 0.3
"""Chance from which a lenient assistant answers, unless the calibrated threshold is lower still."""
_MOST_NUMBER = 1e6
"""In a calibration, and the inverse of its least scale: sums of products of such stay finite."""
_WORST = -11.0
"""Logit where there is nothing to read."""
_FOLLOWING = 3
"""Passages behind the best with which it is compared."""
_MOST_GATE = 6.0
"""Logits that a failed check costs at most."""
_MOST_WORDS = 8
"""Content words from which a question counts as long."""

_SHARED = ("cosine", "covered_above", "focus", "words", "sentence", "gate_of_sentence")
WITHOUT = ("dense", "dense_gap", "lexical", "lexical_gap", "covered", *_SHARED)
"""Features of the model for no reranker, and for one that isn't known."""
WITH = ("window", "turned", "passage", "passage_of_fragment", "passage_gap", *_SHARED)
"""Features of the model for the reranker that it was fitted with."""


def features(question: Question, found: Retrieval, reading: Reading) -> dict[str, float]:
    """What tells an answer from a near miss, each by its name.

    - window: logit of the best sentence between its neighbours; turned: that of the question as an answer to it;
    - passage, passage_gap: logit of the best passage, and its lead over the mean of the following three;
    - passage_of_fragment: the same logit where nothing is put as a question, 0 elsewhere: much answers "child privacy"
      that no cross-encoder takes for an answer;
    - dense, dense_gap, lexical, lexical_gap: the same of cosines, and of BM25 as a share of all the question's words;
    - cosine: of question and best sentence; covered, covered_above: share of the question's words, by inverse document
      frequency, that the sentence holds, or title and headings; focus: share of the asked role that it lacks;
    - words: how many different content words the question has, each of which an answer could miss;
    - sentence: whether the question is written as one, so that its capitals are its writer's;
    - gate_of_sentence: lead of the best sentence over the best that passes the checks of names and of the kind of
      answer; 0 for a question typed as a query, whose names are guesses.
    """
    scored = reading.scored()
    best = scored[0] if scored else None
    dense = _led([c.hit.dense for c in found.candidates])
    weights = _weights(question, found)
    lexical = _led([c.hit.lexical or 0.0 for c in found.candidates])
    most = sum(weights.values()) or 1.0
    sentence = float(question.text[:1].isupper() or question.text.endswith("?"))
    values = {
        "dense": dense[0],
        "dense_gap": dense[0] - dense[1],
        "lexical": lexical[0] / most,
        "lexical_gap": (lexical[0] - lexical[1]) / most,
        "cosine": 0.0,
        "covered": 0.0,
        "covered_above": 0.0,
        "focus": 0.0,
        "words": float(min(len(weights), _MOST_WORDS)),
        "sentence": sentence,
        "gate_of_sentence": _gate(question, found, scored) * sentence,
    }
    if best is not None:
        evidence = best.evidence
        values["cosine"] = reading.cosine(best)
        values["covered"] = _share(weights, stems(evidence.text))
        values["covered_above"] = _share(weights, stems(evidence.heading))
        values["focus"] = missing_focus(question, evidence)
    if reading.reranker is not None:
        passage = _led([c.reranked for c in found.candidates], _WORST)
        values |= {
            "window": _WORST if best is None else reading.window(best),
            "turned": _WORST if best is None else reading.turned(best),
            "passage": passage[0],
            "passage_of_fragment": 0.0 if ASKS.match(question.text) or "?" in question.text else passage[0],
            "passage_gap": passage[0] - passage[1],
        }
    return values


def _led(scores: Sequence[float | None], worst: float = 0.0) -> tuple[float, float]:
    """The best score, and the mean of the three that follow."""
    known = sorted((s for s in scores if s is not None), reverse=True)
    if not known:
        return worst, worst
    following = known[1 : 1 + _FOLLOWING] or [worst]
    return known[0], sum(following) / len(following)


def _weights(question: Question, found: Retrieval) -> dict[str, float]:
    """Inverse document frequency of each content word, by stem (Robertson and Spärck Jones 1976, as in BM25)."""
    documents = found.snapshot.documents
    return {
        stem(w): math.log(1 + (documents - count + 0.5) / (count + 0.5))
        for w in words(question.text)
        if w.lower() not in STOPWORDS and (count := min(found.counts.get(w, 0), documents)) >= 0
    }


def _share(weights: Mapping[str, float], held: set[str]) -> float:
    whole = sum(weights.values())
    return sum(w for one, w in weights.items() if one in held) / whole if whole else 0.0


def _gate(question: Question, found: Retrieval, scored: Sequence[Scored]) -> float:
    for one in scored:
        if answers_kind(question, one.evidence) and not missing_names(question, one.evidence, found.common):
            return min(scored[0].score - one.score, _MOST_GATE)
    return _MOST_GATE


@dataclass(frozen=True, slots=True)
class Fitted:
    """A logistic model over standardised features, and the threshold for which its bound holds."""

    reranker: str
    """By whose logits it was fitted; `none` without."""
    features: tuple[str, ...]
    means: tuple[float, ...]
    scales: tuple[float, ...]
    coefficients: tuple[float, ...]
    intercept: float
    threshold: float
    """Least confidence of an answer."""
    bound: str
    """What is promised of answers above the threshold, and by what."""
    data: tuple[dict[str, Any], ...]
    """The data sets: name, digest, questions, unanswerable."""
    auroc: dict[str, Any]
    """By cross-validation, over all and by data set."""

    def __post_init__(self) -> None:
        numbers = (*self.means, *self.scales, *self.coefficients, self.intercept, self.threshold)
        lengths = {len(self.features), len(self.means), len(self.scales), len(self.coefficients)}
        if len(lengths) != 1 or not all(type(n) in (int, float) for n in numbers):
            raise ValueError("a feature without its mean, scale or coefficient")
        if not all(abs(n) <= _MOST_NUMBER for n in numbers):
            raise ValueError(f"a number beyond {_MOST_NUMBER:,.0f}")
        if not all(s >= 1 / _MOST_NUMBER for s in self.scales) or not 0 <= self.threshold <= 1:
            raise ValueError("a scale or threshold out of range")
        if unknown := set(self.features) - {*WITHOUT, *(() if self.reranker == NO_RERANKER else WITH)}:
            raise ValueError(f"unknown features {', '.join(sorted(unknown))} for the reranker {self.reranker!r}")
        if not (isinstance(self.reranker, str) and isinstance(self.bound, str)):
            raise ValueError("a reranker or bound that is no text")

    def probability(self, values: Mapping[str, float]) -> float:
        """Strictly between 0 and 1."""
        columns = zip(self.features, self.means, self.scales, self.coefficients, strict=True)
        logit = self.intercept + sum(c * (values[name] - mean) / scale for name, mean, scale, c in columns)
        return 1 / (1 + math.exp(-min(max(logit, -MOST_LOGIT), MOST_LOGIT)))


@dataclass(frozen=True, slots=True)
class Calibration:
    """The model that fits the reranker at hand."""

    models: tuple[Fitted, ...]
    """One for each reranker, one for `none`."""

    @classmethod
    def read(cls, file: str | Path | None = None) -> Self:
        """The models of a file that `assistant calibrate` wrote; None for the shipped one.

        Raises:
            UsageError: the file can't be read, or is something else.
        """
        path = files("assistant") / "calibration.json" if file is None else Path(file)
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            if content["format"] != FORMAT:
                raise ValueError(f"format {content['format']!r}, known is {FORMAT}")
            models = tuple(Fitted(**{k: _frozen(v) for k, v in one.items()}) for one in content["models"])
            if NO_RERANKER not in {m.reranker for m in models}:
                raise ValueError(f"no model for the reranker {NO_RERANKER!r}")
        except OSError as error:
            raise UsageError(f"the calibration {str(path)!r} can't be read: {error.strerror}; name another") from error
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            reason = f"{error} is missing" if isinstance(error, KeyError) else str(error) or type(error).__name__
            raise UsageError(
                f"{str(path)!r} is no calibration ({reason}): make one with `assistant calibrate DATASET --out FILE`"
            ) from error
        return cls(models)

    def to_json(self) -> str:
        """What `read` reads."""
        return json.dumps({"format": FORMAT, "models": [asdict(m) for m in self.models]}, indent=1) + "\n"

    def model(self, reranker: str | None) -> Fitted:
        """The model fitted with this reranker, else the one that needs none."""
        known = {m.reranker: m for m in self.models}
        return known.get(reranker or NO_RERANKER, known[NO_RERANKER])

    def confidence(self, question: Question, found: Retrieval, reading: Reading) -> float:
        """The chance, 0 to 1, that the documents hold an answer; 0 where nothing was found."""
        if not found.passages:
            return 0.0
        model = self.model(None if reading.reranker is None else reading.reranker.name)
        return round(model.probability(features(question, found, reading)), 6)

    def threshold(self, reranker: str | None, strictness: Strictness = "normal") -> float:
        """Least confidence of an answer."""
        calibrated = self.model(reranker).threshold
        return {"strict": max(calibrated, HIGH), "normal": calibrated, "lenient": min(calibrated, LENIENT)}[strictness]

    def bound(self, reranker: str | None, strictness: Strictness = "normal") -> str:
        """What is promised: "at most 20 % of unanswerable questions are answered, with 95 % confidence: …"."""
        calibrated = self.model(reranker)
        from_here = f"{self.threshold(reranker, strictness):.2f}"
        if strictness == "lenient":
            least = f"one holds from {calibrated.threshold:.2f} on"
            return f"no bound is promised, as lenient answers begin at a confidence of {from_here}, and {least}"
        stricter = f"; strict answers begin at a confidence of {from_here}, so that it holds all the more"
        return calibrated.bound + stricter * (strictness == "strict")


def confidence_word(probability: float) -> Literal["high", "medium", "low"]:
    """How a chance is called to people."""
    return "high" if probability >= HIGH else "medium" if probability >= MEDIUM else "low"


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
