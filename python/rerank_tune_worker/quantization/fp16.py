"""The fp16 graph: half the bytes, float32 logits. For GPUs; the CPU provider converts back and wins nothing (onnx.md §3.3).

Own conversion, because onnxruntime.transformers.float16 needs the whole float32 model as one protobuf message, which ends at 2 GB.
Kept in float32: positions and masks (numbers beyond 2,048 lose their last digit in float16), LayerNormalization and Softmax
(sums and squares overflow), the head (cheap, and it makes the score), and every node whose output, inputs or weights exceed OVERFLOW,
activations by what they were on calibration pairs: a value that is too large may be kept and moved, but not handed on in float16.
"""
from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper

from ..onnx_export.onnx_files import Tensor
from .activations import SAME_VALUES

# float16 ends at 65504; the margin is onnx.md §3.5's.
OVERFLOW = 6e4
KEPT_OPERATORS = ("LayerNormalization", "Softmax", "Cos", "Sin", "Range", "Cast", "CumSum", "Equal", "Not", "Shape", "Greater")
KEPT_NAMES = ("positions.", "mask", "sliding.", "full_attention.", "sliding_attention.", "head.", "mean", "logits")
HALF, FLOAT = TensorProto.FLOAT16, TensorProto.FLOAT


def to_half(values: np.ndarray) -> np.ndarray:
    """Rounds to float16; what would overflow ends at the largest finite value."""
    return np.clip(values, -65504, 65504).astype(np.float16)


def _largest(tensor: Tensor) -> float:
    values = tensor.load()
    return float(max(values.max(), -values.min())) if values.size else 0.0


class HalfGraph:
    """One conversion; `largest` holds the largest |x| of activations by name."""

    def __init__(self, model: onnx.ModelProto, tensors: list[Tensor], largest: dict[str, float]):
        self.model = model
        self.tensors = {tensor.name: tensor for tensor in tensors}
        self.large = {name for name, value in largest.items() if value > OVERFLOW}
        self.large |= {tensor.name for tensor in tensors if tensor.dtype == FLOAT and _largest(tensor) > OVERFLOW}
        self.types: dict[str, int] = {tensor.name: tensor.dtype for tensor in tensors}
        self.types |= {value.name: value.type.tensor_type.elem_type for value in model.graph.input}
        self.nodes: list[onnx.NodeProto] = []
        self.casts: dict[tuple[str, int], str] = {}

    def build(self) -> tuple[onnx.ModelProto, list[Tensor]]:
        for node in self.model.graph.node:
            self._convert(node)
        used = {name for node in self.nodes for name in node.input}
        model = onnx.ModelProto()
        model.CopyFrom(self.model)
        del model.graph.node[:]
        model.graph.node.extend(self.nodes)
        return model, [tensor for name, tensor in self.tensors.items() if name in used]

    def _convert(self, node: onnx.NodeProto) -> None:
        floats = [name for name in node.input if self.types.get(name) in (FLOAT, HALF)]
        copy = onnx.NodeProto()
        copy.CopyFrom(node)
        output = self._output_type(node, bool(floats))
        if floats and output in (FLOAT, HALF):
            for index, name in enumerate(node.input):
                if self.types.get(name) in (FLOAT, HALF):
                    copy.input[index] = self._as(name, output)
        if copy.op_type == "Sum":
            copy.op_type = "Add"  # GPUs have a good fused kernel for Add before LayerNormalization
        self.nodes.append(copy)
        for name in node.output:
            self.types[name] = output
        if node.op_type in SAME_VALUES and self.large.intersection(node.input):
            self.large.update(node.output)

    def _output_type(self, node: onnx.NodeProto, has_floats: bool) -> int:
        if node.op_type == "Cast":
            return next(attribute.i for attribute in node.attribute if attribute.name == "to")
        if not has_floats:
            return {"Equal": TensorProto.BOOL, "Not": TensorProto.BOOL, "Shape": TensorProto.INT64}.get(node.op_type) or self.types[node.input[0]]
        if node.op_type == "Greater":
            return TensorProto.BOOL
        keep = node.op_type in KEPT_OPERATORS or node.name.startswith(KEPT_NAMES) or bool(self.large.intersection((*node.input, *node.output)))
        return FLOAT if keep else HALF

    def _as(self, name: str, dtype: int) -> str:
        """`name` in the given type: a converted copy of a weight, or a Cast of an activation, each made once."""
        if self.types[name] == dtype:
            return name
        if (name, dtype) not in self.casts:
            self.casts[name, dtype] = self._half_weight(name) if name in self.tensors else self._cast(name, dtype)
        return self.casts[name, dtype]

    def _half_weight(self, name: str) -> str:
        tensor, half = self.tensors[name], f"{name}.half"
        self.tensors[half] = Tensor(half, HALF, tensor.dims, lambda: to_half(tensor.load()))
        self.types[half] = HALF
        return half

    def _cast(self, name: str, dtype: int) -> str:
        output = f"{name}.{'half' if dtype == HALF else 'float'}"
        self.nodes.append(helper.make_node("Cast", [name], [output], name=output, to=dtype))
        self.types[output] = dtype
        return output
