"""Graded group softmax cross-entropy with a binary cross-entropy anchor. Works on logits only."""
from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F


@dataclass
class LossSums:
    """Sums over the groups of a step, for reports and for the guard."""

    group_loss: float = 0.0
    anchor: float = 0.0
    log_sizes: float = 0.0
    spread: float = 0.0
    groups: int = 0
    pairs: int = 0

    def add(self, other: "LossSums") -> None:
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)


def group_loss(logits: torch.Tensor, labels: list[tuple[float, ...]], top_label: float) -> tuple[torch.Tensor, torch.Tensor, LossSums]:
    """Sums of the two losses over whole groups; the caller divides by the groups and pairs of the step, so micro-batches add up exactly.

    logits: [pairs] fp32 in group order. Group loss: -sum(t * log_softmax(logits)) with t = label / sum of the group's labels (ListNet's
    top-one form with labels as the distribution; with one positive it is the cross-entropy of bge-reranker). A group without a positive
    has no target and adds 0; one with positives only pulls them together. Anchor: BCE against label / top_label, so scores keep their scale.
    """
    sizes = [len(group) for group in labels]
    width = max(sizes)
    places = torch.full((len(labels), width), -1, dtype=torch.long)
    targets = torch.zeros(len(labels), width)
    start = 0
    for row, group in enumerate(labels):
        places[row, : len(group)] = torch.arange(start, start + len(group))
        targets[row, : len(group)] = torch.tensor(group)
        start += len(group)
    places, targets = places.to(logits.device), targets.to(logits.device)
    mask = places >= 0
    table = logits[places.clamp(min=0)].masked_fill(~mask, -math.inf)
    totals = targets.sum(1, keepdim=True)
    weights = targets / totals.clamp(min=1e-12)
    logs = torch.log_softmax(table, 1).masked_fill(~mask, 0.0)
    cross_entropy = -(weights * logs).sum()
    grades = (targets[mask] / max(top_label, 1e-12)).clamp(0, 1)
    anchor = F.binary_cross_entropy_with_logits(logits, grades, reduction="sum")
    ranked = [row for row, group in enumerate(labels) if sum(group) > 0 and len(group) > 1]
    spread = sum(float(part.std(correction=0)) for part in logits.detach().split(sizes))
    sums = LossSums(float(cross_entropy.detach()), float(anchor.detach()), sum(math.log(sizes[row]) for row in ranked), spread, len(labels), sum(sizes))
    return cross_entropy, anchor, sums
