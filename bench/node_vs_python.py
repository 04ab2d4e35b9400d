"""The Python half of node_vs_python.mjs: runs the same batches on Python's onnxruntime when told to. Standard input: one JSON line with the setup, then one line a round."""
import json
import sys
import time

import numpy as np
import onnxruntime


def feeds(batch: dict, names: list[str]) -> dict[str, np.ndarray]:
    rows, width = len(batch["lengths"]), batch["width"]
    ids = np.full((rows, width), batch["pad"], dtype=np.int64)
    mask, types = np.zeros((rows, width), dtype=np.int64), np.zeros((rows, width), dtype=np.int64)
    offset = 0
    for row, length in enumerate(batch["lengths"]):
        ids[row, :length] = batch["ids"][offset : offset + length]
        types[row, :length] = batch["types"][offset : offset + length]
        mask[row, :length] = 1
        offset += length
    return {name: value for name, value in (("input_ids", ids), ("attention_mask", mask), ("token_type_ids", types)) if name in names}


def main() -> None:
    setup = json.loads(sys.stdin.readline())
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = setup["threads"]
    session = onnxruntime.InferenceSession(setup["model"], options, providers=["CPUExecutionProvider"])
    names = [item.name for item in session.get_inputs()]
    print(json.dumps({"version": onnxruntime.__version__}), flush=True)
    for _ in sys.stdin:
        started = time.perf_counter()
        # Padding is part of the work on both sides.
        scores = [session.run(["logits"], feeds(batch, names))[0][:, 0].tolist() for batch in setup["batches"]]
        print(json.dumps({"ms": (time.perf_counter() - started) * 1000, "scores": scores}), flush=True)


if __name__ == "__main__":
    main()
