"""RankNet: the better of two passages should win."""
from __future__ import annotations

import math

import torch
import torch.nn.functional as F

from .table import GroupTable, Loss, better, differences, label_pairs, labels_differ


def ranknet(table: GroupTable) -> tuple[torch.Tensor, float]:
    """Sum over pairs with different labels of -ln sigmoid(better - worse), sigma 1 (Burges et al., ICML'05).

    A group with one label has no pair and adds 0.
    """
    pairs = better(table.labels, table.real)
    losses = -F.logsigmoid(differences(table.scores))
    return torch.where(pairs, losses, 0.0).sum(), math.log(2) * int(pairs.sum())


RANKNET = Loss(ranknet, terms=label_pairs, compares=labels_differ, flat="ln 2")
