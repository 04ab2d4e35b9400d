"""Scores of the untouched base on every pair that training will see; what `train.kl_to_base` holds the model to."""
from __future__ import annotations

import os
from typing import Callable

import torch
from safetensors.torch import load_file, save_file

from .checkpoint import replace_file
from .data import PairCache, StepPlan
from .model import PairModel


def base_scores(path: str, plan: StepPlan, cache: PairCache, model: PairModel, tokens: int, between: Callable[[int], None]) -> dict[tuple[int, int], float]:
    """(group, passage) -> logit. Read from `path` where a killed run left them, else computed and kept there.

    `model` must still hold the base's weights. In the precision of training, so that the tuned model's rounding is compared with its own kind.
    """
    keys = plan.pairs()
    if not os.path.isfile(path):
        scores = torch.tensor(model.score(cache.get(keys), exact=False, tokens=tokens, between=between))
        replace_file(path, lambda temporary: save_file({"scores": scores}, temporary))
    return dict(zip(keys, load_file(path)["scores"].tolist(), strict=True))
