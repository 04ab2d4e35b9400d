"""Finds, per group of MatMuls, the best of each form on sampled rows, with its error. Builds no graph; ladder.py decides.

Forms (int8_sketch.py, onnx.md §10), from cheap to dear; static and token with 8-bit unsigned activations and signed weights with a scale per column:
  static    one scale and zero point for the whole tensor, from calibration; smoothed only where that is free
  smoothed  the same behind one more pass over x, which divides its channels
  token     a scale per token from its own largest value; the zero point is fixed, so both depend on nothing but the token
  block     weights with a scale per 32 rows of a column, activations per 32 channels of a token (MatMulNBits, 8 bits, accuracy level 4)
  float32   left as it is
Smoothing divides channel i of x by c_i = max|x_i|^alpha / max|W_i|^(1-alpha) and multiplies row i of W by it (SmoothQuant, Xiao et al. 2022, eq. 4).
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from .activations import Statistics
from .groups import Group

# 0 stands for no smoothing. onnx.md §10: 0.5 failed and 0.7-0.85 was best on one model, which says: search.
ALPHAS = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9)
# Smoothing that must be paid for at run time (one more pass over x) has to lower the error by this much.
WORTH_A_PASS = 0.9
# Of the form `block`: the one block size at which MatMulNBits scores do not depend on the batch (onnx.md §3.3).
BLOCK = 32


@dataclass(frozen=True)
class Choice:
    """One way to quantize a group, `form` static, token, block or float32: `error` is the mean over rows and MatMuls of |y' - y| / |y|, `smooth` the divisors c."""

    form: str
    alpha: float
    error: float
    smooth: np.ndarray
    scale: float
    zero_point: int


def quantize_weight(weight: torch.Tensor, limit: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Integers in [-limit, limit] and the scale of each column of `weight` [inputs, outputs]."""
    scale = (weight.abs().amax(0) / limit).clamp_min(1e-12)
    return (weight / scale).round_().clamp_(-limit, limit), scale


def best_choices(group: Group, statistics: Statistics, weight_limit: int) -> dict[str, Choice]:
    """The best choice of each form by name; `smoothed` and `block` only where they make sense."""
    rows = torch.from_numpy(np.ascontiguousarray(statistics.rows))
    weights = [torch.from_numpy(np.array(member.weight.load())) for member in group.members]
    exact = [rows @ weight for weight in weights]
    channel = np.maximum(np.maximum(np.abs(statistics.lowest), np.abs(statistics.highest)), 1e-5)
    row_max = np.maximum(np.max([weight.abs().amax(1).numpy() for weight in weights], axis=0), 1e-5)
    best: dict[str, Choice] = {}
    for alpha in ALPHAS:
        smooth = _smooth(channel, row_max, alpha)
        scaled = rows / torch.from_numpy(smooth)
        rounded = [_fake_weight(weight * torch.from_numpy(smooth)[:, None], weight_limit) for weight in weights]
        low, high = float((statistics.lowest / smooth).min()), float((statistics.highest / smooth).max())
        for form in ("static", "token"):
            scale, zero_point = _range(form, low, high)
            error = _error(_fake_rows(scaled, form, scale, zero_point), rounded, exact)
            _keep_better(best, Choice(form, alpha, error, smooth, scale, zero_point), alpha > 0 and not group.free_smoothing)
    ones = np.ones(group.width, np.float32)
    if weight_limit == 127 and group.width % BLOCK == 0:
        error = _error(_fake_blocks(rows), [_fake_blocks(weight.T).T for weight in weights], exact)
        best["block"] = Choice("block", 0.0, error, ones, 1.0, 0)
    best["float32"] = Choice("float32", 0.0, 0.0, ones, 1.0, 0)
    return best


def _keep_better(best: dict[str, Choice], choice: Choice, paid: bool) -> None:
    """Smoothing that needs a pass of its own is a rung of its own for the static form, and must be worth the pass for tokens."""
    name = "smoothed" if paid and choice.form == "static" else choice.form
    known = best.get(name) or (best.get("static") if name == "smoothed" else None)
    if known is None or choice.error < known.error * (WORTH_A_PASS if paid and known.alpha == 0 else 1):
        best[name] = choice


def _smooth(channel: np.ndarray, row_max: np.ndarray, alpha: float) -> np.ndarray:
    if alpha == 0:
        return np.ones(len(channel), np.float32)
    smooth = channel**alpha / row_max ** (1 - alpha)
    return (smooth / np.exp(np.log(smooth).mean())).astype(np.float32)


def _range(form: str, low: float, high: float) -> tuple[float, int]:
    """Scale and zero point of the static form; for tokens the zero point, and the smallest scale a token may take.

    After GELU almost all of the range is positive, and a zero point of 128 would waste half of the 256 levels.
    """
    low, high = min(low, 0.0), max(high, 1e-6)
    if form == "static":
        scale = (high - low) / 255
        return scale, int(np.clip(round(-low / scale), 0, 255))
    if -low < high / 8:
        zero_point = 16
        return max(-low / zero_point, 1e-8), zero_point
    return 1e-8, 128


def _fake_rows(rows: torch.Tensor, form: str, scale: float, zero_point: int) -> torch.Tensor:
    """What the quantized graph will see instead of `rows`."""
    steps = torch.tensor(scale) if form == "static" else token_scales(rows, scale, zero_point)
    return ((rows / steps).round_() + zero_point).clamp_(0, 255).sub_(zero_point) * steps


def token_scales(rows: torch.Tensor, floor: float, zero_point: int) -> torch.Tensor:
    """[rows, 1]: the scale of each token in the token form."""
    top = rows.abs().amax(1, keepdim=True) if zero_point == 128 else rows.amax(1, keepdim=True)
    return (top / (255 - zero_point)).clamp_min(floor)


def _fake_weight(weight: torch.Tensor, limit: int) -> torch.Tensor:
    rounded, scale = quantize_weight(weight, limit)
    return rounded * scale


def quantize_blocks(rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Integers in [-127, 127] of each row [rows, width / BLOCK, BLOCK] and the scale of each block [rows, width / BLOCK, 1]."""
    blocks = rows.reshape(len(rows), -1, BLOCK)
    scale = (blocks.abs().amax(2, keepdim=True) / 127).clamp_min(1e-12)
    return (blocks / scale).round_().clamp_(-127, 127), scale


def _fake_blocks(rows: torch.Tensor) -> torch.Tensor:
    rounded, scale = quantize_blocks(rows)
    return (rounded * scale).reshape(rows.shape)


def _error(rows: torch.Tensor, weights: list[torch.Tensor], exact: list[torch.Tensor]) -> float:
    """Relative to each row's own size, so that a few huge tokens do not hide what happens to all others."""
    errors = [((rows @ weight - y).norm(dim=1) / y.norm(dim=1).clamp_min(1e-12)).mean() for weight, y in zip(weights, exact)]
    return float(torch.stack(errors).mean())
