"""LambdaLoss for NDCG: pairs weigh what their exchange would change."""
from __future__ import annotations

import math

import torch
import torch.nn.functional as F

from .table import GroupTable, Loss, better, differences, label_pairs, labels_differ

MU = 10.0  # weight of NDCGLoss2 beside LambdaRank, as in the paper's NDCGLoss2++
SIGMA = 1.0


def lambda_loss(table: GroupTable) -> tuple[torch.Tensor, float]:
    """NDCGLoss2++ (Wang et al., The LambdaLoss Framework, CIKM'18): sum over pairs with different labels of
    -(mu * delta + rho) * |G_i - G_j| * log2 sigmoid(sigma * (s_i - s_j)), G = (2^label - 1) / ideal DCG of the group.

    The weight goes before the logarithm instead of into an exponent: equal where floats hold it, but neither 0 nor NaN far from it.
    A group with one label has no pair and adds 0.
    """
    order = table.scores.detach().masked_fill(~table.real, -math.inf).argsort(dim=1, descending=True, stable=True)
    scores, labels, real = (values.gather(1, order) for values in (table.scores, table.labels, table.real))
    weights = torch.where(better(labels, real), _weights(labels), 0.0)
    logarithms = F.logsigmoid(SIGMA * differences(scores)) / math.log(2)
    return -(weights * logarithms).sum(), float(weights.sum())


def _weights(labels: torch.Tensor) -> torch.Tensor:
    """labels: [groups, width] by descending score, 0 behind the end of a group. Returns [groups, width, width] (mu * delta + rho) * |G_i - G_j|."""
    ranks = torch.arange(1, labels.shape[1] + 1, device=labels.device, dtype=labels.dtype)
    discounts = torch.log2(1 + ranks)
    top = labels.amax(1, keepdim=True)
    gains = torch.exp2(labels - top) - torch.exp2(-top)  # over 2^top, which cancels below: no label is too large
    ideal = (gains.sort(1, descending=True).values / discounts).sum(1, keepdim=True)
    gains = gains / ideal.clamp(min=1e-12)  # 0 / 0 where all labels are 0
    rho = (1 / discounts[:, None] - 1 / discounts[None, :]).abs()
    apart = (ranks[:, None] - ranks[None, :]).abs().clamp(min=1)  # a passage makes no pair with itself
    delta = 1 / torch.log2(1 + apart) - 1 / torch.log2(2 + apart)
    return (MU * delta + rho) * differences(gains).abs()


LAMBDA = Loss(lambda_loss, terms=label_pairs, compares=labels_differ)
