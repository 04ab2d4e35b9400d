"""The float32 graph in OpenVINO, which computes in bfloat16 on processors that can: how far its scores are off, and how fast they come."""
from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable

import numpy as np

from .. import openvino_score
from ..pairs import EncodedPair
from ..reporter import JobError
from .measure import relative_error
from .own_process import answer_of

# Beside the packages of the environment that this interpreter belongs to; `rerank-tune env --openvino` puts it there.
FOLDER = os.path.join(sys.prefix, "openvino")
# As OpenVINO calls them. What the processor cannot do it does in float32, and says so.
PRECISIONS = ("f32", "bf16")


def require_openvino() -> None:
    """Raises JobError ENVIRONMENT_BROKEN where it is not installed."""
    if not os.path.isdir(os.path.join(FOLDER, "openvino")):
        raise JobError("ENVIRONMENT_BROKEN", "quantize.openvino is true, but OpenVINO is not installed", "run `rerank-tune env --openvino`, or `--set quantize.openvino=false`")


def compare_with_openvino(graph: str, exact: np.ndarray, pairs: list[EncodedPair], pad: int, scratch: str, check_cancelled: Callable[[], None]) -> tuple[dict, list[float]]:
    """`{version, rows: [{precision, relative_error, moved_by_batch}]}` against `exact`, the logits of the same graph in ONNX Runtime, and the
    median milliseconds of a pair by row. Raises JobError MODEL_UNSUPPORTED where OpenVINO refuses the graph, ENVIRONMENT_BROKEN."""
    require_openvino()
    path = os.path.join(scratch, "pairs.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"pad": pad, "pairs": [(pair.ids, pair.type_ids) for pair in pairs]}, file)
    rows, milliseconds, version = [], [], ""
    for precision in PRECISIONS:
        check_cancelled()
        answer = _scored(graph, path, precision)
        version = answer["version"]
        if answer["precision"] == precision:
            rows.append({"precision": precision, "relative_error": relative_error(np.array(answer["scores"]), exact), "moved_by_batch": answer["moved_by_batch"]})
            milliseconds.append(answer["milliseconds"])
    os.remove(path)
    return {"version": version, "rows": rows}, milliseconds


def _scored(graph: str, pairs: str, precision: str) -> dict:
    return answer_of("OpenVINO", openvino_score.__file__, FOLDER, graph, pairs, precision, hint="`--set quantize.openvino=false` leaves it out")
