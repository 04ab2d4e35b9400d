"""Kullback-Leibler divergence of a group's softmax from another one: the teacher's, or that of the frozen base."""
from __future__ import annotations

import torch

from .table import GroupTable, Loss, one, teacher_differs


def divergence(table: GroupTable, wanted: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Sum over groups of KL(softmax(wanted) || softmax(scores)), and the same for equal scores. wanted: [groups, width].

    >= 0, and 0 where the softmaxes agree; a group of one passage adds 0.
    """
    targets = table.log_softmax(wanted)
    probabilities = targets.exp().masked_fill(~table.real, 0.0)
    value = (probabilities * (targets - table.log_softmax(table.scores))).sum()
    sizes = table.real.sum(1, keepdim=True).to(targets.dtype)
    return value, (probabilities * (targets + sizes.log())).sum()


def teacher_divergence(table: GroupTable) -> tuple[torch.Tensor, float]:
    """`divergence` from the teacher's softmax at its temperature; labels play no part."""
    value, equal = divergence(table, table.teacher())
    return value, float(equal)


KL = Loss(teacher_divergence, terms=one, compares=teacher_differs, needs_teacher=True)
