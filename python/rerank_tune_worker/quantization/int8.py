"""Writes the int8 graph for given choices. Decides nothing; the forms are described in search.py."""
from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper

from ..onnx_export.onnx_files import Tensor
from .groups import Group, Member
from .search import Choice, quantize_weight
from .tables import is_table, smaller_table

CONTRIB = "com.microsoft"


class Int8Graph:
    """One rewriting of an exported graph; `weight_limit` is 127, or 63 for 7-bit weights, `tables` the form of large lookup tables."""

    def __init__(self, model: onnx.ModelProto, tensors: list[Tensor], groups: list[Group], choices: dict[str, Choice], weight_limit: int, tables: str = "fp16"):
        self.model, self.limit, self.choices, self.tables = model, weight_limit, choices, tables
        self.tensors = {tensor.name: tensor for tensor in tensors}
        self.members = {member.node: (group, member) for group in groups for member in group.members}
        self.sources = {group.source: group for group in groups if group.source is not None}
        self.norms = {group.norm: group for group in groups if group.norm is not None}
        self.nodes: list[onnx.NodeProto] = []
        self.quantized: set[str] = set()
        self.absorbed = {member.output for _, member in self.members.values() if member.bias is not None}

    def build(self) -> tuple[onnx.ModelProto, list[Tensor]]:
        """The model without initializers, and its initializers."""
        for node in self.model.graph.node:
            if node.name in self.members:
                self._matmul(*self.members[node.name])
            elif node.output[0] in self.absorbed:
                continue
            elif node.op_type == "LayerNormalization" and node.name in self.norms:
                self._norm(node)
            elif node.op_type in ("Gather", "Slice") and is_table(self.tensors.get(node.input[0])):
                self._table(node)
            else:
                self.nodes.append(node)
        self._fuse_key_transposes()
        used = {name for node in self.nodes for name in node.input}
        model = onnx.ModelProto()
        model.CopyFrom(self.model)
        del model.graph.node[:]
        model.graph.node.extend(self.nodes)
        model.opset_import.append(helper.make_opsetid(CONTRIB, 1))
        return model, [tensor for name, tensor in self.tensors.items() if name in used]

    def _emit(self, op: str, inputs: list[str], output: str, **attributes) -> str:
        self.nodes.append(helper.make_node(op, inputs, [output], name=output, **attributes))
        return output

    def _constant(self, name: str, value: np.ndarray) -> str:
        self.tensors.setdefault(name, Tensor.of(name, np.asarray(value)))
        return name

    def _lazy(self, name: str, dtype: int, dims: tuple[int, ...], load: Callable[[], np.ndarray]) -> str:
        self.tensors[name] = Tensor(name, dtype, dims, load)
        return name

    def _matmul(self, group: Group, member: Member) -> None:
        choice = self.choices[group.x]
        name, (inputs, outputs) = member.node, member.weight.dims
        columns = self._columns(group, member, choice)
        weight = self._lazy(f"{member.weight.name}.int8", TensorProto.INT8, (inputs, outputs), lambda: columns()[0])
        scales = self._lazy(f"{member.weight.name}.scales", TensorProto.FLOAT, (outputs,), lambda: columns()[1])
        bias = self._bias(member)
        if choice.form == "static":
            q, scale, zero = self._static(group, choice)
            self._emit("MatMulIntegerToFloat", [q, weight, scale, scales, zero, *(["", bias] if bias else [])], member.output, domain=CONTRIB)
            return
        q, scale, zero = self._token(group, choice)
        raw = self._emit("MatMulIntegerToFloat", [q, weight, self._constant("one_scale", np.float32(1)), scales, zero], f"{name}.raw", domain=CONTRIB)
        rows = self._emit("Mul", [raw, scale], f"{name}.rows")
        rows = self._emit("Add", [rows, bias], f"{name}.biased") if bias else rows
        shape = self._emit("Concat", [f"{group.x}.leading", self._constant(f"width_{outputs}", np.array([outputs]))], f"{name}.shape", axis=0)
        self._emit("Reshape", [rows, shape], member.output)

    def _columns(self, group: Group, member: Member, choice: Choice) -> Callable[[], tuple[np.ndarray, np.ndarray]]:
        """Quantized weight and column scales; made twice rather than kept, as a large model has a gigabyte of them."""

        def make() -> tuple[np.ndarray, np.ndarray]:
            weight = self._plain_weight(member) * choice.smooth[:, None]
            rounded, scale = quantize_weight(torch.from_numpy(weight), self.limit)
            return rounded.to(torch.int8).numpy(), scale.numpy()

        return make

    def _plain_weight(self, member: Member) -> np.ndarray:
        weight, behind = np.array(member.weight.load()), self._smoothing_behind(member)
        return weight if behind is None else weight / behind

    def _smoothing_behind(self, member: Member) -> np.ndarray | None:
        """Divisors of the group that this MatMul's output feeds, where they move into its columns."""
        group = self.sources.get(member.node)
        return None if group is None else self.choices[group.x].smooth

    def _bias(self, member: Member) -> str | None:
        behind = self._smoothing_behind(member)
        if member.bias is None or behind is None:
            return None if member.bias is None else member.bias.name
        bias = member.bias
        return self._lazy(f"{bias.name}.smooth", TensorProto.FLOAT, bias.dims, lambda: bias.load() / behind)

    def _norm(self, node: onnx.NodeProto) -> None:
        smooth, copy = self.choices[self.norms[node.name].x].smooth, onnx.NodeProto()
        copy.CopyFrom(node)
        for index in range(1, len(node.input)):
            tensor = self.tensors[node.input[index]]
            copy.input[index] = self._lazy(f"{tensor.name}.smooth", TensorProto.FLOAT, tensor.dims, lambda tensor=tensor: tensor.load() / smooth)
        self.nodes.append(copy)

    def _smoothed(self, group: Group, choice: Choice) -> str:
        if choice.alpha == 0 or group.free_smoothing:
            return group.x
        return self._emit("Mul", [group.x, self._constant(f"{group.x}.inverse", (1 / choice.smooth).astype(np.float32))], f"{group.x}.smooth")

    def _static(self, group: Group, choice: Choice) -> tuple[str, str, str]:
        """Names of the quantized input, its scale and its zero point."""
        names = f"{group.x}.uint8", f"{group.x}.scale", self._constant(f"zero_point_{choice.zero_point}", np.uint8(choice.zero_point))
        if group.x not in self.quantized:
            self.quantized.add(group.x)
            self._constant(names[1], np.float32(choice.scale))
            self._emit("QuantizeLinear", [self._smoothed(group, choice), names[1], names[2]], names[0])
        return names

    def _token(self, group: Group, choice: Choice) -> tuple[str, str, str]:
        """The same for the token form: the input as [tokens, width], the scales as a column."""
        x, zero = group.x, self._constant(f"zero_point_{choice.zero_point}", np.uint8(choice.zero_point))
        names = f"{x}.uint8", f"{x}.column", zero
        if x in self.quantized:
            return names
        self.quantized.add(x)
        flat = self._emit("Reshape", [self._smoothed(group, choice), self._constant(f"flat_{group.width}", np.array([-1, group.width]))], f"{x}.flat")
        sized = self._emit("Abs", [flat], f"{x}.size") if choice.zero_point == 128 else flat
        top = self._reduce_max(sized, f"{x}.top")
        levels = 255 - choice.zero_point
        steps = self._emit("Mul", [top, self._constant(f"per_{levels}", np.float32(1 / levels))], f"{x}.steps")
        scale = self._emit("Max", [steps, self._constant(f"{x}.floor", np.float32(choice.scale))], f"{x}.scale")
        zeros = self._emit("Expand", [zero, self._emit("Shape", [scale], f"{x}.tokens")], f"{x}.zeros")
        self._emit("QuantizeLinear", [flat, scale, zeros], names[0], axis=0)
        self._emit("Unsqueeze", [scale, self._constant("last_axis", np.array([-1]))], names[1])
        self._emit("Shape", [x], f"{x}.leading", start=0, end=-1)
        return names

    def _reduce_max(self, x: str, output: str) -> str:
        if self.model.opset_import[0].version >= 18:
            return self._emit("ReduceMax", [x, self._constant("last_axis", np.array([-1]))], output, keepdims=0)
        return self._emit("ReduceMax", [x], output, axes=[-1], keepdims=0)

    def _table(self, node: onnx.NodeProto) -> None:
        nodes, tensors = smaller_table(node, self.tensors[node.input[0]], self.tables)
        self.nodes.extend(nodes)
        self.tensors |= {tensor.name: tensor for tensor in tensors}

    def _fuse_key_transposes(self) -> None:
        """query @ transpose(key) in one operator: ONNX Runtime else merges the transpose into a slower one (1.46 against 0.90 ms)."""
        turned = {node.output[0]: node for node in self.nodes if node.op_type == "Transpose" and list(node.attribute[0].ints) == [0, 1, 3, 2]}
        fused = []
        for node in self.nodes:
            if node.op_type == "MatMul" and node.input[1] in turned:
                node = helper.make_node("FusedMatMul", [node.input[0], turned[node.input[1]].input[0]], list(node.output), name=node.name, domain=CONTRIB, transB=1)
            fused.append(node)
        used = {name for node in fused for name in node.input}
        self.nodes = [node for node in fused if node.output[0] in used or node.output[0] == "logits"]
