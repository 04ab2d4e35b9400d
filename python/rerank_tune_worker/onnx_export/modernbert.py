"""The graph of ModernBERT rerankers (pre-layer-norm, rotary positions, alternating full and sliding attention, gated feed-forward)."""
from __future__ import annotations

import math

import numpy as np
from onnx import TensorProto

from ..reporter import JobError
from .bert import attention, split_heads
from .checkpoint import Checkpoint, activation
from .graph_builder import MASKED, GraphBuilder


class ModernBertGraph:
    """Emits one model into a GraphBuilder; the same exact changes as BertGraph."""

    inputs = ["input_ids", "attention_mask"]

    def __init__(self, checkpoint: Checkpoint, builder: GraphBuilder):
        self.weights, self.builder, self.config = checkpoint, builder, checkpoint.config
        self.hidden, self.heads = self.config.hidden_size, self.config.num_attention_heads
        self.head_size = self.hidden // self.heads
        for kind in set(self.config.layer_types):
            if self.config.rope_parameters[kind]["rope_type"] != "default":
                raise JobError("MODEL_UNSUPPORTED", f"rope_type {self.config.rope_parameters[kind]['rope_type']!r} cannot be exported", "use a ModernBERT without rope scaling")

    def emit(self) -> str:
        b, config = self.builder, self.config
        table = "model.embeddings.tok_embeddings.weight"
        words = b.weight("embeddings.word.weight", self.weights.shape(table), self.weights.vector(table))
        x = self._norm(b.node("Gather", [words, "input_ids"], "embeddings.words"), "embeddings.norm", "model.embeddings.norm")
        self._positions()
        last = config.num_hidden_layers - 1
        only_first = config.classifier_pooling == "cls"
        for index in range(last + 1):
            x = self._layer(x, index, first_only=only_first and index == last)
        x = self._norm(x, "final_norm", "model.final_norm")
        pooled = b.node("Squeeze", [x, b.constant("axis_sequence", [1])], "head.first") if only_first else self._mean(x)
        y = b.activation(self._linear(pooled, "head.dense", "head.dense"), "head.activation", config.classifier_activation)
        y = self._norm(y, "head.norm", "head.norm")
        weight = b.weight("head.out.weight", (1, self.hidden), self.weights.vector("classifier.weight"))
        return b.node("Gemm", [y, weight, b.weight("head.out.bias", (1,), self.weights.vector("classifier.bias"))], "logits", transB=1)

    def _positions(self) -> None:
        """Rotary tables and masks of each layer type, made once at run time from the sequence length."""
        b = self.builder
        length = b.node("Shape", ["input_ids"], "positions.length", start=1, end=2)
        scalar = b.node("Squeeze", [length, b.constant("zero", [0])], "positions.scalar")
        numbers = b.node("Range", [b.constant("start", np.int64(0)), scalar, b.constant("step", np.int64(1))], "positions.numbers")
        column = b.node("Unsqueeze", [b.node("Cast", [numbers], "positions.float", to=TensorProto.FLOAT), b.constant("axis_sequence", [1])], "positions.column")
        self.masks = {"full_attention": b.padding_mask()}
        self.rotations = {}
        for kind in sorted(set(self.config.layer_types)):
            theta = self.config.rope_parameters[kind]["rope_theta"]
            steps = np.arange(0, self.head_size, 2, dtype=np.float32) / np.float32(self.head_size)
            frequencies = (1.0 / np.float32(theta) ** steps).astype(np.float32)
            angles = b.node("Mul", [column, b.constant(f"{kind}.frequencies", np.concatenate([frequencies, frequencies])[None])], f"{kind}.angles")
            self.rotations[kind] = b.node("Cos", [angles], f"{kind}.cos"), b.node("Sin", [angles], f"{kind}.sin")
        if "sliding_attention" in self.config.layer_types:
            self.masks["sliding_attention"] = self._sliding_mask(column)

    def _sliding_mask(self, column: str) -> str:
        """Tokens further away than half the window are masked as padding is."""
        b = self.builder
        row = b.node("Transpose", [column], "positions.row", perm=[1, 0])
        distance = b.node("Abs", [b.node("Sub", [column, row], "sliding.offset")], "sliding.distance")
        far = b.node("Greater", [distance, b.constant("half_window", float(self.config.sliding_window))], "sliding.far")
        scaled = b.node("Mul", [b.node("Cast", [far], "sliding.float", to=TensorProto.FLOAT), b.constant("masked", MASKED)], "sliding.additive")
        return b.node("Min", [self.masks["full_attention"], scaled], "sliding.mask")

    def _layer(self, x: str, index: int, first_only: bool) -> str:
        b, name, source, config = self.builder, f"layer.{index}", f"model.layers.{index}", self.config
        normed = x if index == 0 else self._norm(x, f"{name}.attention.norm", f"{source}.attn_norm")
        context = self._attention(normed, index, first_only)
        residual = self._first(x, f"{name}.first") if first_only else x
        x = b.residual(residual, self._linear(context, f"{name}.attention.output", f"{source}.attn.Wo"), f"{name}.attention.residual")
        normed, inner = self._norm(x, f"{name}.norm", f"{source}.mlp_norm"), config.intermediate_size
        up = self._linear(normed, f"{name}.up", f"{source}.mlp.Wi", rows=slice(0, inner))
        gate = self._linear(normed, f"{name}.gate", f"{source}.mlp.Wi", rows=slice(inner, 2 * inner))
        y = b.node("Mul", [b.activation(up, f"{name}.activation", activation(config)), gate], f"{name}.gated")
        return b.residual(x, self._linear(y, f"{name}.down", f"{source}.mlp.Wo"), f"{name}.residual")

    def _attention(self, x: str, index: int, first_only: bool) -> str:
        b, name, source, size = self.builder, f"layer.{index}.attention", f"model.layers.{index}.attn.Wqkv", self.hidden
        kind = self.config.layer_types[index]
        asking = self._first(x, f"{name}.asking") if first_only else x
        scale = np.float32(1 / math.sqrt(self.head_size))
        query = self._heads(self._linear(asking, f"{name}.query", source, slice(0, size), scale), f"{name}.query")
        key = self._heads(self._linear(x, f"{name}.key", source, slice(size, 2 * size)), f"{name}.key")
        value = self._heads(self._linear(x, f"{name}.value", source, slice(2 * size, 3 * size)), f"{name}.value")
        mask = self.masks[kind]
        if first_only:
            if kind == "sliding_attention":
                mask = b.node("Slice", [mask, b.constant("zero", [0]), b.constant("one_token", [1]), b.constant("axis_2", [2])], f"{name}.mask")
        else:
            query = self._rotate(query, kind, f"{name}.query")  # the first token's rotation is the identity
        return attention(b, query, self._rotate(key, kind, f"{name}.key"), value, mask, name, self.hidden)

    def _rotate(self, x: str, kind: str, name: str) -> str:
        b, half = self.builder, self.head_size // 2
        cos, sin = self.rotations[kind]
        axis, middle, end = b.constant("axis_last", [-1]), b.constant("half_head", [half]), b.constant("whole_head", [self.head_size])
        low = b.node("Slice", [x, b.constant("zero", [0]), middle, axis], f"{name}.low")
        high = b.node("Slice", [x, middle, end, axis], f"{name}.high")
        turned = b.node("Concat", [b.node("Neg", [high], f"{name}.negative"), low], f"{name}.turned_half", axis=-1)
        return b.node("Add", [b.node("Mul", [x, cos], f"{name}.cos"), b.node("Mul", [turned, sin], f"{name}.sin")], f"{name}.rotated")

    def _mean(self, x: str) -> str:
        """Mean over real tokens; at least 1 in the denominator, so that a row of padding gives a number."""
        b = self.builder
        real = b.node("Unsqueeze", [b.node("Cast", ["attention_mask"], "mean.real", to=TensorProto.FLOAT), b.constant("axis_last", [-1])], "mean.mask")
        axes = b.constant("axis_sequence", [1])
        total = b.node("ReduceSum", [b.node("Mul", [x, real], "mean.kept"), axes], "mean.total", keepdims=0)
        count = b.node("ReduceSum", [real, axes], "mean.count", keepdims=0)
        return b.node("Div", [total, b.node("Max", [count, b.constant("one", 1.0)], "mean.at_least_one")], "mean")

    def _first(self, x: str, name: str) -> str:
        b = self.builder
        return b.node("Slice", [x, b.constant("zero", [0]), b.constant("one_token", [1]), b.constant("axis_sequence", [1])], name)

    def _heads(self, x: str, name: str) -> str:
        return split_heads(self.builder, x, name, self.heads, self.head_size)

    def _linear(self, x: str, name: str, source: str, rows: slice = slice(None), scale: np.float32 = np.float32(1)) -> str:
        outputs, inputs = self.weights.shape(f"{source}.weight")
        outputs = len(range(outputs)[rows])
        bias = (lambda: self.weights.array(f"{source}.bias")[rows] * scale) if self.weights.has(f"{source}.bias") else None
        return self.builder.linear(x, name, (inputs, outputs), lambda: np.ascontiguousarray(self.weights.array(f"{source}.weight")[rows].T) * scale, bias)

    def _norm(self, x: str, name: str, source: str) -> str:
        width = self.weights.shape(f"{source}.weight")[0]
        return self.builder.layer_norm(x, name, width, self.config.norm_eps, self.weights.vector(f"{source}.weight"), self.weights.optional(f"{source}.bias"))
