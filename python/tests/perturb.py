"""Gives a tiny model biases and norms that are not 0 and 1, as a trained one has: otherwise a lost bias would pass every test."""
import os

import torch
from safetensors.torch import load_file, save_file


def perturb(folder: str) -> None:
    path = os.path.join(folder, "model.safetensors")
    tensors = load_file(path)
    generator = torch.Generator().manual_seed(5)
    for tensor in (tensors[name] for name in sorted(tensors) if tensors[name].dim() == 1):
        tensor += 0.2 * torch.randn(tensor.shape, generator=generator)
    save_file(tensors, path, metadata={"format": "pt"})
