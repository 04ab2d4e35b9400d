"""How much the rounding of each group alone moves the scores: one group at a time, all in one float32 graph with a switch per group."""
from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np
import onnx
from onnx import TensorProto, helper

from ..onnx_export.batches import make_feed
from ..onnx_export.onnx_files import Tensor, write_model
from ..pairs import EncodedPair
from .groups import Group
from .measure import relative_error
from .search import Choice


def sensitivities(
    model: onnx.ModelProto, tensors: list[Tensor], groups: list[Group], probes: dict[str, Choice], pairs: list[EncodedPair], exact: np.ndarray, scratch: str, on_group: Callable[[int], None]
) -> dict[str, float]:
    """Score error (as `relative_error`) by group input when that input alone is rounded as the static form of `probes` says."""
    import onnxruntime

    path, names = os.path.join(scratch, "switches.onnx"), {group.x: f"switch.{index}" for index, group in enumerate(groups)}
    write_model(path, *_with_switches(model, tensors, groups, probes, names))
    options = onnxruntime.SessionOptions()
    # No rewriting beyond the basic: a pair of quantize and dequantize is all there is to measure here.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    inputs = [value.name for value in session.get_inputs() if not value.name.startswith("switch.")]
    off = {name: np.array(0, np.float32) for name in names.values()}
    found = {}
    for index, group in enumerate(groups):
        switches = off | {names[group.x]: np.array(1, np.float32)}
        scores = [float(session.run(["logits"], make_feed([pair], inputs, 0) | switches)[0][0, 0]) for pair in pairs]
        found[group.x] = relative_error(np.array(scores), exact)
        on_group(index + 1)
    return found


def _with_switches(model: onnx.ModelProto, tensors: list[Tensor], groups: list[Group], probes: dict[str, Choice], names: dict[str, str]) -> tuple[onnx.ModelProto, list[Tensor]]:
    """x becomes x + switch * (rounded(x) - x) wherever a MatMul of the group reads it."""
    readers = {member.node: group.x for group in groups for member in group.members}
    copy, constants, made = onnx.ModelProto(), [], set()
    copy.CopyFrom(model)
    del copy.graph.node[:]
    for node in model.graph.node:
        x = readers.get(node.name)
        if x is not None and x not in made:
            made.add(x)
            nodes, tensors_of = _switch(x, probes[x], names[x])
            copy.graph.node.extend(nodes)
            constants += tensors_of
        copy.graph.node.append(node)
        if x is not None:
            copy.graph.node[-1].input[0] = f"{x}.switched"
    copy.graph.input.extend(helper.make_tensor_value_info(name, TensorProto.FLOAT, []) for name in names.values())
    return copy, [*tensors, *constants]


def _switch(x: str, probe: Choice, switch: str) -> tuple[list[onnx.NodeProto], list[Tensor]]:
    of = lambda name: f"{x}.{name}"  # noqa: E731
    values = {"inverse": (1 / probe.smooth).astype(np.float32), "smooth": probe.smooth.astype(np.float32), "step": np.float32(probe.scale), "zero": np.uint8(probe.zero_point)}
    steps = [
        ("Mul", [x, of("inverse")], "divided"),
        ("QuantizeLinear", [of("divided"), of("step"), of("zero")], "integers"),
        ("DequantizeLinear", [of("integers"), of("step"), of("zero")], "floats"),
        ("Mul", [of("floats"), of("smooth")], "rounded"),
        ("Sub", [of("rounded"), x], "difference"),
        ("Mul", [of("difference"), switch], "share"),
        ("Add", [x, of("share")], "switched"),
    ]
    return [helper.make_node(op, inputs, [of(output)], name=of(output)) for op, inputs, output in steps], [Tensor.of(of(name), np.asarray(value)) for name, value in values.items()]
