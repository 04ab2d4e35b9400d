"""Scores encoded pairs with the ONNX Runtime in a folder of its own: `python -I tei_score.py FOLDER GRAPH PAIRS.json`. Prints one JSON object.

A process of its own, because two versions of one library do not live in one interpreter.
"""
from __future__ import annotations

import json
import sys


def main(folder: str, graph: str, pairs: str) -> None:
    sys.path.insert(0, folder)
    import numpy as np
    import onnxruntime

    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    names = [value.name for value in session.get_inputs()]
    with open(pairs, encoding="utf-8") as file:
        feeds = json.load(file)
    scores = []
    for ids, type_ids in feeds:
        feed = {"input_ids": ids, "attention_mask": [1] * len(ids), "token_type_ids": type_ids}
        scores.append(float(session.run(["logits"], {name: np.array([feed[name]], np.int64) for name in names})[0][0, 0]))
    print(json.dumps({"version": onnxruntime.__version__, "scores": scores}))


if __name__ == "__main__":
    main(*sys.argv[1:])
