"""Weights and biases of MatMuls as the int8 graph needs them: smoothed, made negative, in integers. Made when the file is written, as a
large model has a gigabyte of them."""
from __future__ import annotations

from collections.abc import Collection

import numpy as np
import torch
from onnx import TensorProto

from ..onnx_export.onnx_files import Tensor
from .groups import Group, Member
from .search import BLOCK, Choice, quantize_blocks, quantize_weight


class MemberWeights:
    """`subtracted` names the outputs that are made negative; `limit` is the largest size of an 8-bit weight."""

    def __init__(self, groups: list[Group], choices: dict[str, Choice], subtracted: Collection[str], limit: int):
        self.choices, self.subtracted, self.limit = choices, subtracted, limit
        self.sources = {group.source: group for group in groups if group.source is not None}

    def columns(self, member: Member, choice: Choice) -> tuple[Tensor, Tensor]:
        """int8 [inputs, outputs] and the scale of each column."""

        def make() -> tuple[np.ndarray, np.ndarray]:
            rounded, scale = quantize_weight(torch.from_numpy(self._plain(member) * choice.smooth[:, None]), self.limit)
            return rounded.to(torch.int8).numpy(), scale.numpy() * self._sign(member)

        name, dims = member.weight.name, member.weight.dims
        # Made twice rather than kept.
        return Tensor(f"{name}.int8", TensorProto.INT8, dims, lambda: make()[0]), Tensor(f"{name}.scales", TensorProto.FLOAT, dims[1:], lambda: make()[1])

    def blocks(self, member: Member) -> tuple[Tensor, Tensor]:
        """What MatMulNBits reads: uint8 around 128 [outputs, inputs / BLOCK, BLOCK], and the scale of each block."""

        def make() -> tuple[np.ndarray, np.ndarray]:
            rounded, scale = quantize_blocks(torch.from_numpy(np.ascontiguousarray(self._plain(member).T) * self._sign(member)))
            return (rounded + 128).to(torch.uint8).numpy(), scale.reshape(-1).numpy()

        name, (inputs, outputs) = member.weight.name, member.weight.dims
        integers = Tensor(f"{name}.blocks", TensorProto.UINT8, (outputs, inputs // BLOCK, BLOCK), lambda: make()[0])
        return integers, Tensor(f"{name}.block_scales", TensorProto.FLOAT, (outputs * inputs // BLOCK,), lambda: make()[1])

    def floats(self, member: Member) -> Tensor:
        return Tensor(f"{member.weight.name}.plain", TensorProto.FLOAT, member.weight.dims, lambda: self._plain(member) * self._sign(member))

    def bias(self, member: Member) -> Tensor | None:
        bias, behind, sign = member.bias, self._smoothing_behind(member), self._sign(member)
        if bias is None or (behind is None and sign > 0):
            return bias
        return Tensor(f"{bias.name}.changed", TensorProto.FLOAT, bias.dims, lambda: bias.load() * sign if behind is None else bias.load() * sign / behind)

    def _plain(self, member: Member) -> np.ndarray:
        weight, behind = np.array(member.weight.load()), self._smoothing_behind(member)
        return weight if behind is None else weight / behind

    def _smoothing_behind(self, member: Member) -> np.ndarray | None:
        """Divisors of the group that this MatMul's output feeds, where they move into its columns."""
        group = self.sources.get(member.node)
        return None if group is None else self.choices[group.x].smooth

    def _sign(self, member: Member) -> np.float32:
        return np.float32(-1 if member.output in self.subtracted else 1)

