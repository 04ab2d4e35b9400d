"""The graph of BERT, RoBERTa and XLM-RoBERTa rerankers (post-layer-norm encoders with learnt positions).

Exact changes against the PyTorch modules, all checked by the golden pairs: the softmax scale sits in the query weights, the
constant token type sits in the position table, and in the last layer only the first token asks, as the head reads no other.
"""
from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from onnx import TensorProto

from .checkpoint import Checkpoint, activation
from .graph_builder import GraphBuilder


class BertGraph:
    """Emits one model into a GraphBuilder."""

    def __init__(self, checkpoint: Checkpoint, builder: GraphBuilder):
        self.weights, self.builder, self.config = checkpoint, builder, checkpoint.config
        self.prefix = "bert" if self.config.model_type == "bert" else "roberta"
        self.hidden, self.heads = self.config.hidden_size, self.config.num_attention_heads
        self.head_size = self.hidden // self.heads
        self.token_types = self.config.model_type == "bert" and self.config.type_vocab_size > 1

    @property
    def inputs(self) -> list[str]:
        return ["input_ids", "attention_mask"] + (["token_type_ids"] if self.token_types else [])

    def emit(self) -> str:
        x = self._embeddings()
        mask = self.builder.padding_mask()
        last = self.config.num_hidden_layers - 1
        for index in range(last + 1):
            x = self._layer(x, mask, index, first_only=index == last)
        return self._head(x)

    def _embeddings(self) -> str:
        b, source = self.builder, f"{self.prefix}.embeddings"
        table = lambda kind: f"{source}.{kind}_embeddings.weight"  # noqa: E731
        words = self._table("embeddings.word", table("word"), self.weights.vector(table("word")))
        x = b.node("Gather", [words, "input_ids"], "embeddings.words")
        x = b.residual(x, self._positions(table("position"), table("token_type")), "embeddings.with_positions")
        if self.token_types:
            types = self._table("embeddings.type", table("token_type"), self.weights.vector(table("token_type")))
            x = b.residual(x, b.node("Gather", [types, "token_type_ids"], "embeddings.types"), "embeddings.sum")
        return self._norm(x, "embeddings.norm", f"{source}.LayerNorm")

    def _table(self, name: str, source: str, load: Callable[[], np.ndarray]) -> str:
        return self.builder.weight(f"{name}.weight", self.weights.shape(source), load)

    def _positions(self, source: str, type_source: str) -> str:
        b = self.builder
        load = self.weights.vector(source) if self.token_types else lambda: self.weights.array(source) + self.weights.array(type_source)[0]
        table = self._table("embeddings.position", source, load)
        if self.config.model_type == "bert":
            length = b.node("Shape", ["input_ids"], "positions.length", start=1, end=2)
            return b.node("Slice", [table, b.constant("zero", [0]), length, b.constant("zero", [0])], "embeddings.positions")
        # RoBERTa numbers real tokens from padding_idx + 1; padding keeps padding_idx.
        padding = b.constant("padding_id", [self.config.pad_token_id])
        real = b.node("Cast", [b.node("Not", [b.node("Equal", ["input_ids", padding], "positions.padding")], "positions.real")], "positions.ones", to=TensorProto.INT64)
        count = b.node("CumSum", [real, b.constant("axis_1", np.int64(1))], "positions.count")
        ids = b.node("Add", [b.node("Mul", [count, real], "positions.kept"), padding], "positions.ids")
        return b.node("Gather", [table, ids], "embeddings.positions")

    def _layer(self, x: str, mask: str, index: int, first_only: bool) -> str:
        b, name, source = self.builder, f"layer.{index}", f"{self.prefix}.encoder.layer.{index}"
        asking = b.node("Slice", [x, b.constant("zero", [0]), b.constant("one_token", [1]), b.constant("axis_sequence", [1])], f"{name}.first") if first_only else x
        context = self._attention(x, asking, mask, f"{name}.attention", f"{source}.attention.self")
        y = self._linear(context, f"{name}.attention.output", f"{source}.attention.output.dense")
        x = self._norm(b.residual(y, asking, f"{name}.attention.residual"), f"{name}.attention.norm", f"{source}.attention.output.LayerNorm")
        y = b.activation(self._linear(x, f"{name}.up", f"{source}.intermediate.dense"), f"{name}.activation", activation(self.config))
        y = self._linear(y, f"{name}.down", f"{source}.output.dense")
        return self._norm(b.residual(y, x, f"{name}.residual"), f"{name}.norm", f"{source}.output.LayerNorm")

    def _attention(self, x: str, asking: str, mask: str, name: str, source: str) -> str:
        b = self.builder
        scale = np.float32(1 / math.sqrt(self.head_size))
        query = self._split_heads(self._linear(asking, f"{name}.query", f"{source}.query", scale), f"{name}.query")
        key = self._split_heads(self._linear(x, f"{name}.key", f"{source}.key"), f"{name}.key")
        value = self._split_heads(self._linear(x, f"{name}.value", f"{source}.value"), f"{name}.value")
        return attention(b, query, key, value, mask, name, self.hidden)

    def _split_heads(self, x: str, name: str) -> str:
        return split_heads(self.builder, x, name, self.heads, self.head_size)

    def _head(self, x: str) -> str:
        b = self.builder
        first = b.node("Squeeze", [x, b.constant("axis_sequence", [1])], "head.first")
        dense, out = ("bert.pooler.dense", "classifier") if self.prefix == "bert" else ("classifier.dense", "classifier.out_proj")
        y = b.node("Tanh", [self._gemm(first, "head.dense", dense, "head.dense")], "head.tanh")
        return self._gemm(y, "head.out", out, "logits")

    def _gemm(self, x: str, name: str, source: str, output: str) -> str:
        b, dims = self.builder, self.weights.shape(f"{source}.weight")
        weight = b.weight(f"{name}.weight", dims, self.weights.vector(f"{source}.weight"))
        return b.node("Gemm", [x, weight, b.weight(f"{name}.bias", (dims[0],), self.weights.vector(f"{source}.bias"))], output, transB=1)

    def _linear(self, x: str, name: str, source: str, scale: np.float32 = np.float32(1)) -> str:
        outputs, inputs = self.weights.shape(f"{source}.weight")
        load, bias = self.weights.transposed(f"{source}.weight"), self.weights.vector(f"{source}.bias")
        return self.builder.linear(x, name, (inputs, outputs), lambda: load() * scale, lambda: bias() * scale)

    def _norm(self, x: str, name: str, source: str) -> str:
        return self.builder.layer_norm(x, name, self.hidden, self.config.layer_norm_eps, self.weights.vector(f"{source}.weight"), self.weights.vector(f"{source}.bias"))


def split_heads(b: GraphBuilder, x: str, name: str, heads: int, head_size: int) -> str:
    """[batch, sequence, heads * size] to [batch, heads, sequence, size]."""
    return b.node("Transpose", [b.node("Reshape", [x, b.constant("heads_shape", [0, 0, heads, head_size])], f"{name}.split")], f"{name}.heads", perm=[0, 2, 1, 3])


def attention(b: GraphBuilder, query: str, key: str, value: str, mask: str, name: str, hidden: int) -> str:
    """softmax(query keyT + mask) value, heads joined again; the scale is already in the query."""
    scores = b.node("MatMul", [query, b.node("Transpose", [key], f"{name}.key.turned", perm=[0, 1, 3, 2])], f"{name}.scores")
    shares = b.node("Softmax", [b.node("Add", [scores, mask], f"{name}.masked")], f"{name}.shares", axis=-1)
    context = b.node("Transpose", [b.node("MatMul", [shares, value], f"{name}.mixed")], f"{name}.joined", perm=[0, 2, 1, 3])
    return b.node("Reshape", [context, b.constant("joined_shape", [0, 0, hidden])], f"{name}.context")
