"""Smaller lookup tables (embeddings): as float16, or as int8 with a scale per row. Builds nodes; chooses nothing.

A lookup reads whole rows, so a scale per row costs four bytes in a thousand and nothing depends on the batch.
"""
from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper

from ..onnx_export.onnx_files import Tensor

# Smaller tables stay float32.
HALF_FROM_BYTES = 2**16
# Below this the second half is not worth its rounding: position and type tables of every usual model.
INT8_FROM_BYTES = 2**23
ROWS_AT_A_TIME = 4096


def is_table(tensor: Tensor | None) -> bool:
    return tensor is not None and tensor.dtype == TensorProto.FLOAT and len(tensor.dims) == 2 and tensor.nbytes >= HALF_FROM_BYTES


def is_large(node: onnx.NodeProto, tensor: Tensor) -> bool:
    """Whether int8 would be used for this lookup."""
    return node.op_type == "Gather" and is_table(tensor) and tensor.nbytes >= INT8_FROM_BYTES


def has_large_table(graph: onnx.GraphProto, tensors: list[Tensor]) -> bool:
    named = {tensor.name: tensor for tensor in tensors}
    return any(node.input[0] in named and is_large(node, named[node.input[0]]) for node in graph.node if node.input)


def smaller_table(node: onnx.NodeProto, tensor: Tensor, form: str) -> tuple[list[onnx.NodeProto], list[Tensor]]:
    """Nodes that look up (`Gather` or `Slice`) in a smaller copy of `tensor`, under the name of `node`'s output, and the tensors they need."""
    if form == "int8" and is_large(node, tensor):
        return _int8_table(node, tensor)
    half = Tensor(f"{tensor.name}.half", TensorProto.FLOAT16, tensor.dims, lambda: tensor.load().astype(np.float16))
    copy = _lookup(node, half, "half")
    return [copy, _cast(copy.output[0], node.output[0])], [half]


def _int8_table(node: onnx.NodeProto, tensor: Tensor) -> tuple[list[onnx.NodeProto], list[Tensor]]:
    integers = Tensor(f"{tensor.name}.int8", TensorProto.INT8, tensor.dims, lambda: quantize_rows(tensor.load())[0])
    scales = Tensor(f"{tensor.name}.scales", TensorProto.FLOAT, (tensor.dims[0], 1), lambda: row_scales(tensor.load()))
    values, scale, output = _lookup(node, integers, "int8"), _lookup(node, scales, "scale"), node.output[0]
    steps = _cast(values.output[0], f"{output}.steps")
    product = helper.make_node("Mul", [steps.output[0], scale.output[0]], [output], name=output)
    return [values, scale, steps, product], [integers, scales]


def row_scales(table: np.ndarray) -> np.ndarray:
    """[rows, 1]: the largest size in each row is 127 steps. A few thousand rows at a time: the table of bge-reranker-v2-m3 is a gigabyte."""
    largest = [np.abs(table[start : start + ROWS_AT_A_TIME]).max(1, keepdims=True) for start in range(0, len(table), ROWS_AT_A_TIME)]
    return np.maximum(np.concatenate(largest) / 127, 1e-12).astype(np.float32)


def quantize_rows(table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Integers in [-127, 127] and the scale of each row, [rows, 1]."""
    integers, scales = np.empty(table.shape, np.int8), row_scales(table)
    for start in range(0, len(table), ROWS_AT_A_TIME):
        rows = slice(start, start + ROWS_AT_A_TIME)
        integers[rows] = np.rint(table[rows] / scales[rows])
    return integers, scales


def _lookup(node: onnx.NodeProto, table: Tensor, kind: str) -> onnx.NodeProto:
    """The same lookup in another table."""
    copy = onnx.NodeProto()
    copy.CopyFrom(node)
    copy.input[0] = table.name
    copy.name = copy.output[0] = f"{node.output[0]}.{kind}"
    return copy


def _cast(x: str, output: str) -> onnx.NodeProto:
    return helper.make_node("Cast", [x], [output], name=output, to=TensorProto.FLOAT)
