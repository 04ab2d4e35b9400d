"""Scores encoded pairs with OpenVINO: `python -I openvino_score.py FOLDER GRAPH PAIRS.json PRECISION`. Prints one JSON object.

A process of its own: OpenVINO and ONNX Runtime each bring threads, which would take the cores from one another.
"""
from __future__ import annotations

import json
import sys
import time
from typing import Any


def main(folder: str, graph: str, pairs: str, precision: str) -> None:
    sys.path.insert(0, folder)
    import numpy as np
    import openvino

    core = openvino.Core()
    compiled = core.compile_model(graph, "CPU", {"INFERENCE_PRECISION_HINT": precision, "PERFORMANCE_HINT": "LATENCY"})
    names = [value.get_any_name() for value in compiled.inputs]
    with open(pairs, encoding="utf-8") as file:
        content = json.load(file)

    def run(batch: list[tuple[list[int], list[int]]]) -> Any:
        """Logits, one a pair; shorter pairs are padded."""
        length = max(len(ids) for ids, _ in batch)
        fill = {"input_ids": content["pad"], "attention_mask": 0, "token_type_ids": 0}
        rows = {"input_ids": [ids for ids, _ in batch], "attention_mask": [[1] * len(ids) for ids, _ in batch], "token_type_ids": [types for _, types in batch]}
        feed = {name: np.array([row + [fill[name]] * (length - len(row)) for row in rows[name]], np.int64) for name in names}
        return compiled(feed)["logits"][:, 0]

    scores, seconds = [], []
    for pair in content["pairs"]:
        started = time.perf_counter()
        scores.append(float(run([pair])[0]))
        seconds.append(time.perf_counter() - started)
    together = run(content["pairs"][:8])
    print(json.dumps({
        "version": openvino.__version__.split("-")[0],
        "precision": str(compiled.get_property("INFERENCE_PRECISION_HINT").to_string()),
        "scores": scores,
        "milliseconds": 1000 * float(np.median(seconds)),
        "moved_by_batch": max(abs(float(value) - alone) for value, alone in zip(together, scores)),
    }))


if __name__ == "__main__":
    main(*sys.argv[1:])
