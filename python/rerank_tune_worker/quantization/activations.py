"""Runs calibration pairs through the float32 graph and keeps what the search needs: ranges and a few sampled rows. Decides nothing."""
from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import onnx
from onnx import TensorProto, helper

from ..onnx_export.batches import make_feed
from ..onnx_export.onnx_files import Tensor, write_model
from ..pairs import EncodedPair
from ..reporter import JobError
from .groups import Group

# Outputs without a probe: no floats, values within 1, and values of their inputs in another order (fp16.py follows those).
NO_FLOATS = ("Shape", "Equal", "Not", "Greater", "CumSum", "Range", "Cast")
WITHIN_ONE = ("Softmax", "Erf", "Tanh", "Sigmoid", "Cos", "Sin")
SAME_VALUES = ("Reshape", "Transpose", "Slice", "Squeeze", "Unsqueeze", "Concat", "Neg", "Abs", "Expand", "Split", "Identity")
UNWATCHED = (*NO_FLOATS, *WITHIN_ONE, *SAME_VALUES)

# Rows kept a group for the error search; a group of 4,096 channels then takes 4 MB.
SAMPLED_ROWS = 256


@dataclass
class Statistics:
    """Of one group's input: smallest and largest value per channel over all tokens, and sampled rows [rows, channels]."""

    lowest: np.ndarray
    highest: np.ndarray
    rows: np.ndarray


def collect(
    model: onnx.ModelProto, tensors: list[Tensor], groups: list[Group], pairs: list[EncodedPair], scratch: str, on_pair: Callable[[int], None]
) -> tuple[dict[str, Statistics], np.ndarray, dict[str, float]]:
    """Statistics by group input, the float32 logits of the pairs, and the largest |x| of every activation by name.

    Pairs run one at a time, without padding, so that only one pair's activations are in memory.
    Raises JobError WORKER_FAILED on values that are not numbers.
    """
    import onnxruntime

    watched = [group.x for group in groups]
    probe, maxima = _with_probes(model, watched)
    path = os.path.join(scratch, "probe.onnx")
    write_model(path, probe, tensors)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    inputs = [value.name for value in session.get_inputs()]
    chooser = np.random.default_rng(0)
    parts: dict[str, list[Statistics]] = {name: [] for name in watched}
    logits, largest = [], np.zeros(len(maxima))
    share = -(-SAMPLED_ROWS // len(pairs))
    names = ["logits", *watched, *maxima.values()]
    for index, pair in enumerate(pairs):
        logit, *values = session.run(names, make_feed([pair], inputs, 0))
        logits.append(float(logit[0, 0]))
        largest = np.maximum(largest, np.array(values[len(watched) :], dtype=np.float64).reshape(-1))
        for name, value in zip(watched, values):
            parts[name].append(_summary(value.reshape(-1, value.shape[-1]), share, chooser))
        on_pair(index + 1)
    if not np.isfinite(logits).all() or not np.isfinite(largest).all():
        raise JobError("WORKER_FAILED", "the float32 graph gives values that are not numbers on calibration pairs", "train again with a lower `train.learning_rate`")
    statistics = {name: _merge(found) for name, found in parts.items()}
    return statistics, np.array(logits), dict(zip(maxima, largest.tolist()))


def _summary(values: np.ndarray, share: int, chooser: np.random.Generator) -> Statistics:
    picked = chooser.choice(len(values), size=min(share, len(values)), replace=False)
    return Statistics(values.min(0), values.max(0), values[picked])


def _merge(parts: list[Statistics]) -> Statistics:
    lowest = np.min([part.lowest for part in parts], axis=0)
    highest = np.max([part.highest for part in parts], axis=0)
    return Statistics(lowest, highest, np.concatenate([part.rows for part in parts])[:SAMPLED_ROWS])


def _with_probes(model: onnx.ModelProto, watched: list[str]) -> tuple[onnx.ModelProto, dict[str, str]]:
    """The graph with the watched tensors and, reduced to one number each, all other activations as outputs."""
    probe = onnx.ModelProto()
    probe.CopyFrom(model)
    graph = probe.graph
    axes = {"noop_with_empty_axes": 0, "keepdims": 0} if probe.opset_import[0].version >= 18 else {"keepdims": 0}
    maxima = {}
    for node in model.graph.node:
        # Any other operator may leave float16's range; the cube of tanh-GELU does from |x| = 41 on.
        if node.op_type not in UNWATCHED and not node.name.startswith("positions."):
            name = node.output[0]
            top = f"{name}.largest"
            graph.node.append(helper.make_node("Cast", [name], [f"{name}.as_float"], to=TensorProto.FLOAT))
            graph.node.append(helper.make_node("Abs", [f"{name}.as_float"], [f"{name}.size"]))
            graph.node.append(helper.make_node("ReduceMax", [f"{name}.size"], [top], **axes))
            maxima[name] = top
    for name in [*watched, *maxima.values()]:
        graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, None))
    return probe, maxima
