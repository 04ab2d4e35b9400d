"""Affine calibration of scores: sigmoid(a * score + b) as the share of relevant passages. Platt scaling, fitted on dev; sees numbers only."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F

BINS = 10  # of equal width, for the expected calibration error
NEWTON_STEPS = 100


@dataclass(frozen=True)
class Affine:
    """a > 0, so that no order changes."""

    a: float
    b: float

    def __call__(self, scores: torch.Tensor) -> torch.Tensor:
        return self.a * scores + self.b


def fit(scores: torch.Tensor, grades: torch.Tensor) -> Affine | None:
    """Maximum likelihood of a and b; None where no a > 0 is the best: scores that are all equal, or that fall where relevance rises.

    scores, grades: [pairs] float64, grades 0-1. Targets are smoothed as in Platt 1999 ((N+ + 1) / (N+ + 2) and 1 / (N- + 2), counts being
    sums of grades), so that separable data have a finite answer too; Newton's method with a backtracking line search (Lin, Lin & Weng 2007).
    """
    mean, deviation = scores.mean(), scores.std(correction=0)
    if not deviation > 1e-9 * (1 + mean.abs()):
        return None
    positives = grades.sum()
    high, low = (positives + 1) / (positives + 2), 1 / (len(grades) - positives + 2)
    slope, shift = _newton((scores - mean) / deviation, grades * high + (1 - grades) * low)
    return Affine(slope / float(deviation), shift - slope * float(mean / deviation)) if slope > 1e-6 else None


def _newton(values: torch.Tensor, targets: torch.Tensor) -> tuple[float, float]:
    design = torch.stack((values, torch.ones_like(values)), 1)
    point = torch.zeros(2, dtype=values.dtype)

    def loss(at: torch.Tensor) -> torch.Tensor:
        return F.binary_cross_entropy_with_logits(design @ at, targets)

    for _ in range(NEWTON_STEPS):
        chance = torch.sigmoid(design @ point)
        gradient = design.t() @ (chance - targets) / len(values)
        if gradient.abs().max() < 1e-12:
            break
        curvature = (design * (chance * (1 - chance))[:, None]).t() @ design / len(values) + 1e-12 * torch.eye(2, dtype=values.dtype)
        step, rate, start = torch.linalg.solve(curvature, gradient), 1.0, loss(point)
        while rate > 1e-10 and loss(point - rate * step) > start - 1e-4 * rate * (gradient @ step):
            rate /= 2
        if rate <= 1e-10:
            break
        point = point - rate * step
    return float(point[0]), float(point[1])


def measures(scores: torch.Tensor, grades: torch.Tensor) -> dict[str, float]:
    """Log-loss (nats a pair), Brier score, and expected calibration error over BINS bins, of sigmoid(scores) against grades."""
    chance = torch.sigmoid(scores)
    places = (chance * BINS).long().clamp(max=BINS - 1)
    gaps = torch.zeros(BINS, dtype=scores.dtype).index_add(0, places, chance - grades)
    return {
        "log_loss": float(F.binary_cross_entropy_with_logits(scores, grades)),
        "brier": float(((chance - grades) ** 2).mean()),
        "ece": float(gaps.abs().sum() / len(scores)),
    }


def calibrate(scores: list[float], grades: list[float], sizes: list[int]) -> tuple[Affine | None, dict[str, Any]]:
    """The fit on all pairs and its record. `sizes`: pairs of each query, in order; even and odd queries are the two folds."""
    values, wanted = (torch.tensor(numbers, dtype=torch.float64) for numbers in (scores, grades))
    found = fit(values, wanted)
    record = {
        "a": found.a if found else None,
        "b": found.b if found else None,
        "queries": len(sizes),
        "pairs": len(scores),
        "before": measures(values, wanted),
        "after": measures(found(values), wanted) if found else None,
        "after_out_of_sample": _crossed(values, wanted, sizes),
    }
    return found, record


def _crossed(scores: torch.Tensor, grades: torch.Tensor, sizes: list[int]) -> dict[str, float] | None:
    """Each half of the queries under the fit of the other one; None where a half has none."""
    odd = torch.tensor([number % 2 == 1 for number, size in enumerate(sizes) for _ in range(size)])
    if len(set(odd.tolist())) < 2:
        return None
    out = torch.empty_like(scores)
    for held in (odd, ~odd):
        found = fit(scores[~held], grades[~held])
        if found is None:
            return None
        out[held] = found(scores[held])
    return measures(out, grades)


def fold(linear: torch.nn.Linear, affine: Affine) -> None:
    """Makes the last layer's output a * output + b, in double precision up to the last rounding. It must have a bias."""
    with torch.no_grad():
        linear.weight.copy_((linear.weight.double() * affine.a).float())
        linear.bias.copy_((linear.bias.double() * affine.a + affine.b).float())


def flipped(before: list[float], after: list[float], sizes: list[int], affine: Affine) -> int:
    """Pairs of passages of one query that changed their order, those apart that float32 cannot tell apart on one of the sides."""
    count, start = 0, 0
    near = max(1e-5 * (1 + max(map(abs, before))), 1e-6 * (1 + max(map(abs, after))) / affine.a)
    for size in sizes:
        old, new = (torch.tensor(values[start : start + size], dtype=torch.float64) for values in (before, after))
        count += int(((old[:, None] - old > near) & (new[:, None] - new <= 0)).sum())
        start += size
    return count
