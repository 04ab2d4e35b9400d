"""Graded group softmax cross-entropy: the default."""
from __future__ import annotations

import math

import torch

from .table import GroupTable, Loss, one


def group_cross_entropy(table: GroupTable) -> tuple[torch.Tensor, float]:
    """-sum(t * log_softmax(scores)) with t = label / sum of the group's labels: ListNet's top-one form (Cao et al., ICML'07) with labels as
    the distribution; with one positive it is the cross-entropy of bge-reranker. A group without a positive has no target and adds 0; one
    with positives only pulls them together.
    """
    totals = table.labels.sum(1, keepdim=True)
    weights = table.labels / totals.clamp(min=1e-12)
    value = -(weights * table.log_softmax(table.scores)).sum()
    return value, sum(math.log(len(group.labels)) for group in table.groups if sum(group.labels) > 0 and len(group.labels) > 1)


# every group counts as compared: the guard has judged this loss by the spread over all groups from the start
GROUP_CE = Loss(group_cross_entropy, terms=one, compares=lambda group: True, flat="ln(group size)")
