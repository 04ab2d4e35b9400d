"""Low-rank adaptation (LoRA, Hu et al. 2106.09685): what trains beside frozen weights, and its merge into a plain model."""
from __future__ import annotations

import math
from typing import Any, Iterator

import torch
from torch.nn.utils import parametrize

from .encoder_parts import encoder_layers, head_parameters

ATTENTION = ("attention.", "attn.")  # of BERT-like layers, of ModernBERT's; the other linear layers of an encoder layer are its MLP


class LowRankSum(torch.autograd.Function):
    """weight [out, in], a [rank, in], b [out, rank] -> weight + scale * b @ a, with gradients for a and b alone.

    Keeps the factors itself instead of saving them for autograd: a step adapts each weight once and goes back through it once a micro-batch.
    """

    @staticmethod
    def forward(ctx, weight: torch.Tensor, a: torch.Tensor, b: torch.Tensor, scale: float) -> torch.Tensor:
        ctx.a, ctx.b, ctx.scale = a.detach(), b.detach(), scale
        with torch.autocast(weight.device.type, enabled=False):
            return torch.addmm(weight, b, a, alpha=scale)

    @staticmethod
    def backward(ctx, gradient: torch.Tensor):
        return None, ctx.scale * (ctx.b.t() @ gradient), ctx.scale * (gradient @ ctx.a.t()), None


class LowRank(torch.nn.Module):
    """The adapter of one linear layer. It starts at 0: `a` is drawn as torch draws a linear layer, `b` is 0."""

    def __init__(self, linear: torch.nn.Linear, rank: int, alpha: float, generator: torch.Generator):
        super().__init__()
        bound = 1 / math.sqrt(linear.in_features)
        drawn = (torch.rand(rank, linear.in_features, generator=generator) * 2 - 1) * bound
        self.a = torch.nn.Parameter(drawn.to(linear.weight.device))
        self.b = torch.nn.Parameter(torch.zeros(linear.out_features, rank, device=linear.weight.device))
        self._scale = alpha / rank

    def forward(self, weight: torch.Tensor) -> torch.Tensor:
        return LowRankSum.apply(weight, self.a, self.b, self._scale)


def adapt(model: Any, *, rank: int, alpha: float, targets: str, frozen_layers: int, seed: int) -> None:
    """From here on only adapters of the layers above `frozen_layers` and the head train. `targets`: all, attention or mlp."""
    model.requires_grad_(False)
    generator = torch.Generator().manual_seed(seed)
    for linear in _linears(model, targets, frozen_layers):
        parametrize.register_parametrization(linear, "weight", LowRank(linear, rank, alpha, generator))
    for parameter in head_parameters(model):
        parameter.requires_grad_(True)


def is_factor(name: str) -> bool:
    """Whether a parameter's name is that of a factor of an adapter."""
    return ".parametrizations." in name


def adapted(model: Any) -> list[torch.nn.Linear]:
    """The linear layers with an adapter."""
    return [module for module in model.modules() if isinstance(module, torch.nn.Linear) and parametrize.is_parametrized(module, "weight")]


def merge(model: Any) -> None:
    """Adds the adapters to their weights; the module is plain afterwards, and the weights they changed count as trained."""
    for linear in adapted(model):
        parametrize.remove_parametrizations(linear, "weight", leave_parametrized=True)
        linear.weight.requires_grad_(True)


def _linears(model: Any, targets: str, frozen_layers: int) -> Iterator[torch.nn.Linear]:
    for layer in encoder_layers(model)[frozen_layers:]:
        for name, module in list(layer.named_modules()):
            if isinstance(module, torch.nn.Linear) and targets in ("all", "attention" if name.startswith(ATTENTION) else "mlp"):
                yield module
