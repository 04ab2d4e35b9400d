"""Makes a loaded classifier compute as a server does that reads the same files. Changes no file."""
from __future__ import annotations

from typing import Any


def as_tei_on_gpu(module: Any, device: str) -> int:
    """As text-embeddings-inference does on a GPU: weights in float16, and tanh-GELU in place of the erf form (TEI PR #753; onnx.md §1.1).

    On a CPU the weights are rounded and the arithmetic stays float32: TEI's own rounding of activations is then not in it.
    Returns how many activations were replaced. Raises nothing: a value beyond float16 becomes infinite, as it does there.
    """
    import torch

    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(parameter.half().to(parameter.dtype))
    if device == "cuda":
        module.half()
    return _with_tanh_gelu(module)


def _with_tanh_gelu(module: Any) -> int:
    import torch
    from transformers.activations import GELUActivation

    replaced = 0
    for parent in module.modules():
        for name, child in parent.named_children():
            exact = isinstance(child, GELUActivation) or (isinstance(child, torch.nn.GELU) and child.approximate == "none")
            if exact:
                setattr(parent, name, torch.nn.GELU(approximate="tanh"))
                replaced += 1
    return replaced
