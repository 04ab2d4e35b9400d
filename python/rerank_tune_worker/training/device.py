"""Chooses device and precision, and measures this process."""
from __future__ import annotations

import sys

import torch

from ..reporter import JobError


def choose_device(wanted: str) -> str:
    """`auto` takes CUDA where torch can use it."""
    if wanted == "cuda" and not torch.cuda.is_available():
        raise JobError("ENVIRONMENT_BROKEN", "train.device is cuda, but torch finds no usable GPU", "use `--set train.device=auto`, or install a CUDA build of torch")
    return "cuda" if wanted != "cpu" and torch.cuda.is_available() else "cpu"


def choose_bf16(wanted: str, device: str) -> bool:
    """`auto` takes bf16 where the hardware multiplies it: AMX, avx512_bf16, recent GPUs. Elsewhere it is emulated and slow."""
    if wanted != "auto":
        return wanted == "bf16"
    if device == "cuda":
        return torch.cuda.is_bf16_supported()
    probes = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, name, lambda: False)() for name in probes)


def peak_memory_bytes() -> int:
    """Largest resident size of this process so far; 0 where the system does not tell (Windows)."""
    try:
        import resource
    except ImportError:
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
