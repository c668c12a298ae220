"""Public data sets as their authors publish them, read into our values."""

from __future__ import annotations

from eval.adapters.adversarial import bipia, ramdocs
from eval.adapters.common import Adapter, Read, file_name, safe_id
from eval.adapters.grounded import clapnq, qmsum, scifact
from eval.adapters.retrieval import beir, is_beir, mtrag

__all__ = ["ADAPTERS", "Adapter", "Read", "file_name", "safe_id"]

ADAPTERS = {
    "beir": Adapter(beir, fits=is_beir),
    "bipia": Adapter(bipia, frozenset({"context", "question", "ideal"})),
    "clapnq": Adapter(clapnq, frozenset({"question", "passage_id", "sentences"})),
    "mtrag": Adapter(mtrag, frozenset({"task_id", "question", "contexts"})),
    "qmsum": Adapter(qmsum, frozenset({"meeting_transcripts", "specific_query_list"})),
    "ramdocs": Adapter(ramdocs, frozenset({"question", "documents", "gold_answers"})),
    "scifact": Adapter(scifact, frozenset({"claim", "evidence"})),
}
