"""Turns each attention of an exported graph into one com.microsoft MultiHeadAttention, for GPUs, where fused kernels need it (onnx.md §4).

Works on the names that onnx_export/bert.py `attention` gives. The padding mask becomes `key_padding_mask` with the very value that
the graph adds (decision 13 says why this is no default: WebGPU refuses that input).
"""
from __future__ import annotations

import onnx
from onnx import TensorProto, helper

from ..onnx_export.graph_builder import CONTRIB, MASKED
from ..onnx_export.onnx_files import Tensor

CONTEXT, SCORES, MASKED_SCORES, MIXED = ".attention.context", ".attention.scores", ".attention.masked", ".attention.mixed"
KEY_MASK = "mask.key_padding"
PADDING_MASK = "mask"


def fuse_attention(model: onnx.ModelProto, tensors: list[Tensor], largest: dict[str, float]) -> tuple[onnx.ModelProto, list[Tensor], dict[str, float]]:
    """The graph with fused attention, the tensors it still reads, and `largest` with what is now inside a node counted to its output."""
    fused = onnx.ModelProto()
    fused.CopyFrom(model)
    nodes = {node.output[0]: node for node in model.graph.node}
    shapes = {tensor.name: tensor for tensor in tensors}
    largest = dict(largest)
    made: list[onnx.NodeProto] = []
    for node in model.graph.node:
        if node.output[0].endswith(CONTEXT):
            made += _attention(node.output[0][: -len(CONTEXT)], nodes, shapes)
            inside = [node.output[0][: -len(CONTEXT)] + part for part in (SCORES, MASKED_SCORES, MIXED)]
            largest[node.output[0]] = max([largest.get(name, 0.0) for name in (*inside, node.output[0])])
        else:
            made.append(node)
    key_mask = helper.make_node("Cast", ["attention_mask"], [KEY_MASK], name=KEY_MASK, to=TensorProto.INT32)
    del fused.graph.node[:]
    fused.graph.node.extend(_needed([key_mask, *made], {output.name for output in model.graph.output}))
    fused.opset_import.append(helper.make_opsetid(CONTRIB, 1))
    used = {name for node in fused.graph.node for name in node.input}
    return fused, [tensor for tensor in tensors if tensor.name in used], largest


def _attention(name: str, nodes: dict[str, onnx.NodeProto], tensors: dict[str, Tensor]) -> list[onnx.NodeProto]:
    """Nodes in the place of one attention; the last makes its context."""
    scores, mask = nodes[name + SCORES], nodes[name + MASKED_SCORES].input[1]
    query, key = scores.input[0], nodes[scores.input[1]].input[0]
    value = nodes[name + MIXED].input[1]
    heads = int(tensors[_split(value, nodes).input[1]].load()[2])
    before: list[onnx.NodeProto] = []
    flat = [_unsplit(tensor, nodes) for tensor in (query, key, value)]
    if None in flat:  # rotated: the operator takes keys and values by heads, but no query
        joined = f"{name}.attention.query.joined"
        before.append(helper.make_node("Transpose", [query], [f"{joined}.turned"], name=f"{joined}.turned", perm=[0, 2, 1, 3]))
        before.append(helper.make_node("Reshape", [f"{joined}.turned", "joined_shape"], [joined], name=joined))
        flat = [joined, key, value]
    masks = [KEY_MASK] if mask == PADDING_MASK else ["", mask]
    context = name + CONTEXT
    node = helper.make_node(
        "MultiHeadAttention", [*flat, "", *masks], [context], name=context, domain=CONTRIB, num_heads=heads, scale=1.0, mask_filter_value=MASKED
    )  # the scale is in the weights of the query already
    return [*before, node]


def _split(tensor: str, nodes: dict[str, onnx.NodeProto]) -> onnx.NodeProto:
    """The Reshape that cut [batch, sequence, hidden] into heads; rotation may lie between."""
    node = nodes[tensor]
    while node.op_type != "Reshape":
        node = nodes[node.input[0]]
    return node


def _unsplit(tensor: str, nodes: dict[str, onnx.NodeProto]) -> str | None:
    """The tensor before it was cut into heads, when nothing but that happened to it."""
    turned = nodes[tensor]
    cut = nodes.get(turned.input[0])
    return cut.input[0] if turned.op_type == "Transpose" and cut is not None and cut.op_type == "Reshape" else None


def _needed(nodes: list[onnx.NodeProto], outputs: set[str]) -> list[onnx.NodeProto]:
    """The nodes that the outputs depend on, in their order."""
    kept: list[onnx.NodeProto] = []
    for node in reversed(nodes):
        if outputs.intersection(node.output):
            kept.append(node)
            outputs = outputs | set(node.input)
    return kept[::-1]
