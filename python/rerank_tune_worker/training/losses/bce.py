"""Binary cross-entropy of single pairs: a loss of its own, and the anchor that keeps the level of scores beside the losses that ignore it."""
from __future__ import annotations

import torch
import torch.nn.functional as F

from .table import GroupTable, Loss, labels_differ


def anchor(table: GroupTable) -> torch.Tensor:
    """Sum over pairs of the cross-entropy of sigmoid(score) against label / highest label. Finite for every label and score."""
    return F.binary_cross_entropy_with_logits(table.logits, table.grades, reduction="sum")


def binary_cross_entropy(table: GroupTable) -> tuple[torch.Tensor, float]:
    """The anchor as the loss. At equal scores: every passage has the mean score of its group."""
    scores = table.scores.detach().masked_fill(~table.real, 0.0)
    means = (scores.sum(1) / table.real.sum(1))[:, None].expand_as(scores)[table.real]
    return anchor(table), float(F.binary_cross_entropy_with_logits(means, table.grades, reduction="sum"))


BCE = Loss(binary_cross_entropy, terms=lambda group: len(group.labels), compares=labels_differ, anchored=False)
