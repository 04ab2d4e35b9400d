"""Collects nodes and lazy weights of one graph under readable names. Knows operators, not models."""
from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import onnx
from onnx import TensorProto, helper

from .onnx_files import Tensor

# Added to attention scores of padding: exp(-10000) is exactly 0 in float32, it fits float16 twice over,
# and a row with nothing but padding gets an ordinary softmax instead of NaN (onnx.md §3.5).
MASKED = -10000.0
# ONNX Runtime's own operators.
CONTRIB = "com.microsoft"
# IR versions in which these operator sets were released; ONNX Runtime 1.20-1.22 reads up to 10.
IR_VERSIONS = {17: 8, 18: 8, 19: 9, 20: 9}


class GraphBuilder:
    """Grows a graph; every method returns the name of its output."""

    def __init__(self, opset: int):
        self.opset = opset
        self.nodes: list[onnx.NodeProto] = []
        self.tensors: dict[str, Tensor] = {}

    def node(self, op: str, inputs: Sequence[str], name: str, **attributes) -> str:
        self.nodes.append(helper.make_node(op, list(inputs), [name], name=name, **attributes))
        return name

    def constant(self, name: str, value: np.ndarray | float | Sequence[int]) -> str:
        """A small constant; one name means one value. Lists of integers become int64, floats float32."""
        if isinstance(value, float):
            value = np.float32(value)
        array = np.asarray(value)
        self.tensors.setdefault(name, Tensor.of(name, array.astype(np.int64) if array.dtype.kind == "i" else array))
        return name

    def weight(self, name: str, dims: tuple[int, ...], load: Callable[[], np.ndarray]) -> str:
        """A float32 weight that is read when the file is written."""
        self.tensors[name] = Tensor(name, TensorProto.FLOAT, dims, load)
        return name

    def linear(self, x: str, name: str, dims: tuple[int, int], weight: Callable[[], np.ndarray], bias: Callable[[], np.ndarray] | None) -> str:
        """x @ weight + bias; `dims` = (inputs, outputs), `weight()` is shaped like that."""
        y = self.node("MatMul", [x, self.weight(f"{name}.weight", dims, weight)], f"{name}.matmul")
        return y if bias is None else self.node("Add", [y, self.weight(f"{name}.bias", (dims[1],), bias)], f"{name}.add")

    def layer_norm(self, x: str, name: str, width: int, epsilon: float, weight: Callable[[], np.ndarray], bias: Callable[[], np.ndarray] | None) -> str:
        inputs = [x, self.weight(f"{name}.weight", (width,), weight)]
        if bias is not None:
            inputs.append(self.weight(f"{name}.bias", (width,), bias))
        return self.node("LayerNormalization", inputs, name, axis=-1, epsilon=epsilon)

    def residual(self, x: str, y: str, name: str) -> str:
        """x + y, written as Sum: Add before LayerNormalization gets fused to SkipLayerNormalization, whose CPU kernel takes
        2.8 ms where the two take 0.6 (50 x 64 x 384, ONNX Runtime 1.30, 2 threads)."""
        return self.node("Sum", [x, y], name)

    def activation(self, x: str, name: str, kind: str) -> str:
        """gelu in the very form that ONNX Runtime's fusion looks for, its tanh approximation, or relu."""
        if kind == "relu":
            return self.node("Relu", [x], f"{name}.relu")
        one, half = self.constant("one", 1.0), self.constant("half", 0.5)
        if kind == "gelu":
            inner = self.node("Erf", [self.node("Div", [x, self.constant("sqrt_2", math.sqrt(2.0))], f"{name}.scaled")], f"{name}.erf")
        else:  # 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))), Hendrycks & Gimpel 2016
            cube = self.node("Pow", [x, self.constant("three", 3.0)], f"{name}.cube")
            sum_ = self.node("Add", [x, self.node("Mul", [cube, self.constant("gelu_cubic", 0.044715)], f"{name}.cubic")], f"{name}.sum")
            inner = self.node("Tanh", [self.node("Mul", [sum_, self.constant("gelu_scale", math.sqrt(2.0 / math.pi))], f"{name}.scaled")], f"{name}.tanh")
        product = self.node("Mul", [x, self.node("Add", [inner, one], f"{name}.plus_one")], f"{name}.product")
        return self.node("Mul", [product, half], f"{name}.gelu")

    def padding_mask(self) -> str:
        """[batch, 1, 1, sequence]: 0 for real tokens, MASKED for padding."""
        padded = self.node("Equal", ["attention_mask", self.constant("zero", [0])], "mask.padded")
        scaled = self.node("Mul", [self.node("Cast", [padded], "mask.float", to=TensorProto.FLOAT), self.constant("masked", MASKED)], "mask.additive")
        return self.node("Unsqueeze", [scaled, self.constant("axes_1_2", [1, 2])], "mask")

    def model(self, inputs: Sequence[str], output: str) -> onnx.ModelProto:
        """The finished model without its weights; all inputs int64 [batch_size, sequence_length], output float32 [batch_size, 1]."""
        axes = ["batch_size", "sequence_length"]
        graph = helper.make_graph(
            self.nodes,
            "reranker",
            [helper.make_tensor_value_info(name, TensorProto.INT64, axes) for name in inputs],
            [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["batch_size", 1])],
        )
        opsets = [helper.make_opsetid("", self.opset)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSIONS[self.opset], producer_name="rerank-tune")
