"""Trained weights in and out of a model, tensor by tensor: no full copy is made that the caller did not ask for."""
from __future__ import annotations

import os
from typing import Iterable, Iterator

import torch
from safetensors.torch import save_file
from torch.nn.utils import parametrize

from .checkpoint import replace_file
from .lora import is_factor
from .model import PairModel

Named = Iterable[tuple[str, torch.Tensor]]


def put(model: PairModel, tensors: Named) -> None:
    """`tensors`: every trained parameter by its name."""
    parameters = model.parameters
    with torch.no_grad():
        for name, tensor in tensors:
            parameters[name].copy_(tensor)


def swap(model: PairModel, weights: dict[str, torch.Tensor]) -> None:
    """Exchanges the trained parameters with `weights`, on whatever device these are."""
    with torch.no_grad():
        for name, parameter in model.parameters.items():
            before = parameter.detach().to(weights[name].device, copy=True)
            parameter.copy_(weights[name])
            weights[name] = before


def save_weights(path: str, model: PairModel) -> None:
    """The trained parameters as they are; whole or not at all."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    tensors = {name: parameter.detach().cpu().contiguous() for name, parameter in model.parameters.items()}
    replace_file(path, lambda temporary: save_file(tensors, temporary))


def plain_weights(model: PairModel) -> Iterator[tuple[str, torch.Tensor]]:
    """What `model.parameters` are once adapters are merged, without merging them: the sum of a weight and its adapter stands for the factors."""
    with torch.no_grad():
        for name, parameter in model.parameters.items():
            if not is_factor(name):
                yield name, parameter.detach()
        for name, module in model.module.named_modules():
            if isinstance(module, torch.nn.Linear) and parametrize.is_parametrized(module, "weight"):
                yield f"{name}.weight", module.weight.detach()
