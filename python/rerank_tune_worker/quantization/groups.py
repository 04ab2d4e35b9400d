"""Finds the weight MatMuls of an exported graph, grouped by the tensor they read. Changes nothing."""
from __future__ import annotations

from dataclasses import dataclass, field

import onnx

from ..onnx_export.onnx_files import Tensor

# The head works on one token a pair: nothing to win, and its error would go straight into the score.
LEFT_ALONE = ("head.",)


@dataclass(frozen=True)
class Member:
    """One y = x W (+ bias). `output` is the name behind the bias where there is one."""

    node: str
    weight: Tensor
    bias: Tensor | None
    output: str


@dataclass
class Group:
    """MatMuls that read the same activations and so share smoothing and quantization.

    `source` names the MatMul whose output columns are the channels of `x` up to linear, channel-wise steps
    (value projection for the attention output, gate for a gated feed-forward): smoothing goes into its weights for free.
    `norm` names the LayerNormalization that makes `x` for this group alone, with the same effect.
    """

    x: str
    width: int
    members: list[Member] = field(default_factory=list)
    source: str | None = None
    norm: str | None = None

    @property
    def free_smoothing(self) -> bool:
        return self.source is not None or self.norm is not None


def find_groups(graph: onnx.GraphProto, tensors: list[Tensor]) -> list[Group]:
    """Groups in the order of the graph."""
    weights = {tensor.name: tensor for tensor in tensors}
    producers = {node.output[0]: node for node in graph.node}
    consumers: dict[str, list[onnx.NodeProto]] = {}
    for node in graph.node:
        for name in node.input:
            consumers.setdefault(name, []).append(node)
    groups: dict[str, Group] = {}
    for node in graph.node:
        weight = weights.get(node.input[1]) if node.op_type == "MatMul" else None
        if weight is None or len(weight.dims) != 2 or node.name.startswith(LEFT_ALONE):
            continue
        group = groups.setdefault(node.input[0], Group(node.input[0], weight.dims[0]))
        group.members.append(_member(node, weight, weights, consumers))
    for group in groups.values():
        _find_free_smoothing(group, weights, producers, consumers)
    return list(groups.values())


def _member(node: onnx.NodeProto, weight: Tensor, weights: dict[str, Tensor], consumers: dict[str, list[onnx.NodeProto]]) -> Member:
    following = consumers.get(node.output[0], [])
    if len(following) == 1 and following[0].op_type == "Add":
        bias = [weights[name] for name in following[0].input if name in weights and len(weights[name].dims) == 1]
        if bias:
            return Member(node.name, weight, bias[0], following[0].output[0])
    return Member(node.name, weight, None, node.output[0])


def _find_free_smoothing(group: Group, weights: dict[str, Tensor], producers: dict[str, onnx.NodeProto], consumers: dict[str, list[onnx.NodeProto]]) -> None:
    producer = producers.get(group.x)
    only_here = {node.name for node in consumers[group.x]} == {member.node for member in group.members}
    if producer is None or not only_here:
        return
    if producer.op_type == "LayerNormalization":
        group.norm = producer.name
        return
    group.source = _linear_source(group.x, group.width, weights, producers, consumers)


def _linear_source(x: str, width: int, weights: dict[str, Tensor], producers: dict[str, onnx.NodeProto], consumers: dict[str, list[onnx.NodeProto]]) -> str | None:
    """Walks back from x over steps that keep channels apart, to the MatMul that makes them."""
    node = producers.get(x)
    while node is not None and len(consumers[node.output[0]]) == 1:
        if node.op_type == "MatMul" and node.input[1] in weights:
            return node.name if weights[node.input[1]].dims[1] == width else None
        if node.op_type in ("Reshape", "Transpose"):
            node = producers.get(node.input[0])
        elif node.op_type == "MatMul":
            node = producers.get(node.input[1])  # attention: shares @ value
        elif node.op_type == "Add" and any(name in weights for name in node.input):
            node = producers.get(next(name for name in node.input if name not in weights))
        elif node.op_type == "Mul" and not any(name in weights for name in node.input):
            node = producers.get(node.input[1])  # activation(up) * gate
        else:
            return None
    return None
