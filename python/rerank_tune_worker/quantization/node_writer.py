"""Nodes and tensors of a graph that is being written. Knows operators, not models."""
from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import onnx
from onnx import helper

from ..onnx_export.onnx_files import Tensor


class NodeWriter:
    """Every method returns the name of what it added. A node is named after its one output."""

    def __init__(self, tensors: Iterable[Tensor], opset: int):
        self.opset = opset
        self.nodes: list[onnx.NodeProto] = []
        self.tensors = {tensor.name: tensor for tensor in tensors}

    def emit(self, op: str, inputs: list[str], output: str, **attributes) -> str:
        self.nodes.append(helper.make_node(op, inputs, [output], name=output, **attributes))
        return output

    def constant(self, name: str, value: np.ndarray) -> str:
        """One name means one value."""
        self.tensors.setdefault(name, Tensor.of(name, np.asarray(value)))
        return name

    def add(self, tensor: Tensor) -> str:
        self.tensors[tensor.name] = tensor
        return tensor.name

    def reduce_max(self, x: str, output: str) -> str:
        """Over the last axis, which goes."""
        if self.opset >= 18:
            return self.emit("ReduceMax", [x, self.constant("last_axis", np.array([-1]))], output, keepdims=0)
        return self.emit("ReduceMax", [x], output, axes=[-1], keepdims=0)
