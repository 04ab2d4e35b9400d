"""Writes the int8 graph for given choices. Decides nothing; the forms are described in search.py."""
from __future__ import annotations

from collections import Counter

import numpy as np
import onnx
from onnx import TensorProto, helper

from ..onnx_export.graph_builder import CONTRIB
from ..onnx_export.onnx_files import Tensor
from .groups import Group, Member
from .member_weights import MemberWeights
from .node_writer import NodeWriter
from .rounded_input import static_input, token_input
from .search import BLOCK, Choice
from .sequence_first import sequence_first
from .tables import is_table, smaller_table


class Int8Graph:
    """One rewriting of an exported graph; `weight_limit` is 127, or 63 for 7-bit weights, `tables` the form of large lookup tables."""

    def __init__(self, model: onnx.ModelProto, tensors: list[Tensor], groups: list[Group], choices: dict[str, Choice], weight_limit: int, tables: str = "fp16"):
        self.model, self.choices, self.tables = model, choices, tables
        self.writer = NodeWriter(tensors, model.opset_import[0].version)
        self.members = {member.node: (group, member) for group in groups for member in group.members}
        self.norms = {group.norm: group for group in groups if group.norm is not None}
        self.absorbed = {member.output for _, member in self.members.values() if member.bias is not None}
        self.subtracted = self._residuals()
        self.weight_bits = weight_limit.bit_length() + 1
        self.weights = MemberWeights(groups, choices, self.subtracted, weight_limit)

    def build(self) -> tuple[onnx.ModelProto, list[Tensor]]:
        """The model without initializers, and its initializers."""
        for node in self.model.graph.node:
            if node.name in self.members:
                self._matmul(*self.members[node.name])
            elif node.output[0] in self.absorbed:
                continue
            elif node.op_type == "LayerNormalization" and node.name in self.norms:
                self._norm(node)
            elif node.op_type in ("Gather", "Slice") and is_table(self.writer.tensors.get(node.input[0])):
                self._table(node)
            elif node.op_type == "Sum" and self.subtracted.intersection(node.input):
                self._residual(node)
            else:
                self.writer.nodes.append(node)
        self._fuse_key_transposes()
        self.writer.nodes = sequence_first(self.writer.nodes, self.writer.tensors)
        used = {name for node in self.writer.nodes for name in node.input}
        model = onnx.ModelProto()
        model.CopyFrom(self.model)
        del model.graph.node[:]
        model.graph.node.extend(self.writer.nodes)
        model.opset_import.append(helper.make_opsetid(CONTRIB, 1))
        # For whoever finds the file alone: on x86 without VNNI or AMX products of 8-bit weights saturate, of 7-bit ones never.
        helper.set_model_props(model, {"rerank_tune.weight_bits": str(self.weight_bits)})
        return model, [tensor for name, tensor in self.writer.tensors.items() if name in used]

    def _residuals(self) -> set[str]:
        """Outputs of MatMuls that only a sum of two reads. They are made negative, which costs nothing, and subtracted: Sum runs on
        one thread, and Add before LayerNormalization becomes the slow SkipLayerNormalization (GraphBuilder.residual)."""
        outputs = {member.output for _, member in self.members.values()}
        readers = Counter(name for node in self.model.graph.node for name in node.input)
        sums = [node for node in self.model.graph.node if node.op_type == "Sum" and len(node.input) == 2]
        found = [[name for name in node.input if name in outputs and readers[name] == 1] for node in sums]
        return {names[0] for names in found if names}

    def _residual(self, node: onnx.NodeProto) -> None:
        negative = next(name for name in node.input if name in self.subtracted)
        kept = next(name for name in node.input if name != negative)
        self.writer.emit("Sub", [kept, negative], node.output[0])

    def _matmul(self, group: Group, member: Member) -> None:
        choice = self.choices[group.x]
        emit = {"static": self._static, "token": self._token}.get(choice.form, self._float)
        bias = self.weights.bias(member)
        emit(group, member, choice, None if bias is None else self.writer.add(bias))

    def _static(self, group: Group, member: Member, choice: Choice, bias: str | None) -> None:
        q, scale, zero = static_input(self.writer, group, choice)
        weight, scales = map(self.writer.add, self.weights.columns(member, choice))
        self.writer.emit("MatMulIntegerToFloat", [q, weight, scale, scales, zero, *(["", bias] if bias else [])], member.output, domain=CONTRIB)

    def _token(self, group: Group, member: Member, choice: Choice, bias: str | None) -> None:
        writer, name, outputs = self.writer, member.node, member.weight.dims[1]
        q, scale, zero = token_input(writer, group, choice)
        weight, scales = map(writer.add, self.weights.columns(member, choice))
        raw = writer.emit("MatMulIntegerToFloat", [q, weight, writer.constant("one_scale", np.float32(1)), scales, zero], f"{name}.raw", domain=CONTRIB)
        rows = writer.emit("Mul", [raw, scale], f"{name}.rows")
        rows = writer.emit("Add", [rows, bias], f"{name}.biased") if bias else rows
        shape = writer.emit("Concat", [f"{group.x}.leading", writer.constant(f"width_{outputs}", np.array([outputs]))], f"{name}.shape", axis=0)
        writer.emit("Reshape", [rows, shape], member.output)

    def _float(self, group: Group, member: Member, choice: Choice, bias: str | None) -> None:
        """float32 activations; the weights are float32, or 8-bit integers by blocks."""
        (inputs, outputs), writer = member.weight.dims, self.writer
        output = f"{member.node}.plain" if bias else member.output
        if choice.form == "block":
            integers, scales = map(writer.add, self.weights.blocks(member))
            writer.emit("MatMulNBits", [group.x, integers, scales], output, domain=CONTRIB, K=inputs, N=outputs, bits=8, block_size=BLOCK, accuracy_level=4)
        else:
            writer.emit("MatMul", [group.x, writer.add(self.weights.floats(member))], output)
        if bias:
            writer.emit("Add", [output, bias], member.output)

    def _norm(self, node: onnx.NodeProto) -> None:
        smooth, copy = self.choices[self.norms[node.name].x].smooth, onnx.NodeProto()
        copy.CopyFrom(node)
        for index in range(1, len(node.input)):
            tensor = self.writer.tensors[node.input[index]]
            copy.input[index] = self.writer.add(Tensor(f"{tensor.name}.smooth", TensorProto.FLOAT, tensor.dims, lambda tensor=tensor: tensor.load() / smooth))
        self.writer.nodes.append(copy)

    def _table(self, node: onnx.NodeProto) -> None:
        nodes, tensors = smaller_table(node, self.writer.tensors[node.input[0]], self.tables)
        self.writer.nodes.extend(nodes)
        self.writer.tensors |= {tensor.name: tensor for tensor in tensors}

    def _fuse_key_transposes(self) -> None:
        """query @ transpose(key) in one operator: ONNX Runtime else merges the transpose into a slower one (1.46 against 0.90 ms)."""
        turned = {node.output[0]: node for node in self.writer.nodes if node.op_type == "Transpose" and list(node.attribute[0].ints) == [0, 1, 3, 2]}
        fused = []
        for node in self.writer.nodes:
            if node.op_type == "MatMul" and node.input[1] in turned:
                node = helper.make_node("FusedMatMul", [node.input[0], turned[node.input[1]].input[0]], list(node.output), name=node.name, domain=CONTRIB, transB=1)
            fused.append(node)
        used = {name for node in fused for name in node.input}
        self.writer.nodes = [node for node in fused if node.output[0] in used or node.output[0] == "logits"]
