"""The losses that `train.loss` names. One file a loss; `table.py` holds what they share."""
from __future__ import annotations

from .bce import BCE
from .group_ce import GROUP_CE
from .kl import KL
from .lambda_loss import LAMBDA
from .margin_mse import MARGIN_MSE
from .ranknet import RANKNET
from .table import Loss

LOSSES: dict[str, Loss] = {"group_ce": GROUP_CE, "bce": BCE, "lambda": LAMBDA, "ranknet": RANKNET, "margin_mse": MARGIN_MSE, "kl": KL}
