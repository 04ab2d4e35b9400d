"""MarginMSE: differences of scores should be those of the teacher."""
from __future__ import annotations

import torch

from ..data import TrainingGroup
from .table import GroupTable, Loss, better, both, differences, label_pairs, teacher_differs


def margin_mse(table: GroupTable) -> tuple[torch.Tensor, float]:
    """Sum over pairs with different labels of ((s_i - s_j) - (t_i - t_j))^2 (Hofstätter et al., 2010.02666).

    In a group with one label, where labels tell no pair apart, every pair counts: the teacher alone judges it.
    """
    graded = better(table.labels, table.real)
    alone = ~graded.flatten(1).any(1)[:, None, None]
    pairs = torch.where(alone, both(table.real).triu(1), graded)
    margins = differences(table.teacher())
    squares = torch.where(pairs, (differences(table.scores) - margins).square(), 0.0)
    return squares.sum(), float(torch.where(pairs, margins.square(), 0.0).sum())


def all_margins(table: GroupTable, wanted: torch.Tensor) -> torch.Tensor:
    """Sum over groups of the mean over all their pairs of ((s_i - s_j) - (w_i - w_j))^2, whatever the labels: passages that nobody judged teach too.

    wanted: [groups, width] scores of the teacher. A group of one passage adds 0.
    """
    pairs = both(table.real).triu(1)
    squares = torch.where(pairs, (differences(table.scores) - differences(wanted)).square(), 0.0)
    return (squares.flatten(1).sum(1) / pairs.flatten(1).sum(1).clamp(min=1)).sum()


def margins(group: TrainingGroup) -> int:
    """Pairs that count in a group."""
    return label_pairs(group) or len(group.labels) * (len(group.labels) - 1) // 2


MARGIN_MSE = Loss(margin_mse, terms=margins, compares=teacher_differs, needs_teacher=True)
