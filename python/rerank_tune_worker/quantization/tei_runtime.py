"""The same graph in the ONNX Runtime that Text Embeddings Inference embeds: int8 operators round otherwise there (onnx.md §3.3), fp32 ones do not."""
from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .. import tei_score
from ..pairs import EncodedPair
from ..reporter import JobError
from .measure import relative_error
from .own_process import answer_of

# Beside the packages of the environment that this interpreter belongs to; build-environment.ts puts it there.
FOLDER = os.path.join(sys.prefix, "tei-runtime")


@dataclass(frozen=True)
class TeiScores:
    version: str
    scores: np.ndarray


def tei_scores(graph: str, pairs: list[EncodedPair], scratch: str) -> TeiScores | None:
    """Logits of the pairs, each alone; None where that runtime is not there. Raises JobError MODEL_UNSUPPORTED when it refuses the graph."""
    if not os.path.isdir(os.path.join(FOLDER, "onnxruntime")):
        return None
    path = os.path.join(scratch, "pairs.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump([(pair.ids, pair.type_ids) for pair in pairs], file)
    try:
        answer = answer_of("the ONNX Runtime of TEI", tei_score.__file__, FOLDER, graph, path, hint="please report the model type; `--set quantize.int8=false` leaves int8 out")
    finally:
        os.remove(path)
    return TeiScores(answer["version"], np.array(answer["scores"]))


def compare_with_tei(paths: dict[str, str], scores: dict[str, np.ndarray], pairs: list[EncodedPair], scratch: str, check_cancelled: Callable[[], None]) -> dict | None:
    """Per graph its score error against `scores["fp32"]` and the largest difference to its own `scores`, which come from the runtime of today.

    None where TEI's runtime is not there. Raises JobError MODEL_UNSUPPORTED, WORKER_FAILED.
    """
    rows, version = [], ""
    for name, path in paths.items():
        check_cancelled()
        found = tei_scores(path, pairs, scratch)
        if found is None:
            return None
        if not np.isfinite(found.scores).all():
            raise JobError("WORKER_FAILED", f"the {name} graph gives scores that are not numbers in TEI's ONNX Runtime {found.version}", f"set `quantize.{name}: false`")
        version = found.version
        rows.append({"name": name, "relative_error": relative_error(found.scores, scores["fp32"]), "largest_difference": float(np.abs(found.scores - scores[name]).max())})
    return {"version": version, "graphs": rows}
