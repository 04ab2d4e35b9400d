"""Turns a finished int8 graph from [batch, sequence, ...] to [sequence, batch, ...]: ONNX Runtime's FusedMatMul then reads queries,
keys and values where they lie, and three of the four transposes of each attention are gone. Changes no score by a single bit.

Graphs that mix tokens in other ways (rotary positions, mean pooling) come back as they were.
"""
from __future__ import annotations

import numpy as np
import onnx
from onnx import helper

from ..onnx_export.graph_builder import CONTRIB
from ..onnx_export.onnx_files import Tensor

HEADS = [0, 2, 1, 3]
# Operators that reach across tokens, but for those that are turned below, and the positions of rotary models.
UNKNOWN = {"ReduceSum", "ReduceMean", "Range", "Cos", "Sin", "Neg", "Min", "Greater"}


def sequence_first(nodes: list[onnx.NodeProto], tensors: dict[str, Tensor]) -> list[onnx.NodeProto]:
    """The nodes in their order, in the other layout, or as given. `tensors` gains the axes that they name."""
    turning = _Turning(nodes, tensors)
    return turning.turned() if turning.possible else nodes


class _Turning:
    def __init__(self, nodes: list[onnx.NodeProto], tensors: dict[str, Tensor]):
        self.nodes, self.tensors = nodes, tensors
        self.consumers: dict[str, list[onnx.NodeProto]] = {}
        for node in nodes:
            for name in node.input:
                self.consumers.setdefault(name, []).append(node)
        transposes = [node for node in nodes if node.op_type == "Transpose"]
        # A transpose before a product makes heads, one after it joins them.
        self.split = {node.output[0]: node.input[0] for node in transposes if self._feeds_products(node.output[0])}
        self.joined = {node.output[0] for node in transposes if node.output[0] not in self.split}
        self.possible = len(self.split) == 3 * len(self.joined) > 0 and not any(node.op_type in UNKNOWN for node in nodes) and all(_perm(node) == HEADS for node in transposes)
        # Rows of a table that stand for the positions of every text: [sequence, width], without a batch.
        self.rows = {node.output[0] for node in nodes if node.op_type == "Slice" and node.input[0] in tensors}
        self.rows |= {node.output[0] for node in nodes if node.op_type == "Cast" and node.input[0] in self.rows}

    def _feeds_products(self, name: str) -> bool:
        return all(node.op_type in ("MatMul", "FusedMatMul") for node in self.consumers[name])

    def turned(self) -> list[onnx.NodeProto]:
        self.tensors["axis_0"] = Tensor.of("axis_0", np.array([0]))
        self.tensors["axis_1_list"] = Tensor.of("axis_1_list", np.array([1]))
        result: dict[str, onnx.NodeProto] = {}  # by output: a lookup's ids are turned once for all that read them
        for node in self.nodes:
            if node.output[0] in self.split:
                continue
            copy = onnx.NodeProto()
            copy.CopyFrom(node)
            for made in self._before(copy):
                result.setdefault(made.output[0], made)
            result[node.output[0]] = self._turn(copy)
        return list(result.values())

    def _before(self, node: onnx.NodeProto) -> list[onnx.NodeProto]:
        """Nodes that bring a lookup's ids, or the rows of positions, into the other layout; `node` reads them afterwards."""
        if node.op_type == "Gather":
            ids = node.input[1]
            node.input[1] = f"{ids}.turned"
            return [helper.make_node("Transpose", [ids], [node.input[1]], name=node.input[1], perm=[1, 0])]
        added = []
        for index, name in enumerate(node.input):
            if name in self.rows and node.op_type not in ("Cast", "Slice"):
                node.input[index] = f"{name}.column"
                added.append(helper.make_node("Unsqueeze", [name, "axis_1_list"], [node.input[index]], name=node.input[index]))
        return added

    def _turn(self, node: onnx.NodeProto) -> onnx.NodeProto:
        if node.op_type in ("MatMul", "FusedMatMul"):
            return self._product(node)
        if node.output[0] in self.joined:
            return helper.make_node("Transpose", list(node.input), list(node.output), name=node.name, perm=[2, 0, 1, 3])
        if node.op_type == "Slice" and node.input[0] not in self.tensors:
            node.input[3] = "axis_0"
        if node.op_type == "Squeeze":
            node.input[1] = "axis_0"
        return node

    def _product(self, node: onnx.NodeProto) -> onnx.NodeProto:
        sides = [name in self.split for name in node.input]
        if not any(sides):
            return node
        attributes = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
        attributes |= {key: 1 for key, side in zip(("transBatchA", "transBatchB"), sides) if side}
        inputs = [self.split.get(name, name) for name in node.input]
        return helper.make_node("FusedMatMul", inputs, list(node.output), name=node.name, domain=CONTRIB, **attributes)


def _perm(node: onnx.NodeProto) -> list[int]:
    return list(node.attribute[0].ints)
