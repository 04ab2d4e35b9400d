"""The losses that `train.loss` names. One file a loss; `table.py` holds what they share."""
from __future__ import annotations

from typing import Callable

import torch

from .bce import BCE
from .group_ce import GROUP_CE
from .kl import KL, divergence
from .lambda_loss import LAMBDA
from .margin_mse import MARGIN_MSE, all_margins
from .ranknet import RANKNET
from .table import GroupTable, Loss

LOSSES: dict[str, Loss] = {"group_ce": GROUP_CE, "bce": BCE, "lambda": LAMBDA, "ranknet": RANKNET, "margin_mse": MARGIN_MSE, "kl": KL}
# What holds a model to the scores of another one beside its own loss: sums over groups, from the table and [groups, width] wanted scores.
PULLS: dict[str, Callable[[GroupTable, torch.Tensor], torch.Tensor]] = {"kl": lambda table, wanted: divergence(table, wanted)[0], "margin_mse": all_margins}
