"""Scores pairs with a graph file and compares them with the float32 logits. Python side only; verify measures what ships."""
from __future__ import annotations

import os
import time
from collections.abc import Callable

import numpy as np

from ..onnx_export.batches import make_feed
from ..pairs import EncodedPair
from ..reporter import JobError


def score(path: str, pairs: list[EncodedPair], on_pair: Callable[[int], None] = lambda _: None) -> np.ndarray:
    """Logits of the pairs, each scored alone, so that padding plays no part."""
    return timed_score(path, pairs, on_pair)[0]


def timed_score(path: str, pairs: list[EncodedPair], on_pair: Callable[[int], None] = lambda _: None) -> tuple[np.ndarray, float]:
    """The same, with the median milliseconds of a pair inside ONNX Runtime: good for comparing graphs of one job, no latency of a batch."""
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    inputs = [value.name for value in session.get_inputs()]
    logits, seconds = [], []
    for index, pair in enumerate(pairs):
        feed, started = make_feed([pair], inputs, 0), time.perf_counter()
        logits.append(float(session.run(["logits"], feed)[0][0, 0]))
        seconds.append(time.perf_counter() - started)
        on_pair(index + 1)
    return np.array(logits), 1000 * float(np.median(seconds))


def finite_scores(paths: dict[str, str], pairs: list[EncodedPair], on_pair: Callable[[int], None]) -> dict[str, np.ndarray]:
    """Logits of the pairs by graph. Raises JobError WORKER_FAILED on scores that are not numbers."""
    scores = {name: score(path, pairs, on_pair) for name, path in paths.items()}
    for name, found in scores.items():
        if not np.isfinite(found).all():
            raise JobError("WORKER_FAILED", f"the {name} graph ({os.path.basename(paths[name])}) gives scores that are not numbers on calibration pairs", f"set `quantize.{name}: false`")
    return scores


def relative_error(scores: np.ndarray, exact: np.ndarray) -> float:
    """Root mean square error over the standard deviation of the exact scores; infinite where a score is no number."""
    error = float(np.sqrt(np.mean((scores - exact) ** 2)) / max(float(exact.std()), 1e-9))
    return error if np.isfinite(error) else float("inf")
