"""Scores pairs with a graph file and compares them with the float32 logits. Python side only; verify measures what ships."""
from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..onnx_export.batches import make_feed
from ..pairs import EncodedPair


def score(path: str, pairs: list[EncodedPair], on_pair: Callable[[int], None] = lambda _: None) -> np.ndarray:
    """Logits of the pairs, each scored alone, so that padding plays no part."""
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    inputs = [value.name for value in session.get_inputs()]
    logits = []
    for index, pair in enumerate(pairs):
        logits.append(float(session.run(["logits"], make_feed([pair], inputs, 0))[0][0, 0]))
        on_pair(index + 1)
    return np.array(logits)


def relative_error(scores: np.ndarray, exact: np.ndarray) -> float:
    """Root mean square error over the standard deviation of the exact scores; infinite where a score is no number."""
    error = float(np.sqrt(np.mean((scores - exact) ** 2)) / max(float(exact.std()), 1e-9))
    return error if np.isfinite(error) else float("inf")
